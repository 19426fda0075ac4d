//! Every error leaves through here: category → gRPC code and exit code, exhaustively.

use std::time::Duration;

use crate::model::{Bytes, Category, Fault, Millis, PartId, StopCause};

/// A worker that was killed is replaced after 0.1 s, and the cause may take a while to pass.
const RETRY: Millis = Millis::new(1000);

/// The reason of [`ServiceError::infected`].
pub(super) const INFECTED: &str = "INFECTED";

/// An error with everything that a shell needs for its answer: whose fault, which part, the
/// smallest reachable size.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ServiceError {
    /// Whose fault.
    pub category: Category,
    /// Stable reason, `SCREAMING_SNAKE_CASE`.
    pub reason: &'static str,
    /// For people; lower case, no full stop.
    pub message: String,
    /// The part at fault, if one is.
    pub part: Option<PartId>,
    /// For [`Category::CannotFit`]: the smallest wire size that could be reached.
    pub smallest_reachable: Option<Bytes>,
    /// For [`Category::CannotFit`]: the limit it was compared with.
    pub limit: Option<Bytes>,
    /// For [`Category::Caller`]: the field at fault, by its proto name (`device.uaprof_xml`).
    pub field: Option<String>,
    /// For [`Category::Busy`] and [`Category::Unavailable`]: after how long to try again.
    pub retry_after: Option<Millis>,
}

impl ServiceError {
    /// An error of a category, with nothing else to tell.
    pub fn new(category: Category, reason: &'static str, message: impl Into<String>) -> Self {
        Self {
            category,
            reason,
            message: message.into(),
            part: None,
            smallest_reachable: None,
            limit: None,
            field: None,
            retry_after: None,
        }
    }

    /// From any room's error.
    pub fn from_fault(fault: &dyn Fault) -> Self {
        let category = fault.category();
        let retry_after = (category == Category::Unavailable).then_some(RETRY);
        Self { retry_after, ..Self::new(category, fault.reason(), fault.to_string()) }
    }

    /// The caller's fault, in a field.
    pub fn caller(reason: &'static str, field: &str, message: impl Into<String>) -> Self {
        Self { field: Some(field.to_owned()), ..Self::new(Category::Caller, reason, message) }
    }

    /// A virus scanner found something in a part. `signature` is its name, fit for logs.
    pub fn infected(part: PartId, signature: &str) -> Self {
        let message = format!("a virus scanner found {signature} in part {}", part.0);
        Self { part: Some(part), ..Self::new(Category::NotAllowed, INFECTED, message) }
    }

    /// Refused on admission.
    pub fn busy(reason: &'static str, retry_after: Duration) -> Self {
        let message = "too much work is waiting, try again later";
        Self { retry_after: Some(retry_after.into()), ..Self::new(Category::Busy, reason, message) }
    }

    /// The work was stopped.
    pub fn stopped(cause: StopCause) -> Self {
        let (category, reason) = match cause {
            StopCause::Cancelled => (Category::Cancelled, "CANCELLED"),
            StopCause::Deadline => (Category::Deadline, "DEADLINE_EXCEEDED"),
        };
        Self::new(category, reason, cause.to_string())
    }

    /// Our fault.
    pub fn internal(reason: &'static str, message: impl Into<String>) -> Self {
        Self::new(Category::Internal, reason, message)
    }
}

/// gRPC status codes that we use, by their canonical numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GrpcCode {
    /// 1
    Cancelled,
    /// 3
    InvalidArgument,
    /// 4
    DeadlineExceeded,
    /// 8
    ResourceExhausted,
    /// 9
    FailedPrecondition,
    /// 13
    Internal,
    /// 14
    Unavailable,
}

/// The gRPC code of a category (DESIGN §3).
pub const fn grpc_code(category: Category) -> GrpcCode {
    match category {
        Category::Caller | Category::Input | Category::Unsupported | Category::TooLarge => {
            GrpcCode::InvalidArgument
        }
        Category::CannotFit | Category::NotAllowed => GrpcCode::FailedPrecondition,
        Category::Busy => GrpcCode::ResourceExhausted,
        Category::Deadline => GrpcCode::DeadlineExceeded,
        Category::Cancelled => GrpcCode::Cancelled,
        Category::Internal => GrpcCode::Internal,
        Category::Unavailable => GrpcCode::Unavailable,
    }
}

/// The process exit code of a category (DESIGN §4): 1 our fault, 2 usage, 3 bad input, 4 cannot
/// fit.
pub const fn exit_code(category: Category) -> u8 {
    match category {
        Category::Caller => 2,
        Category::Input | Category::Unsupported | Category::TooLarge => 3,
        Category::CannotFit | Category::NotAllowed => 4,
        Category::Busy
        | Category::Unavailable
        | Category::Deadline
        | Category::Cancelled
        | Category::Internal => 1,
    }
}
