//! What to reduce, in order: the steps of lanes that have only a few settings.

use super::{ImageTask, path::Step};
use crate::model::{Dimensions, ImageCoding};

/// Lossless codings (PNG, GIF, of decoded pixels) grow with area^0.85: flat areas cost little.
const LOSSLESS_AREA_EXPONENT: f64 = 0.85;
/// Animated GIF bytes grow with area^0.9 (fit-to-size.md §4).
const ANIMATION_AREA_EXPONENT: f64 = 0.9;
/// What fewer palette colours leave of a GIF or PNG, roughly; calibrated by the encodes.
const COLOR_FACTORS: [(u16, f64); 5] =
    [(256, 1.0), (128, 0.86), (64, 0.72), (32, 0.58), (16, 0.45)];
/// Images and animations are not made smaller than this on the longer side before colours and
/// frames go.
const SMALL_SIDE: u32 = 128;
/// WBMP is legible at half of the size at which colours are, and nothing else is left by then.
const BILEVEL_FLOOR_SIDE: u32 = 16;

/// Levels of gray that line art is shown with when it must be small, and what is left of it,
/// roughly: a page of text took 68 kB with four and 127 with sixteen, and they could not be told
/// apart (2026-11-27, by eye).
const FEW_GRAYS: [(u16, f64); 3] = [(16, 1.0), (8, 0.76), (4, 0.51)];
/// Colours of other drawings: 8 took 47 kB where 16 took 58, and 67 points of SSIMULACRA2 were left
/// of 83 (2026-11-29).
const FEW_COLORS: [(u16, f64); 3] = [(32, 1.0), (16, 0.77), (8, 0.6)];
/// Nothing is made smaller than this of what the device shows before it is a JPEG: the letters of a
/// page are no larger than they have to be.
const LEAST_SCALE: f64 = 0.45;

/// Few colours at full size, then ever smaller.
pub(super) fn smaller_drawings(task: &ImageTask) -> Vec<Step> {
    let largest = task.largest();
    let step = |z: f64, (colors, factor): (u16, f64)| Step {
        dimensions: largest.scaled(z),
        coding: ImageCoding::Png { colors: Some(colors), dither: false },
        factor: factor * z.powf(2.0 * LOSSLESS_AREA_EXPONENT),
    };
    let (levels, small) =
        if task.facts.gray { (FEW_GRAYS, FEW_GRAYS[2]) } else { (FEW_COLORS, FEW_COLORS[1]) };
    let whole = levels.iter().map(|level| step(1.0, *level));
    let floor = task.floors.image_side.max(1);
    let smaller = scales(largest, floor).skip(1).take_while(|z| *z >= LEAST_SCALE);
    whole.chain(smaller.map(|z| step(z, small))).collect()
}

/// Scale factors from 1 down to where the longer side is `floor`, in steps of 4 %.
fn scales(largest: Dimensions, floor: u32) -> impl Iterator<Item = f64> {
    scales_by(0.96, largest, floor)
}

fn scales_by(step: f64, largest: Dimensions, floor: u32) -> impl Iterator<Item = f64> {
    let end = (f64::from(floor) / f64::from(largest.longest())).min(1.0);
    std::iter::successors(Some(1.0), move |z| Some(z * step)).take_while(move |z| *z >= end)
}

/// Scale to a small size, then colours, then scale to the floor.
pub(super) fn paletted(task: &ImageTask, coding: impl Fn(u16) -> ImageCoding) -> Vec<Step> {
    let largest = task.largest();
    let mut steps = Vec::new();
    let mut push = |z: f64, colors: u16, color_factor: f64| {
        steps.push(Step {
            dimensions: largest.scaled(z),
            coding: coding(colors),
            factor: z.powf(2.0 * LOSSLESS_AREA_EXPONENT) * color_factor,
        });
    };
    let mut small = 1.0;
    for z in scales(largest, SMALL_SIDE.max(task.floors.image_side)) {
        small = z;
        push(z, 256, 1.0);
    }
    for (colors, factor) in COLOR_FACTORS {
        push(small, colors, factor);
    }
    let (colors, factor) = COLOR_FACTORS[COLOR_FACTORS.len() - 1];
    for z in scales(largest, task.floors.image_side).filter(|z| *z < small) {
        push(z, colors, factor);
    }
    steps
}

/// An animation at its own size keeps its exact colours and still areas; scaled, it takes about
/// this many times the bytes for its area. Measured 2026-11-24 on a video of 42 frames: 245×245
/// 130 kB, 200×200 176 kB, 170×170 134 kB.
const SCALED_ANIMATION_COST: f64 = 1.9;

/// The same in smaller steps, for animations, which have no other fine setting.
const MOVING_FACTORS: [(u16, f64); 9] = [
    (256, 1.0),
    (192, 0.93),
    (128, 0.86),
    (96, 0.79),
    (64, 0.72),
    (48, 0.65),
    (32, 0.58),
    (24, 0.51),
    (16, 0.45),
];
/// Steps of their scale.
const FINE: f64 = 0.98;

/// Dimensions, then colours, then frames (DESIGN §5); of slides the frames last of all.
pub(super) fn animation(task: &ImageTask) -> Vec<Step> {
    let largest = task.largest();
    let exact = largest == task.source;
    let mut steps = Vec::new();
    let first = task.first_step.max(1);
    let mut push = |z: f64, (colors, color_factor): (u16, f64), step: u16| {
        let frame_step = step.saturating_mul(first);
        let cost = if exact && z < 1.0 { SCALED_ANIMATION_COST } else { 1.0 };
        let color_factor = color_factor * cost;
        steps.push(Step {
            dimensions: largest.scaled(z),
            coding: ImageCoding::Gif { colors, frame_step },
            factor: z.powf(2.0 * ANIMATION_AREA_EXPONENT) * color_factor
                / f64::from(step).powf(0.9),
        });
    };
    let mut small = 1.0;
    for z in scales_by(FINE, largest, SMALL_SIDE.max(task.floors.image_side)) {
        small = z;
        push(z, COLOR_FACTORS[0], 1);
    }
    for color in MOVING_FACTORS {
        push(small, color, 1);
    }
    let last = COLOR_FACTORS[COLOR_FACTORS.len() - 1];
    // An animation smaller than this is not worth sending.
    let floor = task.floors.image_side.max(SMALL_SIDE / 2);
    if task.slides {
        let before = small;
        for z in scales_by(FINE, largest, floor).filter(|z| *z < before) {
            small = z;
            push(z, last, 1);
        }
    }
    for frame_step in [2, 3, 4, 6, 8] {
        push(small, last, frame_step);
    }
    for z in scales_by(FINE, largest, floor).filter(|z| *z < small) {
        push(z, last, 8);
    }
    steps
}

/// WBMP: one bit a pixel, so that the size follows from the dimensions alone.
pub(super) fn bilevel(task: &ImageTask) -> Vec<Step> {
    let largest = task.largest();
    scales(largest, task.floors.image_side.min(BILEVEL_FLOOR_SIDE))
        .map(|z| {
            let dimensions = largest.scaled(z);
            let bytes = u64::from(dimensions.width().div_ceil(8)) * u64::from(dimensions.height());
            let whole = u64::from(largest.width().div_ceil(8)) * u64::from(largest.height());
            Step { dimensions, coding: ImageCoding::Wbmp, factor: bytes as f64 / whole as f64 }
        })
        .collect()
}
