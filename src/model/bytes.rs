//! A count of bytes, with only the arithmetic that makes sense for one.

use std::{fmt, iter::Sum, ops::Add, str::FromStr};

use serde::{Deserialize, Serialize};

/// A number of bytes. Subtraction is explicit: [`Bytes::saturating_sub`] or [`Bytes::checked_sub`].
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Bytes(u64);

impl Bytes {
    /// No bytes at all.
    pub const ZERO: Self = Self(0);

    /// `n` bytes.
    pub const fn new(n: u64) -> Self {
        Self(n)
    }

    /// The length of a slice.
    pub const fn of(slice: &[u8]) -> Self {
        Self(slice.len() as u64)
    }

    /// The bare number.
    pub const fn get(self) -> u64 {
        self.0
    }

    /// The bare number as an index; saturates on 32-bit machines.
    pub fn as_usize(self) -> usize {
        usize::try_from(self.0).unwrap_or(usize::MAX)
    }

    /// `self - other`, or zero where that would be negative.
    pub const fn saturating_sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }

    /// `self - other`, or `None` where that would be negative.
    pub fn checked_sub(self, other: Self) -> Option<Self> {
        self.0.checked_sub(other.0).map(Self)
    }
}

impl Add for Bytes {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl Sum for Bytes {
    fn sum<I: Iterator<Item = Self>>(iter: I) -> Self {
        iter.fold(Self::ZERO, Add::add)
    }
}

/// For people: `812 B`, `30.2 kB`, `1.05 MB` (1 kB = 1000 B).
impl fmt::Display for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = match self.0 {
            n @ 0..1_000 => format!("{n} B"),
            n @ 1_000..1_000_000 => format!("{:.1} kB", n as f64 / 1e3),
            n => format!("{:.2} MB", n as f64 / 1e6),
        };
        f.pad(&text)
    }
}

/// Why a size could not be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a size: write bytes, or a number with k, M (1000), Ki or Mi (1024)")]
pub struct ParseBytesError(String);

/// `300000`, `300k`, `300kB`, `300Ki`, `1M`, `1.5MiB`: `k` = 1000, `Ki` = 1024 (DESIGN §4).
impl FromStr for Bytes {
    type Err = ParseBytesError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let err = || ParseBytesError(text.to_owned());
        let lower = text.trim().to_ascii_lowercase();
        let split = lower.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(lower.len());
        let (number, unit) = lower.split_at(split);
        let unit = match unit.trim().trim_end_matches('b') {
            "" => 1.0,
            "k" => 1e3,
            "m" => 1e6,
            "g" => 1e9,
            "ki" => 1024.0,
            "mi" => 1024.0 * 1024.0,
            "gi" => 1024.0 * 1024.0 * 1024.0,
            _ => return Err(err()),
        };
        let number: f64 = number.parse().map_err(|_| err())?;
        let value = number * unit;
        if value.is_finite() && (0.0..9e15).contains(&value) {
            Ok(Self(value as u64))
        } else {
            Err(err())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_as_the_design_says() {
        for (text, want) in [
            ("0", 0),
            ("307200", 307_200),
            ("300k", 300_000),
            ("300kB", 300_000),
            ("300Ki", 307_200),
            ("1M", 1_000_000),
            ("1.5MiB", 1_572_864),
            (" 42 B ", 42),
        ] {
            assert_eq!(text.parse(), Ok(Bytes(want)), "{text}");
        }
        for text in ["", "k", "-1", "3x", "1e9", "300 000", "99999999999999999999"] {
            assert!(text.parse::<Bytes>().is_err(), "{text}");
        }
    }

    #[test]
    fn sums_saturate_and_print_for_people() {
        assert_eq!(Bytes(u64::MAX) + Bytes(1), Bytes(u64::MAX));
        assert_eq!(Bytes(812).to_string(), "812 B");
        assert_eq!(Bytes(30_240).to_string(), "30.2 kB");
        assert_eq!(Bytes(1_048_576).to_string(), "1.05 MB");
    }
}
