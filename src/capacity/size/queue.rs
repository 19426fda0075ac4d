//! The door of the service as `offload::door` has it, in time that is reckoned: the same bounds, the same
//! running means.

use std::time::Duration;

use crate::offload::{CALM, MAX_QUEUED_PER_THREAD, MAX_WAIT, MIN_WAIT, STANDING};

/// The door's own bounds, in milliseconds.
fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

/// Before the threads that encode.
#[derive(Clone, Debug)]
pub struct Door {
    threads: usize,
    pub running: usize,
    pub queued: usize,
    waiting: f64,
    working: f64,
    mean: f64,
    time_over_price: f64,
    since: Option<f64>,
    until: f64,
}

impl Door {
    pub fn new(threads: usize) -> Self {
        Self {
            threads,
            running: 0,
            queued: 0,
            waiting: 0.0,
            working: 0.0,
            mean: 100.0,
            time_over_price: 1.0,
            since: None,
            until: 0.0,
        }
    }

    /// Whether the queue is no burst any more.
    pub fn is_standing(&mut self, now: f64) -> bool {
        if self.since.is_some_and(|since| now - since >= ms(STANDING)) {
            self.until = now + ms(CALM);
            return true;
        }
        now < self.until
    }

    /// What a job is expected to take.
    pub fn price(&self, planned: f64) -> f64 {
        planned * self.time_over_price
    }

    /// Whether it may work at once (`Some(true)`), has to wait (`Some(false)`), or is refused.
    pub fn ask(&mut self, now: f64, price: f64) -> Option<bool> {
        if self.running < self.threads {
            self.begin(price);
            return Some(true);
        }
        let wait = (self.waiting + self.working / 2.0) / self.threads as f64;
        let patience = if self.is_standing(now) {
            self.mean.clamp(ms(MIN_WAIT), ms(MAX_WAIT))
        } else {
            ms(MAX_WAIT)
        };
        if wait > patience || self.queued >= self.threads * MAX_QUEUED_PER_THREAD {
            return None;
        }
        if self.queued == 0 {
            self.since = Some(now);
        }
        self.queued += 1;
        self.waiting += price;
        Some(false)
    }

    /// One that waited has a thread.
    pub fn leave_queue(&mut self, price: f64) {
        self.queued -= 1;
        self.waiting -= price;
        if self.queued == 0 {
            self.since = None;
        }
        self.begin(price);
    }

    fn begin(&mut self, price: f64) {
        self.running += 1;
        self.working += price;
    }

    /// One is done, after `took` by the clock.
    pub fn end(&mut self, price: f64, planned: f64, took: f64) {
        self.running -= 1;
        self.working -= price;
        self.mean = (self.mean * 7.0 + took) / 8.0;
        let ratio = (took / planned.max(1.0)).clamp(0.1, 10.0);
        self.time_over_price = (self.time_over_price * 7.0 + ratio) / 8.0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_may_wait_and_a_queue_that_stands_is_kept_short() {
        let mut door = Door::new(2);
        assert_eq!([door.ask(0.0, 100.0), door.ask(0.0, 100.0)], [Some(true), Some(true)]);
        let mut waiting = 0;
        while door.ask(1.0, 100.0) == Some(false) {
            waiting += 1;
        }
        // Half of what is at work, and 100 ms each over two threads, up to 1.5 s.
        assert_eq!(waiting, 30);
        assert_eq!(door.ask(200.0, 100.0), None, "it stands");
        for _ in 0..waiting {
            door.end(100.0, 100.0, 100.0);
            door.leave_queue(100.0);
        }
        assert_eq!(door.queued, 0);
        assert!(door.is_standing(1_000.0) && !door.is_standing(3_000.0));
    }
}
