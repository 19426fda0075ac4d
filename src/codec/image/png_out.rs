//! Stand-in until the PNG encoder lands.
use bytes::Bytes as Buffer;

use super::raster::Raster;
use crate::{
    codec::{CodecError, EncodeError},
    model::{Bytes, Stop},
};

/// Stand-in.
///
/// # Errors
/// Always.
pub fn encode(
    _raster: &Raster,
    _colors: Option<u16>,
    _cap: Bytes,
    _stop: &Stop,
) -> Result<Buffer, EncodeError> {
    Err(CodecError::Internal("stand-in".into()).into())
}
