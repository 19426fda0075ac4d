//! The second stage: the message as it would be by a plan. What is written around the media, and
//! how many bytes that leaves; notices where something is missing. Knows no codec and no search.

mod bare;
mod drop;
mod edits;
mod identity;
mod notices;
mod prepared;
mod wire;

use super::{examine::Examined, job::Job, job::PipelineError};
use crate::{
    model::{Bytes, PartId, Reason},
    plan::{self, Constraint, PartFacts, PartPlan, Plan},
};

pub(super) use bare::refuse_empty;
pub(super) use drop::drop_more;
pub(super) use edits::{after, edit, presentation, reasons};
pub(super) use identity::identity;
pub use prepared::Prepared;

pub(super) use wire::{binding, constraints};

/// Plans the parts of a message, where those in `given_up` are dropped whole.
///
/// # Errors
/// No plan fits.
pub(super) fn plan(
    job: &Job,
    examined: &Examined,
    given_up: &[PartId],
) -> Result<Plan, PipelineError> {
    let input = plan::Input {
        parts: &examined.facts,
        capabilities: &job.capabilities,
        limits: &job.limits,
        policy: &job.policy,
        given_up,
    };
    Ok(plan::plan(input, &|parts| constraints(job, examined, parts))?)
}

/// A message as it would be by its plan: the parts as decided so far, and what every limit leaves
/// for those that are encoded.
pub(super) struct Draft<'a> {
    job: &'a Job,
    examined: &'a Examined,
    parts: Vec<PartPlan>,
    /// Of these parts, always.
    constraints: Vec<Constraint>,
}

impl<'a> Draft<'a> {
    /// By the plan.
    pub fn new(job: &'a Job, examined: &'a Examined, plan: &Plan) -> Self {
        let parts = plan.parts().to_vec();
        let constraints = wire::constraints(job, examined, &parts);
        Self { job, examined, parts, constraints }
    }

    /// The parts, with what was changed about them since the plan.
    pub fn parts(&self) -> &[PartPlan] {
        &self.parts
    }

    /// A part.
    pub fn part(&self, id: PartId) -> &PartPlan {
        &self.parts[id.index()]
    }

    /// The parts as they were decided in the end.
    pub fn into_parts(self) -> Vec<PartPlan> {
        self.parts
    }

    /// What is known of the parts.
    pub fn facts(&self) -> &'a [PartFacts] {
        &self.examined.facts
    }

    /// The limits, with what the parts that are encoded leave free.
    pub fn constraints(&self) -> &[Constraint] {
        &self.constraints
    }

    /// Drops parts that came to nothing, each for its reason.
    pub fn drop_failed(&mut self, failed: impl IntoIterator<Item = (PartId, Reason)>) {
        let mut changed = false;
        for (id, reason) in failed {
            let part = &mut self.parts[id.index()];
            part.drop_without_notice();
            part.target = None;
            part.reasons.insert(0, reason);
            changed = true;
        }
        if changed {
            self.measure();
        }
    }

    /// The parts were changed: what surrounds the media is another.
    fn measure(&mut self) {
        self.constraints = wire::constraints(self.job, self.examined, &self.parts);
    }

    /// Keeps the original of a part that was to be encoded for the limit's sake alone, if it fits
    /// beside the others at their `sizes` after all.
    pub fn keep_original(&mut self, id: PartId, others: &[(PartId, Bytes)]) -> bool {
        let facts = &self.examined.facts[id.index()];
        if facts.info.bytes > plan::spare(&self.constraints, others, id) {
            return false;
        }
        let mut kept = self.parts.clone();
        kept[id.index()].keep_after_all(facts, &self.job.capabilities.accept);
        // Kept headers differ from rewritten ones by a few bytes: ask again.
        let constraints = wire::constraints(self.job, self.examined, &kept);
        let fits = constraints.iter().all(|c| c.wire(others) <= c.limit.bytes);
        if fits {
            (self.parts, self.constraints) = (kept, constraints);
        }
        fits
    }
}
