use proptest::prelude::*;

use super::*;
use crate::codec::image::animation::tests::{corpus, ffmpeg_frames};
use crate::codec::image::animation::{count_frames, decode_animation};
use crate::codec::image::raster::{Frame, Layout};
use crate::codec::{DecodeLimits, OpenHint};
use crate::model::{Effort, MediaType};

const WHITE: Rgb = [255, 255, 255];
const LARGE: Bytes = Bytes::new(100_000_000);

fn decode(bytes: &Buffer) -> DecodedImage {
    let hint = OpenHint {
        largest: Dimensions::at_least_one(65535, 65535),
        animation: true,
        effort: Effort::Balanced,
    };
    decode_animation(bytes, &MediaType::GIF, hint, &DecodeLimits::default(), &Stop::never())
        .expect("ours")
}

fn pixels(image: &DecodedImage) -> Vec<Vec<Rgba>> {
    image.frames.iter().map(|f| palette::rgba(&f.raster)).collect()
}

/// What a GIF can show of an image, with runs of equal frames taken together.
fn expected(image: &DecodedImage) -> Vec<Vec<Rgba>> {
    let mut frames: Vec<Vec<Rgba>> = pixels(image)
        .into_iter()
        .map(|frame| {
            let one_bit = |p: Rgba| match p[3] {
                0..ALPHA_THRESHOLD => CLEAR,
                255 => p,
                _ => palette::flatten(p, WHITE),
            };
            frame.into_iter().map(one_bit).collect()
        })
        .collect();
    frames.dedup();
    frames
}

/// Encodes, decodes with ours and, where it is installed, with `ffmpeg`, and compares.
fn check_exact(image: &DecodedImage, name: &str) -> Buffer {
    let bytes = encode(image, 256, 1, WHITE, LARGE, &Stop::never()).expect("no cap, few colours");
    let want = expected(image);
    let mut ours = pixels(&decode(&bytes));
    ours.dedup();
    assert!(ours == want, "{name}: pixels differ");
    let file = tempfile::Builder::new().suffix(".gif").tempfile().expect("a file");
    std::fs::write(file.path(), &bytes).expect("a file");
    let size = image.frames[0].raster.dimensions();
    if let Some(mut theirs) = ffmpeg_frames(file.path(), size) {
        theirs.dedup();
        assert!(theirs == want, "{name}: pixels differ in ffmpeg");
    }
    bytes
}

fn paint(size: (u32, u32), frames: &[&[Rgba]], delay_ms: u32) -> DecodedImage {
    let size = Dimensions::new(size.0, size.1).expect("not zero");
    let frames = frames
        .iter()
        .map(|f| Frame {
            raster: Raster::new(size, Layout::Rgba, f.as_flattened().to_vec()).expect("lengths"),
            delay: Millis::new(delay_ms),
        })
        .collect();
    DecodedImage { frames, loops: 0 }
}

const R: Rgba = [255, 0, 0, 255];
const G: Rgba = [0, 255, 0, 255];

#[test]
fn pixels_may_appear_change_and_vanish() {
    check_exact(
        &paint(
            (3, 2),
            &[
                &[CLEAR; 6],
                &[R, CLEAR, CLEAR, CLEAR, CLEAR, G],
                &[CLEAR, R, CLEAR, CLEAR, CLEAR, G],
                &[CLEAR; 6],
                &[R; 6],
                &[R, R, R, R, R, CLEAR],
                &[G; 6],
            ],
            50,
        ),
        "vanishing",
    );
}

#[test]
fn corpus_animations_come_back_pixel_for_pixel_and_not_larger() {
    let Some(folder) = corpus("image") else { return };
    let (mut before, mut after) = (0, 0);
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.extension().is_none_or(|e| e != "gif") {
            continue;
        }
        let name = path.to_string_lossy().into_owned();
        let input = Buffer::from(std::fs::read(&path).expect("readable"));
        let image = decode(&input);
        let mut survey = Survey::default();
        pixels(&image).into_iter().for_each(|frame| survey.add(frame));
        if survey.distinct().is_none_or(|n| n > 255) {
            println!("{name}: too many colours to be exact");
            continue;
        }
        let bytes = check_exact(&image, &name);
        println!("{name}: {} -> {} bytes", input.len(), bytes.len());
        before += input.len();
        after += bytes.len();
        let shown =
            |p: &DecodedImage| p.frames.iter().map(|f| shown_for(f.delay).get()).sum::<u32>();
        let back = decode(&bytes);
        if back.frames.len() > 1 {
            assert_eq!(shown(&image), shown(&back), "{name}");
            assert_eq!(back.loops, image.loops, "{name}");
        }
    }
    assert!(after <= before, "{before} -> {after}");
}

#[test]
fn steps_keep_the_time_and_the_last_step_gives_a_still() {
    let frames: Vec<Vec<Rgba>> = (0..7).map(|i| vec![[i, 0, 0, 255]; 4]).collect();
    let frames: Vec<&[Rgba]> = frames.iter().map(Vec::as_slice).collect();
    let mut image = paint((2, 2), &frames, 33);
    image.loops = 4;
    for (step, want) in [(1, 7), (2, 4), (3, 3), (7, 1), (100, 1), (u16::MAX, 1)] {
        let bytes = encode(&image, 256, step, WHITE, LARGE, &Stop::never()).expect("no cap");
        let (frames, total) = count_frames(&bytes, &MediaType::GIF, 100).expect("ours");
        assert_eq!(frames, want, "{step}");
        if want > 1 {
            assert_eq!(total, Millis::new(230), "{step}");
        }
        assert_eq!(decode(&bytes).loops, if want > 1 { 4 } else { 1 });
    }
    image.frames[3].raster = image.frames[2].raster.clone();
    let bytes = encode(&image, 256, 1, WHITE, LARGE, &Stop::never()).expect("no cap");
    assert_eq!(count_frames(&bytes, &MediaType::GIF, 100).expect("ours"), (6, Millis::new(230)));
}

#[test]
fn many_colours_are_reduced_in_stills_and_animations() {
    let frame = |shift: u32| -> Vec<Rgba> {
        (0..64 * 64_u32)
            .map(|i| [((i % 64 + shift) * 4) as u8, (i / 64 * 4) as u8, (i % 7) as u8, 255])
            .collect()
    };
    let (a, b) = (frame(0), frame(3));
    for frames in [vec![&a[..]], vec![&a[..], &b[..], &a[..]]] {
        let image = paint((64, 64), &frames, 100);
        let mut last = usize::MAX;
        for colors in [256, 64, 16, 2] {
            let bytes = encode(&image, colors, 1, WHITE, LARGE, &Stop::never()).expect("no cap");
            let back = decode(&bytes);
            assert_eq!(back.frames.len(), frames.len());
            let mut survey = Survey::default();
            pixels(&back).into_iter().for_each(|frame| survey.add(frame));
            assert!(survey.distinct().is_some_and(|n| n <= colors), "{colors}");
            assert!(bytes.len() < last, "{colors}: {} after {last}", bytes.len());
            last = bytes.len();
        }
    }
}

proptest! {
    #[test]
    fn random_animations_round_trip_within_any_cap(
        (w, h, frames) in (1..9_u32, 1..9_u32, 1..5_usize).prop_flat_map(|(w, h, n)| {
            let color = prop_oneof![
                Just(CLEAR), Just(R), Just(G), Just([0, 0, 255, 255]), Just([9, 9, 9, 200]),
                Just([9, 9, 9, 20]),
            ];
            let frame = prop::collection::vec(color, (w * h) as usize);
            (Just(w), Just(h), prop::collection::vec(frame, n))
        }),
        delay in 0..400_u32,
        cap in 0..600_u64,
    ) {
        let frames: Vec<&[Rgba]> = frames.iter().map(Vec::as_slice).collect();
        let image = paint((w, h), &frames, delay);
        let full = encode(&image, 256, 1, WHITE, LARGE, &Stop::never()).expect("no cap");
        let mut back = pixels(&decode(&full));
        back.dedup();
        prop_assert!(back == expected(&image));
        match encode(&image, 256, 1, WHITE, Bytes::new(cap), &Stop::never()) {
            Ok(bytes) => prop_assert!(bytes == full && bytes.len() as u64 <= cap),
            Err(EncodeError::OverCap { at_least }) => {
                prop_assert!(at_least.get() > cap && at_least.get() <= full.len() as u64);
            }
            Err(e) => prop_assert!(false, "{}", e),
        }
    }
}
