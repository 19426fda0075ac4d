//! What worker processes said of media, kept for calls that bring the same bytes: without it a clip
//! that goes to a thousand people costs a thousand processes that look at it.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use blake3::Hasher;
use bytes::Bytes as Buffer;
use moka::sync::Cache;

use crate::{
    model::MediaInfo,
    service::{CodecError, DecodeLimits, Probes},
};

/// As long as results are kept.
const TIME_TO_LIVE: Duration = Duration::from_secs(15 * 60);
/// Media remembered at most: some 200 bytes each.
const MOST: u64 = 20_000;

/// Kept facts, by the bytes (a hash that nobody can make collide) and the limits they were told under.
#[derive(Debug)]
pub(super) struct KeptProbes {
    kept: Cache<[u8; 32], MediaInfo>,
    hits: AtomicU64,
    misses: AtomicU64,
}

impl KeptProbes {
    pub fn new() -> Self {
        let kept = Cache::builder().max_capacity(MOST).time_to_live(TIME_TO_LIVE).build();
        Self { kept, hits: AtomicU64::new(0), misses: AtomicU64::new(0) }
    }

    /// Another worker may say something else.
    pub fn forget(&self) {
        self.kept.invalidate_all();
    }

    /// How often it knew and how often it did not.
    pub fn counts(&self) -> (u64, u64) {
        (self.hits.load(Ordering::Relaxed), self.misses.load(Ordering::Relaxed))
    }
}

fn key(data: &Buffer, limits: &DecodeLimits) -> [u8; 32] {
    let of = format!("{limits:?}");
    Hasher::new().update(of.as_bytes()).update(data).finalize().into()
}

impl Probes for KeptProbes {
    fn known_or(
        &self,
        data: &Buffer,
        limits: &DecodeLimits,
        probe: &dyn Fn() -> Result<MediaInfo, CodecError>,
    ) -> Result<MediaInfo, CodecError> {
        let key = key(data, limits);
        if let Some(known) = self.kept.get(&key) {
            self.hits.fetch_add(1, Ordering::Relaxed);
            return Ok(known);
        }
        self.misses.fetch_add(1, Ordering::Relaxed);
        let info = probe()?;
        self.kept.insert(key, info.clone());
        Ok(info)
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;
    use crate::model::{Bytes, MediaType};

    fn no() -> CodecError {
        CodecError::Malformed { format: "clip", detail: "it is none".into() }
    }

    #[test]
    fn only_the_same_bytes_under_the_same_limits_are_known() {
        let probes = KeptProbes::new();
        let (data, limits) = (Buffer::from_static(b"a clip"), DecodeLimits::default());
        let info = MediaInfo::opaque(MediaType::fold("video/mp4"), Bytes::of(&data));
        let asked = Cell::new(0);
        let look = |data: &Buffer, limits| {
            let probe = || {
                asked.set(asked.get() + 1);
                if data.starts_with(b"a cl") { Ok(info.clone()) } else { Err(no()) }
            };
            (probes.known_or(data, limits, &probe), asked.take())
        };
        assert_eq!(look(&data, &limits), (Ok(info.clone()), 1));
        assert_eq!(look(&data, &limits), (Ok(info.clone()), 0));
        assert_eq!(look(&Buffer::from_static(b"a clap"), &limits), (Ok(info.clone()), 1));
        let other = DecodeLimits { max_frames: 3, ..limits };
        assert_eq!(look(&data, &other), (Ok(info.clone()), 1));
        assert_eq!(probes.counts(), (1, 3));
        // What went wrong is asked again.
        let bad = Buffer::from_static(b"bad");
        assert_eq!((look(&bad, &limits), look(&bad, &limits)), ((Err(no()), 1), (Err(no()), 1)));
        probes.forget();
        assert_eq!(look(&data, &limits), (Ok(info.clone()), 1));
    }
}
