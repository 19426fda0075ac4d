//! What has become of workers so far, counted by cause.

use std::sync::atomic::{AtomicU64, Ordering};

/// Why a zygote had to be replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Restart {
    /// It died by itself, or was killed from outside.
    Died,
    /// It gave no sign of life.
    Silent,
    /// It took no orders.
    Deaf,
    /// The operator wanted another: the program or its libraries have changed.
    Renewed,
}

/// Why a job ended that its caller had not ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lost {
    /// With its zygote, or before it began.
    Zygote,
    /// Killed alone: by the kernel, short of memory, or by hand.
    Killed,
    /// One call took too long.
    CallTime,
    /// Its CPU time was used up.
    CpuTime,
    /// It tried what its sandbox forbids.
    Sandbox,
    /// It aborted, or ran out of memory.
    Aborted,
    /// It crashed.
    Crashed,
    /// It ended with a status of its own.
    Ended,
    /// What it said was not what had been asked.
    WrongAnswer,
}

const RESTARTS: [(Restart, &str); 4] = [
    (Restart::Died, "died"),
    (Restart::Silent, "silent"),
    (Restart::Deaf, "deaf"),
    (Restart::Renewed, "renewed"),
];

const LOST: [(Lost, &str); 9] = [
    (Lost::Zygote, "zygote"),
    (Lost::Killed, "killed"),
    (Lost::CallTime, "call_time"),
    (Lost::CpuTime, "cpu_time"),
    (Lost::Sandbox, "sandbox"),
    (Lost::Aborted, "aborted"),
    (Lost::Crashed, "crashed"),
    (Lost::Ended, "ended"),
    (Lost::WrongAnswer, "wrong_answer"),
];

/// The counters.
#[derive(Debug, Default)]
pub(super) struct Tally {
    restarts: [AtomicU64; RESTARTS.len()],
    lost: [AtomicU64; LOST.len()],
}

impl Tally {
    pub fn restart(&self, cause: Restart) {
        self.restarts[cause as usize].fetch_add(1, Ordering::Relaxed);
    }

    pub fn lost(&self, cause: Lost) {
        self.lost[cause as usize].fetch_add(1, Ordering::Relaxed);
    }

    /// Restarts of each cause.
    pub fn restarts(&self) -> Vec<(&'static str, u64)> {
        let count = |(cause, name): (Restart, _)| {
            (name, self.restarts[cause as usize].load(Ordering::Relaxed))
        };
        RESTARTS.map(count).to_vec()
    }

    /// Lost jobs of each cause.
    pub fn jobs_lost(&self) -> Vec<(&'static str, u64)> {
        let count =
            |(cause, name): (Lost, _)| (name, self.lost[cause as usize].load(Ordering::Relaxed));
        LOST.map(count).to_vec()
    }
}

/// What runs and what has happened, without starting anything.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counts {
    /// Whether there is a zygote.
    pub zygote_alive: bool,
    /// Jobs alive.
    pub jobs_alive: usize,
    /// Jobs started so far.
    pub jobs_started: u64,
    /// Zygotes that were replaced, by cause.
    pub restarts: Vec<(&'static str, u64)>,
    /// Jobs that ended other than by their caller's wish, by cause.
    pub jobs_lost: Vec<(&'static str, u64)>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_cause_has_a_counter_of_its_own() {
        let tally = Tally::default();
        RESTARTS.iter().for_each(|(cause, _)| tally.restart(*cause));
        LOST.iter().for_each(|(cause, _)| tally.lost(*cause));
        tally.lost(Lost::Crashed);
        assert!(tally.restarts().iter().all(|(_, count)| *count == 1));
        for (name, count) in tally.jobs_lost() {
            assert_eq!(count, if name == "crashed" { 2 } else { 1 }, "{name}");
        }
    }
}
