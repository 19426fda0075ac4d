use image::ImageReader;
use proptest::prelude::*;

use super::*;
use crate::codec::image::animation::tests::corpus;
use crate::codec::image::palette::CLEAR;
use crate::codec::image::raster::Layout;

const LARGE: Bytes = Bytes::new(100_000_000);

fn clean(pixels: &[Rgba]) -> Vec<Rgba> {
    pixels.iter().map(|p| if p[3] == 0 { CLEAR } else { *p }).collect()
}

fn decode(bytes: &[u8]) -> Vec<Rgba> {
    let reader = ImageReader::with_format(std::io::Cursor::new(bytes), image::ImageFormat::Png);
    let image = reader.decode().expect("ours").into_rgba8();
    clean(image.as_raw().as_chunks::<4>().0)
}

/// Colour type and bit depth, from IHDR.
fn coding(bytes: &[u8]) -> (u8, u8) {
    (bytes[25], bytes[24])
}

fn raster(width: u32, height: u32, pixels: &[Rgba]) -> Raster {
    let size = Dimensions::new(width, height).expect("not zero");
    Raster::new(size, Layout::Rgba, pixels.as_flattened().to_vec()).expect("lengths agree")
}

#[test]
fn the_coding_follows_from_the_content() {
    let of = |color: fn(u32) -> Rgba, colors| {
        let pixels: Vec<Rgba> = (0..64 * 64).map(color).collect();
        let bytes = encode(&raster(64, 64, &pixels), colors, false, LARGE, &Stop::never());
        let bytes = bytes.expect("no cap");
        if colors.is_none() {
            assert_eq!(decode(&bytes), clean(&pixels));
        }
        coding(&bytes)
    };
    assert_eq!(of(|i| [(i % 2) as u8; 4], None), (3, 1));
    assert_eq!(of(|i| [(i % 3) as u8, 9, 9, 255], None), (3, 2));
    assert_eq!(of(|i| [(i * i / 5 % 40) as u8, 9, 9, (i % 3) as u8 + 1], None), (3, 8));
    assert_eq!(of(|i| [(i % 13) as u8, 9, 9, 255], None), (3, 4));
    assert_eq!(of(|i| [(i / 64) as u8, (i % 64) as u8, 0, 255], None), (2, 8));
    assert_eq!(of(|i| [(i / 64) as u8, (i % 64) as u8, 0, (i % 200) as u8], None), (6, 8));
    assert_eq!(of(|i| [(i / 16) as u8, (i / 16) as u8, (i / 16) as u8, 255], None).0, 0);
    for (colors, depth) in [(256, 8), (16, 4), (4, 2), (2, 1)] {
        let got = of(|i| [(i / 64) as u8 * 4, (i % 64) as u8 * 4, 0, 255], Some(colors));
        assert_eq!(got, (3, depth));
    }
}

#[test]
fn corpus_images_come_back_and_second_decoder_agrees() {
    let Some(folder) = corpus("image") else { return };
    for name in [
        "Pillow__images_pil123rgba.png",
        "image__transparency_tp0n3p08.png",
        "own_screenshot_1080x2340.png",
        "own_text_page_a4_300dpi_1bit.png",
        "sharp__grey-8bit-alpha.png",
    ] {
        let path = folder.join(name);
        let image = image::open(&path).expect(name).into_rgba8();
        let pixels = clean(image.as_raw().as_chunks::<4>().0);
        let source = raster(image.width(), image.height(), &pixels);
        let start = std::time::Instant::now();
        let bytes = encode(&source, None, false, LARGE, &Stop::never()).expect("no cap");
        println!(
            "{name}: {} -> {} bytes as {:?} in {:?}",
            std::fs::metadata(&path).expect("a file").len(),
            bytes.len(),
            coding(&bytes),
            start.elapsed()
        );
        assert!(decode(&bytes) == pixels, "{name}");
        let file = tempfile::Builder::new().suffix(".png").tempfile().expect("a file");
        std::fs::write(file.path(), &bytes).expect("a file");
        let size = source.dimensions();
        let theirs = crate::codec::image::animation::tests::ffmpeg_frames(file.path(), size);
        if let Some(theirs) = theirs {
            assert!(theirs[0] == pixels, "{name} in ffmpeg");
        }
    }
}

proptest! {
    #[test]
    fn lossless_and_within_any_cap(
        (w, h, pixels) in (1..12_u32, 1..12_u32).prop_flat_map(|(w, h)| {
            let color = (0..3_u8, 0..3_u8, any::<bool>(), prop_oneof![Just(0), Just(77), Just(255)])
                .prop_map(|(a, b, gray, alpha)| {
                    if gray { [a, a, a, alpha] } else { [a, b * 90, 7, alpha] }
                });
            (Just(w), Just(h), prop::collection::vec(color, (w * h) as usize))
        }),
        cap in 0..400_u64,
        colors in 2..20_u16,
    ) {
        let source = raster(w, h, &pixels);
        let full = encode(&source, None, false, LARGE, &Stop::never()).expect("no cap");
        prop_assert_eq!(decode(&full), clean(&pixels));
        for colors in [None, Some(colors)] {
            match encode(&source, colors, false, Bytes::new(cap), &Stop::never()) {
                Ok(bytes) => prop_assert!(bytes.len() as u64 <= cap && !decode(&bytes).is_empty()),
                Err(EncodeError::OverCap { at_least }) => prop_assert!(at_least.get() > cap),
                Err(e) => prop_assert!(false, "{}", e),
            }
        }
    }
}
