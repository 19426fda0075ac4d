//! The zygote: one thread, all libraries loaded, no input ever read; forks a child a job.

#![allow(unsafe_code, reason = "calls libc and the kernel")]

use std::{
    collections::VecDeque,
    fs::File,
    io::{IoSliceMut, Write},
    mem::MaybeUninit,
    os::{
        fd::{AsRawFd, FromRawFd, OwnedFd, RawFd},
        unix::net::UnixStream,
    },
    process::ExitCode,
};

use bytes::{Buf, BytesMut};
use mmsfit::worker::protocol::{
    Command, Event, Exit, Greeting, JobId, JobLimits, Message, PREFIX, frame_length,
};
use rustix::{
    event::{PollFd, PollFlags, poll},
    net::{RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, recvmsg},
    process::{Pid, PidfdFlags, Signal, WaitOptions, kill_process, pidfd_open, waitpid},
};

use crate::{
    lockdown::{self, Lockdown},
    serve,
};

/// Orders are a few dozen bytes.
const MAX_ORDER: usize = 256;
/// The descriptor of a job's socket in its process.
const JOB_SOCKET: RawFd = 3;

/// Exit status of a job whose confinement could not be made.
const UNCONFINED: i32 = 70;

/// Serves the host at descriptor 0 until it hangs up.
pub fn run(faults: bool) -> ExitCode {
    // A panic in a job is told to the host in its reply; here it has no reader.
    std::panic::set_hook(Box::new(|_| {}));
    let Some(mut control) = take_control() else {
        eprintln!("mmsfit-worker: descriptor 0 is not the host's socket");
        return ExitCode::from(64);
    };
    serve::warm();
    let greeting = match prepare() {
        Ok((lockdown, confinement)) => {
            let libraries = serve::libraries();
            let ready = Greeting::Ready { version: version(), confinement, libraries };
            (ready, Some(lockdown))
        }
        Err(reason) => (Greeting::Refused { version: version(), reason }, None),
    };
    if control.write_all(&greeting.0.to_frame()).is_err() {
        return ExitCode::FAILURE;
    }
    let Some(lockdown) = greeting.1 else { return ExitCode::from(UNCONFINED as u8) };
    Zygote {
        control,
        lockdown,
        faults,
        jobs: Vec::new(),
        orders: BytesMut::new(),
        sockets: VecDeque::new(),
    }
    .serve()
}

fn version() -> String {
    env!("CARGO_PKG_VERSION").into()
}

/// The host's socket, moved away from descriptor 0, with nothing readable left there.
fn take_control() -> Option<UnixStream> {
    let null = File::options().read(true).write(true).open("/dev/null").ok()?;
    // SAFETY: `fcntl` and `dup2` take numbers; the new descriptor has no other owner.
    let control = unsafe {
        let control = libc::fcntl(0, libc::F_DUPFD_CLOEXEC, 3);
        if control < 0 || libc::dup2(null.as_raw_fd(), 0) < 0 {
            return None;
        }
        OwnedFd::from_raw_fd(control)
    };
    let stream = UnixStream::from(control);
    stream.peer_addr().ok()?;
    Some(stream)
}

/// The filters, compiled, and the proof that they hold.
fn prepare() -> Result<(Lockdown, mmsfit::worker::protocol::Confinement), String> {
    let threads = std::fs::read_dir("/proc/self/task").map(|tasks| tasks.count());
    // Where there is no /proc, the libraries are known not to start threads by being loaded.
    if threads.is_ok_and(|n| n != 1) {
        return Err("a library started a thread: forking would not be safe".into());
    }
    let lockdown = Lockdown::prepare()?;
    let confinement = lockdown::prove(&lockdown)?;
    Ok((lockdown, confinement))
}

struct Running {
    job: JobId,
    pid: Pid,
    /// Readable once the process has ended.
    pidfd: OwnedFd,
}

struct Zygote {
    control: UnixStream,
    lockdown: Lockdown,
    faults: bool,
    jobs: Vec<Running>,
    /// Orders that have not come whole.
    orders: BytesMut,
    /// Sockets in the order in which their jobs are ordered.
    sockets: VecDeque<OwnedFd>,
}

impl Zygote {
    fn serve(mut self) -> ExitCode {
        loop {
            let mut fds = vec![PollFd::new(&self.control, PollFlags::IN)];
            fds.extend(self.jobs.iter().map(|job| PollFd::new(&job.pidfd, PollFlags::IN)));
            match poll(&mut fds, None) {
                Ok(_) | Err(rustix::io::Errno::INTR) => {}
                Err(_) => break,
            }
            let ordered = !fds[0].revents().is_empty();
            let ended: Vec<usize> =
                (0..self.jobs.len()).filter(|i| !fds[i + 1].revents().is_empty()).collect();
            drop(fds);
            for index in ended.into_iter().rev() {
                if !self.reap(index) {
                    return self.finish();
                }
            }
            if ordered && !self.take_orders() {
                return self.finish();
            }
        }
        self.finish()
    }

    /// The host is gone: nothing of it remains.
    fn finish(&mut self) -> ExitCode {
        for running in &self.jobs {
            let _ = kill_process(running.pid, Signal::KILL);
        }
        for running in self.jobs.drain(..) {
            let _ = waitpid(Some(running.pid), WaitOptions::empty());
        }
        ExitCode::SUCCESS
    }

    fn tell(&mut self, event: Event) -> bool {
        self.control.write_all(&event.to_frame()).is_ok()
    }

    /// False when the host does not hear any more.
    fn reap(&mut self, index: usize) -> bool {
        let pid = self.jobs[index].pid;
        let Ok(Some((_, status))) = waitpid(Some(pid), WaitOptions::NOHANG) else { return true };
        let Running { job, .. } = self.jobs.swap_remove(index);
        let exit = match (status.terminating_signal(), status.exit_status()) {
            (Some(signal), _) => Exit::Signal(signal),
            (None, status) => Exit::Status(status.unwrap_or(-1)),
        };
        self.tell(Event::Ended { job, exit })
    }

    /// False when the host has hung up.
    fn take_orders(&mut self) -> bool {
        let mut bytes = [0; 4096];
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(4))];
        let mut ancillary = RecvAncillaryBuffer::new(&mut space);
        let flags = RecvFlags::CMSG_CLOEXEC;
        let mut into = [IoSliceMut::new(&mut bytes)];
        let got = match recvmsg(&self.control, &mut into, &mut ancillary, flags) {
            Ok(message) => message.bytes,
            Err(rustix::io::Errno::INTR) => return true,
            Err(_) => return false,
        };
        for message in ancillary.drain() {
            if let RecvAncillaryMessage::ScmRights(fds) = message {
                self.sockets.extend(fds);
            }
        }
        if got == 0 {
            return false;
        }
        self.orders.extend_from_slice(&bytes[..got]);
        while let Some(prefix) = self.orders.first_chunk::<PREFIX>() {
            let Ok(length) = frame_length(*prefix, MAX_ORDER) else { return false };
            if self.orders.len() < PREFIX + length {
                break;
            }
            self.orders.advance(PREFIX);
            let frame = self.orders.split_to(length).freeze();
            let Ok(command) = Command::from_frame(frame) else { return false };
            if !self.obey(command) {
                return false;
            }
        }
        true
    }

    fn obey(&mut self, command: Command) -> bool {
        match command {
            Command::Ping => self.tell(Event::Pong),
            Command::Kill(job) => {
                if let Some(running) = self.jobs.iter().find(|running| running.job == job) {
                    let _ = kill_process(running.pid, Signal::KILL);
                }
                true
            }
            Command::Start { job, limits } => match self.sockets.pop_front() {
                Some(socket) => match self.fork(limits, socket) {
                    Ok((pid, pidfd)) => {
                        self.jobs.push(Running { job, pid, pidfd });
                        true
                    }
                    Err(errno) => self.tell(Event::Ended { job, exit: Exit::NotStarted(errno) }),
                },
                // An order without its socket: host and zygote are out of step.
                None => false,
            },
        }
    }

    fn fork(&self, limits: JobLimits, socket: OwnedFd) -> Result<(Pid, OwnedFd), i32> {
        let parent = rustix::process::getpid();
        // SAFETY: this process has one thread (checked at start, and nothing here starts any), so
        // the child may do whatever the parent may.
        let pid = unsafe { libc::fork() };
        match pid {
            0 => job(&self.lockdown, limits, socket, parent, self.faults),
            _ if pid < 0 => Err(std::io::Error::last_os_error().raw_os_error().unwrap_or(0)),
            _ => {
                let pid = Pid::from_raw(pid).ok_or(0)?;
                match pidfd_open(pid, PidfdFlags::empty()) {
                    Ok(pidfd) => Ok((pid, pidfd)),
                    Err(errno) => {
                        let _ = kill_process(pid, Signal::KILL);
                        let _ = waitpid(Some(pid), WaitOptions::empty());
                        Err(errno.raw_os_error())
                    }
                }
            }
        }
    }
}

/// The life of a job's process.
fn job(lockdown: &Lockdown, limits: JobLimits, socket: OwnedFd, parent: Pid, faults: bool) -> ! {
    let confined = keep_only(socket).and_then(|socket| {
        lockdown.enter(limits, parent)?;
        Ok(socket)
    });
    let status = match confined {
        Ok(socket) => serve::serve(socket, faults),
        Err(_) => UNCONFINED,
    };
    // SAFETY: ends the process at once: destructors of the libraries have nothing to tidy here.
    unsafe { libc::_exit(status) }
}

/// Gives up every descriptor but the socket, which becomes number 3.
fn keep_only(socket: OwnedFd) -> Result<UnixStream, String> {
    // SAFETY: descriptors are numbers; the ones closed here belong to values of the parent that
    // this process never touches or drops: it ends with `_exit`.
    unsafe {
        // Descriptor 0 is /dev/null since the zygote's start.
        if libc::dup2(0, 1) < 0 || libc::dup2(0, 2) < 0 {
            return Err("dup2".into());
        }
        if socket.as_raw_fd() == JOB_SOCKET {
            std::mem::forget(socket);
        } else if libc::dup2(socket.as_raw_fd(), JOB_SOCKET) < 0 {
            return Err("dup2".into());
        } else {
            std::mem::forget(socket);
        }
        if libc::syscall(libc::SYS_close_range, JOB_SOCKET + 1, u32::MAX, 0) != 0 {
            for fd in JOB_SOCKET + 1..4096 {
                libc::close(fd);
            }
        }
        Ok(UnixStream::from(OwnedFd::from_raw_fd(JOB_SOCKET)))
    }
}
