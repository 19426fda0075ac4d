//! Where the pixels come to lie.

use jpeg_encoder::{ColorType, Encoder};

use super::*;
use crate::{
    codec::image::{header, raster::Layout, resize::resize},
    model::Orientation,
};

/// A slope of light across and down, as JPEG, turned as EXIF `orientation` says.
fn slope(width: u16, height: u16, orientation: u8) -> Buffer {
    let light = |x: u16, y: u16| {
        let (x, y) = (f64::from(x) / f64::from(width), f64::from(y) / f64::from(height));
        (20.0 + 105.0 * (x + y)).round() as u8
    };
    let pixels: Vec<u8> = (0..height).flat_map(|y| (0..width).map(move |x| light(x, y))).collect();
    let mut out = Vec::new();
    let mut encoder = Encoder::new(&mut out, 100);
    let exif = [
        b"Exif\0\0MM\0\x2A\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0".as_slice(),
        &[orientation, 0, 0, 0, 0, 0, 0],
    ]
    .concat();
    encoder.add_app_segment(1, exif).unwrap();
    encoder.encode(&pixels, width, height, ColorType::Luma).unwrap();
    out.into()
}

fn decoded(bytes: &Buffer, largest: Dimensions) -> Raster {
    let limits = DecodeLimits::default();
    let header = header::read(bytes, &limits).unwrap();
    let hint = OpenHint { largest, animation: false, effort: Effort::Fast };
    decode(bytes, &header, hint, &limits, &Stop::never()).unwrap().raster
}

/// By how many pixels of `shown` the image is wider and higher than when the whole is decoded.
/// Light that is more or less all over is no displacement.
fn stretch(bytes: &Buffer, shown: Dimensions) -> [f64; 2] {
    let whole = decoded(bytes, Dimensions::new(u32::MAX, u32::MAX).unwrap());
    let scaled = decoded(bytes, shown);
    assert!(scaled.dimensions().pixels() < whole.dimensions().pixels(), "was not scaled");
    let [whole, scaled] = [whole, scaled].map(|raster| {
        assert_eq!(raster.layout(), Layout::Gray);
        resize(&raster, shown).unwrap().into_pixels()
    });
    let (width, height) = (shown.width() as usize, shown.height() as usize);
    let mean = |of: &dyn Fn(usize, usize) -> bool| {
        let (mut sum, mut count) = (0.0, 0.0);
        for (at, (a, b)) in whole.iter().zip(&scaled).enumerate() {
            if of(at % width, at / width) {
                sum += f64::from(*a) - f64::from(*b);
                count += 1.0;
            }
        }
        sum / count
    };
    let (left, right) = (mean(&|x, _| x < width / 8), mean(&|x, _| x >= width - width / 8));
    let (top, bottom) = (mean(&|_, y| y < height / 8), mean(&|_, y| y >= height - height / 8));
    [(right - left) * width as f64 / 105.0, (bottom - top) * height as f64 / 105.0]
}

#[test]
fn a_scaled_decode_puts_pixels_where_a_whole_one_does() {
    // The last sample of a scaled image may stand for as little as an eighth.
    for (width, height) in [(801, 601), (1033, 577), (1001, 1007), (643, 1205), (807, 449)] {
        for orientation in [1, 3, 6, 8] {
            let bytes = slope(width, height, orientation);
            let stored = Dimensions::new(width.into(), height.into()).unwrap();
            let upright = match Orientation::from_exif(orientation.into()).swaps_sides() {
                true => stored.transposed(),
                false => stored,
            };
            for fraction in [3, 5, 7] {
                let largest = Dimensions::at_least_one(upright.width() / fraction, u32::MAX);
                let shown = upright.shrunk_into(largest);
                let found = stretch(&bytes, shown);
                assert!(
                    found.iter().all(|pixels| pixels.abs() < 0.12),
                    "{width}x{height} turned {orientation} at {shown:?}: {found:?}"
                );
            }
        }
    }
}

/// A gray baseline JPEG of 16,320 × 12,240 pixels, as a phone of 200 megapixels writes: 2.3 MB.
fn two_hundred_megapixels() -> Buffer {
    let mut out = Vec::new();
    Encoder::new(&mut out, 50).encode(&[128; 64], 8, 8, ColorType::Luma).unwrap();
    let scan = out.windows(2).position(|w| w == [0xff, 0xda]).unwrap();
    let frame = out.windows(2).position(|w| w == [0xff, 0xc0]).unwrap();
    out[frame + 5..frame + 9].copy_from_slice(&[
        (12_240_u16 >> 8) as u8,
        12_240_u16 as u8,
        (16_320_u16 >> 8) as u8,
        16_320_u16 as u8,
    ]);
    let length = usize::from(out[scan + 2]) << 8 | usize::from(out[scan + 3]);
    out.truncate(scan + 2 + length);
    // A block: no change of the mean (00), end of block (1010), by the tables of Annex K.
    let blocks = 12_240 / 8 * (16_320 / 8);
    out.extend([0b0010_1000, 0b1010_0010, 0b1000_1010].repeat(blocks / 4));
    out.extend([0xff, 0xd9]);
    out.into()
}

#[test]
fn two_hundred_megapixels_are_decoded_at_a_fraction() {
    let raster = decoded(&two_hundred_megapixels(), Dimensions::at_least_one(1600, 1200));
    assert_eq!((raster.dimensions().width(), raster.dimensions().height()), (4080, 3060));
    assert!(raster.pixels().iter().all(|v| v.abs_diff(128) <= 1));
}

/// A gray lossless JPEG (ITU-T T.81 annex H) of 16 bits: predicted by the sample to the left.
fn lossless_of_16_bits(side: u16) -> Buffer {
    let [high, low] = side.to_be_bytes();
    let mut out = vec![0xff, 0xd8, 0xff, 0xc3, 0, 11, 16, high, low, high, low, 1, 1, 0x11, 0];
    // Seventeen categories, each a code of five bits.
    out.extend([0xff, 0xc4, 0, 19 + 17, 0, 0, 0, 0, 0, 17, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    out.extend(0..17);
    out.extend([0xff, 0xda, 0, 8, 1, 1, 0, 1, 0, 0]);
    let (mut bits, mut count) = (0_u64, 0);
    let mut put = |value: u32, length: u32, out: &mut Vec<u8>| {
        bits = bits << length | u64::from(value);
        count += length;
        while count >= 8 {
            count -= 8;
            let byte = (bits >> count) as u8;
            out.push(byte);
            if byte == 0xff {
                out.push(0);
            }
        }
    };
    let sample = |x: u16, y: u16| i32::from(x) * 400 + i32::from(y) * 200;
    for y in 0..side {
        for x in 0..side {
            let predicted = match (x, y) {
                (0, 0) => 1 << 15,
                (0, _) => sample(0, y - 1),
                _ => sample(x - 1, y),
            };
            let difference = sample(x, y) - predicted;
            let category = 32 - difference.unsigned_abs().leading_zeros();
            put(category, 5, &mut out);
            let low = if difference < 0 { difference - 1 } else { difference };
            put(low as u32 & ((1 << category) - 1), category, &mut out);
        }
    }
    put(0x7f, 7, &mut out);
    out.extend([0xff, 0xd9]);
    out.into()
}

#[test]
fn lossless_jpeg_of_16_bits_is_read_or_refused_as_what_it_is() {
    let bytes = lossless_of_16_bits(64);
    let limits = DecodeLimits::default();
    let header = header::read(&bytes, &limits).unwrap();
    let largest = Dimensions::at_least_one(20, 20);
    let hint = OpenHint { largest, animation: false, effort: Effort::Fast };
    match decode(&bytes, &header, hint, &limits, &Stop::never()) {
        Ok(still) => {
            let pixels = still.raster.pixels();
            // From black to 255 × 37,800 / 65,535.
            assert!(pixels[0] < 12 && pixels[pixels.len() - 1].abs_diff(145) < 6, "{pixels:?}");
        }
        Err(error) => {
            let typed =
                matches!(error, CodecError::Unsupported { .. } | CodecError::Malformed { .. });
            assert!(typed, "{error:?}");
        }
    }
}
