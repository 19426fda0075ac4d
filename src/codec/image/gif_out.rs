//! Stand-in until the GIF encoder lands.
use bytes::Bytes as Buffer;

use super::raster::Picture;
use crate::{
    codec::{CodecError, EncodeError},
    model::{Bytes, Rgb, Stop},
};

/// Stand-in.
///
/// # Errors
/// Always.
pub fn encode(
    _picture: &Picture,
    _colors: u16,
    _frame_step: u16,
    _background: Rgb,
    _cap: Bytes,
    _stop: &Stop,
) -> Result<Buffer, EncodeError> {
    Err(CodecError::Internal("stand-in".into()).into())
}
