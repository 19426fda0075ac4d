//! What a deadline means for a job.

use std::time::{Duration, Instant};

/// The work is stopped a while before the deadline, so that the best so far can still be assembled;
/// the answer leaves a little before, so that it arrives.
#[derive(Clone, Copy)]
pub(super) struct Times {
    pub stop: Instant,
    pub answer: Instant,
}

impl Times {
    pub fn until(deadline: Instant) -> Self {
        let left = deadline.saturating_duration_since(Instant::now());
        let travel = (left / 20).clamp(Duration::from_millis(1), Duration::from_millis(50));
        let finish = (left / 8).clamp(Duration::from_millis(2), Duration::from_millis(250));
        let before = |margin| deadline.checked_sub(margin).unwrap_or(deadline);
        Self { stop: before(finish), answer: before(travel) }
    }
}
