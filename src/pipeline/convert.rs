//! Animations that become clips, and results that did not pass their check.

use bytes::Bytes as Buffer;

use super::{
    Engine, Job,
    check::{self, CheckError, Output},
    fitting::{Work, advance},
    tasks,
};
use crate::{
    codec::{CodecError, OpenHint, Verified, image::likeness},
    fit::Task,
    model::{Bytes, Dimensions, Effort, ImageCoding, MediaKind, MediaType, Stop},
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
    if target.clip.is_empty() || work.converted.is_some() || work.failed.is_some() || work.cut_short
    {
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
    let start = (engine.cpu_clock)();
    // What cannot be compared, or not in time, stays the picture that it is.
    let better = match clip.failed {
        None => looks_better(engine, &mut clip, work, stop).unwrap_or(None),
        Some(_) => None,
    };
    clip.cpu += (engine.cpu_clock)().saturating_sub(start);
    if better.is_some() {
        clip.cpu += work.cpu;
        clip.encodes += work.encodes;
        clip.converted = better;
        *work = clip;
    } else {
        work.cpu += clip.cpu;
        work.encodes += clip.encodes;
    }
}

/// Moments at which what is shown is compared.
const MOMENTS: u8 = 8;

/// What a clip has to look better by, on the scale of SSIMULACRA2: it loses the loop, plays in a
/// window of its own after a touch, and is no picture any more. From 50 to 70 a picture goes from
/// medium to high on that scale; half of that is what nobody overlooks.
const WORTH_A_CLIP: f32 = 10.0;

/// How much the clip and what the animation has become look like the original, where the clip does
/// so clearly more; in words.
fn looks_better(
    engine: &Engine,
    clip: &mut Work,
    animation: &mut Work,
    stop: &Stop,
) -> Result<Option<String>, CodecError> {
    let Some((_, Some(film))) = &clip.best else { return Ok(None) };
    let background = animation.task.image().map_or([255; 3], |task| task.background);
    let Some(original) = animation.session.moments(MOMENTS, background, stop)? else {
        return Ok(None);
    };
    let likeness = |data: &Buffer, kind| {
        let Some(codec) = engine.codecs.find_writer(data, kind) else { return Ok(None) };
        // At its own size, whatever that is.
        let largest = Dimensions::at_least_one(u32::MAX, u32::MAX);
        let hint = OpenHint { largest, animation: true, effort: Effort::Balanced };
        let mut session = codec.open(data, hint, &engine.decode, stop)?;
        let shown = session.moments(MOMENTS, background, stop)?.unwrap_or_default();
        Ok::<_, CodecError>(likeness::of_moments(&original, &shown))
    };
    let Some(of_clip) = likeness(film, MediaKind::Video)? else { return Ok(None) };
    let Some((recipe, Some(picture))) = &animation.best else {
        return Ok(Some("no animation fits".to_owned()));
    };
    let of_picture = likeness(picture, MediaKind::Image)?.unwrap_or(0.0);
    let what = match recipe.image().map(|recipe| recipe.coding) {
        Some(ImageCoding::Gif { frame_step, .. }) if frame_step < u16::MAX => "an animation",
        _ => "a still",
    };
    let better = of_clip > of_picture + WORTH_A_CLIP;
    Ok(better.then(|| format!("likeness {of_clip:.0}, as {what} {of_picture:.0}")))
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
        || work.converted.is_some()
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
