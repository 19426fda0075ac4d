//! What became of the calls.

use std::{collections::BTreeMap, time::Duration};

use hdrhistogram::Histogram;
use serde::{Deserialize, Serialize};

use super::encoded::{self, histogram};

/// What became of one call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Answered as it should be.
    Answered {
        /// The parts were encoded before, for another call.
        reused: bool,
        /// Nothing was changed.
        unchanged: bool,
        /// Less effort than was asked for.
        reduced: bool,
    },
    /// Refused, since the service is busy.
    Refused,
    /// Cannot be made to fit, and said so.
    CannotFit,
    /// Anything else: the name of the status.
    Failed(String),
    /// Answered, but not as it should be: what is wrong.
    Wrong(String),
}

/// How many calls, and what became of them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Counts {
    /// All that were sent.
    pub sent: u64,
    /// Typed refusals that are the message's.
    pub cannot_fit: u64,
    /// Answers from the cache.
    pub reused: u64,
    /// Answers without change.
    pub unchanged: u64,
    /// Answers with less effort than was asked for.
    pub effort_reduced: u64,
    /// Failures by status.
    pub failed: BTreeMap<String, u64>,
    /// Answers that are wrong, by what is wrong.
    pub wrong: BTreeMap<String, u64>,
}

impl Counts {
    /// Failures, and answers that are wrong.
    pub fn bad(&self) -> u64 {
        self.failed.values().chain(self.wrong.values()).sum()
    }

    fn note(&mut self, outcome: &Outcome) {
        self.sent += 1;
        match outcome {
            Outcome::Answered { reused, unchanged, reduced } => {
                self.reused += u64::from(*reused);
                self.unchanged += u64::from(*unchanged);
                self.effort_reduced += u64::from(*reduced);
            }
            Outcome::Refused => {}
            Outcome::CannotFit => self.cannot_fit += 1,
            Outcome::Failed(status) => *self.failed.entry(status.clone()).or_default() += 1,
            Outcome::Wrong(what) => *self.wrong.entry(what.clone()).or_default() += 1,
        }
    }

    fn add(&mut self, other: &Self) {
        self.sent += other.sent;
        self.cannot_fit += other.cannot_fit;
        self.reused += other.reused;
        self.unchanged += other.unchanged;
        self.effort_reduced += other.effort_reduced;
        for (mine, others) in [(&mut self.failed, &other.failed), (&mut self.wrong, &other.wrong)] {
            for (what, count) in others {
                *mine.entry(what.clone()).or_default() += count;
            }
        }
    }
}

/// The calls of one kind, or of all.
#[derive(Clone, Debug)]
pub struct Calls {
    /// What became of them.
    pub counts: Counts,
    /// Answered, from when they were due, in microseconds.
    pub answered: Histogram<u64>,
    /// Refused, from when they were sent, in microseconds.
    pub refused: Histogram<u64>,
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX).max(1)
}

/// Notes a time; what is longer than a histogram holds counts as the longest.
pub fn note(histogram: &mut Histogram<u64>, time: Duration) {
    histogram.saturating_record(micros(time));
}

impl Default for Calls {
    fn default() -> Self {
        Self { counts: Counts::default(), answered: histogram(), refused: histogram() }
    }
}

impl Calls {
    /// Notes a call that took so long from when it was due, and from when it was sent.
    pub fn note(&mut self, outcome: &Outcome, since_due: Duration, since_sent: Duration) {
        self.counts.note(outcome);
        match outcome {
            Outcome::Answered { .. } => note(&mut self.answered, since_due),
            Outcome::Refused => note(&mut self.refused, since_sent),
            Outcome::CannotFit | Outcome::Failed(_) | Outcome::Wrong(_) => {}
        }
    }

    /// Adds the calls of another kind, or of another process.
    pub fn add(&mut self, other: &Self) {
        self.counts.add(&other.counts);
        // Both have the same digits and grow by themselves: nothing can fail.
        let _ = self.answered.add(&other.answered);
        let _ = self.refused.add(&other.refused);
    }

    /// As if there had been none.
    pub fn clear(&mut self) {
        self.counts = Counts::default();
        self.answered.reset();
        self.refused.reset();
    }

    /// As numbers.
    pub fn figures(&self, seconds: f64) -> Figures {
        Figures {
            counts: self.counts.clone(),
            answered: self.answered.len(),
            answered_per_second: self.answered.len() as f64 / seconds.max(1e-9),
            latency_ms: Quantiles::of(&self.answered),
            refused: self.refused.len(),
            refusal_ms: Quantiles::of(&self.refused),
            latency_histogram: encoded::encode(&self.answered),
            refusal_histogram: encoded::encode(&self.refused),
        }
    }
}

impl TryFrom<&Figures> for Calls {
    type Error = encoded::DecodeError;

    fn try_from(figures: &Figures) -> Result<Self, Self::Error> {
        Ok(Self {
            counts: figures.counts.clone(),
            answered: encoded::decode(&figures.latency_histogram)?,
            refused: encoded::decode(&figures.refusal_histogram)?,
        })
    }
}

/// Of the times of calls, in milliseconds; `None` where there were none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Quantiles {
    /// The median.
    pub p50: Option<f64>,
    /// Nine of ten are no longer.
    pub p90: Option<f64>,
    /// 99 of a hundred.
    pub p99: Option<f64>,
    /// 999 of a thousand.
    pub p999: Option<f64>,
    /// The longest.
    pub max: Option<f64>,
}

impl Quantiles {
    /// Of a histogram of microseconds.
    pub fn of(histogram: &Histogram<u64>) -> Self {
        let ms = |share: f64| {
            (!histogram.is_empty()).then(|| histogram.value_at_quantile(share) as f64 / 1e3)
        };
        Self { p50: ms(0.5), p90: ms(0.9), p99: ms(0.99), p999: ms(0.999), max: ms(1.0) }
    }
}

/// [`Calls`] as numbers.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Figures {
    /// What became of them.
    #[serde(flatten)]
    pub counts: Counts,
    /// Answered as they should be.
    pub answered: u64,
    /// Those, a second.
    pub answered_per_second: f64,
    /// Of the answered, from when they were due.
    pub latency_ms: Quantiles,
    /// Refused, since the service is busy.
    pub refused: u64,
    /// Of the refused, from when they were sent.
    pub refusal_ms: Quantiles,
    /// The times behind `latency_ms`, in microseconds, as [`encoded`] has them.
    pub latency_histogram: String,
    /// The times behind `refusal_ms`, likewise.
    pub refusal_histogram: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_kept_to_a_thousandth() {
        let mut calls = Calls::default();
        let answered = Outcome::Answered { reused: true, unchanged: false, reduced: false };
        for ms in 1..=1000 {
            let time = Duration::from_millis(ms);
            calls.note(&answered, time, time);
        }
        calls.note(&Outcome::Refused, Duration::from_secs(9), Duration::from_millis(2));
        calls.note(&Outcome::Wrong("over".to_owned()), Duration::ZERO, Duration::ZERO);
        let mut all = Calls::default();
        all.add(&calls);
        all.add(&calls);
        let figures = all.figures(10.0);
        let counts = &figures.counts;
        assert_eq!((counts.sent, figures.answered, figures.refused), (2004, 2000, 2));
        assert_eq!((counts.reused, counts.wrong["over"]), (2000, 2));
        assert!((199.9..200.1).contains(&figures.answered_per_second));
        for (found, wanted) in [
            (figures.latency_ms.p50, 500.0),
            (figures.latency_ms.p99, 990.0),
            (figures.latency_ms.max, 1000.0),
            (figures.refusal_ms.p99, 2.0),
        ] {
            assert!((found.unwrap() / wanted - 1.0).abs() < 2e-3, "{found:?} for {wanted}");
        }
    }

    #[test]
    fn figures_are_calls_again() {
        let mut calls = Calls::default();
        for ms in [1, 20, 90_000] {
            let answered = Outcome::Answered { reused: false, unchanged: true, reduced: false };
            calls.note(&answered, Duration::from_millis(ms), Duration::ZERO);
        }
        calls.note(&Outcome::Failed("Unavailable".to_owned()), Duration::ZERO, Duration::ZERO);
        let figures = calls.figures(1.0);
        let told = serde_json::to_string(&figures).unwrap();
        let read: Figures = serde_json::from_str(&told).unwrap();
        assert_eq!(read, figures);
        let again = Calls::try_from(&read).unwrap();
        assert_eq!(again.figures(1.0), figures);
        assert_eq!(again.answered, calls.answered);
    }
}
