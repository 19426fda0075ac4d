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

use self::message::Encoder;
use super::{context::Context, draft::Draft, job::PipelineError};
use crate::plan::PartPlan;

pub(super) use foresee::{first_recipe, plan_posters};
pub(super) use part::{EncodedPart, PartOutcome};

/// A message whose parts are all decided. Both lists are in the order of its parts.
pub(super) struct Encoded {
    /// The plan's parts, with what encoding changed about them.
    pub parts: Vec<PartPlan>,
    pub outcomes: Vec<PartOutcome>,
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
