//! A bare file, with no message around it.

use crate::{
    model::{Action, Category},
    pipeline::job::{Job, PipelineError},
    plan::{PartFacts, PartPlan},
};

/// A bare file must not vanish: what would drop it is an error.
pub(in crate::pipeline) fn refuse_empty(
    job: &Job,
    facts: &[PartFacts],
    parts: &[PartPlan],
) -> Result<(), PipelineError> {
    if !job.is_bare() {
        return Ok(());
    }
    let (Some(part), Some(facts)) = (parts.first(), facts.first()) else { return Ok(()) };
    if part.action != Action::Drop {
        return Ok(());
    }
    let first = part.reasons.first();
    let problem = facts.problem.as_ref();
    let found = fault_of(part);
    Err(PipelineError::OnlyPart {
        part: part.id,
        category: problem.map_or(found.0, |p| p.category),
        reason: problem.map_or(found.1, |p| p.reason),
        detail: first.map_or_else(String::new, |r| {
            if r.detail.is_empty() { format!("{:?}", r.code) } else { r.detail.clone() }
        }),
    })
}

/// Whose fault it is that a part was dropped, and the stable reason, by the codes of its reasons.
fn fault_of(part: &PartPlan) -> (Category, &'static str) {
    use crate::model::ReasonCode as R;
    let has = |code| part.reasons.iter().any(|r| r.code == code);
    if has(R::Infected) {
        (Category::NotAllowed, "INFECTED")
    } else if has(R::Malformed) {
        (Category::Input, "MEDIA_MALFORMED")
    } else if has(R::Poison) {
        (Category::Input, "MEDIA_POISON")
    } else if has(R::OurFault) {
        (Category::Internal, "CODEC_INTERNAL")
    } else if has(R::SafetyLimit) {
        (Category::TooLarge, "MEDIA_OVER_SAFETY_LIMIT")
    } else if has(R::DecoderMissing) {
        (Category::Unsupported, "MEDIA_UNSUPPORTED")
    } else {
        (Category::CannotFit, "MEDIA_UNUSABLE")
    }
}
