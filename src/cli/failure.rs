//! Why a command did not do what was asked: one line for people, one object for programs.

use std::{io, path::Path};

use serde_json::{Map, Value, json};

use crate::{
    model::{Category, Fault, Millis},
    service::{
        ServiceError,
        status::{GrpcCode, exit_code, grpc_code},
    },
};

use super::{safe::safe, words};

/// An error with the file it is about.
#[derive(Clone, Debug, PartialEq)]
pub struct Failure {
    error: Box<ServiceError>,
    file: Option<String>,
    /// The reader of a pipe left: there is no one to report to.
    quiet: bool,
}

impl Failure {
    fn new(category: Category, reason: &'static str, message: String) -> Self {
        Self {
            error: Box::new(ServiceError {
                category,
                field: None,
                ..ServiceError::caller(reason, "", message)
            }),
            file: None,
            quiet: false,
        }
    }

    /// The arguments are invalid.
    pub fn usage(reason: &'static str, message: impl Into<String>) -> Self {
        Self::new(Category::Caller, reason, message.into())
    }

    /// An input cannot be read.
    pub fn read(path: &Path, error: &io::Error) -> Self {
        Self::new(Category::Input, "INPUT_UNREADABLE", io_words(error))
            .about(&path.to_string_lossy())
    }

    /// The input is not what it should be.
    pub fn input(reason: &'static str, message: impl Into<String>) -> Self {
        Self::new(Category::Input, reason, message.into())
    }

    /// Something that the command speaks to does not answer.
    pub fn unavailable(reason: &'static str, message: impl Into<String>) -> Self {
        Self::new(Category::Unavailable, reason, message.into())
    }

    /// An output cannot be written.
    pub fn write(what: &str, error: &io::Error) -> Self {
        let message = format!("cannot write: {}", io_words(error));
        Self::new(Category::Internal, "OUTPUT_UNWRITABLE", message).about(what)
    }

    /// The environment failed.
    pub fn internal(reason: &'static str, message: impl Into<String>) -> Self {
        Self::new(Category::Internal, reason, message.into())
    }

    /// From any room's error.
    pub fn fault(fault: &dyn Fault) -> Self {
        let mut error = ServiceError::from_fault(fault);
        error.message = without_number(&error.message);
        error.into()
    }

    /// The reader of our output went away: not an error.
    pub fn quiet() -> Self {
        Self { quiet: true, ..Self::new(Category::Cancelled, "CANCELLED", String::new()) }
    }

    /// Names the file that the error is about.
    pub fn about(mut self, file: &str) -> Self {
        self.file.get_or_insert_with(|| file.to_owned());
        self
    }

    /// DESIGN §4.
    pub fn exit_code(&self) -> u8 {
        if self.quiet { 0 } else { exit_code(self.error.category) }
    }

    /// Whether the reader of our output is gone.
    pub fn is_quiet(&self) -> bool {
        self.quiet
    }

    /// `photo.jpg, part 3: malformed JPEG: ... (the input's fault; MEDIA_MALFORMED); hint`.
    pub fn line(&self) -> String {
        let error = &self.error;
        let mut line = String::new();
        match (&self.file, error.part) {
            (Some(file), Some(part)) => {
                line.push_str(&format!("{}, part {}: ", safe(file), u64::from(part.0) + 1));
            }
            (Some(file), None) => line.push_str(&format!("{}: ", safe(file))),
            (None, Some(part)) => line.push_str(&format!("part {}: ", u64::from(part.0) + 1)),
            (None, None) => {}
        }
        line.push_str(&safe(&error.message));
        if let (Some(smallest), Some(limit)) = (error.smallest_reachable, error.limit)
            && !error.message.contains("the limit is")
        {
            line.push_str(&format!("; smallest reachable {smallest}, limit {limit}"));
        }
        line.push_str(&format!(" ({}; {})", words::fault(error.category), error.reason));
        if let Some(hint) = words::hint(error.reason, error.category) {
            line.push_str(&format!("; {hint}"));
        }
        line
    }

    /// The same facts under the names of `google.rpc.Status` and its details.
    pub fn to_json(&self) -> Value {
        let error = &self.error;
        let mut metadata = Map::new();
        let mut put = |key: &str, value: Option<String>| {
            if let Some(value) = value {
                metadata.insert(key.to_owned(), Value::String(value));
            }
        };
        put("file", self.file.clone());
        put("partIndex", error.part.map(|part| part.0.to_string()));
        put("smallestReachableBytes", error.smallest_reachable.map(|b| b.get().to_string()));
        put("limitBytes", error.limit.map(|b| b.get().to_string()));
        put("category", serde_json::to_value(error.category).ok().and_then(string));
        let mut details = vec![json!({
            "@type": "type.googleapis.com/google.rpc.ErrorInfo",
            "reason": error.reason,
            "domain": "mmsfit",
            "metadata": metadata,
        })];
        if let Some(field) = &error.field {
            details.push(json!({
                "@type": "type.googleapis.com/google.rpc.BadRequest",
                "fieldViolations": [{ "field": field, "description": error.message }],
            }));
        }
        if let Some(ms) = error.retry_after.map(Millis::get) {
            // The JSON form of google.protobuf.Duration.
            let delay = format!("{}.{:03}s", ms / 1000, ms % 1000);
            details.push(json!({
                "@type": "type.googleapis.com/google.rpc.RetryInfo",
                "retryDelay": delay,
            }));
        }
        if let Some(hint) = words::hint(error.reason, error.category) {
            details.push(json!({
                "@type": "type.googleapis.com/google.rpc.LocalizedMessage",
                "locale": "en",
                "message": hint,
            }));
        }
        json!({ "error": {
            "code": grpc_number(grpc_code(error.category)),
            "message": error.message,
            "details": details,
        }})
    }
}

impl From<ServiceError> for Failure {
    fn from(error: ServiceError) -> Self {
        Self { error: Box::new(error), file: None, quiet: false }
    }
}

fn string(value: Value) -> Option<String> {
    value.as_str().map(str::to_owned)
}

/// The operating system's words, in our style: lower case, without its number.
fn io_words(error: &io::Error) -> String {
    let text = without_number(&error.to_string());
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_lowercase().chain(chars).collect())
}

/// Without the ` (os error 2)` that the standard library adds.
pub fn without_number(text: &str) -> String {
    text.split(" (os error").next().unwrap_or(text).to_owned()
}

/// Canonical numbers of google.rpc.Code.
fn grpc_number(code: GrpcCode) -> u8 {
    match code {
        GrpcCode::Cancelled => 1,
        GrpcCode::InvalidArgument => 3,
        GrpcCode::DeadlineExceeded => 4,
        GrpcCode::ResourceExhausted => 8,
        GrpcCode::FailedPrecondition => 9,
        GrpcCode::Internal => 13,
        GrpcCode::Unavailable => 14,
    }
}

#[cfg(test)]
mod tests {
    use crate::model::{Bytes, PartId};

    use super::*;

    fn cannot_fit() -> Failure {
        Failure::from(ServiceError {
            category: Category::CannotFit,
            part: Some(PartId(2)),
            smallest_reachable: Some(Bytes::new(5_000)),
            limit: Some(Bytes::new(1_000)),
            field: None,
            ..ServiceError::caller("MESSAGE_CANNOT_FIT", "", "the message cannot be made to fit")
        })
        .about("a\x1b.mms")
    }

    #[test]
    fn the_line_names_file_part_fault_and_figures() {
        let line = cannot_fit().line();
        assert!(line.starts_with("a\u{fffd}.mms, part 3: the message cannot"), "{line}");
        assert!(line.contains("smallest reachable 5.0 kB, limit 1.0 kB"), "{line}");
        assert!(line.contains("MESSAGE_CANNOT_FIT"), "{line}");
        assert_eq!(line.lines().count(), 1);
        assert_eq!(cannot_fit().exit_code(), 4);
    }

    #[test]
    fn the_object_has_the_fields_of_rpc_details() {
        let value = cannot_fit().to_json();
        assert_eq!(value["error"]["code"], 9);
        let info = &value["error"]["details"][0];
        assert_eq!(info["domain"], "mmsfit");
        assert_eq!(info["reason"], "MESSAGE_CANNOT_FIT");
        assert_eq!(info["metadata"]["partIndex"], "2");
        assert_eq!(info["metadata"]["smallestReachableBytes"], "5000");
        assert_eq!(info["metadata"]["category"], "CANNOT_FIT");
    }

    #[test]
    fn who_must_wait_is_told_how_long() {
        let busy = ServiceError::busy("QUEUE_FULL", std::time::Duration::from_millis(1_050));
        let value = Failure::from(busy).to_json();
        let details = value["error"]["details"].as_array().unwrap();
        let retry = details.iter().find(|d| d["@type"].as_str().unwrap().ends_with("RetryInfo"));
        assert_eq!(retry.unwrap()["retryDelay"], "1.050s");
    }

    #[test]
    fn unreadable_input_is_the_inputs_fault() {
        let error = io::Error::from_raw_os_error(2);
        let failure = Failure::read(Path::new("x.mms"), &error);
        assert_eq!(failure.exit_code(), 3);
        assert!(failure.line().starts_with("x.mms: no such file"), "{}", failure.line());
    }
}
