//! Ogg (RFC 3533): whether there is video.

/// First pages looked at: those that begin a track come before all others (clause 4).
const MAX_TRACKS: usize = 16;
/// How the first packets of video begin (Theora specification clause 6.1; VP8 as WebM's
/// makers map it; Dirac).
const FILMS: [&[u8]; 3] = [b"\x80theora", b"OVP80", b"BBCD\0"];

/// The type by the tracks.
pub(super) fn media_type(bytes: &[u8]) -> &'static str {
    let mut rest = bytes;
    for _ in 0..MAX_TRACKS {
        let Some((flags, body, after)) = page(rest) else { break };
        // 2: a track begins here.
        if flags & 2 == 0 {
            break;
        }
        if FILMS.iter().any(|film| body.starts_with(film)) {
            return "video/ogg";
        }
        rest = after;
    }
    "audio/ogg"
}

/// The flags and the body of a page (RFC 3533 clause 6), and what follows it.
fn page(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let header = bytes.strip_prefix(b"OggS")?;
    let (flags, segments) = (*header.get(1)?, usize::from(*header.get(22)?));
    let lengths = header.get(23..23 + segments)?;
    let length = lengths.iter().map(|n| usize::from(*n)).sum();
    let body = header.get(23 + segments..)?;
    // A page that is cut off is what is there.
    let (body, after) = body.split_at(body.len().min(length));
    Some((flags, body, after))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page_of(flags: u8, body: &[u8]) -> Vec<u8> {
        [b"OggS\0", &[flags][..], &[0; 20], &[1, body.len() as u8], body].concat()
    }

    #[test]
    fn the_first_pages_tell_audio_from_video() {
        let (skeleton, vorbis) = (page_of(2, b"fishead\0"), page_of(2, b"\x01vorbis"));
        let theora = page_of(2, b"\x80theora\x03");
        let of = |pages: &[&[u8]]| media_type(&pages.concat());
        assert_eq!(of(&[&vorbis, &page_of(0, b"\x80theora")]), "audio/ogg");
        assert_eq!(of(&[&theora, &vorbis]), "video/ogg");
        assert_eq!(of(&[&skeleton, &vorbis, &theora]), "video/ogg");
        assert_eq!(of(&[&theora[..35]]), "video/ogg");
        assert_eq!(of(&[b"OggS"]), "audio/ogg");
    }
}
