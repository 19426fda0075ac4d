//! What others do, and the best that anybody could.
//!
//! libjpeg-turbo and MozJPEG are one library here (`mozjpeg`): with its fastest settings it is the
//! former (baseline, optimised Huffman tables, no trellis), with its own the latter.

use cpu_time::ProcessTime;
use image::{DynamicImage, RgbImage, imageops::FilterType};
use mozjpeg::{ColorSpace, Compress, Decompress};

use mmsfit_resample::{Kernel, Pixels, Resampler, Window};

use crate::{
    Outcome,
    cases::Case,
    photos::Photo,
    score::{Judge, Scores},
};

#[derive(Clone, Copy, PartialEq)]
enum Coder {
    Turbo,
    Moz,
}

fn encode(image: &RgbImage, quality: f32, full: bool, coder: Coder) -> Option<Vec<u8>> {
    let mut out = Compress::new(ColorSpace::JCS_RGB);
    out.set_size(image.width() as usize, image.height() as usize);
    if coder == Coder::Turbo {
        out.set_fastest_defaults();
        out.set_optimize_coding(true);
    }
    out.set_quality(quality);
    let chroma = if full { (1, 1) } else { (2, 2) };
    out.set_chroma_sampling_pixel_sizes(chroma, chroma);
    let mut started = out.start_compress(Vec::new()).ok()?;
    started.write_scanlines(image.as_raw()).ok()?;
    started.finish().ok()
}

/// Decoded at the smallest of the library's scales that is not smaller than wanted; as stored.
fn decode(photo: &Photo, (w, h): (u32, u32)) -> Option<RgbImage> {
    let mut decoder = Decompress::new_mem(&photo.file).ok()?;
    let (width, height) = decoder.size();
    let (w, h) = if photo.swaps() { (h, w) } else { (w, h) };
    let enough = |n: usize| {
        let side = |full: usize| (full * n).div_ceil(8);
        side(width) >= w as usize && side(height) >= h as usize
    };
    let scale = [1, 2, 4, 8].into_iter().find(|n| enough(*n)).unwrap_or(8);
    decoder.scale(scale as u8);
    let mut started = decoder.rgb().ok()?;
    let (width, height) = (started.width() as u32, started.height() as u32);
    let pixels: Vec<u8> = started.read_scanlines().ok()?;
    started.finish().ok()?;
    RgbImage::from_raw(width, height, pixels)
}

fn small(photo: &Photo, size: (u32, u32)) -> Option<RgbImage> {
    let whole = decode(photo, size)?;
    let (w, h) = if photo.swaps() { (size.1, size.0) } else { size };
    let mut small = DynamicImage::from(image::imageops::resize(&whole, w, h, FilterType::Lanczos3));
    small.apply_orientation(photo.turn);
    Some(small.into_rgb8())
}

/// The best quality at which `image` takes no more than `limit`, and its file; and how many were
/// tried.
fn search(image: &RgbImage, limit: u64, full: bool, coder: Coder) -> (Option<(u8, Vec<u8>)>, u32) {
    let (mut fits, mut over, mut best, mut tried) = (0u8, 101u8, None, 0);
    while over - fits > 1 {
        let middle = u8::midpoint(fits, over);
        tried += 1;
        match encode(image, f32::from(middle), full, coder) {
            Some(file) if file.len() as u64 <= limit => {
                best = Some((middle, file));
                fits = middle;
            }
            _ => over = middle,
        }
    }
    (best, tried)
}

/// One decode at a fraction of the size, one resize and one encode at the quality that fits, known
/// beforehand: the least that anyone needs.
pub fn floor(photo: &Photo, case: &Case) -> Option<Outcome> {
    let size = case.size(photo);
    let resize = |whole: &RgbImage| {
        let to = if photo.swaps() { (size.1, size.0) } else { size };
        if whole.dimensions() == to {
            return Some(whole.clone());
        }
        let from = whole.dimensions();
        let window = Window::whole(from);
        let pixels = Pixels { size: from, channels: 3, alpha: false, data: whole.as_raw(), window };
        let pixels = Resampler::new().resample(pixels, to, Kernel::Lanczos3).ok()?;
        RgbImage::from_raw(to.0, to.1, pixels)
    };
    let small = resize(&decode(photo, size)?)?;
    let quality =
        search(&small, case.limit, false, Coder::Turbo).0.map_or(1, |(quality, _)| quality);
    let mut least = f64::MAX;
    let mut bytes = 0;
    for _ in 0..5 {
        let began = ProcessTime::now();
        let small = resize(&decode(photo, size)?)?;
        bytes = encode(&small, f32::from(quality), false, Coder::Turbo)?.len() as u64;
        least = least.min(began.elapsed().as_secs_f64() * 1e3);
    }
    let scores = Scores { lanczos: 0.0, area: 0.0 };
    Some(Outcome { scores, bytes, cpu_ms: least, encodes: 1 })
}

/// A procedure of peers.
type Peer = fn(&Photo, &Case, &Judge) -> Option<Outcome>;

/// Image proxies: the bounds, then the quality by halves; and phone apps: five steps of quality
/// down, and then three quarters of the size.
pub const ALL: [(&str, Peer); 3] = [
    ("search, libjpeg-turbo", |photo, case, judge| proxy(photo, case, judge, Coder::Turbo)),
    ("search, MozJPEG", |photo, case, judge| proxy(photo, case, judge, Coder::Moz)),
    ("steps, as phone apps", app),
];

fn outcome(judge: &Judge, began: ProcessTime, file: &[u8], encodes: u32) -> Option<Outcome> {
    let cpu_ms = began.elapsed().as_secs_f64() * 1e3;
    let bytes = file.len() as u64;
    judge.score(file).map(|scores| Outcome { scores, bytes, cpu_ms, encodes })
}

fn proxy(photo: &Photo, case: &Case, judge: &Judge, coder: Coder) -> Option<Outcome> {
    let began = ProcessTime::now();
    let small = small(photo, judge.size)?;
    let (best, tried) = search(&small, case.limit, false, coder);
    outcome(judge, began, &best?.1, tried)
}

fn app(photo: &Photo, case: &Case, judge: &Judge) -> Option<Outcome> {
    let began = ProcessTime::now();
    let mut small = small(photo, judge.size)?;
    let mut tried = 0;
    while small.width() > 16 && small.height() > 16 {
        for quality in (50..=95).rev().step_by(5) {
            let file = encode(&small, quality as f32, false, Coder::Turbo)?;
            tried += 1;
            if file.len() as u64 <= case.limit {
                return outcome(judge, began, &file, tried);
            }
        }
        let (w, h) = (small.width() * 3 / 4, small.height() * 3 / 4);
        small = image::imageops::resize(&small, w, h, FilterType::Triangle);
    }
    None
}

/// The best of all scales, coders and chroma samplings, each at the best quality that fits, made of
/// the photo decoded whole.
pub fn oracle(photo: &Photo, case: &Case, judge: &Judge) -> Option<Outcome> {
    let began = ProcessTime::now();
    let mut best: Option<(Scores, u64)> = None;
    let mut tried = 0;
    for scale in [1.0, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4] {
        let side = |n: u32| ((f64::from(n) * scale).round() as u32).max(8);
        let image = match scale == 1.0 {
            true => judge.small.clone(),
            false => judge.at(photo, (side(judge.size.0), side(judge.size.1))),
        };
        let mut highest = 0;
        for coder in [Coder::Turbo, Coder::Moz] {
            for full in [false, true] {
                let (found, more) = search(&image, case.limit, full, coder);
                tried += more;
                let Some((quality, file)) = found else { continue };
                highest = highest.max(quality);
                let scores = judge.score(&file)?;
                if best.is_none_or(|(known, _)| scores.lanczos > known.lanczos) {
                    best = Some((scores, file.len() as u64));
                }
            }
        }
        // From here on fewer pixels never look better: measured on 14 photos by the sweep of
        // `jpeg_sweep`, no scale below 1 wins where the whole has a quality of 65.
        if highest >= 70 {
            break;
        }
    }
    let cpu_ms = began.elapsed().as_secs_f64() * 1e3;
    best.map(|(scores, bytes)| Outcome { scores, bytes, cpu_ms, encodes: tried })
}
