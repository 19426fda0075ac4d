//! Images that a decoder outside this room made pixels of: HEIF, posters of videos.

use super::{
    color::{self, Model},
    facts,
    raster::{DecodedImage, Frame, Overhang},
    resize::{Plane, resize_plane},
    session::ImageSession,
};
use crate::{
    codec::{CodecError, Session},
    model::{Dimensions, MediaInfo, Millis},
};

/// What the numbers of pixels mean.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ForeignColor {
    /// As this house means them.
    Srgb,
    /// As an ICC profile says.
    Icc(Vec<u8>),
    /// Display P3: what phones write without a profile (H.273 colour primaries 12).
    DisplayP3,
}

/// Upright pixels, 8 bits a channel, rows without padding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ForeignPixels {
    /// Width and height.
    pub dimensions: Dimensions,
    /// RGB, or RGB and straight alpha.
    pub alpha: bool,
    /// Three or four bytes a pixel.
    pub pixels: Vec<u8>,
    /// Their meaning.
    pub color: ForeignColor,
}

/// A session of one image, scaled into `largest`. `info` tells of the medium it came from.
///
/// # Errors
/// The buffer's length is not that of the image.
pub fn session_of_pixels(
    info: MediaInfo,
    image: ForeignPixels,
    largest: Dimensions,
) -> Result<Box<dyn Session>, CodecError> {
    let ForeignPixels { dimensions, alpha, pixels, color } = image;
    let channels = if alpha { 4 } else { 3 };
    if pixels.len() as u64 != dimensions.pixels() * channels as u64 {
        return Err(CodecError::Internal("length of foreign pixels".into()));
    }
    let overhang = Overhang::default();
    let plane = Plane { dimensions, channels, alpha, pixels, overhang };
    let plane = resize_plane(plane, dimensions.shrunk_into(largest))?;
    let profile = match color {
        ForeignColor::Srgb => None,
        ForeignColor::Icc(icc) => Some(icc),
        ForeignColor::DisplayP3 => color::display_p3(),
    };
    let raster = color::to_srgb(plane, Model::Light, profile.as_deref())?;
    Ok(session_of(
        info,
        DecodedImage { frames: vec![Frame { raster, delay: Millis::ZERO }], loops: 1 },
    ))
}

/// A session of pixels that are sRGB and upright: at least one frame. `info` tells of the medium
/// that they came from.
pub fn session_of(info: MediaInfo, image: DecodedImage) -> Box<dyn Session> {
    let facts = facts::of_image(&image);
    Box::new(ImageSession::new(info, facts, image))
}
