//! The CPU pool and its door: as many jobs at work as there are threads, a bounded queue of
//! waiting ones, and a stop for each job when its caller leaves or its deadline comes.

use std::{
    any::Any,
    fmt,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore, oneshot},
    time::timeout_at,
};

use super::ServiceError;
use crate::model::{Stop, StopCause};

/// Jobs that may wait, for each thread. Past it callers are refused: at 100 ms a job the last of
/// them would wait more than six seconds.
const MAX_QUEUED_PER_THREAD: usize = 64;

/// What the pool is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Load {
    /// Jobs at work; at most the number of threads.
    pub running: usize,
    /// Jobs that wait for a thread.
    pub queued: usize,
}

/// Threads for CPU work. A job may use rayon inside: its tasks run on the same threads.
pub struct Pool {
    /// `None` if the threads could not be started: every job is then refused, with [`Self::fault`].
    threads: Option<rayon::ThreadPool>,
    fault: String,
    /// One permit a thread. Fair: who waits longest is next; who leaves frees his place at once.
    slots: Arc<Semaphore>,
    size: usize,
    queued: AtomicUsize,
    /// Running mean of the time that jobs take, in microseconds.
    mean_us: AtomicU64,
}

impl Pool {
    /// Starts `threads` threads, at least one.
    pub fn new(threads: usize) -> Self {
        let size = threads.max(1);
        let built = rayon::ThreadPoolBuilder::new()
            .num_threads(size)
            .thread_name(|i| format!("work-{i}"))
            .build();
        let (threads, fault) = match built {
            Ok(pool) => (Some(pool), String::new()),
            Err(error) => (None, error.to_string()),
        };
        Self {
            threads,
            fault,
            slots: Arc::new(Semaphore::new(size)),
            size,
            queued: AtomicUsize::new(0),
            mean_us: AtomicU64::new(100_000),
        }
    }

    /// Why there are no threads, if there are none.
    pub fn fault(&self) -> Option<&str> {
        if self.threads.is_some() { None } else { Some(&self.fault) }
    }

    /// The number of jobs that can be at work at once.
    pub fn size(&self) -> usize {
        self.size
    }

    /// What it is doing now.
    pub fn load(&self) -> Load {
        Load {
            running: self.size.saturating_sub(self.slots.available_permits()),
            queued: self.queued.load(Ordering::Relaxed),
        }
    }

    /// Runs `work` with rayon's parallel iterators bound to this pool, and waits for it on the
    /// calling thread. For callers outside tokio; takes no place in the queue.
    pub fn install<T: Send>(&self, work: impl FnOnce() -> T + Send) -> T {
        match &self.threads {
            Some(pool) => pool.install(work),
            None => work(),
        }
    }

    /// Runs a job on the pool. See [`super::Service::offload`].
    pub(super) async fn run<T, F>(
        self: &Arc<Self>,
        stop: Stop,
        deadline: Option<Instant>,
        work: F,
    ) -> Result<T, ServiceError>
    where
        T: Send + 'static,
        F: FnOnce(&Stop) -> Result<T, ServiceError> + Send + 'static,
    {
        let pool = self
            .threads
            .as_ref()
            .ok_or_else(|| ServiceError::internal("NO_THREADS", self.fault.clone()))?;
        let mut leaving = StopOnDrop(Some(stop.clone()));
        let times = deadline.map(Times::until);
        let permit = self.admit(times).await?;

        let (answer, answered) = oneshot::channel();
        let (shared, flag) = (Arc::clone(self), stop.clone());
        pool.spawn(move || {
            let outcome = shared.perform(permit, &flag, work);
            // Nobody listens any more if the caller has left.
            let _ = answer.send(outcome);
        });

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

    /// Waits for a thread to be free.
    async fn admit(
        self: &Arc<Self>,
        times: Option<Times>,
    ) -> Result<OwnedSemaphorePermit, ServiceError> {
        if let Ok(permit) = Arc::clone(&self.slots).try_acquire_owned() {
            return Ok(permit);
        }
        let _place = self.queue()?;
        let slots = Arc::clone(&self.slots).acquire_owned();
        let permit = match times {
            None => slots.await,
            Some(times) => timeout_at(times.stop.into(), slots)
                .await
                .map_err(|_| ServiceError::stopped(StopCause::Deadline))?,
        };
        permit.map_err(|_| ServiceError::internal("POOL_CLOSED", "the pool is closed"))
    }

    /// Takes a place in the queue.
    fn queue(self: &Arc<Self>) -> Result<Place, ServiceError> {
        let bound = self.size.saturating_mul(MAX_QUEUED_PER_THREAD);
        let before = self.queued.fetch_add(1, Ordering::Relaxed);
        let place = Place(Arc::clone(self));
        if before < bound {
            return Ok(place);
        }
        Err(ServiceError::busy("QUEUE_FULL", self.time_to_drain()))
    }

    /// How long the jobs that wait now will take, by the running mean; 100 ms to 30 s.
    fn time_to_drain(&self) -> Duration {
        let waiting = self.queued.load(Ordering::Relaxed) as u64;
        let mean = self.mean_us.load(Ordering::Relaxed);
        let us = waiting.saturating_mul(mean) / self.size as u64;
        Duration::from_micros(us).clamp(Duration::from_millis(100), Duration::from_secs(30))
    }

    /// Does a job on a thread of the pool; gives its permit back before it is answered.
    fn perform<T>(
        &self,
        permit: OwnedSemaphorePermit,
        stop: &Stop,
        work: impl FnOnce(&Stop) -> Result<T, ServiceError>,
    ) -> Result<T, ServiceError> {
        let _permit = permit;
        stop.check().map_err(ServiceError::stopped)?;
        let started = Instant::now();
        // A job shares nothing mutable with others, so nothing broken is seen after a panic.
        let outcome = catch_unwind(AssertUnwindSafe(|| work(stop)));
        self.learn(started.elapsed());
        outcome.unwrap_or_else(|panic| {
            tracing::error!(panic = panic_text(&*panic), "a job panicked");
            Err(ServiceError::internal("PANIC", "internal error"))
        })
    }

    /// Moves the mean by an eighth. Threads that race lose a sample, which does not matter.
    fn learn(&self, took: Duration) {
        let sample = u64::try_from(took.as_micros()).unwrap_or(u64::MAX).min(3_600_000_000);
        let mean = self.mean_us.load(Ordering::Relaxed);
        self.mean_us.store((mean * 7 + sample) / 8, Ordering::Relaxed);
    }
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool").field("size", &self.size).field("load", &self.load()).finish()
    }
}

/// What a deadline means for a job: the work is stopped a while before, so that the best so far
/// can still be assembled; the answer leaves a little before, so that it arrives.
#[derive(Clone, Copy)]
struct Times {
    stop: Instant,
    answer: Instant,
}

impl Times {
    fn until(deadline: Instant) -> Self {
        let left = deadline.saturating_duration_since(Instant::now());
        let travel = (left / 20).clamp(Duration::from_millis(1), Duration::from_millis(50));
        let finish = (left / 8).clamp(Duration::from_millis(2), Duration::from_millis(250));
        let before = |margin| deadline.checked_sub(margin).unwrap_or(deadline);
        Self { stop: before(finish), answer: before(travel) }
    }
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

/// A place in the queue, given back when dropped.
struct Place(Arc<Pool>);

impl Drop for Place {
    fn drop(&mut self) {
        self.0.queued.fetch_sub(1, Ordering::Relaxed);
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

#[cfg(test)]
mod tests {
    use std::{sync::mpsc, thread};

    use super::*;
    use crate::model::Category;

    fn pool() -> Arc<Pool> {
        Arc::new(Pool::new(1))
    }

    /// Works until it is stopped, then tells why.
    fn until_stopped(stop: &Stop, told: &mpsc::Sender<StopCause>) {
        while stop.check().is_ok() {
            thread::sleep(Duration::from_millis(1));
        }
        if let Err(cause) = stop.check() {
            told.send(cause).expect("the test listens");
        }
    }

    #[tokio::test]
    async fn results_and_panics_come_back_and_the_thread_lives_on() {
        let pool = pool();
        let panicked: Result<(), _> = pool.run(Stop::never(), None, |_| panic!("on purpose")).await;
        let error = panicked.expect_err("a panic is an error");
        assert_eq!((error.category, error.reason), (Category::Internal, "PANIC"));
        assert_eq!(pool.run(Stop::never(), None, |_| Ok(7)).await, Ok(7));
        assert_eq!(pool.load(), Load { running: 0, queued: 0 });
    }

    #[tokio::test]
    async fn a_caller_who_leaves_stops_the_work() {
        let (tell, told) = mpsc::channel();
        let pool = pool();
        let job = pool.run(Stop::never(), None, move |stop| {
            until_stopped(stop, &tell);
            Ok(())
        });
        assert!(tokio::time::timeout(Duration::from_millis(50), job).await.is_err());
        let cause = told.recv_timeout(Duration::from_secs(5));
        assert_eq!(cause, Ok(StopCause::Cancelled));
    }

    #[tokio::test]
    async fn the_best_so_far_is_taken_at_the_deadline() {
        let deadline = Instant::now() + Duration::from_millis(400);
        let (tell, told) = mpsc::channel();
        let result = pool()
            .run(Stop::never(), Some(deadline), move |stop| {
                until_stopped(stop, &tell);
                Ok("best so far")
            })
            .await;
        assert_eq!(result, Ok("best so far"));
        assert_eq!(told.recv(), Ok(StopCause::Deadline));
        assert!(Instant::now() < deadline);
    }

    #[tokio::test]
    async fn deadlines_hold_for_deaf_work_and_in_the_queue() {
        let pool = pool();
        let (release, released) = mpsc::channel::<()>();
        let soon = || Some(Instant::now() + Duration::from_millis(100));
        let deaf = pool.run(Stop::never(), soon(), move |_| {
            let _ = released.recv();
            Ok(())
        });
        assert_eq!(deaf.await.map_err(|e| e.category), Err(Category::Deadline));
        assert_eq!(pool.load().running, 1, "the deaf job still holds the thread");
        let queued = pool.run(Stop::never(), soon(), |_| Ok(()));
        assert_eq!(queued.await.map_err(|e| e.category), Err(Category::Deadline));
        drop(release);
    }

    #[tokio::test]
    async fn a_full_queue_refuses_with_a_hint() {
        let pool = pool();
        let (release, released) = mpsc::channel::<()>();
        let mut jobs = tokio::task::JoinSet::new();
        let first = Arc::clone(&pool);
        jobs.spawn(async move {
            let wait = move |_: &Stop| {
                let _ = released.recv();
                Ok(())
            };
            first.run(Stop::never(), None, wait).await
        });
        while pool.load().running == 0 {
            tokio::task::yield_now().await;
        }
        for _ in 0..MAX_QUEUED_PER_THREAD {
            let pool = Arc::clone(&pool);
            jobs.spawn(async move { pool.run(Stop::never(), None, |_| Ok(())).await });
        }
        while pool.load().queued < MAX_QUEUED_PER_THREAD {
            tokio::task::yield_now().await;
        }
        let refused = pool.run(Stop::never(), None, |_| Ok(())).await.expect_err("full");
        assert_eq!(refused.category, Category::Busy);
        assert!(refused.retry_after_ms >= Some(1000), "{refused:?}");
        drop(release);
        while let Some(job) = jobs.join_next().await {
            assert_eq!(job.expect("no panic"), Ok(()));
        }
        assert_eq!(pool.load(), Load { running: 0, queued: 0 });
    }
}
