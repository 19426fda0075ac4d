//! Header fields: found in raw bytes, read as text (RFC 5322, 2045, 2047, 2231), rewritten.

use std::ops::Range;

use super::{names::percent_bytes, octets::lossy};

/// One field of a header block.
#[derive(Clone, Debug)]
pub(crate) struct Field {
    /// Lower case.
    pub name: String,
    /// The whole field with its line ends.
    pub range: Range<usize>,
    /// Unfolded, trimmed, as it is spelt.
    pub value: String,
}

/// The length of the header block at the start of `bytes`, its blank line included; `None` where
/// it has no end.
pub(super) fn block_len(bytes: &[u8]) -> Option<usize> {
    let mut at = 0;
    while at < bytes.len() {
        let end = line_end(bytes, at);
        if matches!(&bytes[at..end], b"\n" | b"\r\n") {
            return Some(end);
        }
        at = end;
    }
    None
}

/// Where the line that starts at `at` ends, its `\n` included.
pub(super) fn line_end(bytes: &[u8], at: usize) -> usize {
    memchr::memchr(b'\n', &bytes[at..]).map_or(bytes.len(), |found| at + found + 1)
}

/// Whether `bytes` start with an HTTP request or status line (RFC 9112 §3, §4).
pub(super) fn http_start(bytes: &[u8]) -> bool {
    let line = &bytes[..line_end(bytes, 0).min(4096)];
    let line = line.trim_ascii_end();
    line.starts_with(b"HTTP/1.")
        || line.len() > 9
            && line[line.len() - 9..].starts_with(b" HTTP/1.")
            && line[0].is_ascii_uppercase()
}

/// The fields of a header block; lines that are none are passed over.
pub(super) fn fields(head: &[u8]) -> Vec<Field> {
    let mut list: Vec<Field> = Vec::new();
    let mut at = if http_start(head) { line_end(head, 0) } else { 0 };
    while at < head.len() {
        let start = at;
        at = line_end(head, at);
        while matches!(head.get(at), Some(b' ' | b'\t'))
            && !head[at..line_end(head, at)].trim_ascii().is_empty()
        {
            at = line_end(head, at);
        }
        let raw = &head[start..at];
        let Some(colon) = raw.iter().position(|&b| b == b':') else { continue };
        let name = raw[..colon].trim_ascii_end();
        if name.is_empty() || !name.iter().all(|b| (33..127).contains(b)) {
            continue;
        }
        let value: Vec<u8> =
            raw[colon + 1..].iter().copied().filter(|b| !b"\r\n".contains(b)).collect();
        list.push(Field {
            name: lossy(name).to_ascii_lowercase(),
            range: start..at,
            value: lossy(value.trim_ascii()),
        });
    }
    list
}

/// A media type or disposition and its parameters: names lower case, values decoded.
pub(crate) fn split_params(text: &str) -> (String, Vec<(String, String)>) {
    let mut pieces = split_quoted(text).into_iter();
    let main = pieces.next().unwrap_or_default().trim().to_owned();
    let mut plain: Vec<(String, String)> = Vec::new();
    for piece in pieces {
        let Some((name, value)) = piece.split_once('=') else { continue };
        let name = name.trim().to_ascii_lowercase();
        if !name.is_empty() {
            plain.push((name, unquote(value.trim())));
        }
    }
    (main, join_continuations(plain))
}

/// Splits at semicolons outside quotes.
fn split_quoted(text: &str) -> Vec<String> {
    let mut pieces = vec![String::new()];
    let (mut quoted, mut escaped) = (false, false);
    for c in text.chars() {
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            ';' if !quoted => {
                pieces.push(String::new());
                continue;
            }
            _ => {}
        }
        if let Some(last) = pieces.last_mut() {
            last.push(c);
        }
    }
    pieces
}

fn unquote(value: &str) -> String {
    let Some(inner) = value.strip_prefix('"') else { return value.to_owned() };
    let inner = inner.strip_suffix('"').unwrap_or(inner);
    let mut out = String::with_capacity(inner.len());
    let mut escaped = false;
    for c in inner.chars() {
        if c == '\\' && !escaped {
            escaped = true;
        } else {
            out.push(c);
            escaped = false;
        }
    }
    out
}

/// RFC 2231: `name*0*=`, `name*1=` joined, `name*=utf-8''...` decoded; RFC 2047 words, which do
/// not belong into parameters but are met there, decoded too.
fn join_continuations(plain: Vec<(String, String)>) -> Vec<(String, String)> {
    let mut list: Vec<(String, String)> = Vec::new();
    let mut pieces: Vec<(String, usize, bool, String)> = Vec::new();
    for (name, value) in plain {
        let Some((base, tail)) = name.split_once('*') else {
            let value = decode_words(&value);
            list.push((name, value));
            continue;
        };
        let number = tail.trim_end_matches('*').parse().unwrap_or(0);
        let extended = tail.is_empty() || tail.ends_with('*');
        pieces.push((base.to_owned(), number, extended, value));
    }
    pieces.sort_by(|a, b| (&a.0, a.1).cmp(&(&b.0, b.1)));
    for group in pieces.chunk_by(|a, b| a.0 == b.0) {
        let mut bytes = Vec::new();
        let mut charset = String::new();
        for (at, (_, _, extended, value)) in group.iter().enumerate() {
            let mut text = value.as_str();
            if at == 0
                && *extended
                && let [label, _, rest] = value.splitn(3, '\'').collect::<Vec<_>>()[..]
            {
                charset = label.to_owned();
                text = rest;
            }
            if *extended { percent_bytes(text, &mut bytes) } else { bytes.extend(text.bytes()) }
        }
        let value = match encoding_rs::Encoding::for_label(charset.as_bytes()) {
            Some(encoding) => encoding.decode_without_bom_handling(&bytes).0.into_owned(),
            None => lossy(&bytes),
        };
        // The extended form wins over a plain twin (RFC 6266 §4.3).
        list.retain(|(name, _)| *name != group[0].0);
        list.push((group[0].0.clone(), value));
    }
    list
}

/// RFC 2047 encoded words in `text` decoded; blanks between two of them go.
pub(crate) fn decode_words(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    let mut after_word = false;
    while let Some(start) = rest.find("=?") {
        let between = &rest[..start];
        match word(&rest[start..]) {
            Some((decoded, length)) => {
                if !(after_word && between.trim().is_empty()) {
                    out.push_str(between);
                }
                out.push_str(&decoded);
                rest = &rest[start + length..];
                after_word = true;
            }
            None => {
                out.push_str(&rest[..start + 2]);
                rest = &rest[start + 2..];
                after_word = false;
            }
        }
    }
    out.push_str(rest);
    out
}

fn word(text: &str) -> Option<(String, usize)> {
    let inner = text.strip_prefix("=?")?;
    let charset_end = inner.bytes().take(80).position(|b| b == b'?')?;
    let kind = inner.as_bytes().get(charset_end + 1)?.to_ascii_lowercase();
    let body = inner.get(charset_end + 3..)?;
    if inner.as_bytes().get(charset_end + 2) != Some(&b'?') {
        return None;
    }
    // A word is at most 75 characters long; be generous, yet linear.
    let end = body.as_bytes().windows(2).take(1000).position(|two| two == b"?=")?;
    let bytes = match kind {
        b'b' => super::transfer::base64_decode(&body.as_bytes()[..end]),
        b'q' => super::transfer::qp_decode(body[..end].replace('_', " ").as_bytes()),
        _ => return None,
    };
    let label = inner[..charset_end].split('*').next().unwrap_or("");
    let encoding = encoding_rs::Encoding::for_label(label.as_bytes())?;
    let decoded = encoding.decode_without_bom_handling(&bytes).0.into_owned();
    Some((decoded, 2 + charset_end + 3 + end + 2))
}

/// Text as encoded words where it is not ASCII. Control characters become spaces: a value can
/// never begin a new header line.
pub(crate) fn encode_words(text: &str) -> String {
    let clean: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    if clean.is_ascii() && !clean.contains("=?") {
        return clean;
    }
    let mut words: Vec<String> = Vec::new();
    let mut chunk = String::new();
    for c in clean.chars() {
        // 45 bytes are 60 characters of base64: with the frame under the 75 of RFC 2047 §2.
        if chunk.len() + c.len_utf8() > 45 {
            words.push(std::mem::take(&mut chunk));
        }
        chunk.push(c);
    }
    words.push(chunk);
    let coded = words
        .iter()
        .map(|chunk| format!("=?utf-8?B?{}?=", super::transfer::base64_plain(chunk.as_bytes())));
    coded.collect::<Vec<_>>().join("\r\n ")
}

/// Appends `name=value`: a token where it is one, else quoted, else RFC 2231.
pub(crate) fn push_param(out: &mut String, name: &str, value: &str) {
    let clean: String = value.chars().filter(|c| !c.is_control()).collect();
    let token = |b: u8| b.is_ascii_alphanumeric() || b"-._+!#$&^~".contains(&b);
    if !clean.is_ascii() {
        out.push_str(&format!("{name}*=utf-8''"));
        for byte in clean.bytes() {
            match byte {
                b if b.is_ascii_alphanumeric() || b"-._~".contains(&b) => out.push(b.into()),
                b => out.push_str(&format!("%{b:02X}")),
            }
        }
    } else if !clean.is_empty() && clean.bytes().all(token) {
        out.push_str(&format!("{name}={clean}"));
    } else {
        let quoted = clean.replace('\\', "\\\\").replace('"', "\\\"");
        out.push_str(&format!("{name}=\"{quoted}\""));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_in_every_dress() {
        let (main, params) = split_params(
            "image/jpeg; name=\"a;b\\\".jpg\"; FILENAME*=UTF-8''%e2%82%ac.jpg; x*1=d; x*0*=''c; \
             y=\"=?utf-8?B?w6Q=?=\"; broken",
        );
        assert_eq!(main, "image/jpeg");
        let get = |name: &str| params.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str());
        assert_eq!(get("name"), Some("a;b\".jpg"));
        assert_eq!(get("filename"), Some("€.jpg"));
        assert_eq!(get("x"), Some("cd"));
        assert_eq!(get("y"), Some("ä"));
        for value in ["plain.jpg", "a b.jpg", "q\"\\.jpg", "ä€.jpg", "=x"] {
            let mut text = "image/jpeg; ".to_owned();
            push_param(&mut text, "name", value);
            assert_eq!(split_params(&text).1, [("name".to_owned(), value.to_owned())], "{text}");
        }
    }

    #[test]
    fn words_decode_and_encode() {
        assert_eq!(decode_words("=?utf-8?B?R3LDvMOfZQ==?="), "Grüße");
        assert_eq!(decode_words("a =?iso-8859-1?Q?=E4_b?= =?utf-8?q?c?= d"), "a ä bc d");
        assert_eq!(decode_words("=?x?=?="), "=?x?=?=");
        let long = "Größenwahn 你好 ".repeat(9);
        let coded = encode_words(&long);
        assert!(coded.split("\r\n").all(|line| line.len() <= 76));
        assert_eq!(decode_words(&coded.replace("\r\n ", " ")), long);
        assert_eq!(encode_words("a\r\nBcc: x"), "a  Bcc: x");
    }

    #[test]
    fn http_lines_are_told_from_fields() {
        assert!(http_start(b"POST /mm7 HTTP/1.1\r\n"));
        assert!(http_start(b"HTTP/1.1 200 OK\r\n"));
        assert!(!http_start(b"Content-Type: x\r\n"));
    }
}
