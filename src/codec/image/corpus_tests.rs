//! The whole codec over real images and hostile ones. Skipped where the corpus is absent.

use std::{fs, path::Path, time::Duration};

use cpu_time::ThreadTime;

use super::*;
use crate::{
    codec::EncodeError,
    cost,
    model::{Chroma, Dimensions, Effort, ImageCoding, ImageRecipe, Quality, Recipe, StopCause},
    need,
};

/// Real input; `None` where there is none.
fn corpus(folder: &str) -> Option<Vec<(String, Buffer)>> {
    let files = need::corpus(folder);
    (!files.is_empty()).then_some(files)
}

fn hint(width: u32, height: u32) -> OpenHint {
    OpenHint {
        largest: Dimensions::new(width, height).unwrap(),
        animation: false,
        effort: Effort::Balanced,
    }
}

fn open(bytes: &Buffer, hint: OpenHint) -> Result<Box<dyn Session>, CodecError> {
    ImageCodec.open(bytes, hint, &DecodeLimits::default(), &Stop::never())
}

fn jpeg_recipe(dimensions: Dimensions, quality: u8, chroma: Chroma) -> Recipe {
    Recipe::Image(ImageRecipe {
        dimensions,
        coding: ImageCoding::Jpeg { quality: Quality::new(quality), chroma, trellis: true },
        background: [255, 255, 255],
    })
}

const NO_CAP: Bytes = Bytes::new(u64::MAX);

/// The image as shown, at `to`, RGB.
fn seen(bytes: &Buffer, to: Dimensions) -> Vec<u8> {
    let mut session = open(bytes, hint(to.width() * 2, to.height() * 2)).unwrap();
    let recipe = jpeg_recipe(to, 95, Chroma::Full);
    let jpeg = session.encode(&recipe, NO_CAP, &Stop::never()).unwrap();
    let mut decoder =
        zune_jpeg::JpegDecoder::new(zune_jpeg::zune_core::bytestream::ZCursor::new(jpeg.as_ref()));
    let pixels = decoder.decode().unwrap();
    let (width, height) = decoder.dimensions().unwrap();
    assert_eq!((width, height), (to.width() as usize, to.height() as usize));
    if pixels.len() == width * height {
        pixels.into_iter().flat_map(|v| [v; 3]).collect()
    } else {
        pixels
    }
}

fn mean_difference(a: &[u8], b: &[u8]) -> f64 {
    assert_eq!(a.len(), b.len());
    a.iter().zip(b).map(|(a, b)| f64::from(a.abs_diff(*b))).sum::<f64>() / a.len() as f64
}

fn strip(bytes: &Buffer) -> Option<Buffer> {
    ImageCodec.strip_metadata(bytes, &Stop::never()).expect("it is not stopped")
}

#[test]
fn every_image_opens_or_says_why_not() {
    let Some(files) = corpus("image") else { return };
    let mut failures = Vec::new();
    for (name, bytes) in &files {
        // The last: uncompressed YCbCr, which `image` does not convert.
        let expected_unsupported =
            [".heic", ".heif", ".avif", ".avifs", "image__ycbcr_jpeg_8bit.tif"]
                .iter()
                .any(|end| name.to_lowercase().ends_with(end));
        if name.ends_with(".svg") {
            assert_eq!(ImageCodec.recognise(bytes), None, "{name}");
            continue;
        }
        if ImageCodec.recognise(bytes).is_none() {
            failures.push(format!("{name}: not recognised"));
            continue;
        }
        let info = ImageCodec.probe(bytes, &DecodeLimits::default(), &Stop::never());
        match open(bytes, hint(640, 640)) {
            Ok(mut session) => {
                let info = info.unwrap();
                assert_eq!(session.info(), &info, "{name}");
                let to = info.dimensions.unwrap().shrunk_into(Dimensions::new(640, 640).unwrap());
                let recipe = jpeg_recipe(to, 80, Chroma::Quarter);
                let jpeg = session.encode(&recipe, NO_CAP, &Stop::never()).unwrap();
                let found = ImageCodec
                    .verify(&jpeg, None, &DecodeLimits::default(), &Stop::never())
                    .unwrap()
                    .info;
                assert_eq!(found.dimensions, Some(to), "{name}");
                assert!(!found.has_metadata && !found.has_alpha && !found.exotic_color, "{name}");
                if let Some(folder) = std::env::var_os("MMSFIT_DUMP") {
                    fs::write(Path::new(&folder).join(format!("{name}.jpg")), &jpeg).unwrap();
                }
                if std::env::var_os("MMSFIT_SHOW").is_some() {
                    println!("{name}: {info:?} {:?}", session.facts());
                }
            }
            Err(CodecError::Unsupported { .. }) if expected_unsupported => {}
            Err(error) => failures.push(format!("{name}: {error}")),
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn hostile_files_neither_panic_nor_hang() {
    let Some(files) = corpus("hostile") else { return };
    let mut slow = Vec::new();
    for (name, bytes) in &files {
        let (result, cost) = cost::of(|| open(bytes, hint(640, 480)));
        if let (Some(folder), Ok(session)) = (std::env::var_os("MMSFIT_DUMP"), &result) {
            let to = session.info().dimensions.unwrap().shrunk_into(hint(640, 480).largest);
            let mut session = open(bytes, hint(640, 480)).unwrap();
            let recipe = jpeg_recipe(to, 80, Chroma::Quarter);
            let jpeg = session.encode(&recipe, NO_CAP, &Stop::never()).unwrap();
            fs::write(Path::new(&folder).join(format!("{name}.jpg")), &jpeg).unwrap();
        }
        if std::env::var_os("MMSFIT_SHOW").is_some()
            && (ImageCodec.recognise(bytes).is_some() || cost > 5.0)
        {
            match &result {
                Ok(session) => println!("{name}: {cost:.1} ok {:?}", session.info()),
                Err(error) => println!("{name}: {cost:.1} {error}"),
            }
        }
        let _ = strip(bytes);
        if cost > 200.0 {
            slow.push(format!("{name}: {cost:.1}"));
        }
    }
    assert!(slow.is_empty(), "{}", slow.join("\n"));
}

#[test]
fn every_orientation_comes_out_the_same() {
    let Some(files) = corpus("image") else { return };
    let of = |prefix: &str| -> Vec<&(String, Buffer)> {
        files.iter().filter(|(name, _)| name.starts_with(prefix)).collect()
    };
    let small = Dimensions::new(60, 40).unwrap();
    let landscapes = of("exif-orientation-e__Landscape_");
    let upright = seen(&landscapes[0].1, small);
    for (name, bytes) in &landscapes {
        let difference = mean_difference(&upright, &seen(bytes, small));
        assert!(difference < 4.0, "{name}: {difference}");
    }
    let small = Dimensions::new(64, 64).unwrap();
    let hoppers = of("Pillow__hopper_orientation_");
    let upright = seen(&hoppers[0].1, small);
    for (name, bytes) in &hoppers {
        let difference = mean_difference(&upright, &seen(bytes, small));
        assert!(difference < 8.0, "{name}: {difference}");
    }
}

#[test]
fn stripping_keeps_the_image_and_drops_the_rest() {
    let Some(files) = corpus("image") else { return };
    let mut stripped = 0;
    for (name, bytes) in &files {
        let Some(out) = strip(bytes) else { continue };
        stripped += 1;
        let before = ImageCodec.probe(bytes, &DecodeLimits::default(), &Stop::never()).unwrap();
        let after = ImageCodec.probe(&out, &DecodeLimits::default(), &Stop::never()).unwrap();
        assert!(before.has_metadata && !after.has_metadata, "{name}: {after:?}");
        assert_eq!(before.dimensions, after.dimensions, "{name}");
        assert_eq!(before.frames, after.frames, "{name}");
        let to = Dimensions::new(48, 48).unwrap();
        let difference = mean_difference(&seen(bytes, to), &seen(&out, to));
        // Without a profile to convert from, it is resampled once instead of twice.
        assert!(difference < 1.5, "{name}: {difference}");
        assert_eq!(strip(&out), None, "{name}");
    }
    assert!(stripped > 20, "only {stripped} had anything to strip");
}

/// The same image with and without its press profile: alike, and not a negative.
#[test]
fn ink_comes_out_as_light() {
    let Some(files) = corpus("image") else { return };
    let to = Dimensions::new(100, 66).unwrap();
    let of = |name: &str| {
        let (_, bytes) = files.iter().find(|(found, _)| found == name).unwrap();
        seen(bytes, to)
    };
    let profiled = of("sharp__Channel_digital_image_CMYK_color.jpg");
    let plain = of("sharp__Channel_digital_image_CMYK_color_no_profile.jpg");
    let negative: Vec<u8> = plain.iter().map(|v| 255 - v).collect();
    let (same, other) = (mean_difference(&profiled, &plain), mean_difference(&profiled, &negative));
    assert!(same < 30.0 && same * 2.0 < other, "{same}, negative {other}");
}

#[test]
fn caps_are_kept_to_the_byte_and_bytes_are_repeatable() {
    let Some(files) = corpus("image") else { return };
    let (_, bytes) = files.iter().find(|(n, _)| n == "exif-samples__DSCN0010.jpg").unwrap();
    let mut session = open(bytes, hint(640, 480)).unwrap();
    let to = Dimensions::new(320, 240).unwrap();
    for chroma in [Chroma::Quarter, Chroma::Full] {
        let recipe = jpeg_recipe(to, 75, chroma);
        let whole = session.encode(&recipe, NO_CAP, &Stop::never()).unwrap();
        let exact = session.encode(&recipe, Bytes::of(&whole), &Stop::never()).unwrap();
        assert_eq!(whole, exact);
        let less = Bytes::new(whole.len() as u64 - 1);
        match session.encode(&recipe, less, &Stop::never()) {
            Err(EncodeError::OverCap { at_least }) => {
                assert!(at_least > less && at_least <= Bytes::of(&whole), "{at_least:?}");
            }
            other => panic!("{other:?}"),
        }
        let mut again = open(bytes, hint(640, 480)).unwrap();
        assert_eq!(again.encode(&recipe, NO_CAP, &Stop::never()).unwrap(), whole);
    }
}

#[test]
fn a_stop_is_heeded_soon() {
    let Some(files) = corpus("image") else { return };
    let (_, bytes) = files.iter().find(|(n, _)| n == "derived_48mp_8000x6000.jpg").unwrap();
    let decode = |stop: &Stop| {
        let began = ThreadTime::now();
        let result = ImageCodec.open(bytes, hint(8000, 6000), &DecodeLimits::default(), stop);
        (result.err(), began.elapsed())
    };
    let (error, whole) = decode(&Stop::never());
    assert_eq!(error, None);
    // What the thread works, not how long it waits for its turn.
    let stop = Stop::never();
    let late = stop.clone();
    let setter = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(20));
        late.set(StopCause::Deadline);
    });
    let (error, spent) = decode(&stop);
    setter.join().unwrap();
    assert_eq!(error, Some(CodecError::Stopped(StopCause::Deadline)));
    assert!(spent < whole / 2, "{spent:?} of {whole:?}");
}

#[test]
fn limits_come_as_limits() {
    let Some(files) = corpus("hostile") else { return };
    for name in [
        "gen-header-65500x65500.jpg",
        "gen-bomb-1bit-40000x40000.png",
        "gen-canvas-65535x65535.gif",
        "gen-progressive-3000-scans.jpg",
        "gen-liar-2147483647x2147483647.png",
    ] {
        let (_, bytes) = files.iter().find(|(n, _)| n == name).unwrap();
        let error = ImageCodec.probe(bytes, &DecodeLimits::default(), &Stop::never()).unwrap_err();
        assert!(matches!(error, CodecError::Limit { .. }), "{name}: {error}");
    }
}
