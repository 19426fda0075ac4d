//! What a job drops before it sees the first byte, in this order: privileges, memory, CPU time
//! and files by limits; the file system and the network by landlock, where the kernel has it; all
//! but a few dozen system calls by a filter. Any step that fails ends the job.
//!
//! Works without privileges in an ordinary container: nothing here needs a namespace or root.

#![allow(unsafe_code, reason = "calls libc and the kernel")]

mod filter;
mod landlock;
mod limits;
mod proof;

use mmsfit::worker::protocol::JobLimits;
use rustix::process::Pid;

pub use proof::prove;

/// The filters, compiled once by the zygote.
pub struct Lockdown {
    filters: Vec<seccompiler::BpfProgram>,
}

impl Lockdown {
    /// Compiles the filters.
    ///
    /// # Errors
    /// There is no filter for this machine's architecture.
    pub fn prepare() -> Result<Self, String> {
        Ok(Self { filters: filter::programs()? })
    }

    /// Locks the calling process in, for good. `parent` is the zygote.
    ///
    /// # Errors
    /// The step that the kernel refused.
    pub fn enter(&self, limits: JobLimits, parent: Pid) -> Result<(), String> {
        die_with(parent)?;
        no_new_privileges()?;
        limits::set(limits)?;
        // A second wall. Where the kernel has none the filter alone stands; that it stands was
        // proved at the zygote's start, and what stands is told to the host.
        landlock::restrict();
        let own = filter::own_signals(std::process::id())?;
        for program in std::iter::once(&own).chain(&self.filters) {
            seccompiler::apply_filter(program).map_err(|e| format!("system-call filter: {e}"))?;
        }
        Ok(())
    }
}

fn prctl(option: libc::c_int, value: libc::c_ulong, name: &str) -> Result<(), String> {
    // SAFETY: these options take plain numbers.
    match unsafe { libc::prctl(option, value, 0, 0, 0) } {
        0 => Ok(()),
        _ => Err(format!("{name}: {}", std::io::Error::last_os_error())),
    }
}

/// The job dies with its zygote, and cannot be looked into by its neighbours.
fn die_with(parent: Pid) -> Result<(), String> {
    prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL as libc::c_ulong, "parent-death signal")?;
    if rustix::process::getppid() != Some(parent) {
        return Err("the zygote is gone".into());
    }
    prctl(libc::PR_SET_DUMPABLE, 0, "not dumpable")
}

/// Sets it, and asks whether it is set.
fn no_new_privileges() -> Result<(), String> {
    prctl(libc::PR_SET_NO_NEW_PRIVS, 1, "no_new_privs")?;
    // SAFETY: takes numbers alone.
    match unsafe { libc::prctl(libc::PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) } {
        1 => Ok(()),
        _ => Err("no_new_privs does not stick".into()),
    }
}
