//! A limit is not a target: what comes out with bytes to spare is as good as can be seen, and no
//! larger; pages of text stay pages of text.

use bytes::Bytes as Buffer;
use fast_ssim2::{PixelDescriptor, PixelSlice, compute_ssimulacra2};
use image::{RgbImage, imageops::FilterType};
use mmsfit::{
    config::Config,
    model::{Bytes, PartReport, ReasonCode, Stop},
    service::Service,
};

use crate::support::{self, bare, bytes_of, device, own_images};

fn adapt(name: &str, data: &Buffer, limit: u64, bounds: (u32, u32)) -> (Buffer, PartReport) {
    let service = Service::new(Config { threads: 2, ..Config::default() });
    let accept = ["image/jpeg", "image/png", "image/gif"];
    let request = bare(name, data, device(limit, bounds, &accept));
    let response = service.adapt(request, &Stop::never()).unwrap();
    (bytes_of(&response.content), response.report.parts[0].clone())
}

/// SSIMULACRA2 of an upright photo's output against the original at its size.
fn quality(original: &Buffer, output: &Buffer) -> f64 {
    let shown = image::load_from_memory(output).unwrap().to_rgb8();
    let whole = image::load_from_memory(original).unwrap().to_rgb8();
    let (width, height) = shown.dimensions();
    let wanted = image::imageops::resize(&whole, width, height, FilterType::Lanczos3);
    compute_ssimulacra2(&view(&wanted), &view(&shown)).unwrap()
}

fn view(image: &RgbImage) -> PixelSlice<'_> {
    let (width, height) = image.dimensions();
    let stride = width as usize * 3;
    PixelSlice::new(image.as_raw(), width, height, stride, PixelDescriptor::RGB8_SRGB).unwrap()
}

/// Upright photos of the corpus, large enough that all boxes shrink them.
fn photos() -> Vec<(String, Buffer)> {
    let mut all = support::corpus("image");
    all.retain(|(name, data)| {
        let wide = image::ImageReader::new(std::io::Cursor::new(data))
            .with_guessed_format()
            .unwrap()
            .into_dimensions()
            .is_ok_and(|(w, h)| w.max(h) >= 2000 && w * h < 20_000_000);
        data.len() > 300_000
            && data.starts_with(&[0xff, 0xd8])
            && wide
            && !data[..data.len().min(65_536)].windows(6).any(|w| w == b"Exif\0\0")
            && !name.to_lowercase().contains("cmyk")
    });
    all
}

#[test]
fn bytes_that_could_not_be_seen_are_left_over() {
    let mut all = Vec::new();
    for (name, data) in photos() {
        for bounds in [(640, 480), (1600, 1200)] {
            let (output, part) = adapt(&name, &data, 20_000_000, bounds);
            if part.encodes == 0 {
                continue;
            }
            let told = part.reasons.iter().any(|r| r.code == ReasonCode::AtCeiling);
            assert!(told, "{name}: {:?}", part.reasons);
            // A photo that must shrink may take half as many bytes again.
            assert!(output.len() * 2 < data.len() * 3, "{name}: larger than it may be");
            let found = quality(&data, &output);
            println!("{name} {bounds:?}: {} B, {found:.1}", output.len());
            all.push(found);
        }
    }
    if all.is_empty() {
        // Only where there is no corpus.
        assert!(support::corpus("image").is_empty(), "no photo in the corpus is large enough");
        return;
    }
    let mean = all.iter().sum::<f64>() / all.len() as f64;
    let least = all.iter().copied().fold(f64::INFINITY, f64::min);
    println!("{} outputs, SSIMULACRA2 {mean:.1} on the average, {least:.1} at least", all.len());
    assert!(mean >= 89.0 && least >= 80.0, "{mean} {least}");
}

#[test]
fn a_photo_of_our_own_ends_at_the_ceiling_too() {
    for (name, data) in own_images() {
        let (output, part) = adapt(&name, &data, 5_000_000, (200, 200));
        let jpeg = output.starts_with(&[0xff, 0xd8]);
        let told = part.reasons.iter().any(|r| r.code == ReasonCode::AtCeiling);
        assert_eq!(told, jpeg && part.encodes > 0, "{name}: {:?}", part.reasons);
    }
}

/// A page of 1 bit a pixel at 300 dots an inch: lines of letters of 5 × 7 dots, each five pixels
/// wide.
fn page() -> Buffer {
    const DOT: u32 = 5;
    let mut dice = support::Dice(3);
    let letters: Vec<u64> = (0..26)
        .map(|_| (0..35).fold(0, |bits, _| bits << 1 | u64::from(dice.below(5) < 2)))
        .collect();
    let text: Vec<Vec<usize>> =
        (0..60).map(|_| (0..60).map(|_| dice.below(30)).collect()).collect();
    let image = image::GrayImage::from_fn(2480, 3508, |x, y| {
        let (column, row) = ((x.saturating_sub(200)) / DOT, (y.saturating_sub(200)) / DOT);
        let letter = text
            .get((row / 10) as usize)
            .and_then(|line| line.get((column / 6) as usize))
            .and_then(|letter| letters.get(*letter));
        let (dx, dy) = (column % 6, row % 10);
        let ink = x >= 200
            && y >= 200
            && dx < 5
            && dy < 7
            && letter.is_some_and(|bits| bits >> (dy * 5 + dx) & 1 == 1);
        image::Luma([if ink { 0 } else { 255 }])
    });
    let mut out = Vec::new();
    let mut encoder = png::Encoder::new(&mut out, 2480, 3508);
    encoder.set_color(png::ColorType::Grayscale);
    encoder.set_depth(png::BitDepth::One);
    let bits: Vec<u8> = image
        .as_raw()
        .chunks(2480)
        .flat_map(|row| {
            row.chunks(8).map(|eight| {
                eight.iter().fold(0, |byte, v| byte << 1 | v >> 7) << (8 - eight.len())
            })
        })
        .collect();
    encoder.write_header().unwrap().write_image_data(&bits).unwrap();
    out.into()
}

#[test]
fn a_page_of_text_stays_one() {
    let page = page();
    for (limit, side) in [(1_000_000, 1600), (100_000, 1300), (50_000, 700)] {
        let (output, part) = adapt("page.png", &page, limit, (1600, 1600));
        assert!(output.starts_with(b"\x89PNG"), "{limit}: {:?}", part.after);
        let shown = part.after.and_then(|after| after.dimensions).unwrap();
        assert!(shown.longest() >= side, "{limit}: {shown}");
        let page = Bytes::of(&page).get();
        let most = limit.min(page * 3);
        assert!(output.len() as u64 <= most, "{limit}: {} of {page}", output.len());
    }
}
