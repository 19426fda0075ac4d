//! Decides on images.

use super::{
    ImageTarget, Input, PartFacts, PartPlan, Target, device,
    verdict::{broken, drop_part, not_accepted},
};
use crate::{
    model::{Action, Dimensions, ImageFormat, MediaKind, MediaType, Reason, ReasonCode},
    policy::{Fallback, Sanitize},
};

/// Judges an image by content and device.
pub(super) fn judge(part: &mut PartPlan, facts: &PartFacts, input: &Input<'_>) {
    let accepted = input.capabilities.accept.accepts(&facts.info.media_type);
    if broken(part, facts, input, accepted) {
        return;
    }
    must_change(part, facts, input, accepted);
    if part.reasons.is_empty() && facts.makes.image && must_be_anew(facts, input) {
        part.reasons.push(ReasonCode::Sanitized.into());
    }
    if part.reasons.is_empty() {
        part.reasons.push(ReasonCode::Fits.into());
        part.strip = facts.strippable;
        if part.strip {
            part.reasons.push(ReasonCode::MetadataStripped.into());
        }
        return;
    }
    part.original_acceptable = false;
    transcode(part, facts, input);
}

/// Whether the policy lets no original pass, or none with metadata that cannot be taken out.
fn must_be_anew(facts: &PartFacts, input: &Input<'_>) -> bool {
    match input.policy.sanitize {
        Sanitize::Off => false,
        Sanitize::Strip => facts.info.has_metadata && !facts.strippable,
        Sanitize::Always => true,
    }
}

/// Collects the reasons why an image cannot pass as it is.
fn must_change(part: &mut PartPlan, facts: &PartFacts, input: &Input<'_>, accepted: bool) {
    let info = &facts.info;
    if !accepted {
        not_accepted(part, &info.media_type, input);
    }
    if let Some((dimensions, bounds)) = over_bounds(facts, input) {
        part.reasons
            .push(Reason::new(ReasonCode::OverImageLimit, format!("{dimensions} > {bounds}")));
    }
    if !info.orientation.is_normal() {
        part.reasons.push(Reason::new(
            ReasonCode::Orientation,
            format!("EXIF orientation {}", info.orientation.exif()),
        ));
    }
    if info.exotic_color {
        part.reasons.push(ReasonCode::ColorModel.into());
    }
    if info.codec == "progressive" && !input.capabilities.jpeg_progressive.value {
        part.reasons.push(Reason::new(ReasonCode::CodingNotSupported, "progressive JPEG"));
    }
}

fn over_bounds(facts: &PartFacts, input: &Input<'_>) -> Option<(Dimensions, Dimensions)> {
    let dimensions = facts.info.dimensions?;
    let bounds = input.limits.image?.of(dimensions);
    (!dimensions.within(bounds)).then_some((dimensions, bounds))
}

/// Turns a part into a transcode, or drops it where there is nothing to transcode into.
pub(super) fn transcode(part: &mut PartPlan, facts: &PartFacts, input: &Input<'_>) {
    let Some(dimensions) = facts.info.dimensions else { return drop_part(part) };
    let formats = formats(input);
    let allows = |step| input.policy.allows(MediaKind::Image, step);
    if !facts.makes.image || formats.is_empty() || !allows(Fallback::Format) {
        drop_part(part);
        return;
    }
    let bounds = input.limits.image.map_or(dimensions, |limit| limit.of(dimensions));
    let moves = facts.info.animated();
    // Of a sequence in a HEIF file only the still beside it is decoded.
    let sequence = [MediaType::HEIC, MediaType::AVIF].contains(&facts.info.media_type);
    let animate = moves && !sequence && formats.contains(&ImageFormat::Gif);
    let playable = moves && !facts.info.duration.is_zero() && facts.makes.video;
    let video = if playable && allows(Fallback::Video) {
        device::video_choices(input.capabilities)
    } else {
        Vec::new()
    };
    let still = !moves || allows(Fallback::Still);
    if !still && !animate && video.is_empty() {
        part.reasons.push(Reason::new(ReasonCode::AnimationLost, "the policy allows no still"));
        drop_part(part);
        return;
    }
    if moves && !animate {
        part.reasons.push(ReasonCode::AnimationLost.into());
    }
    part.action = Action::Transcode;
    part.target = Some(Target::Image(ImageTarget { formats, bounds, animate, still, video }));
}

/// Formats that the device takes, the most useful first. WBMP only where nothing else is taken:
/// every old device lists it, none is better off with it.
pub(super) fn formats(input: &Input<'_>) -> Vec<ImageFormat> {
    let takes = |f: &ImageFormat| input.capabilities.accept.accepts(&f.media_type());
    let rich: Vec<_> =
        [ImageFormat::Jpeg, ImageFormat::Png, ImageFormat::Gif].into_iter().filter(takes).collect();
    if rich.is_empty() { [ImageFormat::Wbmp].into_iter().filter(takes).collect() } else { rich }
}
