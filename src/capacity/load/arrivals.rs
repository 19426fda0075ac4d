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

/// How the rate goes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Shape {
    /// Calls a second, above 0.
    Constant(f64),
    /// From one rate to another, evenly.
    Ramp(Ramp),
}

/// A rate that rises or falls evenly.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ramp {
    /// Calls a second at the beginning, 0 or more.
    pub from: f64,
    /// At the end; one of both is above 0.
    pub to: f64,
    /// How long it takes, in seconds, above 0.
    pub over: f64,
}

/// What is no ramp.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no FROM:TO:SECONDS, such as 10:200:60s")]
pub struct ParseRampError(String);

/// Of a rate, in calls a second.
const MOST: f64 = 1e6;
/// In seconds: more than anybody sends.
const DAY: f64 = 86_400.0;

impl FromStr for Ramp {
    type Err = ParseRampError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let numbers: Option<Vec<f64>> =
            text.trim_end_matches('s').split(':').map(|number| number.parse().ok()).collect();
        match numbers.as_deref() {
            Some(&[from, to, over])
                if (0.0..=MOST).contains(&from)
                    && (0.0..=MOST).contains(&to)
                    && from + to > 0.0
                    && over > 0.0
                    && over <= DAY =>
            {
                Ok(Self { from, to, over })
            }
            _ => Err(ParseRampError(text.to_owned())),
        }
    }
}

impl Shape {
    /// When the so many calls were due, in seconds; infinite: never.
    fn after(self, calls: f64) -> f64 {
        match self {
            Self::Constant(rate) => calls / rate,
            // The calls until t are from·t + a·t²; solved for t in the form that bears a = 0.
            Self::Ramp(Ramp { from, to, over }) => {
                let a = (to - from) / (2.0 * over);
                let root = from * from + 4.0 * a * calls;
                if calls == 0.0 {
                    0.0
                } else if root < 0.0 {
                    f64::INFINITY
                } else {
                    2.0 * calls / (from + root.sqrt())
                }
            }
        }
    }
}

/// The times of calls since the beginning, in order, without end.
#[derive(Clone, Debug)]
pub struct Times {
    arrivals: Arrivals,
    shape: Shape,
    random: fastrand::Rng,
    sent: u64,
    /// Where the last one was, in calls that were due on the average.
    at: f64,
}

impl Times {
    /// At the rates of `shape` on the average.
    pub fn new(arrivals: Arrivals, shape: Shape, seed: u64) -> Self {
        Self { arrivals, shape, random: fastrand::Rng::with_seed(seed), sent: 0, at: 0.0 }
    }
}

impl Iterator for Times {
    type Item = Duration;

    fn next(&mut self) -> Option<Duration> {
        match self.arrivals {
            Arrivals::Poisson => self.at -= (1.0 - self.random.f64()).ln(),
            Arrivals::Even => self.at = self.sent as f64,
            Arrivals::Bursts(size) => {
                let size = u64::from(size.get());
                self.at = (self.sent / size * size) as f64;
            }
        }
        self.sent += 1;
        Some(Duration::from_secs_f64(self.shape.after(self.at).min(DAY)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn times(arrivals: &str) -> Vec<f64> {
        let times = Times::new(arrivals.parse().unwrap(), Shape::Constant(100.0), 7);
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

    #[test]
    fn a_ramp_has_the_rates_between() {
        for (from, to) in [(10.0, 200.0), (200.0, 10.0), (0.0, 100.0), (100.0, 0.0), (50.0, 50.0)] {
            let ramp: Ramp = format!("{from}:{to}:60s").parse().unwrap();
            for arrivals in ["even", "poisson"] {
                let times = Times::new(arrivals.parse().unwrap(), Shape::Ramp(ramp), 3);
                let times: Vec<f64> =
                    times.map(|t| t.as_secs_f64()).take_while(|t| *t < 60.0).collect();
                assert!(times.is_sorted());
                for (begin, end) in [(0.0, 60.0), (0.0, 20.0), (20.0, 40.0), (40.0, 60.0)] {
                    let seen = times.iter().filter(|t| (begin..end).contains(*t)).count() as f64;
                    let middle = (begin + end) / 2.0;
                    let wanted = (from + (to - from) * middle / 60.0) * (end - begin);
                    // Of chance, four standard deviations.
                    let off = if arrivals == "even" { 1.0 } else { 4.0 * wanted.sqrt() };
                    assert!(
                        (seen - wanted).abs() <= off,
                        "{from}:{to} {arrivals}: {seen} {wanted}"
                    );
                }
            }
        }
        for wrong in ["", "1:2", "1:2:0", "0:0:9", "-1:2:3", "1:nan:3", "1:2:3:4", "1:inf:3"] {
            assert!(wrong.parse::<Ramp>().is_err(), "{wrong}");
        }
    }
}
