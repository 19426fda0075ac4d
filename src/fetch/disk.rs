//! Documents in a directory, by the hash of their URL. A file is whole or it is not there: written
//! under another name, then renamed; and its first line has the hash of the rest. Whatever else lies
//! there is neither read nor removed. What goes wrong with the disk costs a fetch, never a call.

use std::{
    fs::{self, File},
    io::{self, Read as _, Write as _},
    path::{Path, PathBuf},
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, SystemTime},
};

use sha2::{Digest as _, Sha256};

use super::{refusal::Refusal, target::Key};
use crate::model::Bytes;

/// What the first line begins with: the form, and its version.
const MAGIC: &str = "mmsfit-profile-1 ";
/// What unfinished files begin with.
const UNFINISHED: &str = ".unfinished-";
/// Unfinished files of this age were left by a process that ended.
const ABANDONED: Duration = Duration::from_secs(3_600);
/// Bytes of a file beside its document.
const HEAD: u64 = 4_096;

/// What is known of a URL.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Entry {
    /// Until when it holds, to a millisecond.
    pub until: SystemTime,
    /// The document, or why there is none.
    pub document: Result<Vec<u8>, Refusal>,
}

/// The directory.
pub(super) struct Disk {
    dir: PathBuf,
    most: usize,
    max_bytes: Bytes,
    /// Files in it, about: others may write there, too.
    files: Mutex<usize>,
    unfinished: AtomicU64,
    /// Said once.
    told: AtomicBool,
}

impl Disk {
    /// Makes the directory where there is none.
    pub fn open(dir: PathBuf, most: usize, max_bytes: Bytes) -> Self {
        let disk = Self {
            dir,
            most,
            max_bytes,
            files: Mutex::new(0),
            unfinished: AtomicU64::new(0),
            told: AtomicBool::new(false),
        };
        let opened = fs::create_dir_all(&disk.dir).and_then(|()| disk.prune(most));
        match opened {
            Ok(left) => *disk.files.lock().unwrap_or_else(PoisonError::into_inner) = left,
            Err(error) => disk.tell(&error),
        }
        disk
    }

    fn tell(&self, error: &io::Error) {
        if !self.told.swap(true, Ordering::Relaxed) {
            let dir = self.dir.display();
            tracing::warn!(%dir, %error, "fetched documents are not kept on disk");
        }
    }

    fn path(&self, key: &Key) -> PathBuf {
        self.dir.join(hexadecimal(key))
    }

    /// What is known of a URL and still holds. What cannot be read is as good as nothing.
    pub fn read(&self, key: &Key, url: &str) -> Option<Entry> {
        let most = self.max_bytes.get() + HEAD;
        let mut bytes = Vec::new();
        File::open(self.path(key)).ok()?.take(most + 1).read_to_end(&mut bytes).ok()?;
        let entry = decode(&bytes, url).filter(|_| bytes.len() as u64 <= most)?;
        (entry.until > SystemTime::now()).then_some(entry)
    }

    /// Keeps what is known of a URL.
    pub fn write(&self, key: &Key, url: &str, entry: &Entry) {
        if let Err(error) = self.try_write(&self.path(key), &encode(entry, url)) {
            self.tell(&error);
        }
    }

    fn try_write(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        // One after the other: it is the count that they share.
        let mut files = self.files.lock().unwrap_or_else(PoisonError::into_inner);
        let number = self.unfinished.fetch_add(1, Ordering::Relaxed);
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let unfinished = self.dir.join(format!("{UNFINISHED}{:x}-{number}", now.as_nanos()));
        let is_new = !path.exists();
        let mut file = File::options().write(true).create_new(true).open(&unfinished)?;
        let written = file.write_all(bytes).and_then(|()| fs::rename(&unfinished, path));
        if let Err(error) = written {
            // It may be gone already.
            let _ = fs::remove_file(&unfinished);
            return Err(error);
        }
        *files += usize::from(is_new);
        if *files > self.most {
            // Some more than needed: not at every file.
            *files = self.prune(self.most - self.most / 10)?;
        }
        Ok(())
    }

    /// Removes the oldest documents over `most`, and what was left unfinished; how many are left.
    fn prune(&self, most: usize) -> io::Result<usize> {
        let mut found = Vec::new();
        for file in fs::read_dir(&self.dir)? {
            let file = file?;
            let name = file.file_name();
            let name = name.to_string_lossy();
            let Ok(about) = file.metadata() else { continue };
            let written = about.modified().unwrap_or(SystemTime::UNIX_EPOCH);
            if is_name(&name) {
                found.push((written, file.path()));
            } else if name.starts_with(UNFINISHED)
                && written.elapsed().is_ok_and(|age| age > ABANDONED)
            {
                // Somebody else may have done so.
                let _ = fs::remove_file(file.path());
            }
        }
        found.sort();
        let over = found.len().saturating_sub(most);
        for (_, path) in &found[..over] {
            fs::remove_file(path)?;
        }
        Ok(found.len() - over)
    }
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Whether a file is one of ours.
fn is_name(name: &str) -> bool {
    name.len() == 64 && name.bytes().all(|c| c.is_ascii_digit() || (b'a'..=b'f').contains(&c))
}

fn encode(entry: &Entry, url: &str) -> Vec<u8> {
    let until = entry.until.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let word = entry.document.as_ref().map_or_else(Refusal::text, |_| "ok".to_owned());
    let mut rest = format!("{url}\n{}\n{word}\n", until.as_millis()).into_bytes();
    rest.extend(entry.document.as_deref().unwrap_or_default());
    let mut bytes = format!("{MAGIC}{}\n", hexadecimal(&Sha256::digest(&rest))).into_bytes();
    bytes.append(&mut rest);
    bytes
}

/// `None`: damaged, of another version, or of another URL.
fn decode(bytes: &[u8], url: &str) -> Option<Entry> {
    let (hash, rest) = line(bytes.strip_prefix(MAGIC.as_bytes())?)?;
    if hash != hexadecimal(&Sha256::digest(rest)) {
        return None;
    }
    let (own, rest) = line(rest)?;
    let (until, rest) = line(rest)?;
    let (word, xml) = line(rest)?;
    let until = Duration::from_millis(until.parse().ok()?);
    let document = match word {
        "ok" => Ok(xml.to_vec()),
        word => Err(word.parse().ok()?),
    };
    let until = SystemTime::UNIX_EPOCH.checked_add(until)?;
    (own == url).then_some(Entry { until, document })
}

fn line(bytes: &[u8]) -> Option<(&str, &[u8])> {
    let end = bytes.iter().position(|byte| *byte == b'\n')?;
    Some((std::str::from_utf8(&bytes[..end]).ok()?, &bytes[end + 1..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    const URL: &str = "http://h.example/a.xml";

    fn entry(document: Result<Vec<u8>, Refusal>) -> Entry {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("after 1970");
        let later = Duration::from_secs(now.as_secs() + 60);
        Entry { until: SystemTime::UNIX_EPOCH + later, document }
    }

    #[test]
    fn what_is_written_is_read() {
        let dir = tempfile::tempdir().expect("a place");
        let disk = Disk::open(dir.path().join("new/folder"), 10, Bytes::new(1_000));
        for (n, document) in
            [Ok(b"<a>\n</a>".to_vec()), Err(Refusal::Status(404)), Err(Refusal::TimedOut)]
                .into_iter()
                .enumerate()
        {
            let key = [n as u8; 32];
            let entry = entry(document);
            assert_eq!(disk.read(&key, URL), None);
            disk.write(&key, URL, &entry);
            assert_eq!(disk.read(&key, URL), Some(entry));
            assert_eq!(disk.read(&key, "http://h.example/b.xml"), None, "of another URL");
        }
        let past = Entry { until: SystemTime::now(), ..entry(Ok(Vec::new())) };
        disk.write(&[0; 32], URL, &past);
        assert_eq!(disk.read(&[0; 32], URL), None);
    }

    #[test]
    fn damage_is_no_document() {
        let good = encode(&entry(Ok(b"<a/>".to_vec())), URL);
        assert!(decode(&good, URL).is_some());
        for at in 0..good.len() {
            assert_eq!(decode(&good[..at], URL), None, "cut at {at}");
            let mut bad = good.clone();
            bad[at] ^= 1;
            assert_eq!(decode(&bad, URL), None, "flipped at {at}");
        }
    }

    #[test]
    fn it_is_bounded_and_leaves_others_alone() {
        let dir = tempfile::tempdir().expect("a place");
        let other = dir.path().join("somebody-elses");
        fs::write(&other, "x").expect("written");
        let disk = Disk::open(dir.path().to_owned(), 10, Bytes::new(1_000));
        for n in 0..35 {
            disk.write(&[n; 32], URL, &entry(Ok(vec![n])));
        }
        let files = fs::read_dir(dir.path()).expect("a folder").count();
        assert!((9..=11).contains(&files), "{files}");
        assert!(other.exists() && disk.read(&[34; 32], URL).is_some());
        assert_eq!(disk.read(&[0; 32], URL), None, "the oldest goes first");
        let again = Disk::open(dir.path().to_owned(), 3, Bytes::new(1_000));
        assert_eq!(*again.files.lock().expect("whole"), 3);
    }

    #[test]
    fn a_directory_that_cannot_be_written_costs_nothing() {
        let file = tempfile::NamedTempFile::new().expect("a file");
        let disk = Disk::open(file.path().join("below"), 10, Bytes::new(1_000));
        disk.write(&[1; 32], URL, &entry(Ok(Vec::new())));
        assert_eq!(disk.read(&[1; 32], URL), None);
    }
}
