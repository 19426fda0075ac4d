//! What the headers of an image tell, read without decoding a pixel.

mod bmp;
pub(super) mod gif;
pub(super) mod jpeg;
pub(super) mod png;
mod tiff;
pub(super) mod webp;

use super::{recognise::recognise, wbmp};
use crate::{
    codec::{CodecError, DecodeLimits},
    model::{BitRate, Bytes, Dimensions, MediaInfo, MediaKind, MediaType, Millis, Orientation},
};

/// Everything that `open` must know before it allocates.
#[derive(Clone, Debug)]
pub(super) struct Header {
    /// Type by content.
    pub media_type: MediaType,
    /// As stored, before orientation.
    pub stored: Dimensions,
    /// Codec or variant in a word.
    pub codec: &'static str,
    /// Frames found, capped by the limits.
    pub frames: u32,
    /// Sum of the frames' delays.
    pub duration: Millis,
    /// The turn that stored pixels need.
    pub orientation: Orientation,
    /// Whether there is an alpha channel or a transparent colour.
    pub alpha: bool,
    /// One channel of luma.
    pub gray: bool,
    /// A colour model that handsets do not show.
    pub exotic: bool,
    /// Anything that is not the image.
    pub metadata: bool,
    /// The file ends before its own end.
    pub truncated: bool,
    /// Memory that a decode holds at once, in bytes, at least.
    pub memory: u64,
}

impl Header {
    /// A still of `stored` pixels with `bytes_per_pixel` when decoded.
    fn still(
        media_type: MediaType,
        stored: Dimensions,
        codec: &'static str,
        bytes_per_pixel: u64,
    ) -> Self {
        Self {
            media_type,
            stored,
            codec,
            frames: 1,
            duration: Millis::ZERO,
            orientation: Orientation::NORMAL,
            alpha: false,
            gray: false,
            exotic: false,
            metadata: false,
            truncated: false,
            memory: stored.pixels().saturating_mul(bytes_per_pixel),
        }
    }

    /// Width and height as shown.
    pub fn shown(&self) -> Dimensions {
        if self.orientation.swaps_sides() { self.stored.transposed() } else { self.stored }
    }

    /// The public form.
    pub fn info(&self, bytes: Bytes) -> MediaInfo {
        MediaInfo {
            kind: MediaKind::Image,
            media_type: self.media_type.clone(),
            codec: self.codec.to_owned(),
            bytes,
            dimensions: Some(self.shown()),
            frames: self.frames,
            bitrate: BitRate::ZERO,
            video: None,
            audio: None,
            duration: self.duration,
            orientation: self.orientation,
            has_alpha: self.alpha,
            gray: self.gray,
            exotic_color: self.exotic,
            has_metadata: self.metadata,
            truncated: self.truncated,
        }
    }

    /// Refuses what would take too much, before anything is allocated.
    fn check(self, limits: &DecodeLimits) -> Result<Self, CodecError> {
        over("pixels", self.stored.pixels(), limits.max_pixels)?;
        over("memory", self.memory, limits.max_memory.get())?;
        Ok(self)
    }
}

/// `Err` if `found` is over `limit`.
pub(super) fn over(what: &'static str, found: u64, limit: u64) -> Result<(), CodecError> {
    if found > limit { Err(CodecError::Limit { what, found, limit }) } else { Ok(()) }
}

/// Reads the headers of `bytes`, whatever image format they are.
pub(super) fn read(bytes: &[u8], limits: &DecodeLimits) -> Result<Header, CodecError> {
    let Some(media_type) = recognise(bytes) else {
        return Err(CodecError::Unsupported {
            format: "image",
            detail: "no known magic number".into(),
        });
    };
    let header = match media_type.as_str() {
        "image/jpeg" => jpeg::read(bytes, limits)?,
        "image/png" => png::read(bytes, limits)?,
        "image/gif" => gif::read(bytes, limits)?,
        "image/webp" => webp::read(bytes, limits)?,
        "image/bmp" => bmp::read(bytes)?,
        "image/tiff" => tiff::read(bytes)?,
        "image/vnd.wap.wbmp" => {
            let dimensions = wbmp::read_header(bytes)?;
            let mut header = Header::still(MediaType::WBMP, dimensions, "wbmp", 1);
            header.gray = true;
            header
        }
        "image/avif" => {
            return Err(CodecError::Unsupported {
                format: "AVIF",
                detail: "avif needs the worker".into(),
            });
        }
        _ => {
            return Err(CodecError::Unsupported {
                format: "HEIC",
                detail: "heic needs the worker".into(),
            });
        }
    };
    header.check(limits)
}

/// Bounds-checked reads of integers out of a slice.
pub(super) mod peek {
    /// Big-endian 16 bits at `at`.
    pub fn be16(b: &[u8], at: usize) -> Option<u16> {
        Some(u16::from_be_bytes(b.get(at..at.checked_add(2)?)?.try_into().ok()?))
    }
    /// Big-endian 32 bits at `at`.
    pub fn be32(b: &[u8], at: usize) -> Option<u32> {
        Some(u32::from_be_bytes(b.get(at..at.checked_add(4)?)?.try_into().ok()?))
    }
    /// Little-endian 16 bits at `at`.
    pub fn le16(b: &[u8], at: usize) -> Option<u16> {
        Some(u16::from_le_bytes(b.get(at..at.checked_add(2)?)?.try_into().ok()?))
    }
    /// Little-endian 24 bits at `at`.
    pub fn le24(b: &[u8], at: usize) -> Option<u32> {
        let b = b.get(at..at.checked_add(3)?)?;
        Some(u32::from_le_bytes([b[0], b[1], b[2], 0]))
    }
    /// Little-endian 32 bits at `at`.
    pub fn le32(b: &[u8], at: usize) -> Option<u32> {
        Some(u32::from_le_bytes(b.get(at..at.checked_add(4)?)?.try_into().ok()?))
    }
}
