//! Which contents this run has a result of, so that each is encoded once.

use std::{
    collections::HashMap,
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
};

/// Results by content and options.
#[derive(Default)]
pub struct Same {
    /// Where the journal's record begins; `None`: in work.
    results: Mutex<HashMap<u128, Option<u64>>>,
    changed: Condvar,
}

/// What is known of a content.
pub enum Claim<'a> {
    /// Nothing: whoever asks does the work.
    First(Turn<'a>),
    /// The journal's record about it begins here.
    Known(u64),
}

/// The right to do the work; dropped without a result, the next who asks gets it.
pub struct Turn<'a> {
    same: &'a Same,
    key: u128,
    result: Option<u64>,
}

impl Same {
    /// Waits for whoever works on that content now. Who waits holds no memory to work in, so that the
    /// other goes on.
    pub fn claim(&self, key: u128) -> Claim<'_> {
        let mut results = self.lock();
        loop {
            match results.get(&key) {
                Some(Some(at)) => return Claim::Known(*at),
                Some(None) => {
                    results = self.changed.wait(results).unwrap_or_else(PoisonError::into_inner);
                }
                None => {
                    results.insert(key, None);
                    return Claim::First(Turn { same: self, key, result: None });
                }
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<u128, Option<u64>>> {
        // The map is right between statements: a panic elsewhere breaks nothing.
        self.results.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Turn<'_> {
    /// There is a result, and a record of it that begins at `at`.
    pub fn done(mut self, at: u64) {
        self.result = Some(at);
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        let mut results = self.same.lock();
        match self.result {
            Some(at) => results.insert(self.key, Some(at)),
            None => results.remove(&self.key),
        };
        drop(results);
        self.same.changed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use std::{
        sync::atomic::{AtomicUsize, Ordering},
        thread,
    };

    use super::*;

    #[test]
    fn one_works_and_the_others_wait() {
        let (same, worked) = (Same::default(), AtomicUsize::new(0));
        thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| match same.claim(1) {
                    Claim::First(turn) => {
                        thread::sleep(std::time::Duration::from_millis(5));
                        worked.fetch_add(1, Ordering::SeqCst);
                        turn.done(7);
                    }
                    Claim::Known(at) => assert_eq!(at, 7),
                });
            }
        });
        assert_eq!(worked.into_inner(), 1);
    }

    #[test]
    fn who_fails_leaves_the_work_to_the_next() {
        let same = Same::default();
        for _ in 0..2 {
            assert!(matches!(same.claim(1), Claim::First(_)));
        }
        let Claim::First(turn) = same.claim(2) else { panic!() };
        turn.done(3);
        assert!(matches!(same.claim(2), Claim::Known(3)));
    }
}
