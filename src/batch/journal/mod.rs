//! What is done, so that it is not done again: one JSON object a line, only ever appended.
//!
//! A process that is killed leaves at most one broken line, the last; it is cut off on opening. Where
//! lines begin is kept in an index beside it.

mod index;

use std::{
    fs::File,
    io::{self, BufRead as _, BufReader, Seek as _, SeekFrom, Write as _},
    os::unix::fs::FileExt as _,
    path::Path,
    sync::Mutex,
};

use serde::{Deserialize, Serialize};

use self::index::{Index, Places};
use super::{digest, rows::Row};

/// A file that has its result.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Record {
    /// The input's path, as [`super::rows::PathText::key`].
    pub key: String,
    /// Bytes of the input.
    pub size: u64,
    /// SHA-256 of the input.
    pub sha256: String,
    /// Fingerprint of options, documents and version.
    pub options: String,
    /// SHA-256 of the result.
    pub output_sha256: String,
    /// The type of a medium that came out alone.
    pub output_type: Option<String>,
    /// The row of the report.
    pub row: Row,
}

/// The journal of an output tree.
pub struct Journal {
    file: File,
    index: Index,
    /// Where the last good line about each key began when the run did.
    places: Places,
    /// Where the next record begins.
    end: Mutex<u64>,
    /// The first failure to append; later ones add nothing.
    failure: Mutex<Option<io::Error>>,
}

impl Journal {
    /// Opens or begins a journal. Lines that are no record are ignored: the file is redone.
    ///
    /// # Errors
    /// The system's.
    pub fn open(path: &Path) -> io::Result<Self> {
        #[derive(Deserialize)]
        struct Key {
            key: String,
        }
        let file = File::options().create(true).append(true).read(true).open(path)?;
        let (index, known) = Index::open(&path.with_extension("index"), file.metadata()?.len())?;
        let mut places = known.places;
        let mut reader = BufReader::new(&file);
        reader.seek(SeekFrom::Start(known.last))?;
        let (mut at, mut whole, mut line) = (known.last, known.last, Vec::new());
        loop {
            line.clear();
            let length = reader.read_until(b'\n', &mut line)?;
            if length == 0 {
                break;
            }
            if line.ends_with(b"\n") {
                if let Ok(Key { key }) = serde_json::from_slice(&line) {
                    let digest = digest::of(key.as_bytes());
                    if places.insert(digest, at) != Some(at) {
                        index.note(digest, at);
                    }
                }
                whole = at + length as u64;
            }
            at += length as u64;
        }
        drop(reader);
        if whole < at {
            file.set_len(whole)?;
        }
        Ok(Self { file, index, places, end: Mutex::new(whole), failure: Mutex::new(None) })
    }

    /// The record of a path as it was when the run began.
    pub fn find(&self, key: &str) -> Option<Record> {
        let at = *self.places.get(&digest::of(key.as_bytes()))?;
        self.at(at).filter(|record| record.key == key)
    }

    /// The record that begins at a place.
    pub fn at(&self, at: u64) -> Option<Record> {
        serde_json::from_slice(&self.line(at).ok()?).ok()
    }

    /// The line that begins at `at`.
    fn line(&self, mut at: u64) -> io::Result<Vec<u8>> {
        let mut line = Vec::new();
        let mut block = [0; 4 << 10];
        loop {
            let length = self.file.read_at(&mut block, at)?;
            let read = block.get(..length).unwrap_or_default();
            match read.iter().position(|byte| *byte == b'\n') {
                Some(end) => line.extend_from_slice(read.get(..end).unwrap_or_default()),
                None => line.extend_from_slice(read),
            }
            if length == 0 || read.contains(&b'\n') {
                return Ok(line);
            }
            at += length as u64;
        }
    }

    /// Notes a record, and says where it begins; `None`: it could not be written, nor can any more.
    pub fn note(&self, record: &Record) -> Option<u64> {
        let written = serde_json::to_vec(record).map_err(io::Error::other).and_then(|mut line| {
            line.push(b'\n');
            let mut end = self.end.lock().unwrap_or_else(|e| e.into_inner());
            let at = *end;
            (&self.file).write_all(&line)?;
            *end += line.len() as u64;
            self.index.note(digest::of(record.key.as_bytes()), at);
            Ok(at)
        });
        let mut failure = self.failure.lock().unwrap_or_else(|e| e.into_inner());
        match written {
            // After a line that was written in part, places are not what they are thought to be.
            Ok(at) => failure.is_none().then_some(at),
            Err(error) => {
                failure.get_or_insert(error);
                None
            }
        }
    }

    /// The first failure to note something, if any.
    pub fn failure(&self) -> Option<io::Error> {
        self.failure.lock().unwrap_or_else(|e| e.into_inner()).take()
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn record(key: &str, size: u64) -> Record {
        Record {
            key: key.into(),
            size,
            sha256: "a".into(),
            options: "o".into(),
            output_sha256: "b".into(),
            output_type: None,
            row: Row::bare(Path::new(key)),
        }
    }

    #[test]
    fn the_last_word_counts() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("j");
        let journal = Journal::open(&path).unwrap();
        journal.note(&record("a", 1));
        let second = journal.note(&record("b", 2)).unwrap();
        journal.note(&record("a", 3));
        assert_eq!(journal.at(second), Some(record("b", 2)));
        assert!(journal.find("a").is_none(), "as it was when the run began");
        let journal = Journal::open(&path).unwrap();
        assert_eq!(journal.find("a"), Some(record("a", 3)));
        assert_eq!(journal.find("b"), Some(record("b", 2)));
        assert_eq!(journal.find("c"), None);
    }

    #[test]
    fn a_line_cut_anywhere_harms_no_other() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("j");
        let journal = Journal::open(&path).unwrap();
        journal.note(&record("a", 1));
        let first = fs::metadata(&path).unwrap().len();
        journal.note(&record("b", 2));
        let whole = fs::read(&path).unwrap();
        for cut in first as usize..whole.len() {
            fs::write(&path, &whole[..cut]).unwrap();
            let journal = Journal::open(&path).unwrap();
            assert_eq!(journal.find("a"), Some(record("a", 1)), "{cut}");
            assert_eq!(journal.find("b"), None, "{cut}");
            journal.note(&record("c", 3));
            let journal = Journal::open(&path).unwrap();
            assert_eq!(journal.find("c"), Some(record("c", 3)), "{cut}");
        }
    }

    /// `cargo test --release --lib ten_million -- --ignored --nocapture`: 4.6 GB in the temporary folder.
    #[test]
    #[ignore = "takes 5 GB of disk and a minute"]
    fn ten_million_lines_are_opened_in_seconds() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("journal.jsonl");
        let key = |number: u32| format!("2026/11/message-{number:08}.mms");
        {
            let journal = Journal::open(&path).unwrap();
            for number in 0..10_000_000 {
                journal.note(&record(&key(number), 1)).unwrap();
            }
        }
        let began = std::time::Instant::now();
        let journal = Journal::open(&path).unwrap();
        let (took, length) = (began.elapsed(), fs::metadata(&path).unwrap().len());
        println!("10,000,000 lines of {} bytes: opened in {took:.2?}", length / 10_000_000);
        for number in [0, 4_999_999, 9_999_999] {
            assert_eq!(journal.find(&key(number)), Some(record(&key(number), 1)));
        }
        assert!(took.as_secs() < 60);
    }

    #[test]
    fn an_index_that_is_lost_or_wrong_changes_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let (path, index) = (dir.path().join("j.jsonl"), dir.path().join("j.index"));
        let journal = Journal::open(&path).unwrap();
        for (key, size) in [("a", 1), ("b", 2), ("a", 3)] {
            journal.note(&record(key, size));
        }
        drop(journal);
        let good = fs::read(&index).unwrap();
        let lost: [&[u8]; 4] = [b"", b"junk", &good[..good.len() - 16], &good[..20]];
        for bytes in lost {
            fs::write(&index, bytes).unwrap();
            let journal = Journal::open(&path).unwrap();
            assert_eq!(journal.find("a"), Some(record("a", 3)), "{bytes:?}");
            assert_eq!(journal.find("b"), Some(record("b", 2)), "{bytes:?}");
            assert_eq!(fs::read(&index).unwrap(), good, "{bytes:?}: mended");
        }
        // Places where no line about the key begins.
        let wrong: Vec<u8> =
            [&good[..16], &good[16..24], &good[40..48], &good[32..40], &good[40..48]].concat();
        fs::write(&index, &wrong).unwrap();
        let journal = Journal::open(&path).unwrap();
        assert!(journal.find("b").is_none_or(|found| found == record("b", 2)));
        assert!(journal.find("a").is_none_or(|found| found.key == "a"));
    }

    #[test]
    fn junk_is_ignored() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("j");
        fs::write(&path, b"\xff\xfe junk\n{\"key\":\"a\"}\n[1]\n\n").unwrap();
        let journal = Journal::open(&path).unwrap();
        assert_eq!(journal.find("a"), None);
        journal.note(&record("a", 1));
        assert_eq!(Journal::open(&path).unwrap().find("a"), Some(record("a", 1)));
    }
}
