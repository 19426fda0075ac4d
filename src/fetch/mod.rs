//! Device documents from the URLs that requests name: from hosts of the operator's list alone, from
//! addresses of the public internet alone, within caps of bytes and time, kept in memory and on disk.
//!
//! Whoever can send a message can name a URL. So the host is held against the list before anything is
//! asked of the network, and the connection goes to the very address that was looked at: a name that
//! resolves to something else a moment later gains nothing. Each redirect passes the same checks. What
//! comes is never decompressed, and is read by the parser that reads documents in requests.
//!
//! Who asks for the same URL at the same time waits for one fetch, which goes on where they leave.

mod address;
mod client;
mod connect;
mod disk;
mod refusal;
mod target;

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant, SystemTime},
};

use moka::future::Cache;
use tokio::{
    sync::{Semaphore, watch},
    task::spawn_blocking,
    time::timeout_at,
};

pub use self::refusal::Refusal;
use self::{
    client::Client,
    disk::{Disk, Entry},
    target::{Key, Target},
};
use crate::{
    config::{ConfigError, ProfileFetchConfig},
    profile::{self, Profile},
    telemetry::{Metrics, Sought},
};

/// What a URL came to.
pub type Answer = Result<Arc<Profile>, Refusal>;

/// Memory for documents that were read, about.
const MEMORY: u64 = 16 << 20;
/// What a failure is counted as there, in bytes.
const FAILURE: usize = 256;
/// URLs that are being fetched, or wait for it, at most.
const MAX_FLIGHTS: usize = 1_024;

/// Fetches documents. Clones share everything. Cheap to clone.
#[derive(Clone)]
pub struct Fetcher(Arc<Inner>);

struct Inner {
    settings: ProfileFetchConfig,
    client: Client,
    /// Fetches at once.
    places: Semaphore,
    memory: Cache<Key, Arc<Kept>>,
    disk: Option<Disk>,
    flights: Mutex<HashMap<Key, Flight>>,
    metrics: Metrics,
}

/// Where those who wait for a fetch hear what came of it.
type Flight = watch::Receiver<Option<Answer>>;

/// An answer that holds for a while.
struct Kept {
    answer: Answer,
    until: SystemTime,
    bytes: usize,
}

impl Fetcher {
    /// By the settings; `None` where they name no host.
    ///
    /// # Errors
    /// The file of roots cannot be read.
    pub fn new(
        settings: &ProfileFetchConfig,
        metrics: Metrics,
    ) -> Result<Option<Self>, ConfigError> {
        if settings.hosts.is_empty() {
            return Ok(None);
        }
        let weight = |_: &Key, kept: &Arc<Kept>| u32::try_from(kept.bytes).unwrap_or(u32::MAX);
        let disk = |dir| Disk::open(dir, settings.cache_entries, settings.max_bytes);
        metrics.profile_fetching();
        Ok(Some(Self(Arc::new(Inner {
            client: Client::new(settings.clone())?,
            places: Semaphore::new(settings.max_fetches),
            memory: Cache::builder().max_capacity(MEMORY).weigher(weight).build(),
            disk: settings.cache_dir.clone().map(disk),
            flights: Mutex::default(),
            settings: settings.clone(),
            metrics,
        }))))
    }

    /// The time that a call may wait for documents.
    pub fn max_time(&self) -> Duration {
        self.0.settings.max_time
    }

    /// The document of a URL: kept, or fetched. Waits until `until` at most; the fetch itself may go
    /// on for those who come later.
    ///
    /// # Errors
    /// Why there is none.
    pub async fn get(&self, url: &str, until: Instant) -> Answer {
        let inner = &self.0;
        let target = match Target::parse(url) {
            Some(target) if inner.settings.admits(&target.host, target.port) => target,
            Some(_) => return Err(inner.counted(Refusal::NotAllowed)),
            None => return Err(inner.counted(Refusal::BadUrl)),
        };
        let key = target.key();
        if let Some(answer) = inner.remembered(&key).await {
            return answer;
        }
        let Some(mut flight) = self.flight(key, target) else {
            return Err(inner.counted(Refusal::Busy));
        };
        match timeout_at(until.into(), flight.wait_for(Option::is_some)).await {
            Ok(Ok(answer)) => answer.clone().unwrap_or(Err(Refusal::Lost)),
            Ok(Err(_)) => Err(Refusal::Lost),
            Err(_) => Err(Refusal::TimedOut),
        }
    }

    /// The fetch of a URL that is under way, or one that begins; `None` where too many are.
    fn flight(&self, key: Key, target: Target) -> Option<Flight> {
        let mut flights = self.0.flights();
        if let Some(flight) = flights.get(&key) {
            return Some(flight.clone());
        }
        if flights.len() >= MAX_FLIGHTS {
            return None;
        }
        let (tell, flight) = watch::channel(None);
        flights.insert(key, flight.clone());
        let landing = Landing { inner: Arc::clone(&self.0), key };
        tokio::spawn(async move {
            let answer = landing.inner.fly(key, &target).await;
            // Nobody listens any more if all have left.
            let _ = tell.send(Some(answer));
        });
        Some(flight)
    }
}

impl fmt::Debug for Fetcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fetcher").field("hosts", &self.0.settings.hosts).finish_non_exhaustive()
    }
}

/// Whether settings can be fetched by: what [`Fetcher::new`] would find, without touching the cache.
///
/// # Errors
/// The file of roots cannot be read.
pub fn check(settings: &ProfileFetchConfig) -> Result<(), ConfigError> {
    if settings.hosts.is_empty() { Ok(()) } else { Client::new(settings.clone()).map(drop) }
}

/// Takes a fetch off the list when it ends, however it does.
struct Landing {
    inner: Arc<Inner>,
    key: Key,
}

impl Drop for Landing {
    fn drop(&mut self) {
        self.inner.flights().remove(&self.key);
    }
}

impl Inner {
    fn flights(&self) -> MutexGuard<'_, HashMap<Key, Flight>> {
        self.flights.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn counted(&self, refusal: Refusal) -> Refusal {
        self.metrics.profile_fetched(refusal.label());
        refusal
    }

    /// What memory has.
    async fn remembered(&self, key: &Key) -> Option<Answer> {
        let kept = self.memory.get(key).await.filter(|kept| kept.until > SystemTime::now())?;
        self.count_hit(&kept.answer);
        Some(kept.answer.clone())
    }

    fn count_hit(&self, answer: &Answer) {
        let sought = if answer.is_ok() { Sought::Hit } else { Sought::Failure };
        self.metrics.profile_sought(sought);
    }

    /// From memory, from disk, or from where it is published.
    async fn fly(self: &Arc<Self>, key: Key, target: &Target) -> Answer {
        // Another fetch may have ended between the look and the start.
        if let Some(answer) = self.remembered(&key).await {
            return answer;
        }
        if let Some(answer) = self.recall(key, target).await {
            self.count_hit(&answer);
            return answer;
        }
        self.metrics.profile_sought(Sought::Miss);
        let (answer, xml) = match self.fetch(target).await {
            Ok(xml) => read(xml).await,
            Err(refusal) => (Err(refusal), Vec::new()),
        };
        self.metrics.profile_fetched(answer.as_ref().map_or_else(Refusal::label, |_| "ok"));
        if let Err(refusal) = &answer {
            tracing::info!(host = target.host, %refusal, "a device document was not fetched");
        }
        self.keep(key, target, &answer, xml).await;
        answer
    }

    /// From where it is published. The time for it begins with the wait for a place; that this took
    /// all of it is no fault of the host.
    async fn fetch(&self, target: &Target) -> Result<Vec<u8>, Refusal> {
        let until = Instant::now() + self.settings.max_time;
        let place = timeout_at(until.into(), self.places.acquire()).await;
        let _place = place.map_err(|_| Refusal::Busy)?.map_err(|_| Refusal::Lost)?;
        let fetched = timeout_at(until.into(), self.client.fetch(target)).await;
        fetched.unwrap_or(Err(Refusal::TimedOut))
    }

    /// What the disk has, then in memory, too.
    async fn recall(self: &Arc<Self>, key: Key, target: &Target) -> Option<Answer> {
        let (inner, url) = (Arc::clone(self), target.url());
        let read = move || inner.disk.as_ref()?.read(&key, &url);
        let entry = spawn_blocking(read).await.ok().flatten()?;
        let until = entry.until;
        let (answer, xml) = match entry.document {
            Ok(xml) => read_again(xml).await?,
            Err(refusal) => (Err(refusal), Vec::new()),
        };
        self.remember(key, &answer, until, xml.len()).await;
        Some(answer)
    }

    async fn remember(&self, key: Key, answer: &Answer, until: SystemTime, length: usize) {
        // What was read takes about as much as what was written.
        let kept = Kept { answer: answer.clone(), until, bytes: length * 2 + FAILURE };
        self.memory.insert(key, Arc::new(kept)).await;
    }

    async fn keep(self: &Arc<Self>, key: Key, target: &Target, answer: &Answer, xml: Vec<u8>) {
        // That we were busy says nothing of the host.
        if matches!(answer, Err(Refusal::Lost | Refusal::Busy)) {
            return;
        }
        let lasts = if answer.is_ok() { self.settings.expire } else { self.settings.negative };
        let until = SystemTime::now() + lasts;
        self.remember(key, answer, until, xml.len()).await;
        if self.disk.is_none() {
            return;
        }
        let document = answer.as_ref().map(|_| xml).map_err(Clone::clone);
        let (inner, url) = (Arc::clone(self), target.url());
        // Nobody waits for the disk.
        spawn_blocking(move || {
            inner.disk.as_ref().map(|disk| disk.write(&key, &url, &Entry { until, document }))
        });
    }
}

/// Reads a document, off the async threads.
async fn read(xml: Vec<u8>) -> (Answer, Vec<u8>) {
    let parsed = spawn_blocking(move || {
        let answer = match profile::parse(&xml) {
            Ok(profile) if profile.is_usable() => Ok(Arc::new(profile)),
            _ => Err(Refusal::NotAProfile),
        };
        (answer, xml)
    });
    parsed.await.unwrap_or((Err(Refusal::Lost), Vec::new()))
}

/// As [`read`], of what was read before: `None` where it is no profile any more.
async fn read_again(xml: Vec<u8>) -> Option<(Answer, Vec<u8>)> {
    let read = read(xml).await;
    read.0.is_ok().then_some(read)
}
