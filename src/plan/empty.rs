//! A message that would show nothing gets notices, or is refused.

use super::{PartFacts, PartPlan, PlanError};
use crate::{
    model::{Action, MediaKind},
    policy::{Empty, Policy},
};

/// Whether everything that a message showed is gone: its media and texts; a layout does not count.
pub fn shows_nothing(parts: &[PartPlan], facts: &[PartFacts]) -> bool {
    let mut shown = content(parts, facts).peekable();
    shown.peek().is_some() && shown.all(|(part, _)| part.action == Action::Drop)
}

fn content<'a>(
    parts: &'a [PartPlan],
    facts: &'a [PartFacts],
) -> impl Iterator<Item = (&'a PartPlan, &'a PartFacts)> {
    let pairs = parts.iter().zip(facts);
    pairs.filter(|(_, facts)| facts.info.kind != MediaKind::Presentation)
}

/// Where nothing is shown, notices replace everything that was left out, even where the ladders
/// have none. A bare file is left alone: a line of text cannot replace it.
///
/// # Errors
/// [`PlanError::NothingLeft`], where the policy wants such messages refused.
pub fn replace_all_with_notices(
    parts: &mut [PartPlan],
    facts: &[PartFacts],
    policy: &Policy,
) -> Result<(), PlanError> {
    if !policy.notices || !shows_nothing(parts, facts) {
        return Ok(());
    }
    if policy.empty == Empty::Refuse {
        let first = content(parts, facts).next();
        let (part, why) = first.map(|(part, _)| (part.id, part.reasons.first())).unzip();
        return Err(PlanError::NothingLeft {
            part: part.unwrap_or(crate::model::PartId(0)),
            detail: why.flatten().map_or_else(String::new, ToString::to_string),
        });
    }
    for (part, facts) in parts.iter_mut().zip(facts) {
        if facts.info.kind != MediaKind::Presentation && !part.is_spare_version() {
            part.replace_with_notice(&facts.info);
        }
    }
    Ok(())
}

/// Removes the last notice that can be spared; `false` where there is none. The only thing that
/// is shown is never removed.
pub fn drop_last_notice(parts: &mut [PartPlan], facts: &[PartFacts], policy: &Policy) -> bool {
    let shown = content(parts, facts).filter(|(part, _)| part.action != Action::Drop).count();
    let last = parts.iter_mut().rev().find(|part| {
        let alone = shown == 1 && policy.notices;
        part.notice.is_some() && !alone && part.may_drop(facts, policy)
    });
    last.map(PartPlan::drop_without_notice).is_some()
}
