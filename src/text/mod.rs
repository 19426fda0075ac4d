//! Texts: which charset they really are in, and the same text in another one.
//!
//! Nothing is ever cut. Line ends, blanks and marks of direction stay; a byte order mark stays
//! only where the charset needs one.

mod charset;
pub(crate) mod html;
#[cfg(test)]
mod tests;
mod vcard;

pub use charset::Charset;
pub(crate) use vcard::without_media;

/// What a text's bytes are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// The charset that the bytes are in.
    pub charset: Charset,
    /// The text.
    pub text: String,
    /// Some bytes are invalid in every charset tried: the text holds replacement characters.
    pub damaged: bool,
}

/// Reads a text whose label may be absent or wrong: a byte order mark first; then UTF-16 where every
/// other byte is a control, as in no other text; then UTF-8; then the label; then a guess
/// (mms-conformance.md §4; the guess is Firefox's, by the `chardetng` crate). A control character
/// here and there says nothing: a vertical tab made Chinese of English texts.
pub fn read(data: &[u8], label: Option<&str>) -> Found {
    let label = label.and_then(Charset::for_label);
    let as_is = |charset: Charset| {
        let (text, damaged) = charset.decode(data);
        Found { charset, text, damaged }
    };
    let wide = || Charset::by_shape(data).filter(|_| charset::alternates(data, 0.8));
    if let Some(marked) = Charset::by_mark(data).or_else(wide) {
        return as_is(marked);
    }
    if data.is_ascii() {
        // Escapes switch ISO-2022-JP between sets within seven bits, `~{` those of HZ.
        let escaped = label.filter(|l| l.is_stateful() && data.contains(&0x1b));
        return as_is(escaped.unwrap_or(Charset::US_ASCII));
    }
    if std::str::from_utf8(data).is_ok() {
        return as_is(Charset::UTF_8);
    }
    // What is called ISO 8859-1 and has bytes that mean nothing there is of Windows.
    let windows = |c: &u8| (0x80..0xA0).contains(c);
    let label = match label {
        Some(Charset::ISO_8859_1) if data.iter().any(windows) => {
            Some(Charset::of(encoding_rs::WINDOWS_1252))
        }
        label => label,
    };
    // Single-byte charsets never fail: a label of one of them is believed, like a phone would.
    if let Some(label) = label.filter(|l| *l != Charset::US_ASCII && *l != Charset::UTF_8) {
        let found = as_is(label);
        if !found.damaged {
            return found;
        }
    }
    if let Some(wide) = Charset::by_shape(data).filter(|_| charset::alternates(data, 0.1)) {
        return as_is(wide);
    }
    let mut detector = chardetng::EncodingDetector::new(chardetng::Iso2022JpDetection::Deny);
    detector.feed(data, true);
    as_is(Charset::of(detector.guess(None, chardetng::Utf8Detection::Deny)))
}

/// The charset for a text among those that a device reads: UTF-8, else the first that holds all of
/// it, else the first; US-ASCII of none.
pub fn best(text: &str, accepted: &[Charset]) -> Charset {
    let utf8 = accepted.iter().find(|charset| **charset == Charset::UTF_8);
    let holds = || accepted.iter().find(|charset| charset.holds(text));
    *utf8.or_else(holds).or(accepted.first()).unwrap_or(&Charset::US_ASCII)
}

/// A text in a charset.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// The bytes.
    pub data: Vec<u8>,
    /// Characters that had to be written with others, each once, in order: at most
    /// [`MAX_TOLD`] of them.
    pub transliterated: Vec<char>,
}

/// Characters that a report names.
pub const MAX_TOLD: usize = 8;

/// The text in `charset`; what it cannot write is written with letters that sound or look alike
/// (the `deunicode` crate), or with `?`.
pub fn write(text: &str, charset: Charset) -> Written {
    if let Some(data) = charset.encode(text) {
        return Written { data, transliterated: Vec::new() };
    }
    let (mut told, mut mended) = (Vec::new(), String::with_capacity(text.len()));
    let mut buffer = [0; 4];
    for c in text.chars() {
        if charset.encode(c.encode_utf8(&mut buffer)).is_some() {
            mended.push(c);
            continue;
        }
        if told.len() < MAX_TOLD && !told.contains(&c) {
            told.push(c);
        }
        let like = deunicode::deunicode_char(c).filter(|like| charset.encode(like).is_some());
        mended.push_str(like.unwrap_or("?"));
    }
    // Every character was tried alone; stateful charsets write them together all the same.
    let data = charset.encode(&mended).unwrap_or_else(|| {
        mended.chars().map(|c| u8::try_from(c).ok().filter(u8::is_ascii).unwrap_or(b'?')).collect()
    });
    Written { data, transliterated: told }
}
