//! Decides on presentations.

use super::{
    Input, PartFacts, PartPlan,
    verdict::{drop_part, not_accepted},
};
use crate::model::{AcceptList, MediaType, Reason, ReasonCode, Source, Sourced};

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

/// Judges a presentation by device and screen.
pub(super) fn judge(part: &mut PartPlan, facts: &PartFacts, input: &Input<'_>) {
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
