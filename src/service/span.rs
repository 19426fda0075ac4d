//! The spans of a message, and what its log line says of it noted in them: who it is for, what became
//! of it. No numbers of phones, no names, no content, as in the log.

use tracing::{Span, field::Empty, info_span};

use crate::model::Report;

/// Letters of a device's name that a trace has at most: it is the text of a document that anybody may
/// send.
const MAX_NAME: usize = 64;

/// One message of a call that has many.
pub fn message() -> Span {
    info_span!(
        "message",
        mmsfit.device = Empty,
        mmsfit.carrier = Empty,
        mmsfit.outcome = Empty,
        mmsfit.reused = Empty,
        mmsfit.reason = Empty,
        mmsfit.parts = Empty,
        mmsfit.bytes_before = Empty,
        mmsfit.bytes_after = Empty,
    )
}

/// Notes in the span at work what an answer came to.
pub(super) fn answered(report: &Report) {
    let span = Span::current();
    if span.is_disabled() {
        return;
    }
    if let Some(account) = &report.account {
        let device: String = account.device.chars().take(MAX_NAME).collect();
        span.record("mmsfit.device", device);
        span.record("mmsfit.carrier", account.carrier.as_str());
        span.record("mmsfit.reused", account.reused);
    }
    span.record("mmsfit.outcome", tracing::field::debug(report.outcome));
    // OpenTelemetry has signed numbers alone: others would become texts.
    span.record("mmsfit.parts", report.parts.len() as i64);
    span.record("mmsfit.bytes_before", report.wire_bytes_before.get() as i64);
    span.record("mmsfit.bytes_after", report.wire_bytes_after.get() as i64);
}

/// Notes in the span at work why there is no answer.
pub(super) fn refused(reason: &str) {
    Span::current().record("mmsfit.reason", reason);
}
