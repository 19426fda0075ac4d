//! What the reader of MP4 does not look at, or would look at for ever: edit lists and the sizes of
//! tables (ISO/IEC 14496-12).

use super::{MAX_PACKETS, left};
use crate::codec::{
    CodecError,
    sniff::iso::{atoms, child},
};

/// Runs of packets of one duration: the reader goes through them for every packet. Encoders write
/// two or three.
const MAX_RUNS: u32 = 64;
/// Samples before the beginning: AAC has two packets of them (clause 8.6.6, media_time).
const MAX_PRIMING: u64 = 8192;

/// A movie of one track of audio.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Movie {
    /// Ticks of the track's clock in a second.
    timescale: u32,
    /// Ticks before the beginning.
    media_time: u64,
}

impl Movie {
    /// Samples before the beginning.
    pub fn priming(&self, rate: u32) -> Result<u64, CodecError> {
        let known = self.media_time == 0 || self.timescale == rate;
        if known { Ok(self.media_time) } else { Err(left("its edit list is in other units")) }
    }
}

/// Looks over the boxes.
///
/// # Errors
/// It is more than one track from its beginning to its end, or its tables are too long.
pub(super) fn look(bytes: &[u8]) -> Result<Movie, CodecError> {
    let movie = child(bytes, b"moov").ok_or_else(|| left("it has no movie box"))?;
    let fragments = child(movie, b"mvex").is_some();
    // iTunes tells the priming in a tag of its own.
    let told = memchr::memmem::find(movie, b"iTunSMPB").is_some();
    let mut tracks = atoms(movie).filter(|atom| &atom.kind == b"trak");
    let track = tracks.next().ok_or_else(|| left("it has no track"))?.body;
    if fragments || told || tracks.next().is_some() {
        return Err(left("it is more than one whole track"));
    }
    check(movie, track).ok_or_else(|| left("its edit list or its tables are unusual"))
}

fn check(movie: &[u8], track: &[u8]) -> Option<Movie> {
    let media = child(track, b"mdia")?;
    let table = child(child(media, b"minf")?, b"stbl")?;
    let count = |kind, at| child(table, kind).map_or(Some(0), |body| number(body, at));
    let counts = [count(b"stsc", 4)?, count(b"stsz", 8)?, count(b"stco", 4)?, count(b"co64", 4)?];
    let runs = number(child(table, b"stts")?, 4)?;
    if runs > MAX_RUNS || counts.iter().any(|count| u64::from(*count) > MAX_PACKETS) {
        return None;
    }
    let (timescale, duration) = clock(child(media, b"mdhd")?)?;
    let (movie_scale, _) = clock(child(movie, b"mvhd")?)?;
    let whole = Movie { timescale, media_time: 0 };
    let Some(list) = child(track, b"edts").and_then(|edits| child(edits, b"elst")) else {
        return Some(whole);
    };
    // Version, flags, count; one entry: duration in the movie's clock, beginning in the track's,
    // rate in 16.16.
    if number(list, 4)? != 1 {
        return None;
    }
    let (length, media_time, rate) = match list.first()? {
        0 => (number(list, 8)?.into(), number(list, 12)?.into(), number(list, 16)?),
        1 => (long(list, 8)?, long(list, 16)?, number(list, 24)?),
        _ => return None,
    };
    // -1 is silence before it; what ends before its end is cut by others at a packet at best.
    let shown = u128::from(length) * u128::from(timescale) / u128::from(movie_scale.max(1));
    let rest = u128::from(duration.checked_sub(media_time)?);
    let slack = u128::from(timescale / 10);
    let whole_rest = length == 0 || shown + slack >= rest;
    (media_time <= MAX_PRIMING && rate == 0x1_0000 && whole_rest)
        .then_some(Movie { media_time, ..whole })
}

/// Ticks in a second, and the length in them, of a movie or media header (clauses 8.2.2, 8.4.2).
fn clock(body: &[u8]) -> Option<(u32, u64)> {
    match body.first()? {
        0 => Some((number(body, 12)?, number(body, 16)?.into())),
        1 => Some((number(body, 20)?, long(body, 24)?)),
        _ => None,
    }
}

fn number(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_be_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

fn long(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_be_bytes(bytes.get(at..at + 8)?.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn atom(kind: &[u8; 4], body: &[u8]) -> Vec<u8> {
        [&(body.len() as u32 + 8).to_be_bytes()[..], kind, body].concat()
    }

    fn words(words: &[u32]) -> Vec<u8> {
        words.iter().flat_map(|word| word.to_be_bytes()).collect()
    }

    /// Ten seconds at 44.1 kHz in a movie that counts milliseconds.
    fn movie(edits: Option<&[u32]>, runs: u32, more: &[u8]) -> Vec<u8> {
        let header = |scale, length| words(&[0, 0, 0, scale, length]);
        let table = [
            atom(b"stts", &words(&[0, runs])),
            atom(b"stsz", &words(&[0, 0, 431])),
            atom(b"stco", &words(&[0, 1])),
        ];
        let table = atom(b"minf", &atom(b"stbl", &table.concat()));
        let media = [atom(b"mdhd", &header(44_100, 441_000)), table].concat();
        let edits = edits.map_or(Vec::new(), |edits| atom(b"edts", &atom(b"elst", &words(edits))));
        let track = atom(b"trak", &[edits, atom(b"mdia", &media)].concat());
        atom(b"moov", &[atom(b"mvhd", &header(1000, 10_000)), track, more.to_vec()].concat())
    }

    #[test]
    fn edit_lists_tell_priming_or_more() {
        const ONE: u32 = 0x1_0000;
        let of = |edits| look(&movie(edits, 2, &[])).and_then(|movie| movie.priming(44_100)).ok();
        assert_eq!(of(None), Some(0));
        assert_eq!(of(Some(&[0, 1, 9977, 1024, ONE])), Some(1024));
        assert_eq!(of(Some(&[0, 1, 0, 2112, ONE])), Some(2112), "an unwritten length");
        assert_eq!(of(Some(&[0, 1, 5000, 1024, ONE])), None, "a half");
        assert_eq!(of(Some(&[0, 1, 9000, 44_100, ONE])), None, "a second cut off");
        assert_eq!(of(Some(&[0, 1, 10_000, 0, ONE / 2])), None, "at half the speed");
        assert_eq!(of(Some(&[0, 1, 10_000, u32::MAX, ONE])), None, "silence");
        assert_eq!(of(Some(&[0, 2, 500, u32::MAX, ONE, 9977, 1024, ONE])), None, "two edits");
        assert_eq!(of(Some(&[0, 1, 9977])), None, "cut off");
        let other = look(&movie(Some(&[0, 1, 9977, 1024, ONE]), 2, &[])).unwrap();
        assert!(other.priming(48_000).is_err(), "in other units than samples");
    }

    #[test]
    fn tables_and_tracks_are_few() {
        assert!(look(&movie(None, MAX_RUNS, &[])).is_ok());
        assert!(look(&movie(None, MAX_RUNS + 1, &[])).is_err());
        assert!(look(&movie(None, 1, &atom(b"trak", &[]))).is_err());
        assert!(look(&movie(None, 1, &atom(b"mvex", &[]))).is_err());
        assert!(look(&movie(None, 1, &atom(b"udta", b"....iTunSMPB"))).is_err());
        assert!(look(b"").is_err());
    }
}
