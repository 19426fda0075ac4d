//! A semaphore that counts bytes: first come, first served, so that a big job is not starved by
//! small ones.

use std::sync::{Condvar, Mutex, MutexGuard};

use crate::model::Bytes;

/// Lets through at most its capacity at once.
pub struct Gate {
    capacity: Bytes,
    state: Mutex<State>,
    changed: Condvar,
}

struct State {
    free: u64,
    next_ticket: u64,
    serving: u64,
}

/// What was let through; gives it back when dropped.
pub struct Pass<'a> {
    gate: &'a Gate,
    weight: u64,
}

impl Gate {
    /// A gate of `capacity` bytes.
    pub fn new(capacity: Bytes) -> Self {
        let state = State { free: capacity.get(), next_ticket: 0, serving: 0 };
        Self { capacity, state: Mutex::new(state), changed: Condvar::new() }
    }

    /// The most that can be let through at once.
    pub fn capacity(&self) -> Bytes {
        self.capacity
    }

    /// Waits its turn, then until `weight` is free. `None` if it can never be.
    pub fn enter(&self, weight: Bytes) -> Option<Pass<'_>> {
        if weight > self.capacity {
            return None;
        }
        let weight = weight.get();
        let mut state = self.lock();
        let ticket = state.next_ticket;
        state.next_ticket += 1;
        while state.serving != ticket || state.free < weight {
            state = self.changed.wait(state).unwrap_or_else(|e| e.into_inner());
        }
        state.serving += 1;
        state.free -= weight;
        drop(state);
        // The next in line may fit too.
        self.changed.notify_all();
        Some(Pass { gate: self, weight })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // The state is numbers that are right between statements: a panic elsewhere breaks nothing.
        self.state.lock().unwrap_or_else(|e| e.into_inner())
    }
}

impl Drop for Pass<'_> {
    fn drop(&mut self) {
        self.gate.lock().free += self.weight;
        self.gate.changed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use std::{
        sync::atomic::{AtomicU64, Ordering},
        thread,
        time::Duration,
    };

    use super::*;

    #[test]
    fn never_more_than_the_capacity_and_nobody_starves() {
        let gate = Gate::new(Bytes::new(100));
        let (inside, most, served) = (AtomicU64::new(0), AtomicU64::new(0), AtomicU64::new(0));
        thread::scope(|scope| {
            for n in 0..8u64 {
                let (gate, inside, most, served) = (&gate, &inside, &most, &served);
                scope.spawn(move || {
                    for i in 0..200 {
                        let weight = if n == 0 { 100 } else { 1 + (n * 7 + i) % 40 };
                        let _pass = gate.enter(Bytes::new(weight)).unwrap();
                        let now = inside.fetch_add(weight, Ordering::SeqCst) + weight;
                        most.fetch_max(now, Ordering::SeqCst);
                        served.fetch_add(1, Ordering::SeqCst);
                        inside.fetch_sub(weight, Ordering::SeqCst);
                    }
                });
            }
        });
        assert!(most.load(Ordering::SeqCst) <= 100);
        assert_eq!(served.load(Ordering::SeqCst), 1_600);
        assert_eq!(gate.lock().free, 100);
    }

    #[test]
    fn the_big_one_goes_before_later_small_ones() {
        let gate = Gate::new(Bytes::new(10));
        let order = Mutex::new(Vec::new());
        thread::scope(|scope| {
            let first = gate.enter(Bytes::new(5)).unwrap();
            let (gate, order) = (&gate, &order);
            for (weight, wait_ms) in [(10, 40), (1, 80)] {
                scope.spawn(move || {
                    thread::sleep(Duration::from_millis(wait_ms));
                    let _pass = gate.enter(Bytes::new(weight)).unwrap();
                    order.lock().unwrap().push(weight);
                });
            }
            thread::sleep(Duration::from_millis(200));
            drop(first);
        });
        assert_eq!(*order.lock().unwrap(), [10, 1]);
    }

    #[test]
    fn what_can_never_pass_is_told_at_once() {
        assert!(Gate::new(Bytes::new(10)).enter(Bytes::new(11)).is_none());
    }
}
