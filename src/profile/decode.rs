//! Bytes to text: byte order marks, declared encodings, UTF-16, stray bytes. Never fails on a
//! wrong byte; what had to be repaired is reported.

use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};

use super::{error::ProfileError, repairs::Repairs};
use crate::model::RepairCode;

/// Bytes of a document that are read; the largest of 3,621 real ones is far below.
pub(super) const MAX_BYTES: usize = 1 << 20;

/// The text of a document, from its first `<` on.
///
/// # Errors
/// Empty, binary, WBXML, or no markup at all.
pub(super) fn decode(bytes: &[u8], repairs: &mut Repairs) -> Result<String, ProfileError> {
    let head = match bytes {
        [] => return Err(ProfileError::NotAProfile("an empty document".into())),
        // WAP-192 §5.4: the first byte is the WBXML version, 1.1 to 1.3.
        [0x01..=0x03, ..] => return Err(ProfileError::BinaryProfile),
        _ if bytes.len() > MAX_BYTES => {
            repairs.add(RepairCode::CapReached, "", &format!("{} bytes", bytes.len()));
            bytes.get(..MAX_BYTES).unwrap_or(bytes)
        }
        _ => bytes,
    };
    let text = to_text(head, repairs);
    let controls = text.chars().filter(|c| is_forbidden(*c)).count();
    if controls > 0 {
        if controls > text.len() / 10 {
            return Err(ProfileError::NotAProfile("binary data".into()));
        }
        repairs.add(RepairCode::Encoding, "", &format!("{controls} control characters"));
    }
    let text: String = text.chars().filter(|c| !is_forbidden(*c)).collect();
    let Some(start) = text.find('<') else {
        return Err(ProfileError::NotAProfile("no markup".into()));
    };
    let (before, rest) = text.split_at(start);
    if !before.trim().is_empty() || (!before.is_empty() && rest.starts_with("<?xml")) {
        let raw = if before.trim().is_empty() { "blanks before the declaration" } else { before };
        repairs.add(RepairCode::LeadingJunk, "", raw);
    }
    Ok(rest.to_owned())
}

/// Characters that XML 1.0 §2.2 forbids.
fn is_forbidden(c: char) -> bool {
    (c < ' ' && !matches!(c, '\t' | '\n' | '\r')) || matches!(c, '\u{fffe}' | '\u{ffff}')
}

fn to_text(bytes: &[u8], repairs: &mut Repairs) -> String {
    if let Some((encoding, length)) = Encoding::for_bom(bytes) {
        let rest = bytes.get(length..).unwrap_or(&[]);
        if encoding == UTF_8 {
            repairs.add(RepairCode::LeadingJunk, "", "UTF-8 byte order mark");
            return utf8_or_latin(rest, repairs);
        }
        let text = lossy(encoding, rest, repairs);
        if let Some(label) = declared(text.as_bytes())
            && !label.to_ascii_lowercase().starts_with("utf-16")
        {
            repairs.add(RepairCode::Encoding, "", &format!("UTF-16 declared as {label}"));
        }
        return text;
    }
    let pair = |at: usize| (bytes.get(at).copied(), bytes.get(at + 1).copied());
    match pair(0) {
        (Some(b'<'), Some(0)) => {
            repairs.add(RepairCode::Encoding, "", "UTF-16 without byte order mark");
            return lossy(UTF_16LE, bytes, repairs);
        }
        (Some(0), Some(b'<')) => {
            repairs.add(RepairCode::Encoding, "", "UTF-16 without byte order mark");
            return lossy(UTF_16BE, bytes, repairs);
        }
        _ => {}
    }
    let Some(label) = declared(bytes) else { return utf8_or_latin(bytes, repairs) };
    match Encoding::for_label(label.as_bytes()) {
        Some(encoding) if encoding == UTF_8 => utf8_or_latin(bytes, repairs),
        Some(encoding) if encoding != UTF_16LE && encoding != UTF_16BE => {
            lossy(encoding, bytes, repairs)
        }
        // UTF-16 that is none, or a name that nobody knows.
        _ => {
            repairs.add(RepairCode::Encoding, "", &label);
            utf8_or_latin(bytes, repairs)
        }
    }
}

/// UTF-8; where it is not, the Western superset of Latin-1 that mislabelled documents are in.
fn utf8_or_latin(bytes: &[u8], repairs: &mut Repairs) -> String {
    match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        // Cut by the size cap in the middle of a character: nothing is wrong.
        Err(error) if error.error_len().is_none() && bytes.len() == MAX_BYTES => {
            String::from_utf8_lossy(bytes).into_owned()
        }
        Err(error) => {
            let at = error.valid_up_to();
            repairs.add(RepairCode::Encoding, "", &format!("no UTF-8 at byte {at}"));
            WINDOWS_1252.decode_without_bom_handling(bytes).0.into_owned()
        }
    }
}

fn lossy(encoding: &'static Encoding, bytes: &[u8], repairs: &mut Repairs) -> String {
    let (text, broken) = encoding.decode_without_bom_handling(bytes);
    if broken {
        repairs.add(RepairCode::Encoding, "", &format!("broken {}", encoding.name()));
    }
    text.into_owned()
}

/// The encoding that the XML declaration names.
fn declared(bytes: &[u8]) -> Option<String> {
    let head = bytes.get(..bytes.len().min(512))?;
    let head = String::from_utf8_lossy(head);
    let declaration = head.get(head.find("<?xml")?..)?;
    let declaration = declaration.get(..declaration.find("?>")?)?;
    let value = declaration.get(declaration.find("encoding")? + "encoding".len()..)?;
    let value = value.trim_start().strip_prefix('=')?.trim_start();
    let quote = value.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    let value = value.get(1..)?;
    value.get(..value.find(quote)?).map(|label| label.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(bytes: &[u8], text: &str, codes: &[RepairCode]) {
        let mut repairs = Repairs::default();
        assert_eq!(decode(bytes, &mut repairs).as_deref(), Ok(text));
        let found: Vec<RepairCode> = repairs.into_vec().iter().map(|r| r.code).collect();
        assert_eq!(found, codes, "{text}");
    }

    #[test]
    fn marks_and_encodings_are_understood() {
        check(b"<a>x</a>", "<a>x</a>", &[]);
        check(b"\xef\xbb\xbf<a/>", "<a/>", &[RepairCode::LeadingJunk]);
        check(
            b" \n<?xml version='1.0'?><a/>",
            "<?xml version='1.0'?><a/>",
            &[RepairCode::LeadingJunk],
        );
        check(b"*****<a/>", "<a/>", &[RepairCode::LeadingJunk]);
        check(b"<a>\xe9</a>", "<a>\u{e9}</a>", &[RepairCode::Encoding]);
        check(b"<a>1\x002</a>", "<a>12</a>", &[RepairCode::Encoding]);
        let latin = b"<?xml version=\"1.0\" encoding='ISO-8859-1'?><a>\xe9</a>";
        let mut repairs = Repairs::default();
        assert!(decode(latin, &mut repairs).is_ok_and(|text| text.contains('\u{e9}')));
        assert!(repairs.into_vec().is_empty());
        for (bom, le) in [(true, true), (true, false), (false, true), (false, false)] {
            let mut bytes: Vec<u8> = Vec::new();
            let mark = if bom { "\u{feff}" } else { "" };
            for unit in format!("{mark}<a>\u{d7}</a>").encode_utf16() {
                bytes.extend(if le { unit.to_le_bytes() } else { unit.to_be_bytes() });
            }
            let codes: &[RepairCode] = if bom { &[] } else { &[RepairCode::Encoding] };
            check(&bytes, "<a>\u{d7}</a>", codes);
        }
    }

    #[test]
    fn what_is_no_text_is_refused() {
        let mut repairs = Repairs::default();
        for (bytes, error) in [
            (&b""[..], "NotAProfile"),
            (b"\x03\x01\x6a\x00", "BinaryProfile"),
            (b"no markup here", "NotAProfile"),
            (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\0", "NotAProfile"),
        ] {
            let got = decode(bytes, &mut repairs);
            assert!(format!("{got:?}").contains(error), "{got:?}");
        }
    }
}
