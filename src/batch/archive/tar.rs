//! The entries of a tar file: what lies between its headers is passed over.

use std::io::{self, BufReader};

use tar::{Archive, EntryType};

use super::{Entry, MOST_ENTRIES, Place, at::At, entry};
use crate::{batch::walk::EntryKind, model::Bytes};

/// Headers are read a block at a time, and lie far apart.
const READ: usize = 4 << 10;

/// All entries but directories. What lies behind a broken header is lost, and an entry says so.
///
/// # Errors
/// The first header is broken already, or the system's.
pub fn list(at: At) -> io::Result<Vec<Entry>> {
    let mut archive = Archive::new(BufReader::with_capacity(READ, at));
    let mut found = Vec::new();
    for item in archive.entries_with_seek()?.take(MOST_ENTRIES) {
        let item = match item {
            Ok(item) => item,
            Err(error) if found.is_empty() => return Err(error),
            Err(_) => {
                let kind = Err("the archive is damaged, and what lies behind this place is lost");
                found.push(Entry { path: "(damaged)".into(), kind, place: Place::Offset(0) });
                break;
            }
        };
        let kind = match item.header().entry_type() {
            EntryType::Regular | EntryType::Continuous => EntryKind::File(Bytes::new(item.size())),
            EntryType::Directory | EntryType::XGlobalHeader => continue,
            // Links, devices, files with holes.
            _ => EntryKind::Special,
        };
        let place = Place::Offset(item.raw_file_position());
        found.push(entry(&item.path()?, kind, place));
    }
    Ok(found)
}
