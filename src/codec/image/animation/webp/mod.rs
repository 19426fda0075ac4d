//! Animated WebP (RFC 9649, section 2.7.1.1): the frames are taken out of the container, decoded
//! one by one as stills, and composed here as libwebp's `WebPAnimDecoder` composes them.
//!
//! `image-webp` (0.2.4) composes too, but takes the background for three bytes a pixel and leaves
//! what a frame ought to have disposed of: stickers leave ghosts.

use std::io::Cursor;

use bytes::Bytes as Buffer;
use image::{DynamicImage, ImageError, codecs::webp::WebPDecoder};

use super::{
    image_frames::{self, classify, still, wanted},
    reel::Reel,
};
use crate::codec::image::{header::peek::le24, raster::DecodedImage};
use crate::codec::{CodecError, DecodeLimits, OpenHint};
use crate::model::{Dimensions, MediaType, Millis, Stop};

#[cfg(test)]
mod tests;

/// Bytes per canvas pixel held at once: the canvas, a frame as large, and what decodes it.
const CANVAS_BYTES: u64 = 12;

fn malformed(detail: &str) -> CodecError {
    CodecError::Malformed { format: "WebP", detail: detail.into() }
}

/// Chunks one after another: their name and content. Ends where they are cut off.
struct Chunks<'a>(&'a [u8]);

impl<'a> Iterator for Chunks<'a> {
    type Item = (&'a [u8; 4], &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let (name, rest) = self.0.split_first_chunk::<4>()?;
        let (length, rest) = rest.split_first_chunk::<4>()?;
        let length = u32::from_le_bytes(*length) as usize;
        let content = rest.get(..length)?;
        // The pad byte of the last one may be missing.
        self.0 = rest.get(length.checked_add(length & 1)?..).unwrap_or_default();
        Some((name, content))
    }
}

/// What an `ANMF` chunk says, and the chunks in it.
struct Frame<'a> {
    left: u32,
    top: u32,
    dimensions: Dimensions,
    delay: Millis,
    /// Whether it is laid over what is there, or replaces it.
    blend: bool,
    /// Whether its area is cleared before the next.
    dispose: bool,
    data: &'a [u8],
}

impl<'a> Frame<'a> {
    fn read(content: &'a [u8]) -> Option<Self> {
        let side = |at: usize| le24(content, at);
        let dimensions = Dimensions::new(side(6)? + 1, side(9)? + 1)?;
        let flags = content.get(15)?;
        Some(Self {
            left: side(0)? * 2,
            top: side(3)? * 2,
            dimensions,
            delay: Millis::new(side(12)?),
            blend: flags & 2 == 0,
            dispose: flags & 1 == 1,
            data: content.get(16..)?,
        })
    }

    fn is_inside(&self, canvas: Dimensions) -> bool {
        self.left.checked_add(self.dimensions.width()).is_some_and(|x| x <= canvas.width())
            && self.top.checked_add(self.dimensions.height()).is_some_and(|y| y <= canvas.height())
    }

    /// The frame as a file of its own.
    fn file(&self) -> Option<Vec<u8>> {
        let mut chunks = Vec::with_capacity(self.data.len() + 40);
        let mut put = |name: &[u8; 4], content: &[u8]| {
            chunks.extend_from_slice(name);
            chunks.extend_from_slice(&(content.len() as u32).to_le_bytes());
            chunks.extend_from_slice(content);
            if content.len() % 2 == 1 {
                chunks.push(0);
            }
        };
        let find = |name: &[u8; 4]| Chunks(self.data).find(|chunk| chunk.0 == name);
        match (find(b"VP8 "), find(b"VP8L")) {
            (Some((name, image)), _) => {
                if let Some((alpha, planes)) = find(b"ALPH") {
                    let side = |n: u32| (n - 1).to_le_bytes();
                    let [a, b, c, _] = side(self.dimensions.width());
                    let [d, e, f, _] = side(self.dimensions.height());
                    put(b"VP8X", &[0x10, 0, 0, 0, a, b, c, d, e, f]);
                    put(alpha, planes);
                }
                put(name, image);
            }
            (None, Some((name, image))) => put(name, image),
            (None, None) => return None,
        }
        let length = u32::try_from(chunks.len() + 4).ok()?.to_le_bytes();
        Some([b"RIFF", &length[..], b"WEBP", &chunks].concat())
    }

    /// Straight RGBA of `dimensions`.
    fn decode(&self, limits: &DecodeLimits) -> Result<Vec<u8>, CodecError> {
        let error = |e: &ImageError| classify("WebP", e, limits);
        let file = self.file().ok_or_else(|| malformed("a frame without an image"))?;
        let mut decoder = WebPDecoder::new(Cursor::new(file)).map_err(|e| error(&e))?;
        image::ImageDecoder::set_limits(&mut decoder, super::image_frames::memory(limits))
            .map_err(|e| error(&e))?;
        let image = DynamicImage::from_decoder(decoder).map_err(|e| error(&e))?;
        if (image.width(), image.height()) != (self.dimensions.width(), self.dimensions.height()) {
            return Err(malformed("a frame of another size than it says"));
        }
        Ok(image.into_rgba8().into_raw())
    }
}

/// Straight RGBA pixels and the place of the frame that is cleared before the next.
struct Canvas {
    dimensions: Dimensions,
    pixels: Vec<u8>,
}

impl Canvas {
    fn rows<'a>(&'a mut self, frame: &Frame<'_>) -> impl Iterator<Item = &'a mut [u8]> {
        let stride = self.dimensions.width() as usize * 4;
        let (start, width) = (frame.left as usize * 4, frame.dimensions.width() as usize * 4);
        self.pixels
            .chunks_exact_mut(stride)
            .skip(frame.top as usize)
            .take(frame.dimensions.height() as usize)
            .map(move |row| &mut row[start..start + width])
    }

    /// Transparent, whatever background the file asks for: so do libwebp and every browser.
    fn clear(&mut self, frame: &Frame<'_>) {
        self.rows(frame).for_each(|row| row.fill(0));
    }

    fn draw(&mut self, frame: &Frame<'_>, rgba: &[u8]) {
        let width = frame.dimensions.width() as usize * 4;
        for (row, new) in self.rows(frame).zip(rgba.chunks_exact(width)) {
            if frame.blend {
                let (under, _) = row.as_chunks_mut::<4>();
                for (under, over) in under.iter_mut().zip(new.as_chunks::<4>().0) {
                    *under = blended(*over, *under);
                }
            } else {
                row.copy_from_slice(new);
            }
        }
    }
}

/// `over` on `under`, both straight. The arithmetic is that of libwebp, but that what lies on
/// nothing stays what it is: there it is one less in some frames, and not in others.
fn blended(over: [u8; 4], under: [u8; 4]) -> [u8; 4] {
    let alpha = u32::from(over[3]);
    match (alpha, under[3]) {
        (255, _) | (1.., 0) => return over,
        (0, _) => return under,
        _ => {}
    }
    let rest = (u32::from(under[3]) * (256 - alpha)) >> 8;
    let sum = alpha + rest;
    let scale = (1 << 24) / sum;
    let mut out = [0, 0, 0, sum as u8];
    for ((out, over), under) in out.iter_mut().zip(&over[..3]).zip(&under[..3]) {
        *out = (((u32::from(*over) * alpha + u32::from(*under) * rest) * scale) >> 24) as u8;
    }
    out
}

/// See [`super::decode_animation`]. A WebP without animation gives one frame.
pub(super) fn decode_webp(
    input: &Buffer,
    hint: OpenHint,
    limits: &DecodeLimits,
    stop: &Stop,
) -> Result<DecodedImage, CodecError> {
    const FORMAT: &str = "WebP";
    let error = |e: &ImageError| classify(FORMAT, e, limits);
    let frames = wanted(input, &MediaType::WEBP, hint, limits);
    if let Some(image) = decode(input, frames, hint, limits, stop)? {
        return Ok(image);
    }
    let decoder = WebPDecoder::new(Cursor::new(input.as_ref())).map_err(|e| error(&e))?;
    let (width, height) = image::ImageDecoder::dimensions(&decoder);
    let canvas = Dimensions::new(width, height).ok_or_else(|| CodecError::Malformed {
        format: FORMAT,
        detail: "a canvas without area".into(),
    })?;
    super::price(canvas, frames, limits)?;
    still(FORMAT, decoder, Reel::new(canvas, image_frames::CANVAS_BYTES, hint, limits)?, limits)
}

/// See [`super::decode_animation`]; `None` where the file is a still.
fn decode(
    input: &Buffer,
    frames: u32,
    hint: OpenHint,
    limits: &DecodeLimits,
    stop: &Stop,
) -> Result<Option<DecodedImage>, CodecError> {
    let (head, rest) = input.split_at_checked(12).unwrap_or_default();
    if !head.starts_with(b"RIFF") || !head.ends_with(b"WEBP") {
        return Ok(None);
    }
    let mut chunks = Chunks(rest).peekable();
    let canvas = match chunks.peek() {
        Some((b"VP8X", content)) if content.first().is_some_and(|flags| flags & 2 != 0) => {
            let side = |at: usize| le24(content, at).map(|n| n + 1);
            side(4).zip(side(7)).and_then(|(width, height)| Dimensions::new(width, height))
        }
        _ => return Ok(None),
    };
    let dimensions = canvas.ok_or_else(|| malformed("a canvas without area"))?;
    super::price(dimensions, frames, limits)?;
    let mut reel = Reel::new(dimensions, CANVAS_BYTES, hint, limits)?;
    let mut canvas = Canvas { dimensions, pixels: vec![0; dimensions.pixels() as usize * 4] };
    let (mut loops, mut before) = (1, None::<Frame<'_>>);
    // The last frame may be cut off in its middle: what is there of the file ends before it.
    for (name, content) in chunks {
        stop.check()?;
        match name {
            b"ANIM" => {
                loops = content.get(4..6).map_or(1, |n| u16::from_le_bytes([n[0], n[1]]));
            }
            b"ANMF" => {
                let frame = Frame::read(content).filter(|frame| frame.is_inside(dimensions));
                let frame = frame.ok_or_else(|| malformed("a frame outside of its canvas"));
                let drawn = frame.and_then(|frame| Ok((frame.decode(limits)?, frame)));
                let (rgba, frame) = match drawn {
                    Ok(drawn) => drawn,
                    // What came before the break is worth having.
                    Err(_) if !reel.is_empty() => break,
                    Err(error) => return Err(error),
                };
                if let Some(before) = before.filter(|before| before.dispose) {
                    canvas.clear(&before);
                }
                canvas.draw(&frame, &rgba);
                reel.push(&canvas.pixels, frame.delay)?;
                before = Some(frame);
                if reel.is_full() {
                    break;
                }
            }
            _ => {}
        }
    }
    if reel.is_empty() {
        return Err(malformed("no frame"));
    }
    reel.finish(loops).map(Some)
}
