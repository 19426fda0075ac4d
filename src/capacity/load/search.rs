//! How much a service takes: its capacity, and the rate at which it becomes slow.

use std::time::Duration;

use super::{Generator, Seen};

/// A rate is carried where the 99th percentile is within the target, and nearly all that was sent was
/// answered.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// Of the answered calls, in milliseconds.
    pub p99_ms: f64,
    /// Of the calls that were sent; the rest may be refused.
    pub answered: f64,
}

impl Target {
    /// Whether `seen` is carried.
    pub fn is_met(&self, seen: &Seen) -> bool {
        let figures = seen.all().figures(seen.seconds);
        let answered = (figures.answered + figures.counts.cannot_fit) as f64;
        answered >= self.answered * figures.counts.sent as f64
            && figures.latency_ms.p99.is_some_and(|p99| p99 <= self.p99_ms)
    }
}

/// The next rate to try: twice as much until one is not carried, half until one is, and then the
/// middle (in proportion), until both are within `within` of each other. `None`: it is found.
#[derive(Clone, Copy, Debug)]
pub struct Knee {
    /// Carried: the most so far.
    pub carried: Option<f64>,
    /// Not carried: the least so far.
    pub not_carried: Option<f64>,
    first: f64,
    within: f64,
}

impl Knee {
    /// Begins at a rate.
    pub fn from(first: f64, within: f64) -> Self {
        Self { carried: None, not_carried: None, first, within }
    }

    /// The next rate to try.
    pub fn next_rate(&self) -> Option<f64> {
        match (self.carried, self.not_carried) {
            (None, None) => Some(self.first),
            (Some(most), None) => Some(most * 2.0),
            // A service that carries not one call in a minute carries nothing.
            (None, Some(least)) => (least > 1.0 / 60.0).then_some(least / 2.0),
            (Some(most), Some(least)) => {
                (least / most > 1.0 + self.within).then(|| (least * most).sqrt())
            }
        }
    }

    /// What was found of a rate.
    pub fn learn(&mut self, rate: f64, is_carried: bool) {
        if is_carried {
            self.carried = Some(self.carried.map_or(rate, |before| before.max(rate)));
        } else {
            self.not_carried = Some(self.not_carried.map_or(rate, |before| before.min(rate)));
        }
    }
}

/// The rate, in calls a second, at which callers who wait for their answers keep a service busy: one
/// caller, then more, until no more is answered, or some are refused: who is refused calls again at
/// once, and what is then answered is another mix. Tells each step.
pub async fn capacity(
    generator: &mut Generator,
    time: Duration,
    mut each: impl FnMut(usize, &Seen),
) -> f64 {
    let mut best = 0.0_f64;
    for callers in [1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128] {
        let seen = generator.closed(callers, time).await;
        let all = seen.all();
        let rate = all.answered.len() as f64 / seen.seconds;
        each(callers, &seen);
        if best > 0.0 && !all.refused.is_empty() {
            return best;
        }
        if rate < best * 1.03 {
            return best.max(rate);
        }
        best = rate;
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_knee_is_found_from_both_sides() {
        for (first, knee) in [(1.0, 100.0), (1000.0, 37.0), (50.0, 50.5)] {
            let (mut search, mut steps) = (Knee::from(first, 0.05), 0);
            while let Some(rate) = search.next_rate() {
                search.learn(rate, rate <= knee);
                steps += 1;
            }
            let (most, least) = (search.carried.unwrap(), search.not_carried.unwrap());
            assert!(most <= knee && knee <= least && least / most <= 1.05, "{most} {least}");
            assert!(steps < 16, "{steps}");
        }
        let mut nothing = Knee::from(1.0, 0.05);
        while let Some(rate) = nothing.next_rate() {
            nothing.learn(rate, false);
        }
        assert_eq!(nothing.carried, None);
    }
}
