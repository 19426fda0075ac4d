//! Charsets by their IANA names, and what they can write.

use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE};

/// Whether at least `share` of the bytes at even or of those at odd places are controls: the upper
/// halves of Latin, Cyrillic, Greek and their like in UTF-16.
pub(super) fn alternates(data: &[u8], share: f64) -> bool {
    let controls = |at: usize| data.iter().skip(at).step_by(2).filter(|b| **b < 0x20).count();
    controls(0).max(controls(1)) as f64 >= share * (data.len() / 2).max(1) as f64
}

/// A charset of texts in messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Charset(Inner);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Inner {
    Ascii,
    /// ISO 8859-1 as IANA means it; the web calls Windows-1252 so.
    Latin1,
    /// ISO 10646 in two bytes, big end first where there is no mark: `UTF-16`, and
    /// `ISO-10646-UCS-2`, which phones say (mms-conformance.md §4).
    Utf16 {
        little: bool,
    },
    Web(&'static Encoding),
}

impl Charset {
    /// US-ASCII.
    pub const US_ASCII: Self = Self(Inner::Ascii);
    /// ISO-8859-1.
    pub const ISO_8859_1: Self = Self(Inner::Latin1);
    /// UTF-8.
    pub const UTF_8: Self = Self(Inner::Web(UTF_8));

    /// By any name that is in use; `None` for unknown ones.
    pub fn for_label(label: &str) -> Option<Self> {
        let label = label.trim().trim_matches('"').to_ascii_lowercase();
        Some(Self(match label.as_str() {
            "us-ascii" | "ascii" | "iso646-us" | "ansi_x3.4-1968" => Inner::Ascii,
            "iso-8859-1" | "iso8859-1" | "iso_8859-1" | "latin1" | "l1" => Inner::Latin1,
            "utf-16le" => Inner::Utf16 { little: true },
            "utf-16" | "utf-16be" | "iso-10646-ucs-2" | "ucs-2" | "csunicode" | "utf16" => {
                Inner::Utf16 { little: false }
            }
            _ => return Encoding::for_label(label.as_bytes()).map(Self::of),
        }))
    }

    pub(super) fn of(encoding: &'static Encoding) -> Self {
        Self(Inner::Web(encoding))
    }

    /// Byte order marks (Unicode 15, table 23-4).
    pub(super) fn by_mark(data: &[u8]) -> Option<Self> {
        match data {
            [0xEF, 0xBB, 0xBF, ..] => Some(Self::UTF_8),
            [0xFE, 0xFF, ..] => Some(Self(Inner::Utf16 { little: false })),
            [0xFF, 0xFE, ..] => Some(Self(Inner::Utf16 { little: true })),
            _ => None,
        }
    }

    /// UTF-16 without a mark. Texts hold no control characters but blanks and line ends; the upper
    /// halves of UTF-16 are full of them (00 of Latin, 04 of Cyrillic), and of few others.
    pub(super) fn by_shape(data: &[u8]) -> Option<Self> {
        let control = |c: u32| c < 0x20 && ![0x09, 0x0A, 0x0C, 0x0D, 0x1B].contains(&c);
        if !data.len().is_multiple_of(2) || !data.iter().any(|b| control(u32::from(*b))) {
            return None;
        }
        let distinct = |at: usize| {
            let mut seen = [false; 256];
            data.iter().skip(at).step_by(2).for_each(|b| seen[usize::from(*b)] = true);
            seen.iter().filter(|seen| **seen).count()
        };
        // The upper halves are those that are less varied; where both are alike, the one with
        // more zeros.
        let zeros = |at: usize| data.iter().skip(at).step_by(2).filter(|b| **b == 0).count();
        let little = (distinct(1), zeros(0)) < (distinct(0), zeros(1));
        let charset = Self(Inner::Utf16 { little });
        let (text, damaged) = charset.decode(data);
        let text_like = !text.is_empty() && !text.chars().any(|c| control(u32::from(c)));
        (text_like && !damaged).then_some(charset)
    }

    /// The name to declare.
    pub fn name(self) -> &'static str {
        match self.0 {
            Inner::Ascii => "us-ascii",
            Inner::Latin1 => "iso-8859-1",
            Inner::Utf16 { .. } => "utf-16",
            Inner::Web(encoding) => match encoding.name() {
                "UTF-8" => "utf-8",
                "gb18030" => "gb18030",
                "GBK" => "gbk",
                name => name,
            },
        }
    }

    /// Whether both names mean charsets in which `text` has the same bytes, as far as readers
    /// tell: UTF-16 of either end, and what is within US-ASCII.
    pub fn reads_as(self, other: Self, ascii: bool) -> bool {
        let wide = |c: Self| matches!(c.0, Inner::Utf16 { .. });
        self == other
            || wide(self) && wide(other)
            || ascii && !wide(self) && !wide(other) && !self.is_stateful() && !other.is_stateful()
            // Windows-1252 has all that ISO 8859-1 has; the web reads one as the other.
            || self == Self::ISO_8859_1 && other == Self::of(encoding_rs::WINDOWS_1252)
            // GB2312 and GBK are subsets that share their names (RFC 1922; encoding.spec.whatwg.org).
            || self == Self::of(encoding_rs::GBK) && other == Self::of(encoding_rs::GB18030)
    }

    pub(super) fn is_stateful(self) -> bool {
        self.0 == Inner::Web(encoding_rs::ISO_2022_JP)
    }

    pub(super) fn decode(self, data: &[u8]) -> (String, bool) {
        let cow = |encoding: &'static Encoding, data: &[u8]| {
            let (text, damaged) = encoding.decode_with_bom_removal(data);
            (text.into_owned(), damaged)
        };
        match self.0 {
            Inner::Ascii => {
                let text =
                    data.iter().map(|b| if b.is_ascii() { char::from(*b) } else { '\u{fffd}' });
                (text.collect(), !data.is_ascii())
            }
            Inner::Latin1 => (data.iter().map(|b| char::from(*b)).collect(), false),
            Inner::Utf16 { little } => {
                let marked = match data {
                    [0xFF, 0xFE, ..] => Some(UTF_16LE),
                    [0xFE, 0xFF, ..] => Some(UTF_16BE),
                    _ => None,
                };
                cow(marked.unwrap_or(if little { UTF_16LE } else { UTF_16BE }), data)
            }
            Inner::Web(encoding) => cow(encoding, data),
        }
    }

    /// The text's bytes; `None` where a character has none.
    pub(super) fn encode(self, text: &str) -> Option<Vec<u8>> {
        match self.0 {
            Inner::Ascii => text.is_ascii().then(|| text.as_bytes().to_vec()),
            Inner::Latin1 => text.chars().map(|c| u8::try_from(c).ok()).collect(),
            // With its mark: readers of `utf-16` look for it.
            Inner::Utf16 { .. } => {
                let mut out = vec![0xFE, 0xFF];
                out.extend(text.encode_utf16().flat_map(u16::to_be_bytes));
                Some(out)
            }
            Inner::Web(encoding) => {
                let (data, _, unmappable) = encoding.encode(text);
                (!unmappable).then(|| data.into_owned())
            }
        }
    }

    /// Whether all of `text` can be written in it.
    pub fn holds(self, text: &str) -> bool {
        self.encode(text).is_some()
    }
}
