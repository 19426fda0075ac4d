//! Stand-in until WBMP lands.
use bytes::Bytes as Buffer;

use super::raster::Raster;
use crate::{
    codec::{CodecError, DecodeLimits, EncodeError},
    model::{Bytes, Dimensions, Rgb},
};

/// Stand-in.
pub fn recognise(_bytes: &[u8]) -> bool {
    false
}

/// Stand-in.
///
/// # Errors
/// Always.
pub fn read_header(_bytes: &[u8]) -> Result<Dimensions, CodecError> {
    Err(CodecError::Internal("stand-in".into()))
}

/// Stand-in.
///
/// # Errors
/// Always.
pub fn decode(_input: &[u8], _limits: &DecodeLimits) -> Result<Raster, CodecError> {
    Err(CodecError::Internal("stand-in".into()))
}

/// Stand-in.
///
/// # Errors
/// Always.
pub fn encode(_raster: &Raster, _background: Rgb, _cap: Bytes) -> Result<Buffer, EncodeError> {
    Err(CodecError::Internal("stand-in".into()).into())
}
