//! Load on a running service. Calls are sent when they are due, whether or not earlier ones were
//! answered, and their time counts from then: what waits for a slow answer is not left out
//! ("coordinated omission": Tene, "How NOT to measure latency", 2013).

pub mod admin;
mod alarm;
pub mod arrivals;
pub(super) mod call;
pub mod encoded;
pub mod mix;
pub mod search;
pub mod seen;
pub mod timeline;
mod tls;
pub mod told;
pub mod trace;
mod wire;

use std::{
    fmt,
    path::Path,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant, SystemTime},
};

use hdrhistogram::Histogram;
use tokio::task::{JoinSet, yield_now};

pub use self::tls::Security;
use self::{
    alarm::Alarm,
    arrivals::{Arrivals, Ramp, Shape, Times},
    call::{Frame, Terms},
    mix::{MixError, Prepared},
    seen::{Calls, Outcome},
    timeline::{Second, Timeline},
    trace::{Due, Trace, TraceError},
    wire::{Address, Headers, Link, Pieces},
};
use crate::grpc::v1::Effort;

/// Where to, what and how.
#[derive(Clone, Debug)]
pub struct Options {
    /// `http://host:port`, or `https://…`.
    pub target: String,
    /// Of `https://`.
    pub security: Security,
    /// At least one.
    pub kinds: Vec<Prepared>,
    /// How calls follow each other.
    pub arrivals: Arrivals,
    /// Connections that take turns, at least 1.
    pub connections: usize,
    /// What a caller gives a call.
    pub deadline: Duration,
    /// A token of a client of the service.
    pub token: Option<String>,
    /// Of what is chosen at random.
    pub seed: u64,
}

/// Why nothing was sent.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// No address.
    #[error("{0} is no address of a service: http://host:port or https://host:port")]
    Address(String),
    /// What is told of TLS needs TLS.
    #[error("certificates and names of servers need an address that begins with https://")]
    NotSecured,
    /// Not what certificates name.
    #[error("{0:?} is no name of a server")]
    ServerName(String),
    /// A file cannot be read.
    #[error("cannot read {path}: {error}")]
    Read {
        /// Which.
        path: String,
        /// The system's words.
        error: std::io::Error,
    },
    /// A file is not what it should be.
    #[error("{path}: {error}")]
    Pem {
        /// Which.
        path: String,
        /// What is wrong.
        error: String,
    },
    /// The system trusts nobody.
    #[error("this system has no roots of trust: name a file of them")]
    NoRoots,
    /// TLS cannot be had.
    #[error("no TLS: {0}")]
    Tls(String),
    /// It does not answer.
    #[error("cannot reach {target}: {error}")]
    Unreachable {
        /// Whom.
        target: String,
        /// The transport's words.
        error: String,
    },
    /// A token that cannot be sent.
    #[error("the token has letters that a header cannot have")]
    Token,
    /// The mix.
    #[error(transparent)]
    Mix(#[from] MixError),
    /// A trace.
    #[error(transparent)]
    Trace(#[from] TraceError),
}

/// Hears of each second that ended, and of the 99th percentile of all answers so far, in milliseconds.
pub type Watch = Arc<dyn Fn(&Second, Option<f64>) + Send + Sync>;

/// A client, or many.
pub struct Generator {
    links: Vec<Link>,
    kinds: Vec<Prepared>,
    /// By kind.
    frames: Vec<Vec<Frame>>,
    terms: Arc<Terms>,
    arrivals: Arrivals,
    seed: u64,
    /// Calls sent so far: no two messages that are to differ have the same number.
    sent: u64,
    watch: Option<Watch>,
}

impl fmt::Debug for Generator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Generator").field("links", &self.links).finish_non_exhaustive()
    }
}

/// What became of the calls at one rate.
#[derive(Clone, Debug)]
pub struct Seen {
    /// Calls a second that were due; `None`: as many as so many callers make.
    pub offered: Option<f64>,
    /// When the first call was due.
    pub began: SystemTime,
    /// From the first call to the last answer.
    pub seconds: f64,
    /// By kind of message, in the order of the mix.
    pub kinds: Vec<Calls>,
    /// How much later than due calls were sent, in microseconds: what the generator itself cost.
    pub late: Histogram<u64>,
    /// Second by second.
    pub timeline: Vec<Second>,
}

impl Seen {
    /// All kinds together.
    pub fn all(&self) -> Calls {
        let mut all = Calls::default();
        self.kinds.iter().for_each(|kind| all.add(kind));
        all
    }
}

/// What calls tell while others are under way. Clones share it.
#[derive(Clone)]
struct Notes {
    start: Instant,
    kept: Arc<Mutex<Kept>>,
    watch: Option<Watch>,
}

struct Kept {
    kinds: Vec<Calls>,
    late: Histogram<u64>,
    timeline: Timeline,
}

impl Notes {
    fn new(generator: &Generator) -> Self {
        let kinds = vec![Calls::default(); generator.kinds.len()];
        let kept = Kept { kinds, late: encoded::histogram(), timeline: Timeline::default() };
        let watch = generator.watch.clone();
        Self { start: Instant::now(), kept: Arc::new(Mutex::new(kept)), watch }
    }

    /// Nothing is left half done where a thread panics: what it holds stays good.
    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn advance(&self, kept: &mut Kept, now: Duration) {
        if !kept.timeline.advance(now) {
            return;
        }
        if let (Some(watch), Some(second)) = (&self.watch, kept.timeline.last()) {
            let mut all = encoded::histogram();
            for kind in &kept.kinds {
                // Both have the same digits and grow by themselves: nothing can fail.
                let _ = all.add(&kind.answered);
            }
            watch(second, seen::Quantiles::of(&all).p99);
        }
    }

    fn sent(&self, due: Option<Duration>) {
        let now = self.start.elapsed();
        let kept = &mut *self.kept();
        self.advance(kept, now);
        kept.timeline.sent();
        if let Some(due) = due {
            seen::note(&mut kept.late, now.saturating_sub(due));
        }
    }

    fn ended(&self, kind: usize, outcome: &Outcome, since_due: Duration, since_sent: Duration) {
        let now = self.start.elapsed();
        let kept = &mut *self.kept();
        self.advance(kept, now);
        kept.timeline.note(outcome, since_due, since_sent);
        kept.kinds[kind].note(outcome, since_due, since_sent);
    }

    fn finish(self, offered: Option<f64>) -> Seen {
        let now = self.start.elapsed();
        let kept = &mut *self.kept();
        Seen {
            offered,
            began: SystemTime::now().checked_sub(now).unwrap_or(SystemTime::UNIX_EPOCH),
            seconds: now.as_secs_f64(),
            kinds: std::mem::take(&mut kept.kinds),
            late: kept.late.clone(),
            timeline: std::mem::take(&mut kept.timeline).finish(now),
        }
    }
}

/// A sender that is late lets the others of its thread have their turn after so many calls.
const AT_ONCE: u32 = 8;

impl Generator {
    /// Connects.
    ///
    /// # Errors
    /// Why not.
    pub async fn connect(options: Options) -> Result<Self, LoadError> {
        let address = Arc::new(Address::new(&options.target, &options.security)?);
        let headers = Headers::new(options.deadline, options.token.as_deref())?;
        let mut links = Vec::new();
        for _ in 0..options.connections.max(1) {
            links.push(Link::new(Arc::clone(&address)).await?);
        }
        let frames = |kind| Frame::all(kind, Effort::Unspecified);
        let frames = options.kinds.iter().map(frames).collect();
        let terms = Arc::new(Terms { deadline: options.deadline, headers });
        let Options { kinds, arrivals, seed, .. } = options;
        Ok(Self { links, kinds, frames, terms, arrivals, seed, sent: 0, watch: None })
    }

    /// Tells each second while calls are under way.
    pub fn watch(&mut self, watch: Watch) {
        self.watch = Some(watch);
    }

    /// The kinds of messages, in their order.
    pub fn kinds(&self) -> &[Prepared] {
        &self.kinds
    }

    /// Reads a trace of calls of these kinds.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn trace(&self, path: &Path) -> Result<Trace, LoadError> {
        Ok(Trace::read(path, &self.kinds)?)
    }

    /// The next call: its kind, how it goes, what it sends, and its limit.
    fn next(
        &mut self,
        random: &mut fastrand::Rng,
        kind: Option<usize>,
    ) -> (usize, Link, Pieces, Option<u32>) {
        let all: f64 = self.kinds.iter().map(|kind| kind.share).sum();
        let mut left = random.f64() * all;
        let chosen = self.kinds.iter().position(|kind| {
            left -= kind.share;
            left < 0.0
        });
        let at = kind.or(chosen).unwrap_or(self.kinds.len() - 1);
        let number = self.sent;
        self.sent += 1;
        let link = self.links[number as usize % self.links.len()].clone();
        // Another seed, other messages: a cache knows none of them.
        let number = (self.seed << 40).wrapping_add(number);
        let frames = &self.frames[at];
        let limit = self.kinds[at].max_bytes.and_then(|bytes| u32::try_from(bytes.get()).ok());
        (at, link, frames[random.usize(..frames.len())].pieces(number), limit)
    }

    /// Sends calls at `rate` a second for so long, whatever becomes of them, and waits for all
    /// answers.
    pub async fn open(&mut self, rate: f64, time: Duration) -> Seen {
        self.shaped(Shape::Constant(rate), time, rate).await
    }

    /// As [`Self::open`], at a rate that rises or falls.
    pub async fn ramp(&mut self, ramp: Ramp) -> Seen {
        let mean = (ramp.from + ramp.to) / 2.0;
        self.shaped(Shape::Ramp(ramp), Duration::from_secs_f64(ramp.over), mean).await
    }

    /// As [`Self::open`], at the times of a trace.
    pub async fn replay(&mut self, trace: &Trace) -> Seen {
        let mean = trace.calls().len() as f64 / trace.time().as_secs_f64().max(1e-3);
        self.follow(trace.calls().iter().copied(), mean).await
    }

    async fn shaped(&mut self, shape: Shape, time: Duration, mean: f64) -> Seen {
        let times = Times::new(self.arrivals, shape, self.seed);
        let due = times.take_while(|at| *at < time).map(|at| Due { at, kind: None });
        self.follow(due, mean).await
    }

    async fn follow(&mut self, calls: impl Iterator<Item = Due>, offered: f64) -> Seen {
        let mut random = fastrand::Rng::with_seed(self.seed);
        let (mut alarm, mut without_pause) = (Alarm::new(), 0);
        let (notes, mut under_way) = (Notes::new(self), JoinSet::new());
        for Due { at: due, kind } in calls {
            let (kind, link, pieces, limit) = self.next(&mut random, kind);
            if notes.start.elapsed() < due {
                alarm.wait(notes.start + due).await;
                without_pause = 0;
            } else {
                without_pause += 1;
                if without_pause % AT_ONCE == 0 {
                    yield_now().await;
                }
            }
            notes.sent(Some(due));
            let (terms, notes) = (Arc::clone(&self.terms), notes.clone());
            under_way.spawn(async move {
                let (outcome, took) = call::send(&link, &terms, pieces, limit).await;
                let since_due = notes.start.elapsed().saturating_sub(due);
                notes.ended(kind, &outcome, since_due, took);
            });
            while under_way.try_join_next().is_some() {}
        }
        while under_way.join_next().await.is_some() {}
        notes.finish(Some(offered))
    }

    /// `callers` who each call again when they are answered, for so long, and once at least.
    pub async fn closed(&mut self, callers: usize, time: Duration) -> Seen {
        let mut random = fastrand::Rng::with_seed(self.seed);
        let (notes, mut under_way, mut made) = (Notes::new(self), JoinSet::new(), 0);
        loop {
            let due = |made| made < callers || notes.start.elapsed() < time;
            while under_way.len() < callers.max(1) && due(made) {
                made += 1;
                let (kind, link, pieces, limit) = self.next(&mut random, None);
                notes.sent(None);
                let (terms, notes) = (Arc::clone(&self.terms), notes.clone());
                under_way.spawn(async move {
                    let (outcome, took) = call::send(&link, &terms, pieces, limit).await;
                    notes.ended(kind, &outcome, took, took);
                });
            }
            if under_way.join_next().await.is_none() {
                return notes.finish(None);
            }
        }
    }
}
