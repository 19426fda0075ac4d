//! An archive as a source: a tar or zip file whose entries are items, read where they lie in it.
//!
//! The list of entries is held, their contents never: of each one its bytes are read when it is its
//! turn, as much as the archive says that it has, and no more.

mod at;
mod tar;
mod zip;

use std::{
    collections::HashMap,
    fs::File,
    io::{self, Read},
    os::unix::fs::FileExt as _,
    path::{Component, Path, PathBuf},
    sync::Arc,
};

use bytes::Bytes as Buffer;

use self::at::At;
use super::{error::BatchError, walk::EntryKind};
use crate::model::Bytes;

/// Entries of an archive that are listed at most: their names are held.
const MOST_ENTRIES: usize = 20_000_000;

/// An open archive.
pub struct Archive {
    file: Arc<File>,
    form: Form,
    entries: Vec<Entry>,
}

enum Form {
    Tar,
    Zip(zip::Directory),
}

/// One thing in an archive.
#[derive(Clone, Debug)]
pub struct Entry {
    /// As the archive names it.
    pub path: PathBuf,
    /// What it is, or why it is nothing.
    pub kind: Result<EntryKind, &'static str>,
    /// Where it is.
    pub place: Place,
}

/// Where the content of an entry is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// Bytes of a tar file, from here on.
    Offset(u64),
    /// The number of an entry of a zip file.
    Number(usize),
}

impl Archive {
    /// Opens `path`, where it is an archive: `None` where it is none.
    ///
    /// # Errors
    /// It cannot be read, is compressed as a whole, or is damaged.
    pub fn open(path: &Path) -> Result<Option<Self>, BatchError> {
        let unreadable = |error| BatchError::Input { path: path.to_owned(), error };
        let file = File::open(path).map_err(unreadable)?;
        let mut start = [0; 512];
        let length = fill(&file, &mut start).map_err(unreadable)?;
        let start = start.get(..length).unwrap_or_default();
        let layout = |why: &str| Err(BatchError::Layout(format!("{}: {why}", path.display())));
        let file = Arc::new(file);
        let at = At::start(Arc::clone(&file));
        let (form, entries) = match start {
            [b'P', b'K', 3, 4, ..] | [b'P', b'K', 5, 6, ..] => {
                let (directory, entries) = zip::list(at).map_err(unreadable)?;
                (Form::Zip(directory), entries)
            }
            [0x1f, 0x8b, ..] => {
                return layout("compressed as a whole: unpack it with gzip -d first");
            }
            [0x28, 0xb5, 0x2f, 0xfd, ..] => {
                return layout("compressed as a whole: unpack it with zstd -d first");
            }
            // POSIX.1-1988 and GNU alike (IEEE Std 1003.1, pax, ustar interchange format).
            _ if start.get(257..262) == Some(b"ustar") => {
                (Form::Tar, tar::list(at).map_err(unreadable)?)
            }
            _ => return Ok(None),
        };
        Ok(Some(Self { file, form, entries: last_of_each(entries) }))
    }

    /// Its entries, in the order of their names.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// The content of an entry that says it has `size` bytes.
    ///
    /// # Errors
    /// It has more or fewer, is damaged, or the system's.
    pub fn read(&self, place: Place, size: Bytes) -> io::Result<Buffer> {
        match (&self.form, place) {
            (Form::Zip(directory), Place::Number(number)) => {
                directory.with(number, |content| exactly(content, size))
            }
            (_, Place::Offset(offset)) => {
                let at = At { at: offset, ..At::start(Arc::clone(&self.file)) };
                exactly(&mut at.take(size.get()), size)
            }
            (Form::Tar, Place::Number(_)) => Err(io::ErrorKind::NotFound.into()),
        }
    }
}

/// As many bytes as there are, up to the length of `start`.
fn fill(file: &File, start: &mut [u8]) -> io::Result<usize> {
    let mut length = 0;
    while let Some(rest) = start.get_mut(length..).filter(|rest| !rest.is_empty()) {
        match file.read_at(rest, length as u64)? {
            0 => break,
            read => length += read,
        }
    }
    Ok(length)
}

/// `size` bytes. Memory grows with what really comes.
fn exactly(content: &mut dyn Read, size: Bytes) -> io::Result<Buffer> {
    let mut data = Vec::new();
    content.take(size.get().saturating_add(1)).read_to_end(&mut data)?;
    match data.len() as u64 {
        length if length == size.get() => Ok(data.into()),
        length if length > size.get() => Err(io::Error::other("it has more bytes than it says")),
        _ => Err(io::Error::new(io::ErrorKind::UnexpectedEof, "it has fewer bytes than it says")),
    }
}

/// Of entries of the same name the last counts, as when an archive is unpacked.
fn last_of_each(entries: Vec<Entry>) -> Vec<Entry> {
    let mut last = HashMap::with_capacity(entries.len());
    for (number, entry) in entries.iter().enumerate() {
        last.insert(entry.path.clone(), number);
    }
    let mut entries: Vec<Entry> = entries
        .into_iter()
        .enumerate()
        .filter(|(number, entry)| last.get(&entry.path) == Some(number))
        .map(|(_, entry)| entry)
        .collect();
    entries.sort_by(|a, b| a.path.cmp(&b.path));
    entries
}

/// The path of an entry, below the output whatever it says.
///
/// # Errors
/// Why there is none: nothing of the entry is read then.
fn inside(path: &Path) -> Result<PathBuf, &'static str> {
    let mut clean = PathBuf::new();
    for part in path.components() {
        match part {
            Component::Normal(name) => clean.push(name),
            Component::CurDir => {}
            Component::ParentDir => return Err("its name leads out of the archive"),
            Component::RootDir | Component::Prefix(_) => return Err("its name is absolute"),
        }
    }
    if clean.as_os_str().is_empty() { Err("it has no name") } else { Ok(clean) }
}

/// An entry under the name that it has, cleaned.
fn entry(name: &Path, kind: EntryKind, place: Place) -> Entry {
    match inside(name) {
        Ok(path) => Entry { path, kind: Ok(kind), place },
        Err(why) => Entry { path: name.to_owned(), kind: Err(why), place },
    }
}

#[cfg(test)]
mod tests;
