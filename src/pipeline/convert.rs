//! Animations that become clips, and results that did not pass their check.

use super::{
    Engine, Job,
    check::{self, CheckError, Output},
    fitting::{Work, advance},
    tasks,
};
use crate::{
    codec::{CodecError, Verified},
    fit::Task,
    model::{Bytes, Dimensions, ImageCoding, MediaKind, MediaType, Recipe, Stop},
    plan::{PartFacts, PartPlan, Target},
};

/// An animation that lost too much becomes a clip, where the device plays clips and one fits.
pub(super) fn animation_to_clip(
    engine: &Engine,
    job: &Job,
    work: &mut Work,
    part: &PartPlan,
    facts: &PartFacts,
    stop: &Stop,
) {
    let Some(Target::Image(target)) = &part.target else { return };
    if target.clip.is_empty() || work.converted || work.failed.is_some() || work.cut_short {
        return;
    }
    if !lost_too_much(work) || work.budget == Bytes::ZERO || stop.check().is_err() {
        return;
    }
    let start = (engine.cpu_clock)();
    let opened = tasks::open_as_clip(engine, job, work.index, facts, &target.clip, stop);
    let opening = (engine.cpu_clock)().saturating_sub(start);
    work.cpu += opening;
    // What cannot be opened stays the picture that it is.
    let Ok((session, task)) = opened else { return };
    let mut clip = Work::new(work.index, session, task, work.keeps_ceiling);
    clip.budget = work.budget;
    clip.search.set_budget(work.budget);
    advance(engine, &mut clip, u32::MAX, stop);
    if clip.failed.is_none() && shows_more(&clip, work) {
        clip.cpu += work.cpu;
        clip.encodes += work.encodes;
        clip.converted = true;
        *work = clip;
    } else {
        work.cpu += clip.cpu;
        work.encodes += clip.encodes;
    }
}

/// A clip loses the loop, plays in a window of its own, and is no picture any more: it has to show
/// so many times what the animation shows.
const WORTH_A_CLIP: f64 = 1.5;

/// Whether a clip shows enough more than what the animation has become: pixels of the picture in
/// it, and frames, of which twice as many are worth half as much again.
fn shows_more(clip: &Work, animation: &Work) -> bool {
    let (Task::Image(task), Some((Recipe::Video(video), Some(_)))) = (&animation.task, &clip.best)
    else {
        return false;
    };
    let shown = |dimensions: Dimensions, frames: f64| {
        dimensions.pixels() as f64 * frames.clamp(0.01, 1.0).sqrt()
    };
    let Some(gif) = animation.picture() else { return true };
    let ImageCoding::Gif { frame_step, .. } = gif.coding else { return true };
    if frame_step == u16::MAX {
        return true;
    }
    let rate = match &clip.task {
        Task::Video(task) => task.frame_rate.max(0.01),
        _ => return false,
    };
    let inside = task.source.shrunk_into(video.video.dimensions);
    let of_clip = shown(inside, video.video.rate.per_second() / rate);
    let of_gif = shown(gif.dimensions, 1.0 / f64::from(frame_step.max(1)));
    of_clip > of_gif * WORTH_A_CLIP
}

/// More than half of the frames gone, less than half of the size left, or a still.
fn lost_too_much(work: &Work) -> bool {
    let Task::Image(task) = &work.task else { return false };
    match work.picture() {
        Some(recipe) => match recipe.coding {
            ImageCoding::Gif { frame_step, .. } => {
                frame_step > 2
                    || recipe.dimensions.longest().saturating_mul(2) < task.largest().longest()
            }
            _ => true,
        },
        None => true,
    }
}

/// Results that fall down the ladder after a failed check, at the most.
const FALLS: u32 = 4;

/// Whether a result that does not pass its check costs its part alone: media that codecs in
/// processes of their own read. What safe Rust in this process gets wrong is our bug, and told.
fn costs_its_part(work: &Work, facts: &PartFacts) -> bool {
    facts.info.kind != MediaKind::Image
        || work.converted
        || [MediaType::HEIC, MediaType::AVIF].contains(&facts.info.media_type)
}

/// Checks the result of a work; one that does not pass gives way to the next on the ladder.
/// `None` where the check is left to the end.
///
/// # Errors
/// Nothing passes.
pub(super) fn settle_checked(
    engine: &Engine,
    work: &mut Work,
    facts: &PartFacts,
    room: Bytes,
    stop: &Stop,
) -> Result<Option<Verified>, CodecError> {
    if !costs_its_part(work, facts) {
        return Ok(None);
    }
    let mut wrong = String::new();
    for _ in 0..FALLS {
        let Some((recipe, Some(data))) = &work.best else { break };
        let output =
            Output { data, recipe, task: &work.task, reference: None, source: &facts.info };
        let start = (engine.cpu_clock)();
        let checked = check::verify(engine, &output, stop);
        work.cpu += (engine.cpu_clock)().saturating_sub(start);
        match checked {
            Ok(verified) => return Ok(Some(verified)),
            Err(CheckError::Unchecked(error)) => return Err(error),
            Err(CheckError::Wrong(what)) => {
                work.fell = Some(format!("the result did not pass its check: {what}"));
                wrong = what;
            }
        }
        if matches!(work.task, Task::Image(_)) {
            break;
        }
        work.search.reject();
        work.best = None;
        work.cut_short = false;
        work.budget = work.budget.min(room);
        work.search.set_budget(work.budget);
        advance(engine, work, u32::MAX, stop);
        if let Some(error) = work.failed.take() {
            return Err(error);
        }
    }
    Err(CodecError::Internal(format!("the result did not pass its check: {wrong}")))
}
