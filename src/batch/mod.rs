//! Directory trees in, directory trees out, a JSON line for each file.
//!
//! One file is one job: read it, tell what it is, skip it if the journal says that it is done,
//! ask the engine for its price, wait until that much memory is free, adapt, write whole, note it.
//! Names of outputs depend on the tree alone, never on which file finishes first, so a run that was
//! killed and started again ends as one that was not.
//!
//! Architecture invariant: decides nothing about a message; knows the engine as [`Engine`].

mod cleanup;
pub mod detect;
mod gate;
mod job;
mod journal;
mod names;
mod progress;
mod rows;
mod signal;
mod walk;
pub mod write;

use std::{
    fs::{self, File, TryLockError},
    io,
    path::{Path, PathBuf},
    sync::atomic::{AtomicUsize, Ordering},
    time::{Duration, Instant},
};

use serde::Serialize;

use crate::{
    model::{Bytes, Category, Fault, Stop},
    service::{
        Service, ServiceError,
        request::{AdaptRequest, AdaptResponse, LimitsRequest, ResolveRequest},
    },
};

pub use progress::Progress;
pub use rows::{Row, Status};

use gate::Gate;
use job::Job;
use journal::Journal;
use names::Names;
use progress::Meter;
use rows::Rows;

/// What a run needs of the engine; the tests bring their own.
pub trait Engine: Sync {
    /// The memory that adapting will hold at once.
    ///
    /// # Errors
    /// A typed refusal.
    fn price(&self, request: AdaptRequest, stop: &Stop) -> Result<Bytes, ServiceError>;

    /// Adapts one message.
    ///
    /// # Errors
    /// A typed refusal.
    fn adapt(&self, request: AdaptRequest, stop: &Stop) -> Result<AdaptResponse, ServiceError>;

    /// All that a result depends on besides the input and the request: documents, limits.
    fn circumstances(&self, request: &AdaptRequest) -> String;
}

impl Engine for Service {
    fn price(&self, request: AdaptRequest, stop: &Stop) -> Result<Bytes, ServiceError> {
        self.plan(request, stop).map(|plan| plan.cost_memory)
    }

    fn adapt(&self, request: AdaptRequest, stop: &Stop) -> Result<AdaptResponse, ServiceError> {
        Self::adapt(self, request, stop)
    }

    fn circumstances(&self, request: &AdaptRequest) -> String {
        let device = self.resolve(ResolveRequest {
            device: request.device.clone(),
            carrier: request.carrier.clone(),
        });
        let limits = request.carrier.as_ref().map(|carrier| {
            self.lookup_limits(LimitsRequest {
                carrier: carrier.clone(),
                sender: request.sender,
                interface: request.interface,
            })
        });
        let config = self.config();
        format!("{device:?} {limits:?} {:?} {:?}", config.parse, config.decode)
    }
}

/// One run.
#[derive(Clone, Debug)]
pub struct Options {
    /// The tree to read.
    pub input: PathBuf,
    /// The tree to write.
    pub output: PathBuf,
    /// Where the report goes; `None`: `.mmsfit/report.jsonl` in the output.
    pub report: Option<PathBuf>,
    /// Files at work at once, at least 1.
    pub jobs: usize,
    /// Memory that the files at work may take together.
    pub memory: Bytes,
    /// Everything about the request but its content, which is ignored.
    pub request: AdaptRequest,
    /// How to show progress.
    pub progress: Progress,
}

/// What became of a run.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Summary {
    /// Files found.
    pub files: usize,
    /// Adapted in this run.
    pub done: usize,
    /// Passed unchanged in this run.
    pub unchanged: usize,
    /// Done by an earlier run.
    pub skipped: usize,
    /// Neither message nor medium.
    pub unsupported: usize,
    /// Cannot be made to fit, or must not be changed.
    pub refused: usize,
    /// Failed.
    pub failed: usize,
    /// Not looked at, as the run was stopped.
    pub not_reached: usize,
    /// Bytes of the files with a result, before.
    pub bytes_before: u64,
    /// Bytes of their results.
    pub bytes_after: u64,
    /// CPU time of the adaptations of this run, in milliseconds.
    pub cpu_ms: f64,
    /// Wall-clock time of this run, in milliseconds.
    pub wall_ms: f64,
    /// The run was stopped before its end.
    pub interrupted: bool,
    /// Where the report is.
    pub report: String,
}

impl Summary {
    /// Whether every message and medium has a result.
    pub fn is_whole(&self) -> bool {
        !self.interrupted && self.failed == 0 && self.refused == 0
    }

    fn count(&mut self, row: &Row) {
        *match row.status {
            Status::Done => &mut self.done,
            Status::Unchanged => &mut self.unchanged,
            Status::Skipped => &mut self.skipped,
            Status::Unsupported => &mut self.unsupported,
            Status::Refused => &mut self.refused,
            Status::Failed => &mut self.failed,
        } += 1;
        if let Some(after) = row.bytes_after {
            self.bytes_before += row.bytes_before;
            self.bytes_after += after;
        }
        if row.status != Status::Skipped {
            self.cpu_ms += row.cpu_ms;
        }
    }
}

/// Why a run could not start or finish. A bad file is not such a reason.
#[derive(Debug, thiserror::Error)]
pub enum BatchError {
    /// The directories cannot be used together.
    #[error("{0}")]
    Layout(String),
    /// The tree to read is not there.
    #[error("cannot read {}: {error}", path.display())]
    Input {
        /// Which path.
        path: PathBuf,
        /// The system's words.
        error: io::Error,
    },
    /// The output cannot be written.
    #[error("cannot write {}: {error}", path.display())]
    Output {
        /// Which path.
        path: PathBuf,
        /// The system's words.
        error: io::Error,
    },
    /// Another run writes to the same output.
    #[error("another run is writing to {}", .0.display())]
    Busy(PathBuf),
}

impl Fault for BatchError {
    fn category(&self) -> Category {
        match self {
            Self::Layout(_) => Category::Caller,
            Self::Input { .. } => Category::Input,
            Self::Output { .. } => Category::Internal,
            Self::Busy(_) => Category::Busy,
        }
    }

    fn reason(&self) -> &'static str {
        match self {
            Self::Layout(_) => "BATCH_LAYOUT",
            Self::Input { .. } => "INPUT_UNREADABLE",
            Self::Output { .. } => "OUTPUT_UNWRITABLE",
            Self::Busy(_) => "BATCH_BUSY",
        }
    }
}

/// The folder in the output that holds journal, lock and unfinished files.
pub const STATE_DIR: &str = ".mmsfit";

/// Runs over a tree.
///
/// # Errors
/// If the run cannot begin, or its journal or report cannot be written.
pub fn run(engine: &dyn Engine, options: &Options) -> Result<Summary, BatchError> {
    let began = Instant::now();
    let (input, output) = roots(options)?;
    let state = output.join(STATE_DIR);
    let _lock = lock(&state)?;
    let unwritable = |path: &Path| {
        let path = path.to_owned();
        move |error| BatchError::Output { path, error }
    };
    let unfinished = cleanup::fresh_dir(&state).map_err(unwritable(&state))?;
    // Before anything shows that the run has begun.
    let signals = signal::Watch::start();
    let journal_path = state.join("journal.jsonl");
    let journal = Journal::open(&journal_path).map_err(unwritable(&journal_path))?;
    let entries = walk::walk(&input, &output)
        .map_err(|error| BatchError::Input { path: input.clone(), error })?;
    let names = Names::new(entries.iter().map(|entry| entry.path.as_path()));
    let rows_path = unfinished.join("rows");
    let rows = Rows::create(&rows_path, entries.len()).map_err(unwritable(&rows_path))?;

    let meter = Meter::new(options.progress, entries.len());
    // Bytes being read and memory being worked in are two gates: whoever is past the second
    // needs nothing more, so everybody gets through in the end.
    let quarter = Bytes::new((options.memory.get() / 4).max(1));
    let job = Job {
        engine,
        request: &options.request,
        fingerprint: job::fingerprint(engine, &options.request),
        input: &input,
        output: &output,
        unfinished: &unfinished,
        journal: &journal,
        names: &names,
        reading: Gate::new(quarter),
        working: Gate::new(Bytes::new(options.memory.get().saturating_sub(quarter.get()).max(1))),
        stop: signals.stop(),
    };
    let next = AtomicUsize::new(0);
    let broken = std::sync::Mutex::new(None);
    std::thread::scope(|scope| {
        let ticker = meter.ticker(scope);
        let workers: Vec<_> = (0..options.jobs.max(1).min(entries.len().max(1)))
            .map(|_| {
                scope.spawn(|| {
                    while !signals.stopping() {
                        let index = next.fetch_add(1, Ordering::Relaxed);
                        let Some(entry) = entries.get(index) else { break };
                        let row = job.run(entry);
                        meter.count(row.status);
                        if let Err(error) = rows.put(index, &row) {
                            *broken.lock().unwrap_or_else(|e| e.into_inner()) = Some(error);
                            break;
                        }
                    }
                })
            })
            .collect();
        for worker in workers {
            // A worker that panicked (a job catches its own panics) shows as rows not reached.
            let _ = worker.join();
        }
        ticker.finish();
    });
    if let Some(error) = broken.into_inner().unwrap_or_else(|e| e.into_inner()) {
        return Err(BatchError::Output { path: rows_path, error });
    }
    if let Some(error) = journal.failure() {
        return Err(BatchError::Output { path: journal_path, error });
    }

    let report = options.report.clone().unwrap_or_else(|| state.join("report.jsonl"));
    let mut summary = Summary { files: entries.len(), ..Summary::default() };
    rows.write_report(&report, &mut summary).map_err(unwritable(&report))?;
    summary.not_reached = summary.files
        - (summary.done + summary.unchanged + summary.skipped)
        - (summary.unsupported + summary.refused + summary.failed);
    summary.interrupted = summary.not_reached > 0 || signals.stopping();
    summary.report = report.to_string_lossy().into_owned();
    summary.wall_ms = began.elapsed().max(Duration::from_micros(1)).as_secs_f64() * 1e3;
    let _ = fs::remove_dir_all(&unfinished);
    Ok(summary)
}

/// Both roots, resolved, the output made; refuses layouts in which results could land on inputs.
fn roots(options: &Options) -> Result<(PathBuf, PathBuf), BatchError> {
    let unreadable = |error| BatchError::Input { path: options.input.clone(), error };
    let unwritable = |error| BatchError::Output { path: options.output.clone(), error };
    let input = options.input.canonicalize().map_err(unreadable)?;
    if !input.is_dir() {
        return Err(BatchError::Layout(format!(
            "{} is a file; use `mmsfit adapt` for a single one",
            options.input.display()
        )));
    }
    fs::create_dir_all(&options.output).map_err(unwritable)?;
    let output = options.output.canonicalize().map_err(unwritable)?;
    if input.starts_with(&output) {
        return Err(BatchError::Layout(format!(
            "{} lies in the output {}: results could overwrite what is read",
            options.input.display(),
            options.output.display()
        )));
    }
    Ok((input, output))
}

/// Held as long as the run lasts; the system lets go of it however the process ends.
fn lock(state: &Path) -> Result<File, BatchError> {
    let unwritable = |error| BatchError::Output { path: state.to_owned(), error };
    fs::create_dir_all(state).map_err(unwritable)?;
    let file = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(state.join("lock"))
        .map_err(unwritable)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => {
            Err(BatchError::Busy(state.parent().unwrap_or(state).to_owned()))
        }
        Err(TryLockError::Error(error)) => Err(unwritable(error)),
    }
}

/// Half of the machine's memory, at most 1 GiB: the default of `--memory`.
pub fn default_memory() -> Bytes {
    const MOST: u64 = 1 << 30;
    let half = fs::read_to_string("/proc/meminfo").ok().and_then(|text| {
        let line = text.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
        let kib: u64 = line.trim().trim_end_matches("kB").trim().parse().ok()?;
        Some(kib.saturating_mul(1024) / 2)
    });
    Bytes::new(half.unwrap_or(MOST).min(MOST))
}

#[cfg(test)]
mod tests;
