//! Sample files made by the project itself, for benchmarks, demonstrations and tests.
//!
//! Shells do not touch codecs; this room does, as samples must exist before anything can be
//! adapted, and must not come from the encoders under test.

pub mod av;
pub mod photo;

use bytes::Bytes as Buffer;
use jpeg_encoder::{ColorType, Encoder, SamplingFactor};

use crate::{
    message::{Form, Message, MessageError, ParseLimits, PartData},
    model::MediaType,
};

use self::photo::{Pixels, photo, screenshot};

/// Why a sample could not be made.
#[derive(Debug, thiserror::Error)]
pub enum SampleError {
    /// JPEG.
    #[error("jpeg: {0}")]
    Jpeg(#[from] jpeg_encoder::EncodingError),
    /// PNG.
    #[error("png: {0}")]
    Png(#[from] png::EncodingError),
    /// GIF.
    #[error("gif: {0}")]
    Gif(#[from] gif::EncodingError),
    /// The message around it.
    #[error(transparent)]
    Message(#[from] MessageError),
}

/// Widths and heights in 4:3 as cameras have them, by name.
pub const SIZES: [(&str, u16, u16); 3] =
    [("1 MP", 1152, 864), ("3 MP", 2048, 1536), ("12 MP", 4032, 3024)];

/// An image as a camera would write it: quality 90, 4:2:0.
///
/// # Errors
/// The encoder's.
pub fn jpeg(pixels: &Pixels, exif_orientation: Option<u8>) -> Result<Buffer, SampleError> {
    let mut out = Vec::new();
    let mut encoder = Encoder::new(&mut out, 90);
    encoder.set_sampling_factor(SamplingFactor::F_2_2);
    if let Some(orientation) = exif_orientation {
        encoder.add_app_segment(1, exif(orientation))?;
    }
    encoder.encode(&pixels.rgb, pixels.width, pixels.height, ColorType::Rgb)?;
    Ok(out.into())
}

/// The smallest APP1 with an orientation (JEITA CP-3451 §4.6): TIFF header, one entry, no more.
fn exif(orientation: u8) -> Vec<u8> {
    let mut segment = b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0".to_vec();
    segment.push(orientation);
    segment.extend_from_slice(&[0; 6]);
    segment
}

/// A lossless image.
///
/// # Errors
/// The encoder's.
pub fn png(pixels: &Pixels) -> Result<Buffer, SampleError> {
    let mut out = Vec::new();
    let mut encoder =
        png::Encoder::new(&mut out, u32::from(pixels.width), u32::from(pixels.height));
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    let mut writer = encoder.write_header()?;
    writer.write_image_data(&pixels.rgb)?;
    writer.finish()?;
    Ok(out.into())
}

/// An animation: a ball flies over a scene that the camera follows, to and fro, for ever. Every
/// pixel changes from frame to frame.
///
/// # Errors
/// The encoder's.
pub fn gif(width: u16, height: u16, frames: u16) -> Result<Buffer, SampleError> {
    // 6 × 7 × 6 levels of red, green, blue.
    let palette: Vec<u8> = (0..252u16)
        .flat_map(|n| [n / 42 * 51, n / 6 % 7 * 42, n % 6 * 51].map(|c| c.min(255) as u8))
        .collect();
    let index = |rgb: &[u8]| match rgb {
        [r, g, b] => {
            let level = |c: u8, top: u16| (u16::from(c) * top + 127) / 255;
            (level(*r, 5) * 42 + level(*g, 6) * 6 + level(*b, 5)) as u8
        }
        _ => 0,
    };
    let margin = width / 4;
    let wide = width.saturating_add(margin);
    let scene: Vec<u8> = photo(wide, height, 3).rgb.chunks_exact(3).map(index).collect();
    let ball = index(&[235, 60, 40]);
    let (w, h) = (i64::from(width), i64::from(height));
    let mut out = Vec::new();
    {
        let mut encoder = gif::Encoder::new(&mut out, width, height, &palette)?;
        encoder.set_repeat(gif::Repeat::Infinite)?;
        for n in 0..frames {
            // There in the first half, back in the second: 0…256…0.
            let turn = i64::from(n) * 512 / i64::from(frames.max(1));
            let turn = turn.min(512 - turn);
            let left = (i64::from(margin) * turn / 256) as usize;
            let cx = w / 6 + w * 2 / 3 * turn / 256;
            let cy = h / 2 - h / 4 * (turn * (256 - turn)) / (128 * 128);
            let radius = h / 10;
            let rows = scene.chunks_exact(usize::from(wide).max(1));
            let mut pixels: Vec<u8> = rows
                .flat_map(|row| row.iter().skip(left).take(usize::from(width)))
                .copied()
                .collect();
            for (at, pixel) in (0i64..).zip(&mut pixels) {
                let (x, y) = (at % w.max(1), at / w.max(1));
                if (x - cx).pow(2) + (y - cy).pow(2) < radius * radius {
                    *pixel = ball;
                }
            }
            let mut frame = gif::Frame::from_indexed_pixels(width, height, pixels, None);
            frame.delay = 8;
            encoder.write_frame(&frame)?;
        }
    }
    Ok(out.into())
}

/// A message of `media` in `form`.
///
/// # Errors
/// The assembler's.
pub fn message(parts: Vec<PartData>, form: Form) -> Result<Buffer, SampleError> {
    let headers = [
        ("Subject", "Greetings"),
        ("From", "+15550100001/TYPE=PLMN"),
        ("To", "+15550100002/TYPE=PLMN"),
    ];
    let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
    let message = Message::from_parts(headers, parts, &ParseLimits::default())?;
    Ok(message.serialize(form)?)
}

/// A file of the demonstration: its name, its type, and how to make it.
pub type Recipe = (&'static str, MediaType, fn() -> Result<Buffer, SampleError>);

/// The media of the demonstration.
pub const DEMO: [Recipe; 3] = [
    // Held upright: stored lying, to be turned by a quarter.
    ("photo.jpg", MediaType::JPEG, || jpeg(&photo(3024, 4032, 1).turned_left(), Some(6))),
    ("screen.png", MediaType::PNG, || png(&screenshot(1080, 1920, 1))),
    ("anim.gif", MediaType::GIF, || gif(320, 240, 24)),
];

/// Audio and video of the demonstration.
pub const MOVING: [Recipe; 2] = [
    ("voice.wav", MediaType::WAV, || Ok(av::wav(12))),
    ("clip.avi", MediaType::AVI, || av::avi(640, 480, 8)),
];

/// Two more images, which with the photo make an album.
pub const ALBUM: [Recipe; 2] = [
    ("evening.jpg", MediaType::JPEG, || jpeg(&photo(2048, 1536, 2), None)),
    ("morning.jpg", MediaType::JPEG, || jpeg(&photo(1152, 864, 3), None)),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_are_what_they_say() {
        let jpeg = jpeg(&photo(160, 120, 1), Some(6)).unwrap();
        assert!(jpeg.windows(6).any(|w| w == b"Exif\0\0"));
        // SOF0 (ITU-T T.81 B.2.2): height and width follow length and precision.
        let frame = jpeg.windows(2).position(|w| w == [0xff, 0xc0]).unwrap();
        assert_eq!(jpeg[frame + 5..frame + 9], [0, 120, 0, 160]);
        let data = png(&screenshot(90, 160, 1)).unwrap();
        let mut reader = png::Decoder::new(std::io::Cursor::new(&data)).read_info().unwrap();
        let mut pixels = vec![0; 90 * 160 * 3];
        reader.next_frame(&mut pixels).unwrap();
        assert_eq!(pixels, screenshot(90, 160, 1).rgb);
        let mut options = gif::DecodeOptions::new();
        options.set_color_output(gif::ColorOutput::RGBA);
        let gif = gif(64, 48, 5).unwrap();
        let mut decoder = options.read_info(&gif[..]).unwrap();
        let mut frames = 0;
        while decoder.read_next_frame().unwrap().is_some() {
            frames += 1;
        }
        assert_eq!(frames, 5);
    }

    #[test]
    fn photos_weigh_what_photos_weigh() {
        for seed in 1..=3 {
            let pixels = photo(1152, 864, seed);
            let bytes = jpeg(&pixels, None).unwrap().len() as f64;
            let weight = bytes * 3.0 / pixels.rgb.len() as f64;
            assert!((0.25..0.4).contains(&weight), "seed {seed}: {weight} bytes a pixel");
        }
    }

    #[test]
    fn the_exif_block_says_what_it_should() {
        let block = exif(6);
        // Entry: tag 0x0112, SHORT, one value, 6 in the first two octets of the value field.
        assert_eq!(block[14..16], [0, 1]);
        assert_eq!(block[16..28], [1, 0x12, 0, 3, 0, 0, 0, 1, 0, 6, 0, 0]);
        assert_eq!(block.len(), 32);
    }
}
