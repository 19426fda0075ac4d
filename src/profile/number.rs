//! Numbers as profiles write them: sizes with units and separators, dimensions with any cross.
//! The policy for the two limits is uaprof.md §6.

use super::repairs::Repairs;
use crate::model::{Bytes, Dimensions, RepairCode};

/// Below this a size without a unit cannot be bytes: the smallest of 3,107 real ones is 30,000.
const SUSPICIOUS: u64 = 10_000;
/// A suspicious number is taken for KiB only if that stays within this.
const MAX_REREAD: u64 = 10 << 20;
/// Above this a size says nothing.
const MAX_SIZE: u64 = 100 << 20;
/// Sides above this are no image's (the largest of 3,104 real ones is 5,000).
const MAX_SIDE: u32 = 30_000;
/// Sides below this are no limit (the smallest real one is 96).
const MIN_SIDE: u32 = 16;

/// The size in bytes that `raw` means, if any.
pub(super) fn size(raw: &str, attribute: &str, repairs: &mut Repairs) -> Option<Bytes> {
    let text = raw.trim();
    if text.len() != raw.len() {
        repairs.add(RepairCode::NumberForm, attribute, raw);
    }
    if text.is_empty() {
        return None;
    }
    let plain = text.bytes().all(|b| b.is_ascii_digit());
    if !plain {
        repairs.add(RepairCode::NumberForm, attribute, raw);
    }
    let value = match read_size(text) {
        Some(Size { bytes, unit: false }) if (1..SUSPICIOUS).contains(&bytes) => {
            repairs.add(RepairCode::NumberSuspicious, attribute, raw);
            Some(bytes * 1024).filter(|bytes| *bytes <= MAX_REREAD)
        }
        Some(Size { bytes, .. }) if (SUSPICIOUS..=MAX_SIZE).contains(&bytes) => Some(bytes),
        _ => None,
    };
    if value.is_none() {
        repairs.add(RepairCode::NumberSuspicious, attribute, raw);
    }
    value.map(Bytes::new)
}

struct Size {
    bytes: u64,
    unit: bool,
}

/// A leading number, its separators understood, times its unit.
fn read_size(text: &str) -> Option<Size> {
    let end = text
        .char_indices()
        .find(|(at, c)| {
            let next = text.get(at + c.len_utf8()..).and_then(|rest| rest.chars().next());
            // A separator belongs to the number only between digits.
            let between = matches!(c, '.' | ',' | '\'' | '_' | ' ' | '\u{a0}')
                && *at > 0
                && next.is_some_and(|n| n.is_ascii_digit());
            !c.is_ascii_digit() && !between
        })
        .map_or(text.len(), |(at, _)| at);
    let (number, rest) = text.split_at_checked(end)?;
    if number.is_empty() {
        return None;
    }
    let rest = rest.trim_start().to_ascii_lowercase();
    if let Some(exponent) = rest.strip_prefix('e') {
        let exponent: i32 = exponent.trim_start_matches('+').parse().ok()?;
        let value = number.parse::<f64>().ok()? * 10f64.powi(exponent.clamp(-20, 20));
        return Some(Size { bytes: whole(value), unit: false });
    }
    let factor = unit(&rest);
    let value = quantity(number, factor.is_some_and(|f| f > 1))?;
    Some(Size { bytes: whole(value * factor.unwrap_or(1) as f64), unit: factor.is_some() })
}

/// Saturates: what is out of range is judged by the caller.
fn whole(value: f64) -> u64 {
    value as u64
}

/// The factor of a unit at the start of `rest`; junk behind it is ignored (`1MBout-2MBin`).
fn unit(rest: &str) -> Option<u64> {
    let word = rest.split(|c: char| !c.is_ascii_alphabetic()).next().unwrap_or("");
    let long = |names: &[&str]| names.iter().any(|name| word.starts_with(name));
    if word == "k" || word == "ko" || long(&["kb", "kib", "kilob", "kbyte"]) {
        Some(1 << 10)
    } else if word == "m" || word == "mo" || long(&["mb", "mib", "megab", "mbyte"]) {
        Some(1 << 20)
    } else if word == "g" || long(&["gb", "gib"]) {
        Some(1 << 30)
    } else if word == "b" || long(&["byte", "octet"]) {
        Some(1)
    } else {
        None
    }
}

/// `307200`, `307,200` and `307.200` (thousands), `1.5` with a unit or fewer than three digits
/// behind its last separator (decimal).
fn quantity(number: &str, unit: bool) -> Option<f64> {
    let groups: Vec<&str> = number.split(|c: char| !c.is_ascii_digit()).collect();
    let (first, rest) = groups.split_first()?;
    let thousands = !rest.is_empty()
        && first.len() <= 3
        && rest.iter().all(|group| group.len() == 3)
        && !(unit && rest.len() == 1);
    if rest.is_empty() || thousands {
        return groups.concat().parse().ok();
    }
    let decimal = number.chars().rev().find(|c| !c.is_ascii_digit());
    let (fraction, whole) = groups.split_last()?;
    match decimal {
        Some('.' | ',') => format!("{}.{fraction}", whole.concat()).parse().ok(),
        // `3072 00`: the leading number alone.
        _ => first.parse().ok(),
    }
}

/// The dimensions that `raw` means, if any.
pub(super) fn dimensions(raw: &str, attribute: &str, repairs: &mut Repairs) -> Option<Dimensions> {
    if raw.trim().is_empty() {
        return None;
    }
    let read = read_dimensions(raw);
    let canonical = read.is_some_and(|(w, h)| raw == format!("{w}x{h}"));
    if !canonical {
        repairs.add(RepairCode::DimensionsForm, attribute, raw);
    }
    let (width, height) = read?;
    let sane = |side: u32| (MIN_SIDE..=MAX_SIDE).contains(&side);
    if !sane(width) || !sane(height) {
        repairs.add(RepairCode::NumberSuspicious, attribute, raw);
        return None;
    }
    Dimensions::new(width, height)
}

/// Two numbers with a cross of any kind between them; text behind the second is ignored.
fn read_dimensions(raw: &str) -> Option<(u32, u32)> {
    let (width, rest) = leading(raw.trim())?;
    let rest = rest.trim_start();
    let cross = rest.chars().next()?;
    // U+00D7, and the Cyrillic letters that look like it.
    if !matches!(cross, 'x' | 'X' | '*' | '\u{d7}' | '\u{445}' | '\u{425}' | ',' | '/') {
        return None;
    }
    let (height, _) = leading(rest.get(cross.len_utf8()..)?.trim_start())?;
    Some((width, height))
}

fn leading(text: &str) -> Option<(u32, &str)> {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (digits, rest) = text.split_at_checked(end)?;
    // Too many digits: a number too large to be meant, which the caller refuses by its range.
    if digits.is_empty() { None } else { Some((digits.parse().unwrap_or(u32::MAX), rest)) }
}

/// A small count such as BitsPerPixel.
pub(super) fn count(raw: &str, max: u8, attribute: &str, repairs: &mut Repairs) -> Option<u8> {
    let text = raw.trim();
    if text.is_empty() {
        return None;
    }
    let (value, rest) = leading(text).unwrap_or((0, text));
    if !rest.is_empty() || text.len() != raw.len() {
        repairs.add(RepairCode::NumberForm, attribute, raw);
    }
    let value = u8::try_from(value).ok().filter(|n| (1..=max).contains(n));
    if value.is_none() {
        repairs.add(RepairCode::NumberSuspicious, attribute, raw);
    }
    value
}

#[cfg(test)]
mod tests {
    use super::*;
    use RepairCode::{DimensionsForm, NumberForm, NumberSuspicious};

    fn codes(repairs: Repairs) -> Vec<RepairCode> {
        repairs.into_vec().iter().map(|r| r.code).collect()
    }

    #[test]
    fn sizes_follow_the_policy() {
        let form: &[RepairCode] = &[NumberForm];
        let odd: &[RepairCode] = &[NumberSuspicious];
        let both: &[RepairCode] = &[NumberForm, NumberSuspicious];
        for (raw, want, expected) in [
            ("307200", Some(307_200), &[][..]),
            (" 1048576 ", Some(1_048_576), form),
            ("300KB", Some(307_200), form),
            ("300k", Some(307_200), form),
            ("300 KiB", Some(307_200), form),
            ("1MB", Some(1_048_576), form),
            ("1.5 MB", Some(1_572_864), form),
            ("1MBout-2MBin", Some(1_048_576), form),
            ("307,200", Some(307_200), form),
            ("307.200", Some(307_200), form),
            ("307 200", Some(307_200), form),
            ("1'048'576", Some(1_048_576), form),
            ("307200.0", Some(307_200), form),
            ("3.0e5", Some(300_000), form),
            ("307200 bytes", Some(307_200), form),
            ("100 B", None, both),
            ("5KB", None, both),
            ("300", Some(307_200), odd),
            ("9999", Some(10_238_976), odd),
            ("10000", Some(10_000), &[]),
            ("0", None, odd),
            ("-1", None, both),
            ("4294967296", None, odd),
            ("99999999999999999999", None, odd),
            ("2GB", None, both),
            ("three hundred kB", None, both),
            ("", None, &[]),
        ] {
            let mut repairs = Repairs::default();
            let got = size(raw, "MmsMaxMessageSize", &mut repairs).map(Bytes::get);
            assert_eq!(got, want, "{raw}");
            assert_eq!(codes(repairs), expected, "{raw}");
        }
    }

    #[test]
    fn dimensions_are_read_with_any_cross() {
        for (raw, want, expected) in [
            ("640x480", Some("640x480"), &[][..]),
            ("2048X2048", Some("2048x2048"), &[DimensionsForm]),
            ("2048*1536", Some("2048x1536"), &[DimensionsForm]),
            ("2592 x 1944", Some("2592x1944"), &[DimensionsForm]),
            (" 1280x1280", Some("1280x1280"), &[DimensionsForm]),
            ("128\u{d7}160", Some("128x160"), &[DimensionsForm]),
            ("640x480 pixels", Some("640x480"), &[DimensionsForm]),
            ("640", None, &[DimensionsForm]),
            ("0x-5", None, &[DimensionsForm]),
            ("0x480", None, &[NumberSuspicious]),
            ("99999999999x480", None, &[DimensionsForm, NumberSuspicious]),
            ("wide", None, &[DimensionsForm]),
            ("", None, &[]),
        ] {
            let mut repairs = Repairs::default();
            let got = dimensions(raw, "MmsMaxImageResolution", &mut repairs);
            assert_eq!(got.map(|d| d.to_string()).as_deref(), want, "{raw}");
            assert_eq!(codes(repairs), expected, "{raw}");
        }
    }

    #[test]
    fn counts_are_small() {
        let mut repairs = Repairs::default();
        assert_eq!(count("16", 48, "BitsPerPixel", &mut repairs), Some(16));
        assert_eq!(count("16 bits", 48, "BitsPerPixel", &mut repairs), Some(16));
        assert_eq!(count("0", 48, "BitsPerPixel", &mut repairs), None);
        assert_eq!(codes(repairs), [NumberForm, NumberSuspicious]);
    }
}
