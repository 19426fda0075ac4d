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

/// What ffmpeg makes of these arguments, in a file with this extension; `None` where there is no
/// ffmpeg, or none with these coders.
pub fn ffmpeg(arguments: &str, extension: &str) -> Option<Vec<u8>> {
    let file = tempfile::Builder::new().suffix(extension).tempfile().expect("a file");
    let out = Command::new("ffmpeg")
        .args(["-v", "error", "-y"])
        .args(arguments.split_whitespace())
        .arg(file.path())
        .output();
    let done = out.is_ok_and(|out| out.status.success());
    let bytes = std::fs::read(file.path()).ok().filter(|bytes| done && !bytes.is_empty());
    if bytes.is_none() {
        println!("skipped: no ffmpeg that does {arguments}");
    }
    bytes
}

/// A WAV of 16 bits.
pub fn wav(rate: u32, channels: u16, samples: &[i16]) -> Vec<u8> {
    let data: Vec<u8> = samples.iter().flat_map(|s| s.to_le_bytes()).collect();
    let mut out = b"RIFF".to_vec();
    out.extend((36 + data.len() as u32).to_le_bytes());
    out.extend(b"WAVEfmt \x10\0\0\0\x01\0");
    out.extend(channels.to_le_bytes());
    out.extend(rate.to_le_bytes());
    out.extend((rate * u32::from(channels) * 2).to_le_bytes());
    out.extend((channels * 2).to_le_bytes());
    out.extend(16u16.to_le_bytes());
    out.extend(b"data");
    out.extend((data.len() as u32).to_le_bytes());
    out.extend(data);
    out
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
