//! What can be told of clips before one is opened.

use super::{Engine, Job, Prepared, tasks};
use crate::{
    fit::{Search, Step, Task},
    model::{Bytes, PartId, Reason, ReasonCode, Recipe},
    plan::{self, PartFacts, PartPlan, Plan, Target, VideoTarget},
};

/// Sounds of fewer samples a second are taken for speech until they are heard.
const MUSIC_RATE: u32 = 32_000;

impl Engine {
    /// For each part the recipe that would be tried first, where it is known without decoding:
    /// sounds and clips.
    pub fn first_recipes(&self, job: &Job, prepared: &Prepared) -> Vec<Option<Recipe>> {
        let parts = prepared.plan.parts().iter().zip(&prepared.facts);
        parts.map(|(part, facts)| first_recipe(job, part, facts)).collect()
    }
}

fn first_recipe(job: &Job, part: &PartPlan, facts: &PartFacts) -> Option<Recipe> {
    let music = facts.info.audio.as_ref().is_some_and(|track| track.sample_rate >= MUSIC_RATE);
    let task = match part.target.as_ref()? {
        Target::Image(_) => return None,
        Target::Audio(target) => Task::Audio(tasks::sound(job, facts, target, (None, music), None)),
        Target::Video(target) => {
            Task::Video(tasks::clip(job, facts, &target.choices, (None, music), None).ok()?)
        }
    };
    match Search::new(&task, part.budget?).step() {
        Step::Try { recipe, .. } => Some(recipe),
        _ => None,
    }
}

/// A film that is too long for any clip, with all the bytes of the message, is planned as the
/// picture that it will be: by the search that would find so, which counts seconds and bits and
/// needs no pixels.
pub(super) fn no_clip(job: &Job, facts: &[PartFacts], plan: &mut Plan) {
    let lost: Vec<(PartId, Reason)> = plan
        .parts()
        .iter()
        .zip(facts)
        .filter_map(|(part, facts)| {
            let room = plan::spare(plan.constraints(), &[], part.id);
            (!fits(job, part, facts, room)?).then(|| {
                let seconds = f64::from(facts.info.duration_ms) / 1e3;
                let detail = format!("no clip of {seconds:.1} s fits into {room}");
                (part.id, Reason::new(ReasonCode::VideoLost, detail))
            })
        })
        .collect();
    for (part, reason) in lost {
        plan.take_poster(part, reason);
    }
}

/// Whether a clip may fit; `None` where there is nothing else that it could be.
fn fits(job: &Job, part: &PartPlan, facts: &PartFacts, room: Bytes) -> Option<bool> {
    let Some(Target::Video(VideoTarget { choices, remux: None, poster: Some(_) })) = &part.target
    else {
        return None;
    };
    let task = tasks::clip(job, facts, choices, (None, false), None).ok()?;
    let mut search = Search::new(&Task::Video(task), room);
    Some(!matches!(search.step(), Step::Exhausted { .. }))
}
