//! What a worker claims, checked by the host. Pure: a claim and what was asked go in.

use std::time::Duration;

use crate::{
    codec::{DecodeLimits, Reference},
    model::{Bytes, MediaInfo, MediaKind, MediaType, Recipe},
};

/// Longest plausible name of a codec or profile.
const MAX_NAME: usize = 64;

/// Longest plausible reason for what cannot be read.
const MAX_WHY: usize = 400;

/// What is wrong with a claim.
pub(super) type Violation = String;

fn violation<T>(what: impl Into<String>) -> Result<T, Violation> {
    Err(what.into())
}

/// Facts of an input of `size` bytes that the host takes for `recognised`.
pub(super) fn info(
    info: &MediaInfo,
    recognised: &MediaType,
    size: Bytes,
    limits: &DecodeLimits,
) -> Result<(), Violation> {
    if info.bytes != size {
        return violation(format!("{} bytes are {}", size, info.bytes));
    }
    // What could hold a video by its container may hold audio alone, or audio and its cover.
    let audio_alone = (recognised.kind(), info.kind) == (MediaKind::Video, MediaKind::Audio);
    if info.kind != info.media_type.kind() || info.kind != recognised.kind() && !audio_alone {
        return violation(format!("{recognised} is {} of kind {:?}", info.media_type, info.kind));
    }
    let sane = |name: &str| name.len() <= MAX_NAME && !name.contains(|c: char| c.is_control());
    let mut names = vec![info.codec.as_str()];
    names.extend(info.video.iter().flat_map(|v| [v.codec.as_str(), v.profile.as_str()]));
    names.extend(info.audio.iter().flat_map(|a| [a.codec.as_str(), a.profile.as_str()]));
    let unreadable = info.audio.as_ref().map_or("", |a| a.unreadable.as_str());
    if unreadable.len() > MAX_WHY || unreadable.contains(|c: char| c.is_control()) {
        return violation("a reason is none");
    }
    if !names.into_iter().all(sane) {
        return violation("a name is none");
    }
    if info.dimensions.is_some_and(|d| d.pixels() > limits.max_pixels) {
        return violation("more pixels than it may have");
    }
    if Duration::from(info.duration) > limits.max_duration {
        return violation("longer than it may be");
    }
    if info.video.as_ref().is_some_and(|v| !(0.0..=1e6).contains(&v.frame_rate)) {
        return violation("a frame rate is none");
    }
    let complete = match info.kind {
        MediaKind::Image => info.dimensions.is_some(),
        MediaKind::Video => info.dimensions.is_some() && info.video.is_some(),
        MediaKind::Audio => info.audio.is_some() && info.video.is_none(),
        _ => false,
    };
    if complete { Ok(()) } else { violation(format!("no whole {:?}", info.kind)) }
}

/// An output of `recipe`, which the host takes for `recognised`.
pub(super) fn output(
    output: &[u8],
    recognised: Option<&MediaType>,
    recipe: &Recipe,
    cap: Bytes,
) -> Result<(), Violation> {
    if Bytes::of(output) > cap {
        return violation(format!("{} bytes, {cap} were allowed", output.len()));
    }
    let wanted = recipe.media_type();
    if recognised == Some(&wanted) {
        return Ok(());
    }
    violation(format!("{wanted} looks like {}", recognised.map_or("nothing", MediaType::as_str)))
}

/// A reference image: as large as its dimensions say, within the bounds asked for.
pub(super) fn reference(
    reference: &Reference,
    largest: crate::model::Dimensions,
) -> Result<(), Violation> {
    let whole = reference.luma.len() as u64 == reference.dimensions.pixels();
    let within = reference.dimensions.within(largest);
    if whole && within { Ok(()) } else { violation("a reference is not of its size") }
}
