//! The corpus and independent tools, where they are there.
#![allow(dead_code, reason = "each test uses its part")]

use std::{path::PathBuf, process::Command};

#[path = "../../../../tests/support/need.rs"]
pub mod need;

/// The files of a folder of real input; none where it is not there.
pub fn corpus(folder: &str) -> Vec<PathBuf> {
    let Some(dir) = need::corpus_dir(folder) else { return Vec::new() };
    let list = std::fs::read_dir(dir).expect("a readable folder");
    let mut files: Vec<PathBuf> = list.map(|e| e.expect("a readable folder").path()).collect();
    files.sort();
    files
}

/// What ffprobe says of a file; `None` where there is no ffprobe.
pub fn ffprobe(bytes: &[u8], entries: &str) -> Option<String> {
    let file = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(file.path(), bytes).expect("written");
    let out = Command::new("ffprobe")
        .args(["-v", "error", "-of", "default=nw=1", "-show_entries", entries])
        .arg(file.path())
        .output();
    let out = out.inspect_err(|error| need::missing("ffmpeg", error)).ok()?;
    assert!(
        out.status.success() && out.stderr.is_empty(),
        "{}",
        String::from_utf8_lossy(&out.stderr)
    );
    Some(String::from_utf8_lossy(&out.stdout).into_owned())
}
