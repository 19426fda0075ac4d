//! Cooperative stopping: the owner of the clock sets the flag, the work polls it.

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

const DEADLINE: u8 = 1;
const CANCELLED: u8 = 2;

/// A shared flag, polled between steps of work. Cloning shares it.
#[derive(Clone, Debug)]
pub struct Stop {
    flag: Arc<AtomicU8>,
    /// The least value that ends the work.
    heeds: u8,
}

impl Default for Stop {
    fn default() -> Self {
        Self { flag: Arc::default(), heeds: DEADLINE }
    }
}

impl Stop {
    /// A flag that is never set.
    pub fn never() -> Self {
        Self::default()
    }

    /// Asks the work to stop. Where both causes are given, cancelled wins: the caller has left.
    pub fn set(&self, cause: StopCause) {
        let value = match cause {
            StopCause::Deadline => DEADLINE,
            StopCause::Cancelled => CANCELLED,
        };
        self.flag.fetch_max(value, Ordering::Relaxed);
    }

    /// The same flag for what comes after the deadline: the best so far is encoded, checked and
    /// assembled. Only cancellation ends it.
    pub fn past_deadline(&self) -> Self {
        Self { flag: Arc::clone(&self.flag), heeds: CANCELLED }
    }

    /// `Err` once the work was asked to stop.
    pub fn check(&self) -> Result<(), StopCause> {
        match self.flag.load(Ordering::Relaxed) {
            value if value < self.heeds => Ok(()),
            DEADLINE => Err(StopCause::Deadline),
            _ => Err(StopCause::Cancelled),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clones_share_the_flag_and_who_has_left_is_heard_after_the_deadline() {
        let stop = Stop::never();
        let patient = stop.past_deadline();
        assert_eq!((stop.check(), patient.check()), (Ok(()), Ok(())));
        stop.clone().set(StopCause::Deadline);
        assert_eq!((stop.check(), patient.check()), (Err(StopCause::Deadline), Ok(())));
        stop.set(StopCause::Cancelled);
        stop.set(StopCause::Deadline);
        assert_eq!(stop.check(), Err(StopCause::Cancelled));
        assert_eq!(patient.check(), Err(StopCause::Cancelled));
    }
}
