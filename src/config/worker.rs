//! Where the worker is, and how far its jobs may go.

use std::{path::PathBuf, str::FromStr};

use crate::model::Bytes;

/// Whether codecs written in C are used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum WorkerMode {
    /// Where `mmsfit-worker` lies beside `mmsfit`.
    #[default]
    Auto,
    /// Never: only images that safe Rust reads.
    Off,
    /// Always: without the worker nothing starts.
    Required,
}

impl FromStr for WorkerMode {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "auto" => Ok(Self::Auto),
            "off" => Ok(Self::Off),
            "required" => Ok(Self::Required),
            _ => Err("is not one of auto, off, required"),
        }
    }
}

/// Settings of the worker processes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorkerConfig {
    /// Default: auto.
    pub mode: WorkerMode,
    /// The executable. Default: `mmsfit-worker` beside this program.
    pub program: Option<PathBuf>,
    /// Address space of one job. Default: 1 GiB.
    pub max_memory: Bytes,
    /// CPU seconds of one job. Default: 120.
    pub max_cpu_seconds: usize,
    /// Wall-clock seconds of one call, whatever the caller's deadline. Default: 180.
    pub max_call_seconds: usize,
    /// Jobs alive at once. Default: 256.
    pub max_jobs: usize,
    /// Jobs cause faults when an input asks for it. Not a setting: for tests of the confinement.
    pub faults: bool,
}

impl Default for WorkerConfig {
    fn default() -> Self {
        Self {
            mode: WorkerMode::Auto,
            program: None,
            max_memory: Bytes::new(1 << 30),
            max_cpu_seconds: 120,
            max_call_seconds: 180,
            max_jobs: 256,
            faults: false,
        }
    }
}

impl WorkerConfig {
    /// The executable to use; `None` where there is none, or none is wanted.
    pub fn found(&self) -> Option<PathBuf> {
        match (self.mode, &self.program) {
            (WorkerMode::Off, _) => None,
            (_, Some(program)) => Some(program.clone()),
            (_, None) => beside(),
        }
    }
}

/// `mmsfit-worker` in the directory of this program; for programs that cargo keeps a directory
/// deeper (tests, benchmarks, examples), one above.
fn beside() -> Option<PathBuf> {
    let program = std::env::current_exe().ok()?;
    let directory = program.parent()?;
    let deeper = ["deps", "examples"].iter().any(|name| directory.ends_with(name));
    let above = directory.parent().filter(|_| deeper);
    [Some(directory), above]
        .into_iter()
        .flatten()
        .map(|directory| directory.join("mmsfit-worker"))
        .find(|path| path.is_file())
}
