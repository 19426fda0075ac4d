//! Animations in: GIF, APNG and WebP, composed frame by frame and scaled at once, so that memory
//! holds one canvas and the small frames that are kept, never all frames at their own size.
//!
//! What a limit does:
//! - canvas or frame pixels, total pixels, memory: [`CodecError::Limit`]. Total pixels are
//!   priced from the headers before the first pixel is decoded, so a bomb costs next to nothing.
//!   The caller may still have the first frame (`hint.animation == false`).
//! - `max_frames`: the frames up to it are kept, the rest is left out.
//!
//! A file that breaks off keeps the frames before the break, if there is at least one.
//!
//! Delays are kept as written, also those of 10 ms and less that browsers show for 100 ms. Only
//! where *all* delays are zero, each becomes 100 ms: an animation never lasts no time at all.

mod count;
mod gif;
mod image_frames;
mod reel;
#[cfg(test)]
pub(in crate::codec::image) mod tests;
mod webp;

use bytes::Bytes as Buffer;

pub use count::count_frames;

use super::raster::DecodedImage;
use crate::codec::{CodecError, DecodeLimits, OpenHint};
use crate::model::{Dimensions, MediaType, Stop};

/// Decodes a GIF, APNG or WebP into `hint.largest`: aspect kept, never enlarged, all frames of
/// the same dimensions. Stills of these formats give one frame. With `hint.animation == false`
/// only the first frame is decoded. Frames are [`super::raster::Layout::Rgba`] if any pixel of
/// any frame is not opaque, else [`super::raster::Layout::Rgb`].
///
/// # Errors
/// Malformed before the first frame is complete; a limit (see the module's head); stopped; or
/// unsupported if `media_type` is none of the three.
pub fn decode_animation(
    input: &Buffer,
    media_type: &MediaType,
    hint: OpenHint,
    limits: &DecodeLimits,
    stop: &Stop,
) -> Result<DecodedImage, CodecError> {
    stop.check()?;
    if *media_type == MediaType::GIF {
        gif::decode(input, hint, limits, stop)
    } else if *media_type == MediaType::PNG {
        image_frames::decode_apng(input, hint, limits, stop)
    } else if *media_type == MediaType::WEBP {
        webp::decode_webp(input, hint, limits, stop)
    } else {
        Err(CodecError::Unsupported { format: "animation", detail: media_type.to_string() })
    }
}

/// Refuses what the headers alone show to be too much: `frames` canvases of `canvas` pixels.
fn price(canvas: Dimensions, frames: u32, limits: &DecodeLimits) -> Result<(), CodecError> {
    let over = |what, found, limit| {
        if found > limit { Err(CodecError::Limit { what, found, limit }) } else { Ok(()) }
    };
    over("pixels", canvas.pixels(), limits.max_pixels)?;
    over(
        "total pixels",
        canvas.pixels().saturating_mul(u64::from(frames.min(limits.max_frames))),
        limits.max_total_pixels,
    )
}
