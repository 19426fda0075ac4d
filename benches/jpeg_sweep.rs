//! The sweep behind the constants of `fit/jpeg.rs` and the tables of `codec/image/jpeg_out.rs`:
//! for every photo × (box, limit), the best quality that fits for each quantisation table,
//! chroma sampling and scale, scored with SSIMULACRA2 at the box.
//!
//! `MMSFIT_PHOTOS=folder cargo bench --bench jpeg_sweep`: mean score per choice and case, and how
//! often each choice wins. Run by hand; nothing here gates anything.

use std::{env, fs, path::PathBuf};

use fast_image_resize::{PixelType, ResizeAlg, ResizeOptions, Resizer, images::Image};
use fast_ssim2::{PixelDescriptor, PixelSlice, compute_ssimulacra2};
use image::{DynamicImage, ImageDecoder, ImageReader};
use jpeg_encoder::{ColorType, Encoder, QuantizationTableType as Table, SamplingFactor};

const CASES: [(u32, u32, usize); 6] = [
    (640, 480, 100_000),
    (640, 480, 30_000),
    (640, 480, 15_000),
    (160, 120, 30_000),
    (1600, 1200, 300_000),
    (1600, 1200, 600_000),
];

/// Annex K and the alternatives, luma then chroma, in natural order.
fn tables() -> Vec<(&'static str, [u16; 64], [u16; 64])> {
    let annex_k_luma = [
        16, 11, 10, 16, 24, 40, 51, 61, 12, 12, 14, 19, 26, 58, 60, 55, 14, 13, 16, 24, 40, 57, 69,
        56, 14, 17, 22, 29, 51, 87, 80, 62, 18, 22, 37, 56, 68, 109, 103, 77, 24, 35, 55, 64, 81,
        104, 113, 92, 49, 64, 78, 87, 103, 121, 120, 101, 72, 92, 95, 98, 112, 100, 103, 99,
    ];
    let annex_k_chroma = [
        17, 18, 24, 47, 99, 99, 99, 99, 18, 21, 26, 66, 99, 99, 99, 99, 24, 26, 56, 99, 99, 99, 99,
        99, 47, 66, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99,
        99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99,
    ];
    let robidoux = [
        16, 16, 16, 18, 25, 37, 56, 85, 16, 17, 20, 27, 34, 40, 53, 75, 16, 20, 24, 31, 43, 62, 91,
        135, 18, 27, 31, 40, 53, 74, 106, 156, 25, 34, 43, 53, 69, 94, 131, 189, 37, 40, 62, 74,
        94, 124, 169, 238, 56, 53, 91, 106, 131, 169, 226, 311, 85, 75, 135, 156, 189, 238, 311,
        418,
    ];
    let psnr_hvs = [
        9, 10, 12, 14, 27, 32, 51, 62, 11, 12, 14, 19, 27, 44, 59, 73, 12, 14, 18, 25, 42, 59, 79,
        78, 17, 18, 25, 42, 61, 92, 87, 92, 23, 28, 42, 75, 79, 112, 112, 99, 40, 42, 59, 84, 88,
        124, 132, 111, 42, 64, 78, 95, 105, 126, 125, 99, 70, 75, 100, 102, 116, 100, 107, 98,
    ];
    let psnr_hvs_chroma = [
        9, 10, 17, 19, 62, 89, 91, 97, 12, 13, 18, 29, 84, 91, 88, 98, 14, 19, 29, 93, 95, 95, 98,
        97, 20, 26, 84, 88, 95, 95, 98, 94, 26, 86, 91, 93, 97, 99, 98, 99, 99, 100, 98, 99, 99,
        99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 97, 97, 99, 99, 99, 99, 97, 99,
    ];
    let detection = [
        14, 10, 11, 14, 19, 25, 34, 45, 10, 11, 11, 12, 15, 20, 26, 33, 11, 11, 15, 18, 21, 25, 31,
        38, 14, 12, 18, 24, 28, 33, 39, 47, 19, 15, 21, 28, 36, 43, 51, 59, 25, 20, 25, 33, 43, 54,
        64, 74, 34, 26, 31, 39, 51, 64, 77, 91, 45, 33, 38, 47, 59, 74, 91, 108,
    ];
    vec![
        ("annex-k", annex_k_luma, annex_k_chroma),
        ("robidoux", robidoux, robidoux),
        ("robidoux/k", robidoux, annex_k_chroma),
        ("psnr-hvs", psnr_hvs, psnr_hvs_chroma),
        ("detection", detection, detection),
    ]
}

struct Pixels {
    width: u32,
    height: u32,
    rgb: Vec<u8>,
}

fn resize(from: &Pixels, width: u32, height: u32) -> Pixels {
    let source =
        Image::from_vec_u8(from.width, from.height, from.rgb.clone(), PixelType::U8x3).unwrap();
    let mut target = Image::new(width, height, PixelType::U8x3);
    let filter = fast_image_resize::FilterType::Lanczos3;
    let options = ResizeOptions::new().resize_alg(ResizeAlg::Convolution(filter));
    Resizer::new().resize(&source, &mut target, &options).unwrap();
    Pixels { width, height, rgb: target.into_vec() }
}

fn encode(p: &Pixels, tenths: u16, table: &([u16; 64], [u16; 64]), full: bool) -> Vec<u8> {
    let percent = mmsfit::model::Quality::from_tenths(tenths).table_percent();
    let scaled = |t: &[u16; 64]| {
        Box::new(t.map(|v| ((f64::from(v) * percent + 50.0) / 100.0).clamp(1.0, 255.0) as u16))
    };
    let mut out = Vec::new();
    let mut encoder = Encoder::new(&mut out, 100);
    encoder.set_quantization_tables(Table::Custom(scaled(&table.0)), Table::Custom(scaled(&table.1)));
    encoder.set_sampling_factor(if full { SamplingFactor::F_1_1 } else { SamplingFactor::F_2_2 });
    encoder.set_optimized_huffman_tables(true);
    encoder.encode(&p.rgb, p.width as u16, p.height as u16, ColorType::Rgb).unwrap();
    out
}

fn score(reference: &Pixels, jpeg: &[u8]) -> f64 {
    let decoded = image::load_from_memory(jpeg).unwrap().into_rgb8();
    let mut pixels =
        Pixels { width: decoded.width(), height: decoded.height(), rgb: decoded.into_raw() };
    if (pixels.width, pixels.height) != (reference.width, reference.height) {
        pixels = resize(&pixels, reference.width, reference.height);
    }
    let slice = |p: &Pixels| -> f64 { f64::from(p.width) };
    let _ = slice;
    let view = |p| view_of(p);
    compute_ssimulacra2(&view(reference), &view(&pixels)).unwrap()
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
    (u64::from(width) * u64::from(height) >= 1_000_000)
        .then(|| Pixels { width, height, rgb: rgb.into_raw() })
}

fn main() {
    let Ok(folder) = env::var("MMSFIT_PHOTOS") else {
        println!("skipped: set MMSFIT_PHOTOS to a folder of photos");
        return;
    };
    let most: usize = env::var("MMSFIT_PHOTOS_MOST").ok().and_then(|n| n.parse().ok()).unwrap_or(12);
    let mut paths: Vec<PathBuf> = fs::read_dir(folder)
        .unwrap()
        .filter_map(|e| Some(e.ok()?.path()))
        .filter(|p| p.extension().is_some_and(|e| e.eq_ignore_ascii_case("jpg")))
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
            let source = mmsfit::model::Dimensions::new(photo.width, photo.height).unwrap();
            let bounds = mmsfit::model::Dimensions::new(bw, bh).unwrap().turned_to(source);
            let size = source.shrunk_into(bounds);
            let reference = resize(photo, size.width(), size.height());
            for z in [1.0, 0.85, 0.7, 0.5] {
                if z < 1.0 && limit > bw as usize * bh as usize / 8 {
                    continue;
                }
                let d = size.scaled(z);
                let pixels =
                    if z < 1.0 { resize(photo, d.width(), d.height()) } else { resize(photo, size.width(), size.height()) };
                for (name, luma, chroma) in tables() {
                    for full in [false, true] {
                        if z < 1.0 && (full || name != "annex-k") {
                            continue;
                        }
                        let (mut low, mut high) = (10u16, 1001u16);
                        let table = (luma, chroma);
                        let mut best = None;
                        while high > low + 1 {
                            let mid = (low + high) / 2;
                            let out = encode(&pixels, mid, &table, full);
                            if out.len() <= limit {
                                low = mid;
                                best = Some((mid, out));
                            } else {
                                high = mid;
                            }
                        }
                        let Some((q, out)) = best else { continue };
                        let label = format!("{name} {} z{z}", if full { "444" } else { "420" });
                        put(label, at, score(&reference, &out), f64::from(q) / 10.0);
                    }
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
            println!("{name:24} mean {:6.2}  wins {wins:2}  q {:5.1}", mean(scores), mean(qualities));
        }
        println!("best of all              mean {:6.2}", mean(&best));
        // Where does full chroma begin to win, and where the smaller scale?
        for i in 0..photos.len() {
            let get = |n: &str| rows.iter().find(|r| r.0 == n).map(|r| (r.1[i], r.2[i]));
            let line: Vec<String> = ["annex-k 420 z1", "annex-k 444 z1", "annex-k 420 z0.85", "annex-k 420 z0.7", "annex-k 420 z0.5"]
                .iter()
                .filter_map(|n| get(n).map(|(s, q)| format!("{n} {s:.1}@q{q}")))
                .collect();
            println!("  {}", line.join("  "));
        }
    }
}
