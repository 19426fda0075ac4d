//! JPEG encoding: JFIF, no metadata, sRGB implied.
//!
//! Baseline is our own: one interleaved scan with Huffman tables made for the picture. The crate
//! `jpeg-encoder` 0.7.1 writes such tables only into one scan per component: zune-jpeg 0.5 decodes
//! those to garbage at 4:2:0 (measured 2026-11-24, djpeg reads them), and the decoders of plain
//! handsets (one pass, a stripe of memory) are not sure to read them either. Having the coefficients also pays twice in a search: the transform is done
//! once for all qualities, and a cap is judged before a byte is written.

mod baseline;
mod dct;
mod huffman;
mod tables;
mod transform;

use bytes::Bytes as Buffer;

pub use self::transform::Transformed;
use crate::{
    codec::{CodecError, EncodeError},
    model::{Bytes, Quality, Stop},
};

/// `picture` as a baseline JPEG of at most `cap` bytes.
///
/// # Errors
/// [`EncodeError::OverCap`], or stopped.
pub fn encode_baseline(
    picture: &Transformed,
    quality: Quality,
    cap: Bytes,
    stop: &Stop,
) -> Result<Buffer, EncodeError> {
    baseline::encode(picture, quality, cap, stop)
}

/// What [`encode_baseline`] would give, without writing: exact but for the zero bytes stuffed
/// after 0xFF, which are estimated (within 0.6 % of the size, tested).
///
/// # Errors
/// Stopped.
pub fn measure_baseline(
    picture: &Transformed,
    quality: Quality,
    stop: &Stop,
) -> Result<Bytes, CodecError> {
    baseline::measure(picture, quality, stop)
}

#[cfg(test)]
mod tests;
