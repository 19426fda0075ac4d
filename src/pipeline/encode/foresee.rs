//! What is known about audio and video before anything is opened.

use super::task;
use crate::{
    fit::{Search, SearchStep, Task},
    model::{Bytes, PartId, Reason, ReasonCode, Recipe},
    pipeline::job::Job,
    plan::{self, PartFacts, PartPlan, Plan, Target, VideoTarget},
    quality,
};

/// The recipe that would be tried first, where it is known without decoding: of audio and video.
pub(in crate::pipeline) fn first_recipe(
    job: &Job,
    part: &PartPlan,
    facts: &PartFacts,
) -> Option<Recipe> {
    let music = quality::audio::foreseen(facts.info.audio.as_ref()).music;
    let task = match part.target.as_ref()? {
        Target::Image(_) => return None,
        Target::Audio(target) => Task::Audio(task::audio(job, facts, target, (None, music), None)),
        Target::Video(target) => {
            Task::Video(task::video(job, facts, &target.choices, (None, music), None).ok()?)
        }
    };
    match Search::new(&task, part.budget?).step() {
        SearchStep::Try { recipe, .. } => Some(recipe),
        _ => None,
    }
}

/// A video that is too long for any encode, with all the bytes of the message, is planned as the
/// image that it will be: by the search that would find so, which counts seconds and bits and
/// needs no pixels.
pub(in crate::pipeline) fn plan_posters(job: &Job, facts: &[PartFacts], plan: &mut Plan) {
    let lost: Vec<(PartId, Reason)> = plan
        .parts()
        .iter()
        .zip(facts)
        .filter_map(|(part, facts)| {
            let room = plan::spare(plan.constraints(), &[], part.id);
            (!fits(job, part, facts, room)?).then(|| {
                let seconds = facts.info.duration.seconds();
                let detail = format!("no video of {seconds:.1} s fits into {room}");
                (part.id, Reason::new(ReasonCode::VideoLost, detail))
            })
        })
        .collect();
    for (part, reason) in lost {
        plan.take_poster(part, reason);
    }
}

/// Whether a video may fit; `None` where there is nothing else that it could be.
fn fits(job: &Job, part: &PartPlan, facts: &PartFacts, room: Bytes) -> Option<bool> {
    let Some(Target::Video(VideoTarget { choices, remux: None, poster: Some(_) })) = &part.target
    else {
        return None;
    };
    let task = task::video(job, facts, choices, (None, false), None).ok()?;
    let mut search = Search::new(&Task::Video(task), room);
    Some(!matches!(search.step(), SearchStep::Exhausted { .. }))
}
