//! One still image from its bytes to upright sRGB pixels, as small as will do.

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
    model::{Dimensions, Effort, MediaType, Stop},
};

/// Pixels are kept at this multiple of the largest size that will be asked for, at most: the
/// resample to any size is then as good as from the original, and quick. What a JPEG decoder makes
/// is within it.
const MASTER: f64 = 4.0;
/// The same where every pixel has to be converted to sRGB.
const COLORED_MASTER: f64 = 2.0;

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

/// An image ready for encoding, and facts about it.
pub(super) struct Still {
    pub raster: Raster,
    pub facts: ContentFacts,
}

/// The rows of luma of a JPEG, every bit of it read, where our reader takes it and nothing else
/// changes its looks. What was given to `each` means nothing where the end is `None`.
pub(super) fn read_luma(
    bytes: &Buffer,
    header: &Header,
    limits: &DecodeLimits,
    stop: &Stop,
    each: impl FnMut(&[u8]),
) -> Option<()> {
    let jpeg = header.media_type.as_str() == "image/jpeg";
    if jpeg { jpeg::read_luma(bytes, header, limits, stop, each) } else { None }
}

/// What a JPEG decoder that scales should reach for an output of `target`, in stored order.
///
/// An image decoded at a scale has lost more than its size: SSIMULACRA2 of the resized result
/// against that of a whole decode is 78 to 92 at 640×480 where the scale is just enough, 92 to 95
/// at one and a half times that, 95 at twice (16 photos, 2026-11-26).
/// That is lost from what the bytes could show, and it is free as long as the pixels decoded are
/// few beside those whose bits are read anyway.
fn reach(target: Dimensions, stored: Dimensions, effort: Effort) -> Dimensions {
    let margin = match effort {
        Effort::Fast => 1.0,
        Effort::Balanced => 1.25,
        Effort::Best if target.pixels() <= SMALL => FINEST,
        Effort::Best => FINEST / 2.0,
    };
    let free = f64::from(stored.longest()) / f64::from(target.longest()) / FREE;
    let finest = if effort == Effort::Fast { FINE } else { FINEST };
    times(target, free.clamp(margin, finest))
}

/// Twice the pixels a side are nearly as good: 0.5 less at 160×120 (95.7 of 96.2, 4 photos,
/// 2026-11-29).
const FINE: f64 = 2.0;
/// More than this is not seen, not even where few pixels are left.
const FINEST: f64 = 8.0;
/// Images of this many pixels show every artefact of a scaled decode.
const SMALL: u64 = 320 * 240;
/// Up to this part of a side, the work is a fraction of that of reading the bits.
const FREE: f64 = 4.0;

fn times(size: Dimensions, factor: f64) -> Dimensions {
    let side = |n: u32| (f64::from(n) * factor) as u32;
    Dimensions::at_least_one(side(size.width()), side(size.height()))
}

/// Decodes `bytes`, of which `header` was read.
pub(super) fn decode(
    bytes: &Buffer,
    header: &Header,
    hint: OpenHint,
    limits: &DecodeLimits,
    stop: &Stop,
) -> Result<Still, CodecError> {
    let target = header.shown().shrunk_into(hint.largest);
    // Back to stored order.
    let target = if header.orientation.swaps_sides() { target.transposed() } else { target };
    let decoded = match header.media_type.as_str() {
        "image/jpeg" => {
            let reach = reach(target, header.stored, hint.effort);
            jpeg::decode(bytes, header, reach, limits, stop)?
        }
        "image/vnd.wap.wbmp" => {
            let plane = of_raster(wbmp::decode(bytes, limits)?);
            Decoded { plane, model: Model::Light, icc: None }
        }
        "image/gif" => {
            let hint = OpenHint { largest: header.shown(), animation: false, effort: hint.effort };
            let image = decode_animation(bytes, &MediaType::GIF, hint, limits, stop)?;
            let frame = image.frames.into_iter().next();
            let raster = frame.ok_or_else(|| CodecError::Internal("no first frame".into()))?.raster;
            Decoded { plane: of_raster(raster), model: Model::Light, icc: None }
        }
        _ => still::decode(bytes, header, limits, stop)?,
    };
    stop.check()?;
    let Decoded { mut plane, model, icc } = decoded;
    // Facts are those of the decoded pixels; conversion to sRGB keeps grays and flat areas.
    let found = (model == Model::Light).then(|| facts::of_plane(&plane));
    let colored = model == Model::Ink || icc.as_deref().is_some_and(color::differs_from_srgb);
    let jpeg = header.media_type.as_str() == "image/jpeg";
    // What a JPEG decoder makes is as small as it may be.
    let master = times(target, if colored { COLORED_MASTER } else { MASTER });
    // A little more is not worth a resample of its own.
    if (colored || !jpeg) && plane.dimensions.pixels() > 2 * master.pixels() {
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
