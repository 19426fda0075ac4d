//! Images: every format that safe Rust reads, and the four that handsets show.
//!
//! From bytes to bytes: [`header`] reads what can be told without pixels and refuses what is too
//! large; [`decode`] makes upright sRGB pixels, scaled down while decoding where the format can;
//! [`session`] resizes and encodes them as often as asked; [`strip`] takes metadata out without
//! touching the image.

pub(crate) mod animation;
mod capped;
mod color;
mod contest;
mod decode;
mod facts;
mod foreign;
pub(crate) mod gif_out;
mod header;
mod input;
pub mod jpeg_in;
pub mod jpeg_out;
mod judge;
mod lanes;
pub mod likeness;
mod orient;
pub(crate) mod palette;
pub(crate) mod png_out;
pub mod raster;
mod recognise;
mod resize;
mod session;
mod strip;
pub(crate) mod wbmp;
mod ycc;

#[cfg(test)]
mod corpus_tests;

use std::panic::{AssertUnwindSafe, catch_unwind};

use bytes::Bytes as Buffer;

pub use self::foreign::{ForeignColor, ForeignPixels, session_of, session_of_pixels};
use self::{
    header::Header,
    likeness::Comparison,
    raster::{DecodedImage, Frame, Layout, Raster},
    session::ImageSession,
};
use super::{Codec, CodecError, DecodeLimits, OpenHint, Reference, Session, Verified};
use crate::model::{Bytes, Effort, MediaInfo, MediaKind, MediaType, Millis, Stop};

/// Reads and writes images in process.
pub struct ImageCodec;

impl Codec for ImageCodec {
    fn recognise(&self, bytes: &[u8]) -> Option<MediaType> {
        recognise::recognise(bytes)
    }

    fn writes(&self, input: &MediaType, output: MediaKind) -> bool {
        // Those two are known to be images, and left to the worker.
        output == MediaKind::Image && ![MediaType::HEIC, MediaType::AVIF].contains(input)
    }

    fn probe(
        &self,
        input: &Buffer,
        limits: &DecodeLimits,
        stop: &Stop,
    ) -> Result<MediaInfo, CodecError> {
        stop.check()?;
        Ok(header::read(input, limits)?.info(Bytes::of(input)))
    }

    fn open(
        &self,
        input: &Buffer,
        hint: OpenHint,
        limits: &DecodeLimits,
        stop: &Stop,
    ) -> Result<Box<dyn Session>, CodecError> {
        stop.check()?;
        let header = header::read(input, limits)?;
        guarded(&header, || Ok(Box::new(open(input, &header, hint, limits, stop)?) as _))
    }

    fn strip_metadata(&self, input: &Buffer, _: &Stop) -> Result<Option<Buffer>, CodecError> {
        let header = header::read(input, &DecodeLimits::default());
        let able = |header: &header::Header| header.metadata && header.orientation.is_normal();
        let Some(header) = header.ok().filter(able) else { return Ok(None) };
        let stripped = strip::strip(input, &header.media_type);
        Ok(stripped.filter(|out| out.len() < input.len()))
    }

    fn verify(
        &self,
        output: &Buffer,
        reference: Option<&Reference>,
        limits: &DecodeLimits,
        stop: &Stop,
    ) -> Result<Verified, CodecError> {
        stop.check()?;
        let header = header::read(output, limits)?;
        let info = header.info(Bytes::of(output));
        // What an image looks like is told by its luma; the bits of its colour are checked as well.
        let by_luma = || Ok(verify_luma(output, &header, reference, limits, stop));
        if let Some(quality) = guarded(&header, by_luma)? {
            return Ok(Verified { info, quality });
        }
        stop.check()?;
        // At full size, so that no block is skipped.
        let hint = OpenHint { largest: header.shown(), animation: true, effort: Effort::Balanced };
        let session = guarded(&header, || open(output, &header, hint, limits, stop))?;
        let quality = reference.and_then(|r| session.likeness(r));
        Ok(Verified { info, quality })
    }
}

/// How much a JPEG looks like `reference`, if there is one; `None` where our reader does not take it.
fn verify_luma(
    output: &Buffer,
    header: &Header,
    reference: Option<&Reference>,
    limits: &DecodeLimits,
    stop: &Stop,
) -> Option<Option<f32>> {
    let Some(reference) = reference else {
        return decode::read_luma(output, header, limits, stop, |_| {}).map(|()| None);
    };
    if header.stored == reference.dimensions {
        let mut comparison = Comparison::new(&reference.luma, reference.dimensions);
        decode::read_luma(output, header, limits, stop, |row| comparison.row(row))?;
        return Some(Some(comparison.score()));
    }
    let mut luma = Vec::with_capacity(header.stored.pixels() as usize);
    decode::read_luma(output, header, limits, stop, |row| luma.extend_from_slice(row))?;
    let luma = Raster::new(header.stored, Layout::Gray, luma)?;
    Some(session::luma_likeness(&luma, reference))
}

fn open(
    input: &Buffer,
    header: &Header,
    hint: OpenHint,
    limits: &DecodeLimits,
    stop: &Stop,
) -> Result<ImageSession, CodecError> {
    let info = header.info(Bytes::of(input));
    if info.animated() && hint.animation {
        let image = animation::decode_animation(input, &header.media_type, hint, limits, stop)?;
        let facts = facts::of_image(&image);
        return Ok(ImageSession::new(info, facts, image));
    }
    let still = decode::decode(input, header, hint, limits, stop)?;
    let frame = Frame { raster: still.raster, delay: Millis::ZERO };
    Ok(ImageSession::new(info, still.facts, DecodedImage { frames: vec![frame], loops: 1 }))
}

/// The pixels of a still that was written here.
fn still_of_ours(file: &Buffer, stop: &Stop) -> Result<Raster, CodecError> {
    let limits = DecodeLimits::default();
    let header = header::read(file, &limits)?;
    let hint = OpenHint { largest: header.shown(), animation: false, effort: Effort::Balanced };
    Ok(decode::decode(file, &header, hint, &limits, stop)?.raster)
}

/// A decoder that panics found input that its author did not think of: the input is at fault.
fn guarded<T>(
    header: &Header,
    work: impl FnOnce() -> Result<T, CodecError>,
) -> Result<T, CodecError> {
    // Nothing outlives the closure but its result, so that no broken state can be seen.
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| {
        let text = panic
            .downcast_ref::<String>()
            .map(String::as_str)
            .or_else(|| panic.downcast_ref::<&str>().copied())
            .unwrap_or("no message");
        Err(CodecError::Malformed {
            format: format_name(&header.media_type),
            detail: format!("the decoder gave up: {text}"),
        })
    })
}

fn format_name(media_type: &MediaType) -> &'static str {
    match media_type.as_str() {
        "image/jpeg" => "JPEG",
        "image/png" => "PNG",
        "image/gif" => "GIF",
        "image/webp" => "WebP",
        "image/bmp" => "BMP",
        "image/tiff" => "TIFF",
        "image/vnd.wap.wbmp" => "WBMP",
        _ => "image",
    }
}
