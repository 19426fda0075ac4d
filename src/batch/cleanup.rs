//! Where unfinished files live, and how those of a killed run go away.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

/// An empty folder for unfinished files below `state`, on the same file system as the results so
/// that a rename finishes them. What a killed run left there is removed; the caller holds the lock.
pub fn fresh_dir(state: &Path) -> io::Result<PathBuf> {
    let dir = state.join("unfinished");
    match fs::remove_dir_all(&dir) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => fs::create_dir(&dir)?,
    }
    Ok(dir)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn leftovers_go_away() {
        let state = tempfile::tempdir().unwrap();
        let dir = fresh_dir(state.path()).unwrap();
        fs::write(dir.join("half"), b"x").unwrap();
        let dir = fresh_dir(state.path()).unwrap();
        assert_eq!(fs::read_dir(dir).unwrap().count(), 0);
    }
}
