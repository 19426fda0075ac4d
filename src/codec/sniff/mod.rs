//! What bytes are, for media that no codec of this process reads: by their content alone.

mod ebml;
pub(super) mod iso;
pub(super) mod mpeg;
mod ogg;

use crate::model::MediaType;

/// Magic numbers at the start, and the type that they mean.
const STARTS: [(&[u8], &str); 12] = [
    (b"#!AMR\n", "audio/amr"),
    (b"#!AMR-WB\n", "audio/amr-wb"),
    (b"#!EVRC\n", "audio/evrc"),
    (b"fLaC", "audio/flac"),
    (b"MThd", "audio/midi"),
    (b"BEGIN:IMELODY", "audio/imelody"),
    (b"caff", "audio/x-caf"),
    (b"FLV\x01", "video/x-flv"),
    // ASF's header object: WMA and WMV, which are named and not read.
    (b"\x30\x26\xB2\x75\x8E\x66\xCF\x11\xA6\xD9\x00\xAA\x00\x62\xCE\x6C", "video/x-ms-asf"),
    (b"BEGIN:VCARD", "text/x-vcard"),
    (b"BEGIN:VCALENDAR", "text/x-vcalendar"),
    (b"%PDF-", "application/pdf"),
];

/// The type, where the bytes tell one. Looks at headers only, and never panics.
pub fn sniff(bytes: &[u8]) -> Option<MediaType> {
    let field = |from: usize, to: usize| bytes.get(from..to);
    // RIFF and IFF: the kind stands behind the length.
    let kind = match (field(0, 4)?, field(8, 12)) {
        (b"RIFF" | b"RF64", Some(b"WAVE")) => Some("audio/wav"),
        (b"RIFF", Some(b"AVI ")) => Some("video/x-msvideo"),
        (b"RIFF", Some(b"QLCM")) => Some("audio/qcelp"),
        (b"FORM", Some(b"AIFF" | b"AIFC")) => Some("audio/x-aiff"),
        (b"OggS", _) => Some(ogg::media_type(bytes)),
        (b"\x1A\x45\xDF\xA3", _) => Some(ebml::media_type(bytes)),
        _ => None,
    };
    let start = || STARTS.iter().find(|(start, _)| bytes.starts_with(start)).map(|(_, kind)| *kind);
    let found = kind.or_else(start).or_else(|| {
        if iso::begins(bytes) {
            Some(iso::media_type(bytes))
        } else if mpeg::is_transport_stream(bytes) {
            Some("video/mp2t")
        } else if mpeg::is_program_stream(bytes) {
            Some("video/mpeg")
        } else {
            mpeg::audio(bytes)
        }
    })?;
    Some(MediaType::fold(found))
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
            (b"FLV\x01\x05\0\0\0\x09", Some("video/x-flv")),
            (b"\0\0\x01\xBA\x44\0\x04\0\x04\x01", Some("video/mpeg")),
            (b"OggS\0\x02", Some("audio/ogg")),
            (b"hello", None),
            (b"", None),
        ] {
            assert_eq!(sniff(bytes).as_ref().map(MediaType::as_str), want, "{bytes:?}");
        }
    }
}
