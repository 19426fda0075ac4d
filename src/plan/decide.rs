//! The judgement of single parts, and the choice of which to shrink.

use super::{Constraint, Demand, ImageTarget, Input, PartFacts, PartPlan, Target};
use crate::model::{
    Action, Bytes, Category, Dimensions, ImageFormat, MediaKind, MediaType, PartId, Reason,
    ReasonCode,
};

/// What must happen to a part, the message's size apart.
pub(super) fn alone(facts: &PartFacts, input: &Input<'_>) -> PartPlan {
    let mut part = PartPlan {
        id: facts.id,
        action: Action::Keep,
        reasons: Vec::new(),
        redeclare: None,
        target: None,
        budget: None,
        original_acceptable: true,
    };
    if input.policy.adaptation_forbidden {
        part.reasons.push(ReasonCode::AdaptationNotAllowed.into());
        return part;
    }
    if facts.opaque {
        part.reasons.push(Reason::new(ReasonCode::NeverCut, "sealed container"));
        return part;
    }
    match facts.info.kind {
        MediaKind::Image => picture(&mut part, facts, input),
        MediaKind::Text | MediaKind::Presentation => part.reasons.push(ReasonCode::NeverCut.into()),
        MediaKind::Drm | MediaKind::Audio | MediaKind::Video | MediaKind::Other => {
            as_it_is(&mut part, facts, input);
        }
    }
    let mislabelled = facts.declared != facts.info.media_type && facts.problem.is_none();
    if part.action == Action::Keep && mislabelled && facts.info.kind == MediaKind::Image {
        part.reasons.push(Reason::new(
            ReasonCode::DeclaredTypeWrong,
            format!("{} is {}", facts.declared, facts.info.media_type),
        ));
        part.redeclare = Some(facts.info.media_type.clone());
    }
    part
}

/// Media that this build does not transcode: whole or not at all.
fn as_it_is(part: &mut PartPlan, facts: &PartFacts, input: &Input<'_>) {
    let accept = &input.capabilities.accept.value;
    if accept.accepts(&facts.info.media_type) || accept.accepts(&facts.declared) {
        let code = if facts.info.kind == MediaKind::Drm {
            ReasonCode::Protected
        } else {
            ReasonCode::Fits
        };
        part.reasons.push(code.into());
    } else {
        not_accepted(part, &facts.info.media_type);
        if facts.info.kind == MediaKind::Drm {
            part.reasons.push(ReasonCode::Protected.into());
        } else if facts.info.kind != MediaKind::Other {
            part.reasons.push(Reason::new(
                ReasonCode::DecoderMissing,
                format!("no decoder for {} in this build", facts.info.media_type),
            ));
        }
        drop_part(part);
    }
}

fn not_accepted(part: &mut PartPlan, media_type: &MediaType) {
    part.reasons.push(Reason::new(
        ReasonCode::TypeNotAccepted,
        format!("the device does not list {media_type}"),
    ));
}

fn drop_part(part: &mut PartPlan) {
    part.action = Action::Drop;
    part.original_acceptable = false;
}

fn picture(part: &mut PartPlan, facts: &PartFacts, input: &Input<'_>) {
    let accepted = input.capabilities.accept.accepts(&facts.info.media_type);
    if let Some(problem) = &facts.problem {
        // A sound picture that only this build cannot decode still passes where the device
        // takes it; a broken one is not handed on.
        if problem.category == Category::Unsupported && accepted {
            part.reasons.push(Reason::new(ReasonCode::Fits, problem.detail.clone()));
            return;
        }
        let code = match problem.category {
            Category::TooLarge => ReasonCode::SafetyLimit,
            Category::Unsupported => ReasonCode::DecoderMissing,
            _ => ReasonCode::Malformed,
        };
        part.reasons.push(Reason::new(code, problem.detail.clone()));
        if !accepted {
            not_accepted(part, &facts.info.media_type);
        }
        drop_part(part);
        return;
    }
    must_change(part, facts, input, accepted);
    if part.reasons.is_empty() {
        part.reasons.push(ReasonCode::Fits.into());
        return;
    }
    part.original_acceptable = false;
    transcode(part, facts, input);
}

/// Collects the reasons why a picture cannot pass as it is.
fn must_change(part: &mut PartPlan, facts: &PartFacts, input: &Input<'_>, accepted: bool) {
    let info = &facts.info;
    if !accepted {
        not_accepted(part, &info.media_type);
    }
    if let Some((dimensions, bounds)) = over_box(facts, input) {
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

fn over_box(facts: &PartFacts, input: &Input<'_>) -> Option<(Dimensions, Dimensions)> {
    let dimensions = facts.info.dimensions?;
    let bounds = input.limits.image?.bounds.turned_to(dimensions);
    (!dimensions.within(bounds)).then_some((dimensions, bounds))
}

/// Turns a part into a transcode, or drops it where there is nothing to transcode into.
fn transcode(part: &mut PartPlan, facts: &PartFacts, input: &Input<'_>) {
    let Some(dimensions) = facts.info.dimensions else { return drop_part(part) };
    let formats = formats(input);
    if !facts.makes.image || formats.is_empty() {
        drop_part(part);
        return;
    }
    let bounds = input.limits.image.map_or(dimensions, |limit| limit.bounds.turned_to(dimensions));
    let animate = facts.info.animated() && formats.contains(&ImageFormat::Gif);
    if facts.info.animated() && !animate {
        part.reasons.push(ReasonCode::AnimationLost.into());
    }
    part.action = Action::Transcode;
    part.target = Some(Target::Image(ImageTarget { formats, bounds, animate, clip: Vec::new() }));
}

/// Formats that the device takes, the most useful first. WBMP only where nothing else is taken:
/// every old device lists it, none is better off with it.
fn formats(input: &Input<'_>) -> Vec<ImageFormat> {
    let takes = |f: &ImageFormat| input.capabilities.accept.accepts(&f.media_type());
    let rich: Vec<_> =
        [ImageFormat::Jpeg, ImageFormat::Png, ImageFormat::Gif].into_iter().filter(takes).collect();
    if rich.is_empty() { [ImageFormat::Wbmp].into_iter().filter(takes).collect() } else { rich }
}

/// Bytes per pixel of a picture at the reference quality, before anything is measured.
const GUESSED_BYTES_PER_PIXEL: f64 = 0.15;

/// What the transcoded parts would like to have, guessed from their pixels.
pub(super) fn demands(parts: &[PartPlan], facts: &[PartFacts]) -> Vec<Demand> {
    parts
        .iter()
        .zip(facts)
        .filter(|(part, _)| part.action == Action::Transcode)
        .map(|(part, facts)| {
            let pixels = target_pixels(
                facts,
                part.target.as_ref().and_then(Target::image).map(|t| t.bounds),
            );
            Demand {
                id: part.id,
                weight: pixels * GUESSED_BYTES_PER_PIXEL,
                ceiling: part.original_acceptable.then_some(facts.info.bytes),
            }
        })
        .collect()
}

fn target_pixels(facts: &PartFacts, bounds: Option<Dimensions>) -> f64 {
    let frames = f64::from(facts.info.frames.clamp(1, 30)).sqrt();
    facts.info.dimensions.map_or(1.0, |source| {
        bounds.map_or(source, |b| source.shrunk_into(b)).pixels() as f64 * frames
    })
}

/// The index of the kept picture that should be transcoded next because the message is over, or
/// because the others would starve; `None` if all is well or nothing can shrink.
pub(super) fn next_to_shrink(
    parts: &[PartPlan],
    facts: &[PartFacts],
    constraints: &[Constraint],
    shares: &[(PartId, Bytes)],
    input: &Input<'_>,
) -> Option<usize> {
    if input.policy.adaptation_forbidden {
        return None;
    }
    let over = constraints.iter().any(|c| c.fixed > c.limit.bytes);
    // Bytes per guessed demand that the transcoded parts get; a kept picture may not take more
    // than twice as many while they get less than a fair quality's worth.
    let fair = shares
        .iter()
        .filter_map(|(id, n)| {
            let facts = facts.iter().find(|f| f.id == *id)?;
            let bounds = parts.iter().find(|p| p.id == *id)?.target.as_ref()?.image()?.bounds;
            Some(n.get() as f64 / (target_pixels(facts, Some(bounds)) * GUESSED_BYTES_PER_PIXEL))
        })
        .fold(f64::INFINITY, f64::min);
    parts
        .iter()
        .zip(facts)
        .enumerate()
        .filter(|(_, (part, facts))| {
            part.action == Action::Keep
                && facts.info.kind == MediaKind::Image
                && facts.makes.image
                && facts.problem.is_none()
                && !formats(input).is_empty()
        })
        .map(|(index, (_, facts))| {
            let density = facts.info.bytes.get() as f64
                / (target_pixels(facts, None) * GUESSED_BYTES_PER_PIXEL).max(1.0);
            (index, density, facts.info.bytes)
        })
        .filter(|(_, density, _)| over || (fair < 1.0 && *density > 2.0 * fair))
        .max_by(|a, b| {
            // The largest goes first; between equals the one later in the message.
            a.2.cmp(&b.2).then(a.0.cmp(&b.0))
        })
        .map(|(index, ..)| index)
}

/// Makes a kept picture a transcoded one, because of the limit.
pub(super) fn shrink(
    part: &mut PartPlan,
    facts: &PartFacts,
    input: &Input<'_>,
    constraints: &[Constraint],
) {
    part.reasons.retain(|r| r.code != ReasonCode::Fits && r.code != ReasonCode::DeclaredTypeWrong);
    let worst = constraints.iter().max_by_key(|c| c.fixed.saturating_sub(c.limit.bytes));
    let detail = worst.map_or(String::new(), |c| {
        format!("the limit of {} is set by {}", c.limit.bytes, c.limit.source)
    });
    part.reasons.push(Reason::new(ReasonCode::OverMessageLimit, detail));
    part.redeclare = None;
    transcode(part, facts, input);
}
