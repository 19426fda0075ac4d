//! Dates as RFC 5322 writes them, to and from seconds since 1970 UTC.

use crate::model::Day;

const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const DAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];

/// `Thu, 01 Jan 1970 00:00:00 +0000`; seconds beyond the year 9999 as a number.
pub(super) fn format(seconds: u64) -> String {
    if seconds > 253_402_300_799 {
        return seconds.to_string();
    }
    let (days, rest) = (seconds / 86_400, seconds % 86_400);
    let Day { year, month, day } = Day::of_unix(seconds);
    format!(
        "{}, {day:02} {} {year:04} {:02}:{:02}:{:02} +0000",
        DAYS[(days % 7) as usize],
        MONTHS[(month - 1) as usize],
        rest / 3600,
        rest / 60 % 60,
        rest % 60
    )
}

/// Seconds since 1970; day name and seconds may be missing, the zone is a number or UTC.
pub(super) fn parse(text: &str) -> Option<u64> {
    if let Ok(seconds) = text.trim().parse() {
        return Some(seconds);
    }
    let text = text.split_once(',').map_or(text, |(_, rest)| rest);
    let mut words = text.split_whitespace();
    let day: i64 = words.next()?.parse().ok()?;
    let name = words.next()?;
    let month = MONTHS.iter().position(|m| m.eq_ignore_ascii_case(name.get(..3).unwrap_or("")))?;
    let month = month as i64 + 1;
    let year: i64 = words.next()?.parse().ok()?;
    let mut clock = words.next()?.split(':').map(|word| word.parse::<i64>().ok());
    let (hour, minute) = (clock.next()??, clock.next()??);
    let second = clock.next().unwrap_or(Some(0))?;
    let zone = match words.next() {
        Some(zone) if zone.starts_with(['+', '-']) && zone.len() == 5 && zone.is_ascii() => {
            let number: i64 = zone[1..].parse().ok()?;
            let minutes = number / 100 * 60 + number % 100;
            if zone.starts_with('-') { -minutes } else { minutes }
        }
        _ => 0,
    };
    seconds([year, month, day, hour, minute, second], zone)
}

/// Seconds since 1970 of `2026-11-29T09:30:45.5+01:00`, as XML writes it; without a zone UTC.
pub(super) fn parse_iso(text: &str) -> Option<u64> {
    let (day, clock) = text.trim().split_once(['T', 't'])?;
    let mut numbers = day.splitn(3, '-').map(|word| word.parse::<i64>().ok());
    let [year, month, day] = [numbers.next()??, numbers.next()??, numbers.next()??];
    let at = clock.find(['Z', 'z', '+', '-']).unwrap_or(clock.len());
    let (clock, zone) = clock.split_at(at);
    let mut numbers = clock.split([':', '.']).map(|word| word.parse::<i64>().ok());
    let [hour, minute] = [numbers.next()??, numbers.next()??];
    let second = numbers.next().unwrap_or(Some(0))?;
    let zone = match zone.strip_prefix(['+', '-']) {
        None => 0,
        Some(offset) => {
            let (hours, minutes) = offset.split_once(':').unwrap_or((offset, "0"));
            let minutes = hours.parse::<i64>().ok()? * 60 + minutes.parse::<i64>().ok()?;
            if zone.starts_with('-') { -minutes } else { minutes }
        }
    };
    let bounded = (1..=12).contains(&month) && (-900..=900).contains(&zone);
    bounded.then(|| seconds([year, month, day, hour, minute, second], zone)).flatten()
}

fn seconds([year, month, day, hour, minute, second]: [i64; 6], zone: i64) -> Option<u64> {
    if !(1..=31).contains(&day)
        || !(1970..=9999).contains(&year)
        || !(0..24).contains(&hour)
        || !(0..60).contains(&minute)
        || !(0..=60).contains(&second)
    {
        return None;
    }
    let (y, m) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let of_era = y % 400 * 365 + y % 400 / 4 - y % 400 / 100 + (153 * m + 2) / 5 + day - 1;
    let days = y / 400 * 146_097 + of_era - 719_468;
    u64::try_from(days * 86_400 + hour * 3600 + minute * 60 + second - zone * 60).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_go_both_ways() {
        for (seconds, text) in [
            (0, "Thu, 01 Jan 1970 00:00:00 +0000"),
            (951_782_400, "Tue, 29 Feb 2000 00:00:00 +0000"),
            (1_420_668_613, "Wed, 07 Jan 2015 22:10:13 +0000"),
            (253_402_300_799, "Fri, 31 Dec 9999 23:59:59 +0000"),
        ] {
            assert_eq!(format(seconds), text);
            assert_eq!(parse(text), Some(seconds));
        }
        assert_eq!(parse("1 Jan 1970 02:00 +0200"), Some(0));
        assert_eq!(parse("32 Jan 1970 02:00"), None);
        assert_eq!(parse("nonsense"), None);
        assert_eq!(format(u64::MAX), u64::MAX.to_string());
    }
}
