//! What a file is, judged by its first bytes: by which entry point it goes to the engine. The
//! engine judges again, more thoroughly.

use super::sniff;
use crate::model::{MediaKind, MediaType};

/// What a file is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// An MMS PDU.
    Pdu,
    /// A MIME entity with headers, or an HTTP message around one.
    Mime,
    /// A device profile (UAProf).
    Profile,
    /// A medium of this type.
    Medium(MediaType),
    /// Nothing.
    Empty,
    /// None of these.
    Unknown,
}

impl Kind {
    /// Whether it is an image, audio or video file.
    pub fn is_playable(&self) -> bool {
        matches!(self, Self::Medium(medium)
            if matches!(medium.kind(), MediaKind::Image | MediaKind::Audio | MediaKind::Video))
    }

    /// For people.
    pub fn in_words(&self) -> String {
        match self {
            Self::Pdu => "an MMS PDU".into(),
            Self::Mime => "a MIME message".into(),
            Self::Profile => "a device profile".into(),
            Self::Medium(medium) => medium.to_string(),
            Self::Empty => "an empty file".into(),
            Self::Unknown => "a file of unknown type".into(),
        }
    }
}

/// Judges `bytes`.
pub fn kind(bytes: &[u8]) -> Kind {
    if bytes.is_empty() {
        return Kind::Empty;
    }
    // X-Mms-Message-Type is always first (OMA-TS-MMS-ENC §7): field 0x0C as a short integer, its
    // values begin at 0x80.
    if let [0x8c, 0x80..=0xff, ..] = bytes {
        return Kind::Pdu;
    }
    if let Some(name) = magic(bytes) {
        return Kind::Medium(MediaType::fold(name));
    }
    // What the engine itself recognises, text apart.
    let media = [MediaKind::Image, MediaKind::Audio, MediaKind::Video];
    if let Some(found) = sniff(bytes).filter(|found| media.contains(&found.kind())) {
        return Kind::Medium(found);
    }
    if is_mime(bytes) {
        return Kind::Mime;
    }
    text(bytes)
}

/// The type of a binary medium by its magic number.
fn magic(bytes: &[u8]) -> Option<&'static str> {
    let at = |offset: usize, magic: &[u8]| {
        bytes.get(offset..).is_some_and(|rest| rest.starts_with(magic))
    };
    Some(match bytes {
        [0xff, 0xd8, 0xff, ..] => "image/jpeg",
        _ if at(0, b"\x89PNG\r\n\x1a\n") => "image/png",
        _ if at(0, b"GIF87a") || at(0, b"GIF89a") => "image/gif",
        _ if at(0, b"RIFF") && at(8, b"WEBP") => "image/webp",
        _ if at(0, b"RIFF") && at(8, b"WAVE") => "audio/wav",
        _ if at(0, b"RIFF") && at(8, b"AVI ") => "video/x-msvideo",
        _ if at(0, b"RIFF") && at(8, b"QLCM") => "audio/qcelp",
        // The five DIB header sizes in use follow the 14 bytes of the file header.
        [b'B', b'M', ..] if matches!(bytes.get(14), Some(12 | 40 | 52 | 56 | 64 | 108 | 124)) => {
            "image/bmp"
        }
        _ if at(0, b"II*\0") || at(0, b"MM\0*") => "image/tiff",
        _ if at(0, b"#!AMR-WB\n") => "audio/amr-wb",
        _ if at(0, b"#!AMR") => "audio/amr",
        _ if at(0, b"OggS") => "audio/ogg",
        _ if at(0, b"FLV\x01") => "video/x-flv",
        // A pack of a program stream, and the header object of ASF.
        _ if at(0, b"\0\0\x01\xba") => "video/mpeg",
        _ if at(0, b"\x30\x26\xb2\x75\x8e\x66\xcf\x11") => "video/x-ms-asf",
        _ if at(0, b"fLaC") => "audio/flac",
        _ if at(0, b"MThd") => "audio/midi",
        _ if at(0, b"BEGIN:IMELODY") => "audio/imelody",
        _ if at(0, b"ID3") => "audio/mpeg",
        _ if at(0, b"FORM") && (at(8, b"AIFF") || at(8, b"AIFC")) => "audio/aiff",
        _ if at(0, b"\x1a\x45\xdf\xa3") => "video/webm",
        _ if at(4, b"ftyp") => brand(bytes.get(8..12)?),
        _ if at(4, b"moov") || at(4, b"mdat") => "video/quicktime",
        _ if at(0, b"G") && at(188, b"G") && at(376, b"G") => "video/mp2t",
        // ADTS (ISO 14496-3 1.A.2.2) has layer 0, MPEG audio (ISO 11172-3 2.4.1.3) never has.
        [0xff, second, third, ..] if second & 0xf6 == 0xf0 && third >> 6 != 3 => "audio/aac",
        [0xff, second, third, ..]
            if second & 0xe0 == 0xe0
                && second & 0x06 != 0
                && second & 0x18 != 0x08
                && third >> 4 != 15
                && third & 0x0c != 0x0c =>
        {
            "audio/mpeg"
        }
        _ if is_wbmp(bytes) => "image/vnd.wap.wbmp",
        _ => return None,
    })
}

/// ISO 14496-12 §4.3: the major brand of a file.
fn brand(brand: &[u8]) -> &'static str {
    match brand {
        b"heic" | b"heix" | b"heim" | b"heis" | b"hevc" | b"hevx" | b"mif1" | b"msf1" => {
            "image/heic"
        }
        b"avif" | b"avis" => "image/avif",
        b"M4A " | b"M4B " | b"M4P " => "audio/mp4",
        b"qt  " => "video/quicktime",
        [b'3', b'g', b'2', _] => "video/3gpp2",
        [b'3', b'g', _, _] => "video/3gpp",
        _ => "video/mp4",
    }
}

/// WAP-237 §4.5: type 0, fixed header 0, width, height, then exactly that many rows.
fn is_wbmp(bytes: &[u8]) -> bool {
    let [0, 0, rest @ ..] = bytes else { return false };
    let Some((width, rest)) = uintvar(rest) else { return false };
    let Some((height, rest)) = uintvar(rest) else { return false };
    width > 0 && height > 0 && width.div_ceil(8).checked_mul(height) == Some(rest.len() as u64)
}

/// WAP-230 §8.1.2, at most five octets.
fn uintvar(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let mut value = 0;
    for (index, byte) in bytes.iter().enumerate().take(5) {
        value = value << 7 | u64::from(byte & 0x7f);
        if byte & 0x80 == 0 {
            return Some((value, bytes.get(index + 1..)?));
        }
    }
    None
}

/// Header lines to the first empty one are looked at so far.
const HEADER_REACH: usize = 64 << 10;

/// RFC 5322 §2.2 header lines with one that makes it MIME, perhaps behind an HTTP start line.
fn is_mime(bytes: &[u8]) -> bool {
    let head = bytes.get(..HEADER_REACH).unwrap_or(bytes);
    let head = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head);
    let cut = head.len() < bytes.len();
    let mut mime = false;
    let (mut fields, mut mail) = (0, 0);
    let mut lines = head.split(|byte| *byte == b'\n').peekable();
    while let Some(line) = lines.next() {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if line.is_empty() {
            if fields > 0 {
                break;
            }
            continue;
        }
        if matches!(line, [b' ' | b'\t', ..]) && fields > 0 {
            continue;
        }
        // A line of an mbox file (RFC 4155) stands before the mail.
        if fields == 0 && line.starts_with(b"From ") {
            continue;
        }
        if fields == 0 && is_http_start(line) {
            fields = 1;
            continue;
        }
        let Some(colon) = line.iter().position(|byte| *byte == b':') else {
            // The last line may be cut, or the file may end in its headers.
            return mime && cut && lines.peek().is_none();
        };
        let name = line.get(..colon).unwrap_or_default().trim_ascii_end();
        // RFC 5322 §3.6.8: printable ASCII but the colon.
        if name.is_empty() || !name.iter().all(|byte| (33..=126).contains(byte)) {
            return false;
        }
        fields += 1;
        mime |= name.eq_ignore_ascii_case(b"content-type")
            || name.eq_ignore_ascii_case(b"mime-version");
        mail += u32::from(MAIL.iter().any(|known| name.eq_ignore_ascii_case(known)));
    }
    mime || mail >= 2
}

/// Fields of mails: two of them make one, MIME or not (RFC 5322 clause 3.6).
const MAIL: [&[u8]; 8] =
    [b"from", b"to", b"subject", b"date", b"message-id", b"received", b"return-path", b"cc"];

/// RFC 9112 §3 and §4: `POST /mm7 HTTP/1.1`, `HTTP/1.1 200 OK`.
fn is_http_start(line: &[u8]) -> bool {
    let method = line.split(|byte| *byte == b' ').next().unwrap_or_default();
    line.starts_with(b"HTTP/1.")
        || (!method.is_empty()
            && method.iter().all(u8::is_ascii_uppercase)
            && line.windows(8).any(|window| window == b" HTTP/1."))
}

/// What text it is, if it is text.
fn text(bytes: &[u8]) -> Kind {
    let head = bytes.get(..HEADER_REACH).unwrap_or(bytes);
    let body = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head).trim_ascii_start();
    let starts =
        |what: &[u8]| body.get(..what.len()).is_some_and(|start| start.eq_ignore_ascii_case(what));
    if starts(b"BEGIN:VCARD") {
        return Kind::Medium(MediaType::fold("text/x-vcard"));
    }
    if starts(b"BEGIN:VCALENDAR") {
        return Kind::Medium(MediaType::fold("text/x-vcalendar"));
    }
    // Most of it reads like text, but it is not.
    if starts(b"%PDF-") {
        return Kind::Medium(MediaType::fold("application/pdf"));
    }
    let lossy = String::from_utf8_lossy(head);
    let has = |what: &str| lossy.contains(what);
    if has("ccppschema") || has("CCPPSCHEMA") || has("ccpp-schema") || has("<prf:") {
        return Kind::Profile;
    }
    if starts(b"<smil") || (starts(b"<?xml") && has("<smil")) {
        return Kind::Medium(MediaType::SMIL);
    }
    let valid = match std::str::from_utf8(head) {
        Ok(_) => true,
        // The head may be cut within a character.
        Err(error) => error.error_len().is_none() && head.len() < bytes.len(),
    };
    let controls = head.iter().any(|b| *b < 32 && !matches!(b, b'\t' | b'\n' | b'\r' | 0x0c));
    if valid && !controls { Kind::Medium(MediaType::TEXT) } else { Kind::Unknown }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn doors_are_told_by_content() {
        let medium = |name: &str| Kind::Medium(MediaType::fold(name));
        for (bytes, want) in [
            (&b""[..], Kind::Empty),
            (b"\x8c\x84\x98x\0\x8d\x92", Kind::Pdu),
            (b"\x8c", Kind::Unknown),
            (b"Content-Type: text/plain\r\n\r\nhi", Kind::Mime),
            (b"From: a@b\nMIME-Version: 1.0\nX: y\n z\n\nhi", Kind::Mime),
            (
                b"POST /mm7 HTTP/1.1\r\nHost: x\r\nContent-Type: multipart/related\r\n\r\n",
                Kind::Mime,
            ),
            (b"HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\n\r\n", Kind::Mime),
            (b"From: a@b\nSubject: no mime\n\nhi", Kind::Mime),
            (b"From a@b Fri Feb 22 05:45:46 2008\nFrom: a@b\nTo: b@c\n\nhi", Kind::Mime),
            (b"From here on: no field", medium("text/plain")),
            (b"caff\0\x01\0\0desc", medium("audio/x-caf")),
            (b"\0\0\0\x08wide\0\0\0\x08mdat\0\0\0\x08moov", medium("video/quicktime")),
            (b"Note: the Content-Type: is not\nat the start", medium("text/plain")),
            (b"\xff\xd8\xff\xe0", medium("image/jpeg")),
            (b"\x89PNG\r\n\x1a\n", medium("image/png")),
            (b"GIF89a", medium("image/gif")),
            (b"RIFF\0\0\0\0WEBPVP8 ", medium("image/webp")),
            (b"\0\0\0\x18ftypheic", medium("image/heic")),
            (b"\0\0\0\x18ftyp3gp4", medium("video/3gpp")),
            (b"#!AMR\n\x3c", medium("audio/amr")),
            (b"#!AMR-WB\n\x3c", medium("audio/amr-wb")),
            (b"\xff\xf1\x50\x80", medium("audio/aac")),
            (b"\xff\xfb\x90\x44", medium("audio/mpeg")),
            (b"\0\0\x08\x02\xaa\x55", medium("image/vnd.wap.wbmp")),
            (b"\0\0\x08\x02\xaa", Kind::Unknown),
            (b"BEGIN:VCARD\r\n", medium("text/x-vcard")),
            (b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n", medium("application/pdf")),
            (b"<smil><head/></smil>", medium("application/smil")),
            (
                b"<?xml version=\"1.0\"?><rdf:RDF xmlns:prf=\"http://x/ccppschema-20021212#\">",
                Kind::Profile,
            ),
            ("grüße".as_bytes(), medium("text/plain")),
            (b"gr\xfc\xdfe\0", Kind::Unknown),
        ] {
            assert_eq!(kind(bytes), want, "{:?}", String::from_utf8_lossy(bytes));
        }
    }

    #[test]
    fn headers_longer_than_the_reach_still_count() {
        let mut mail = b"MIME-Version: 1.0\r\n".to_vec();
        for n in 0..6_000 {
            mail.extend(format!("X-Filler-{n}: some header text\r\n").bytes());
        }
        assert_eq!(kind(&mail), Kind::Mime);
    }

    proptest! {
        #[test]
        fn never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            let _ = kind(&bytes);
        }
    }
}
