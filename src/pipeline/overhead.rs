//! What surrounds the media: exact, because the assembler itself is asked.

use bytes::Bytes as Buffer;

use super::{Job, fitting::FittedPart, notices, rewrites::Rewrites};
use crate::{
    message::{After, Edit, Played, Showing},
    model::{Action, Bytes, ContentClass, MediaKind, Recipe},
    plan::{Constraint, PartFacts, PartPlan},
};

/// One constraint a limit, for the parts as planned.
pub(super) fn constraints(job: &Job, rewrites: &Rewrites, parts: &[PartPlan]) -> Vec<Constraint> {
    let edits: Vec<Edit> = parts.iter().map(|part| edit(job, rewrites, part)).collect();
    let all_kept = parts.iter().all(PartPlan::changes_nothing);
    // The number of edits is that of the parts, so rewriting cannot fail; if it did, the message
    // as it is would be the safe assumption, and the final check has the last word.
    let draft = if all_kept {
        job.message.clone()
    } else {
        let draft = job.message.rewrite_as(&edits, &showing(rewrites, parts, None));
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

/// How the parts are shown from now on. Without results, what may come of them is open.
pub(super) fn showing(
    rewrites: &Rewrites,
    parts: &[PartPlan],
    results: Option<&[Option<FittedPart>]>,
) -> Showing {
    let played = parts.iter().filter_map(|part| {
        let before_ms = rewrites.plays(part.id)?;
        let result = results.and_then(|all| all[part.id.index()].as_ref());
        let after = match (part.action, result) {
            (Action::Keep, _) => After::Plays(before_ms),
            (Action::Transcode, Some(result)) => plays(&result.recipe, before_ms),
            (Action::Transcode, None) => After::Open,
            (Action::Replace | Action::Drop, _) => After::Still,
        };
        Some(Played { part: part.id, before_ms, after })
    });
    Showing { screen: parts.iter().find_map(|part| part.layout), played: played.collect() }
}

fn plays(recipe: &Recipe, before_ms: u32) -> After {
    match recipe {
        Recipe::Image(_) => After::Still,
        Recipe::Audio(recipe) => After::Plays(recipe.keep_ms.unwrap_or(before_ms)),
        Recipe::Video(recipe) => After::Plays(recipe.keep_ms.unwrap_or(before_ms)),
        Recipe::Remux(_) => After::Plays(before_ms),
    }
}

/// For how many milliseconds a part of these facts plays; `None`: it is shown as long as one likes.
pub(super) fn play_time(facts: &PartFacts) -> Option<u32> {
    let plays = matches!(facts.info.kind, MediaKind::Audio | MediaKind::Video);
    plays.then_some(facts.info.duration_ms)
}

/// The edit of a part. What is to be fitted, whose bytes are not known yet, is empty, and of the
/// type whose name is the longest.
pub(super) fn edit(job: &Job, rewrites: &Rewrites, part: &PartPlan) -> Edit {
    if let Some(known) = rewrites.edit(job, part) {
        return known;
    }
    match part.action {
        Action::Keep => match &part.redeclare {
            Some(media_type) => {
                Edit::Redeclare { content_type: job.capabilities.accept.spelling_of(media_type) }
            }
            None => Edit::Keep,
        },
        Action::Transcode => {
            let spellings = part.target.iter().flat_map(|target| {
                let types = target.media_types();
                types.into_iter().map(|t| job.capabilities.accept.spelling_of(&t))
            });
            Edit::Replace {
                content_type: spellings.max_by_key(String::len).unwrap_or_default(),
                data: Buffer::new(),
            }
        }
        Action::Replace | Action::Drop => notices::edit(job, part),
    }
}

/// The limit that leaves the least room for a message of these wire sizes, as an index.
pub(super) fn binding(job: &Job, sizes: &[Bytes]) -> Option<usize> {
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
