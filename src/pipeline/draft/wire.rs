//! What surrounds the media: exact, because the assembler itself is asked.

use super::edits::{edit, presentation};
use crate::{
    message::Edit,
    model::{Bytes, ContentClass},
    pipeline::{examine::Examined, job::Job},
    plan::{Constraint, PartPlan},
};

/// One constraint a limit, for the parts as planned.
pub(in crate::pipeline) fn constraints(
    job: &Job,
    examined: &Examined,
    parts: &[PartPlan],
) -> Vec<Constraint> {
    let edits: Vec<Edit> = parts.iter().map(|part| edit(job, examined, part)).collect();
    let all_kept = parts.iter().all(PartPlan::changes_nothing);
    // The number of edits is that of the parts, so rewriting cannot fail; if it did, the message
    // as it is would be the safe assumption, and the final check has the last word.
    let draft = if all_kept {
        job.message.clone()
    } else {
        let draft = job.message.rewrite_as(&edits, &presentation(&examined.facts, parts, &[]));
        let draft = draft.unwrap_or_else(|_| job.message.clone());
        // The longest of the names that its class may get.
        draft.with_content_class(ContentClass::ContentBasic)
    };
    job.limits
        .wire
        .iter()
        .map(|limit| Constraint {
            limit: *limit,
            fixed: draft.wire_size(limit.counting, job.interface),
            framings: parts
                .iter()
                .filter(|part| part.is_fitted())
                .map(|part| (part.id, job.message.framing(part.id, limit.counting, job.interface)))
                .collect(),
        })
        .collect()
}

/// The limit that leaves the least room for a message of these wire sizes, as an index.
pub(in crate::pipeline) fn binding(job: &Job, sizes: &[Bytes]) -> Option<usize> {
    job.limits
        .wire
        .iter()
        .zip(sizes)
        .enumerate()
        .min_by(|(_, (a, n)), (_, (b, m))| {
            // Compare fills n/a and m/b without dividing; the fuller one binds.
            let left = u128::from(m.get()) * u128::from(a.bytes.get().max(1));
            let right = u128::from(n.get()) * u128::from(b.bytes.get().max(1));
            left.cmp(&right)
        })
        .map(|(index, _)| index)
}
