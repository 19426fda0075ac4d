//! Errors as `google.rpc.Status`: always `ErrorInfo`, and `BadRequest` or `RetryInfo` where they
//! apply.

use std::{collections::HashMap, time::Duration};

use prost::Message as _;
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt as _};

use super::{convert::BadRequest, v1};
use crate::{
    model::Bytes,
    service::{ServiceError, status as table},
};

/// The domain of every `ErrorInfo` of ours.
pub const ERROR_DOMAIN: &str = "mmsfit";

/// The status of an error. Metadata of `ErrorInfo`: `part` (index from 0),
/// `smallest_reachable_bytes`, `limit_bytes`, each where known.
pub fn from_error(error: ServiceError) -> Status {
    let mut metadata = HashMap::new();
    let mut note = |key: &str, value: Option<u64>| {
        if let Some(value) = value {
            metadata.insert(key.to_owned(), value.to_string());
        }
    };
    note("part", error.part.map(|part| u64::from(part.0)));
    note("smallest_reachable_bytes", error.smallest_reachable.map(Bytes::get));
    note("limit_bytes", error.limit.map(Bytes::get));

    let mut details = ErrorDetails::with_error_info(error.reason, ERROR_DOMAIN, metadata);
    if let Some(field) = error.field {
        details.add_bad_request_violation(field, &error.message);
    }
    if let Some(time) = error.retry_after {
        details.set_retry_info(Some(time.into()));
    }
    Status::with_error_details(code(table::grpc_code(error.category)), error.message, details)
}

impl From<BadRequest> for Status {
    fn from(bad: BadRequest) -> Self {
        let message = bad.to_string();
        let mut details =
            ErrorDetails::with_error_info("BAD_REQUEST", ERROR_DOMAIN, HashMap::new());
        for violation in bad.violations {
            details.add_bad_request_violation(violation.field, violation.description);
        }
        Self::with_error_details(Code::InvalidArgument, message, details)
    }
}

/// The status of a request over the size cap.
pub fn too_large(limit: Bytes) -> Status {
    let metadata = HashMap::from([("limit_bytes".to_owned(), limit.get().to_string())]);
    let details = ErrorDetails::with_error_info("REQUEST_TOO_LARGE", ERROR_DOMAIN, metadata);
    let message = format!("the request is larger than {} bytes", limit.get());
    Status::with_error_details(Code::ResourceExhausted, message, details)
}

/// The status of a call for which there is no room, with a hint when to try again.
pub fn refused(reason: &'static str, retry: Duration) -> Status {
    from_error(ServiceError::busy(reason, retry))
}

/// The status of a request whose bytes do not come.
pub fn slow() -> Status {
    let details = ErrorDetails::with_error_info("SLOW_REQUEST", ERROR_DOMAIN, HashMap::new());
    let message = "the request did not come in time";
    Status::with_error_details(Code::DeadlineExceeded, message, details)
}

/// The status of a call without a token that is known.
pub fn unauthenticated(reason: &'static str) -> Status {
    let details = ErrorDetails::with_error_info(reason, ERROR_DOMAIN, HashMap::new());
    let message = "a bearer token of a known client is needed";
    Status::with_error_details(Code::Unauthenticated, message, details)
}

/// The status of a call for a carrier that is not the client's.
pub fn denied(carrier: &str) -> Status {
    let metadata = HashMap::from([("carrier".to_owned(), carrier.to_owned())]);
    let details = ErrorDetails::with_error_info("CARRIER_NOT_ALLOWED", ERROR_DOMAIN, metadata);
    let message = "this client may not act for that carrier";
    Status::with_error_details(Code::PermissionDenied, message, details)
}

/// `status`, unless it is tonic's refusal of a request over the size cap: then the typed one.
/// Nothing in this room answers OUT_OF_RANGE, so the code tells (tonic `codec/decode.rs`).
pub fn typed(status: Status, limit: Bytes) -> Status {
    if status.code() == Code::OutOfRange { too_large(limit) } else { status }
}

/// As the message that a stream carries for each item that failed.
impl From<Status> for v1::Status {
    fn from(status: Status) -> Self {
        // The details travel as an encoded google.rpc.Status; without any, there is nothing to read.
        let details = tonic_types::Status::decode(status.details()).unwrap_or_default().details;
        Self { code: status.code().into(), message: status.message().to_owned(), details }
    }
}

const fn code(code: table::GrpcCode) -> Code {
    match code {
        table::GrpcCode::Cancelled => Code::Cancelled,
        table::GrpcCode::InvalidArgument => Code::InvalidArgument,
        table::GrpcCode::DeadlineExceeded => Code::DeadlineExceeded,
        table::GrpcCode::ResourceExhausted => Code::ResourceExhausted,
        table::GrpcCode::FailedPrecondition => Code::FailedPrecondition,
        table::GrpcCode::Internal => Code::Internal,
        table::GrpcCode::Unavailable => Code::Unavailable,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::model::{Category, PartId};

    #[test]
    fn all_that_an_error_knows_is_in_the_details() {
        let mut error = ServiceError::new(Category::CannotFit, "CANNOT_FIT", "too much text");
        error.part = Some(PartId(3));
        error.smallest_reachable = Some(Bytes::new(40_000));
        error.limit = Some(Bytes::new(30_000));
        let status = from_error(error);
        assert_eq!((status.code(), status.message()), (Code::FailedPrecondition, "too much text"));
        let details = status.get_error_details();
        let info = details.error_info().expect("always there");
        assert_eq!((info.domain.as_str(), info.reason.as_str()), ("mmsfit", "CANNOT_FIT"));
        let want = [("part", "3"), ("smallest_reachable_bytes", "40000"), ("limit_bytes", "30000")];
        assert_eq!(info.metadata, want.map(|(k, v)| (k.to_owned(), v.to_owned())).into());
        assert!(details.bad_request().is_none() && details.retry_info().is_none());
    }

    #[test]
    fn fields_and_hints_have_their_own_details() {
        let details = from_error(ServiceError::caller("UNKNOWN_DEVICE", "device.device_id", "?"))
            .get_error_details();
        let bad = details.bad_request().expect("a field is at fault");
        assert_eq!(bad.field_violations[0].field, "device.device_id");

        let busy = ServiceError::busy("QUEUE_FULL", Duration::from_millis(1500));
        let status = from_error(busy);
        assert_eq!(status.code(), Code::ResourceExhausted);
        let retry = status.get_error_details().retry_info().expect("a hint").retry_delay;
        assert_eq!(retry, Some(Duration::from_millis(1500)));
    }

    #[test]
    fn items_of_a_stream_carry_the_same_details() {
        let item = v1::Status::from(too_large(Bytes::new(64)));
        assert_eq!(item.code, 8);
        assert_eq!(item.details.len(), 1);
        assert_eq!(item.details[0].type_url, "type.googleapis.com/google.rpc.ErrorInfo");
    }
}
