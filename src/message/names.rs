//! File names: the extension of a new type, safety of names that we write, uniqueness.

use std::collections::HashSet;

use crate::model::MediaType;

/// Longest name that we write.
const MAX_NAME: usize = 200;

/// Media types of file extensions beyond those that [`MediaType::extension`] gives.
const OTHER_EXTENSIONS: [(&str, &str); 28] = [
    ("jpeg", "image/jpeg"),
    ("jpe", "image/jpeg"),
    ("jfif", "image/jpeg"),
    ("apng", "image/png"),
    ("tiff", "image/tiff"),
    ("heif", "image/heic"),
    ("dib", "image/bmp"),
    ("midi", "audio/midi"),
    ("kar", "audio/midi"),
    ("smi", "application/smil"),
    ("smf", "audio/midi"),
    ("text", "text/plain"),
    ("3gpp", "video/3gpp"),
    ("3gpp2", "video/3gpp2"),
    ("mpg4", "video/mp4"),
    ("m4v", "video/mp4"),
    ("qt", "video/quicktime"),
    ("mp4a", "audio/mp4"),
    ("oga", "audio/ogg"),
    ("opus", "audio/ogg"),
    ("flac", "audio/flac"),
    ("aif", "audio/aiff"),
    ("aiff", "audio/aiff"),
    ("qcp", "audio/qcelp"),
    ("webm", "video/webm"),
    ("mkv", "video/x-matroska"),
    ("avi", "video/x-msvideo"),
    ("svg", "image/svg+xml"),
];

const CANONICAL: [&str; 26] = [
    "image/jpeg",
    "image/png",
    "image/gif",
    "image/vnd.wap.wbmp",
    "image/bmp",
    "image/tiff",
    "image/webp",
    "image/heic",
    "image/avif",
    "audio/amr",
    "audio/amr-wb",
    "audio/aac",
    "audio/mp4",
    "audio/mpeg",
    "audio/wav",
    "audio/ogg",
    "audio/midi",
    "audio/imelody",
    "video/3gpp",
    "video/3gpp2",
    "video/mp4",
    "video/quicktime",
    "text/plain",
    "text/x-vcard",
    "text/x-vcalendar",
    "application/smil",
];

/// The media type that a file extension stands for.
fn type_of(extension: &str) -> Option<&'static str> {
    let lower = extension.to_ascii_lowercase();
    OTHER_EXTENSIONS.iter().find(|(known, _)| *known == lower).map(|&(_, media)| media).or_else(
        || {
            CANONICAL
                .into_iter()
                .find(|name| MediaType::fold(name).extension() == Some(lower.as_str()))
        },
    )
}

/// `name` with the extension of `media`: a known other extension is replaced, to none or an
/// unknown one the new is appended, a fitting one stays. `None` where nothing changes.
pub(super) fn renamed(name: &str, media: &MediaType) -> Option<String> {
    let extension = media.extension()?;
    // A query or fragment is no part of the name.
    let (path, rest) = name.split_at(name.find(['?', '#']).unwrap_or(name.len()));
    let base = path.rfind(['/', '\\']).map_or(0, |at| at + 1);
    if path.len() == base {
        return None;
    }
    let (stem, old) = match path[base..].rfind('.') {
        Some(dot) if dot > 0 => (&path[..base + dot], &path[base + dot + 1..]),
        _ => (path, ""),
    };
    let fresh = match type_of(old) {
        Some(known) if MediaType::fold(known).extension() == Some(extension) => return None,
        Some(_) => format!("{stem}.{extension}{rest}"),
        None => format!("{path}.{extension}{rest}"),
    };
    Some(safe(&fresh))
}

/// A name that is safe to write: no control characters; unless it is an absolute URL, no
/// directories (`../../x` becomes `x`) and no drive letters.
pub(super) fn safe(name: &str) -> String {
    let clean: String = name.chars().filter(|c| !c.is_control()).collect();
    let base = if clean.contains("://") && !clean.contains("..") {
        clean.as_str()
    } else {
        clean.rsplit(['/', '\\', ':']).next().unwrap_or("")
    };
    let base = base.trim_start_matches('.').trim();
    let base = if base.is_empty() { "part" } else { base };
    if base.len() <= MAX_NAME {
        return base.to_owned();
    }
    // Keep the extension of a name that is cut.
    let dot = base.rfind('.').filter(|dot| base.len() - dot <= 8).unwrap_or(base.len());
    let tail = &base[dot..];
    let mut cut = MAX_NAME - tail.len();
    while !base.is_char_boundary(cut) {
        cut -= 1;
    }
    format!("{}{tail}", &base[..cut])
}

/// The names of a message that are taken, compared without case.
#[derive(Debug, Default)]
pub(super) struct Taken(HashSet<String>);

impl Taken {
    pub fn add(&mut self, name: &str) {
        self.0.insert(name.to_lowercase());
    }

    pub fn has(&self, name: &str) -> bool {
        self.0.contains(&name.to_lowercase())
    }

    /// `name`, or `stem-2.ext`, `stem-3.ext` ... if others have it; then taken.
    pub fn claim(&mut self, name: String) -> String {
        let mut fresh = name.clone();
        let mut number = 2usize;
        while self.has(&fresh) {
            let dot = name.rfind('.').filter(|&dot| dot > 0).unwrap_or(name.len());
            fresh = format!("{}-{number}{}", &name[..dot], &name[dot..]);
            number += 1;
        }
        self.add(&fresh);
        fresh
    }
}

/// Appends `text` with its percent-encoded octets decoded (RFC 3986 clause 2.1, RFC 2231); what is
/// no such octet stays as it is.
pub(super) fn percent_bytes(text: &str, out: &mut Vec<u8>) {
    let bytes = text.as_bytes();
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let hex = bytes.get(at + 1..at + 3).and_then(|two| std::str::from_utf8(two).ok());
        match (byte, hex.and_then(|two| u8::from_str_radix(two, 16).ok())) {
            (b'%', Some(octet)) => {
                out.push(octet);
                at += 3;
            }
            _ => {
                out.push(byte);
                at += 1;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn extensions_follow_the_type() {
        for (name, media, want) in [
            ("photo.png", "image/jpeg", Some("photo.jpg")),
            ("photo.JPG", "image/jpeg", None),
            ("photo.jpeg", "image/jpeg", None),
            ("photo", "image/jpeg", Some("photo.jpg")),
            ("photo.v2", "image/jpeg", Some("photo.v2.jpg")),
            ("a.b.gif", "image/png", Some("a.b.png")),
            (".gif", "image/png", Some("gif.png")),
            ("../../x.png", "image/jpeg", Some("x.jpg")),
            ("http://h/a.png?x=1.2", "image/jpeg", Some("http://h/a.jpg?x=1.2")),
            ("x.png", "application/x-unknown", None),
            ("http://h/", "image/png", None),
        ] {
            assert_eq!(renamed(name, &MediaType::fold(media)).as_deref(), want, "{name}");
        }
    }

    #[test]
    fn names_are_safe_and_unique() {
        for (name, want) in [
            ("../../tmp/evil.sh", "evil.sh"),
            ("..\\..\\x", "x"),
            ("C:x.png", "x.png"),
            ("a\r\nb", "ab"),
            ("..", "part"),
            ("ok name.png", "ok name.png"),
        ] {
            assert_eq!(safe(name), want);
        }
        assert!(safe(&"ä".repeat(500)).len() <= MAX_NAME);
        let mut taken = Taken::default();
        taken.add("A.jpg");
        assert_eq!(taken.claim("a.JPG".into()), "a-2.JPG");
        assert_eq!(taken.claim("a.jpg".into()), "a-3.jpg");
    }
}
