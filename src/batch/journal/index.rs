//! Where in a journal the last line about each key begins, kept beside it, so that a journal of
//! millions of lines is opened without reading them.
//!
//! Only ever appended, as the journal is, and never trusted: a line that is looked up is compared with
//! what it was looked up for, and what the index lacks is read from the journal. Without it, or with a
//! broken one, the whole journal is read once.

use std::{
    collections::HashMap,
    fs::File,
    hash::{BuildHasherDefault, Hasher},
    io::{self, Read, Write as _},
    path::Path,
};

/// The start of an index of this form.
const MAGIC: &[u8; ENTRY] = b"mmsfit journal 1";
/// Bytes of an entry: the key's digest and the place, both little-endian.
const ENTRY: usize = 16;
/// Entries read at once.
const BLOCK: usize = 64 << 10;

/// Places by the digests of keys. Were two keys ever to share one, a file would be redone, no more.
pub type Places = HashMap<u64, u64, BuildHasherDefault<Digested>>;

/// Keys are digests already.
#[derive(Default)]
pub struct Digested(u64);

impl Hasher for Digested {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn write_u64(&mut self, digest: u64) {
        self.0 = digest;
    }
}

/// An index that is open for more.
pub struct Index {
    file: File,
}

/// What an index knew when it was opened.
pub struct Known {
    /// Of all lines up to the last that is known.
    pub places: Places,
    /// Where the last line that is known begins: reading goes on there.
    pub last: u64,
}

impl Index {
    /// Opens the index of a journal of `length` bytes, or begins one.
    ///
    /// # Errors
    /// The system's.
    pub fn open(path: &Path, length: u64) -> io::Result<(Self, Known)> {
        let mut file = File::options().create(true).append(true).read(true).open(path)?;
        let mut known = Known { places: Places::default(), last: 0 };
        let good = read(&mut file, length, &mut known)?;
        if good == 0 {
            file.set_len(0)?;
            file.write_all(MAGIC)?;
        } else {
            // A broken end, of a process that was killed.
            file.set_len(good)?;
        }
        Ok((Self { file }, known))
    }

    /// Notes where a line begins. What fails here costs time at the next start, no more.
    pub fn note(&self, digest: u64, at: u64) {
        let _ = (&self.file).write_all(&entry(digest, at));
    }
}

fn entry(digest: u64, at: u64) -> [u8; ENTRY] {
    let mut entry = [0; ENTRY];
    entry[..8].copy_from_slice(&digest.to_le_bytes());
    entry[8..].copy_from_slice(&at.to_le_bytes());
    entry
}

/// Fills `known`, and says up to where the file is good; 0: it is no index of this journal.
fn read(file: &mut File, length: u64, known: &mut Known) -> io::Result<u64> {
    let entries = usize::try_from(file.metadata()?.len()).unwrap_or(0) / ENTRY;
    let mut magic = [0; ENTRY];
    if entries == 0 {
        return Ok(0);
    }
    file.read_exact(&mut magic)?;
    if &magic != MAGIC {
        return Ok(0);
    }
    known.places.reserve(entries - 1);
    let (mut good, mut next) = (ENTRY as u64, 0);
    let mut left = entries - 1;
    let mut block = vec![0; BLOCK * ENTRY];
    while left > 0 {
        let count = left.min(BLOCK);
        let bytes = &mut block[..count * ENTRY];
        file.read_exact(bytes)?;
        for entry in bytes.chunks_exact(ENTRY) {
            let number = |bytes: &[u8]| bytes.try_into().map_or(0, u64::from_le_bytes);
            let (digest, at) = (number(&entry[..8]), number(&entry[8..]));
            // Lines follow each other.
            if at < next || at >= length {
                return Ok(good);
            }
            known.places.insert(digest, at);
            (known.last, next) = (at, at + 1);
            good += ENTRY as u64;
        }
        left -= count;
    }
    Ok(good)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn what_was_noted_is_known_up_to_the_first_that_cannot_be() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("index");
        let (index, known) = Index::open(&path, 0).unwrap();
        assert!(known.places.is_empty());
        for (digest, at) in [(7, 0), (8, 100), (7, 250)] {
            index.note(digest, at);
        }
        let open = |length| {
            let (_, known) = Index::open(&path, length).unwrap();
            let mut places: Vec<_> = known.places.into_iter().collect();
            places.sort_unstable();
            (places, known.last)
        };
        let whole = fs::read(&path).unwrap();
        assert_eq!(open(300), (vec![(7, 250), (8, 100)], 250));
        // The journal is shorter than the index thinks.
        assert_eq!(open(200), (vec![(7, 0), (8, 100)], 100));
        // Cut anywhere.
        for cut in 0..whole.len() {
            fs::write(&path, &whole[..cut]).unwrap();
            let (places, _) = open(300);
            assert_eq!(places.len(), (cut.saturating_sub(ENTRY) / ENTRY).min(2), "{cut}");
            assert_eq!(fs::metadata(&path).unwrap().len() % ENTRY as u64, 0, "{cut}");
        }
        // Of something else, or out of order.
        fs::write(&path, b"another thing altogether, of some length").unwrap();
        assert_eq!(open(300), (vec![], 0));
        fs::write(&path, [MAGIC, &entry(1, 50)[..], &entry(2, 10)[..]].concat()).unwrap();
        assert_eq!(open(300), (vec![(1, 50)], 50));
    }
}
