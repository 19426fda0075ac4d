//! Matroska and WebM (RFC 9559): whether there is video.

/// Elements looked at before giving up.
const MAX_ELEMENTS: usize = 4096;

const DOC_TYPE: u64 = 0x4282;
const SEGMENT: u64 = 0x1853_8067;
const TRACKS: u64 = 0x1654_AE6B;
const TRACK_ENTRY: u64 = 0xAE;
const TRACK_TYPE: u64 = 0x83;

/// A variable-size integer (RFC 8794 clause 4), with or without its marker bit, and its length.
fn vint(bytes: &[u8], keep_marker: bool) -> Option<(u64, usize)> {
    let first = *bytes.first()?;
    let length = first.leading_zeros() as usize + 1;
    if length > 8 {
        return None;
    }
    let mut value = u64::from(first);
    if !keep_marker {
        value &= (1u64 << (8 - length)) - 1;
    }
    for byte in bytes.get(1..length)? {
        value = value << 8 | u64::from(*byte);
    }
    Some((value, length))
}

/// The elements of a run of bytes: identifiers and bodies.
struct Elements<'a> {
    rest: &'a [u8],
    left: usize,
}

impl<'a> Iterator for Elements<'a> {
    type Item = (u64, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        self.left = self.left.checked_sub(1)?;
        let (id, id_length) = vint(self.rest, true)?;
        let after = self.rest.get(id_length..)?;
        let (size, size_length) = vint(after, false)?;
        let body = after.get(size_length..)?;
        // All ones: unknown, to the end of the parent. A body that is cut off is what is there.
        let unknown = size == (1u64 << (7 * size_length)) - 1;
        let size = if unknown { body.len() } else { usize::try_from(size).ok()?.min(body.len()) };
        self.rest = &body[size..];
        Some((id, &body[..size]))
    }
}

fn elements(bytes: &[u8]) -> Elements<'_> {
    Elements { rest: bytes, left: MAX_ELEMENTS }
}

/// The type by document type and tracks.
pub(super) fn media_type(bytes: &[u8]) -> &'static str {
    let mut webm = false;
    let mut found = (false, false);
    for (id, body) in elements(bytes).take(16) {
        match id {
            0x1A45_DFA3 => {
                webm = elements(body).any(|(id, name)| id == DOC_TYPE && name == b"webm");
            }
            SEGMENT => {
                let tracks = elements(body).find(|(id, _)| *id == TRACKS);
                for (id, entry) in tracks.into_iter().flat_map(|(_, body)| elements(body)) {
                    if id == TRACK_ENTRY {
                        let kind = elements(entry).find(|(id, _)| *id == TRACK_TYPE);
                        match kind.and_then(|(_, body)| body.last()) {
                            Some(1) => found.0 = true,
                            Some(2) => found.1 = true,
                            _ => {}
                        }
                    }
                }
                break;
            }
            _ => {}
        }
    }
    match (webm, found == (false, true)) {
        (true, false) => "video/webm",
        (true, true) => "audio/webm",
        (false, false) => "video/x-matroska",
        (false, true) => "audio/x-matroska",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn element(id: &[u8], body: &[u8]) -> Vec<u8> {
        [id, &[0x40 | (body.len() >> 8) as u8, body.len() as u8], body].concat()
    }

    fn file(doc: &[u8], kinds: &[u8]) -> Vec<u8> {
        let head = element(&[0x1A, 0x45, 0xDF, 0xA3], &element(&[0x42, 0x82], doc));
        let entries: Vec<u8> =
            kinds.iter().flat_map(|kind| element(&[0xAE], &element(&[0x83], &[*kind]))).collect();
        let tracks = element(&[0x16, 0x54, 0xAE, 0x6B], &entries);
        [head, element(&[0x18, 0x53, 0x80, 0x67], &tracks)].concat()
    }

    #[test]
    fn the_tracks_tell_audio_from_video() {
        assert_eq!(media_type(&file(b"webm", &[1, 2])), "video/webm");
        assert_eq!(media_type(&file(b"webm", &[2])), "audio/webm");
        assert_eq!(media_type(&file(b"matroska", &[2])), "audio/x-matroska");
        assert_eq!(media_type(&file(b"matroska", &[1])), "video/x-matroska");
        assert_eq!(media_type(b"\x1A\x45\xDF\xA3"), "video/x-matroska");
    }
}
