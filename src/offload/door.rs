//! A door before a pool of threads: which job may work, which waits, and which is refused because it
//! would wait too long.

use std::{
    any::Any,
    future::Future,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::timeout_at,
};

use super::{
    Load,
    shares::{Share, Shares},
    times::Times,
};
use crate::{
    model::{Bytes, Stop, StopCause},
    service::ServiceError,
    telemetry::Saturation,
};

/// Jobs that may wait, for each thread, whatever they cost.
pub const MAX_QUEUED_PER_THREAD: usize = 64;

/// How long a job may have to wait, by what is planned for those before it, while the queue comes and
/// goes: long enough for a burst.
pub const MAX_WAIT: Duration = Duration::from_millis(1_500);

/// A queue of calls for which somebody waits that was never empty for this long is no burst: then a job
/// waits no longer than jobs take (controlled delay: Nichols and Jacobson 2012, and Maurer, "Fail at scale", 2015). What is accepted
/// is then answered in about twice its own time, and the rest is refused while it is cheap.
/// `mmsfit load --overload 3,10` tries it.
pub const STANDING: Duration = Duration::from_millis(100);

/// So long after such a queue the next one is none either: a short queue is empty now and then, and
/// whoever came just then would fill it anew.
pub const CALM: Duration = Duration::from_secs(2);

/// The least of such a wait: below it a queue would run dry between two arrivals.
pub const MIN_WAIT: Duration = Duration::from_millis(20);

/// The reason of a job that panicked.
pub(super) const PANIC: &str = "PANIC";

/// What a job is expected to take, and how long it is worth waiting for.
#[derive(Clone, Debug, Default)]
pub(super) struct Ticket {
    /// Whose it is; empty: of one who was not asked.
    pub client: Arc<str>,
    /// CPU time; `None`: what jobs take on the average.
    pub price: Option<Duration>,
    /// What it is expected to hold while it works.
    pub memory: Bytes,
    /// Refused where it would wait longer; `None`: it waits as long as its deadline lets it.
    pub max_wait: Option<Duration>,
}

/// Admits jobs to as many threads as there are.
pub(super) struct Door {
    /// One permit a thread. Fair: the longest wait is over first; a caller who leaves frees the place
    /// at once.
    slots: Arc<Semaphore>,
    size: usize,
    /// A permit for each MiB that jobs may hold together.
    memory: Arc<Semaphore>,
    memory_size: u32,
    queued: AtomicUsize,
    /// Of those, the ones that are refused rather than left to wait for long: somebody waits for them.
    hurried: AtomicUsize,
    began: Instant,
    /// Since when such jobs have been waiting without a pause, in microseconds since it began; 0: none
    /// waits.
    standing_since_us: AtomicU64,
    /// Until when a queue is taken as standing since one was, in microseconds since it began.
    standing_until_us: AtomicU64,
    /// What is planned for the jobs that wait and for those at work, in microseconds.
    waiting_us: AtomicU64,
    working_us: AtomicU64,
    /// Running mean of the time that jobs take, in microseconds.
    mean_us: AtomicU64,
    /// Running mean of the time that jobs take over their price, in thousandths.
    time_over_price: AtomicU64,
    shares: Arc<Shares>,
}

impl Door {
    /// Before so many threads, whose jobs hold `memory` together.
    pub fn new(size: usize, memory: Bytes) -> Self {
        let memory_size = mebibytes(memory);
        Self {
            slots: Arc::new(Semaphore::new(size)),
            size,
            memory: Arc::new(Semaphore::new(memory_size as usize)),
            memory_size,
            queued: AtomicUsize::new(0),
            hurried: AtomicUsize::new(0),
            began: Instant::now(),
            standing_since_us: AtomicU64::new(0),
            standing_until_us: AtomicU64::new(0),
            waiting_us: AtomicU64::new(0),
            working_us: AtomicU64::new(0),
            mean_us: AtomicU64::new(100_000),
            time_over_price: AtomicU64::new(1_000),
            shares: Arc::default(),
        }
    }

    /// How full it is.
    pub fn saturation(&self) -> Saturation {
        let Load { running, queued } = self.load();
        let time = |us: &AtomicU64| Duration::from_micros(us.load(Ordering::Relaxed));
        let (waiting, working) = (time(&self.waiting_us), time(&self.working_us));
        let held =
            u64::from(self.memory_size).saturating_sub(self.memory.available_permits() as u64);
        let memory = Bytes::new(held << 20);
        Saturation { threads: self.size, running, queued, waiting, working, memory }
    }

    pub fn load(&self) -> Load {
        Load {
            running: self.size.saturating_sub(self.slots.available_permits()),
            queued: self.queued.load(Ordering::Relaxed),
        }
    }

    /// Waits for a thread to be free, and for the memory.
    ///
    /// # Errors
    /// `Busy` with a hint when to try again, if it would wait too long; `Deadline`, if it did.
    pub async fn admit(
        self: &Arc<Self>,
        ticket: Ticket,
        times: Option<Times>,
    ) -> Result<Permit, ServiceError> {
        let price = self.price(&ticket);
        if let Ok(slot) = Arc::clone(&self.slots).try_acquire_owned() {
            let share = self.shares.enter(&ticket.client, price);
            return self.permit(slot, price, share, ticket.memory, times).await;
        }
        let place = self.queue(&ticket, price, times)?;
        let share = self.shares.enter(&ticket.client, price);
        let slots = Arc::clone(&self.slots).acquire_owned();
        let slot = in_time(slots, times).await?;
        let slot = slot.map_err(|_| ServiceError::internal("POOL_CLOSED", "the pool is closed"))?;
        drop(place);
        self.permit(slot, price, share, ticket.memory, times).await
    }

    /// What a job is expected to take: by its plan, corrected by what such plans came to.
    fn price(&self, ticket: &Ticket) -> u64 {
        let learnt = self.time_over_price.load(Ordering::Relaxed);
        let planned = ticket.price.map(|price| micros(price).saturating_mul(learnt) / 1_000);
        planned.unwrap_or_else(|| self.mean_us.load(Ordering::Relaxed))
    }

    /// What is at work: a thread, and the memory. Who waits for memory keeps the thread, so that small
    /// jobs do not pass a large one for ever; one that is larger than all has all of it.
    async fn permit(
        self: &Arc<Self>,
        slot: OwnedSemaphorePermit,
        price: u64,
        share: Share,
        memory: Bytes,
        times: Option<Times>,
    ) -> Result<Permit, ServiceError> {
        self.working_us.fetch_add(price, Ordering::Relaxed);
        let mut permit =
            Permit { door: Arc::clone(self), price, _slot: slot, _share: share, _memory: None };
        let wanted = mebibytes(memory).min(self.memory_size);
        if wanted > 0 {
            let held = Arc::clone(&self.memory).acquire_many_owned(wanted);
            permit._memory = in_time(held, times).await?.ok();
        }
        Ok(permit)
    }

    /// Takes a place in the queue.
    fn queue(
        &self,
        ticket: &Ticket,
        price: u64,
        times: Option<Times>,
    ) -> Result<Place<'_>, ServiceError> {
        let wait = self.wait();
        let left = times.map(|times| times.stop.saturating_duration_since(Instant::now()));
        let patience = ticket.max_wait.map(|most| most.min(self.patience(&ticket.client)));
        let bound = patience.into_iter().chain(left).min();
        // Hints are no shorter than a client should wait at all, and no longer than an outage.
        let hint = wait.clamp(Duration::from_millis(100), Duration::from_secs(30));
        if bound.is_some_and(|bound| wait > bound) {
            return Err(ServiceError::busy("QUEUE_FULL", hint));
        }
        let before = self.queued.fetch_add(1, Ordering::Relaxed);
        let hurried = ticket.max_wait.is_some();
        if hurried && self.hurried.fetch_add(1, Ordering::Relaxed) == 0 {
            self.standing_since_us.store(self.age_us().max(1), Ordering::Relaxed);
        }
        self.waiting_us.fetch_add(price, Ordering::Relaxed);
        let place = Place { door: self, price, hurried };
        if before < self.size.saturating_mul(MAX_QUEUED_PER_THREAD) {
            return Ok(place);
        }
        Err(ServiceError::busy("QUEUE_FULL", hint))
    }

    /// How long a job that came now would wait: all that is planned before it, half of what is at
    /// work being done.
    fn wait(&self) -> Duration {
        let working = self.working_us.load(Ordering::Relaxed) / 2;
        let ahead = self.waiting_us.load(Ordering::Relaxed).saturating_add(working);
        Duration::from_micros(ahead / self.size as u64)
    }

    /// Microseconds since it began.
    fn age_us(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_micros()).unwrap_or(u64::MAX)
    }

    /// Whether a queue of those for whom somebody waits has been there for so long that it is no burst,
    /// or was a moment ago. Items that follow each other wait as they should.
    pub fn is_standing(&self) -> bool {
        let (now, since) = (self.age_us(), self.standing_since_us.load(Ordering::Relaxed));
        if since > 0 && now.saturating_sub(since) >= micros(STANDING) {
            self.standing_until_us.store(now + micros(CALM), Ordering::Relaxed);
            return true;
        }
        now < self.standing_until_us.load(Ordering::Relaxed)
    }

    /// How long a job of a client may wait now. Whoever has less than their share may wait as ever:
    /// the queue is kept short by those who fill it.
    fn patience(&self, client: &str) -> Duration {
        if !self.is_standing() || !self.shares.is_full(client) {
            return MAX_WAIT;
        }
        Duration::from_micros(self.mean_us.load(Ordering::Relaxed)).clamp(MIN_WAIT, MAX_WAIT)
    }

    /// Does a job on a thread of the pool.
    pub fn perform<T>(
        &self,
        stop: &Stop,
        work: impl FnOnce(&Stop) -> Result<T, ServiceError>,
    ) -> Result<T, ServiceError> {
        stop.check().map_err(ServiceError::stopped)?;
        let started = Instant::now();
        // A job shares nothing mutable with others, so nothing broken is seen after a panic.
        let outcome = catch_unwind(AssertUnwindSafe(|| work(stop)));
        moved(&self.mean_us, micros(started.elapsed()));
        outcome.unwrap_or_else(|panic| {
            tracing::error!(panic = panic_text(&*panic), "a job panicked");
            Err(ServiceError::internal(PANIC, "internal error"))
        })
    }

    /// How long a job of this price was at work: what is planned is corrected by it.
    pub fn learn(&self, price: Duration, took: Duration) {
        let ratio = took.as_secs_f64() / price.as_secs_f64().max(1e-3);
        moved(&self.time_over_price, (ratio.clamp(0.1, 10.0) * 1e3) as u64);
    }
}

/// Moves a mean by an eighth. Threads that race lose a sample, which does not matter.
fn moved(mean: &AtomicU64, sample: u64) {
    let before = mean.load(Ordering::Relaxed);
    mean.store((before * 7 + sample.min(3_600_000_000)) / 8, Ordering::Relaxed);
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX).min(3_600_000_000)
}

/// Waits as long as the deadline lets it.
async fn in_time<T>(
    what: impl Future<Output = T>,
    times: Option<Times>,
) -> Result<T, ServiceError> {
    match times {
        None => Ok(what.await),
        Some(times) => timeout_at(times.stop.into(), what)
            .await
            .map_err(|_| ServiceError::stopped(StopCause::Deadline)),
    }
}

/// Begun ones count as whole.
fn mebibytes(bytes: Bytes) -> u32 {
    u32::try_from(bytes.get().div_ceil(1 << 20)).unwrap_or(u32::MAX).min(1 << 24)
}

/// A thread's worth of work, given back when dropped.
pub(super) struct Permit {
    door: Arc<Door>,
    price: u64,
    _slot: OwnedSemaphorePermit,
    _share: Share,
    _memory: Option<OwnedSemaphorePermit>,
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.door.working_us.fetch_sub(self.price, Ordering::Relaxed);
    }
}

/// A place in the queue, given back when dropped.
struct Place<'a> {
    door: &'a Door,
    price: u64,
    hurried: bool,
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.door.queued.fetch_sub(1, Ordering::Relaxed);
        if self.hurried && self.door.hurried.fetch_sub(1, Ordering::Relaxed) == 1 {
            self.door.standing_since_us.store(0, Ordering::Relaxed);
        }
        self.door.waiting_us.fetch_sub(self.price, Ordering::Relaxed);
    }
}

/// The text of a panic.
fn panic_text(panic: &(dyn Any + Send)) -> &str {
    panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("unknown")
}
