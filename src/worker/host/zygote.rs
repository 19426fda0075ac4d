//! The zygote as the host sees it: a process that forks jobs, watched by a thread.

use std::{
    collections::HashMap,
    io::{IoSlice, Read},
    mem::MaybeUninit,
    os::{
        fd::{AsFd, OwnedFd},
        unix::{net::UnixStream, process::CommandExt},
    },
    process::{Child, Command as Process, Stdio},
    sync::{
        Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use bytes::Bytes as Buffer;
use rustix::{
    net::{SendAncillaryBuffer, SendAncillaryMessage, SendFlags, sendmsg},
    process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal},
};

use super::{
    counts::{Restart, Tally},
    settings::{Settings, StartError},
};
use crate::worker::protocol::{
    Command, Confinement, Event, Exit, Greeting, JobId, Message, PREFIX, frame_length,
};

/// How long a zygote may take to load its libraries and try its confinement. It takes 0.1 s.
const GREETING_TIME: Duration = Duration::from_secs(20);
/// How long it may take to accept an order.
const ORDER_TIME: Duration = Duration::from_secs(2);
/// Greetings and events are short.
const MAX_CONTROL_FRAME: usize = 64 << 10;

/// How a job ended, for those who wait for it.
#[derive(Default)]
pub(super) struct Ending {
    exit: Mutex<Option<Ended>>,
    known: Condvar,
}

/// The end of a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ended {
    /// As the zygote tells.
    Exit(Exit),
    /// With its zygote: not the job's fault.
    Lost,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // The data are whole after every statement that holds a lock here.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Ending {
    fn set(&self, ended: Ended) {
        *lock(&self.exit) = Some(ended);
        self.known.notify_all();
    }

    /// Waits for the end, but not longer than `patience`.
    pub fn wait(&self, patience: Duration) -> Option<Ended> {
        let guard = lock(&self.exit);
        let (guard, _) = self
            .known
            .wait_timeout_while(guard, patience, |exit| exit.is_none())
            .unwrap_or_else(PoisonError::into_inner);
        *guard
    }
}

/// A running zygote.
pub(super) struct Zygote {
    control: Mutex<UnixStream>,
    jobs: Mutex<HashMap<JobId, Arc<Ending>>>,
    pidfd: OwnedFd,
    pub pid: u32,
    dead: AtomicBool,
    /// Starts no more jobs, and ends with its last one.
    retired: AtomicBool,
    /// Why the host gave it up, if it was the host.
    given_up: OnceLock<Restart>,
    pub tally: Arc<Tally>,
    pongs: AtomicU64,
    pub confinement: Confinement,
    pub libraries: Vec<String>,
    pub started: Instant,
}

impl Zygote {
    /// Starts the program and hears its greeting. `on_exit` is called on the watching thread when
    /// it has died.
    pub fn start(
        settings: &Settings,
        tally: Arc<Tally>,
        on_exit: impl FnOnce(&Zygote) + Send + 'static,
    ) -> Result<Arc<Self>, StartError> {
        let program = || settings.program.clone();
        let spawn = |detail: String| StartError::Spawn { program: program(), detail };
        let (ours, theirs) = UnixStream::pair().map_err(|e| spawn(e.to_string()))?;
        let mut child = command(settings, theirs).spawn().map_err(|e| spawn(e.to_string()))?;
        let greeted = greet(&ours, settings);
        let pidfd = pidfd_open(Pid::from_child(&child), PidfdFlags::empty());
        let (confinement, libraries, pidfd) = match (greeted, pidfd) {
            (Ok((confinement, libraries)), Ok(pidfd)) => (confinement, libraries, pidfd),
            (Err(error), _) => {
                end(&mut child);
                return Err(error);
            }
            (_, Err(errno)) => {
                end(&mut child);
                return Err(spawn(format!("the kernel has no process descriptors: {errno}")));
            }
        };
        let reader = ours.try_clone().map_err(|e| spawn(e.to_string()));
        let reader = reader.inspect_err(|_| end(&mut child))?;
        let zygote = Arc::new(Self {
            control: Mutex::new(ours),
            jobs: Mutex::default(),
            pidfd,
            pid: child.id(),
            dead: AtomicBool::new(false),
            retired: AtomicBool::new(false),
            given_up: OnceLock::new(),
            tally,
            pongs: AtomicU64::new(0),
            confinement,
            libraries,
            started: Instant::now(),
        });
        let watched = Arc::clone(&zygote);
        let watcher = std::thread::Builder::new().name("zygote-watch".into());
        let watching = watcher.spawn(move || {
            watched.watch(reader);
            // The socket is closed or broken: whatever the process still does, it ends here.
            end(&mut child);
            watched.mark_dead();
            on_exit(&watched);
        });
        watching.map_err(|e| {
            zygote.destroy(Restart::Died);
            spawn(e.to_string())
        })?;
        Ok(zygote)
    }

    /// Whether it can still start jobs.
    pub fn alive(&self) -> bool {
        !self.dead.load(Ordering::Acquire)
    }

    /// Jobs that have not ended.
    pub fn running(&self) -> usize {
        lock(&self.jobs).len()
    }

    /// Has a job forked that serves the other end of `socket`.
    pub fn start_job(
        &self,
        job: JobId,
        settings: &Settings,
        socket: UnixStream,
    ) -> std::io::Result<Arc<Ending>> {
        let ending = Arc::new(Ending::default());
        {
            let mut jobs = lock(&self.jobs);
            if self.retired() {
                return Err(std::io::ErrorKind::NotConnected.into());
            }
            jobs.insert(job, Arc::clone(&ending));
        }
        let order = Command::Start { job, limits: settings.limits };
        if let Err(error) = self.order(order, Some(socket)) {
            lock(&self.jobs).remove(&job);
            self.give_up(&error);
            return Err(error);
        }
        // Died in between: the end of this job will never be reported.
        if !self.alive() {
            self.mark_dead();
        }
        Ok(ending)
    }

    /// Whether another has taken its place.
    pub fn retired(&self) -> bool {
        self.retired.load(Ordering::Acquire)
    }

    /// Lets it start no more jobs. It ends when none is left.
    pub fn retire(&self) {
        let jobs = lock(&self.jobs);
        self.retired.store(true, Ordering::Release);
        let left = jobs.len();
        drop(jobs);
        if left == 0 {
            self.destroy(Restart::Renewed);
        }
    }

    /// Has a job killed, if it has not ended.
    pub fn kill_job(&self, job: JobId) {
        if lock(&self.jobs).contains_key(&job)
            && let Err(error) = self.order(Command::Kill(job), None)
        {
            self.give_up(&error);
        }
    }

    /// Asks for a sign of life; [`Zygote::pongs`] counts the answers.
    pub fn ping(&self) {
        if let Err(error) = self.order(Command::Ping, None) {
            self.give_up(&error);
        }
    }

    /// Signs of life so far.
    pub fn pongs(&self) -> u64 {
        self.pongs.load(Ordering::Acquire)
    }

    /// Kills it, and with it (by their parent-death signal) its jobs.
    pub fn destroy(&self, why: Restart) {
        // One that has died already was not given up.
        if !self.dead.swap(true, Ordering::AcqRel) {
            let _ = self.given_up.set(why);
        }
        let _ = pidfd_send_signal(&self.pidfd, Signal::KILL);
        let _ = lock(&self.control).shutdown(std::net::Shutdown::Both);
    }

    /// Why it has to be replaced.
    pub fn cause(&self) -> Restart {
        self.given_up.get().copied().unwrap_or(Restart::Died)
    }

    /// It took no order: the socket is closed where it has died, and full where it has not.
    fn give_up(&self, error: &std::io::Error) {
        use std::io::ErrorKind::{TimedOut, WouldBlock, WriteZero};
        let deaf = matches!(error.kind(), TimedOut | WouldBlock | WriteZero);
        self.destroy(if deaf { Restart::Deaf } else { Restart::Died });
    }

    fn order(&self, command: Command, socket: Option<UnixStream>) -> std::io::Result<()> {
        let frame = command.to_frame();
        let control = lock(&self.control);
        let fds: Vec<_> = socket.iter().map(AsFd::as_fd).collect();
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
        let mut ancillary = SendAncillaryBuffer::new(&mut space);
        if !fds.is_empty() {
            ancillary.push(SendAncillaryMessage::ScmRights(&fds));
        }
        let sent =
            sendmsg(&*control, &[IoSlice::new(&frame)], &mut ancillary, SendFlags::NOSIGNAL)?;
        // A frame of a few dozen bytes goes whole or not at all, unless the buffer is full of
        // orders that are never taken.
        if sent == frame.len() { Ok(()) } else { Err(std::io::ErrorKind::WriteZero.into()) }
    }

    /// Until the socket ends.
    fn watch(&self, mut reader: UnixStream) {
        while let Ok(frame) = read_frame(&mut reader) {
            match Event::from_frame(frame) {
                Ok(Event::Ended { job, exit }) => {
                    let (ended, left) = {
                        let mut jobs = lock(&self.jobs);
                        (jobs.remove(&job), jobs.len())
                    };
                    if let Some(ending) = ended {
                        ending.set(Ended::Exit(exit));
                    }
                    if left == 0 && self.retired() {
                        break;
                    }
                }
                Ok(Event::Pong) => {
                    self.pongs.fetch_add(1, Ordering::Release);
                }
                Err(_) => break,
            }
        }
    }

    fn mark_dead(&self) {
        self.dead.store(true, Ordering::Release);
        for (_, ending) in lock(&self.jobs).drain() {
            ending.set(Ended::Lost);
        }
    }
}

impl Drop for Zygote {
    fn drop(&mut self) {
        self.destroy(Restart::Died);
    }
}

fn command(settings: &Settings, control: UnixStream) -> Process {
    let mut command = Process::new(&settings.program);
    command
        .arg("--zygote")
        // Nothing of the host's environment is its business. Symbols are resolved once, before
        // any job is forked, instead of in each.
        .env_clear()
        .env("LD_BIND_NOW", "1")
        .stdin(Stdio::from(OwnedFd::from(control)))
        .stdout(Stdio::null())
        .stderr(Stdio::inherit())
        // A Ctrl-C at the terminal is for the host, which drains first.
        .process_group(0);
    if settings.faults {
        command.arg("--faults");
    }
    command
}

fn end(child: &mut Child) {
    let _ = child.kill();
    let _ = child.wait();
}

/// Reads the greeting and judges it.
fn greet(
    control: &UnixStream,
    settings: &Settings,
) -> Result<(Confinement, Vec<String>), StartError> {
    let program = || settings.program.clone();
    let failed = |detail: String| StartError::Greeting { program: program(), detail };
    let io = |e: std::io::Error| match e.kind() {
        std::io::ErrorKind::UnexpectedEof => failed("it ended at once".into()),
        std::io::ErrorKind::WouldBlock => failed("it says nothing".into()),
        _ => failed(e.to_string()),
    };
    control.set_read_timeout(Some(GREETING_TIME)).map_err(io)?;
    control.set_write_timeout(Some(ORDER_TIME)).map_err(io)?;
    let frame = read_frame(&mut &*control).map_err(io)?;
    control.set_read_timeout(None).map_err(io)?;
    let greeting = Greeting::from_frame(frame).map_err(|e| failed(e.to_string()))?;
    let (Greeting::Ready { version, .. } | Greeting::Refused { version, .. }) = &greeting;
    let ours = env!("CARGO_PKG_VERSION");
    if version != ours {
        return Err(StartError::VersionSkew {
            program: program(),
            ours: ours.into(),
            theirs: version.chars().filter(|c| !c.is_control()).take(40).collect(),
        });
    }
    match greeting {
        Greeting::Refused { reason, .. } => {
            Err(StartError::Unconfined { program: program(), reason })
        }
        Greeting::Ready { confinement, .. }
            if !confinement.system_call_filter
                || !confinement.no_new_privileges
                || !confinement.resource_limits =>
        {
            let reason = format!("it is not confined: {confinement:?}");
            Err(StartError::Unconfined { program: program(), reason })
        }
        Greeting::Ready { confinement, libraries, .. } => Ok((confinement, libraries)),
    }
}

fn read_frame(stream: &mut impl Read) -> std::io::Result<Buffer> {
    let mut prefix = [0; PREFIX];
    stream.read_exact(&mut prefix)?;
    let length = frame_length(prefix, MAX_CONTROL_FRAME).map_err(std::io::Error::other)?;
    let mut frame = vec![0; length];
    stream.read_exact(&mut frame)?;
    Ok(frame.into())
}
