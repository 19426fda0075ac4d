use super::*;
use crate::{
    codec::image::raster::{Layout, Raster},
    model::{Chroma, Dimensions},
};

/// Something between a photo and noise, deterministic.
fn picture(w: u32, h: u32, layout: Layout) -> Raster {
    let mut state = 7u32;
    let mut pixels = Vec::new();
    for y in 0..h {
        for x in 0..w {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let noise = (state >> 28) as u8;
            let v = ((x * 3 + y * 2) % 200) as u8 + noise;
            match layout {
                Layout::Gray => pixels.push(v),
                _ => pixels.extend_from_slice(&[v, 255 - v, (x % 256) as u8]),
            }
        }
    }
    Raster::new(Dimensions::new(w, h).unwrap(), layout, pixels).unwrap()
}

fn encode(raster: &Raster, quality: u8, chroma: Chroma) -> (Bytes, Buffer) {
    let (estimate, quantised) = measure(&Planes::of(raster, chroma), Quality::new(quality));
    let out = write(&quantised, Bytes::new(u64::MAX), &Stop::never()).unwrap();
    (estimate, out)
}

/// Mean absolute error after decoding with `decode`.
fn error(raster: &Raster, decoded: &[u8]) -> f64 {
    let pixels = raster.pixels();
    assert_eq!(decoded.len(), pixels.len());
    let sum: u64 = pixels.iter().zip(decoded).map(|(a, b)| u64::from(a.abs_diff(*b))).sum();
    sum as f64 / pixels.len() as f64
}

fn with_jpeg_decoder(jpeg: &[u8]) -> Vec<u8> {
    jpeg_decoder::Decoder::new(jpeg).decode().unwrap()
}

fn with_zune(jpeg: &[u8], gray: bool) -> Vec<u8> {
    let image = image::load_from_memory(jpeg).unwrap();
    if gray { image.into_luma8().into_raw() } else { image.into_rgb8().into_raw() }
}

#[test]
fn two_other_decoders_see_the_picture() {
    for (w, h) in [(64, 48), (1, 1), (17, 9), (8, 8), (33, 100)] {
        for layout in [Layout::Rgb, Layout::Gray] {
            for chroma in [Chroma::Full, Chroma::Quarter] {
                let raster = picture(w, h, layout);
                let (_, jpeg) = encode(&raster, 98, chroma);
                let first = error(&raster, &with_jpeg_decoder(&jpeg));
                let second = error(&raster, &with_zune(&jpeg, layout == Layout::Gray));
                let most = if chroma == Chroma::Quarter { 12.0 } else { 2.5 };
                assert!(first < most, "{w}x{h} {layout:?} {chroma:?}: {first}");
                assert!(second < most, "{w}x{h} {layout:?} {chroma:?}: {second}");
            }
        }
    }
}

#[test]
fn the_measure_is_the_size() {
    let raster = picture(640, 480, Layout::Rgb);
    for quality in [5, 30, 60, 80, 95, 100] {
        for chroma in [Chroma::Full, Chroma::Quarter] {
            let (estimate, jpeg) = encode(&raster, quality, chroma);
            let off = estimate.get() as f64 / jpeg.len() as f64 - 1.0;
            assert!(off.abs() < 0.006, "q{quality} {chroma:?}: {off}");
        }
    }
}

#[test]
fn the_cap_is_kept_and_the_bound_is_a_bound() {
    let raster = picture(200, 200, Layout::Rgb);
    let (_, quantised) = measure(&Planes::of(&raster, Chroma::Quarter), Quality::new(80));
    let whole = write(&quantised, Bytes::new(u64::MAX), &Stop::never()).unwrap();
    for cap in [0, 100, whole.len() as u64 - 1] {
        match write(&quantised, Bytes::new(cap), &Stop::never()) {
            Err(EncodeError::OverCap { at_least }) => {
                assert!(at_least.get() > cap && at_least.get() <= whole.len() as u64);
            }
            other => panic!("{other:?}"),
        }
    }
    let exact = write(&quantised, Bytes::of(&whole), &Stop::never()).unwrap();
    assert_eq!(exact, whole);
}

#[test]
fn extremes_of_samples_stay_within_the_categories() {
    for value in [0u8, 255] {
        let pixels: Vec<u8> = (0..32 * 32)
            .map(|i| if (i / 3 + i / 32) % 2 == 0 { value } else { 255 - value })
            .collect();
        let size = Dimensions::new(32, 32).unwrap();
        let raster = Raster::new(size, Layout::Gray, pixels).unwrap();
        let (_, jpeg) = encode(&raster, 100, Chroma::Full);
        assert!(error(&raster, &with_jpeg_decoder(&jpeg)) < 1.5);
    }
}

proptest::proptest! {
    #[test]
    fn any_pixels_survive(
        w in 1u32..40, h in 1u32..40, quality in 1u8..=100, full in proptest::bool::ANY,
        seed in proptest::collection::vec(proptest::num::u8::ANY, 1..64),
    ) {
        let pixels: Vec<u8> =
            (0..(w * h * 3) as usize).map(|i| seed[i % seed.len()].wrapping_mul(i as u8)).collect();
        let size = Dimensions::new(w, h).unwrap();
        let raster = Raster::new(size, Layout::Rgb, pixels).unwrap();
        let chroma = if full { Chroma::Full } else { Chroma::Quarter };
        let (_, jpeg) = encode(&raster, quality, chroma);
        proptest::prop_assert_eq!(with_jpeg_decoder(&jpeg).len(), (w * h * 3) as usize);
    }
}
