//! What the acceptance tests share: real input, requests, and eyes that are not ours.
#![allow(dead_code, unused_imports, reason = "each program uses a part of this")]

pub mod compose;
pub mod contract;
pub mod cost;
pub mod drawings;
pub mod judge;
pub mod look;
pub mod need;
pub mod old_phone;
pub mod photos;
pub mod server;

pub use need::{corpus_dir, has_program};

use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::{Duration, Instant},
};

use bytes::Bytes as Buffer;
use mmsfit::{
    config::Config,
    model::{Bytes, Dimensions},
    profile::{DeviceDescription, InlineCapabilities},
    samples::{self, photo},
    service::{
        Service,
        request::{AdaptRequest, Content},
    },
};

/// The files of a folder of real input with their names; none where it is absent.
#[track_caller]
pub fn corpus(folder: &str) -> Vec<(String, Buffer)> {
    need::corpus(folder)
}

/// Images of our own, so that the promises are tried without real input too: all orientations,
/// a screenshot, an animation.
pub fn own_images() -> Vec<(String, Buffer)> {
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

/// Whether all is tried, however long it takes (`MMSFIT_ALL=1`), instead of a sample.
pub fn everything() -> bool {
    std::env::var_os("MMSFIT_ALL").is_some()
}

/// A number below `n` that a name stands for, the same everywhere: where its sample begins.
pub fn offset(name: &str, n: usize) -> usize {
    // FNV-1a
    let hash = name.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    Dice(hash).below(n)
}

/// The value below which a share of the others lies; `None` of nothing.
pub fn percentile(values: &[f64], share: f64) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let at = (share * sorted.len().saturating_sub(1) as f64).round() as usize;
    sorted.get(at).copied()
}

/// A service of two threads with its workers; `None` where there is no worker beside the tests.
#[track_caller]
pub fn with_workers(config: Config) -> Option<Service> {
    let service = Service::new(config);
    if service.start_workers().expect("workers start").is_none() {
        need::missing("worker", "it does not lie beside the tests");
        return None;
    }
    Some(service)
}

/// How long until something counts as never coming. No measure of speed: whatever waits this long
/// on the slowest machine hangs.
pub const HANG: Duration = Duration::from_secs(120);

/// Waits until `condition` holds.
#[track_caller]
pub fn eventually(what: &str, mut condition: impl FnMut() -> bool) {
    let start = Instant::now();
    while !condition() {
        assert!(start.elapsed() < HANG, "never came true: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}
