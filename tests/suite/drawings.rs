//! Drawings, screenshots and scans stay what they are: crisp, no larger than they were, and better
//! than a JPEG of as many bytes.

use bytes::Bytes as Buffer;
use fast_ssim2::{PixelDescriptor, PixelSlice, compute_ssimulacra2};
use image::{DynamicImage, RgbImage, imageops::FilterType};
use mmsfit::{
    codec::{Codec, DecodeLimits, OpenHint, image::ImageCodec},
    config::Config,
    model::{
        Bytes, Chroma, Dimensions, Effort, ImageCoding, ImageRecipe, PartReport, Quality, Recipe,
        Stop,
    },
    service::Service,
};

use crate::support::{self, bare, bytes_of, device, drawings};

const BOX: (u32, u32) = (900, 900);

fn adapt(data: &Buffer, limit: u64, accept: &[&str]) -> (Buffer, PartReport) {
    let service = Service::new(Config { threads: 1, ..Config::default() });
    let request = bare("drawing.png", data, device(limit, BOX, accept));
    let response = service.adapt(request, &Stop::never()).unwrap();
    (bytes_of(&response.content), response.report.parts[0].clone())
}

fn on_white(bytes: &[u8]) -> RgbImage {
    let rgba = image::load_from_memory(bytes).unwrap().to_rgba8();
    let mut out = RgbImage::from_pixel(rgba.width(), rgba.height(), image::Rgb([255; 3]));
    for (x, y, pixel) in rgba.enumerate_pixels() {
        let [r, g, b, a] = pixel.0.map(u32::from);
        let mix = |c: u32| ((c * a + 255 * (255 - a) + 127) / 255) as u8;
        out.put_pixel(x, y, image::Rgb([mix(r), mix(g), mix(b)]));
    }
    out
}

fn view(image: &RgbImage) -> PixelSlice<'_> {
    let (width, height) = image.dimensions();
    let stride = width as usize * 3;
    PixelSlice::new(image.as_raw(), width, height, stride, PixelDescriptor::RGB8_SRGB).unwrap()
}

fn in_the_box(original: &[u8]) -> (u32, u32) {
    let whole = image::load_from_memory(original).unwrap();
    let source = Dimensions::at_least_one(whole.width(), whole.height());
    let shown = source.shrunk_into(Dimensions::at_least_one(BOX.0, BOX.1));
    (shown.width(), shown.height())
}

/// SSIMULACRA2 against the original within the bounds, by the resizer of another library.
fn quality(original: &[u8], output: &[u8]) -> f64 {
    let (width, height) = in_the_box(original);
    let at = |bytes: &[u8]| {
        image::imageops::resize(&on_white(bytes), width, height, FilterType::Lanczos3)
    };
    compute_ssimulacra2(&view(&at(original)), &view(&at(output))).unwrap()
}

/// The best JPEG at the whole bounds within `limit`.
fn jpeg_of(original: &Buffer, limit: u64) -> Option<Buffer> {
    let (width, height) = in_the_box(original);
    let dimensions = Dimensions::at_least_one(width, height);
    let hint = OpenHint { largest: dimensions, animation: false, effort: Effort::Balanced };
    let never = Stop::never();
    let mut session = ImageCodec.open(original, hint, &DecodeLimits::default(), &never).unwrap();
    (1..=97).rev().step_by(4).find_map(|quality| {
        let quality = Quality::new(quality);
        let coding = ImageCoding::Jpeg { quality, chroma: Chroma::Quarter, trellis: true };
        let recipe = ImageRecipe { dimensions, coding, background: [255; 3] };
        session.encode(&Recipe::Image(recipe), Bytes::new(limit), &never).ok()
    })
}

fn all() -> Vec<(&'static str, Buffer)> {
    let of = |image: DynamicImage| Buffer::from(drawings::png(image));
    vec![
        ("screenshot", of(drawings::screenshot(720, 1280).into())),
        ("page", of(drawings::page(1240, 1754).into())),
        ("sticker", of(drawings::sticker(1000).into())),
    ]
}

#[test]
fn what_must_shrink_stays_crisp_and_does_not_grow() {
    for (name, data) in all() {
        for limit in [1_000_000, 100_000] {
            let (output, part) = adapt(&data, limit, &["image/jpeg", "image/png", "image/gif"]);
            assert!(output.starts_with(b"\x89PNG"), "{name} {limit}: {:?}", part.after);
            assert!(output.len() <= data.len(), "{name}: {} of {}", output.len(), data.len());
            let score = quality(&data, &output);
            let least = if name == "page" { 70.0 } else { 86.0 };
            assert!(score >= least, "{name} {limit}: {score:.1}");
        }
    }
}

#[test]
fn at_every_limit_it_looks_better_than_a_jpeg() {
    for (name, data) in all() {
        for limit in [40_000, 20_000] {
            let (output, part) = adapt(&data, limit, &["image/jpeg", "image/png", "image/gif"]);
            assert!(output.len() as u64 <= limit);
            let Some(jpeg) = jpeg_of(&data, limit) else { continue };
            let (ours, theirs) = (quality(&data, &output), quality(&data, &jpeg));
            assert!(
                ours + 1.0 >= theirs,
                "{name} {limit}: {ours:.1}, a JPEG {theirs:.1}; {part:?}"
            );
        }
    }
}

#[test]
fn shades_are_no_palette() {
    let data = Buffer::from(drawings::png(drawings::gradient(1000)));
    for limit in [60_000, 20_000] {
        let (output, part) = adapt(&data, limit, &["image/jpeg", "image/png"]);
        let (ours, least) = (quality(&data, &output), if limit == 60_000 { 75.0 } else { 45.0 });
        assert!(ours >= least, "{limit}: {ours:.1}; {part:?}");
    }
}

#[test]
fn transparency_stays() {
    let data = Buffer::from(drawings::png(drawings::sticker(1000)));
    let (output, _) = adapt(&data, 15_000, &["image/jpeg", "image/png"]);
    let shown = image::load_from_memory(&output).unwrap();
    assert!(output.starts_with(b"\x89PNG") && shown.color().has_alpha());
    assert_eq!(shown.to_rgba8().get_pixel(0, 0)[3], 0);
    let (flat, _) = adapt(&data, 15_000, &["image/jpeg"]);
    assert!(flat.starts_with(&[0xff, 0xd8]));
}

#[test]
fn real_screens_and_scans() {
    for (name, data) in support::corpus("image") {
        if !name.starts_with("own_") || !name.ends_with(".png") {
            continue;
        }
        let (output, part) = adapt(&data, 100_000, &["image/jpeg", "image/png"]);
        assert!(output.starts_with(b"\x89PNG"), "{name}: {:?}", part.after);
        let score = quality(&data, &output);
        println!("{name}: {} of {} bytes, {score:.1}", output.len(), data.len());
        assert!(score >= 60.0 && output.len() <= data.len() * 3 / 2, "{name}: {score:.1}");
    }
}
