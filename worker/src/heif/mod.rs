//! HEIC and AVIF images through libheif: the primary image of the file, upright, in the colours
//! of its profile; all that follows is done by the image codec of the main crate.

#![allow(unsafe_code, reason = "calls libheif")]

mod boxes;
mod ffi;
mod file;
mod tiles;

use std::ffi::CStr;

use bytes::Bytes as Buffer;
use mmsfit::{
    codec::{
        Codec, CodecError, DecodeLimits, OpenHint, Reference, Session, Verified,
        image::session_of_pixels, remote,
    },
    model::{Bytes, MediaInfo, MediaKind, MediaType, Stop},
};

use self::file::Heif;

/// Loads the decoders, where libheif keeps them in files of their own.
pub fn warm() {
    // SAFETY: no parameters; called once, before any other function of the library. A failure
    // shows at the first image.
    unsafe { ffi::heif_init(std::ptr::null_mut()) };
}

/// Name, version and licence.
pub fn library() -> String {
    // SAFETY: the library answers a static string.
    let version = unsafe { CStr::from_ptr(ffi::heif_get_version()) };
    format!("libheif {} (LGPL-3.0-or-later)", version.to_string_lossy())
}

/// Reads HEIC and AVIF.
pub struct HeifCodec;

fn info(heif: &Heif<'_>, input: &Buffer, limits: &DecodeLimits) -> Result<MediaInfo, CodecError> {
    let media_type = remote::heif(input).unwrap_or(MediaType::HEIC);
    let dimensions = heif.dimensions()?;
    if dimensions.pixels() > limits.max_pixels {
        let (found, limit) = (dimensions.pixels(), limits.max_pixels);
        return Err(CodecError::Limit { what: "pixels", found, limit });
    }
    let mut info = MediaInfo::opaque(media_type, Bytes::of(input));
    info.codec = if info.media_type == MediaType::AVIF { "av1" } else { "hevc" }.into();
    info.dimensions = Some(dimensions);
    // Only the still is decoded; that there was more must be told.
    info.frames = boxes::sequence(input).clamp(1, limits.max_frames.max(1));
    info.has_alpha = heif.has_alpha();
    info.has_metadata = heif.has_metadata();
    info.exotic_color = heif.bits() > 8;
    Ok(info)
}

impl Codec for HeifCodec {
    fn recognise(&self, bytes: &[u8]) -> Option<MediaType> {
        remote::heif(bytes)
    }

    fn writes(&self, _: &MediaType, output: MediaKind) -> bool {
        output == MediaKind::Image
    }

    fn probe(
        &self,
        input: &Buffer,
        limits: &DecodeLimits,
        _: &Stop,
    ) -> Result<MediaInfo, CodecError> {
        info(&Heif::read(input)?, input, limits)
    }

    fn open(
        &self,
        input: &Buffer,
        hint: OpenHint,
        limits: &DecodeLimits,
        stop: &Stop,
    ) -> Result<Box<dyn Session>, CodecError> {
        let heif = Heif::read(input)?;
        let info = info(&heif, input, limits)?;
        if let Some(pixels) = tiles::decode(&heif, hint.largest, limits, stop)? {
            return session_of_pixels(info, pixels, hint.largest);
        }
        let needed = heif.dimensions()?.pixels().saturating_mul(8);
        if needed > limits.max_memory.get() {
            let limit = limits.max_memory.get();
            return Err(CodecError::Limit { what: "memory", found: needed, limit });
        }
        session_of_pixels(info, heif.decode(limits)?, hint.largest)
    }

    fn preview(
        &self,
        input: &Buffer,
        hint: OpenHint,
        limits: &DecodeLimits,
        _: &Stop,
    ) -> Result<Option<Box<dyn Session>>, CodecError> {
        let heif = Heif::read(input)?;
        let Some(thumbnail) = heif.thumbnail() else { return Ok(None) };
        let mut pixels = thumbnail.decode(limits)?;
        pixels.color = heif.color();
        // All that is told of it is true of what it shows.
        let mut info = info(&heif, input, limits)?;
        info.dimensions = Some(pixels.dimensions);
        session_of_pixels(info, pixels, hint.largest).map(Some)
    }

    fn verify(
        &self,
        _: &Buffer,
        _: Option<&Reference>,
        _: &DecodeLimits,
        _: &Stop,
    ) -> Result<Verified, CodecError> {
        Err(CodecError::Unsupported { format: "HEIF", detail: "never an output of ours".into() })
    }
}
