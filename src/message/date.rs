//! Dates as RFC 5322 writes them, to and from seconds since 1970 UTC.

use jiff::{Timestamp, civil, fmt::rfc2822, tz::TimeZone};

/// `Thu, 01 Jan 1970 00:00:00 +0000`; what is beyond the year 9999 as a number.
pub(super) fn format(seconds: u64) -> String {
    match i64::try_from(seconds).ok().and_then(|seconds| Timestamp::from_second(seconds).ok()) {
        Some(time) => time.strftime("%a, %d %b %Y %H:%M:%S +0000").to_string(),
        None => seconds.to_string(),
    }
}

/// Seconds since 1970. Day name, seconds and zone may be missing, as senders leave them out, and
/// months be spelt in full; without a zone it is UTC.
pub(super) fn parse(text: &str) -> Option<u64> {
    if let Ok(seconds) = text.trim().parse() {
        return Some(seconds);
    }
    // The day's name says nothing that the date does not, and is often wrong.
    let text = text.split_once(',').map_or(text, |(_, rest)| rest);
    let mut words = text.split_whitespace();
    let (day, month, year, clock) = (words.next()?, words.next()?, words.next()?, words.next()?);
    let zone = words.next().filter(|zone| zone.starts_with(['+', '-'])).unwrap_or("+0000");
    let text = format!("{day} {} {year} {clock} {zone}", month.get(..3)?);
    let time = rfc2822::DateTimeParser::new().parse_timestamp(text).ok()?;
    u64::try_from(time.as_second()).ok()
}

/// Seconds since 1970 of `2026-11-29T09:30:45.5+01:00`, as XML writes it; without a zone UTC.
pub(super) fn parse_iso(text: &str) -> Option<u64> {
    // A day alone is no time.
    let text = Some(text.trim()).filter(|text| text.contains(['T', 't']))?;
    let civil = || text.parse::<civil::DateTime>().ok()?.to_zoned(TimeZone::UTC).ok();
    let time = text.parse().ok().or_else(|| civil().map(|zoned| zoned.timestamp()));
    u64::try_from(time.map(Timestamp::as_second)?).ok()
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
            (253_402_127_999, "Wed, 29 Dec 9999 23:59:59 +0000"),
        ] {
            assert_eq!(format(seconds), text);
            assert_eq!(parse(text), Some(seconds));
        }
        assert_eq!(parse("1 Jan 1970 02:00 +0200"), Some(0));
        assert_eq!(parse("Mon, 1 january 1970 00:00:05 GMT"), Some(5));
        assert_eq!(parse("1 Jan 1970 00:00:05"), Some(5));
        assert_eq!(parse("32 Jan 1970 02:00"), None);
        assert_eq!(parse("30 Feb 2000 02:00"), None);
        assert_eq!(parse("nonsense"), None);
        assert_eq!(format(u64::MAX), u64::MAX.to_string());
    }

    #[test]
    fn times_of_xml_are_read() {
        for (text, seconds) in [
            ("1970-01-01T00:00:05Z", Some(5)),
            ("1970-01-01T01:00:05.5+01:00", Some(5)),
            (" 1970-01-01T00:00:05 ", Some(5)),
            ("1970-01-01", None),
            ("1970-13-01T00:00:05Z", None),
            ("1969-12-31T23:59:59Z", None),
        ] {
            assert_eq!(parse_iso(text), seconds, "{text}");
        }
    }
}
