//! Judged by libwebp, frame by frame.

use std::{path::Path, process::Command};

use image::{ExtendedColorType, codecs::webp::WebPEncoder};

use super::*;
use crate::{
    codec::image::animation::decode_animation,
    model::{Effort, MediaType},
    need,
};

/// A frame to be written: place, size, flags as in `ANMF`, RGBA.
struct Part {
    left: u32,
    top: u32,
    size: (u32, u32),
    flags: u8,
    rgba: Vec<u8>,
}

fn three(n: u32) -> [u8; 3] {
    let [a, b, c, _] = n.to_le_bytes();
    [a, b, c]
}

fn chunk(name: &[u8; 4], content: &[u8]) -> Vec<u8> {
    let mut out = [name.as_slice(), &(content.len() as u32).to_le_bytes(), content].concat();
    out.resize(out.len().next_multiple_of(2), 0);
    out
}

/// An animation of lossless frames of 70 ms on a canvas that is said to be white.
fn animation(canvas: (u32, u32), parts: &[Part]) -> Buffer {
    let size = [three(canvas.0 - 1), three(canvas.1 - 1)].concat();
    let mut out = chunk(b"VP8X", &[&[0x12, 0, 0, 0][..], &size].concat());
    out.extend(chunk(b"ANIM", &[255, 255, 255, 255, 2, 0]));
    for part in parts {
        let (width, height) = part.size;
        let mut still = Vec::new();
        WebPEncoder::new_lossless(&mut still)
            .encode(&part.rgba, width, height, ExtendedColorType::Rgba8)
            .unwrap();
        let (name, image) = Chunks(&still[12..]).find(|(name, _)| *name == b"VP8L").unwrap();
        let fields = [part.left / 2, part.top / 2, width - 1, height - 1, 70].map(three).concat();
        let image = chunk(name, image);
        out.extend(chunk(b"ANMF", &[&fields[..], &[part.flags], &image].concat()));
    }
    [b"RIFF", &(out.len() as u32 + 4).to_le_bytes()[..], b"WEBP", &out].concat().into()
}

fn decoded(bytes: &Buffer) -> DecodedImage {
    let largest = Dimensions::at_least_one(1 << 14, 1 << 14);
    let hint = OpenHint { largest, animation: true, effort: Effort::Balanced };
    let limits = DecodeLimits::default();
    decode_animation(bytes, &MediaType::WEBP, hint, &limits, &Stop::never()).unwrap()
}

/// RGBA of each frame; what is fully transparent has no colour.
fn seen(pixels: &[u8], channels: usize) -> Vec<[u8; 4]> {
    let rgba = |p: &[u8]| match *p {
        [r, g, b] => [r, g, b, 255],
        [_, _, _, 0] => [0; 4],
        [r, g, b, a] => [r, g, b, a],
        _ => unreachable!("three or four channels"),
    };
    pixels.chunks_exact(channels).map(rgba).collect()
}

/// The largest difference of a channel over all frames from what libwebp makes of the file;
/// `None` where that is not at hand.
fn difference(name: &str, bytes: &Buffer) -> Option<u8> {
    let file = std::env::temp_dir().join(format!("mmsfit-{}-{name}", std::process::id()));
    std::fs::write(&file, bytes).unwrap();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/python/webp_frames.py");
    let output = Command::new("python3").arg(script).arg(&file).output();
    std::fs::remove_file(&file).unwrap();
    let output = output.inspect_err(|error| need::missing("python", error)).ok()?;
    let said = String::from_utf8_lossy(&output.stderr);
    if said.contains("cannot open shared object") {
        need::missing("python", said);
        return None;
    }
    assert!(output.status.success(), "{name}: {said}");
    let ours = decoded(bytes);
    let pixels = ours.frames[0].raster.dimensions().pixels() as usize;
    assert_eq!(output.stdout.len(), pixels * 4 * ours.frames.len(), "{name}: frames");
    let mut most = 0;
    for (ours, theirs) in ours.frames.iter().zip(output.stdout.chunks(pixels * 4)) {
        let ours = seen(ours.raster.pixels(), ours.raster.layout().channels());
        for (ours, theirs) in ours.iter().zip(seen(theirs, 4)) {
            let channels = ours.iter().zip(&theirs);
            most = channels.map(|(a, b)| a.abs_diff(*b)).max().unwrap_or(0).max(most);
        }
    }
    Some(most)
}

#[test]
fn frames_of_any_place_blending_and_disposal_are_composed_as_libwebp_does() {
    let mut state = 7u32;
    let mut below = |n: u32| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) % n
    };
    for round in 0..12 {
        let canvas = (20 + below(20), 20 + below(20));
        let parts: Vec<Part> = (0..8)
            .map(|_| {
                let (left, top) = (below(9) * 2, below(9) * 2);
                let size = (1 + below(canvas.0 - left), 1 + below(canvas.1 - top));
                let flat = [below(256), below(256), below(256), [0, 90, 255][below(3) as usize]];
                let rgba = (0..size.0 * size.1)
                    .flat_map(|i| flat.map(|c| if i % 5 == 0 { c as u8 ^ 85 } else { c as u8 }))
                    .collect();
                Part { left, top, size, flags: below(4) as u8, rgba }
            })
            .collect();
        let bytes = animation(canvas, &parts);
        let Some(difference) = difference(&format!("made-{round}.webp"), &bytes) else { return };
        // One for each time that something lies on nothing: see `blended`.
        assert!(difference <= 4, "round {round}: {difference}");
        let ours = decoded(&bytes);
        assert_eq!((ours.loops, ours.frames[3].delay), (2, Millis::new(70)));
    }
}

#[test]
fn real_animations_are_composed_as_libwebp_does() {
    let corpus = need::corpus::<Vec<u8>>("image");
    let (mut compared, there) = (0, !corpus.is_empty());
    for (name, bytes) in corpus {
        let bytes = Buffer::from(bytes);
        if !name.ends_with(".webp") || !bytes.windows(4).any(|w| w == b"ANMF") {
            continue;
        }
        let Some(difference) = difference(&name, &bytes) else { return };
        // Lossy colour is rounded otherwise here and there.
        assert!(difference <= 6, "{name}: {difference}");
        compared += 1;
    }
    assert!(compared > 0 || !there, "no animation in the corpus");
}

#[test]
fn what_a_frame_disposed_of_is_gone() {
    let solid = |size: (u32, u32), color: [u8; 4]| color.repeat((size.0 * size.1) as usize);
    let part =
        |left, flags, color| Part { left, top: 0, size: (4, 4), flags, rgba: solid((4, 4), color) };
    let red = [255, 0, 0, 255];
    let bytes = animation((12, 4), &[part(0, 1, red), part(4, 1, red), part(8, 0, red)]);
    for (at, frame) in decoded(&bytes).frames.iter().enumerate() {
        let filled = frame.raster.pixels().chunks_exact(4).map(|p| p[3] == 255);
        let columns: Vec<bool> = filled.take(12).collect();
        let wanted: Vec<bool> = (0..12).map(|x| x / 4 == at).collect();
        assert_eq!(columns, wanted, "frame {at}");
    }
}

#[test]
fn frames_outside_of_the_canvas_and_cut_ones_are_refused_or_left_out() {
    let part = |left| Part { left, top: 0, size: (4, 4), flags: 0, rgba: vec![200; 64] };
    let valid = animation((8, 4), &[part(0), part(4)]);
    assert_eq!(decoded(&valid).frames.len(), 2);
    assert_eq!(decoded(&animation((8, 4), &[part(0), part(6)])).frames.len(), 1);
    for end in 0..valid.len() {
        let cut = valid.slice(..end);
        let hint = OpenHint {
            largest: Dimensions::at_least_one(64, 64),
            animation: true,
            effort: Effort::Balanced,
        };
        let limits = DecodeLimits::default();
        let _ = decode_animation(&cut, &MediaType::WEBP, hint, &limits, &Stop::never());
    }
}
