//! The edit of each part, as the assembler gets it.

use bytes::Bytes as Buffer;

use super::notices;
use crate::{
    message::{Edit, NewDuration, PlayTime, PresentationUpdate},
    model::{Action, Bytes, MediaInfo, MediaKind, MediaType, Millis, Reason, ReasonCode, Recipe},
    pipeline::{
        examine::{Examined, Rewrite},
        job::Job,
    },
    plan::{PartFacts, PartPlan},
};

/// The edit of a part. What is to be encoded, whose bytes are not known yet, is empty, and of the
/// type whose name is the longest.
pub(in crate::pipeline) fn edit(job: &Job, examined: &Examined, part: &PartPlan) -> Edit {
    if let Some(known) = rewritten(job, examined, part) {
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

/// The edit of a part that is rewritten, or whose label alone is; `None` for all others.
fn rewritten(job: &Job, examined: &Examined, part: &PartPlan) -> Option<Edit> {
    let origin = &job.message.parts()[part.id.index()];
    if let Some(recode) = &part.recode {
        let media_type = if recode.plain { &MediaType::TEXT } else { &origin.declared };
        let content_type = format!("{media_type}; charset={}", recode.charset);
        return Some(match rewrite_of(examined, part) {
            Some(rewrite) => Edit::Replace { content_type, data: rewrite.data.clone() },
            None => Edit::Redeclare { content_type },
        });
    }
    let rewrite = rewrite_of(examined, part)?;
    let media_type = part.redeclare.as_ref().unwrap_or(&origin.declared);
    Some(Edit::Replace {
        content_type: job.capabilities.accept.spelling_of(media_type),
        data: rewrite.data.clone(),
    })
}

/// The new bytes of a part that stays, but not as it was.
fn rewrite_of<'a>(examined: &'a Examined, part: &PartPlan) -> Option<&'a Rewrite> {
    let wanted = match &part.recode {
        Some(recode) => recode.rewrite,
        None => part.action == Action::Keep && (part.strip || part.without_photo),
    };
    examined.rewrites.get(part.id.index())?.as_ref().filter(|_| wanted)
}

/// The reasons of a part, with the characters that had to be written with others.
pub(in crate::pipeline) fn reasons(examined: &Examined, part: &PartPlan) -> Vec<Reason> {
    let mut reasons = part.reasons.clone();
    let rewrite = examined.rewrites.get(part.id.index()).and_then(Option::as_ref);
    if let (Some(reason), Some(rewrite)) =
        (reasons.iter_mut().find(|r| r.code == ReasonCode::Transliterated), rewrite)
    {
        let list: Vec<String> = rewrite.transliterated.iter().map(char::to_string).collect();
        reason.detail = list.join(" ");
    }
    reasons
}

/// What becomes of a part that is not encoded: rewritten, kept, or a notice in its place; `None`
/// where that is not known yet, or nothing is left.
pub(in crate::pipeline) fn after(
    job: &Job,
    examined: &Examined,
    part: &PartPlan,
) -> Option<MediaInfo> {
    let before = &examined.facts[part.id.index()].info;
    if let Some(rewrite) = rewrite_of(examined, part) {
        let has_metadata = before.has_metadata && !part.strip;
        let plain = part.recode.as_ref().is_some_and(|recode| recode.plain);
        let media_type = if plain { MediaType::TEXT } else { before.media_type.clone() };
        let bytes = Bytes::of(&rewrite.data);
        return Some(MediaInfo { bytes, has_metadata, media_type, ..before.clone() });
    }
    let kept = || (part.action == Action::Keep).then(|| before.clone());
    notices::after(job, part).or_else(kept)
}

/// How the parts are shown from now on. `recipes`: of the parts that were encoded, by their index;
/// what may come of the others is open.
pub(in crate::pipeline) fn presentation(
    facts: &[PartFacts],
    parts: &[PartPlan],
    recipes: &[Option<Recipe>],
) -> PresentationUpdate {
    let played = parts.iter().zip(facts).filter_map(|(part, facts)| {
        let before = play_time(facts)?;
        let recipe = recipes.get(part.id.index()).and_then(Option::as_ref);
        let after = match (part.action, recipe) {
            (Action::Keep, _) => NewDuration::Plays(before),
            (Action::Transcode, Some(recipe)) => plays(recipe, before),
            (Action::Transcode, None) => NewDuration::Open,
            (Action::Replace | Action::Drop, _) => NewDuration::Still,
        };
        Some(PlayTime { part: part.id, before, after })
    });
    PresentationUpdate {
        screen: parts.iter().find_map(|part| part.layout),
        played: played.collect(),
    }
}

fn plays(recipe: &Recipe, before: Millis) -> NewDuration {
    match recipe {
        Recipe::Image(_) => NewDuration::Still,
        Recipe::Audio(recipe) => NewDuration::Plays(recipe.keep.unwrap_or(before)),
        Recipe::Video(recipe) => NewDuration::Plays(recipe.keep.unwrap_or(before)),
        Recipe::Remux(_) => NewDuration::Plays(before),
    }
}

/// For how long a part plays; `None`: it is shown for any time.
fn play_time(facts: &PartFacts) -> Option<Millis> {
    let plays = matches!(facts.info.kind, MediaKind::Audio | MediaKind::Video);
    plays.then_some(facts.info.duration)
}
