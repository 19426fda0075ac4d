//! What the engine answered, as a row and what goes to the output.

use bytes::Bytes as Buffer;

use crate::{
    model::{Category, MediaType, Outcome},
    service::{
        ServiceError,
        request::{AdaptResponse, Content},
    },
};

use super::rows::{Row, Status};

/// What goes to the output.
pub struct Output {
    pub status: Status,
    pub bytes: Buffer,
    /// The type of a medium that came out alone.
    pub medium: Option<MediaType>,
}

/// The row, as far as it is known before the result has a place, and the result.
///
/// # Errors
/// The row of an answer that is no file.
pub fn of_response(row: Row, response: AdaptResponse) -> Result<(Row, Output), Box<Row>> {
    let report = response.report;
    let (bytes, medium) = match response.content {
        Content::MmsPdu(bytes) | Content::Mime(bytes) => (bytes, None),
        Content::Bare { data, .. } => {
            let after = report.parts.first().and_then(|part| part.after.as_ref());
            (data, after.map(|info| info.media_type.clone()))
        }
        Content::Parts { .. } => {
            let why = "the engine answered in a form that has no file";
            return Err(Box::new(row.without(Status::Failed, "INTERNAL", why)));
        }
    };
    let status = match report.outcome {
        Outcome::Unchanged => Status::Unchanged,
        Outcome::Minor | Outcome::Major => Status::Done,
    };
    let row = Row {
        cpu_ms: report.parts.iter().map(|part| part.cpu_ms).sum(),
        report: serde_json::to_value(&report).ok(),
        ..row
    };
    Ok((row, Output { status, bytes, medium }))
}

/// A typed refusal as a row.
pub fn refusal(row: Row, error: &ServiceError) -> Row {
    let status = match error.category {
        Category::CannotFit | Category::NotAllowed => Status::Refused,
        Category::Caller
        | Category::Input
        | Category::Unsupported
        | Category::TooLarge
        | Category::Busy
        | Category::Unavailable
        | Category::Deadline
        | Category::Cancelled
        | Category::Internal => Status::Failed,
    };
    let message = match error.part {
        Some(part) => format!("part {}: {error}", u64::from(part.0) + 1),
        None => error.to_string(),
    };
    row.without(status, error.reason, message)
}
