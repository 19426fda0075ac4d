//! Decisions that all kinds of media share.

use super::{Input, PartFacts, PartPlan};
use crate::model::{Action, Category, MediaType, Reason, ReasonCode, WireLimit};

/// The device takes no media of this type: the reason.
pub(super) fn not_accepted(part: &mut PartPlan, media_type: &MediaType, input: &Input<'_>) {
    let refused = input.capabilities.accept.refuses(media_type);
    let detail = match refused {
        true => format!("the policy does not let {media_type} pass"),
        false => format!("the device does not list {media_type}"),
    };
    part.reasons.push(Reason::new(ReasonCode::TypeNotAccepted, detail));
}

/// A part of any kind is dropped because the message is over a limit.
pub(super) fn drop_over_limit(part: &mut PartPlan, limit: &WireLimit) {
    part.reasons.retain(|r| !matches!(r.code, ReasonCode::Fits | ReasonCode::MetadataStripped));
    let detail = format!("the limit of {} is set by {}", limit.bytes, limit.source);
    part.reasons.insert(0, Reason::new(ReasonCode::OverMessageLimit, detail));
    (part.target, part.budget, part.redeclare, part.strip) = (None, None, None, false);
    drop_part(part);
}

/// A part is left out, or replaced by a notice.
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
    // Intact media that only this build cannot decode still pass where the device takes them;
    // broken ones are not handed on.
    if problem.category == Category::Unsupported && accepted {
        // A listed label alone does not make it fit.
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
