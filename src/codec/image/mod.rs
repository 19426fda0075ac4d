//! Pictures: every format that safe Rust reads, and the four that handsets show.

pub mod jpeg;
pub mod animation;
mod capped;
pub mod gif_out;
pub mod palette;
pub mod png_out;
pub mod raster;
pub mod wbmp;

use bytes::Bytes as Buffer;

use super::{Codec, CodecError, DecodeLimits, OpenHint, Session};
use crate::model::{MediaInfo, MediaType, Stop};

/// Reads and writes pictures in process.
pub struct ImageCodec;

impl Codec for ImageCodec {
    fn recognise(&self, _bytes: &[u8]) -> Option<MediaType> {
        None
    }

    fn probe(&self, _input: &Buffer, _limits: &DecodeLimits) -> Result<MediaInfo, CodecError> {
        Err(CodecError::Internal("not yet".into()))
    }

    fn open(
        &self,
        _input: &Buffer,
        _hint: OpenHint,
        _limits: &DecodeLimits,
        _stop: &Stop,
    ) -> Result<Box<dyn Session>, CodecError> {
        Err(CodecError::Internal("not yet".into()))
    }

    fn verify(
        &self,
        _output: &Buffer,
        _limits: &DecodeLimits,
        _stop: &Stop,
    ) -> Result<MediaInfo, CodecError> {
        Err(CodecError::Internal("not yet".into()))
    }
}
