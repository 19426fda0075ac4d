//! Against real files, a second decoder (`ffmpeg`, where installed), and hostile input.

use std::path::{Path, PathBuf};
use std::process::Command;

use proptest::prelude::*;

use super::*;
use crate::codec::image::palette::{self, Rgba};
use crate::codec::image::raster::Layout;
use crate::model::{Bytes, Effort, Millis, StopCause};
use crate::{cost, need};

/// The corpus' folder, if it is there.
pub(in crate::codec::image) fn corpus(folder: &str) -> Option<PathBuf> {
    need::corpus_dir(folder)
}

/// All frames of a file as a second implementation composes them; `None` without `ffmpeg`.
pub(in crate::codec::image) fn ffmpeg_frames(
    file: &Path,
    size: Dimensions,
) -> Option<Vec<Vec<Rgba>>> {
    let output = Command::new("ffmpeg")
        .args(["-v", "error", "-i"])
        .arg(file)
        .args(["-vsync", "0", "-f", "rawvideo", "-pix_fmt", "rgba", "-"])
        .output();
    let output = output.inspect_err(|error| need::missing("ffmpeg", error)).ok()?;
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let frames = output.stdout.chunks(size.pixels() as usize * 4);
    Some(frames.map(|frame| clean(frame.as_chunks::<4>().0)).collect())
}

/// Fully transparent pixels have no colour.
fn clean(pixels: &[Rgba]) -> Vec<Rgba> {
    pixels.iter().map(|p| if p[3] == 0 { palette::CLEAR } else { *p }).collect()
}

fn hint(side: u32) -> OpenHint {
    OpenHint {
        largest: Dimensions::at_least_one(side, side),
        animation: true,
        effort: Effort::Balanced,
    }
}

fn media_type(bytes: &[u8]) -> Option<MediaType> {
    match bytes {
        [b'G', b'I', b'F', ..] => Some(MediaType::GIF),
        [0x89, b'P', b'N', b'G', ..] => Some(MediaType::PNG),
        [b'R', b'I', b'F', b'F', ..] => Some(MediaType::WEBP),
        _ => None,
    }
}

fn decode(bytes: &[u8], hint: OpenHint) -> Result<DecodedImage, CodecError> {
    let media = media_type(bytes).unwrap_or(MediaType::GIF);
    let input = Buffer::copy_from_slice(bytes);
    decode_animation(&input, &media, hint, &DecodeLimits::default(), &Stop::never())
}

fn files(folder: &str) -> Vec<(String, Vec<u8>)> {
    let Some(folder) = corpus(folder) else { return Vec::new() };
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .expect("a folder")
        .map(|entry| {
            let path = entry.expect("an entry").path();
            let name = path.file_name().expect("a name").to_string_lossy().into_owned();
            (name, std::fs::read(path).expect("readable"))
        })
        .filter(|(_, bytes)| media_type(bytes).is_some())
        .collect();
    files.sort();
    files
}

#[test]
fn every_gif_of_the_corpus_is_composed_as_ffmpeg_does() {
    let Some(folder) = corpus("image") else { return };
    let mut compared = 0;
    for (name, bytes) in files("image").into_iter().filter(|(name, _)| name.ends_with(".gif")) {
        let image = decode(&bytes, hint(1 << 16)).expect(&name);
        let size = image.frames[0].raster.dimensions();
        let Some(theirs) = ffmpeg_frames(&folder.join(&name), size) else { return };
        assert_eq!(image.frames.len(), theirs.len(), "{name}");
        for (at, (ours, theirs)) in image.frames.iter().zip(&theirs).enumerate() {
            let ours = palette::rgba(&ours.raster);
            let different = ours.iter().zip(theirs).filter(|(a, b)| a != b).count();
            let ours_clear = ours.iter().zip(theirs).filter(|(a, b)| a != b && a[3] == 0).count();
            // without a transparent colour, ffmpeg paints what no frame covers in the background
            // colour; browsers leave it transparent, and so do we
            let uncovered =
                if name == "image__border_touching_layers.gif" { ours_clear } else { 0 };
            assert_eq!(different, uncovered, "{name}, frame {at} of {size}");
        }
        compared += 1;
    }
    assert!(compared > 5);
}

#[test]
fn counting_agrees_with_decoding_on_every_file() {
    for (name, bytes) in files("image") {
        let media = media_type(&bytes).expect("filtered");
        let (frames, total) =
            count_frames(&Buffer::copy_from_slice(&bytes), &media, 2000).expect(&name);
        let image = match decode(&bytes, hint(64)) {
            Err(CodecError::Unsupported { .. }) if frames == 1 => continue,
            image => image.expect(&name),
        };
        assert_eq!(image.frames.len(), frames as usize, "{name}");
        if frames > 1 {
            let sum: u32 = image.frames.iter().map(|f| f.delay.get()).sum();
            let total_ms = total.get();
            // a file whose delays are all zero gets others
            assert!(sum.abs_diff(total_ms) <= frames || total_ms == 0, "{name}: {sum} {total_ms}");
            assert!(sum > 0, "{name}");
        }
        let size = image.frames[0].raster.dimensions();
        let layout = image.frames[0].raster.layout();
        assert!(size.longest() <= 64 && layout != Layout::Gray, "{name}");
        for frame in &image.frames {
            assert_eq!((frame.raster.dimensions(), frame.raster.layout()), (size, layout));
        }
    }
}

#[test]
fn loops_and_delays_are_those_of_the_file() {
    let Some(folder) = corpus("image") else { return };
    let read = |name: &str| decode(&std::fs::read(folder.join(name)).expect(name), hint(4096));
    // libwebp's and sharp's "loop 3": GIF stores the repetitions, WebP the showings
    let webp = read("sharp__animated-loop-3.webp").expect("valid");
    let gif = read("sharp__animated-loop-3.gif").expect("valid");
    assert_eq!(webp.loops, 3);
    assert!((3..=4).contains(&gif.loops), "{}", gif.loops);
    assert_eq!(gif.frames.len(), webp.frames.len());
    let ball = read("image__apng_ball.png").expect("valid");
    assert_eq!((ball.frames.len(), ball.loops, ball.frames[0].delay), (20, 0, Millis::new(75)));
}

#[test]
fn hostile_files_end_in_time_with_a_type_of_error() {
    for (name, bytes) in files("hostile") {
        let media = media_type(&bytes).expect("filtered");
        let ((counted, result, first), cost) = cost::of(|| {
            let counted = count_frames(&Buffer::copy_from_slice(&bytes), &media, 2000);
            let first = OpenHint { animation: false, ..hint(640) };
            (counted, decode(&bytes, hint(640)), decode(&bytes, first))
        });
        let kind = |r: &Result<DecodedImage, CodecError>| match r {
            Ok(p) => format!("{} frames of {}", p.frames.len(), p.frames[0].raster.dimensions()),
            Err(e) => e.to_string(),
        };
        println!(
            "{name}: {cost:.1} {counted:?}\n   all: {}\n   first: {}",
            kind(&result),
            kind(&first)
        );
        assert!(cost < 1500.0, "{name}: {cost}");
        let limited = matches!(result, Err(CodecError::Limit { .. }));
        match name.as_str() {
            "gen-8000-frames-2000x2000.gif" => {
                assert!(limited && first.is_ok());
                assert_eq!(counted.map(|(frames, _)| frames), Ok(2000));
            }
            "gen-canvas-65535x65535.gif" => assert!(limited),
            "gen-no-trailer.gif" => assert_eq!(result.expect("valid but for that").frames.len(), 1),
            _ => {}
        }
    }
}

/// `frames` frames of 2 × 1 pixels, each a byte of header more than it has to be.
fn tiny(frames: u16, delay_cs: u16) -> Vec<u8> {
    let mut encoder =
        ::gif::Encoder::new(Vec::new(), 2, 1, &[0, 0, 0, 255, 255, 255]).expect("a vector");
    encoder.set_repeat(::gif::Repeat::Infinite).expect("a vector");
    for at in 0..frames {
        let buffer = vec![(at % 2) as u8, 1].into();
        let frame =
            ::gif::Frame { width: 2, height: 1, delay: delay_cs, buffer, ..Default::default() };
        encoder.write_frame(&frame).expect("a vector");
    }
    encoder.into_inner().expect("a vector")
}

/// Interlaced images whose last code stands for several rows: flat ones, and slopes.
#[test]
fn interlaced_frames_of_any_size_are_put_in_order() {
    for (width, height) in [(1, 1), (3, 2), (11, 59), (31, 55), (40, 3), (7, 200), (64, 64)] {
        for flat in [true, false] {
            let row = |y: u16| if flat { 1 } else { (y % 4) as u8 };
            let places = [(0, 8), (4, 8), (2, 4), (1, 2)];
            let rows =
                places.into_iter().flat_map(|(from, step)| (from..height).step_by(step as usize));
            let buffer: Vec<u8> = rows.flat_map(|y| vec![row(y); width as usize]).collect();
            let palette = [0, 0, 0, 80, 80, 80, 160, 160, 160, 255, 255, 255];
            let mut encoder = ::gif::Encoder::new(Vec::new(), width, height, &palette).unwrap();
            let buffer = buffer.into();
            let frame =
                ::gif::Frame { width, height, interlaced: true, buffer, ..Default::default() };
            encoder.write_frame(&frame).unwrap();
            let image = decode(&encoder.into_inner().unwrap(), hint(4096)).unwrap();
            let pixels = image.frames[0].raster.pixels();
            for (y, line) in (0..height).zip(pixels.chunks(usize::from(width) * 3)) {
                let wanted = palette[usize::from(row(y)) * 3];
                assert!(line.iter().all(|v| *v == wanted), "{width}x{height} {flat}, row {y}");
            }
        }
    }
}

#[test]
fn limits_and_stop_are_kept() {
    let bytes = Buffer::from(tiny(50, 7));
    let run = |limits: DecodeLimits, stop: &Stop| {
        decode_animation(&bytes, &MediaType::GIF, hint(100), &limits, stop)
    };
    let limits = DecodeLimits::default();
    let all = run(limits, &Stop::never()).expect("valid");
    assert_eq!((all.frames.len(), all.loops), (50, 0));
    let ten = run(DecodeLimits { max_frames: 10, ..limits }, &Stop::never()).expect("kept");
    assert_eq!(ten.frames, all.frames[..10]);
    for limits in [
        DecodeLimits { max_pixels: 1, ..limits },
        DecodeLimits { max_total_pixels: 99, ..limits },
        DecodeLimits { max_memory: Bytes::new(300), ..limits },
    ] {
        assert!(matches!(run(limits, &Stop::never()), Err(CodecError::Limit { .. })));
    }
    let stop = Stop::never();
    stop.set(StopCause::Deadline);
    assert_eq!(run(limits, &stop), Err(CodecError::Stopped(StopCause::Deadline)));
    let timeless = decode(&tiny(3, 0), hint(100)).expect("valid");
    assert!(timeless.frames.iter().all(|f| f.delay == crate::codec::image::raster::BROWSER_DELAY));
}

#[test]
fn a_file_cut_anywhere_keeps_the_frames_before_the_cut() {
    let bytes = tiny(9, 5);
    let mut before = 0;
    for end in 0..=bytes.len() {
        let frames = decode(&bytes[..end], hint(100)).map_or(0, |p| p.frames.len());
        assert!(frames >= before && frames <= 9, "at {end}: {frames} after {before}");
        before = frames;
    }
    assert_eq!(before, 9);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn mutants_of_real_files_are_survived(
        which in any::<prop::sample::Index>(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..12),
        cut in prop::option::of(any::<prop::sample::Index>()),
    ) {
        let mut files = files("image");
        files.retain(|(_, bytes)| bytes.len() < 70_000);
        prop_assume!(!files.is_empty());
        let mut bytes = which.get(&files).1.clone();
        for (at, value) in &changes {
            // headers matter most: half of the changes go to the first 64 bytes
            let range = if value % 2 == 0 { bytes.len().min(64) } else { bytes.len() };
            let at = at.index(range);
            bytes[at] = *value;
        }
        if let Some(cut) = cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        if let Some(media) = media_type(&bytes) {
            let limits = DecodeLimits {
                max_pixels: 4_000_000,
                max_total_pixels: 16_000_000,
                max_frames: 100,
                max_memory: Bytes::new(100 << 20),
                ..DecodeLimits::default()
            };
            let input = Buffer::from(bytes);
            let counted = count_frames(&input, &media, 100);
            let result = decode_animation(&input, &media, hint(64), &limits, &Stop::never());
            if let Ok(image) = result {
                prop_assert!(!image.frames.is_empty());
                prop_assert!(counted.is_ok());
            }
        }
    }
}
