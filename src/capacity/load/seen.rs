//! What became of the calls.

use std::{collections::BTreeMap, time::Duration};

use hdrhistogram::Histogram;
use serde::Serialize;

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

/// The calls of one kind, or of all.
#[derive(Clone, Debug)]
pub struct Calls {
    /// All that were sent.
    pub sent: u64,
    /// Answered, from when they were due, in microseconds.
    pub answered: Histogram<u64>,
    /// Refused, from when they were sent, in microseconds.
    pub refused: Histogram<u64>,
    /// Typed refusals that are the message's.
    pub cannot_fit: u64,
    /// Of the answers: from the cache, without change, with less effort.
    pub reused: u64,
    /// Answers without change.
    pub unchanged: u64,
    /// Answers with less effort than was asked for.
    pub reduced: u64,
    /// Failures by status.
    pub failed: BTreeMap<String, u64>,
    /// Answers that are wrong, by what is wrong.
    pub wrong: BTreeMap<String, u64>,
}

/// Three significant digits: a bucket is a thousandth wide.
pub fn histogram() -> Histogram<u64> {
    // A minute at first; it grows by itself.
    let mut histogram = Histogram::new_with_bounds(1, 60_000_000, 3)
        .unwrap_or_else(|_| unreachable!("the bounds are in order"));
    histogram.auto(true);
    histogram
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
        Self {
            sent: 0,
            answered: histogram(),
            refused: histogram(),
            cannot_fit: 0,
            reused: 0,
            unchanged: 0,
            reduced: 0,
            failed: BTreeMap::new(),
            wrong: BTreeMap::new(),
        }
    }
}

impl Calls {
    /// Notes a call that took so long from when it was due, and from when it was sent.
    pub fn note(&mut self, outcome: Outcome, since_due: Duration, since_sent: Duration) {
        self.sent += 1;
        match outcome {
            Outcome::Answered { reused, unchanged, reduced } => {
                self.reused += u64::from(reused);
                self.unchanged += u64::from(unchanged);
                self.reduced += u64::from(reduced);
                note(&mut self.answered, since_due);
            }
            Outcome::Refused => note(&mut self.refused, since_sent),
            Outcome::CannotFit => self.cannot_fit += 1,
            Outcome::Failed(status) => *self.failed.entry(status).or_default() += 1,
            Outcome::Wrong(what) => *self.wrong.entry(what).or_default() += 1,
        }
    }

    /// Adds the calls of another kind, or of another process.
    pub fn add(&mut self, other: &Self) {
        self.sent += other.sent;
        // Both have the same digits and grow by themselves: nothing can fail.
        let _ = self.answered.add(&other.answered);
        let _ = self.refused.add(&other.refused);
        self.cannot_fit += other.cannot_fit;
        self.reused += other.reused;
        self.unchanged += other.unchanged;
        self.reduced += other.reduced;
        for (mine, others) in [(&mut self.failed, &other.failed), (&mut self.wrong, &other.wrong)] {
            for (what, count) in others {
                *mine.entry(what.clone()).or_default() += count;
            }
        }
    }

    /// As numbers.
    pub fn figures(&self, seconds: f64) -> Figures {
        let ms = |histogram: &Histogram<u64>, share: f64| {
            (!histogram.is_empty()).then(|| histogram.value_at_quantile(share) as f64 / 1e3)
        };
        let quantiles = |histogram| Quantiles {
            p50: ms(histogram, 0.5),
            p90: ms(histogram, 0.9),
            p99: ms(histogram, 0.99),
            p999: ms(histogram, 0.999),
            max: ms(histogram, 1.0),
        };
        Figures {
            sent: self.sent,
            answered: self.answered.len(),
            answered_per_second: self.answered.len() as f64 / seconds.max(1e-9),
            latency_ms: quantiles(&self.answered),
            refused: self.refused.len(),
            refusal_ms: quantiles(&self.refused),
            cannot_fit: self.cannot_fit,
            reused: self.reused,
            unchanged: self.unchanged,
            effort_reduced: self.reduced,
            failed: self.failed.clone(),
            wrong: self.wrong.clone(),
        }
    }
}

/// Of the times of calls, in milliseconds; `None` where there were none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
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

/// [`Calls`] as numbers.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Figures {
    /// All that were sent.
    pub sent: u64,
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_kept_to_a_thousandth() {
        let mut calls = Calls::default();
        let answered = Outcome::Answered { reused: true, unchanged: false, reduced: false };
        for ms in 1..=1000 {
            let time = Duration::from_millis(ms);
            calls.note(answered.clone(), time, time);
        }
        calls.note(Outcome::Refused, Duration::from_secs(9), Duration::from_millis(2));
        calls.note(Outcome::Wrong("over".to_owned()), Duration::ZERO, Duration::ZERO);
        let mut all = Calls::default();
        all.add(&calls);
        all.add(&calls);
        let figures = all.figures(10.0);
        assert_eq!((figures.sent, figures.answered, figures.refused), (2004, 2000, 2));
        assert_eq!((figures.reused, figures.wrong["over"]), (2000, 2));
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
}
