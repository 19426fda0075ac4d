//! What the acceptance tests share: real input, requests, and eyes that are not ours.
#![allow(dead_code, reason = "each test binary uses a part of this")]

pub mod look;

use std::{
    fs,
    path::{Path, PathBuf},
    sync::atomic::{AtomicUsize, Ordering},
};

use bytes::Bytes as Buffer;
use mmsfit::{
    capacity::{photo, samples},
    model::{Bytes, Dimensions},
    profile::{DeviceDescription, InlineCapabilities},
    service::request::{AdaptRequest, Content},
};

/// Where real input lies: `MMSFIT_CORPUS`, else beside the crate. Prints that it skips if nowhere.
pub fn corpus_dir(folder: &str) -> Option<PathBuf> {
    let root = std::env::var_os("MMSFIT_CORPUS").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/corpus"),
        PathBuf::from,
    );
    let dir = root.join(folder);
    if dir.is_dir() {
        Some(dir)
    } else {
        println!("skipped: no corpus");
        None
    }
}

/// The files of a folder of real input, by name; none where it is absent.
pub fn corpus(folder: &str) -> Vec<(String, Buffer)> {
    let Some(dir) = corpus_dir(folder) else { return Vec::new() };
    let mut files: Vec<_> = fs::read_dir(dir)
        .unwrap()
        .map(|entry| {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            (name, Buffer::from(fs::read(&path).unwrap()))
        })
        .collect();
    files.sort();
    assert!(!files.is_empty(), "{folder} is empty");
    files
}

/// Pictures of our own, so that the promises are tried without real input too: all orientations,
/// a screenshot, an animation.
pub fn own_pictures() -> Vec<(String, Buffer)> {
    let mut made = vec![
        ("own-photo.jpg".to_owned(), samples::jpeg(&photo::photo(1600, 1200, 1), None).unwrap()),
        ("own-screen.png".into(), samples::png(&photo::screenshot(480, 800, 2)).unwrap()),
        ("own-photo.png".into(), samples::png(&photo::photo(700, 300, 4)).unwrap()),
        ("own-anim.gif".into(), samples::gif(240, 180, 8).unwrap()),
        ("own-tiny.jpg".into(), samples::jpeg(&photo::photo(33, 17, 5), None).unwrap()),
    ];
    for turn in 1..=8u8 {
        let jpeg = samples::jpeg(&photo::photo(800, 600, 1), Some(turn)).unwrap();
        made.push((format!("own-turn{turn}.jpg"), jpeg));
    }
    made
}

/// `f` of every item, on as many threads as there are cores.
pub fn parallel<T: Sync, R: Send>(items: &[T], f: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let next = AtomicUsize::new(0);
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let work = || {
        let mut done = Vec::new();
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            let Some(item) = items.get(at) else { return done };
            done.push((at, f(item)));
        }
    };
    let mut done: Vec<(usize, R)> = std::thread::scope(|scope| {
        let hands: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        hands.into_iter().flat_map(|hand| hand.join().unwrap()).collect()
    });
    done.sort_by_key(|(at, _)| *at);
    done.into_iter().map(|(_, result)| result).collect()
}

/// A device stated in the request.
pub fn device(limit: u64, bounds: (u32, u32), accept: &[&str]) -> DeviceDescription {
    let inline = InlineCapabilities {
        max_message_bytes: Some(Bytes::new(limit)),
        max_image: Dimensions::new(bounds.0, bounds.1),
        accept: accept.iter().map(|&item| item.to_owned()).collect(),
        ..InlineCapabilities::default()
    };
    DeviceDescription { inline: Some(inline), ..DeviceDescription::default() }
}

/// One media file alone for a device.
pub fn bare(name: &str, data: &Buffer, device: DeviceDescription) -> AdaptRequest {
    let content = Content::Bare { data: data.clone(), name: name.to_owned() };
    AdaptRequest { device, ..AdaptRequest::new(content) }
}

/// The bytes of an answer.
pub fn bytes_of(content: &Content) -> Buffer {
    match content {
        Content::MmsPdu(bytes) | Content::Mime(bytes) | Content::Bare { data: bytes, .. } => {
            bytes.clone()
        }
        Content::Parts { .. } => panic!("structured parts have no bytes"),
    }
}

/// A generator of numbers that is the same everywhere (SplitMix64).
pub struct Dice(pub u64);

impl Dice {
    /// A number below `n`.
    pub fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % n.max(1) as u64) as usize
    }
}

/// The value below which a share of the others lies; `None` of nothing.
pub fn percentile(values: &[f64], share: f64) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let at = (share * sorted.len().saturating_sub(1) as f64).round() as usize;
    sorted.get(at).copied()
}

/// Whether a program can be started.
pub fn has_program(name: &str) -> bool {
    let tried = std::process::Command::new(name)
        .arg("-version")
        .stdin(std::process::Stdio::null())
        .output();
    if tried.is_err() {
        println!("skipped: {name} is missing");
    }
    tried.is_ok()
}
