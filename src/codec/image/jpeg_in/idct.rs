//! The inverse DCT at a fraction of the size: of every 8 × 8 block the lowest frequencies alone,
//! as many as there are samples. After Loeffler, Ligtenberg and Moschytz (ICASSP 1989), as
//! stb_image and `jpeg-decoder` have it, in floating point and eight lines at a time.
//!
//! The means of the samples, which libjpeg gives, are softer: half a point of SSIMULACRA2 less at
//! 640×480 and 100 kB (14 photos, 2026-11-26).

use crate::codec::image::lanes::{Lanes, nearest, transpose};

/// One dimension of `L` lines: `N` samples of `N` frequencies, both times √8.
#[inline(always)]
fn lines<const N: usize, const L: usize>(s: [Lanes<L>; L]) -> [Lanes<L>; L] {
    let mut out = [Lanes::all(0.0); L];
    match N {
        1 => out[0] = s[0],
        2 => (out[0], out[1]) = (s[0] + s[1], s[0] - s[1]),
        4 => {
            let (even, odd) = ((s[0] + s[2], s[0] - s[2]), turned(s[1], s[3]));
            (out[0], out[3]) = (even.0 + odd.1, even.0 - odd.1);
            (out[1], out[2]) = (even.1 + odd.0, even.1 - odd.0);
        }
        _ => {
            let (t2, t3) = turned(s[2], s[6]);
            let (t0, t1) = (s[0] + s[4], s[0] - s[4]);
            let even = [t0 + t3, t1 + t2, t1 - t2, t0 - t3];
            let (p3, p4) = (s[7] + s[3], s[5] + s[1]);
            let (p1, p2) = (s[7] + s[1], s[5] + s[3]);
            let p5 = (p3 + p4) * 1.175_875_6;
            let p1 = p5 + p1 * -0.899_976_2;
            let p2 = p5 + p2 * -2.562_915_5;
            let p3 = p3 * -1.961_570_6;
            let p4 = p4 * -0.390_180_64;
            let odd = [
                s[1] * 1.501_321_1 + p1 + p4,
                s[3] * 3.072_711 + p2 + p3,
                s[5] * 2.053_12 + p2 + p4,
                s[7] * 0.298_631_34 + p1 + p3,
            ];
            for (n, (even, odd)) in even.into_iter().zip(odd).enumerate() {
                (out[n], out[7 - n]) = (even + odd, even - odd);
            }
        }
    }
    out
}

/// The rotation that four samples need of frequencies 1 and 3, and eight of 2 and 6.
#[inline(always)]
fn turned<const L: usize>(low: Lanes<L>, high: Lanes<L>) -> (Lanes<L>, Lanes<L>) {
    let both = (low + high) * 0.541_196_1;
    (both + high * -1.847_759_1, both + low * 0.765_366_9)
}

/// `WIDTH` × `HEIGHT` samples of a block, whose coefficients are transposed, into rows of `out`,
/// `stride` apart.
#[inline]
pub fn block<const WIDTH: usize, const HEIGHT: usize>(
    coefficients: &[f32; 64],
    out: &mut [u8],
    stride: usize,
) {
    if WIDTH.max(HEIGHT) <= 4 {
        in_lanes::<WIDTH, HEIGHT, 4>(coefficients, out, stride);
    } else {
        in_lanes::<WIDTH, HEIGHT, 8>(coefficients, out, stride);
    }
}

#[inline(always)]
fn in_lanes<const WIDTH: usize, const HEIGHT: usize, const L: usize>(
    coefficients: &[f32; 64],
    out: &mut [u8],
    stride: usize,
) {
    let column = |u: usize| Lanes(std::array::from_fn(|v| coefficients[u * 8 + v]));
    let across = lines::<WIDTH, L>(std::array::from_fn(column));
    let down = lines::<HEIGHT, L>(transpose(across));
    for (row, line) in down.iter().take(HEIGHT).enumerate() {
        for (sample, value) in out[row * stride..][..WIDTH].iter_mut().zip(line.0) {
            *sample = self::sample(value);
        }
    }
}

/// The same for 2 × 2 samples, for which eight lines at a time would be a waste.
fn quarter(coefficients: &[f32; 64], out: &mut [u8], stride: usize) {
    let [mean, down, across, both] = [0, 1, 8, 9].map(|at: usize| coefficients[at]);
    let (left, right) = (mean + across, mean - across);
    let (slope_left, slope_right) = (down + both, down - both);
    let top = [sample(left + slope_left), sample(right + slope_right)];
    let bottom = [sample(left - slope_left), sample(right - slope_right)];
    out[..2].copy_from_slice(&top);
    out[stride..stride + 2].copy_from_slice(&bottom);
}

/// √8 twice, and around 128.
#[inline(always)]
fn sample(value: f32) -> u8 {
    let value = value * 0.125 + 128.0;
    // Unlike `clamp`, these are one instruction for all lanes.
    let value = if value > 255.0 { 255.0 } else { value };
    nearest(if value < 0.0 { 0.0 } else { value }) as u8
}

/// A block that has but its mean.
pub fn flat(mean: f32, (width, height): (usize, usize), out: &mut [u8], stride: usize) {
    let value = sample(mean);
    for row in 0..height {
        out[row * stride..][..width].fill(value);
    }
}

/// The place in the order of the file behind which a transform to so many samples across and down
/// does not look.
pub fn last(width: usize, height: usize) -> usize {
    match width.max(height) {
        1 => 0,
        2 => 4,
        4 => 24,
        _ => 63,
    }
}

/// Coefficients into rows of samples, so far apart.
pub type Transform = fn(&[f32; 64], &mut [u8], usize);

/// The transform for this many samples across and down, of 1, 2, 4 and 8; `None` for others.
pub fn of(width: usize, height: usize) -> Option<Transform> {
    Some(match (width, height) {
        (1, 1) => block::<1, 1>,
        (1, 2) => block::<1, 2>,
        (2, 1) => block::<2, 1>,
        (1, 4) => block::<1, 4>,
        (4, 1) => block::<4, 1>,
        (2, 2) => quarter,
        (2, 4) => block::<2, 4>,
        (4, 2) => block::<4, 2>,
        (2, 8) => block::<2, 8>,
        (8, 2) => block::<8, 2>,
        (4, 4) => block::<4, 4>,
        (4, 8) => block::<4, 8>,
        (8, 4) => block::<8, 4>,
        (8, 8) => block::<8, 8>,
        _ => return None,
    })
}
