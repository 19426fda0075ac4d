//! What the pipeline refuses, as the service tells it: the part, and the sizes that would help.

use super::ServiceError;
use crate::{
    model::{Fault, Limits},
    pipeline::PipelineError,
    plan::PlanError,
};

/// The typed refusal of a message with these limits.
pub(super) fn refusal(error: &PipelineError, limits: &Limits) -> ServiceError {
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
