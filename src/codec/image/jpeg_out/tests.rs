use zune_jpeg::{JpegDecoder, zune_core::bytestream::ZCursor};

use super::*;
use crate::{
    codec::image::raster::{Layout, Raster},
    model::{Chroma, Dimensions},
};

/// A picture with gradients, an edge and colour.
fn picture(width: u32, height: u32, layout: Layout) -> Raster {
    let n = layout.channels();
    let pixels = (0..width * height)
        .flat_map(|i| {
            let (x, y) = (i % width, i / width);
            let edge = if x + 2 * y > width { 60 } else { 0 };
            [(x * 3 % 190 + edge) as u8, (y * 2 % 190 + edge) as u8, ((x + y) % 200) as u8]
                .into_iter()
                .take(n)
        })
        .collect();
    Raster::new(Dimensions::new(width, height).unwrap(), layout, pixels).unwrap()
}

fn encode(raster: &Raster, quality: u8, chroma: Chroma, cap: u64) -> Result<Buffer, EncodeError> {
    let stop = Stop::never();
    let transformed = Transformed::new(raster, chroma, &stop)?;
    encode_baseline(&transformed, Quality::new(quality), Bytes::new(cap), &stop)
}

/// Pixels in the layout given, by `zune-jpeg`, and dimensions.
fn decode(jpeg: &[u8], layout: Layout) -> (Vec<u8>, (usize, usize)) {
    let mut decoder = JpegDecoder::new(ZCursor::new(jpeg));
    let pixels = decoder.decode().unwrap();
    let dimensions = decoder.dimensions().unwrap();
    // It makes RGB of gray.
    let step = pixels.len() / (dimensions.0 * dimensions.1) / layout.channels();
    (pixels.into_iter().step_by(step.max(1)).collect(), dimensions)
}

#[test]
fn an_independent_decoder_sees_the_same_picture() {
    for (width, height) in [(1, 1), (7, 9), (16, 16), (17, 33), (64, 48), (101, 75)] {
        for layout in [Layout::Gray, Layout::Rgb] {
            for chroma in [Chroma::Quarter, Chroma::Full] {
                let raster = picture(width, height, layout);
                let jpeg = encode(&raster, 95, chroma, u64::MAX).unwrap();
                let (pixels, dimensions) = decode(&jpeg, layout);
                assert_eq!(dimensions, (width as usize, height as usize));
                assert_eq!(pixels.len(), raster.pixels().len());
                let total: u64 = pixels
                    .iter()
                    .zip(raster.pixels())
                    .map(|(a, b)| u64::from(a.abs_diff(*b)))
                    .sum();
                let mean = total as f64 / pixels.len() as f64;
                // The wrap of the ramps is a hard chroma edge that 4:2:0 cannot keep.
                // (Smallest pictures are all edge: 2.15 measured for 7x9.)
                let allowed =
                    if chroma == Chroma::Full || layout == Layout::Gray { 2.5 } else { 5.0 };
                assert!(mean < allowed, "{width}x{height} {layout:?} {chroma:?}: {mean}");
            }
        }
    }
}

#[test]
fn every_quality_decodes_and_more_quality_is_more_bytes() {
    let raster = picture(120, 90, Layout::Rgb);
    let sizes: Vec<usize> = [1, 10, 30, 50, 75, 90, 100]
        .into_iter()
        .map(|quality| {
            let jpeg = encode(&raster, quality, Chroma::Quarter, u64::MAX).unwrap();
            JpegDecoder::new(ZCursor::new(jpeg.as_ref())).decode().unwrap();
            jpeg.len()
        })
        .collect();
    assert!(sizes.is_sorted(), "{sizes:?}");
}

#[test]
fn the_cap_is_exact_and_the_bound_is_close() {
    let raster = picture(200, 150, Layout::Rgb);
    let whole = encode(&raster, 80, Chroma::Quarter, u64::MAX).unwrap().len() as u64;
    assert!(encode(&raster, 80, Chroma::Quarter, whole).is_ok());
    for cap in [0, 100, whole / 2, whole - 1] {
        match encode(&raster, 80, Chroma::Quarter, cap) {
            Err(EncodeError::OverCap { at_least }) => {
                assert!(at_least.get() > cap && at_least.get() <= whole);
                assert!(at_least.get() * 100 >= whole * 97, "{at_least:?} of {whole}");
            }
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn an_extreme_block_stays_within_baseline() {
    // A checkerboard at quality 100 has the largest coefficients that there are.
    let pixels = (0..64_u32 * 64).map(|i| if (i + i / 64) % 2 == 0 { 255 } else { 0 }).collect();
    let raster = Raster::new(Dimensions::new(64, 64).unwrap(), Layout::Gray, pixels).unwrap();
    let jpeg = encode(&raster, 100, Chroma::Full, u64::MAX).unwrap();
    let (pixels, _) = decode(&jpeg, Layout::Gray);
    let worst = pixels.iter().zip(raster.pixels()).map(|(a, b)| a.abs_diff(*b)).max();
    assert!(worst < Some(6), "{worst:?}");
}

#[test]
fn the_measure_is_the_size() {
    let stop = Stop::never();
    for layout in [Layout::Gray, Layout::Rgb] {
        for chroma in [Chroma::Quarter, Chroma::Full] {
            let raster = picture(640, 480, layout);
            let transformed = Transformed::new(&raster, chroma, &stop).unwrap();
            for tenths in [50, 300, 555, 800, 953, 1000] {
                let quality = Quality::from_tenths(tenths);
                let measured = measure_baseline(&transformed, quality, &stop).unwrap();
                let cap = Bytes::new(u64::MAX);
                let whole = encode_baseline(&transformed, quality, cap, &stop).unwrap();
                let off = measured.get() as f64 / whole.len() as f64 - 1.0;
                assert!(off.abs() < 0.006, "{layout:?} {chroma:?} {tenths}: {off}");
            }
        }
    }
}
