//! From RGB to luma and chroma.
//!
//! One step after the other through lines of memory, and each a function of slices: loops of which
//! the compiler knows that nothing overlaps, so that it makes vectors of all of them. With AVX2
//! that is a fifth of the time of one loop from pixel to pixel (1600×1200, 2026-11-29).

use archmage::prelude::*;

/// Luma of JFIF's conversion (BT.601 with full range) in 16-bit fixed point.
#[inline(always)]
fn luma([r, g, b]: [i32; 3]) -> u8 {
    ((19595 * r + 38470 * g + 7471 * b + 32768) >> 16) as u8
}

/// Blue and red of the same, of the sums of `1 << (SHIFT - 16)` pixels: always within 0…255.
#[inline(always)]
fn chroma<const SHIFT: i32>([r, g, b]: [i32; 3]) -> [u8; 2] {
    let offset = (128 << SHIFT) + (1 << (SHIFT - 1)) - 1;
    let blue = (-11059 * r - 21709 * g + 32768 * b + offset) >> SHIFT;
    let red = (32768 * r - 27439 * g - 5329 * b + offset) >> SHIFT;
    [blue as u8, red as u8]
}

/// Each colour apart.
#[autoversion(v3)]
pub fn colors_of(row: &[[u8; 3]], r: &mut [u8], g: &mut [u8], b: &mut [u8]) {
    for (((pixel, r), g), b) in row.iter().zip(r).zip(g).zip(b) {
        [*r, *g, *b] = *pixel;
    }
}

/// Luma of colours.
#[autoversion(v3)]
pub fn luma_of(r: &[u8], g: &[u8], b: &[u8], out: &mut [u8]) {
    for (((y, r), g), b) in out.iter_mut().zip(r).zip(g).zip(b) {
        *y = luma([*r, *g, *b].map(i32::from));
    }
}

/// Chroma of colours.
#[autoversion(v3)]
pub fn chroma_of(r: &[u8], g: &[u8], b: &[u8], blue: &mut [u8], red: &mut [u8]) {
    for ((((blue, red), r), g), b) in blue.iter_mut().zip(red).zip(r).zip(g).zip(b) {
        [*blue, *red] = chroma::<16>([*r, *g, *b].map(i32::from));
    }
}

/// Chroma of what [`sums_of`] gives for each colour.
#[autoversion(v3)]
pub fn chroma_of_sums(r: &[u16], g: &[u16], b: &[u16], blue: &mut [u8], red: &mut [u8]) {
    for ((((blue, red), r), g), b) in blue.iter_mut().zip(red).zip(r).zip(g).zip(b) {
        [*blue, *red] = chroma::<18>([*r, *g, *b].map(i32::from));
    }
}

/// Sums of 2 by 2.
#[autoversion(v3)]
pub fn sums_of(top: &[u8], bottom: &[u8], out: &mut [u16]) {
    let (top, bottom) = (top.as_chunks::<2>().0, bottom.as_chunks::<2>().0);
    for ((sum, top), bottom) in out.iter_mut().zip(top).zip(bottom) {
        let [a, b, c, d] = [top[0], top[1], bottom[0], bottom[1]].map(u16::from);
        *sum = a + b + c + d;
    }
}

/// Luma of pixels.
pub fn luma_of_pixels(pixels: &[[u8; 3]]) -> Vec<u8> {
    let mut out = Vec::with_capacity(pixels.len());
    let mut lines = [[0; 512]; 4];
    for pixels in pixels.chunks(512) {
        let [r, g, b, y] = &mut lines;
        colors_of(pixels, r, g, b);
        luma_of(r, g, b, y);
        out.extend_from_slice(&y[..pixels.len()]);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_machine_gives_what_the_definition_gives() {
        // Of a length that is no multiple of anything.
        let pixels: Vec<[u8; 3]> =
            (0..1003_u32).map(|i| [i * 89, i * i * 31, (i * i) >> 5].map(|v| v as u8)).collect();
        let out = luma_of_pixels(&pixels);
        let [mut r, mut g, mut b, mut blue, mut red] = [(); 5].map(|()| out.clone());
        colors_of(&pixels, &mut r, &mut g, &mut b);
        chroma_of(&r, &g, &b, &mut blue, &mut red);
        for (at, pixel) in pixels.iter().enumerate() {
            assert_eq!([r[at], g[at], b[at]], *pixel);
            let rgb = pixel.map(i32::from);
            assert_eq!(([blue[at], red[at]], out[at]), (chroma::<16>(rgb), luma(rgb)));
        }
        let (mut sums, half) = ([(); 3].map(|()| vec![0; 501]), 501);
        for (sums, line) in sums.iter_mut().zip([&r, &g, &b]) {
            sums_of(&line[..1002], &line[1..], sums);
        }
        let [r, g, b] = &sums;
        chroma_of_sums(r, g, b, &mut blue[..half], &mut red[..half]);
        for at in 0..half {
            let cell = [2 * at, 2 * at + 1, 2 * at + 1, 2 * at + 2].map(|at| pixels[at]);
            let sum = |c: usize| cell.iter().map(|pixel| i32::from(pixel[c])).sum();
            assert_eq!([blue[at], red[at]], chroma::<18>([sum(0), sum(1), sum(2)]));
        }
    }
}
