//! The corpus and independent tools, where they are there.
#![allow(dead_code, reason = "each test uses its part")]

use std::{
    path::{Path, PathBuf},
    process::Command,
};

/// The files of a folder of the corpus; none where it is not there.
pub fn corpus(folder: &str) -> Vec<PathBuf> {
    let root = std::env::var_os("MMSFIT_CORPUS").map(PathBuf::from);
    let root =
        root.unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/corpus"));
    let Ok(list) = std::fs::read_dir(root.join(folder)) else {
        println!("skipped: no corpus of {folder}");
        return Vec::new();
    };
    let mut files: Vec<PathBuf> = list.filter_map(|e| Some(e.ok()?.path())).collect();
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
    let Ok(out) = out else {
        println!("skipped: no ffprobe");
        return None;
    };
    assert!(
        out.status.success() && out.stderr.is_empty(),
        "{}",
        String::from_utf8_lossy(&out.stderr)
    );
    Some(String::from_utf8_lossy(&out.stdout).into_owned())
}
