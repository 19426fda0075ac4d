//! Encoded parts, kept for other messages that are the same but for whom they go to. Calls that ask
//! the same at the same time wait for one encoding.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use blake3::Hasher;
use moka::future::Cache;

use crate::{
    model::Bytes,
    service::{EncodedMessage, PlannedMessage, Service, ServiceError},
};

/// How long encoded parts are kept at most: senders' content does not lie about for ever.
const TIME_TO_LIVE: Duration = Duration::from_secs(15 * 60);

/// What decides the bytes of encoded parts, hashed. Of a hash that can be made to collide one caller
/// could be given the parts of another.
pub(super) type Key = [u8; 32];

/// The key of a message.
///
/// # Errors
/// None in practice: hashing does not fail.
pub(super) fn key(service: &Service, planned: &PlannedMessage) -> Result<Key, ServiceError> {
    let mut hash = Hasher::new();
    let written = service.identity(planned, &mut hash);
    written.map_err(|error| ServiceError::internal("IDENTITY", error.to_string()))?;
    Ok(hash.finalize().into())
}

/// What was encoded is good for that one call alone: it was cut short, or failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Unkept;

/// How often the cache had what was asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CacheCounts {
    /// Calls that got parts which another call had encoded.
    pub hits: u64,
    /// Calls that encoded.
    pub misses: u64,
    /// Memory in use, about.
    pub held: Bytes,
}

/// The cache. Bounded in bytes; what is asked for often stays (TinyLFU). Clones share it.
#[derive(Clone)]
pub(super) struct Results {
    kept: Cache<Key, Arc<EncodedMessage>>,
    hits: Arc<AtomicU64>,
    misses: Arc<AtomicU64>,
}

impl Results {
    /// Of at most so many bytes; `None` for no bytes.
    pub fn within(bytes: Bytes) -> Option<Self> {
        let weight = |_: &Key, encoded: &Arc<EncodedMessage>| {
            u32::try_from(encoded.memory().get()).unwrap_or(u32::MAX)
        };
        let kept = Cache::builder().max_capacity(bytes.get()).weigher(weight);
        let kept = kept.time_to_live(TIME_TO_LIVE).build();
        (bytes > Bytes::ZERO).then(|| Self { kept, hits: Arc::default(), misses: Arc::default() })
    }

    /// What is kept under `key`, or what another call is about to keep there, or what `encode` comes
    /// to. Where that other call is abandoned, the next of those who wait encodes.
    ///
    /// # Errors
    /// Whoever encoded kept nothing.
    pub async fn get(
        &self,
        key: Key,
        encode: impl Future<Output = Result<Arc<EncodedMessage>, Unkept>>,
    ) -> Result<Arc<EncodedMessage>, Unkept> {
        let mut encoded_here = false;
        let counted = async {
            encoded_here = true;
            self.misses.fetch_add(1, Ordering::Relaxed);
            encode.await
        };
        let result = self.kept.try_get_with(key, counted).await.map_err(|unkept| *unkept);
        if !encoded_here && result.is_ok() {
            self.hits.fetch_add(1, Ordering::Relaxed);
        }
        result
    }

    /// How it did so far.
    pub fn counts(&self) -> CacheCounts {
        CacheCounts {
            hits: self.hits.load(Ordering::Relaxed),
            misses: self.misses.load(Ordering::Relaxed),
            held: Bytes::new(self.kept.weighted_size()),
        }
    }
}
