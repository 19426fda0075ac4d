//! Days of the calendar, as policies and messages date things.

use std::{fmt, str::FromStr};

/// A day, UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Day {
    /// 0 to 9999.
    pub year: u32,
    /// 1 to 12.
    pub month: u32,
    /// 1 to 31.
    pub day: u32,
}

impl Day {
    /// The day of a time in seconds since 1970, UTC.
    pub fn of_unix(seconds: u64) -> Self {
        // Civil date from days, eras of 400 years that begin in March.
        let shifted = seconds / 86_400 + 719_468;
        let (era, of_era) = (shifted / 146_097, shifted % 146_097);
        let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
        let of_year = of_era - (365 * year + year / 4 - year / 100);
        let month = (5 * of_year + 2) / 153;
        let day = of_year - (153 * month + 2) / 5 + 1;
        let month = if month < 10 { month + 3 } else { month - 9 };
        let year = year + era * 400 + u64::from(month <= 2);
        Self { year: year as u32, month: month as u32, day: day as u32 }
    }
}

/// `2026-11-25`
impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("{:04}-{:02}-{:02}", self.year, self.month, self.day))
    }
}

impl FromStr for Day {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parts: Vec<&str> = text.split('-').collect();
        let number = |at: usize, digits: usize| {
            let part = parts.get(at).filter(|part| part.len() == digits)?;
            let sound = part.bytes().all(|b| b.is_ascii_digit());
            if sound { part.parse::<u32>().ok() } else { None }
        };
        match (number(0, 4), number(1, 2), number(2, 2), parts.len()) {
            (Some(year), Some(month @ 1..=12), Some(day @ 1..=31), 3) => {
                Ok(Self { year, month, day })
            }
            _ => Err("is not YYYY-MM-DD"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_read_counted_and_written() {
        let day = Day::of_unix(951_782_400);
        assert_eq!(day.to_string(), "2000-02-29");
        assert_eq!("2000-02-29".parse(), Ok(day));
        assert!("2026-01-01".parse::<Day>().unwrap() > day);
        for wrong in
            ["2026-13-01", "2026-1-1", "26-01-01", "2026-01", "2026-01-01-01", "+026-01-01"]
        {
            assert!(wrong.parse::<Day>().is_err(), "{wrong}");
        }
    }
}
