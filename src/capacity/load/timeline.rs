//! The calls of one rate, second by second.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{
    encoded::{self, DecodeError},
    seen::{Calls, Outcome, Quantiles},
};

/// One second; calls belong to the one in which they ended.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Second {
    /// When it began, in seconds since the first.
    pub at: f64,
    /// How long it was: the last one is shorter.
    pub seconds: f64,
    /// Calls that were sent in it.
    pub sent: u64,
    /// Answered as they should be.
    pub answered: u64,
    /// Refused, since the service is busy.
    pub refused: u64,
    /// Failures, and answers that are wrong.
    pub bad: u64,
    /// Of the answered, from when they were due.
    pub latency_ms: Quantiles,
    /// The times behind that, as [`encoded`] has them.
    pub latency_histogram: String,
}

/// Seconds as they end.
#[derive(Clone, Debug, Default)]
pub(super) struct Timeline {
    ended: Vec<Second>,
    sent: u64,
    calls: Calls,
}

impl Timeline {
    /// Ends the seconds that are over; whether there were any.
    pub(super) fn advance(&mut self, now: Duration) -> bool {
        let before = self.ended.len();
        while now.as_secs() > self.ended.len() as u64 {
            self.end(1.0);
        }
        self.ended.len() > before
    }

    /// Notes that a call was sent.
    pub(super) fn sent(&mut self) {
        self.sent += 1;
    }

    /// Notes a call that took so long from when it was due, and from when it was sent.
    pub(super) fn note(&mut self, outcome: &Outcome, since_due: Duration, since_sent: Duration) {
        self.calls.note(outcome, since_due, since_sent);
    }

    /// The last second that ended.
    pub(super) fn last(&self) -> Option<&Second> {
        self.ended.last()
    }

    /// All of them, at the end.
    pub(super) fn finish(mut self, now: Duration) -> Vec<Second> {
        self.advance(now);
        let rest = now.as_secs_f64() - self.ended.len() as f64;
        if rest > 0.0 && (self.sent > 0 || self.calls.counts.sent > 0) {
            self.end(rest);
        }
        self.ended
    }

    fn end(&mut self, seconds: f64) {
        self.ended.push(Second {
            at: self.ended.len() as f64,
            seconds,
            sent: std::mem::take(&mut self.sent),
            answered: self.calls.answered.len(),
            refused: self.calls.refused.len(),
            bad: self.calls.counts.bad(),
            latency_ms: Quantiles::of(&self.calls.answered),
            latency_histogram: encoded::encode(&self.calls.answered),
        });
        self.calls.clear();
    }
}

/// Adds the seconds of another process that began at the same time.
///
/// # Errors
/// A histogram that is none.
pub fn merge(mine: &mut Vec<Second>, others: &[Second]) -> Result<(), DecodeError> {
    for (at, other) in others.iter().enumerate() {
        let Some(mine) = mine.get_mut(at) else {
            mine.push(other.clone());
            continue;
        };
        let mut times = encoded::decode(&mine.latency_histogram)?;
        // Both have the same digits and grow by themselves: nothing can fail.
        let _ = times.add(&encoded::decode(&other.latency_histogram)?);
        mine.seconds = mine.seconds.max(other.seconds);
        mine.sent += other.sent;
        mine.answered += other.answered;
        mine.refused += other.refused;
        mine.bad += other.bad;
        mine.latency_ms = Quantiles::of(&times);
        mine.latency_histogram = encoded::encode(&times);
    }
    Ok(())
}
