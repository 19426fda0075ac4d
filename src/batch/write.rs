//! Files that appear whole or not at all.

use std::{
    fs::{self, File},
    io::{self, Write as _},
    path::Path,
    sync::atomic::{AtomicU64, Ordering},
};

/// Writes `bytes` to `path` through an unfinished file in `unfinished`, which must be on the same
/// file system: readers see the old file or the new one, never a half.
///
/// # Errors
/// The system's; the unfinished file is removed.
pub fn whole_via(unfinished: &Path, path: &Path, bytes: &[u8]) -> io::Result<()> {
    finish(unfinished, path, |mut file| file.write_all(bytes))
}

fn finish(
    unfinished: &Path,
    path: &Path,
    fill: impl FnOnce(&File) -> io::Result<()>,
) -> io::Result<()> {
    static COUNTER: AtomicU64 = AtomicU64::new(0);
    let number = COUNTER.fetch_add(1, Ordering::Relaxed);
    let temporary = unfinished.join(format!(".mmsfit-{}-{number}.tmp", std::process::id()));
    let written = File::create(&temporary)
        .and_then(|file| {
            fill(&file)?;
            // Replacing a file keeps who may read it.
            match fs::metadata(path) {
                Ok(old) if old.is_file() => file.set_permissions(old.permissions()),
                _ => Ok(()),
            }?;
            // A name must not outlive a power cut that its bytes did not.
            file.sync_data()
        })
        .and_then(|()| fs::rename(&temporary, path));
    if written.is_err() {
        let _ = fs::remove_file(&temporary);
    }
    written
}

/// The same, with the unfinished file beside the target.
///
/// # Errors
/// As [`whole_via`].
pub fn whole(path: &Path, bytes: &[u8]) -> io::Result<()> {
    whole_with(path, |mut file| file.write_all(bytes))
}

/// The same for what is written piece by piece.
///
/// # Errors
/// As [`whole_via`], and those of `fill`.
pub fn whole_with(path: &Path, fill: impl FnOnce(&File) -> io::Result<()>) -> io::Result<()> {
    let parent = match path.parent() {
        Some(parent) if parent.as_os_str().is_empty() => Path::new("."),
        Some(parent) => parent,
        None => return Err(io::Error::new(io::ErrorKind::IsADirectory, "is a directory")),
    };
    finish(parent, path, fill)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replaces_whole_and_leaves_nothing_behind() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a");
        whole(&path, b"one").unwrap();
        whole(&path, b"two").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"two");
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    #[test]
    fn failures_leave_nothing_behind() {
        let dir = tempfile::tempdir().unwrap();
        let target = dir.path().join("folder");
        fs::create_dir(&target).unwrap();
        fs::write(target.join("x"), b"").unwrap();
        assert!(whole(&target, b"data").is_err());
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }
}
