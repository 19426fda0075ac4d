//! Decides on each part alone, without regard to the message's size.

use super::{
    Input, PartFacts, PartPlan, av, image, label, presentation, text,
    verdict::{drop_part, not_accepted},
};
use crate::model::{Action, MediaKind, Reason, ReasonCode};

/// The decision on one part, without regard to the message's size.
pub(super) fn alone(facts: &PartFacts, input: &Input<'_>) -> PartPlan {
    let mut part = PartPlan {
        id: facts.id,
        action: Action::Keep,
        reasons: Vec::new(),
        redeclare: None,
        recode: None,
        notice: None,
        strip: false,
        without_photo: false,
        layout: None,
        target: None,
        budget: None,
        original_acceptable: true,
    };
    if let Some(signature) = facts.infection() {
        part.reasons.push(Reason::new(ReasonCode::Infected, signature));
        drop_part(&mut part);
        return part;
    }
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
        MediaKind::Image => image::judge(&mut part, facts, input),
        MediaKind::Text => text::judge(&mut part, facts),
        MediaKind::Presentation => presentation::judge(&mut part, facts, input),
        MediaKind::Audio | MediaKind::Video if facts.is_readable() => {
            av::judge(&mut part, facts, input)
        }
        MediaKind::Drm | MediaKind::Audio | MediaKind::Video | MediaKind::Other => {
            as_it_is(&mut part, facts, input);
        }
    }
    if part.action == Action::Keep && label::is_wrong(facts, &input.capabilities.accept) {
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

/// Media that no available codec reads: they pass whole or not at all.
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

/// The missing decoder. Scores (MIDI, iMelody) are instructions that no codec here plays.
fn lacking(facts: &PartFacts) -> String {
    let found = &facts.info.media_type;
    match found.as_str() {
        "audio/midi" | "audio/imelody" => format!("{found} is passed on whole or not at all"),
        _ => format!("no available codec reads {found}"),
    }
}
