//! The index before the media (what is called fast start), so that a phone can play while it
//! reads, and refuses nothing.

/// A box at the top of a file: where it begins and how long it is.
#[derive(Clone, Copy, Debug)]
struct Span {
    at: usize,
    header: usize,
    length: usize,
}

fn word(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_be_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

fn spans(bytes: &[u8], from: usize, to: usize) -> Vec<([u8; 4], Span)> {
    let mut found = Vec::new();
    let mut at = from;
    while let (Some(size), Some(kind)) = (word(bytes, at), bytes.get(at + 4..at + 8)) {
        let (header, length) = match size {
            1 => match bytes.get(at + 8..at + 16).and_then(|b| b.try_into().ok()) {
                Some(long) => (16, u64::from_be_bytes(long) as usize),
                None => break,
            },
            0 => (8, to - at),
            n => (8, n as usize),
        };
        if length < header || length > to - at {
            break;
        }
        let Ok(kind) = kind.try_into() else { break };
        found.push((kind, Span { at, header, length }));
        at += length;
    }
    found
}

/// Boxes on the way from the movie to its chunk offsets.
const CONTAINERS: [&[u8; 4]; 5] = [b"moov", b"trak", b"mdia", b"minf", b"stbl"];

/// Moves every chunk offset in a movie box by `shift`; false if one cannot be moved.
fn shift(movie: &mut [u8], from: usize, to: usize, by: i64) -> bool {
    for (kind, span) in spans(movie, from, to) {
        let (body, end) = (span.at + span.header, span.at + span.length);
        if CONTAINERS.contains(&&kind) {
            if !shift(movie, body, end, by) {
                return false;
            }
        } else if &kind == b"stco" {
            let Some(count) = word(movie, body + 4) else { return false };
            for n in 0..count as usize {
                let at = body + 8 + n * 4;
                let moved = word(movie, at).map(|old| i64::from(old) + by);
                let Some(new) = moved.and_then(|n| u32::try_from(n).ok()) else { return false };
                movie[at..at + 4].copy_from_slice(&new.to_be_bytes());
            }
        } else if &kind == b"co64" {
            // Only files beyond 4 GB have it.
            return false;
        }
    }
    true
}

/// `bytes`, a file of ours with the index at its end, with the index before the media and
/// without filler. Unchanged where it is not as we write it.
pub(super) fn moov_first(bytes: Vec<u8>) -> Vec<u8> {
    let top = spans(&bytes, 0, bytes.len());
    let find = |kind: &[u8; 4]| top.iter().find(|(k, _)| k == kind).map(|(_, span)| *span);
    let (Some(ftyp), Some(mdat), Some(moov)) = (find(b"ftyp"), find(b"mdat"), find(b"moov")) else {
        return bytes;
    };
    if moov.at < mdat.at {
        return bytes;
    }
    let mut movie = bytes[moov.at..moov.at + moov.length].to_vec();
    let new_at = (ftyp.length + movie.len()) as i64;
    if !shift(&mut movie, 0, moov.length, new_at - mdat.at as i64) {
        return bytes;
    }
    let mut out = Vec::with_capacity(bytes.len());
    out.extend_from_slice(&bytes[ftyp.at..ftyp.at + ftyp.length]);
    out.extend_from_slice(&movie);
    out.extend_from_slice(&bytes[mdat.at..mdat.at + mdat.length]);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn atom(kind: &[u8; 4], body: &[u8]) -> Vec<u8> {
        let length = (body.len() as u32 + 8).to_be_bytes();
        [&length[..], kind, body].concat()
    }

    #[test]
    fn offsets_follow_the_media() {
        let ftyp = atom(b"ftyp", b"3gp4");
        let free = atom(b"free", b"");
        let mdat = atom(b"mdat", b"MEDIA");
        let offset = (ftyp.len() + free.len() + 8) as u32;
        let stco =
            atom(b"stco", &[&[0; 4][..], &1u32.to_be_bytes(), &offset.to_be_bytes()].concat());
        let mut moov = atom(b"stbl", &stco);
        for kind in [b"minf", b"mdia", b"trak", b"moov"] {
            moov = atom(kind, &moov);
        }
        let out = moov_first([ftyp.clone(), free, mdat.clone(), moov.clone()].concat());
        assert_eq!(out.len(), ftyp.len() + moov.len() + mdat.len());
        assert_eq!(&out[out.len() - 5..], b"MEDIA");
        let at = word(&out, ftyp.len() + moov.len() - 4).expect("an offset") as usize;
        assert_eq!(&out[at..at + 5], b"MEDIA");
        assert_eq!(moov_first(out.clone()), out);
        assert_eq!(moov_first(b"no file".to_vec()), b"no file");
    }
}
