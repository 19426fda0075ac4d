//! Opens a part for its target: decoded once, as small as the target allows.

use super::{duplicates::Duplicates, part::PartEncoding, task};
use crate::{
    codec::{CodecError, OpenHint, Session},
    fit::Task,
    model::{Dimensions, MediaKind, PartId, StopCause, VideoChoice, VideoTrack},
    pipeline::{context::Context, span},
    plan::{ImageTarget, PartFacts, PartPlan, Target},
};

/// Opens a part for its target.
///
/// # Errors
/// It cannot be decoded, or it was stopped.
pub(super) fn open(
    context: &Context<'_>,
    duplicates: &Duplicates,
    part: &PartPlan,
    facts: &PartFacts,
) -> Result<PartEncoding, CodecError> {
    let job = context.job;
    let target = part.target.as_ref().ok_or_else(|| internal("an encode without a target"))?;
    let ceiling = task::ceiling(facts, part);
    let open = |kind, largest, animation| {
        let hint = OpenHint { largest, animation, effort: job.effort };
        session(context, duplicates, part.id, kind, hint)
    };
    let (session, task) = match target {
        Target::Image(target) => {
            let largest = task::dimensions(&facts.info)?.shrunk_into(target.bounds);
            let mut session = open(MediaKind::Image, largest, target.animate)?;
            let mut task = task::image(job, facts, target, session.as_mut(), ceiling);
            // A drawing that must shrink gets shades at its edges, and may need more bytes for them
            // than it had: how many are useful is judged by its looks.
            let shrinks = task.source != task.largest();
            if task.is_drawing() && shrinks && !part.original_acceptable {
                task.ceiling = None;
            }
            (session, Task::Image(task))
        }
        Target::Audio(target) => {
            let mut session = open(MediaKind::Audio, Dimensions::at_least_one(1, 1), false)?;
            let track = session.info().audio.clone();
            let music = session.facts().music;
            (session, Task::Audio(task::audio(job, facts, target, (track, music), ceiling)))
        }
        Target::Video(target) => {
            let source = task::dimensions(&facts.info)?;
            let poster = target.poster.as_ref();
            let still = poster.map(|poster| source.shrunk_into(poster.bounds));
            let largest = task::largest(source, &target.choices, still);
            let mut session = open(MediaKind::Video, largest, true)?;
            let poster = poster.map(|p| task::image(job, facts, p, session.as_mut(), None));
            let seen = seen(session.as_mut());
            let seen = (seen.0.as_ref(), seen.1);
            let mut task = task::video(job, facts, &target.choices, seen, ceiling)?;
            (task.poster, task.remux) = (poster, target.remux);
            (session, Task::Video(task))
        }
    };
    let weight = job.policy.weights.of(facts.info.kind);
    Ok(PartEncoding {
        weight,
        ..PartEncoding::new(part.id, session, task, part.original_acceptable)
    })
}

/// A part that the deadline left without a result, as what is to be had of it at once: the thumbnail
/// of a photo that takes long, the first image of a video. `None` for other errors, and where there
/// is no such.
pub(super) fn open_late(
    context: &Context<'_>,
    part: &PartPlan,
    facts: &PartFacts,
    error: &CodecError,
) -> Option<PartEncoding> {
    if *error != CodecError::Stopped(StopCause::Deadline) {
        return None;
    }
    let target = match part.target.as_ref()? {
        Target::Image(target) => target.clone(),
        Target::Video(target) => target.poster.clone()?,
        Target::Audio(_) => return None,
    };
    let job = context.job;
    let target = ImageTarget { animate: false, still: true, video: Vec::new(), ..target };
    let largest = facts.info.dimensions?.shrunk_into(target.bounds);
    let hint = OpenHint { largest, animation: false, effort: job.effort };
    let data = &job.message.parts()[part.id.index()].data;
    let codec = context.codecs.find_writer(data, MediaKind::Image)?;
    let (late, mut cpu) = (context.stop.past_deadline(), std::time::Duration::ZERO);
    let preview = || codec.preview(data, hint, context.limits, &late);
    let span = span::decode(context, part.id, facts.info.kind);
    let mut session = context.timed(&mut cpu, span, preview).ok()??;
    let task = task::image(job, facts, &target, session.as_mut(), None);
    Some(PartEncoding {
        weight: job.policy.weights.of(facts.info.kind),
        late: true,
        fallback_reason: Some("the deadline came before more of it was done".to_owned()),
        cpu,
        ..PartEncoding::new(part.id, session, Task::Image(task), part.original_acceptable)
    })
}

/// An animation opened as a video.
///
/// # Errors
/// It cannot be decoded as one, or it was stopped.
pub(super) fn open_as_video(
    context: &Context<'_>,
    facts: &PartFacts,
    choices: &[VideoChoice],
) -> Result<(Box<dyn Session>, Task), CodecError> {
    let job = context.job;
    let largest = task::largest(task::dimensions(&facts.info)?, choices, None);
    let hint = OpenHint { largest, animation: true, effort: job.effort };
    let alone = Duplicates::default();
    let mut session = session(context, &alone, facts.id, MediaKind::Video, hint)?;
    let seen = seen(session.as_mut());
    // Even an animation that must be changed does not become a larger video.
    let ceiling = Some(facts.info.bytes);
    let task = task::video(job, facts, choices, (seen.0.as_ref(), seen.1), ceiling)?;
    Ok((session, Task::Video(task)))
}

/// The video track of what was opened, and whether its audio is music.
fn seen(session: &mut dyn Session) -> (Option<VideoTrack>, bool) {
    let music = session.facts().music;
    (session.info().video.clone(), music)
}

fn internal(what: &str) -> CodecError {
    CodecError::Internal(what.to_owned())
}

/// A session of a part: one that is kept, that of another part of the same bytes, or a new one.
fn session(
    context: &Context<'_>,
    duplicates: &Duplicates,
    id: PartId,
    kind: MediaKind,
    hint: OpenHint,
) -> Result<Box<dyn Session>, CodecError> {
    let index = id.index();
    if let Some(kept) = context.cache.and_then(|cache| cache.take(index, kind, hint)) {
        return Ok(kept);
    }
    let data = &context.job.message.parts()[index].data;
    let codec = context.codecs.find_writer(data, kind).ok_or_else(|| internal("codec lost"))?;
    let open = || codec.open(data, hint, context.limits, context.stop);
    let session = duplicates.session(index, kind, hint, open)?;
    if let Some(cache) = context.cache {
        cache.opened(index, kind, hint);
    }
    Ok(session)
}
