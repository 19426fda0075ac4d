//! The entries of a zip file, by its directory.

use std::{
    io::{self, Read},
    path::Path,
};

use zip::{ZipArchive, result::ZipError};

use super::{Entry, MOST_ENTRIES, Place, at::At, entry};
use crate::{batch::walk::EntryKind, model::Bytes};

/// The directory of a zip file.
pub struct Directory(ZipArchive<At>);

/// All entries but directories.
///
/// # Errors
/// A broken directory, or the system's.
pub fn list(at: At) -> io::Result<(Directory, Vec<Entry>)> {
    let mut archive = ZipArchive::new(at).map_err(told)?;
    let mut found = Vec::new();
    for number in 0..archive.len().min(MOST_ENTRIES) {
        let item = archive.by_index_raw(number).map_err(told)?;
        if item.is_dir() {
            continue;
        }
        let kind = if item.encrypted() {
            EntryKind::Unreadable("encrypted".to_owned())
        } else if item.is_symlink() {
            EntryKind::Special
        } else {
            EntryKind::File(Bytes::new(item.size()))
        };
        // `\` is a letter of a name like any other, but for those who write it as a separator.
        let place = Place::Number(number);
        found.push(match item.name() {
            Ok(name) => entry(Path::new(&name.replace('\\', "/")), kind, place),
            Err(_) => {
                Entry { path: "(unnamed)".into(), kind: Err("its name cannot be read"), place }
            }
        });
    }
    Ok((Directory(archive), found))
}

impl Directory {
    /// Gives the content of an entry to `read`.
    ///
    /// # Errors
    /// A method that is not known, damage, and those of `read`.
    pub fn with<T>(
        &self,
        number: usize,
        read: impl FnOnce(&mut dyn Read) -> io::Result<T>,
    ) -> io::Result<T> {
        // The directory itself is shared.
        let mut archive = self.0.clone();
        let mut item = archive.by_index(number).map_err(told)?;
        read(&mut item)
    }
}

fn told(error: ZipError) -> io::Error {
    match error {
        ZipError::Io(error) => error,
        error => io::Error::new(io::ErrorKind::InvalidData, error.to_string()),
    }
}
