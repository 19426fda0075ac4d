//! The inverse DCT at a fraction of the size: of every 8 × 8 block the lowest frequencies alone,
//! as many as there are samples. Fixed point after Loeffler, Ligtenberg and Moschytz (ICASSP 1989),
//! as stb_image and `jpeg-decoder` have it.

use std::num::Wrapping;

type W = Wrapping<i32>;

/// Fractional bits of the constants, and of the values between the two passes.
const CONST_BITS: usize = 12;
const PASS_BITS: usize = 2;

const fn fixed(value: f64) -> W {
    let scaled = value * (1 << CONST_BITS) as f64;
    Wrapping(if scaled < 0.0 { scaled - 0.5 } else { scaled + 0.5 } as i32)
}

/// One dimension: `N` samples of `N` frequencies, both times √8 and the constants' scale.
#[inline]
fn line<const N: usize>(s: [W; 8]) -> [W; 8] {
    let whole = |value: W| value << CONST_BITS;
    let mut out = [Wrapping(0); 8];
    match N {
        1 => out[0] = whole(s[0]),
        2 => (out[0], out[1]) = (whole(s[0] + s[1]), whole(s[0] - s[1])),
        4 => {
            let (even, odd) = ((whole(s[0] + s[2]), whole(s[0] - s[2])), turned(s[1], s[3]));
            (out[0], out[3]) = (even.0 + odd.1, even.0 - odd.1);
            (out[1], out[2]) = (even.1 + odd.0, even.1 - odd.0);
        }
        _ => {
            let (t2, t3) = turned(s[2], s[6]);
            let (t0, t1) = (whole(s[0] + s[4]), whole(s[0] - s[4]));
            let even = [t0 + t3, t1 + t2, t1 - t2, t0 - t3];
            let (p3, p4) = (s[7] + s[3], s[5] + s[1]);
            let (p1, p2) = (s[7] + s[1], s[5] + s[3]);
            let p5 = (p3 + p4) * fixed(1.175_875_602);
            let p1 = p5 + p1 * fixed(-0.899_976_223);
            let p2 = p5 + p2 * fixed(-2.562_915_447);
            let p3 = p3 * fixed(-1.961_570_560);
            let p4 = p4 * fixed(-0.390_180_644);
            let odd = [
                s[1] * fixed(1.501_321_110) + p1 + p4,
                s[3] * fixed(3.072_711_026) + p2 + p3,
                s[5] * fixed(2.053_119_869) + p2 + p4,
                s[7] * fixed(0.298_631_336) + p1 + p3,
            ];
            for (n, (even, odd)) in even.into_iter().zip(odd).enumerate() {
                (out[n], out[7 - n]) = (even + odd, even - odd);
            }
        }
    }
    out
}

/// The rotation that four samples need of frequencies 1 and 3, and eight of 2 and 6.
#[inline]
fn turned(low: W, high: W) -> (W, W) {
    let both = (low + high) * fixed(0.541_196_100);
    (both + high * fixed(-1.847_759_065), both + low * fixed(0.765_366_865))
}

/// `WIDTH` × `HEIGHT` samples of a block into rows of `out`, `stride` apart.
#[inline]
pub fn block<const WIDTH: usize, const HEIGHT: usize>(
    coefficients: &[i32; 64],
    out: &mut [u8],
    stride: usize,
) {
    let mut between = [[Wrapping(0); 8]; 8];
    for column in 0..WIDTH {
        let s = std::array::from_fn(|row| Wrapping(coefficients[row * 8 + column]));
        let half = Wrapping(1 << (CONST_BITS - PASS_BITS - 1));
        let line = line::<HEIGHT>(s);
        for row in 0..HEIGHT {
            between[row][column] = (line[row] + half) >> (CONST_BITS - PASS_BITS);
        }
    }
    // The constants' scale, the first pass's bits, and √8 twice.
    const LAST: usize = CONST_BITS + PASS_BITS + 3;
    for (row, between) in between.iter().take(HEIGHT).enumerate() {
        let line = line::<WIDTH>(*between);
        let offset = Wrapping((1 << (LAST - 1)) + (128 << LAST));
        for (sample, value) in out[row * stride..][..WIDTH].iter_mut().zip(line) {
            *sample = ((value + offset) >> LAST).0.clamp(0, 255) as u8;
        }
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
pub type Transform = fn(&[i32; 64], &mut [u8], usize);

/// The transform for this many samples across and down, of 1, 2, 4 and 8; `None` for others.
pub fn of(width: usize, height: usize) -> Option<Transform> {
    Some(match (width, height) {
        (1, 1) => block::<1, 1>,
        (1, 2) => block::<1, 2>,
        (2, 1) => block::<2, 1>,
        (1, 4) => block::<1, 4>,
        (4, 1) => block::<4, 1>,
        (2, 2) => block::<2, 2>,
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
