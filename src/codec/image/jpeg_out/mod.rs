//! JPEG encoding: JFIF, no metadata, sRGB implied.
//!
//! Baseline is our own: one interleaved scan with Huffman tables made for the image. The crate
//! `jpeg-encoder` 0.7.1 writes such tables only into one scan per component: zune-jpeg 0.5 decodes
//! those to garbage at 4:2:0 (measured 2026-11-24, djpeg reads them), and the decoders of plain
//! handsets (one pass, a stripe of memory) are not sure to read them either. Having the coefficients also pays twice in a search: the transform is done
//! once for all qualities, and a cap is judged before a byte is written.

mod baseline;
mod block;
mod dct;
mod huffman;
mod quantise;
mod stripes;
mod tables;
mod tokens;
mod transform;
mod trellis;

use bytes::Bytes as Buffer;

pub use self::{
    baseline::{Prepared, estimate},
    quantise::{Quantising, Trellis},
    transform::Transformed,
};
use crate::{
    codec::EncodeError,
    model::{Bytes, Stop},
};

/// `image` as a baseline JPEG of at most `cap` bytes, in one go.
///
/// # Errors
/// [`EncodeError::OverCap`], or stopped.
pub fn encode_baseline(
    image: &Transformed,
    how: &Quantising,
    cap: Bytes,
    stop: &Stop,
) -> Result<Buffer, EncodeError> {
    Prepared::new(image, how, stop)?.write(cap)
}

#[cfg(test)]
mod tests;
