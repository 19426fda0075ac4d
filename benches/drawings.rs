//! Drawings, screenshots and scans beside what else could be done: `cargo bench --bench drawings`.
//!
//! For every drawing and limit: what the service sends, with its SSIMULACRA2 against the image in
//! the bounds; and the best JPEG within the limit at any of four scales. Made-up
//! drawings, or the files of a folder: `MMSFIT_DRAWINGS=dir`.

#![allow(missing_docs, reason = "a bench")]

#[path = "../tests/support/drawings.rs"]
#[allow(dead_code, reason = "shared with the tests")]
mod drawings;

use std::time::Instant;

use bytes::Bytes as Buffer;
use fast_ssim2::{PixelDescriptor, PixelSlice, Ssimulacra2Reference};
use image::{DynamicImage, imageops::FilterType};
use mmsfit::{
    codec::{Codec, DecodeLimits, OpenHint, image::ImageCodec},
    config::Config,
    model::{Bytes, Chroma, Dimensions, Effort, ImageCoding, ImageRecipe, Quality, Recipe, Stop},
    service::{
        Service,
        request::{AdaptRequest, Content, LimitOverrides},
    },
};

const BOX: (u32, u32) = (1600, 1200);
const LIMITS: [u64; 4] = [1_000_000, 100_000, 50_000, 25_000];

fn opaque(image: &DynamicImage) -> image::RgbImage {
    let rgba = image.to_rgba8();
    image::RgbImage::from_fn(rgba.width(), rgba.height(), |x, y| {
        let [r, g, b, a] = rgba.get_pixel(x, y).0;
        let mix =
            |c: u8| ((u32::from(c) * u32::from(a) + 255 * (255 - u32::from(a)) + 127) / 255) as u8;
        image::Rgb([mix(r), mix(g), mix(b)])
    })
}

fn slice(image: &image::RgbImage) -> Option<PixelSlice<'_>> {
    let (w, h) = image.dimensions();
    PixelSlice::new(image.as_raw(), w, h, w as usize * 3, PixelDescriptor::RGB8_SRGB).ok()
}

struct Judge {
    size: (u32, u32),
    reference: Ssimulacra2Reference,
}

impl Judge {
    fn new(image: &DynamicImage, size: (u32, u32)) -> Option<Self> {
        let whole = opaque(image);
        let small = image::imageops::resize(&whole, size.0, size.1, FilterType::Lanczos3);
        Some(Self { size, reference: Ssimulacra2Reference::new(&slice(&small)?).ok()? })
    }

    fn score(&self, file: &[u8]) -> Option<f64> {
        let shown = opaque(&image::load_from_memory(file).ok()?);
        let shown = image::imageops::resize(&shown, self.size.0, self.size.1, FilterType::Lanczos3);
        self.reference.compare(&slice(&shown)?).ok()
    }
}

/// The best JPEG within `limit` at any of four scales, by the product's own encoder.
fn best_jpeg(data: &Buffer, judge: &Judge, limit: u64) -> Option<(usize, f64)> {
    let largest = Dimensions::at_least_one(judge.size.0, judge.size.1);
    let hint = OpenHint { largest, animation: false, effort: Effort::Balanced };
    let never = Stop::never();
    let mut session = ImageCodec.open(data, hint, &DecodeLimits::default(), &never).ok()?;
    let mut best: Option<(usize, f64)> = None;
    for scale in [1.0, 0.8, 0.6, 0.45] {
        let mut encode = |quality: u8| {
            let quality = Quality::new(quality);
            let coding = ImageCoding::Jpeg { quality, chroma: Chroma::Quarter, trellis: true };
            let dimensions = largest.scaled(scale);
            let recipe = ImageRecipe { dimensions, coding, background: [255; 3] };
            session.encode(&Recipe::Image(recipe), Bytes::new(limit), &never).ok()
        };
        let (mut fits, mut over) = (0, 98);
        while over - fits > 1 {
            let middle = u8::midpoint(fits, over);
            *(if encode(middle).is_some() { &mut fits } else { &mut over }) = middle;
        }
        if let Some(file) = encode(fits).filter(|_| fits > 0) {
            let score = judge.score(&file)?;
            if best.is_none_or(|(_, most)| score > most) {
                best = Some((file.len(), score));
            }
        }
    }
    best
}

fn adapt(service: &Service, name: &str, data: &Buffer, limit: u64) -> Result<Buffer, String> {
    let content = Content::Bare { data: data.clone(), name: name.to_owned() };
    let mut request = AdaptRequest::new(content);
    request.limits = LimitOverrides {
        max_message_bytes: Some(Bytes::new(limit)),
        max_image_width: Some(BOX.0),
        max_image_height: Some(BOX.1),
        image_turns: true,
        replace: true,
        client_max_bytes: None,
    };
    let answer = service.adapt(request, &Stop::never()).map_err(|error| error.to_string())?;
    match answer.content {
        Content::Bare { data, .. } => Ok(data),
        _ => Err("not bare".to_owned()),
    }
}

fn made_up() -> Vec<(String, Buffer)> {
    vec![
        ("screenshot".to_owned(), drawings::png(drawings::screenshot(1080, 1920)).into()),
        ("page, scanned".to_owned(), drawings::png(drawings::page(2480, 3508)).into()),
        ("gradient".to_owned(), drawings::png(drawings::gradient(1400)).into()),
        ("sticker".to_owned(), drawings::png(drawings::sticker(1400)).into()),
    ]
}

fn folder(path: &str) -> std::io::Result<Vec<(String, Buffer)>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(path)? {
        let path = entry?.path();
        let name = path.file_name().map_or_else(String::new, |n| n.to_string_lossy().into_owned());
        found.push((name, std::fs::read(&path)?.into()));
    }
    found.sort();
    Ok(found)
}

fn main() -> Result<(), String> {
    let files = match std::env::var("MMSFIT_DRAWINGS") {
        Ok(path) => folder(&path).map_err(|error| error.to_string())?,
        Err(_) => made_up(),
    };
    let service = Service::new(Config { threads: 1, ..Config::default() });
    println!("in {}×{}; SSIMULACRA2 of the whole image in brackets", BOX.0, BOX.1);
    println!(
        "{:28} {:>8} {:>8} | {:>8} {:>5} {:>4} {:>6} | {:>8} {:>5}",
        "drawing", "bytes", "limit", "ours", "", "", "ms", "JPEG", ""
    );
    for (name, data) in files {
        let Ok(image) = image::load_from_memory(&data) else { continue };
        let source = Dimensions::at_least_one(image.width(), image.height());
        let shown = source.shrunk_into(Dimensions::at_least_one(BOX.0, BOX.1).turned_to(source));
        let Some(judge) = Judge::new(&image, (shown.width(), shown.height())) else { continue };
        for limit in LIMITS {
            let start = Instant::now();
            let ours = adapt(&service, &name, &data, limit);
            let spent = start.elapsed().as_millis();
            let ours = match &ours {
                Ok(file) => {
                    let kind = if file.starts_with(b"\x89PNG") { "PNG" } else { "JPEG" };
                    let score = judge.score(file).unwrap_or(f64::NAN);
                    format!("{:8} {score:5.1} {kind:>4} {spent:6}", file.len())
                }
                Err(error) => format!("{:>26}", error.chars().take(26).collect::<String>()),
            };
            let jpeg = best_jpeg(&data, &judge, limit);
            let jpeg =
                jpeg.map_or_else(String::new, |(size, score)| format!("{size:8} {score:5.1}"));
            println!("{name:28.28} {:8} {limit:8} | {ours} | {jpeg}", data.len());
        }
    }
    Ok(())
}
