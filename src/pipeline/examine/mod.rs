//! The first stage: what each part of the message really is, and what it could become without
//! being encoded. Sees codecs by their probes alone.

mod probe;
mod rewrite;

use super::{context::Context, job::PipelineError};
use crate::plan::PartFacts;

pub(super) use rewrite::Rewrite;

/// What is known of a message before anything is planned. One entry a part, in order.
#[derive(Clone, Debug)]
pub(super) struct Examined {
    pub facts: Vec<PartFacts>,
    /// Bytes that a part may get without being encoded.
    pub rewrites: Vec<Option<Rewrite>>,
}

/// Examines every part.
///
/// # Errors
/// Stopped, or no worker is available to read a part.
pub(super) fn examine(context: &Context<'_>) -> Result<Examined, PipelineError> {
    let parts = context.job.message.parts();
    let examined = probe::all(context)?.into_iter().zip(parts).map(|(facts, part)| {
        let (facts, rewrite) = rewrite::of(context, part, facts)?;
        Ok((facts, rewrite))
    });
    let (facts, rewrites) =
        examined.collect::<Result<Vec<_>, PipelineError>>()?.into_iter().unzip();
    Ok(Examined { facts, rewrites })
}
