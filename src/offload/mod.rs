//! The one door out of the async runtime. Beside `service` and not in it, so that the engine can be
//! had without tokio.
//!
//! Two lanes, each with threads of its own. What encodes nothing (look-ups, plans, texts, messages
//! that fit) never waits behind what does: a message is read and planned on the quick lane, answered
//! there if that was all, and else has a price when it queues for the other. That queue is bounded in
//! time: a call that would wait too long, or past its deadline, is refused at once, with a hint when
//! to try again. A job stops when its caller leaves or its deadline comes.

mod adapt;
mod door;
mod probes;
mod profiles;
mod results;
mod scans;
mod shares;
#[cfg(test)]
mod tests;
mod times;

use std::{
    fmt,
    sync::{Arc, PoisonError, RwLock},
    time::Instant,
};

use tokio::{sync::oneshot, time::timeout_at};
use tracing::{Instrument as _, Span, info_span};

pub use self::{
    door::{CALM, MAX_QUEUED_PER_THREAD, MAX_WAIT, MIN_WAIT, STANDING},
    results::CacheCounts,
};
use self::{
    door::{Door, PANIC, Permit, Ticket},
    probes::KeptProbes,
    results::Results,
    times::Times,
};
use crate::{
    config::Config,
    fetch::Fetcher,
    model::{Category, Stop, StopCause},
    scan::Scanner,
    service::{Pool, Service, ServiceError, WorkerError, WorkerStatus},
    telemetry::{self, Format, Metrics},
};

/// What the threads are doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Load {
    /// Jobs at work; at most the number of threads.
    pub running: usize,
    /// Jobs that wait for a thread.
    pub queued: usize,
}

/// Whether a job is refused rather than left to wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Priority {
    /// Somebody waits for the answer: refused where it would come too late.
    Interactive,
    /// Many that follow each other: each waits for its turn.
    Bulk,
}

/// A service for async callers. Clones share the queues. Cheap to clone.
#[derive(Clone)]
pub struct Offload {
    /// Exchanged as a whole: a call has the one or the other.
    service: Arc<RwLock<Service>>,
    pool: Arc<Pool>,
    work: Arc<Door>,
    quick: Arc<Door>,
    quick_pool: Arc<Pool>,
    /// `None`: nothing is kept.
    results: Option<Results>,
    /// What workers said of media; `None`: nothing is kept.
    probes: Option<Arc<KeptProbes>>,
    /// `None`: no document is fetched.
    fetcher: Option<Fetcher>,
    /// `None`: nothing is scanned.
    scanner: Option<Scanner>,
    /// Effort falls under pressure.
    brown_out: bool,
    metrics: Metrics,
}

impl Offload {
    /// Queues before the pool of `service`, and as many threads again for what encodes nothing. No
    /// document is fetched unless [`Offload::with_profile_fetch`] is asked for it, and nothing is scanned
    /// unless [`Offload::with_scan`] is.
    pub fn new(service: Service) -> Self {
        let size = service.pool().size();
        let memory = service.config().server.work_memory(size);
        let (pool, quick_pool) = (Arc::clone(service.pool()), Arc::new(Pool::new(size)));
        let results = Results::within(service.config().cache_bytes);
        let brown_out = service.config().server.brown_out;
        let probes = results.is_some().then(|| Arc::new(KeptProbes::new()));
        let service = match &probes {
            Some(probes) => service.remembering(Arc::clone(probes) as _),
            None => service,
        };
        let service = Arc::new(RwLock::new(service));
        Self {
            service,
            pool,
            work: Arc::new(Door::new(size, memory)),
            quick: Arc::new(Door::new(size, memory)),
            quick_pool,
            results,
            probes,
            fetcher: None,
            scanner: None,
            brown_out,
            metrics: Metrics::new(),
        }
    }

    /// The service as it is now, for what takes no time.
    pub fn service(&self) -> Service {
        self.service.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Calls from now on are answered by another configuration: see [`Service::reconfigured`]. Those
    /// at work go on as they began.
    pub fn reload(&self, config: Config) {
        let mut service = self.service.write().unwrap_or_else(PoisonError::into_inner);
        *service = service.reconfigured(config);
    }

    /// What is counted of all that goes through here.
    pub fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    /// All metrics as text, with the state of now.
    pub fn scrape(&self, format: Format) -> String {
        self.metrics.saturation(telemetry::Lane::Work, self.work.saturation());
        self.metrics.saturation(telemetry::Lane::Quick, self.quick.saturation());
        if let Some(counts) = self.service().worker_counts() {
            self.metrics.workers(&counts);
        }
        if let Some(CacheCounts { hits, misses, held }) = self.cache_counts() {
            self.metrics.cache(hits, misses, held);
        }
        if let Some((hits, misses)) = self.probe_counts() {
            self.metrics.probe_cache(hits, misses);
        }
        self.metrics.text(format)
    }

    /// What the threads that encode are doing now.
    pub fn load(&self) -> Load {
        self.work.load()
    }

    /// How the cache of encoded parts did; `None` where nothing is kept.
    pub fn cache_counts(&self) -> Option<CacheCounts> {
        self.results.as_ref().map(Results::counts)
    }

    /// How often media were known that a worker would have been asked about, and how often not; `None`
    /// where nothing is kept.
    pub fn probe_counts(&self) -> Option<(u64, u64)> {
        self.probes.as_ref().map(|probes| probes.counts())
    }

    /// As [`Service::renew_workers`]; what the old ones said of media is forgotten.
    ///
    /// # Errors
    /// The same.
    pub fn renew_workers(&self) -> Result<Option<WorkerStatus>, WorkerError> {
        let renewed = self.service().renew_workers()?;
        if let (Some(probes), true) = (&self.probes, renewed.is_some()) {
            probes.forget();
        }
        Ok(renewed)
    }

    /// Runs what takes little time and encodes nothing, off the async threads.
    ///
    /// # Errors
    /// As [`Offload::run`].
    pub async fn quick<T, F>(&self, deadline: Option<Instant>, work: F) -> Result<T, ServiceError>
    where
        T: Send + 'static,
        F: FnOnce(&Service, &Stop) -> Result<T, ServiceError> + Send + 'static,
    {
        let lane = Lane { door: &self.quick, pool: &self.quick_pool, name: telemetry::Lane::Quick };
        self.pass(lane, Ticket::default(), deadline, work).await
    }

    /// Runs CPU work off the async threads. No more jobs are at work than there are threads; some
    /// more wait, in order.
    ///
    /// If the returned future is dropped, the work's stop is set to cancelled and it ends at its next
    /// poll. A while before `deadline`, it is set to deadline: what the work then returns in time is
    /// the answer. Panics are caught.
    ///
    /// # Errors
    /// What `work` returns; `Busy` with a hint when to try again, if too many wait; `Deadline`;
    /// `Internal` if the work panicked.
    pub async fn run<T, F>(&self, deadline: Option<Instant>, work: F) -> Result<T, ServiceError>
    where
        T: Send + 'static,
        F: FnOnce(&Service, &Stop) -> Result<T, ServiceError> + Send + 'static,
    {
        self.pass(self.work_lane(), Ticket::default(), deadline, work).await
    }

    fn work_lane(&self) -> Lane<'_> {
        Lane { door: &self.work, pool: &self.pool, name: telemetry::Lane::Work }
    }

    /// Waits at a door, and counts how that went.
    async fn admit(
        &self,
        door: &Arc<Door>,
        lane: telemetry::Lane,
        ticket: Ticket,
        times: Option<Times>,
    ) -> Result<Permit, ServiceError> {
        let asked = Instant::now();
        let waiting = info_span!("queue", mmsfit.lane = lane.name());
        let admitted = door.admit(ticket, times).instrument(waiting).await;
        match &admitted {
            Ok(_) => self.metrics.waited(lane, asked.elapsed()),
            Err(error) if error.category == Category::Busy => self.metrics.refused_at_door(lane),
            Err(_) => {}
        }
        admitted
    }

    /// A job through a lane.
    async fn pass<T, F>(
        &self,
        lane: Lane<'_>,
        ticket: Ticket,
        deadline: Option<Instant>,
        work: F,
    ) -> Result<T, ServiceError>
    where
        T: Send + 'static,
        F: FnOnce(&Service, &Stop) -> Result<T, ServiceError> + Send + 'static,
    {
        let Lane { door, pool, name } = lane;
        if let Some(fault) = pool.fault() {
            return Err(ServiceError::internal("NO_THREADS", fault));
        }
        let stop = Stop::never();
        let mut leaving = StopOnDrop(Some(stop.clone()));
        let times = deadline.map(Times::until);
        let permit = self.admit(door, name, ticket, times).await?;

        let (answer, answered) = oneshot::channel();
        let (service, door, flag) = (self.service(), Arc::clone(door), stop.clone());
        let (metrics, caller) = (self.metrics.clone(), Span::current());
        let started = pool.spawn(move || {
            // Entered even where nobody traces the call: this thread may be within another.
            let outcome = caller.in_scope(|| door.perform(&flag, |stop| work(&service, stop)));
            if outcome.as_ref().is_err_and(|error| error.reason == PANIC) {
                metrics.panicked(name);
            }
            // Before the answer: a caller who comes again at once finds the place free.
            drop((permit, caller));
            // Nobody listens any more if the caller has left.
            let _ = answer.send(outcome);
        });
        started.map_err(|fault| ServiceError::internal("NO_THREADS", fault))?;

        let result = match times {
            None => answered.await,
            Some(times) => {
                let mut answered = answered;
                match timeout_at(times.stop.into(), &mut answered).await {
                    Ok(result) => result,
                    Err(_) => {
                        // The work may still hand over the best that it has.
                        stop.set(StopCause::Deadline);
                        timeout_at(times.answer.into(), answered).await.map_err(|_| {
                            // Nobody waits any more: what hangs even now must not hold its thread.
                            stop.set(StopCause::Cancelled);
                            ServiceError::stopped(StopCause::Deadline)
                        })?
                    }
                }
            }
        };
        leaving.0 = None;
        result.unwrap_or_else(|_| Err(ServiceError::internal("JOB_LOST", "the job was lost")))
    }
}

impl fmt::Debug for Offload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Offload").field("load", &self.load()).finish_non_exhaustive()
    }
}

/// Threads, and the door before them.
struct Lane<'a> {
    door: &'a Arc<Door>,
    pool: &'a Pool,
    name: telemetry::Lane,
}

/// Sets the flag when the future that waits for the job is dropped.
struct StopOnDrop(Option<Stop>);

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        if let Some(stop) = &self.0 {
            stop.set(StopCause::Cancelled);
        }
    }
}
