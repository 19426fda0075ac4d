//! The inverse DCT at a fraction of the size: of every 8 × 8 block the lowest frequencies alone,
//! as many as there are samples. After Loeffler, Ligtenberg and Moschytz (ICASSP 1989), as
//! stb_image and `jpeg-decoder` have it, in floating point and eight lines at a time.
//!
//! The means of the samples, which libjpeg gives, are softer: half a point of SSIMULACRA2 less at
//! 640×480 and 100 kB (14 photos, 2026-11-26).

use magetypes::simd::{
    backends::{F32x4Backend, F32x8Backend},
    generic::{f32x4, f32x8},
};

use crate::codec::image::lanes::{Lanes, SHIFT, nearest};

/// A machine's vectors of eight and of four.
pub trait Vectors: F32x8Backend + F32x4Backend {}

impl<T: F32x8Backend + F32x4Backend> Vectors for T {}

/// One dimension of `L` lines: `N` samples of `N` frequencies, both times √8. What is behind those
/// has no meaning.
#[inline(always)]
fn lines<const N: usize, V: Lanes, const L: usize>(s: [V; L]) -> [V; L] {
    let mut out = s;
    match N {
        1 => {}
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
fn turned<V: Lanes>(low: V, high: V) -> (V, V) {
    let both = (low + high) * 0.541_196_1;
    (both + high * -1.847_759_1, both + low * 0.765_366_9)
}

/// `WIDTH` × `HEIGHT` samples of a block, whose coefficients are transposed, into rows of `out`,
/// `stride` apart; of at least one side of eight.
#[inline(always)]
fn eight<const WIDTH: usize, const HEIGHT: usize, T: Vectors>(
    token: T,
    coefficients: &[f32; 64],
    out: &mut [u8],
    stride: usize,
) {
    let (columns, _) = coefficients.as_chunks::<8>();
    let columns = std::array::from_fn(|u| f32x8::load_t(token, &columns[u]));
    let across = lines::<WIDTH, _, 8>(columns);
    let down = lines::<HEIGHT, _, 8>(f32x8::transpose_8x8_copy(across));
    // All of them at once become bytes in half of the time that each row by itself takes.
    let mut rows = [0; 64];
    for (row, line) in rows.as_chunks_mut::<8>().0.iter_mut().zip(down) {
        let (low, high) = (f32x8::zero_t(token), f32x8::splat_t(token, 255.0));
        let line = (line * 0.125 + 128.0).min(high).max(low) + SHIFT;
        *row = line.to_array().map(f32::to_bits);
    }
    let rows = rows.map(|value| value as u8);
    for (y, row) in rows.as_chunks::<8>().0.iter().take(HEIGHT).enumerate() {
        out[y * stride..][..WIDTH].copy_from_slice(&row[..WIDTH]);
    }
}

/// The same of sides of four at most.
#[inline(always)]
fn four<const WIDTH: usize, const HEIGHT: usize, T: Vectors>(
    token: T,
    coefficients: &[f32; 64],
    out: &mut [u8],
    stride: usize,
) {
    let (columns, _) = coefficients.as_chunks::<4>();
    let columns = std::array::from_fn(|u| f32x4::load_t(token, &columns[2 * u]));
    let across = lines::<WIDTH, _, 4>(columns);
    let down = lines::<HEIGHT, _, 4>(f32x4::transpose_4x4_copy(across));
    let mut rows = [0; 16];
    for (row, line) in rows.as_chunks_mut::<4>().0.iter_mut().zip(down) {
        let (low, high) = (f32x4::zero_t(token), f32x4::splat_t(token, 255.0));
        let line = (line * 0.125 + 128.0).min(high).max(low) + SHIFT;
        *row = line.to_array().map(f32::to_bits);
    }
    let rows = rows.map(|value| value as u8);
    for (y, row) in rows.as_chunks::<4>().0.iter().take(HEIGHT).enumerate() {
        out[y * stride..][..WIDTH].copy_from_slice(&row[..WIDTH]);
    }
}

/// The same for 2 × 2 samples, for which more lines at a time would be a waste.
#[inline(always)]
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
    // Unlike `clamp`, these are one instruction.
    let value = if value > 255.0 { 255.0 } else { value };
    nearest(if value < 0.0 { 0.0 } else { value }) as u8
}

/// A block that has but its mean.
#[inline(always)]
pub fn flat(mean: f32, (width, height): (usize, usize), out: &mut [u8], stride: usize) {
    let value = sample(mean);
    // Of a length that is not known it would be a call for each row.
    match width {
        8 => rows_of::<8>(value, height, out, stride),
        4 => rows_of::<4>(value, height, out, stride),
        2 => rows_of::<2>(value, height, out, stride),
        _ => rows_of::<1>(value, height, out, stride),
    }
}

#[inline(always)]
fn rows_of<const WIDTH: usize>(value: u8, height: usize, out: &mut [u8], stride: usize) {
    for row in 0..height {
        out[row * stride..][..WIDTH].copy_from_slice(&[value; WIDTH]);
    }
}

/// The place in the order of the file behind which a transform to this many samples across and down
/// does not look.
pub fn last(width: usize, height: usize) -> usize {
    match width.max(height) {
        1 => 0,
        2 => 4,
        4 => 24,
        _ => 63,
    }
}

/// Whether there is a transform for this many samples across and down: of 1, 2, 4 and 8, but for
/// the longest strips.
pub fn exists((width, height): (usize, usize)) -> bool {
    let known = |side| matches!(side, 1 | 2 | 4 | 8);
    known(width) && known(height) && !matches!((width, height), (1, 8) | (8, 1))
}

/// As many samples across and down as `size` says, for which there is a transform, into rows of
/// `out`, `stride` apart. A choice for each block instead of a pointer: what is called by a pointer
/// is compiled for the least of machines.
#[inline(always)]
pub fn transform<T: Vectors>(
    token: T,
    coefficients: &[f32; 64],
    size: (usize, usize),
    out: &mut [u8],
    stride: usize,
) {
    match size {
        (8, 8) => eight::<8, 8, T>(token, coefficients, out, stride),
        (4, 4) => four::<4, 4, T>(token, coefficients, out, stride),
        (2, 2) => quarter(coefficients, out, stride),
        (4, 8) => eight::<4, 8, T>(token, coefficients, out, stride),
        (8, 4) => eight::<8, 4, T>(token, coefficients, out, stride),
        (2, 8) => eight::<2, 8, T>(token, coefficients, out, stride),
        (8, 2) => eight::<8, 2, T>(token, coefficients, out, stride),
        (2, 4) => four::<2, 4, T>(token, coefficients, out, stride),
        (4, 2) => four::<4, 2, T>(token, coefficients, out, stride),
        (1, 4) => four::<1, 4, T>(token, coefficients, out, stride),
        (4, 1) => four::<4, 1, T>(token, coefficients, out, stride),
        (1, 2) => four::<1, 2, T>(token, coefficients, out, stride),
        (2, 1) => four::<2, 1, T>(token, coefficients, out, stride),
        _ => four::<1, 1, T>(token, coefficients, out, stride),
    }
}

#[cfg(test)]
mod tests {
    use archmage::prelude::*;

    use super::*;

    #[magetypes(v3, neon, scalar)]
    fn samples(token: Token, block: &[f32; 64], size: (usize, usize)) -> [u8; 64] {
        let mut out = [0; 64];
        transform(token, block, size, &mut out, 8);
        out
    }

    #[test]
    fn this_machine_gives_what_the_least_gives() {
        let mut state = 1_u32;
        let mut random = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 16) as f32 / 64.0 - 512.0
        };
        let sides = [1, 2, 4, 8];
        for size in sides.into_iter().flat_map(|w| sides.map(|h| (w, h))).filter(|s| exists(*s)) {
            for _ in 0..100 {
                let block = std::array::from_fn(|at| random() / (1 + at % 8 + at / 8) as f32);
                let here = incant!(samples(&block, size), [v3, neon, scalar]);
                assert_eq!(here, samples_scalar(ScalarToken, &block, size), "{size:?}");
            }
        }
    }
}
