//! The third stage: every part that goes through a codec, fitted within its share of the bytes. The
//! only room with sessions, searches and threads.
//!
//! Each part is opened once; an encode of each tells what it weighs; audio and video are fitted
//! first, images with what they leave; what does not fit is rescued with what others can spare, what
//! is left over goes to those that can use it; every result is decoded and checked.

mod convert;
mod duplicates;
mod foresee;
mod inspect;
mod leftover;
mod message;
mod open;
mod part;
mod rescue;
mod search;
mod share;
mod task;
mod turns;

use std::time::Duration;

use self::message::Encoder;
use super::{
    context::Context,
    draft::{Draft, Prepared},
    job::PipelineError,
};
use crate::{
    model::{Bytes, ReasonCode},
    plan::PartPlan,
};

pub(super) use foresee::{first_recipe, plan_posters};
pub(super) use part::{EncodedPart, PartOutcome};

/// A message whose parts are all decided. Both lists are in the order of its parts.
#[derive(Clone)]
pub(super) struct Encoded {
    /// The plan's parts, with what encoding changed about them.
    pub parts: Vec<PartPlan>,
    pub outcomes: Vec<PartOutcome>,
}

/// The encoded parts of a message, ready to be assembled: by [`Engine::assemble`], for that message
/// and for every other that has the same [`Engine::identity`].
///
/// [`Engine::assemble`]: super::Engine::assemble
/// [`Engine::identity`]: super::Engine::identity
#[derive(Clone)]
pub struct EncodedMessage {
    pub(super) prepared: Prepared,
    pub(super) encoded: Encoded,
}

impl EncodedMessage {
    /// Whether another attempt would come to the same: no deadline cut it short, and no fault of ours
    /// cost a part.
    pub fn is_repeatable(&self) -> bool {
        let by_chance = [ReasonCode::OurFault, ReasonCode::Poison, ReasonCode::DeadlineBestSoFar];
        let Encoded { parts, outcomes } = &self.encoded;
        !outcomes.iter().filter_map(PartOutcome::encoded).any(|part| part.cut_short)
            && !parts.iter().flat_map(|part| &part.reasons).any(|r| by_chance.contains(&r.code))
    }

    /// The memory that it takes, about.
    pub fn memory(&self) -> Bytes {
        let data = self.encoded.outcomes.iter().filter_map(PartOutcome::encoded);
        let data: u64 = data.map(|part| Bytes::of(&part.data).get()).sum();
        Bytes::new(data + 4_096 * (1 + self.encoded.parts.len() as u64))
    }

    /// The same for another message, which pays nothing for it.
    #[must_use]
    pub fn at_no_cost(&self) -> Self {
        let mut other = self.clone();
        for outcome in &mut other.encoded.outcomes {
            match outcome {
                PartOutcome::Kept | PartOutcome::Rewritten => {}
                PartOutcome::Dropped { cpu } => *cpu = Duration::ZERO,
                PartOutcome::Encoded(part) => (part.cpu, part.encodes) = (Duration::ZERO, 0),
            }
        }
        other
    }
}

/// Encodes every part that the draft encodes.
///
/// # Errors
/// It cannot fit, was stopped before anything fitted, or a result failed its check.
pub(super) fn encode(context: &Context<'_>, draft: Draft<'_>) -> Result<Encoded, PipelineError> {
    context.stop.check()?;
    let mut message = Encoder::open(*context, draft)?;
    message.refuse_without_room()?;
    message.share();
    if message.has_several() {
        // One encode of each tells what the images really weigh; then the budget is dealt again.
        message.weigh_images()?;
        message.share();
        // Audio and video first, once and for all: images make use of what is left to a byte.
        message.encode_audio_and_video()?;
        message.share_rest();
    }
    message.encode_rest()?;
    message.rescue()?;
    message.keep_originals();
    message.place_notices()?;
    message.spend_leftover();
    message.inspect()?;
    message.finish()
}
