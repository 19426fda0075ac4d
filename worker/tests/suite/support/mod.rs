//! The corpus and independent tools, where they are there.
#![allow(dead_code, reason = "each test uses its part")]

use std::{path::PathBuf, process::Command};

#[path = "../../../../tests/support/contract.rs"]
pub mod contract;
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
        need::missing("ffmpeg", format_args!("none that does {arguments}"));
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
    let out = out.inspect_err(|error| need::missing("ffmpeg", error)).ok()?;
    assert!(
        out.status.success() && out.stderr.is_empty(),
        "{}",
        String::from_utf8_lossy(&out.stderr)
    );
    Some(String::from_utf8_lossy(&out.stdout).into_owned())
}
