//! JPEG encoding: JFIF, no metadata, sRGB implied.
//!
//! Baseline is our own: one interleaved scan with Huffman tables made for the picture. The crate
//! `jpeg-encoder` writes such tables only into one scan per component, which the decoders of
//! plain handsets (one pass, a stripe of memory) are not sure to read; its fixed tables cost 4 to
//! 9 % more bytes. Having the coefficients also pays twice in a search: the transform is done
//! once for all qualities, and a cap is judged before a byte is written.

mod baseline;
mod dct;
mod huffman;
mod progressive;
mod tables;
mod transform;

use bytes::Bytes as Buffer;

pub(super) use self::transform::Transformed;
use super::raster::Raster;
use crate::{
    codec::EncodeError,
    model::{Bytes, Chroma, Quality, Stop},
};

/// `picture` as a baseline JPEG of at most `cap` bytes.
pub(super) fn encode_baseline(
    picture: &Transformed,
    quality: Quality,
    cap: Bytes,
    stop: &Stop,
) -> Result<Buffer, EncodeError> {
    baseline::encode(picture, quality, cap, stop)
}

/// `raster`, which has no alpha, as a progressive JPEG of at most `cap` bytes.
pub(super) fn encode_progressive(
    raster: &Raster,
    coding: (Quality, Chroma),
    cap: Bytes,
    stop: &Stop,
) -> Result<Buffer, EncodeError> {
    progressive::encode(raster, coding, cap, stop)
}

#[cfg(test)]
mod tests;
