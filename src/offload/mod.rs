//! The one door out of the async runtime: as many jobs at work as the service has threads, a
//! bounded queue of waiting ones, and a stop for each job when its caller leaves or its deadline
//! comes. Beside `service` and not in it, so that the engine can be had without tokio.

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

use crate::{
    model::{Stop, StopCause},
    service::{Service, ServiceError},
};

/// Jobs that may wait, for each thread. Past it callers are refused: at 100 ms a job the last of
/// them would wait more than six seconds.
const MAX_QUEUED_PER_THREAD: usize = 64;

/// What the threads are doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Load {
    /// Jobs at work; at most the number of threads.
    pub running: usize,
    /// Jobs that wait for a thread.
    pub queued: usize,
}

/// A service for async callers. Clones share one queue. Cheap to clone.
#[derive(Clone)]
pub struct Offload {
    service: Service,
    door: Arc<Door>,
}

impl Offload {
    /// A queue before the pool of `service`.
    pub fn new(service: Service) -> Self {
        let door = Arc::new(Door::new(service.pool().size()));
        Self { service, door }
    }

    /// The service, for what takes no time.
    pub fn service(&self) -> &Service {
        &self.service
    }

    /// What the threads are doing now.
    pub fn load(&self) -> Load {
        self.door.load()
    }

    /// Runs CPU work off the async threads. No more jobs are at work than there are threads; some
    /// more wait, in order.
    ///
    /// If the returned future is dropped, `stop` is set to cancelled and the work ends at its next
    /// poll. A while before `deadline`, `stop` is set to deadline: what the work then returns in
    /// time is the answer. Panics are caught.
    ///
    /// # Errors
    /// What `work` returns; `Busy` with a hint when to try again, if too many wait; `Deadline`;
    /// `Internal` if the work panicked.
    pub async fn run<T, F>(
        &self,
        stop: Stop,
        deadline: Option<Instant>,
        work: F,
    ) -> Result<T, ServiceError>
    where
        T: Send + 'static,
        F: FnOnce(&Service, &Stop) -> Result<T, ServiceError> + Send + 'static,
    {
        if let Some(fault) = self.service.pool().fault() {
            return Err(ServiceError::internal("NO_THREADS", fault));
        }
        let mut leaving = StopOnDrop(Some(stop.clone()));
        let times = deadline.map(Times::until);
        let permit = self.door.admit(times).await?;

        let (answer, answered) = oneshot::channel();
        let (shared, flag) = (self.clone(), stop.clone());
        let started = self.service.pool().spawn(move || {
            let outcome = shared.door.perform(permit, &flag, |stop| work(&shared.service, stop));
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

/// Who may work, and who waits.
struct Door {
    /// One permit a thread. Fair: who waits longest is next; who leaves frees his place at once.
    slots: Arc<Semaphore>,
    size: usize,
    queued: AtomicUsize,
    /// Running mean of the time that jobs take, in microseconds.
    mean_us: AtomicU64,
}

impl Door {
    fn new(size: usize) -> Self {
        Self {
            slots: Arc::new(Semaphore::new(size)),
            size,
            queued: AtomicUsize::new(0),
            mean_us: AtomicU64::new(100_000),
        }
    }

    fn load(&self) -> Load {
        Load {
            running: self.size.saturating_sub(self.slots.available_permits()),
            queued: self.queued.load(Ordering::Relaxed),
        }
    }

    /// Waits for a thread to be free.
    async fn admit(&self, times: Option<Times>) -> Result<OwnedSemaphorePermit, ServiceError> {
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
    fn queue(&self) -> Result<Place<'_>, ServiceError> {
        let bound = self.size.saturating_mul(MAX_QUEUED_PER_THREAD);
        let before = self.queued.fetch_add(1, Ordering::Relaxed);
        let place = Place(&self.queued);
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
struct Place<'a>(&'a AtomicUsize);

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
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
    use crate::{config::Config, model::Category};

    fn one_thread() -> Offload {
        Offload::new(Service::new(Config { threads: 1, ..Config::default() }))
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
        let offload = one_thread();
        let panicked: Result<(), _> =
            offload.run(Stop::never(), None, |_, _| panic!("on purpose")).await;
        let error = panicked.expect_err("a panic is an error");
        assert_eq!((error.category, error.reason), (Category::Internal, "PANIC"));
        assert_eq!(offload.run(Stop::never(), None, |_, _| Ok(7)).await, Ok(7));
        assert_eq!(offload.load(), Load { running: 0, queued: 0 });
    }

    #[tokio::test]
    async fn a_caller_who_leaves_stops_the_work() {
        let (tell, told) = mpsc::channel();
        let offload = one_thread();
        let job = offload.run(Stop::never(), None, move |_, stop| {
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
        let result = one_thread()
            .run(Stop::never(), Some(deadline), move |_, stop| {
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
        let offload = one_thread();
        let (release, released) = mpsc::channel::<()>();
        let soon = || Some(Instant::now() + Duration::from_millis(100));
        let deaf = offload.run(Stop::never(), soon(), move |_, _| {
            let _ = released.recv();
            Ok(())
        });
        assert_eq!(deaf.await.map_err(|e| e.category), Err(Category::Deadline));
        assert_eq!(offload.load().running, 1, "the deaf job still holds the thread");
        let queued = offload.run(Stop::never(), soon(), |_, _| Ok(()));
        assert_eq!(queued.await.map_err(|e| e.category), Err(Category::Deadline));
        drop(release);
    }

    #[tokio::test]
    async fn a_full_queue_refuses_with_a_hint() {
        let offload = one_thread();
        let (release, released) = mpsc::channel::<()>();
        let mut jobs = tokio::task::JoinSet::new();
        let first = offload.clone();
        jobs.spawn(async move {
            let wait = move |_: &Service, _: &Stop| {
                let _ = released.recv();
                Ok(())
            };
            first.run(Stop::never(), None, wait).await
        });
        while offload.load().running == 0 {
            tokio::task::yield_now().await;
        }
        for _ in 0..MAX_QUEUED_PER_THREAD {
            let offload = offload.clone();
            jobs.spawn(async move { offload.run(Stop::never(), None, |_, _| Ok(())).await });
        }
        while offload.load().queued < MAX_QUEUED_PER_THREAD {
            tokio::task::yield_now().await;
        }
        let refused = offload.run(Stop::never(), None, |_, _| Ok(())).await.expect_err("full");
        assert_eq!(refused.category, Category::Busy);
        assert!(refused.retry_after_ms >= Some(1000), "{refused:?}");
        drop(release);
        while let Some(job) = jobs.join_next().await {
            assert_eq!(job.expect("no panic"), Ok(()));
        }
        assert_eq!(offload.load(), Load { running: 0, queued: 0 });
    }
}
