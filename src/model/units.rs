//! Playing times and rates, each with only the arithmetic that makes sense for it.

use std::{fmt, time::Duration};

use serde::Serialize;

use super::Bytes;

/// A playing time in whole milliseconds: up to 49 days, as protocol and worker state it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct Millis(u32);

impl Millis {
    /// No time at all.
    pub const ZERO: Self = Self(0);

    /// `n` milliseconds.
    pub const fn new(n: u32) -> Self {
        Self(n)
    }

    /// `n` milliseconds, or the longest time where that is longer.
    pub fn saturating(n: u64) -> Self {
        Self(u32::try_from(n).unwrap_or(u32::MAX))
    }

    /// The bare number of milliseconds.
    pub const fn get(self) -> u32 {
        self.0
    }

    /// The same time in seconds.
    pub fn seconds(self) -> f64 {
        f64::from(self.0) / 1e3
    }

    /// Whether it is no time at all.
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }

    /// `self + other`, or the longest time where that would be longer.
    #[must_use]
    pub const fn saturating_add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }

    /// How far two times are apart.
    #[must_use]
    pub const fn abs_diff(self, other: Self) -> Self {
        Self(self.0.abs_diff(other.0))
    }
}

/// What is less than a millisecond is dropped.
impl From<Duration> for Millis {
    fn from(time: Duration) -> Self {
        Self(u32::try_from(time.as_millis()).unwrap_or(u32::MAX))
    }
}

impl From<Millis> for Duration {
    fn from(time: Millis) -> Self {
        Self::from_millis(time.0.into())
    }
}

/// `1500 ms`
impl fmt::Display for Millis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("{} ms", self.0))
    }
}

/// Bits per second.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct BitRate(u32);

impl BitRate {
    /// No bits; of a source: not known.
    pub const ZERO: Self = Self(0);
    /// The highest; as a bound: none.
    pub const MAX: Self = Self(u32::MAX);

    /// `n` bits per second.
    pub const fn new(n: u32) -> Self {
        Self(n)
    }

    /// What `bytes` take that play for `micros` microseconds, or the highest rate where that is
    /// higher.
    pub fn of(bytes: Bytes, micros: u64) -> Self {
        let bits = u128::from(bytes.get()) * 8_000_000 / u128::from(micros.max(1));
        Self(u32::try_from(bits).unwrap_or(u32::MAX))
    }

    /// The bare number of bits per second.
    pub const fn get(self) -> u32 {
        self.0
    }

    /// Bits per second, to reckon with.
    pub fn per_second(self) -> f64 {
        f64::from(self.0)
    }

    /// Thousands of bits per second.
    pub fn kilo(self) -> f64 {
        f64::from(self.0) / 1e3
    }

    /// Bytes that so many seconds take.
    pub fn bytes_in(self, seconds: f64) -> f64 {
        f64::from(self.0) / 8.0 * seconds
    }

    /// Whether it is nothing, or not known.
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }

    /// `self + other`, or the highest rate where that would be higher.
    #[must_use]
    pub const fn saturating_add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

/// Samples per second and channel, in hertz.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct SampleRate(u32);

impl SampleRate {
    /// Of a source: not known.
    pub const ZERO: Self = Self(0);

    /// `n` hertz.
    pub const fn new(n: u32) -> Self {
        Self(n)
    }

    /// The bare number of hertz.
    pub const fn get(self) -> u32 {
        self.0
    }

    /// Samples per second, to reckon with.
    pub fn per_second(self) -> f64 {
        f64::from(self.0)
    }

    /// Whether it is not known.
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_saturate_and_become_seconds() {
        assert_eq!(Millis::saturating(1 << 40), Millis(u32::MAX));
        assert_eq!(Millis(u32::MAX).saturating_add(Millis(1)), Millis(u32::MAX));
        assert_eq!(Millis(200).abs_diff(Millis(500)), Millis(300));
        assert_eq!(Millis(1_500).seconds(), 1.5);
        assert_eq!(Millis::from(Duration::from_micros(2_999)), Millis(2));
        assert_eq!(Duration::from(Millis(2)), Duration::from_millis(2));
        assert_eq!(Millis(40).to_string(), "40 ms");
    }

    #[test]
    fn rates_come_from_bytes_and_give_them_back() {
        assert_eq!(BitRate::of(Bytes::new(1_000), 1_000_000), BitRate(8_000));
        assert_eq!(BitRate::of(Bytes::new(u64::MAX), 0), BitRate::MAX);
        assert_eq!(BitRate(8_000).bytes_in(2.0), 2_000.0);
        assert_eq!(BitRate(12_200).kilo(), 12.2);
        assert_eq!(BitRate::MAX.saturating_add(BitRate(1)), BitRate::MAX);
        assert_eq!(SampleRate(44_100).per_second(), 44_100.0);
    }
}
