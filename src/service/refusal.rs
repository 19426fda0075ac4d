//! What the engine refuses, as an error of the service.

use super::ServiceError;
use crate::{
    model::{Fault, Limits},
    pipeline::{Job, PipelineError},
    plan::PlanError,
};

/// The refusal of a job.
pub(super) fn refusal(error: &PipelineError, job: &Job) -> ServiceError {
    let refusal = refusal_of(error, &job.limits);
    // A part that can be neither sent nor left out, as the envelope of MM7, spoils the whole message.
    let unwritable = matches!(error, PipelineError::Message(_));
    let mut infected = job.infected.iter();
    match infected.find(|(id, _)| unwritable || Some(*id) == refusal.part) {
        // That the ladder of the part had no step is not why: nobody gets it.
        Some((part, signature)) => ServiceError::infected(*part, signature),
        None => refusal,
    }
}

fn refusal_of(error: &PipelineError, limits: &Limits) -> ServiceError {
    let base = ServiceError::from_fault(error as &dyn Fault);
    match error {
        PipelineError::CannotFit { part, smallest, limit } => ServiceError {
            part: Some(*part),
            smallest_reachable: Some(*smallest),
            limit: Some(limit.bytes),
            ..base
        },
        PipelineError::Plan(PlanError::FixedOverLimit { fixed: size, limit }) => {
            ServiceError { smallest_reachable: Some(*size), limit: Some(limit.bytes), ..base }
        }
        // The message must not be changed: its size is the smallest reachable.
        PipelineError::Plan(PlanError::NotAllowed { size, limit }) => {
            ServiceError { smallest_reachable: Some(*size), limit: Some(limit.bytes), ..base }
        }
        // The part is a field of its own: shells number parts in their own ways.
        PipelineError::OnlyPart { part, detail, .. } => {
            ServiceError { part: Some(*part), message: detail.clone(), ..base }
        }
        PipelineError::Plan(
            PlanError::NoStep { part, .. } | PlanError::NothingLeft { part, .. },
        ) => ServiceError { part: Some(*part), ..base },
        PipelineError::Message(_)
        | PipelineError::Stopped(_)
        | PipelineError::Unavailable(_)
        | PipelineError::Check(_) => {
            ServiceError { limit: limits.wire.iter().map(|l| l.bytes).min(), ..base }
        }
    }
}
