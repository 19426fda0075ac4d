//! Cooperative stopping: whoever owns the clock sets it, whoever works polls it.

use std::sync::{
    Arc,
    atomic::{AtomicU8, Ordering},
};

/// Why work must stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum StopCause {
    /// The caller went away.
    #[error("the caller cancelled the request")]
    Cancelled,
    /// The deadline passed.
    #[error("the deadline passed")]
    Deadline,
}

/// A shared flag, polled between steps of work. Cloning shares it.
#[derive(Clone, Debug, Default)]
pub struct Stop(Arc<AtomicU8>);

impl Stop {
    /// A flag that nobody has set.
    pub fn never() -> Self {
        Self::default()
    }

    /// Asks the work to stop. The first cause wins.
    pub fn set(&self, cause: StopCause) {
        let value = match cause {
            StopCause::Cancelled => 1,
            StopCause::Deadline => 2,
        };
        let _ = self.0.compare_exchange(0, value, Ordering::Relaxed, Ordering::Relaxed);
    }

    /// `Err` once somebody asked to stop.
    pub fn check(&self) -> Result<(), StopCause> {
        match self.0.load(Ordering::Relaxed) {
            0 => Ok(()),
            1 => Err(StopCause::Cancelled),
            _ => Err(StopCause::Deadline),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_cause_wins_and_clones_share_it() {
        let stop = Stop::never();
        assert_eq!(stop.check(), Ok(()));
        stop.clone().set(StopCause::Deadline);
        stop.set(StopCause::Cancelled);
        assert_eq!(stop.check(), Err(StopCause::Deadline));
    }
}
