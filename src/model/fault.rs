//! Whose fault an error is. Every room's error enum maps each variant to one [`Category`];
//! `service::status` maps categories to gRPC codes and exit codes, exhaustively.

use serde::Serialize;

/// The closed set of error categories. Adding one breaks the build of every table that maps it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Category {
    /// The request is invalid: unknown device, contradictory options.
    Caller,
    /// The bytes are malformed, truncated, or not what they claim.
    Input,
    /// The bytes are fine but of a kind that this build does not handle.
    Unsupported,
    /// A safety limit on pixels, frames, parts, nesting or memory was reached.
    TooLarge,
    /// The message cannot be made to fit what the device or the carrier takes.
    CannotFit,
    /// Policy or profile forbids the adaptation that would be needed.
    NotAllowed,
    /// Refused on admission, because too much work is queued: try again later.
    Busy,
    /// A resource is not available right now (worker processes that were killed): try again.
    Unavailable,
    /// The caller's deadline passed.
    Deadline,
    /// The caller cancelled.
    Cancelled,
    /// Our bug, or our surroundings failed.
    Internal,
}

/// An error that knows its category and has a stable, machine-readable reason.
pub trait Fault: std::error::Error {
    /// Whose fault it is.
    fn category(&self) -> Category;
    /// A stable reason in `SCREAMING_SNAKE_CASE`, for `google.rpc.ErrorInfo.reason` and reports.
    fn reason(&self) -> &'static str;
}
