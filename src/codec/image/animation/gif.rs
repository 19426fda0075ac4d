//! GIF: the `gif` crate takes blocks and LZW apart, the compositing is here.
//!
//! GIF89a, section 23.c.iv (disposal), as browsers do it rather than by the letter: "restore to
//! background" makes the frame's rectangle transparent, whatever the background colour says; the
//! parts of a frame outside the canvas are cut off; an index past the palette draws nothing.

use std::io::Cursor;
use std::num::NonZeroU64;

use bytes::Bytes as Buffer;
use gif::{ColorOutput, DecodeOptions, Decoder, DisposalMethod, Frame, MemoryLimit, Repeat};

use super::reel::Reel;
use crate::codec::image::raster::DecodedImage;
use crate::codec::{CodecError, DecodeLimits, OpenHint};
use crate::model::{Dimensions, MediaType, Millis, Stop};

fn malformed(error: &dyn std::fmt::Display) -> CodecError {
    CodecError::Malformed { format: "GIF", detail: error.to_string() }
}

/// See [`super::decode_animation`].
pub(super) fn decode(
    input: &Buffer,
    hint: OpenHint,
    limits: &DecodeLimits,
    stop: &Stop,
) -> Result<DecodedImage, CodecError> {
    let mut options = DecodeOptions::new();
    options.set_color_output(ColorOutput::Indexed);
    options.set_memory_limit(match NonZeroU64::new(limits.max_memory.get()) {
        Some(bytes) => MemoryLimit::Bytes(bytes),
        None => MemoryLimit::Bytes(NonZeroU64::MIN),
    });
    let mut decoder = options.read_info(Cursor::new(input.as_ref())).map_err(|e| malformed(&e))?;
    let mut next = advance(&mut decoder)?;
    let canvas_size = canvas_size(&decoder, next.as_ref())?;
    let wanted = if hint.animation {
        super::count_frames(input, &MediaType::GIF, limits.max_frames).map_or(1, |(n, _)| n)
    } else {
        1
    };
    super::price(canvas_size, wanted, limits)?;

    let mut reel = Reel::new(canvas_size, 5, hint, limits)?;
    let mut canvas = Canvas::new(canvas_size);
    let mut decoded_pixels = 0_u64;
    while let Some(frame) = next {
        stop.check()?;
        let area = u64::from(frame.width) * u64::from(frame.height);
        decoded_pixels = decoded_pixels.saturating_add(area);
        for (what, found, limit) in [
            ("pixels", area, limits.max_pixels),
            ("total pixels", decoded_pixels, limits.max_total_pixels),
            ("memory of a frame", area, limits.max_memory.get()),
        ] {
            if found > limit {
                return Err(CodecError::Limit { what, found, limit });
            }
        }
        let (indices, whole) = read_indices(&mut decoder, &frame);
        if !whole && (!reel.is_empty() || indices.is_none()) {
            break;
        }
        let palette = decoder.palette().map_err(|e| malformed(&e))?;
        canvas.show(&frame, indices.as_deref().unwrap_or_default(), palette);
        reel.push(&canvas.pixels, Millis::new(u32::from(frame.delay) * 10))?;
        if !whole || reel.is_full() {
            break;
        }
        next = match advance(&mut decoder) {
            Ok(frame) => frame,
            // no trailer, or garbage after an intact frame
            Err(_) => break,
        };
    }
    if reel.is_empty() {
        return Err(malformed(&"no frame"));
    }
    // NETSCAPE2.0 counts repetitions after the first showing
    let loops = match decoder.repeat() {
        Repeat::Infinite => 0,
        Repeat::Finite(n) => n.saturating_add(1),
    };
    reel.finish(loops)
}

/// A frame's header, without its pixels.
fn advance(decoder: &mut Decoder<Cursor<&[u8]>>) -> Result<Option<Frame<'static>>, CodecError> {
    Ok(decoder.next_frame_info().map_err(|e| malformed(&e))?.cloned())
}

/// The logical screen, or the first frame's extent where the screen has no area.
fn canvas_size(
    decoder: &Decoder<Cursor<&[u8]>>,
    first: Option<&Frame<'_>>,
) -> Result<Dimensions, CodecError> {
    Dimensions::new(decoder.width().into(), decoder.height().into())
        .or_else(|| {
            let frame = first?;
            Dimensions::new(
                u32::from(frame.left) + u32::from(frame.width),
                u32::from(frame.top) + u32::from(frame.height),
            )
        })
        .ok_or_else(|| malformed(&"a canvas without area"))
}

/// The frame's indices and whether all of them were there. `None` if there was not one: rows
/// that are missing hold an index that draws nothing, where the palette leaves one free.
fn read_indices(
    decoder: &mut Decoder<Cursor<&[u8]>>,
    frame: &Frame<'_>,
) -> (Option<Vec<u8>>, bool) {
    let colors = decoder.palette().map_or(0, |palette| palette.len() / 3);
    let nothing = frame.transparent.or(u8::try_from(colors).ok()).unwrap_or(0);
    let mut indices = vec![nothing; decoder.buffer_size()];
    if indices.is_empty() {
        return (Some(indices), true);
    }
    // All at once: taken row by row, as `read_into_buffer` does to put them in order, a code that
    // stands for more than a row at the end of the data is lost (gif 0.14.2).
    let whole = matches!(decoder.fill_buffer(&mut indices), Ok(true));
    let some = whole || indices.iter().any(|index| *index != nothing);
    if frame.interlaced {
        indices = in_order(&indices, frame.width.into(), frame.height.into());
    }
    (some.then_some(indices), whole)
}

/// Rows of an interlaced frame from top to bottom (GIF89a, appendix E).
fn in_order(indices: &[u8], width: usize, height: usize) -> Vec<u8> {
    let mut ordered = vec![0; indices.len()];
    let places = [(0, 8), (4, 8), (2, 4), (1, 2)];
    let rows = places.into_iter().flat_map(|(first, step)| (first..height).step_by(step));
    for (y, row) in rows.zip(indices.chunks_exact(width.max(1))) {
        if let Some(place) = ordered.get_mut(y * width..(y + 1) * width) {
            place.copy_from_slice(row);
        }
    }
    ordered
}

/// A rectangle cut to the canvas.
#[derive(Clone, Copy)]
struct Region {
    left: usize,
    top: usize,
    width: usize,
    height: usize,
}

/// What the viewer sees, and what is to happen to it before the next frame.
struct Canvas {
    width: usize,
    height: usize,
    pixels: Vec<u8>,
    pending: Disposal,
}

enum Disposal {
    Keep,
    Clear(Region),
    Restore(Region, Vec<u8>),
}

impl Canvas {
    fn new(size: Dimensions) -> Self {
        let (width, height) = (size.width() as usize, size.height() as usize);
        Self { width, height, pixels: vec![0; width * height * 4], pending: Disposal::Keep }
    }

    fn cut(&self, frame: &Frame<'_>) -> Region {
        let left = usize::from(frame.left).min(self.width);
        let top = usize::from(frame.top).min(self.height);
        Region {
            left,
            top,
            width: usize::from(frame.width).min(self.width - left),
            height: usize::from(frame.height).min(self.height - top),
        }
    }

    /// The canvas' rows of `region`, from top to bottom.
    fn rows(&mut self, region: Region) -> impl Iterator<Item = &mut [u8]> {
        let (from, to) = (region.left * 4, (region.left + region.width) * 4);
        self.pixels
            .chunks_exact_mut(self.width * 4)
            .skip(region.top)
            .take(region.height)
            .filter_map(move |row| row.get_mut(from..to))
    }

    fn dispose(&mut self) {
        match std::mem::replace(&mut self.pending, Disposal::Keep) {
            Disposal::Keep => {}
            Disposal::Clear(region) => self.rows(region).for_each(|row| row.fill(0)),
            Disposal::Restore(region, saved) => {
                if region.width > 0 {
                    let saved = saved.chunks_exact(region.width * 4);
                    self.rows(region).zip(saved).for_each(|(row, old)| row.copy_from_slice(old));
                }
            }
        }
    }

    /// Disposes of the frame before and draws this one.
    fn show(&mut self, frame: &Frame<'_>, indices: &[u8], palette: &[u8]) {
        self.dispose();
        let region = self.cut(frame);
        self.pending = match frame.dispose {
            DisposalMethod::Any | DisposalMethod::Keep => Disposal::Keep,
            DisposalMethod::Background => Disposal::Clear(region),
            DisposalMethod::Previous => {
                let saved = self.rows(region).flat_map(|row| row.iter().copied()).collect();
                Disposal::Restore(region, saved)
            }
        };
        let mut colors = [None; 256];
        for (index, (slot, color)) in colors.iter_mut().zip(palette.chunks_exact(3)).enumerate() {
            if frame.transparent.map(usize::from) != Some(index) {
                *slot = Some([color[0], color[1], color[2], 255]);
            }
        }
        let lines = indices.chunks_exact(usize::from(frame.width).max(1));
        for (row, line) in self.rows(region).zip(lines) {
            for (pixel, index) in row.chunks_exact_mut(4).zip(line) {
                if let Some(color) = colors[usize::from(*index)] {
                    pixel.copy_from_slice(&color);
                }
            }
        }
    }
}
