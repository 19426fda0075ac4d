//! What the host must know to run workers.

use std::{path::PathBuf, time::Duration};

use crate::worker::protocol::JobLimits;

/// Where the worker is and how far its jobs may go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// The executable `mmsfit-worker`.
    pub program: PathBuf,
    /// What the kernel holds one job to.
    pub limits: JobLimits,
    /// How long one call may take by the clock, whatever the caller's deadline. Default: 180 s.
    pub call_time: Duration,
    /// Jobs alive at once; one more is refused. Default: 256.
    pub max_jobs: usize,
    /// Jobs do mischief when an input asks for it: for tests of the confinement alone.
    pub faults: bool,
}

impl Settings {
    /// The defaults, for the worker at `program`.
    pub fn new(program: PathBuf) -> Self {
        Self {
            program,
            limits: JobLimits::default(),
            call_time: Duration::from_secs(180),
            max_jobs: 256,
            faults: false,
        }
    }
}

/// Why there are no workers.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StartError {
    /// The executable could not be started.
    #[error("cannot start {program}: {detail}", program = program.display())]
    Spawn {
        /// Which.
        program: PathBuf,
        /// What the system says.
        detail: String,
    },
    /// It is of another version: the two are packaged together and work together only.
    #[error("mmsfit is version {ours}, {program} is version {theirs}: install both from one package", program = program.display())]
    VersionSkew {
        /// Which.
        program: PathBuf,
        /// The host's version.
        ours: String,
        /// The worker's version.
        theirs: String,
    },
    /// It refuses to run unconfined.
    #[error("{program} refuses to run: {reason}", program = program.display())]
    Unconfined {
        /// Which.
        program: PathBuf,
        /// What is missing.
        reason: String,
    },
    /// It did not greet as a worker does.
    #[error("{program} does not answer as a worker: {detail}", program = program.display())]
    Greeting {
        /// Which.
        program: PathBuf,
        /// What went wrong.
        detail: String,
    },
}
