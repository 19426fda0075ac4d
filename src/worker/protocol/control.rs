//! Between host and zygote: start a job, kill a job, a job has ended.

use bytes::Bytes as Buffer;

use super::wire::{Garbled, Wire, garbled, structs};

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

impl Wire for Greeting {
    fn put(&self, out: &mut Vec<u8>) {
        match self {
            Self::Ready { version, confinement, libraries } => {
                0u8.put(out);
                version.put(out);
                confinement.put(out);
                libraries.put(out);
            }
            Self::Refused { version, reason } => {
                1u8.put(out);
                version.put(out);
                reason.put(out);
            }
        }
    }
    fn take(from: &mut Buffer) -> Result<Self, Garbled> {
        Ok(match u8::take(from)? {
            0 => Self::Ready {
                version: Wire::take(from)?,
                confinement: Wire::take(from)?,
                libraries: Wire::take(from)?,
            },
            1 => Self::Refused { version: Wire::take(from)?, reason: Wire::take(from)? },
            other => return garbled(format!("no greeting {other}")),
        })
    }
}

impl Wire for Command {
    fn put(&self, out: &mut Vec<u8>) {
        match self {
            Self::Start { job, limits } => {
                0u8.put(out);
                job.put(out);
                limits.put(out);
            }
            Self::Kill(job) => {
                1u8.put(out);
                job.put(out);
            }
            Self::Ping => 2u8.put(out),
        }
    }
    fn take(from: &mut Buffer) -> Result<Self, Garbled> {
        Ok(match u8::take(from)? {
            0 => Self::Start { job: Wire::take(from)?, limits: Wire::take(from)? },
            1 => Self::Kill(Wire::take(from)?),
            2 => Self::Ping,
            other => return garbled(format!("no command {other}")),
        })
    }
}

impl Wire for Event {
    fn put(&self, out: &mut Vec<u8>) {
        match self {
            Self::Ended { job, exit } => {
                0u8.put(out);
                job.put(out);
                exit.put(out);
            }
            Self::Pong => 1u8.put(out),
        }
    }
    fn take(from: &mut Buffer) -> Result<Self, Garbled> {
        Ok(match u8::take(from)? {
            0 => Self::Ended { job: Wire::take(from)?, exit: Wire::take(from)? },
            1 => Self::Pong,
            other => return garbled(format!("no event {other}")),
        })
    }
}

impl Wire for Exit {
    fn put(&self, out: &mut Vec<u8>) {
        let (tag, number) = match self {
            Self::Status(number) => (0u8, number),
            Self::Signal(number) => (1, number),
            Self::NotStarted(number) => (2, number),
        };
        tag.put(out);
        number.put(out);
    }
    fn take(from: &mut Buffer) -> Result<Self, Garbled> {
        let (tag, number) = (u8::take(from)?, i32::take(from)?);
        Ok(match tag {
            0 => Self::Status(number),
            1 => Self::Signal(number),
            2 => Self::NotStarted(number),
            other => return garbled(format!("no end {other}")),
        })
    }
}
