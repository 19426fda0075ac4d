//! The proof that a lockdown holds: children that enter it and then try what it forbids.

#![allow(unsafe_code, reason = "calls libc and the kernel")]

use std::ffi::CStr;

use mmsfit::worker::protocol::{Confinement, JobLimits};
use rustix::process::{Pid, WaitOptions, getpid, waitpid};

use super::{Lockdown, landlock};

/// The status of a child that could not be locked in.
const NOT_ENTERED: i32 = 100;
/// The status of a child that found what it tried forbidden.
const HELD: i32 = 0;
/// The status of a child that could do what it must not.
const BROKEN: i32 = 1;

/// The directory that every system has.
const ROOT: &CStr = c"/";

/// What the trial children may use.
const TRIAL: JobLimits = JobLimits { memory_bytes: 1 << 30, cpu_seconds: 5 };

/// The complaint if it does not hold, what is tried, and how that must end.
type Trial = (&'static str, fn() -> i32, Outcome);

/// Tries it, in processes of their own.
///
/// # Errors
/// What does not hold.
pub fn prove(lockdown: &Lockdown) -> Result<Confinement, String> {
    let trials: [Trial; 4] = [
        ("a file can be opened", open_a_file, Outcome::Status(HELD)),
        ("a socket can be made", make_a_socket, Outcome::Signal(libc::SIGSYS)),
        ("files can be written", write_a_file, Outcome::Status(HELD)),
        ("memory is not limited", take_much_memory, Outcome::Status(HELD)),
    ];
    for (complaint, attempt, expected) in trials {
        match try_in_child(lockdown, attempt)? {
            Outcome::Status(NOT_ENTERED) => {
                return Err("this kernel does not let a process confine itself (seccomp filters, \
                            resource limits, no_new_privs)"
                    .into());
            }
            outcome if outcome == expected => {}
            outcome => return Err(format!("{complaint}: {outcome:?}")),
        }
    }
    Ok(Confinement {
        system_call_filter: true,
        // `enter` fails without it, and the trials came through `enter`.
        no_new_privileges: true,
        resource_limits: true,
        landlock: landlock::version(),
    })
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    Status(i32),
    Signal(i32),
}

fn try_in_child(lockdown: &Lockdown, attempt: fn() -> i32) -> Result<Outcome, String> {
    let parent = getpid();
    // SAFETY: the process has one thread; the child ends with `_exit`.
    let pid = unsafe { libc::fork() };
    if pid == 0 {
        let status = match lockdown.enter(TRIAL, parent) {
            Ok(()) => attempt(),
            Err(_) => NOT_ENTERED,
        };
        // SAFETY: as above.
        unsafe { libc::_exit(status) }
    }
    let pid = Pid::from_raw(pid).filter(|_| pid > 0).ok_or("no process can be forked")?;
    let status = waitpid(Some(pid), WaitOptions::empty());
    let (_, status) = status.ok().flatten().ok_or("a trial process was lost")?;
    Ok(match status.terminating_signal() {
        Some(signal) => Outcome::Signal(signal),
        None => Outcome::Status(status.exit_status().unwrap_or(BROKEN)),
    })
}

fn open_a_file() -> i32 {
    // SAFETY: the path is a constant with its end.
    let fd = unsafe { libc::open(ROOT.as_ptr(), libc::O_RDONLY) };
    if fd < 0 { HELD } else { BROKEN }
}

fn make_a_socket() -> i32 {
    // SAFETY: takes numbers alone.
    unsafe { libc::socket(libc::AF_INET, libc::SOCK_DGRAM, 0) };
    BROKEN
}

fn write_a_file() -> i32 {
    let mut limit = libc::rlimit { rlim_cur: 1, rlim_max: 1 };
    // SAFETY: `limit` lives through the call, which writes it.
    let read = unsafe { libc::getrlimit(libc::RLIMIT_FSIZE, &mut limit) };
    if read == 0 && limit.rlim_max == 0 { HELD } else { BROKEN }
}

fn take_much_memory() -> i32 {
    let wanted = usize::try_from(TRIAL.memory_bytes).unwrap_or(usize::MAX);
    // SAFETY: a new anonymous mapping touches no other memory.
    let at = unsafe {
        libc::mmap(
            std::ptr::null_mut(),
            wanted,
            libc::PROT_READ | libc::PROT_WRITE,
            libc::MAP_PRIVATE | libc::MAP_ANONYMOUS,
            -1,
            0,
        )
    };
    if at == libc::MAP_FAILED { HELD } else { BROKEN }
}
