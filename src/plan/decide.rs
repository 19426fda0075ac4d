//! The judgement of single parts, and the choice of which to shrink.

use super::{ImageTarget, Input, PartFacts, PartPlan, Target, av, device, text};
use crate::model::{
    AcceptList, Action, Category, Dimensions, ImageFormat, MediaKind, MediaType, Reason,
    ReasonCode, Sanitize, Source, Sourced, Step, WireLimit,
};

/// What must happen to a part, the message's size apart.
pub(super) fn alone(facts: &PartFacts, input: &Input<'_>) -> PartPlan {
    let mut part = PartPlan {
        id: facts.id,
        action: Action::Keep,
        reasons: Vec::new(),
        redeclare: None,
        recode: None,
        notice: None,
        strip: false,
        pared: false,
        layout: None,
        target: None,
        budget: None,
        original_acceptable: true,
    };
    if input.policy.forbids_all() {
        part.reasons.push(ReasonCode::AdaptationNotAllowed.into());
        return part;
    }
    if input.given_up.contains(&facts.id) {
        part.reasons.push(Reason::new(ReasonCode::CannotFit, "no version of it is small enough"));
        drop_part(&mut part);
        return part;
    }
    if facts.opaque {
        part.reasons.push(Reason::new(ReasonCode::NeverCut, "sealed container"));
        return part;
    }
    match facts.info.kind {
        MediaKind::Image => picture(&mut part, facts, input),
        MediaKind::Text => text::judge(&mut part, facts),
        MediaKind::Presentation => presentation(&mut part, facts, input),
        MediaKind::Audio | MediaKind::Video if readable(facts) => {
            av::judge(&mut part, facts, input)
        }
        MediaKind::Drm | MediaKind::Audio | MediaKind::Video | MediaKind::Other => {
            as_it_is(&mut part, facts, input);
        }
    }
    if part.action == Action::Keep && mislabelled(facts, &input.capabilities.accept) {
        let found = &facts.info.media_type;
        let detail = match facts.spelling.as_str() {
            "" => format!("{} is {found}", facts.declared),
            spelling => format!("{spelling} is {found}"),
        };
        part.reasons.push(Reason::new(ReasonCode::DeclaredTypeWrong, detail));
        part.redeclare = Some(facts.info.media_type.clone());
    }
    part
}

/// Whether a device shows presentations of this type. One whose own document lists neither SMIL nor
/// what carries it shows the parts one after another, without it. Lists that requests state are of
/// media, and say nothing of it.
pub fn shows_presentation(accept: &Sourced<AcceptList>, media_type: &MediaType) -> bool {
    let own = [Source::Uaprof, Source::UaprofUrl, Source::DeviceId];
    let related =
        |item: &String| item.ends_with("multipart.related") || item == "multipart/related";
    accept.lists(media_type)
        || accept.spellings().iter().any(related)
        || !own.contains(&accept.provenance.source)
}

fn presentation(part: &mut PartPlan, facts: &PartFacts, input: &Input<'_>) {
    if shows_presentation(&input.capabilities.accept, &facts.info.media_type) {
        return fitted_layout(part, facts, input);
    }
    not_accepted(part, &facts.info.media_type, input);
    drop_part(part);
}

/// A layout that states more pixels than the device says its screen has is brought into it.
fn fitted_layout(part: &mut PartPlan, facts: &PartFacts, input: &Input<'_>) {
    let screen = input.capabilities.screen.as_ref().map(|screen| screen.value);
    match (facts.layout, screen) {
        (Some(layout), Some(screen)) if !layout.within(screen) => {
            part.layout = Some(screen);
            let detail = format!("{layout} > {screen}");
            part.reasons.push(Reason::new(ReasonCode::LayoutFitted, detail));
        }
        _ => part.reasons.push(ReasonCode::NeverCut.into()),
    }
}

/// Whether a codec looked into the part, with whatever result.
fn readable(facts: &PartFacts) -> bool {
    let makes = facts.makes;
    facts.problem.is_some() || makes.image || makes.audio || makes.video
}

/// Whether the device lists a medium by another name than it is declared with: `image/jpg` for one
/// that lists `image/jpeg`.
fn is_alias(facts: &PartFacts, accept: &crate::model::AcceptList) -> bool {
    let media = [MediaKind::Image, MediaKind::Audio, MediaKind::Video];
    let same = |item: &&String| MediaType::fold(item) == facts.info.media_type;
    media.contains(&facts.info.kind)
        && !facts.spelling.is_empty()
        && !accept.spellings().contains(&facts.spelling)
        && accept.spellings().iter().any(|item| same(&item))
}

/// Whether a part that stays must be declared anew. What could not be read is not judged.
pub(super) fn mislabelled(facts: &PartFacts, accept: &crate::model::AcceptList) -> bool {
    let (declared, found) = (&facts.declared, &facts.info.media_type);
    let wrong = declared != found && facts.problem.is_none();
    if declared == found && facts.problem.is_none() && is_alias(facts, accept) {
        return true;
    }
    match facts.info.kind {
        MediaKind::Image => wrong,
        MediaKind::Audio | MediaKind::Video => {
            let twin = device::twins(declared, found) && accept.accepts(declared);
            wrong && readable(facts) && accept.accepts(found) && !twin
        }
        _ => false,
    }
}

/// Media that no codec at hand reads: whole or not at all.
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
        not_accepted(part, &facts.info.media_type, input);
        if facts.info.kind == MediaKind::Drm {
            part.reasons.push(ReasonCode::Protected.into());
        } else if facts.info.kind != MediaKind::Other {
            part.reasons.push(Reason::new(ReasonCode::DecoderMissing, lacking(facts)));
        }
        drop_part(part);
    }
}

/// What is missing to read it. Scores are instructions, which nothing here plays.
fn lacking(facts: &PartFacts) -> String {
    let found = &facts.info.media_type;
    match found.as_str() {
        "audio/midi" | "audio/imelody" => format!("{found} is passed on whole or not at all"),
        _ => format!("nothing at hand reads {found}"),
    }
}

pub(super) fn not_accepted(part: &mut PartPlan, media_type: &MediaType, input: &Input<'_>) {
    let refused = input.capabilities.accept.refuses(media_type);
    let detail = match refused {
        true => format!("the policy does not let {media_type} pass"),
        false => format!("the device does not list {media_type}"),
    };
    part.reasons.push(Reason::new(ReasonCode::TypeNotAccepted, detail));
}

/// A part goes, whatever it is, because the message is over a limit.
pub(super) fn give_up(part: &mut PartPlan, limit: &WireLimit) {
    part.reasons.retain(|r| !matches!(r.code, ReasonCode::Fits | ReasonCode::MetadataStripped));
    let detail = format!("the limit of {} is set by {}", limit.bytes, limit.source);
    part.reasons.insert(0, Reason::new(ReasonCode::OverMessageLimit, detail));
    (part.target, part.budget, part.redeclare, part.strip) = (None, None, None, false);
    drop_part(part);
}

pub(super) fn drop_part(part: &mut PartPlan) {
    part.action = Action::Drop;
    part.original_acceptable = false;
}

/// Judges what could not be read. `true` if that was it.
pub(super) fn broken(
    part: &mut PartPlan,
    facts: &PartFacts,
    input: &Input<'_>,
    accepted: bool,
) -> bool {
    let Some(problem) = &facts.problem else { return false };
    // Sound media that only this build cannot decode still pass where the device takes them;
    // broken ones are not handed on.
    if problem.category == Category::Unsupported && accepted {
        // Nothing fits only because its label is on the list.
        let unknown = problem.reason == "MEDIA_UNKNOWN";
        let code = if unknown { ReasonCode::DecoderMissing } else { ReasonCode::Fits };
        part.reasons.push(Reason::new(code, problem.detail.clone()));
        return true;
    }
    let code = match problem.category {
        Category::TooLarge => ReasonCode::SafetyLimit,
        Category::Unsupported => ReasonCode::DecoderMissing,
        Category::Internal => ReasonCode::OurFault,
        _ if problem.reason == "MEDIA_POISON" => ReasonCode::Poison,
        _ => ReasonCode::Malformed,
    };
    part.reasons.push(Reason::new(code, problem.detail.clone()));
    if !accepted {
        not_accepted(part, &facts.info.media_type, input);
    }
    drop_part(part);
    true
}

fn picture(part: &mut PartPlan, facts: &PartFacts, input: &Input<'_>) {
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

/// Collects the reasons why a picture cannot pass as it is.
fn must_change(part: &mut PartPlan, facts: &PartFacts, input: &Input<'_>, accepted: bool) {
    let info = &facts.info;
    if !accepted {
        not_accepted(part, &info.media_type, input);
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
    let bounds = input.limits.image?.of(dimensions);
    (!dimensions.within(bounds)).then_some((dimensions, bounds))
}

/// Turns a part into a transcode, or drops it where there is nothing to transcode into.
pub(super) fn transcode(part: &mut PartPlan, facts: &PartFacts, input: &Input<'_>) {
    let Some(dimensions) = facts.info.dimensions else { return drop_part(part) };
    let formats = formats(input);
    let allows = |step| input.policy.allows(MediaKind::Image, step);
    if !facts.makes.image || formats.is_empty() || !allows(Step::Format) {
        drop_part(part);
        return;
    }
    let bounds = input.limits.image.map_or(dimensions, |limit| limit.of(dimensions));
    let moves = facts.info.animated();
    // Of a sequence in a HEIF file only the still beside it is decoded.
    let sequence = [MediaType::HEIC, MediaType::AVIF].contains(&facts.info.media_type);
    let animate = moves && !sequence && formats.contains(&ImageFormat::Gif);
    let playable = moves && facts.info.duration_ms > 0 && facts.makes.video;
    let clip =
        if playable && allows(Step::Clip) { device::clips(input.capabilities) } else { Vec::new() };
    let still = !moves || allows(Step::Still);
    if !still && !animate && clip.is_empty() {
        part.reasons.push(Reason::new(ReasonCode::AnimationLost, "the policy allows no still"));
        drop_part(part);
        return;
    }
    if moves && !animate {
        part.reasons.push(ReasonCode::AnimationLost.into());
    }
    part.action = Action::Transcode;
    part.target = Some(Target::Image(ImageTarget { formats, bounds, animate, still, clip }));
}

/// Formats that the device takes, the most useful first. WBMP only where nothing else is taken:
/// every old device lists it, none is better off with it.
pub(super) fn formats(input: &Input<'_>) -> Vec<ImageFormat> {
    let takes = |f: &ImageFormat| input.capabilities.accept.accepts(&f.media_type());
    let rich: Vec<_> =
        [ImageFormat::Jpeg, ImageFormat::Png, ImageFormat::Gif].into_iter().filter(takes).collect();
    if rich.is_empty() { [ImageFormat::Wbmp].into_iter().filter(takes).collect() } else { rich }
}
