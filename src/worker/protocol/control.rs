//! Between host and zygote: start a job, kill a job, a job has ended.

use bytes::Bytes as Buffer;

use super::wire::{Garbled, Wire, garbled, structs, variants};

/// A job's number: never used twice by one host.
pub type JobId = u64;

/// What one job may use; the kernel holds it to that.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JobLimits {
    /// Address space, in bytes, libraries included. Default: 1 GiB.
    pub memory_bytes: u64,
    /// CPU seconds. Default: 120.
    pub cpu_seconds: u64,
}

impl Default for JobLimits {
    fn default() -> Self {
        Self { memory_bytes: 1 << 30, cpu_seconds: 120 }
    }
}

/// How a job was confined, as the zygote found by trying it on a job of its own.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Confinement {
    /// The system-call filter is in force: a file cannot be opened, a socket not be made.
    pub system_call_filter: bool,
    /// `no_new_privs` is set.
    pub no_new_privileges: bool,
    /// The limits of memory, CPU time and file size are in force.
    pub resource_limits: bool,
    /// The version of landlock's interface that is in force as a second wall; 0: the kernel has
    /// none, the filter stands alone.
    pub landlock: u32,
}

/// The zygote's first words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Greeting {
    /// Ready to start jobs.
    Ready {
        /// The worker's version: must be the host's.
        version: String,
        /// What holds its jobs.
        confinement: Confinement,
        /// The libraries with their versions and licences, a line each.
        libraries: Vec<String>,
    },
    /// It will not work unconfined.
    Refused {
        /// The worker's version.
        version: String,
        /// What is missing.
        reason: String,
    },
}

/// What the host tells the zygote.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Command {
    /// Start a job; its socket comes along.
    Start {
        /// The job.
        job: JobId,
        /// Its limits.
        limits: JobLimits,
    },
    /// Kill it, if it still runs.
    Kill(JobId),
    /// Answer at once: the host wonders whether the zygote is alive.
    Ping,
}

/// How a job ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// By itself, with this status.
    Status(i32),
    /// By this signal.
    Signal(i32),
    /// It could not be started: the error number of the system.
    NotStarted(i32),
}

/// What the zygote tells the host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// A job is gone.
    Ended {
        /// The job.
        job: JobId,
        /// How it ended.
        exit: Exit,
    },
    /// To [`Command::Ping`].
    Pong,
}

structs! {
    JobLimits { memory_bytes, cpu_seconds }
    Confinement { system_call_filter, no_new_privileges, resource_limits, landlock }
}

variants! {
    Greeting {
        0 => Ready { version, confinement, libraries },
        1 => Refused { version, reason },
    }
    Command { 0 => Start { job, limits }, 1 => Kill(job), 2 => Ping }
    Event { 0 => Ended { job, exit }, 1 => Pong }
    Exit { 0 => Status(status), 1 => Signal(signal), 2 => NotStarted(errno) }
}
