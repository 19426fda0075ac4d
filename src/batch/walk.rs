//! Every file of a tree, in an order that depends on names alone.
//!
//! Links to directories are not followed: so no loops can arise. Links to files are.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use crate::model::Bytes;

/// One thing found.
#[derive(Debug)]
pub struct Entry {
    /// Relative to the root.
    pub path: PathBuf,
    /// What it is.
    pub kind: EntryKind,
}

/// What was found.
#[derive(Clone, Debug)]
pub enum EntryKind {
    /// A regular file, or a link to one, of this size.
    File(Bytes),
    /// A link to a directory.
    LinkedDirectory,
    /// A pipe, a socket, a device.
    Special,
    /// It cannot be looked at.
    Unreadable(String),
}

/// Walks `root`, leaving `exclude` (the output, if it lies inside) out.
///
/// # Errors
/// If the root itself cannot be listed; what is below becomes an [`EntryKind::Unreadable`].
pub fn walk(root: &Path, exclude: &Path) -> io::Result<Vec<Entry>> {
    let mut found = Vec::new();
    let mut open = vec![PathBuf::new()];
    // Depth is a list, not recursion: a tree of any depth is walked.
    while let Some(dir) = open.pop() {
        let listing = match fs::read_dir(root.join(&dir)) {
            Ok(listing) => listing,
            Err(error) if dir.as_os_str().is_empty() => return Err(error),
            Err(error) => {
                found.push(Entry { path: dir, kind: EntryKind::Unreadable(error.to_string()) });
                continue;
            }
        };
        for item in listing {
            let item = match item {
                Ok(item) => item,
                Err(error) => {
                    let kind = EntryKind::Unreadable(error.to_string());
                    found.push(Entry { path: dir.clone(), kind });
                    break;
                }
            };
            let path = dir.join(item.file_name());
            let whole = root.join(&path);
            if whole == exclude {
                continue;
            }
            let linked = item.file_type().is_ok_and(|t| t.is_symlink());
            let kind = match fs::metadata(&whole) {
                Ok(meta) if meta.is_dir() && linked => EntryKind::LinkedDirectory,
                Ok(meta) if meta.is_dir() => {
                    open.push(path);
                    continue;
                }
                Ok(meta) if meta.is_file() => EntryKind::File(Bytes::new(meta.len())),
                Ok(_) => EntryKind::Special,
                Err(error) => EntryKind::Unreadable(error.to_string()),
            };
            found.push(Entry { path, kind });
        }
    }
    found.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(found)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn finds_everything_once_in_order() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path();
        fs::create_dir_all(root.join("b/empty")).unwrap();
        fs::create_dir_all(root.join("out")).unwrap();
        fs::write(root.join("out/no"), b"").unwrap();
        fs::write(root.join("b/2"), b"22").unwrap();
        fs::write(root.join("b/10"), b"1").unwrap();
        fs::write(root.join("a"), b"").unwrap();
        symlink(root, root.join("b/loop")).unwrap();
        symlink("self", root.join("self")).unwrap();
        symlink("a", root.join("to-a")).unwrap();
        let found = walk(root, &root.join("out")).unwrap();
        let names: Vec<_> = found.iter().map(|e| e.path.to_str().unwrap()).collect();
        assert_eq!(names, ["a", "b/10", "b/2", "b/loop", "self", "to-a"]);
        assert!(matches!(found[2].kind, EntryKind::File(size) if size == Bytes::new(2)));
        assert!(matches!(found[3].kind, EntryKind::LinkedDirectory));
        assert!(matches!(found[4].kind, EntryKind::Unreadable(_)));
        assert!(matches!(found[5].kind, EntryKind::File(_)));
    }
}
