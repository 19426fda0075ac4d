//! PNG out: the smallest of the few codings that show the same pixels.

use std::io::Write;

use bytes::Bytes as Buffer;
use png::{BitDepth, ColorType, DeflateCompression, Encoder, EncodingError, Filter};

use super::capped::CappedWriter;
use super::palette::{Dither, Palette, Rgba, Survey, rgba};
use super::raster::Raster;
use crate::codec::{CodecError, EncodeError};
use crate::model::{Bytes, Dimensions, Stop};

/// zlib's level, of pixels and of indices. Measured 2026-11-29 on seven drawings: 9 takes 3 to 6 % off
/// what has a palette, for 20 ms more at 1.4 megapixels, and 1 % off what has none, for twice the time.
const DEFLATE: DeflateCompression = DeflateCompression::Level(6);
const DEFLATE_INDICES: DeflateCompression = DeflateCompression::Level(9);

/// Encodes `raster`.
///
/// `colors: None` is lossless: gray or true colour, with alpha if any pixel needs it, or a
/// palette where there are at most 256 colours, whichever is smaller. `Some(n)`: a palette of at
/// most `n` entries (2…256), transparent ones included; exact if there are no more colours,
/// otherwise quantised, and with `dither` dithered. Palettes use 1, 2, 4 or 8 bits a pixel. Pixels that are
/// fully transparent lose their colour.
///
/// # Errors
/// [`EncodeError::OverCap`] as soon as the output passes `cap`; stopped.
pub fn encode(
    raster: &Raster,
    colors: Option<u16>,
    dither: bool,
    cap: Bytes,
    stop: &Stop,
) -> Result<Buffer, EncodeError> {
    stop.check()?;
    let pixels = rgba(raster);
    let size = raster.dimensions();
    let mut survey = Survey::default();
    survey.add(pixels.iter().copied());
    let distinct = survey.distinct();
    let mut candidates = Vec::new();
    if distinct.is_some() || colors.is_some() {
        let palette = survey.palette(colors.unwrap_or(256).clamp(2, 256));
        let dither = if dither { Dither::Diffuse } else { Dither::None };
        let indices = palette.indices(&pixels, size, dither);
        candidates.push(Candidate::indexed(&palette, &indices, size));
    }
    if colors.is_none() {
        candidates.push(Candidate::direct(&pixels));
    }
    smallest(candidates, size, cap, stop)
}

/// Tries each candidate; those after the first must beat the best so far.
fn smallest(
    candidates: Vec<Candidate>,
    size: Dimensions,
    cap: Bytes,
    stop: &Stop,
) -> Result<Buffer, EncodeError> {
    let mut best: Option<Buffer> = None;
    let mut least: Option<Bytes> = None;
    for candidate in candidates {
        for filter in candidate.filters {
            let cap = best.as_ref().map_or(cap, |b| Bytes::of(b).saturating_sub(Bytes::new(1)));
            match candidate.write(*filter, size, cap, stop) {
                Ok(buffer) => best = Some(buffer),
                Err(EncodeError::OverCap { at_least }) => {
                    least = Some(least.map_or(at_least, |l| l.min(at_least)));
                }
                Err(e) => return Err(e),
            }
        }
    }
    match (best, least) {
        (Some(best), _) => Ok(best),
        (None, Some(at_least)) => Err(EncodeError::OverCap { at_least }),
        (None, None) => Err(CodecError::Internal("no way to write a PNG".into()).into()),
    }
}

/// Whether at least half of the pixels equal the one to their left. Such images repeat long
/// runs that filters would break. Measured 2026-11-24, adaptive → none: a screenshot of
/// 1080 × 2340 76,339 → 72,435 B here; with another encoder on zlib level 9 a drawing
/// 51,832 → 43,323 B, but photos 456,880 → 587,197 B and 24,412 → 27,809 B.
fn is_flat(pixels: &[Rgba]) -> bool {
    pixels.windows(2).filter(|pair| pair[0] == pair[1]).count() >= pixels.len() / 2
}

/// One way to write the image.
struct Candidate {
    color: ColorType,
    depth: BitDepth,
    palette: Vec<u8>,
    transparency: Vec<u8>,
    /// Rows without filter bytes, padded to whole bytes.
    data: Vec<u8>,
    filters: &'static [Filter],
}

impl Candidate {
    fn indexed(palette: &Palette, indices: &[u8], size: Dimensions) -> Self {
        let colors = palette.colors();
        let (depth, bits) = match colors.len() {
            0..=2 => (BitDepth::One, 1),
            3..=4 => (BitDepth::Two, 2),
            5..=16 => (BitDepth::Four, 4),
            _ => (BitDepth::Eight, 8),
        };
        let transparent = colors.iter().rposition(|c| c[3] != 255).map_or(0, |last| last + 1);
        let data = indices
            .chunks(size.width() as usize)
            .flat_map(|row| row.chunks(8 / bits))
            .map(|group| {
                let packed =
                    group.iter().fold(0_u32, |byte, index| byte << bits | u32::from(*index));
                (packed << (bits * (8 / bits - group.len()))) as u8
            })
            .collect();
        Self {
            color: ColorType::Indexed,
            depth,
            palette: colors.iter().flat_map(|c| [c[0], c[1], c[2]]).collect(),
            transparency: colors[..transparent].iter().map(|c| c[3]).collect(),
            data,
            // PNG, third edition, 12.7: indices are no quantities; filters seldom help
            filters: &[Filter::NoFilter],
        }
    }

    fn direct(pixels: &[Rgba]) -> Self {
        let gray = pixels.iter().all(|p| p[0] == p[1] && p[1] == p[2]);
        let opaque = pixels.iter().all(|p| p[3] == 255);
        let (color, data) = match (gray, opaque) {
            (true, true) => (ColorType::Grayscale, pixels.iter().map(|p| p[0]).collect()),
            (true, false) => {
                (ColorType::GrayscaleAlpha, pixels.iter().flat_map(|p| [p[0], p[3]]).collect())
            }
            (false, true) => {
                (ColorType::Rgb, pixels.iter().flat_map(|p| [p[0], p[1], p[2]]).collect())
            }
            (false, false) => (ColorType::Rgba, pixels.as_flattened().to_vec()),
        };
        Self {
            color,
            depth: BitDepth::Eight,
            palette: Vec::new(),
            transparency: Vec::new(),
            data,
            filters: if is_flat(pixels) {
                &[Filter::NoFilter, Filter::Adaptive]
            } else {
                &[Filter::Adaptive]
            },
        }
    }

    fn write(
        &self,
        filter: Filter,
        size: Dimensions,
        cap: Bytes,
        stop: &Stop,
    ) -> Result<Buffer, EncodeError> {
        let mut out = CappedWriter::new(cap);
        match self.write_to(&mut out, filter, size, stop) {
            Ok(()) => Ok(out.into_buffer()),
            Err(e) => {
                stop.check()?;
                Err(out.error(|| CodecError::Internal(format!("PNG encoder: {e}")).into()))
            }
        }
    }

    fn write_to(
        &self,
        out: &mut CappedWriter,
        filter: Filter,
        size: Dimensions,
        stop: &Stop,
    ) -> Result<(), EncodingError> {
        let mut encoder = Encoder::new(out, size.width(), size.height());
        encoder.set_color(self.color);
        encoder.set_depth(self.depth);
        let indexed = self.color == ColorType::Indexed;
        encoder.set_deflate_compression(if indexed { DEFLATE_INDICES } else { DEFLATE });
        encoder.set_filter(filter);
        if indexed {
            encoder.set_palette(self.palette.as_slice());
            if !self.transparency.is_empty() {
                encoder.set_trns(self.transparency.as_slice());
            }
        }
        let mut writer = encoder.write_header()?;
        let mut stream = writer.stream_writer()?;
        for slab in self.data.chunks(1 << 16) {
            if stop.check().is_err() {
                return Err(std::io::Error::other("stopped").into());
            }
            stream.write_all(slab)?;
        }
        stream.finish()?;
        writer.finish()
    }
}

#[cfg(test)]
mod tests;
