//! The last stage: the message is assembled, measured and reported. Encodes nothing.

mod class;
mod message;
mod reasons;
mod report;

use super::{
    encode::Encoded,
    examine::Examined,
    job::{Adapted, Job, PipelineError},
};
use crate::{
    model::{Outcome, PartId, Report},
    plan::PlanError,
    policy::Adaptation,
};

pub(super) use report::{foreseen, unchanged};

/// The message as it goes out, and what was done.
///
/// # Errors
/// The policy allows no loss, and there was one; our own check of the size failed.
pub(super) fn finish(
    job: &Job,
    examined: &Examined,
    encoded: &Encoded,
) -> Result<Adapted, PipelineError> {
    let message = message::assemble(job, examined, encoded)?;
    let mut report = report::finished(job, examined, encoded, &message);
    let message = message::classed(job, message, &mut report);
    message::verify_size(job, &message)?;
    refuse_major(job, &report)?;
    Ok(Adapted { message, report })
}

/// A loss where the policy allows none is refused.
pub(super) fn refuse_major(job: &Job, report: &Report) -> Result<(), PipelineError> {
    if job.policy.adaptation != Adaptation::Minor || report.outcome != Outcome::Major {
        return Ok(());
    }
    let lost = report.parts.iter().find(|part| report::is_major(part));
    let part = lost.or(report.parts.first());
    let detail = part.and_then(|part| part.reasons.last()).map(|reason| reason.to_string());
    Err(PipelineError::Plan(PlanError::NoStep {
        part: part.map_or(PartId(0), |part| part.id),
        detail: detail.unwrap_or_default(),
    }))
}
