//! Primitive encodings of WSP (WAP-230 §8.4): read tolerantly, written minimally.

mod content_type;

pub(super) use self::content_type::{ContentType, Param, content_type, params, put_param};
use super::{octets::lossy, tables};

/// Longest single string (mms-pdu.md §6).
const MAX_STRING: usize = 8 << 10;

/// Why a primitive could not be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Bad {
    /// Where, relative to the slice read.
    pub offset: usize,
    /// What is wrong.
    pub what: &'static str,
}

/// A cursor over octets. Every step is checked; it never passes the end.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    pub fn at(&self) -> usize {
        self.at
    }

    pub fn remaining(&self) -> usize {
        self.bytes.len() - self.at
    }

    pub fn is_empty(&self) -> bool {
        self.remaining() == 0
    }

    pub fn bad<T>(&self, what: &'static str) -> Result<T, Bad> {
        Err(Bad { offset: self.at, what })
    }

    pub fn peek(&self) -> Result<u8, Bad> {
        self.bytes.get(self.at).copied().map_or_else(|| self.bad("octet missing"), Ok)
    }

    pub fn octet(&mut self) -> Result<u8, Bad> {
        let octet = self.peek()?;
        self.at += 1;
        Ok(octet)
    }

    pub fn take(&mut self, count: usize) -> Result<&'a [u8], Bad> {
        match self.at.checked_add(count).and_then(|end| self.bytes.get(self.at..end)) {
            Some(slice) => {
                self.at += count;
                Ok(slice)
            }
            None => self.bad("length past the end"),
        }
    }

    /// At most 5 octets, at most 32 bits; leading zero groups are accepted.
    pub fn uintvar(&mut self) -> Result<u32, Bad> {
        let start = self.at;
        let mut value = 0u64;
        for _ in 0..5 {
            let octet = self.octet()?;
            value = value << 7 | u64::from(octet & 0x7F);
            if octet & 0x80 == 0 {
                return u32::try_from(value)
                    .map_err(|_| Bad { offset: start, what: "uintvar over 32 bits" });
            }
        }
        Err(Bad { offset: start, what: "uintvar over 5 octets" })
    }

    /// 0…30, or 31 and a uintvar (also where a short length would do, quirk 15).
    pub fn value_length(&mut self) -> Result<usize, Bad> {
        match self.octet()? {
            short @ 0..=30 => Ok(usize::from(short)),
            31 => Ok(self.uintvar()? as usize),
            _ => {
                self.at -= 1;
                self.bad("value-length expected")
            }
        }
    }

    /// The octets up to 0x00, without it and without the quote octet 0x7F.
    pub fn text(&mut self) -> Result<&'a [u8], Bad> {
        let rest = &self.bytes[self.at..];
        let Some(end) = rest.iter().take(MAX_STRING + 1).position(|&b| b == 0) else {
            return self.bad(if rest.len() > MAX_STRING {
                "string over 8 KiB"
            } else {
                "string without end"
            });
        };
        self.at += end + 1;
        let text = &rest[..end];
        Ok(match text {
            [0x7F, tail @ ..] => tail,
            _ => text,
        })
    }

    /// Short- or Long-integer of at most 8 octets.
    pub fn integer(&mut self) -> Result<u64, Bad> {
        match self.octet()? {
            short @ 0x80.. => Ok(u64::from(short & 0x7F)),
            length @ 1..=8 => {
                let octets = self.take(usize::from(length))?;
                Ok(octets.iter().fold(0, |value, &octet| value << 8 | u64::from(octet)))
            }
            _ => {
                self.at -= 1;
                self.bad("integer expected")
            }
        }
    }

    /// Any header value, told by its first octet (WAP-230 §8.4.1.2).
    pub fn value(&mut self) -> Result<&'a [u8], Bad> {
        let start = self.at;
        match self.peek()? {
            0..=31 => {
                let length = self.value_length()?;
                self.take(length)?;
            }
            32..=127 => {
                self.text()?;
            }
            128.. => self.at += 1,
        }
        Ok(&self.bytes[start..self.at])
    }

    /// A value that is text or Encoded-string by its field: an unquoted first character ≥ 0x80
    /// begins text, not a Short-integer.
    pub fn text_like(&mut self) -> Result<&'a [u8], Bad> {
        let start = self.at;
        match self.peek()? {
            128.. => {
                self.text()?;
                Ok(&self.bytes[start..self.at])
            }
            _ => self.value(),
        }
    }
}

/// Text in the charset `mib`.
pub(super) fn decode(bytes: &[u8], mib: u64) -> String {
    match mib {
        1000 | 1015 => {
            let big = !bytes.starts_with(&[0xFF, 0xFE]);
            let encoding = if big { encoding_rs::UTF_16BE } else { encoding_rs::UTF_16LE };
            encoding.decode_with_bom_removal(bytes).0.into_owned()
        }
        3 | 106 => lossy(bytes),
        _ => match tables::charset_name(mib)
            .and_then(|name| encoding_rs::Encoding::for_label(name.as_bytes()))
        {
            Some(encoding) => encoding.decode_without_bom_handling(bytes).0.into_owned(),
            None => lossy(bytes),
        },
    }
}

/// An Encoded-string-value, Text-string or Quoted-string as text.
pub(super) fn encoded_string(value: &[u8]) -> String {
    let mut reader = Reader::new(value);
    if matches!(reader.peek(), Ok(0..=31)) && reader.value_length().is_ok() {
        let mib = if matches!(reader.peek(), Ok(0x80)) {
            reader.octet().map(|_| 106)
        } else {
            reader.integer()
        };
        if let Ok(mib) = mib {
            let rest = reader.take(reader.remaining()).unwrap_or(&[]);
            // UTF-16 text holds 0x00 octets; it ends with the value.
            return if matches!(mib, 1000 | 1013..=1015) {
                let even = rest.len() - rest.len() % 2;
                decode(&rest[..even], mib).trim_end_matches('\0').to_owned()
            } else {
                let end = rest.iter().position(|&b| b == 0).unwrap_or(rest.len());
                decode(rest[..end].strip_prefix(&[0x7F]).unwrap_or(&rest[..end]), mib)
            };
        }
        return String::new();
    }
    let text = value.strip_suffix(&[0]).unwrap_or(value);
    lossy(text.strip_prefix(&[0x7F]).unwrap_or(text))
}

/// A text without its Quoted-string mark, closing quote or not.
pub(super) fn unquote(text: &[u8]) -> &[u8] {
    match text {
        [b'"', inner @ .., b'"'] => inner,
        [b'"', inner @ ..] => inner,
        _ => text,
    }
}

/// A minimal uintvar.
pub(super) fn put_uintvar(out: &mut Vec<u8>, value: usize) {
    put_uintvar_wide(out, value, 1);
}

/// A uintvar of at least `width` octets: leading zero groups keep sizes additive.
pub(super) fn put_uintvar_wide(out: &mut Vec<u8>, value: usize, width: usize) {
    for group in (0..uintvar_len(value).max(width)).rev() {
        let bits = (value as u64).checked_shr(group as u32 * 7).unwrap_or(0) as u8 & 0x7F;
        out.push(if group > 0 { bits | 0x80 } else { bits });
    }
}

/// Octets of a minimal uintvar.
pub(super) fn uintvar_len(value: usize) -> usize {
    (usize::BITS - value.leading_zeros()).max(1).div_ceil(7) as usize
}

/// A Value-length, short where it can be.
pub(super) fn put_value_length(out: &mut Vec<u8>, length: usize) {
    if length <= 30 {
        out.push(length as u8);
    } else {
        out.push(31);
        put_uintvar(out, length);
    }
}

/// A Text-string; 0x00 cannot be part of it and is left out.
pub(super) fn put_text(out: &mut Vec<u8>, text: &str) {
    if text.as_bytes().first().is_some_and(|&b| b >= 0x7F) {
        out.push(0x7F);
    }
    out.extend(text.bytes().filter(|&b| b != 0));
    out.push(0);
}

/// An Encoded-string: plain where ASCII, else UTF-8 (mms-pdu.md §5 rule 5).
pub(super) fn put_encoded_string(out: &mut Vec<u8>, text: &str) {
    if text.bytes().all(|b| (0x20..0x7F).contains(&b)) {
        put_text(out, text);
    } else {
        let mut value = vec![0xEA];
        put_text(&mut value, text);
        put_value_length(out, value.len());
        out.extend(value);
    }
}

/// A Long-integer of minimal length.
pub(super) fn put_long(out: &mut Vec<u8>, value: u64) {
    let octets = value.to_be_bytes();
    let skip = (value.leading_zeros() as usize / 8).min(7);
    out.push((8 - skip) as u8);
    out.extend(&octets[skip..]);
}

/// An Integer-value: short where it can be.
pub(super) fn put_integer(out: &mut Vec<u8>, value: u64) {
    if value < 0x80 { out.push(0x80 | value as u8) } else { put_long(out, value) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uintvars_read_and_write() {
        for (value, octets) in [
            (0usize, &[0u8][..]),
            (127, &[0x7F]),
            (128, &[0x81, 0]),
            (0x87A5, &[0x82, 0x8F, 0x25]),
            (0xFFFF_FFFF, &[0x8F, 0xFF, 0xFF, 0xFF, 0x7F]),
        ] {
            let mut out = Vec::new();
            put_uintvar(&mut out, value);
            assert_eq!(out, octets);
            assert_eq!(Reader::new(octets).uintvar(), Ok(value as u32));
        }
        let mut wide = Vec::new();
        put_uintvar_wide(&mut wide, 5, 4);
        assert_eq!(wide, [0x80, 0x80, 0x80, 5]);
        assert_eq!(Reader::new(&wide).uintvar(), Ok(5));
        assert!(Reader::new(&[0xFF; 9]).uintvar().is_err());
        assert!(Reader::new(&[0x9F, 0xFF, 0xFF, 0xFF, 0x7F]).uintvar().is_err());
        assert!(Reader::new(&[0x81]).uintvar().is_err());
    }

    #[test]
    fn values_are_skipped_by_their_first_octet() {
        for (bytes, length) in [
            (&[0x02u8, 1, 2, 9][..], 3usize),
            (&[0x1F, 0x02, 1, 2, 9], 4),
            (b"abc\0x", 4),
            (&[0x81, 0], 1),
        ] {
            assert_eq!(Reader::new(bytes).value().map(<[u8]>::len), Ok(length));
        }
        assert!(Reader::new(&[0x1F, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F]).value().is_err());
        assert!(Reader::new(b"abc").value().is_err());
    }

    #[test]
    fn integers_are_short_or_long() {
        for (value, octets) in [
            (5u64, &[0x85u8][..]),
            (128, &[1, 128]),
            (106, &[0xEA]),
            (1015, &[2, 3, 0xF7]),
            (0x0100_0000, &[4, 1, 0, 0, 0]),
        ] {
            let mut out = Vec::new();
            put_integer(&mut out, value);
            assert_eq!(out, octets);
            assert_eq!(Reader::new(octets).integer(), Ok(value));
        }
        let mut zero = Vec::new();
        put_long(&mut zero, 0);
        assert_eq!(zero, [1, 0]);
    }

    #[test]
    fn encoded_strings_in_every_dress() {
        for (octets, text) in [
            (&b"Hello\0"[..], "Hello"),
            (b"\x7f\xc3\xa4\0", "ä"),
            (b"\x06\xea\xc3\xa4bc\0", "äbc"),
            (b"\x1f\x04\x84\xe4b\0", "äb"),
            (b"\x09\x02\x03\xf7\xfe\xff\x00A\x00\x00", "A"),
            (b"\xe4b\0", "äb"),
        ] {
            assert_eq!(encoded_string(octets), text, "{octets:x?}");
        }
        let mut out = Vec::new();
        put_encoded_string(&mut out, "Grüße");
        assert_eq!(encoded_string(&out), "Grüße");
        assert_eq!(out[..3], [9, 0xEA, b'G']);
    }
}
