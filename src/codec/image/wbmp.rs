//! WBMP type 0: one bit a pixel, no compression.
//!
//! WAP-237-WAESpec, "Wireless Bitmap": type field (multi-byte integer 0), fixed header field
//! (0x00: no extension headers), width and height as multi-byte integers, then the rows from top
//! to bottom, each padded to a whole octet, most significant bit leftmost; 1 is white, 0 black.

use bytes::Bytes as Buffer;

use super::palette::{flatten, rgba};
use super::raster::{Layout, Raster};
use crate::codec::{CodecError, DecodeLimits, EncodeError};
use crate::model::{Bytes, Dimensions, Rgb};

/// Octets behind the last row that a file may have and still be recognised: some writers pad.
const TRAILING: usize = 16;

/// Multi-byte integers are read up to this length, enough for 32 bits (WAP-230-WSP, 8.1.2).
const UINTVAR_OCTETS: usize = 5;

fn malformed(detail: &str) -> CodecError {
    CodecError::Malformed { format: "WBMP", detail: detail.into() }
}

/// Whether `bytes` are a WBMP type 0. The format has no magic number, so the length must match
/// the header as well.
pub fn recognise(bytes: &[u8]) -> bool {
    let Ok((dimensions, start)) = header(bytes) else { return false };
    let Some(rows) = rows_len(dimensions) else { return false };
    let found = (bytes.len() - start) as u64;
    (rows..=rows.saturating_add(TRAILING as u64)).contains(&found)
}

/// Width and height.
///
/// # Errors
/// Malformed if it is no header of type 0.
pub fn read_header(bytes: &[u8]) -> Result<Dimensions, CodecError> {
    header(bytes).map(|(dimensions, _)| dimensions)
}

/// Dimensions and where the rows begin.
fn header(bytes: &[u8]) -> Result<(Dimensions, usize), CodecError> {
    let [0, 0, rest @ ..] = bytes else {
        return Err(malformed("not type 0 with a fixed header of 0"));
    };
    let read = || {
        let (width, after_width) = uintvar(rest)?;
        let (height, after_height) = uintvar(after_width)?;
        Some((Dimensions::new(width, height)?, bytes.len() - after_height.len()))
    };
    read().ok_or_else(|| malformed("width or height is zero, too long, or missing"))
}

fn uintvar(bytes: &[u8]) -> Option<(u32, &[u8])> {
    let mut value = 0_u64;
    for (at, octet) in bytes.iter().enumerate().take(UINTVAR_OCTETS) {
        value = value << 7 | u64::from(octet & 0x7F);
        if octet & 0x80 == 0 {
            return Some((u32::try_from(value).ok()?, bytes.get(at + 1..)?));
        }
    }
    None
}

fn put_uintvar(out: &mut Vec<u8>, value: u32) {
    let octets = (32 - value.leading_zeros()).div_ceil(7).max(1);
    for left in (0..octets).rev() {
        let more = if left > 0 { 0x80 } else { 0 };
        out.push((value >> (7 * left)) as u8 & 0x7F | more);
    }
}

fn rows_len(dimensions: Dimensions) -> Option<u64> {
    u64::from(dimensions.width().div_ceil(8)).checked_mul(dimensions.height().into())
}

/// Decodes to [`Layout::Gray`] of 0 and 255. Rows that are missing are white, if any is there.
///
/// # Errors
/// A bad header, no complete row, or more pixels than `limits` allow.
pub fn decode(input: &Buffer, limits: &DecodeLimits) -> Result<Raster, CodecError> {
    let (dimensions, start) = header(input)?;
    for (what, limit) in
        [("pixels", limits.max_pixels), ("memory of an image", limits.max_memory.get())]
    {
        if dimensions.pixels() > limit {
            return Err(CodecError::Limit { what, found: dimensions.pixels(), limit });
        }
    }
    let width = dimensions.width() as usize;
    let rows = input.get(start..).unwrap_or_default();
    if rows.len() < width.div_ceil(8) {
        return Err(malformed("not one complete row"));
    }
    let mut pixels = vec![255; dimensions.pixels() as usize];
    for (row, octets) in pixels.chunks_exact_mut(width).zip(rows.chunks_exact(width.div_ceil(8))) {
        for (chunk, octet) in row.chunks_mut(8).zip(octets) {
            for (bit, pixel) in chunk.iter_mut().enumerate() {
                *pixel = if octet & (0x80 >> bit) != 0 { 255 } else { 0 };
            }
        }
    }
    Raster::new(dimensions, Layout::Gray, pixels)
        .ok_or_else(|| CodecError::Internal("WBMP rows do not add up".into()))
}

/// Encodes in black and white: transparency in front of `background`, luma, Floyd–Steinberg in
/// serpentine order. What is already black and white stays as it is.
///
/// # Errors
/// [`EncodeError::OverCap`], before any pixel is touched: the size follows from the dimensions.
pub fn encode(raster: &Raster, background: Rgb, cap: Bytes) -> Result<Buffer, EncodeError> {
    let dimensions = raster.dimensions();
    let mut out = vec![0, 0];
    put_uintvar(&mut out, dimensions.width());
    put_uintvar(&mut out, dimensions.height());
    let total = Bytes::of(&out) + Bytes::new(rows_len(dimensions).unwrap_or(u64::MAX));
    if total > cap {
        return Err(EncodeError::OverCap { at_least: total });
    }
    out.reserve_exact(total.as_usize() - out.len());
    let linear = linear_table();
    let luma: Vec<i32> = rgba(raster)
        .into_iter()
        .map(|pixel| {
            let [r, g, b, _] = flatten(pixel, background).map(|c| linear[usize::from(c)]);
            // Rec. 709 weights; they add up to 65536
            ((i64::from(r) * 13933 + i64::from(g) * 46871 + i64::from(b) * 4732) >> 16) as i32
        })
        .collect();
    dither(&luma, dimensions.width() as usize, &mut out);
    Ok(Buffer::from(out))
}

/// sRGB to linear light, 0…65535: dots mix by light, so the error must be of light too.
fn linear_table() -> [i32; 256] {
    std::array::from_fn(|value| {
        let c = value as f64 / 255.0;
        let linear = if c <= 0.04045 { c / 12.92 } else { ((c + 0.055) / 1.055).powf(2.4) };
        (linear * 65535.0).round() as i32
    })
}

/// Floyd and Steinberg 1976, every other row from right to left.
fn dither(luma: &[i32], width: usize, out: &mut Vec<u8>) {
    // one pixel of margin on each side takes what would leave the image
    let mut here = vec![0_i32; width + 2];
    let mut below = vec![0_i32; width + 2];
    for (y, row) in luma.chunks_exact(width.max(1)).enumerate() {
        let mut bits = vec![0_u8; width.div_ceil(8)];
        for step in 0..width {
            let (x, ahead) =
                if y % 2 == 0 { (step, step + 2) } else { (width - 1 - step, width - 1 - step) };
            let behind = 2 * (x + 1) - ahead;
            let value = row[x] + here[x + 1] / 16;
            let white = value >= 32768;
            if white {
                bits[x / 8] |= 0x80 >> (x % 8);
            }
            let error = value - if white { 65535 } else { 0 };
            here[ahead] += error * 7;
            below[behind] += error * 3;
            below[x + 1] += error * 5;
            below[ahead] += error;
        }
        out.extend_from_slice(&bits);
        std::mem::swap(&mut here, &mut below);
        below.fill(0);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const WHITE: Rgb = [255, 255, 255];

    fn gray(width: u32, height: u32, pixels: Vec<u8>) -> Raster {
        let size = Dimensions::new(width, height).expect("not zero");
        Raster::new(size, Layout::Gray, pixels).expect("lengths agree")
    }

    #[test]
    fn the_bytes_are_those_of_the_standard() {
        let image = gray(10, 2, [vec![255; 10], vec![0; 9], vec![255]].concat());
        let bytes = encode(&image, WHITE, Bytes::new(100)).expect("fits");
        assert_eq!(bytes.as_ref(), [0, 0, 10, 2, 0xFF, 0xC0, 0x00, 0x40]);
        let wide = encode(&gray(300, 1, vec![0; 300]), WHITE, Bytes::new(100)).expect("fits");
        assert_eq!(wide[..5], [0, 0, 0x82, 0x2C, 1]);
    }

    #[test]
    fn tones_keep_their_light_and_clear_pixels_show_the_background() {
        let size = Dimensions::new(64, 64).expect("not zero");
        let share = |raster: &Raster, background| {
            let bytes = encode(raster, background, Bytes::new(1000)).expect("fits");
            let decoded = decode(&bytes, &DecodeLimits::default()).expect("ours");
            decoded.pixels().iter().filter(|p| **p == 255).count() as f64 / 4096.0
        };
        // sRGB 128 is 21.6 % of the light
        assert!((share(&gray(64, 64, vec![128; 4096]), WHITE) - 0.216).abs() < 0.01);
        let clear = Raster::new(size, Layout::Rgba, vec![0; 4 * 4096]).expect("lengths agree");
        assert_eq!((share(&clear, WHITE), share(&clear, [0, 0, 0])), (1.0, 0.0));
    }

    #[test]
    fn strangers_are_not_recognised() {
        let good = [0, 0, 10, 2, 0xFF, 0xC0, 0, 0x40];
        assert!(recognise(&good));
        for bad in [
            &[][..],
            &[0],
            &[0, 0],
            &[0, 0, 10],
            &[0, 0, 0, 2, 1],
            &[0, 0, 10, 2, 0xFF],
            &[1, 0, 10, 2, 0xFF, 0xC0, 0, 0x40],
            &[0, 0x80, 10, 2, 0xFF, 0xC0, 0, 0x40],
            &[0, 0, 0x80, 0x80, 0x80, 0x80, 0x80, 1, 1, 1],
            &[0; 100],
        ] {
            assert!(!recognise(bad), "{bad:?}");
        }
        let huge = Buffer::from_static(&[0, 0, 0x8F, 0xFF, 0xFF, 0xFF, 0x7F, 0x7F, 1]);
        assert!(matches!(decode(&huge, &DecodeLimits::default()), Err(CodecError::Limit { .. })));
    }

    proptest! {
        #[test]
        fn black_and_white_comes_back(
            (width, height, bits) in (1..70_u32, 1..20_u32).prop_flat_map(|(w, h)| {
                (Just(w), Just(h), prop::collection::vec(any::<bool>(), (w * h) as usize))
            }),
            cap in 0..300_u64,
        ) {
            let image =
                gray(width, height, bits.iter().map(|b| if *b { 255 } else { 0 }).collect());
            match encode(&image, WHITE, Bytes::new(cap)) {
                Ok(bytes) => {
                    prop_assert!(Bytes::of(&bytes).get() <= cap);
                    prop_assert!(recognise(&bytes));
                    prop_assert_eq!(
                        decode(&bytes, &DecodeLimits::default()).expect("ours"), image
                    );
                }
                Err(EncodeError::OverCap { at_least }) => prop_assert!(at_least.get() > cap),
                Err(e) => prop_assert!(false, "{}", e),
            }
        }

        #[test]
        fn any_bytes_are_survived(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
            let mut input = vec![0, 0];
            input.extend(bytes);
            let limits = DecodeLimits { max_pixels: 10_000, ..DecodeLimits::default() };
            let known = recognise(&input);
            let result = decode(&Buffer::from(input), &limits);
            let malformed = matches!(result, Err(CodecError::Malformed { .. }));
            prop_assert!(!known || !malformed);
        }
    }
}
