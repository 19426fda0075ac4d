//! One still picture from its bytes to upright sRGB pixels, as small as will do.

mod jpeg;
mod png_color;
mod still;
#[cfg(test)]
mod tests;

use bytes::Bytes as Buffer;

use super::{
    animation::decode_animation,
    color::{self, Model},
    facts,
    header::Header,
    orient,
    raster::{Layout, Raster},
    resize::{Plane, resize_plane},
    wbmp,
};
use crate::{
    codec::{CodecError, ContentFacts, DecodeLimits, OpenHint},
    model::{Dimensions, MediaType, Stop},
};

/// Pixels are kept at this multiple of the largest size that will be asked for: enough that the
/// resample to any size is as good as from the original, little enough that it is quick.
const MASTER: u32 = 2;

/// What a format's decoder hands over.
struct Decoded {
    plane: Plane,
    model: Model,
    icc: Option<Vec<u8>>,
}

fn of_raster(raster: Raster) -> Plane {
    let (dimensions, overhang) = (raster.dimensions(), raster.overhang());
    let (channels, alpha) = (raster.layout().channels(), raster.layout() == Layout::Rgba);
    Plane { dimensions, channels, alpha, pixels: raster.into_pixels(), overhang }
}

/// A picture ready for encoding, and facts about it.
pub(super) struct Still {
    pub raster: Raster,
    pub facts: ContentFacts,
}

/// Decodes `bytes`, of which `header` was read. `largest`: a box, as shown.
pub(super) fn decode(
    bytes: &Buffer,
    header: &Header,
    largest: Dimensions,
    limits: &DecodeLimits,
    stop: &Stop,
) -> Result<Still, CodecError> {
    let target = header.shown().shrunk_into(largest);
    // Back to stored order.
    let target = if header.orientation.swaps_sides() { target.transposed() } else { target };
    let decoded = match header.media_type.as_str() {
        "image/jpeg" => jpeg::decode(bytes, header, target, limits, stop)?,
        "image/vnd.wap.wbmp" => {
            let plane = of_raster(wbmp::decode(bytes, limits)?);
            Decoded { plane, model: Model::Light, icc: None }
        }
        "image/gif" => {
            let hint = OpenHint { largest: header.shown(), animation: false };
            let picture = decode_animation(bytes, &MediaType::GIF, hint, limits, stop)?;
            let frame = picture.frames.into_iter().next();
            let raster = frame.ok_or_else(|| CodecError::Internal("no first frame".into()))?.raster;
            Decoded { plane: of_raster(raster), model: Model::Light, icc: None }
        }
        _ => still::decode(bytes, header, limits, stop)?,
    };
    stop.check()?;
    let Decoded { mut plane, model, icc } = decoded;
    // Facts are those of the decoded pixels; conversion to sRGB keeps grays and flat areas.
    let found = (model == Model::Light).then(|| facts::of_plane(&plane));
    let master = Dimensions::at_least_one(
        target.width().saturating_mul(MASTER),
        target.height().saturating_mul(MASTER),
    );
    if plane.dimensions.pixels() > master.pixels() {
        plane = resize_plane(plane, master)?;
        stop.check()?;
    }
    let raster = color::to_srgb(plane, model, icc.as_deref())?;
    stop.check()?;
    let raster = orient::upright(raster, header.orientation);
    let facts = found.unwrap_or_else(|| facts::of_raster(&raster));
    let raster = if facts.gray && !facts.transparent { raster.into_gray() } else { raster };
    Ok(Still { raster, facts })
}
