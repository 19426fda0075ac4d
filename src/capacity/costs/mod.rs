//! What each kind of message of a mix costs, measured against the service as it is: what `mmsfit size`
//! reckons with.

mod measure;
mod process;

use serde::{Deserialize, Serialize};

pub use self::measure::{CostError, Options, measure};
pub use self::process::Served;

/// A file of costs: of one mix, on one machine, by one version.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Costs {
    /// The version that was measured.
    pub version: String,
    /// Threads of the service, and cores of the machine, which the sender used as well.
    pub threads: usize,
    /// From the start of the measurement, the service's resident memory with its workers at the most.
    pub peak_memory_bytes: u64,
    /// The least share of a core that a caller alone on the machine got for its calls: well below 1
    /// the machine had other work.
    pub core_share: f64,
    /// CPU time of what encodes while all threads do, over that of one alone: cores that share caches, or
    /// are two halves of one, are slower together. 1 where it was not measured.
    #[serde(default = "one")]
    pub crowding: f64,
    /// By kind of message, in the order of the mix.
    pub kinds: Vec<KindCosts>,
}

/// What one kind of message costs. Milliseconds of CPU time, of the service with its workers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct KindCosts {
    /// As in the mix.
    pub name: String,
    /// How often, beside the others.
    pub share: f64,
    /// How many different messages there are; 0: each call its own.
    pub contents: u32,
    /// Calls that were measured.
    pub calls: u64,
    /// Of what encodes: equally likely values, in rising order; empty where nothing is encoded.
    pub work_ms: Vec<f64>,
    /// The same with one effort less, which is what messages get while a queue stands.
    pub reduced_ms: Vec<f64>,
    /// Of all else that a call costs: transport, reading, planning, assembling. The mean.
    pub other_ms: f64,
    /// All that a call costs whose parts another call had encoded; `None`: each is its own.
    #[serde(default)]
    pub reused_ms: Option<f64>,
    /// What it costs the sender.
    pub sender_ms: f64,
    /// Threads that the work of one message keeps busy, on the average.
    pub parallel: f64,
}

fn one() -> f64 {
    1.0
}

impl KindCosts {
    /// The mean of what encodes.
    pub fn work_mean(&self, reduced: bool) -> f64 {
        let values = if reduced { &self.reduced_ms } else { &self.work_ms };
        values.iter().fold(0.0, |sum, value| sum + value) / values.len().max(1) as f64
    }
}

impl Costs {
    /// The mean CPU time of a call of the mix, in milliseconds, where each is encoded.
    pub fn mean_ms(&self) -> f64 {
        let all: f64 = self.kinds.iter().map(|kind| kind.share).sum();
        let sum: f64 = self
            .kinds
            .iter()
            .map(|kind| kind.share * (kind.work_mean(false) + kind.other_ms))
            .sum();
        sum / all.max(f64::MIN_POSITIVE)
    }

    /// What makes them no costs of anything, in words.
    pub fn fault(&self) -> Option<String> {
        let sound = |value: f64| value.is_finite() && (0.0..1e9).contains(&value);
        if !(sound(self.crowding) && self.crowding >= 1.0) {
            return Some("crowding is a number from 1".to_owned());
        }
        if self.kinds.is_empty() {
            return Some("there are no kinds of messages".to_owned());
        }
        self.kinds.iter().find_map(|kind| {
            let values = kind.work_ms.iter().chain(&kind.reduced_ms);
            let values = values.chain([&kind.other_ms, &kind.sender_ms, &kind.parallel]);
            let values = values.chain(&kind.reused_ms);
            let right = kind.share > 0.0 && sound(kind.share) && values.copied().all(sound);
            (!right)
                .then(|| format!("{}: a cost is a number from 0, a share one above 0", kind.name))
        })
    }
}
