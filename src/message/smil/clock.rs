//! Times of SMIL: `5s`, `5000ms`, `5`, `0:05`, `00:00:05.5` (SMIL 2.0 clause 10.4.1).

/// A time that a presentation states.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Clock {
    /// Milliseconds; times beyond 49 days count as those.
    Ms(u32),
    /// As long as it takes.
    Indefinite,
}

/// Reads a time; `None` where it is none.
pub(super) fn parse(text: &str) -> Option<Clock> {
    if text == "indefinite" {
        return Some(Clock::Indefinite);
    }
    let seconds = match text.split_once(':') {
        Some(_) => fields(text)?,
        None => {
            let units = [("ms", 0.001), ("min", 60.0), ("s", 1.0), ("h", 3600.0)];
            let unit = units.iter().find_map(|(unit, n)| Some((text.strip_suffix(unit)?, *n)));
            let (number, factor) = unit.unwrap_or((text, 1.0));
            decimal(number)? * factor
        }
    };
    Some(Clock::Ms((seconds * 1e3).round() as u32))
}

/// `[hours:]minutes:seconds`, in seconds.
fn fields(text: &str) -> Option<f64> {
    let fields: Vec<&str> = text.split(':').collect();
    let (last, whole) = fields.split_last()?;
    if !(1..=2).contains(&whole.len()) || !whole.iter().all(|field| digits(field)) {
        return None;
    }
    let mut total = 0.0;
    for field in whole {
        total = total * 60.0 + decimal(field)?;
    }
    Some(total * 60.0 + decimal(last)?)
}

fn digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())
}

fn decimal(text: &str) -> Option<f64> {
    let valid = match text.split_once('.') {
        Some((whole, part)) => digits(whole) && digits(part),
        None => digits(text),
    };
    if valid { text.parse().ok() } else { None }
}

/// `ms`, in whole seconds upwards, written in the unit of `old` where that is as short.
pub(super) fn respell(old: &str, ms: u32) -> String {
    let seconds = ms.div_ceil(1000);
    if old.ends_with("ms") { format!("{}ms", seconds * 1000) } else { format!("{seconds}s") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_as_smil_writes_them() {
        for (text, ms) in [
            ("5s", 5_000),
            ("5000ms", 5_000),
            ("5", 5_000),
            ("0:05", 5_000),
            ("00:01:05.5", 65_500),
            ("1.5min", 90_000),
            ("2h", 7_200_000),
            ("99999999999h", u32::MAX),
        ] {
            assert_eq!(parse(text), Some(Clock::Ms(ms)), "{text}");
        }
        assert_eq!(parse("indefinite"), Some(Clock::Indefinite));
        for wrong in ["", "s", "-5s", "5 s", "1:2:3:4", ":05", "5.", "five", "+5"] {
            assert_eq!(parse(wrong), None, "{wrong}");
        }
        assert_eq!(respell("30s", 12_100), "13s");
        assert_eq!(respell("30000ms", 12_100), "13000ms");
        assert_eq!(respell("0:30", 12_000), "12s");
    }
}
