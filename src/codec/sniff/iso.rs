//! ISO base media files (ISO/IEC 14496-12) and QuickTime: whether there is video.

/// What kinds of track a file has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Tracks {
    pub video: bool,
    pub audio: bool,
}

/// Boxes looked at before giving up: real files have a few hundred outside sample tables.
const MAX_BOXES: usize = 4096;

/// A box: its type and its body.
pub(in crate::codec) struct Atom<'a> {
    /// Four letters.
    pub kind: [u8; 4],
    /// What is in it; less than it says where the file is cut off.
    pub body: &'a [u8],
}

/// The boxes of a run of bytes; ends at the first that is none.
pub(in crate::codec) struct Atoms<'a> {
    rest: &'a [u8],
    left: usize,
}

impl<'a> Iterator for Atoms<'a> {
    type Item = Atom<'a>;

    fn next(&mut self) -> Option<Atom<'a>> {
        self.left = self.left.checked_sub(1)?;
        let word = u32::from_be_bytes(self.rest.get(..4)?.try_into().ok()?);
        let kind = self.rest.get(4..8)?.try_into().ok()?;
        // 1: a 64-bit length follows; 0: to the end (clause 4.2).
        let (header, length) = match word {
            0 => (8, self.rest.len() as u64),
            1 => (16, u64::from_be_bytes(self.rest.get(8..16)?.try_into().ok()?)),
            n => (8, u64::from(n)),
        };
        let length = usize::try_from(length).unwrap_or(usize::MAX).min(self.rest.len());
        if length < header {
            return None;
        }
        let body = self.rest.get(header..length)?;
        self.rest = &self.rest[length..];
        Some(Atom { kind, body })
    }
}

/// The boxes of a file, or of a box.
pub(in crate::codec) fn atoms(bytes: &[u8]) -> Atoms<'_> {
    Atoms { rest: bytes, left: MAX_BOXES }
}

/// The body of the first box of a kind.
pub(in crate::codec) fn child<'a>(bytes: &'a [u8], kind: &[u8; 4]) -> Option<&'a [u8]> {
    atoms(bytes).find(|atom| &atom.kind == kind).map(|atom| atom.body)
}

/// Whether `bytes` begin as such a file, with or without a file type box.
pub(super) fn begins(bytes: &[u8]) -> bool {
    let kind = bytes.get(4..8);
    match kind {
        Some(b"ftyp") => true,
        // Older than the file type box: a movie, media data or filler of a plausible length.
        Some(b"moov" | b"mdat" | b"wide" | b"pnot" | b"skip" | b"free") => {
            let next = atoms(bytes).nth(1).map(|atom| atom.kind);
            matches!(next.as_ref(), Some(b"moov" | b"mdat" | b"wide" | b"free" | b"skip" | b"ftyp"))
                || kind == Some(b"moov")
        }
        _ => false,
    }
}

/// The tracks that the movie box lists; `None` where there is none.
pub(super) fn tracks(bytes: &[u8]) -> Option<Tracks> {
    let movie = child(bytes, b"moov")?;
    let mut tracks = Tracks::default();
    for track in atoms(movie).filter(|atom| &atom.kind == b"trak") {
        let Some(media) = child(track.body, b"mdia") else { continue };
        // hdlr: version and flags, pre_defined, handler_type (clause 8.4.3).
        match child(media, b"hdlr").and_then(|body| body.get(8..12)) {
            Some(b"vide") => tracks.video = true,
            Some(b"soun") => tracks.audio = true,
            _ => {}
        }
    }
    Some(tracks)
}

/// The type by brand and tracks.
pub(super) fn media_type(bytes: &[u8]) -> &'static str {
    let brand =
        if bytes.get(4..8) == Some(b"ftyp") { bytes.get(8..12) } else { Some(&b"qt  "[..]) };
    let brand = brand.unwrap_or_default();
    let audio_alone = match tracks(bytes) {
        Some(tracks) => tracks.audio && !tracks.video,
        // A movie box that is missing or cut off: the brand alone tells.
        None => matches!(brand, b"M4A " | b"M4B "),
    };
    let family = if brand.starts_with(b"3g2") {
        ["video/3gpp2", "audio/3gpp2"]
    } else if brand.starts_with(b"3g") {
        ["video/3gpp", "audio/3gpp"]
    } else if brand == b"qt  " {
        ["video/quicktime", "audio/mp4"]
    } else {
        ["video/mp4", "audio/mp4"]
    };
    family[usize::from(audio_alone)]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn atom(kind: &[u8; 4], body: &[u8]) -> Vec<u8> {
        let mut bytes = (body.len() as u32 + 8).to_be_bytes().to_vec();
        bytes.extend_from_slice(kind);
        bytes.extend_from_slice(body);
        bytes
    }

    fn file(brand: &[u8; 4], handlers: &[&[u8; 4]]) -> Vec<u8> {
        let mut movie = Vec::new();
        for handler in handlers {
            let hdlr = atom(b"hdlr", &[&[0; 8][..], &handler[..]].concat());
            movie.extend(atom(b"trak", &atom(b"mdia", &hdlr)));
        }
        [atom(b"ftyp", brand), atom(b"mdat", &[7; 30]), atom(b"moov", &movie)].concat()
    }

    #[test]
    fn the_tracks_tell_audio_from_video() {
        assert_eq!(media_type(&file(b"isom", &[b"vide", b"soun"])), "video/mp4");
        assert_eq!(media_type(&file(b"isom", &[b"soun"])), "audio/mp4");
        assert_eq!(media_type(&file(b"3gp4", &[b"soun", b"hint"])), "audio/3gpp");
        assert_eq!(media_type(&file(b"3gp4", &[b"vide"])), "video/3gpp");
        assert_eq!(media_type(&file(b"3g2a", &[b"soun"])), "audio/3gpp2");
        assert_eq!(media_type(&file(b"qt  ", &[b"vide"])), "video/quicktime");
        assert_eq!(media_type(&atom(b"ftyp", b"M4A ")), "audio/mp4");
        let bare = atom(b"moov", &atom(b"trak", &[]));
        assert!(begins(&bare));
        assert_eq!(media_type(&bare), "video/quicktime");
        assert!(!begins(b"a text about moov"));
    }
}
