//! Animations that become videos, where that looks better.

use std::time::Duration;

use bytes::Bytes as Buffer;

use super::{open::open_as_video, part::PartEncoding};
use crate::{
    codec::{CodecError, OpenHint, image::likeness},
    fit::Task,
    model::{Bytes, Dimensions, Effort, ImageCoding, MediaKind},
    pipeline::{context::Context, span},
    plan::{PartFacts, PartPlan, Target},
};

/// An animation that lost too much becomes a video, where the device plays videos and one fits.
pub(super) fn animation_to_video(
    context: &Context<'_>,
    part: &mut PartEncoding,
    plan: &PartPlan,
    facts: &PartFacts,
) {
    let Some(Target::Image(target)) = &plan.target else { return };
    if target.video.is_empty()
        || part.converted.is_some()
        || part.failed.is_some()
        || part.cut_short
    {
        return;
    }
    if !lost_too_much(part) || part.budget == Bytes::ZERO || context.stop.check().is_err() {
        return;
    }
    let mut cpu = Duration::ZERO;
    let span = span::decode(context, part.id, MediaKind::Video);
    let opened = context.timed(&mut cpu, span, || open_as_video(context, facts, &target.video));
    part.cpu += cpu;
    // What cannot be opened stays the image that it is.
    let Ok((session, task)) = opened else { return };
    let mut video = PartEncoding::new(part.id, session, task, part.keeps_ceiling);
    video.set_budget(part.budget);
    video.advance(context, u32::MAX);
    let mut cpu = Duration::ZERO;
    // What cannot be compared, or not in time, stays the image that it is.
    let better = match video.failed {
        None => {
            let span = span::compare(context, part.id);
            let compare = || looks_better(context, &video, part);
            context.timed(&mut cpu, span, compare).unwrap_or(None)
        }
        Some(_) => None,
    };
    let (cpu, encodes) = (part.cpu + video.cpu + cpu, part.encodes + video.encodes);
    if better.is_some() {
        *part = PartEncoding { converted: better, ..video };
    }
    (part.cpu, part.encodes) = (cpu, encodes);
}

/// Moments at which what is shown is compared.
const MOMENTS: u8 = 8;

/// How much better a video has to look, on the scale of SSIMULACRA2: it loses the loop, and plays
/// in a window of its own after a touch, no longer as an image. From 50 to 70 an image goes from
/// medium to high on that scale; half of that is clearly visible.
const WORTH_A_VIDEO: f32 = 10.0;

/// How much the video and what the animation has become look like the original, where the video does
/// so clearly more; in words.
fn looks_better(
    context: &Context<'_>,
    video: &PartEncoding,
    animation: &mut PartEncoding,
) -> Result<Option<String>, CodecError> {
    let Some((_, film)) = video.best.encoded() else { return Ok(None) };
    let stop = context.stop;
    let background = animation.task.image().map_or([255; 3], |task| task.background);
    let Some(original) = animation.session.moments(MOMENTS, background, stop)? else {
        return Ok(None);
    };
    let likeness = |data: &Buffer, kind| {
        let Some(codec) = context.codecs.find_writer(data, kind) else { return Ok(None) };
        // At its own size, whatever that is.
        let largest = Dimensions::at_least_one(u32::MAX, u32::MAX);
        let hint = OpenHint { largest, animation: true, effort: Effort::Balanced };
        let mut session = codec.open(data, hint, context.limits, stop)?;
        let shown = session.moments(MOMENTS, background, stop)?.unwrap_or_default();
        Ok::<_, CodecError>(likeness::of_moments(&original, &shown))
    };
    let Some(of_video) = likeness(film, MediaKind::Video)? else { return Ok(None) };
    let Some((recipe, image)) = animation.best.encoded() else {
        return Ok(Some("no animation fits".to_owned()));
    };
    let of_image = likeness(image, MediaKind::Image)?.unwrap_or(0.0);
    let what = match recipe.image().map(|recipe| recipe.coding) {
        Some(ImageCoding::Gif { frame_step, .. }) if frame_step < u16::MAX => "an animation",
        _ => "a still",
    };
    let better = of_video > of_image + WORTH_A_VIDEO;
    Ok(better.then(|| format!("likeness {of_video:.0}, as {what} {of_image:.0}")))
}

/// More than half of the frames gone, less than half of the size left, or a still.
fn lost_too_much(part: &PartEncoding) -> bool {
    let Task::Image(task) = &part.task else { return false };
    match part.image_recipe() {
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
