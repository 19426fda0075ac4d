//! The sweep behind the constants of `fit/jpeg.rs`:
//! for every photo × (bounds, limit), the best quality that fits for each
//! chroma sampling and scale, scored with SSIMULACRA2 at the bounds.
//!
//! `MMSFIT_PHOTOS=folder cargo bench --bench jpeg_sweep`: mean score per choice and case, and how
//! often each choice wins; with `MMSFIT_PAIRS=1` also pairs of our similarity and the true score,
//! from which `codec/image/likeness.rs` has its curve. Run by hand; nothing here gates anything.

use std::{env, fs, path::PathBuf};

use fast_ssim2::{PixelDescriptor, PixelSlice, compute_ssimulacra2};
use image::{DynamicImage, ImageDecoder, ImageReader};
use mmsfit_resample::{Kernel, Resampler};

use mmsfit::{
    codec::image::{
        jpeg_out::{Quantising, Transformed, encode_baseline},
        likeness,
        raster::{Layout, Raster},
    },
    model::{Bytes, Chroma, Dimensions, Quality, Stop},
};

const CASES: [(u32, u32, usize); 8] = [
    (640, 480, 100_000),
    (640, 480, 60_000),
    (640, 480, 30_000),
    (640, 480, 15_000),
    (640, 480, 8_000),
    (160, 120, 30_000),
    (1600, 1200, 300_000),
    (1600, 1200, 600_000),
];

struct Pixels {
    width: u32,
    height: u32,
    rgb: Vec<u8>,
}

fn resize(from: &Pixels, width: u32, height: u32) -> Pixels {
    let size = (from.width, from.height);
    let window = mmsfit_resample::Window::whole(size);
    let source =
        mmsfit_resample::Pixels { size, channels: 3, alpha: false, data: &from.rgb, window };
    let rgb = Resampler::new().resample(source, (width, height), Kernel::Lanczos3).unwrap();
    Pixels { width, height, rgb }
}

/// The largest quality within `limit`, by bisection over measured sizes, and its bytes.
fn best_within(p: &Pixels, chroma: Chroma, limit: usize) -> Option<(f64, Vec<u8>)> {
    let size = Dimensions::new(p.width, p.height).unwrap();
    let raster = Raster::new(size, Layout::Rgb, p.rgb.clone()).unwrap();
    let transformed = Transformed::new(&raster, chroma, &Stop::never()).unwrap();
    let (mut low, mut high) = (99u16, 10_001u16);
    let mut best = None;
    while high > low + 1 {
        let mid = (low + high) / 2;
        let quality = Quality::from_hundredths(mid);
        let how = Quantising::new(quality, chroma, true);
        match encode_baseline(&transformed, &how, Bytes::new(limit as u64), &Stop::never()) {
            Ok(out) => {
                low = mid;
                best = Some((f64::from(mid) / 100.0, out.to_vec()));
            }
            Err(_) => high = mid,
        }
    }
    best
}

fn score(reference: &Pixels, jpeg: &[u8]) -> f64 {
    let decoded = image::load_from_memory(jpeg).unwrap().into_rgb8();
    let mut pixels =
        Pixels { width: decoded.width(), height: decoded.height(), rgb: decoded.into_raw() };
    if (pixels.width, pixels.height) != (reference.width, reference.height) {
        pixels = resize(&pixels, reference.width, reference.height);
    }
    let truth = compute_ssimulacra2(&view_of(reference), &view_of(&pixels)).unwrap();
    if env::var_os("MMSFIT_PAIRS").is_some() {
        let size = Dimensions::new(reference.width, reference.height).unwrap();
        let luma =
            |p: &Pixels| likeness::luma(&Raster::new(size, Layout::Rgb, p.rgb.clone()).unwrap());
        println!(
            "pair {} {truth:.2}",
            likeness::similarity(&luma(reference), &luma(&pixels), size)
        );
    }
    truth
}

fn view_of(p: &Pixels) -> PixelSlice<'_> {
    let stride = p.width as usize * 3;
    PixelSlice::new(&p.rgb, p.width, p.height, stride, PixelDescriptor::RGB8_SRGB).unwrap()
}

fn load(path: &PathBuf) -> Option<Pixels> {
    let mut decoder =
        ImageReader::open(path).ok()?.with_guessed_format().ok()?.into_decoder().ok()?;
    let orientation = decoder.orientation().ok()?;
    let mut image = DynamicImage::from_decoder(decoder).ok()?;
    image.apply_orientation(orientation);
    let rgb = image.into_rgb8();
    let (width, height) = rgb.dimensions();
    (u64::from(width) * u64::from(height) >= 1_000_000).then(|| Pixels {
        width,
        height,
        rgb: rgb.into_raw(),
    })
}

fn main() {
    let Ok(folder) = env::var("MMSFIT_PHOTOS") else {
        println!("skipped: set MMSFIT_PHOTOS to a folder of photos");
        return;
    };
    let most: usize =
        env::var("MMSFIT_PHOTOS_MOST").ok().and_then(|n| n.parse().ok()).unwrap_or(12);
    let mut paths: Vec<PathBuf> = fs::read_dir(folder)
        .unwrap()
        .filter_map(|e| Some(e.ok()?.path()))
        .filter(|p| p.extension().is_some_and(|e| e.eq_ignore_ascii_case("jpg")))
        // Eight orientations of one image would weigh eightfold.
        .filter(|p| !(2..9).any(|i| p.to_string_lossy().contains(&format!("Landscape_{i}"))))
        .collect();
    paths.sort();
    let photos: Vec<Pixels> = paths.iter().filter_map(load).take(most).collect();
    println!("{} photos", photos.len());
    for (bw, bh, limit) in CASES {
        let mut rows: Vec<(String, Vec<f64>, Vec<f64>)> = Vec::new();
        let mut put = |name: String, at: usize, s: f64, q: f64| {
            let index = rows.iter().position(|r| r.0 == name).unwrap_or_else(|| {
                rows.push((name, vec![f64::NAN; photos.len()], vec![f64::NAN; photos.len()]));
                rows.len() - 1
            });
            rows[index].1[at] = s;
            rows[index].2[at] = q;
        };
        for (at, photo) in photos.iter().enumerate() {
            let source = Dimensions::new(photo.width, photo.height).unwrap();
            let bounds = Dimensions::new(bw, bh).unwrap().turned_to(source);
            let size = source.shrunk_into(bounds);
            let reference = resize(photo, size.width(), size.height());
            for z in [1.0, 0.85, 0.7, 0.6, 0.5, 0.4] {
                if z < 1.0 && limit > bw as usize * bh as usize / 8 {
                    continue;
                }
                let d = size.scaled(z);
                let pixels = if z < 1.0 {
                    resize(photo, d.width(), d.height())
                } else {
                    resize(photo, size.width(), size.height())
                };
                for (name, chroma) in [("420", Chroma::Quarter), ("444", Chroma::Full)] {
                    let Some((q, out)) = best_within(&pixels, chroma, limit) else { continue };
                    put(format!("{name} z{z}"), at, score(&reference, &out), q);
                }
            }
        }
        println!("\n{bw}x{bh} {limit}");
        let mean = |v: &[f64]| v.iter().sum::<f64>() / v.len() as f64;
        let best: Vec<f64> = (0..photos.len())
            .map(|i| rows.iter().map(|r| r.1[i]).fold(f64::NEG_INFINITY, f64::max))
            .collect();
        for (name, scores, qualities) in &rows {
            let wins = scores.iter().zip(&best).filter(|(s, b)| s >= b).count();
            println!(
                "{name:24} mean {:6.2}  wins {wins:2}  q {:5.1}",
                mean(scores),
                mean(qualities)
            );
        }
        println!("best of all              mean {:6.2}", mean(&best));
        // Where does full chroma begin to win, and where the smaller scale?
        for i in 0..photos.len() {
            let line: Vec<String> = rows
                .iter()
                .filter(|r| !r.1[i].is_nan())
                .map(|r| format!("{} {:.1}@q{:.0}", r.0, r.1[i], r.2[i]))
                .collect();
            println!("  {}", line.join("  "));
        }
    }
}
