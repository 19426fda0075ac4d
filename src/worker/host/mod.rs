//! The host's side: one zygote, watched, replaced, and renewed on demand; a job for every call that opens an input;
//! and the codec that forwards to jobs.

mod audio;
mod codec;
mod counts;
mod generations;
mod job;
mod line;
mod recheck;
mod remote;
mod settings;
mod zygote;

use std::{
    cell::Cell,
    os::unix::net::UnixStream,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, TryLockError, Weak,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

pub use self::{
    counts::Counts,
    remote::RemoteCodec,
    settings::{Settings, StartError},
};
use self::{
    counts::{Restart, Tally},
    generations::Generations,
    job::{CallError, Job, Loss},
    line::Line,
    zygote::Zygote,
};
use crate::{codec::CodecError, worker::protocol::Confinement};

/// A zygote that dies sooner than this after its start is not replaced before it is needed: a
/// worker that cannot live must not keep the machine busy.
const STABLE: Duration = Duration::from_secs(1);

thread_local! {
    static CPU: Cell<Duration> = const { Cell::new(Duration::ZERO) };
}

/// CPU time that workers have used for calls of this thread, so far.
pub fn cpu_for_this_thread() -> Duration {
    CPU.get()
}

/// All workers of this process. Cheap to clone; the last clone ends them.
#[derive(Clone)]
pub struct Workers(Arc<Shared>);

struct Shared {
    settings: Settings,
    zygotes: Mutex<Generations>,
    jobs: AtomicU64,
    tally: Arc<Tally>,
    itself: Weak<Shared>,
}

/// What runs, for people and metrics.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    /// The zygote's process.
    pub pid: u32,
    /// Jobs alive.
    pub jobs_running: usize,
    /// Jobs started since the host's start.
    pub jobs_started: u64,
    /// Zygotes that were replaced, for whatever cause.
    pub restarts: u64,
    /// How jobs are confined.
    pub confinement: Confinement,
    /// The libraries with their versions and licences, a line each.
    pub libraries: Vec<String>,
}

impl Workers {
    /// Nothing is started before the first job, or [`Workers::ready`].
    pub fn new(settings: Settings) -> Self {
        Self(Arc::new_cyclic(|itself| Shared {
            settings,
            zygotes: Mutex::default(),
            jobs: AtomicU64::new(0),
            tally: Arc::default(),
            itself: itself.clone(),
        }))
    }

    /// Starts the zygote, if none runs, and tells what runs.
    ///
    /// # Errors
    /// It cannot be started, is of another version, or refuses to run unconfined.
    pub fn ready(&self) -> Result<Status, StartError> {
        let zygote = self.0.zygote()?;
        Ok(self.0.status(&zygote))
    }

    /// Starts another zygote from the program as it lies there now, with the libraries as they are now.
    /// New jobs are its own; those at work end where they began, and with the last of them the old one.
    /// Whoever asks for a job meanwhile gets it from the old one. Nothing is started where nothing
    /// runs: what starts later is new anyway.
    ///
    /// # Errors
    /// As [`Workers::ready`]: then the old one stays.
    pub fn renew(&self) -> Result<Option<Status>, StartError> {
        let renewed = self.0.renew()?;
        Ok(renewed.map(|zygote| self.0.status(&zygote)))
    }

    /// What runs and what has happened so far. Starts nothing, and does not wait for what starts:
    /// `None` while a zygote is being started.
    pub fn counts(&self) -> Option<Counts> {
        let zygotes = match self.0.zygotes.try_lock() {
            Ok(zygotes) => zygotes,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => return None,
        };
        Some(Counts {
            zygote_alive: zygotes.alive().is_some(),
            jobs_alive: zygotes.running(),
            jobs_started: self.0.jobs.load(Ordering::Relaxed),
            restarts: self.0.tally.restarts(),
            jobs_lost: self.0.tally.jobs_lost(),
        })
    }

    /// The settings in force.
    pub fn settings(&self) -> &Settings {
        &self.0.settings
    }

    /// The codec that has its work done by these workers.
    pub fn codec(&self) -> RemoteCodec {
        RemoteCodec::new(self.clone())
    }

    /// A new process for one input.
    fn job(&self) -> Result<Job, CallError> {
        self.0.job()
    }
}

impl Shared {
    fn zygotes(&self) -> MutexGuard<'_, Generations> {
        self.zygotes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn zygote(&self) -> Result<Arc<Zygote>, StartError> {
        // Whoever comes while one is being started waits for it.
        let mut zygotes = self.zygotes();
        if let Some(zygote) = zygotes.alive() {
            return Ok(Arc::clone(zygote));
        }
        if let Some(dead) = zygotes.take() {
            self.tally.restart(dead.cause());
        }
        let started = self.start()?;
        zygotes.succeed(Arc::clone(&started));
        Ok(started)
    }

    fn start(&self) -> Result<Arc<Zygote>, StartError> {
        let shared = self.itself.clone();
        Zygote::start(&self.settings, Arc::clone(&self.tally), move |dead| {
            if dead.started.elapsed() >= STABLE
                && !dead.retired()
                && let Some(shared) = shared.upgrade()
            {
                // Its error, if any, is returned to the next caller that asks for a job.
                let _ = shared.zygote();
            }
        })
    }

    fn renew(&self) -> Result<Option<Arc<Zygote>>, StartError> {
        if self.zygotes().alive().is_none() {
            return Ok(None);
        }
        // Without the lock: jobs are started by the old one meanwhile.
        let started = self.start()?;
        self.zygotes().succeed(Arc::clone(&started));
        self.tally.restart(Restart::Renewed);
        Ok(Some(started))
    }

    fn status(&self, zygote: &Zygote) -> Status {
        Status {
            pid: zygote.pid,
            jobs_running: self.zygotes().running(),
            jobs_started: self.jobs.load(Ordering::Relaxed),
            restarts: self.tally.restarts().iter().map(|(_, count)| count).sum(),
            confinement: zygote.confinement.clone(),
            libraries: zygote.libraries.clone(),
        }
    }

    fn job(&self) -> Result<Job, CallError> {
        let zygote = self.zygote().map_err(|error| match error {
            // Killed while it started, as any of them may be: another one may live.
            StartError::Greeting { .. } => CallError::Lost(Loss::WithAll),
            error => CodecError::Unavailable(error.to_string()).into(),
        })?;
        let (running, most) = (self.zygotes().running(), self.settings.max_jobs);
        if running >= most {
            let (found, limit) = (running as u64 + 1, most as u64);
            return Err(CodecError::Limit { what: "worker processes", found, limit }.into());
        }
        let none = |e: std::io::Error| CodecError::Unavailable(format!("no worker: {e}"));
        let (ours, theirs) = UnixStream::pair().map_err(none)?;
        let line = Line::new(ours).map_err(none)?;
        let id = self.jobs.fetch_add(1, Ordering::Relaxed);
        // One that takes no orders has been ended, or was renewed just now: the next call has another.
        let started = zygote.start_job(id, &self.settings, theirs);
        let ending = started.map_err(|_| CallError::Lost(Loss::WithAll))?;
        Ok(Job::new(id, line, zygote, ending, self.settings.clone()))
    }
}

/// The last moment of a call that starts now.
fn deadline(settings: &Settings) -> Instant {
    Instant::now() + settings.call_time
}
