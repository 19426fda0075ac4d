//! When calls are due.

use std::{num::NonZeroU32, str::FromStr, time::Duration};

/// How calls follow each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arrivals {
    /// As many people send them who know nothing of each other.
    Poisson,
    /// One after the other at equal distances.
    Even,
    /// So many at once, at equal distances.
    Bursts(NonZeroU32),
}

/// What is no kind of arrivals.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is none of poisson, even, bursts:N")]
pub struct ParseArrivalsError(String);

impl FromStr for Arrivals {
    type Err = ParseArrivalsError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let failed = || ParseArrivalsError(text.to_owned());
        match text.split_once(':') {
            None if text == "poisson" => Ok(Self::Poisson),
            None if text == "even" => Ok(Self::Even),
            Some(("bursts", size)) => size.parse().map(Self::Bursts).map_err(|_| failed()),
            _ => Err(failed()),
        }
    }
}

/// The times of calls since the beginning, in order, without end.
#[derive(Clone, Debug)]
pub struct Times {
    arrivals: Arrivals,
    /// Calls a second, above 0.
    rate: f64,
    random: fastrand::Rng,
    sent: u64,
    /// Of the last one, in seconds.
    at: f64,
}

impl Times {
    /// At `rate` calls a second on the average.
    pub fn new(arrivals: Arrivals, rate: f64, seed: u64) -> Self {
        Self { arrivals, rate, random: fastrand::Rng::with_seed(seed), sent: 0, at: 0.0 }
    }
}

impl Iterator for Times {
    type Item = Duration;

    fn next(&mut self) -> Option<Duration> {
        match self.arrivals {
            Arrivals::Poisson => self.at -= (1.0 - self.random.f64()).ln() / self.rate,
            Arrivals::Even => self.at = self.sent as f64 / self.rate,
            Arrivals::Bursts(size) => {
                let size = u64::from(size.get());
                self.at = (self.sent / size * size) as f64 / self.rate;
            }
        }
        self.sent += 1;
        // A day is more than anybody sends.
        Some(Duration::from_secs_f64(self.at.min(86_400.0)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn times(arrivals: &str) -> Vec<f64> {
        let times = Times::new(arrivals.parse().unwrap(), 100.0, 7);
        times.take(10_000).map(|time| time.as_secs_f64()).collect()
    }

    #[test]
    fn the_rate_is_what_was_asked() {
        for arrivals in ["poisson", "even", "bursts:10"] {
            let times = times(arrivals);
            assert!(times.is_sorted());
            let last = times.last().unwrap();
            assert!((98.0..102.0).contains(last), "{arrivals}: {last}");
        }
    }

    #[test]
    fn distances_are_as_named() {
        let spread = |arrivals| {
            let gaps: Vec<f64> = times(arrivals).windows(2).map(|w| w[1] - w[0]).collect();
            let mean = gaps.iter().sum::<f64>() / gaps.len() as f64;
            (gaps.iter().map(|g| (g - mean).powi(2)).sum::<f64>() / gaps.len() as f64).sqrt() / mean
        };
        assert!(spread("even") < 1e-3);
        // Of the exponential distribution it is 1, of ten at once 3.
        assert!((0.95..1.05).contains(&spread("poisson")));
        assert!((2.9..3.1).contains(&spread("bursts:10")));
        for wrong in ["", "bursts", "bursts:0", "even:3", "Poisson"] {
            assert!(wrong.parse::<Arrivals>().is_err(), "{wrong}");
        }
    }
}
