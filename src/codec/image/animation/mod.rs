//! Stand-in until the animation decoder lands.
use bytes::Bytes as Buffer;

use super::raster::Picture;
use crate::{
    codec::{CodecError, DecodeLimits, OpenHint},
    model::{MediaType, Stop},
};

/// Stand-in.
///
/// # Errors
/// Always.
pub fn decode_animation(
    _input: &Buffer,
    _media_type: &MediaType,
    _hint: OpenHint,
    _limits: &DecodeLimits,
    _stop: &Stop,
) -> Result<Picture, CodecError> {
    Err(CodecError::Internal("stand-in".into()))
}
