//! What a run of the generator tells: steps, in a form that is written, read and merged.

use std::{
    io,
    time::{Duration, UNIX_EPOCH},
};

use hdrhistogram::serialization::{
    V2DeflateSerializer,
    interval_log::{IntervalLogWriterBuilder, Tag},
};
use serde::{Deserialize, Serialize};

use super::{
    Generator, Seen, admin,
    encoded::{self, DecodeError},
    seen::{Calls, Figures},
    timeline::{self, Second},
};

/// What was sent at one rate, and what became of it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Step {
    /// For people: `20/s`, `4 callers`.
    pub what: String,
    /// When the first call was due, in seconds since 1970.
    pub began_unix_seconds: f64,
    /// Calls a second that were due, on the average.
    pub offered_per_second: Option<f64>,
    /// From the first call to the last answer.
    pub seconds: f64,
    /// How much later than due the sender was for one call in a hundred, in milliseconds.
    pub sender_late_ms_p99: f64,
    /// The times behind that, in microseconds, as [`encoded`] has them.
    pub sender_late_histogram: String,
    /// All calls.
    pub all: Figures,
    /// By kind of message.
    pub kinds: Vec<(String, Figures)>,
    /// Second by second.
    pub timeline: Vec<Second>,
    /// What the service took of its machine, where its admin port was named.
    #[serde(default)]
    pub service_cpu: Vec<admin::Used>,
}

/// Everything.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Told {
    /// In order.
    pub steps: Vec<Step>,
    /// The highest rate that is carried, where it was sought.
    pub knee_per_second: Option<f64>,
    /// The lowest that is not.
    pub not_carried_per_second: Option<f64>,
    /// What callers who wait for their answers get, in calls a second, where it was measured.
    pub capacity_per_second: Option<f64>,
}

/// Runs that do not fit together.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MergeError {
    /// One has more steps.
    #[error("one has {0} steps, another {1}: runs are merged step by step")]
    Steps(usize, usize),
    /// Not the same messages.
    #[error("the kinds of messages differ: runs of the same mix are merged")]
    Kinds,
    /// What was found by one process says nothing of all.
    #[error(
        "a knee or a capacity that one process found is not that of all: merge runs of --rate, --ramp, --replay or --callers"
    )]
    Sought,
    /// No histogram.
    #[error(transparent)]
    Decode(#[from] DecodeError),
}

impl Step {
    /// Of what was seen.
    pub fn new(what: String, seen: &Seen, generator: &Generator) -> Self {
        let names = generator.kinds().iter().map(|kind| kind.name.clone());
        let kinds = names.zip(seen.kinds.iter().map(|kind| kind.figures(seen.seconds)));
        let began = seen.began.duration_since(UNIX_EPOCH).unwrap_or_default();
        Self {
            what,
            began_unix_seconds: began.as_secs_f64(),
            offered_per_second: seen.offered,
            seconds: seen.seconds,
            sender_late_ms_p99: seen.late.value_at_quantile(0.99) as f64 / 1e3,
            sender_late_histogram: encoded::encode(&seen.late),
            all: seen.all().figures(seen.seconds),
            kinds: kinds.collect(),
            timeline: seen.timeline.clone(),
            service_cpu: Vec::new(),
        }
    }

    /// Adds what another process did at the same time.
    fn merge(&mut self, other: &Self) -> Result<(), MergeError> {
        if self.kinds.len() != other.kinds.len()
            || self.kinds.iter().zip(&other.kinds).any(|(mine, other)| mine.0 != other.0)
        {
            return Err(MergeError::Kinds);
        }
        self.seconds = self.seconds.max(other.seconds);
        self.began_unix_seconds = self.began_unix_seconds.min(other.began_unix_seconds);
        self.offered_per_second = match (self.offered_per_second, other.offered_per_second) {
            (Some(mine), Some(other)) => Some(mine + other),
            _ => None,
        };
        let mut late = encoded::decode(&self.sender_late_histogram)?;
        // Both have the same digits and grow by themselves: nothing can fail.
        let _ = late.add(&encoded::decode(&other.sender_late_histogram)?);
        self.sender_late_ms_p99 = late.value_at_quantile(0.99) as f64 / 1e3;
        self.sender_late_histogram = encoded::encode(&late);
        let seconds = self.seconds;
        let add = |mine: &mut Figures, other: &Figures| {
            let mut calls = Calls::try_from(&*mine)?;
            calls.add(&Calls::try_from(other)?);
            *mine = calls.figures(seconds);
            Ok::<_, DecodeError>(())
        };
        add(&mut self.all, &other.all)?;
        for ((_, mine), (_, other)) in self.kinds.iter_mut().zip(&other.kinds) {
            add(mine, other)?;
        }
        timeline::merge(&mut self.timeline, &other.timeline)?;
        // Each of them saw the whole service.
        if self.service_cpu.is_empty() {
            self.service_cpu.clone_from(&other.service_cpu);
        }
        Ok(())
    }
}

impl Told {
    /// Several processes that sent at the same time, as if one had sent it all.
    ///
    /// # Errors
    /// They did not do the same.
    pub fn merged(runs: &[Self]) -> Result<Self, MergeError> {
        let Some((first, others)) = runs.split_first() else { return Ok(Self::default()) };
        let mut all = first.clone();
        for other in others {
            if all.steps.len() != other.steps.len() {
                return Err(MergeError::Steps(all.steps.len(), other.steps.len()));
            }
            for (mine, other) in all.steps.iter_mut().zip(&other.steps) {
                mine.merge(other)?;
            }
        }
        if runs.iter().any(|run| run.knee_per_second.or(run.capacity_per_second).is_some()) {
            return Err(MergeError::Sought);
        }
        for (at, step) in all.steps.iter_mut().enumerate() {
            let whats: Vec<&str> = runs.iter().map(|run| run.steps[at].what.as_str()).collect();
            let same = whats.iter().all(|what| *what == whats[0]);
            step.what = if same && runs.len() > 1 {
                format!("{} × {}", runs.len(), whats[0])
            } else {
                whats.join(" + ")
            };
        }
        Ok(all)
    }

    /// Writes an interval log of HdrHistogram (format 1.3), a line a second; times are in
    /// microseconds, the greatest of a line in milliseconds. Of several steps, each has its own tag.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn write_log(&self, mut to: impl io::Write) -> io::Result<()> {
        let base = self.steps.first().map_or(0.0, |step| step.began_unix_seconds);
        let start = UNIX_EPOCH + seconds(base);
        let mut serializer = V2DeflateSerializer::new();
        let mut log = IntervalLogWriterBuilder::new()
            .add_comment(concat!("mmsfit load ", env!("CARGO_PKG_VERSION"), ", microseconds"))
            .with_start_time(start)
            .with_base_time(start)
            .with_max_value_divisor(1e3)
            .begin_log_with(&mut to, &mut serializer)?;
        for step in &self.steps {
            // A tag ends at a comma or a space.
            let tag = step.what.replace(|c: char| c == ',' || c.is_whitespace(), "_");
            let tag = Tag::new(&tag).filter(|_| self.steps.len() > 1);
            for second in &step.timeline {
                let at = seconds(step.began_unix_seconds - base + second.at);
                let times = encoded::decode(&second.latency_histogram).map_err(io::Error::other)?;
                log.write_histogram(&times, at, seconds(second.seconds), tag)
                    .map_err(|error| io::Error::other(format!("{error:?}")))?;
            }
        }
        Ok(())
    }
}

/// Never negative, whatever a file says.
fn seconds(number: f64) -> Duration {
    Duration::try_from_secs_f64(number.clamp(0.0, 1e11)).unwrap_or_default()
}
