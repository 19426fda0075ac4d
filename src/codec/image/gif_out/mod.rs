//! GIF out, still or animated.
//!
//! Every frame after the first writes only the smallest rectangle that changes, and within it
//! leaves out the pixels that already show the right colour, if that makes the LZW shorter. The
//! encoder keeps the canvas that a viewer would have; a pixel that must become transparent again
//! is cleared by the disposal of the frame before.

use bytes::Bytes as Buffer;
use gif::{DisposalMethod, Encoder, EncodingError, Frame as GifFrame, Repeat};

use super::capped::CappedWriter;
use super::palette::{self, CLEAR, Dither, Palette, Rgba, Survey};
use super::raster::shown_for;
use super::raster::{DecodedImage, Raster};
use crate::codec::{CodecError, EncodeError};
use crate::model::{Bytes, Dimensions, Millis, Rgb, Stop};

/// Below this a pixel is transparent in a GIF, which knows no other kind.
pub const ALPHA_THRESHOLD: u8 = 128;

/// How frames with more than `colors` colours are dithered.
///
/// Measured 2026-11-24 by `measure`, 3 rounds of refinement; mean bytes and SSIMULACRA2 of five
/// stills (S) and of four animations of 16 frames (C):
///
/// |              | S 256        | S 16         | C 256         | C 64         | C 16         |
/// |--------------|--------------|--------------|---------------|--------------|--------------|
/// | none         | 37,617, 83.1 | 14,755, 46.4 | 69,304, 84.7  | 44,174, 73.1 | 21,524, 34.1 |
/// | ordered 25 % | 38,033, 83.6 | 15,453, 49.3 | 70,252, 85.0  | 45,069, 73.6 | 22,252, 37.8 |
/// | ordered 50 % | 38,702, 84.0 | 16,151, 52.2 | 71,191, 85.0  | 45,613, 73.6 | 22,734, 42.1 |
/// | diffused     | 42,414, 85.8 | 18,428, 57.4 | 103,046, 85.9 | 68,618, 74.2 | 45,524, 47.2 |
///
/// Stills: diffusion gives the most for its bytes at few colours. Animations: its noise changes
/// with every frame and costs half as much again (twice at 16 colours) for about one point.
fn dither_for(frames: usize, colors: u16) -> Dither {
    match (frames, colors) {
        (0..=1, _) => Dither::Diffuse,
        (_, 0..=32) => Dither::Ordered(50),
        _ => Dither::Ordered(25),
    }
}

/// Encodes `image` with at most `colors` palette entries, the transparent one included, showing
/// every `frame_step`-th frame (`u16::MAX`: the first alone, a still).
///
/// Alpha becomes one bit: below [`ALPHA_THRESHOLD`] clear, else blended on `background`. Frames
/// that look alike are merged, their delays added up; the whole lasts as long as before. Delays
/// too short to be honoured by viewers count as what they show when they are added up.
///
/// # Errors
/// [`EncodeError::OverCap`] as soon as the output passes `cap`; stopped; unsupported if a side is
/// over 65,535 pixels.
pub fn encode(
    image: &DecodedImage,
    colors: u16,
    frame_step: u16,
    background: Rgb,
    cap: Bytes,
    stop: &Stop,
) -> Result<Buffer, EncodeError> {
    let reel = Reel::new(image, frame_step, background, stop)?;
    let colors = colors.clamp(2, 256);
    let dither = dither_for(reel.shots.len(), colors);
    let palette = reel.survey(colors, stop)?.palette(colors);
    Writer::new(&reel, &palette, image.loops, cap)?.write(&reel, &palette, dither, stop)
}

/// A frame that will be written, and for how long it is shown.
struct Shot<'a> {
    raster: &'a Raster,
    delay: Millis,
}

/// The frames that are left after stepping and merging.
struct Reel<'a> {
    size: Dimensions,
    sides: (u16, u16),
    shots: Vec<Shot<'a>>,
    background: Rgb,
}

impl<'a> Reel<'a> {
    fn new(
        image: &'a DecodedImage,
        frame_step: u16,
        background: Rgb,
        stop: &Stop,
    ) -> Result<Self, EncodeError> {
        let first = image
            .frames
            .first()
            .ok_or_else(|| CodecError::Internal("an image without frames".into()))?;
        let size = first.raster.dimensions();
        let (Ok(width), Ok(height)) = (u16::try_from(size.width()), u16::try_from(size.height()))
        else {
            let detail = format!("{} x {} pixels", size.width(), size.height());
            return Err(CodecError::Unsupported { format: "GIF", detail }.into());
        };
        let mut reel = Self { size, sides: (width, height), shots: Vec::new(), background };
        if frame_step == u16::MAX {
            reel.shots.push(Shot { raster: &first.raster, delay: Millis::ZERO });
            return Ok(reel);
        }
        for group in image.frames.chunks(usize::from(frame_step.max(1))) {
            stop.check()?;
            let Some(frame) = group.first() else { continue };
            let delay = match group {
                [one] => one.delay,
                all => {
                    all.iter().fold(Millis::ZERO, |sum, f| shown_for(f.delay).saturating_add(sum))
                }
            };
            match reel.shots.last_mut() {
                Some(last) if last.raster == &frame.raster => {
                    last.delay = shown_for(last.delay).saturating_add(shown_for(delay));
                }
                _ if frame.raster.dimensions() == size => {
                    reel.shots.push(Shot { raster: &frame.raster, delay });
                }
                _ => {
                    let detail = "frames of different dimensions".to_owned();
                    return Err(CodecError::Internal(detail).into());
                }
            }
        }
        Ok(reel)
    }

    /// The pixels of a shot with one bit of alpha.
    fn pixels(&self, index: usize) -> Vec<Rgba> {
        let Some(shot) = self.shots.get(index) else { return Vec::new() };
        let mut pixels = palette::rgba(shot.raster);
        for pixel in &mut pixels {
            if pixel[3] < ALPHA_THRESHOLD {
                *pixel = CLEAR;
            } else if pixel[3] != 255 {
                *pixel = palette::flatten(*pixel, self.background);
            }
        }
        pixels
    }

    /// The colours of all shots, for one palette. Pixels count once for as long as they do not change: a still
    /// background does not outweigh what moves. Animations get a clear entry if there is room,
    /// for the pixels that are left out.
    fn survey(&self, colors: u16, stop: &Stop) -> Result<Survey, EncodeError> {
        let mut survey = Survey::default();
        let mut before: Vec<Rgba> = Vec::new();
        for index in 0..self.shots.len() {
            stop.check()?;
            let pixels = self.pixels(index);
            if before.is_empty() {
                survey.add(pixels.iter().copied());
            } else {
                let pairs = pixels.iter().zip(&before);
                survey.add(pairs.filter(|(now, old)| now != old).map(|(now, _)| *now));
            }
            before = pixels;
        }
        let room = survey.distinct().is_none_or(|distinct| distinct != colors);
        if self.shots.len() > 1 && !survey.has_clear() && room {
            survey.add([CLEAR]);
        }
        Ok(survey)
    }
}

/// A rectangle on the canvas, `right` and `bottom` not included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Rect {
    left: usize,
    top: usize,
    right: usize,
    bottom: usize,
}

impl Rect {
    /// Around the pixels for which `wanted` holds, by their position.
    fn around(size: Dimensions, wanted: impl Fn(usize) -> bool) -> Option<Self> {
        let (width, height) = (size.width() as usize, size.height() as usize);
        let mut found: Option<Self> = None;
        for y in 0..height {
            let row = y * width;
            let Some(left) = (0..width).find(|x| wanted(row + x)) else { continue };
            let right = (0..width).rfind(|x| wanted(row + x)).map_or(left, |x| x) + 1;
            found = Some(match found {
                None => Self { left, top: y, right, bottom: y + 1 },
                Some(r) => {
                    Self { left: r.left.min(left), right: r.right.max(right), bottom: y + 1, ..r }
                }
            });
        }
        found
    }

    fn union(self, other: Option<Self>) -> Self {
        other.map_or(self, |other| Self {
            left: self.left.min(other.left),
            top: self.top.min(other.top),
            right: self.right.max(other.right),
            bottom: self.bottom.max(other.bottom),
        })
    }

    /// Positions on a canvas of `width`, row by row.
    fn positions(self, width: usize) -> impl Iterator<Item = usize> {
        (self.top..self.bottom)
            .flat_map(move |y| (self.left..self.right).map(move |x| y * width + x))
    }
}

struct Writer {
    encoder: Encoder<CappedWriter>,
    cap: Bytes,
}

impl Writer {
    fn new(
        reel: &Reel<'_>,
        palette: &Palette,
        loops: u16,
        cap: Bytes,
    ) -> Result<Self, EncodeError> {
        // the smallest GIF, before any pixel: refuse without work where not even that fits
        let table: Vec<u8> = palette.colors().iter().flat_map(|c| [c[0], c[1], c[2]]).collect();
        let (width, height) = reel.sides;
        let least = Bytes::new(13 + table.len() as u64 + 8 + 10 + 4 + 1);
        if least > cap {
            return Err(EncodeError::OverCap { at_least: least });
        }
        let encoder = Encoder::new(CappedWriter::new(cap), width, height, &table)
            .map_err(|e| internal(&e))?;
        let mut writer = Self { encoder, cap };
        if reel.shots.len() > 1 && loops != 1 {
            let repeat = match loops {
                0 => Repeat::Infinite,
                // NETSCAPE2.0 counts repetitions after the first showing
                n => Repeat::Finite(n - 1),
            };
            let result = writer.encoder.set_repeat(repeat);
            writer.checked(result)?;
        }
        Ok(writer)
    }

    fn checked<T>(&self, result: Result<T, EncodingError>) -> Result<T, EncodeError> {
        result.map_err(|e| self.encoder.get_ref().error(|| internal(&e)))
    }

    fn write(
        mut self,
        reel: &Reel<'_>,
        palette: &Palette,
        dither: Dither,
        stop: &Stop,
    ) -> Result<Buffer, EncodeError> {
        let indices = |at: usize| palette.indices(&reel.pixels(at), reel.size, dither);
        let clear = palette.clear();
        let is_clear = |index: u8| Some(index) == clear;
        let width = reel.size.width() as usize;
        let all = Rect { left: 0, top: 0, right: width, bottom: reel.size.height() as usize };
        let mut clock = Clock::default();
        let mut now = indices(0);
        // what a viewer shows before this frame; an index that no frame has where that is nothing
        let mut canvas: Vec<u8> = Vec::new();
        for at in 0..reel.shots.len() {
            stop.check()?;
            let next = if at + 1 < reel.shots.len() { indices(at + 1) } else { Vec::new() };
            let vanishing = if next.is_empty() || clear.is_none() {
                None
            } else {
                Rect::around(reel.size, |i| !is_clear(now[i]) && is_clear(next[i]))
            };
            let rect = if canvas.is_empty() {
                all
            } else {
                // nothing changes (after quantising): a frame is still needed for its delay
                let corner = Rect { left: 0, top: 0, right: 1, bottom: 1 };
                let changed = Rect::around(reel.size, |i| canvas[i] != now[i]);
                match (changed, vanishing) {
                    (Some(changed), vanishing) => changed.union(vanishing),
                    (None, Some(vanishing)) => vanishing,
                    (None, None) => corner,
                }
            };
            let full: Vec<u8> = rect.positions(width).map(|i| now[i]).collect();
            let sparse: Option<Vec<u8>> = clear.filter(|_| !canvas.is_empty()).map(|clear| {
                let keep = |i: usize| if canvas[i] == now[i] { clear } else { now[i] };
                rect.positions(width).map(keep).collect()
            });
            let frame = GifFrame {
                delay: clock.centiseconds(reel.shots[at].delay),
                dispose: if vanishing.is_some() {
                    DisposalMethod::Background
                } else {
                    DisposalMethod::Keep
                },
                transparent: clear,
                left: rect.left as u16,
                top: rect.top as u16,
                width: (rect.right - rect.left) as u16,
                height: (rect.bottom - rect.top) as u16,
                ..GifFrame::default()
            };
            self.write_smaller(frame, full, sparse)?;
            canvas.clone_from(&now);
            if let (Some(clear), Some(_)) = (clear, vanishing) {
                rect.positions(width).for_each(|i| canvas[i] = clear);
            }
            now = next;
        }
        // the trailer is the last byte; taking the buffer out hides how it went
        let total = self.encoder.get_ref().len() + Bytes::new(1);
        if total > self.cap {
            return Err(EncodeError::OverCap { at_least: total });
        }
        self.encoder.into_inner().map(CappedWriter::into_buffer).map_err(|e| internal(&e))
    }

    /// Writes whichever pixels compress better.
    fn write_smaller(
        &mut self,
        mut frame: GifFrame<'static>,
        full: Vec<u8>,
        sparse: Option<Vec<u8>>,
    ) -> Result<(), EncodeError> {
        frame.buffer = full.into();
        frame.make_lzw_pre_encoded();
        if let Some(sparse) = sparse {
            let mut other = GifFrame { buffer: sparse.into(), ..frame.clone() };
            other.make_lzw_pre_encoded();
            if other.buffer.len() < frame.buffer.len() {
                frame = other;
            }
        }
        let result = self.encoder.write_lzw_pre_encoded_frame(&frame);
        self.checked(result)
    }
}

fn internal(error: &EncodingError) -> EncodeError {
    EncodeError::Codec(CodecError::Internal(format!("GIF encoder: {error}")))
}

/// Turns milliseconds into hundredths of a second without losing time in the long run.
#[derive(Default)]
struct Clock {
    exact_ms: u64,
    told_cs: u64,
}

impl Clock {
    fn centiseconds(&mut self, delay: Millis) -> u16 {
        self.exact_ms += u64::from(delay.get());
        let owed = ((self.exact_ms + 5) / 10).saturating_sub(self.told_cs);
        // a delay that was there stays there
        let owed = owed.max(u64::from(!delay.is_zero())).min(u64::from(u16::MAX));
        self.told_cs += owed;
        owed as u16
    }
}

#[cfg(test)]
mod measure;
#[cfg(test)]
mod tests;
