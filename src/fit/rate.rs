//! Frame rates: those that a source's frames can be shown at without stutter.

use crate::model::FrameRate;

/// Below this it is no video any more.
const SLOWEST: f64 = 5.0;
/// For sources of uneven or odd rates, as fractions.
const NOMINAL: [(u32, u32); 9] =
    [(30, 1), (25, 1), (20, 1), (15, 1), (25, 2), (10, 1), (15, 2), (6, 1), (5, 1)];
/// Assumed where a source does not state its rate.
const UNKNOWN: f64 = 15.0;

/// Rates for a source of `source` frames a second (0: unknown), at most `most`, falling. Never
/// empty: where no other rate fits, the source's own, capped.
pub fn rates(source: f64, most: f64) -> Vec<FrameRate> {
    let known = source.is_finite() && source > 0.0;
    let source = if known { source.min(1_000.0) } else { UNKNOWN };
    let most = most.max(1.0);
    let fits = |rate: &FrameRate| rate.per_second() <= most * 1.01;
    let slow = |rate: &FrameRate| rate.per_second() < SLOWEST - 0.01;
    let mut found: Vec<FrameRate> = match exact(source) {
        Some((numerator, denominator)) => (1..=64)
            .filter_map(|n| FrameRate::new(numerator, denominator * n))
            .filter(fits)
            .enumerate()
            .take_while(|(i, rate)| *i == 0 || !slow(rate))
            .map(|(_, rate)| rate)
            .collect(),
        None => NOMINAL
            .into_iter()
            .filter_map(|(n, d)| FrameRate::new(n, d))
            .filter(|rate| fits(rate) && rate.per_second() <= source * 1.02)
            .collect(),
    };
    if found.is_empty() {
        let milli = (source.min(most) * 1e3).round().max(1.0) as u32;
        found.extend(FrameRate::new(milli, 1_000));
    }
    found
}

/// The fraction that a measured rate stands for: whole and half frames, and those of NTSC.
fn exact(rate: f64) -> Option<(u32, u32)> {
    let near = |want: f64| (rate - want).abs() <= want * 5e-4;
    let ntsc = [24_000, 30_000, 60_000, 120_000];
    if let Some(n) = ntsc.into_iter().find(|n| near(f64::from(*n) / 1001.0)) {
        // Closer to the whole rate than to NTSC's: a video that was cut short by a frame.
        let whole = f64::from(n) / 1000.0;
        if (rate - f64::from(n) / 1001.0).abs() <= (rate - whole).abs() {
            return Some((n, 1001));
        }
    }
    let halves = (rate * 2.0).round();
    (halves >= 1.0 && near(halves / 2.0)).then(|| {
        let halves = halves as u32;
        if halves.is_multiple_of(2) { (halves / 2, 1) } else { (halves, 2) }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(source: f64, most: f64) -> Vec<f64> {
        rates(source, most).iter().map(|r| (r.per_second() * 100.0).round() / 100.0).collect()
    }

    #[test]
    fn rates_are_divisors_of_the_source() {
        assert_eq!(shown(30.0, 30.0), [30.0, 15.0, 10.0, 7.5, 6.0, 5.0]);
        assert_eq!(shown(29.97, 15.0), [14.99, 9.99, 7.49, 5.99, 5.0]);
        assert_eq!(shown(25.0, 15.0), [12.5, 8.33, 6.25, 5.0]);
        assert_eq!(shown(60.0, 30.0)[..3], [30.0, 20.0, 15.0]);
    }

    #[test]
    fn odd_and_unknown_rates_have_some_rate() {
        assert_eq!(shown(27.31, 15.0), [15.0, 12.5, 10.0, 7.5, 6.0, 5.0]);
        assert_eq!(shown(0.0, 30.0)[0], 15.0);
        assert_eq!(shown(2.0, 15.0), [2.0]);
        assert_eq!(shown(1.7, 15.0), [1.7]);
        for odd in [f64::NAN, f64::INFINITY, -3.0, 1e9, 0.001] {
            assert!(!rates(odd, 15.0).is_empty(), "{odd}");
        }
    }
}
