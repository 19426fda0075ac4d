//! What bytes are, for media that no codec of this build reads: by their first bytes alone.

use crate::model::MediaType;

/// Magic numbers at the start, and the type that they mean.
const STARTS: [(&[u8], &str); 17] = [
    (b"#!AMR\n", "audio/amr"),
    (b"#!AMR-WB\n", "audio/amr-wb"),
    (b"#!EVRC\n", "audio/evrc"),
    (b"ID3", "audio/mpeg"),
    (b"\xFF\xFB", "audio/mpeg"),
    (b"\xFF\xF3", "audio/mpeg"),
    (b"\xFF\xF1", "audio/aac"),
    (b"\xFF\xF9", "audio/aac"),
    (b"OggS", "audio/ogg"),
    (b"fLaC", "audio/flac"),
    (b"MThd", "audio/midi"),
    (b"BEGIN:IMELODY", "audio/imelody"),
    (b"caff", "audio/x-caf"),
    (b"\x1A\x45\xDF\xA3", "video/webm"),
    (b"BEGIN:VCARD", "text/x-vcard"),
    (b"BEGIN:VCALENDAR", "text/x-vcalendar"),
    (b"%PDF-", "application/pdf"),
];

/// The type, where the bytes tell one.
pub fn sniff(bytes: &[u8]) -> Option<MediaType> {
    let field = |from: usize, to: usize| bytes.get(from..to);
    // RIFF and IFF: the kind stands behind the length.
    let kind = match (field(0, 4)?, field(8, 12)) {
        (b"RIFF", Some(b"WAVE")) => Some("audio/wav"),
        (b"RIFF", Some(b"AVI ")) => Some("video/x-msvideo"),
        (b"RIFF", Some(b"QLCM")) => Some("audio/qcelp"),
        (b"FORM", Some(b"AIFF" | b"AIFC")) => Some("audio/x-aiff"),
        _ => None,
    };
    if let Some(kind) = kind {
        return Some(MediaType::fold(kind));
    }
    // ISO base media: `ftyp` and the major brand (ISO/IEC 14496-12 clause 4.3, 3GPP TS 26.244).
    if field(4, 8) == Some(b"ftyp") {
        return Some(MediaType::fold(match field(8, 12)? {
            b"M4A " | b"M4B " => "audio/mp4",
            b"qt  " => "video/quicktime",
            brand if brand.starts_with(b"3g2") => "video/3gpp2",
            brand if brand.starts_with(b"3g") => "video/3gpp",
            _ => "video/mp4",
        }));
    }
    let found = STARTS.iter().find(|(start, _)| bytes.starts_with(start))?;
    Some(MediaType::fold(found.1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_starts_tell_their_type() {
        for (bytes, want) in [
            (&b"#!AMR\n\x3c"[..], Some("audio/amr")),
            (b"#!AMR-WB\n", Some("audio/amr-wb")),
            (b"RIFF\0\0\0\0WAVEfmt ", Some("audio/wav")),
            (b"\0\0\0\x18ftyp3gp5", Some("video/3gpp")),
            (b"\0\0\0\x18ftypqt  ", Some("video/quicktime")),
            (b"\0\0\0\x18ftypM4A ", Some("audio/mp4")),
            (b"hello", None),
            (b"", None),
        ] {
            assert_eq!(sniff(bytes).as_ref().map(MediaType::as_str), want, "{bytes:?}");
        }
    }
}
