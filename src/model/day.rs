//! Days of the calendar, as policies and messages date things.

use std::{fmt, str::FromStr};

use jiff::{Timestamp, civil, tz::TimeZone};

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
        let time = i64::try_from(seconds).ok().and_then(|s| Timestamp::from_second(s).ok());
        time.unwrap_or(Timestamp::MAX).to_zoned(TimeZone::UTC).date().into()
    }
}

impl From<civil::Date> for Day {
    fn from(date: civil::Date) -> Self {
        let part = |n: i8| u32::from(n.unsigned_abs());
        let year = u32::from(date.year().unsigned_abs());
        Self { year, month: part(date.month()), day: part(date.day()) }
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
        let date = civil::Date::strptime("%Y-%m-%d", text).ok();
        // Each figure in full.
        date.map(Self::from).filter(|day| day.to_string() == text).ok_or("is not YYYY-MM-DD")
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
        for wrong in [
            "2026-13-01",
            "2026-02-30",
            "2026-1-1",
            "26-01-01",
            "2026-01",
            "2026-01-01-01",
            "+026-01-01",
        ] {
            assert!(wrong.parse::<Day>().is_err(), "{wrong}");
        }
    }
}
