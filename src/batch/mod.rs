//! Directory trees and archives in, directory trees out, a JSON line for each file.
//!
//! One file is one job: read it, tell what it is, skip it if the journal says that it is done,
//! ask the engine for its price, wait until that much memory is free, adapt, write whole, note it.
//! Names of outputs depend on the tree alone, never on which file finishes first, so a run that was
//! killed and started again ends as one that was not.
//!
//! Architecture invariant: decides nothing about a message; knows the engine as [`Engine`].

mod archive;
mod asked;
mod cleanup;
#[cfg(feature = "cluster")]
pub mod cluster;
mod digest;
mod engine;
mod error;
mod estimate;
#[cfg(feature = "parquet")]
mod flat;
mod forecast;
mod gate;
mod highlights;
mod intake;
mod item;
mod job;
mod journal;
mod manifest;
mod names;
mod options;
mod outcome;
mod progress;
mod report;
mod requests;
mod rows;
mod same;
mod select;
mod signal;
mod source;
mod state;
mod summary;
mod survey;
mod walk;
mod work;
pub mod write;

use std::{
    fs,
    path::Path,
    time::{Duration, Instant},
};

use crate::model::Bytes;

pub use asked::Asked;
pub use engine::{Engine, Foreseen};
pub use error::BatchError;
pub use estimate::Estimate;
pub use forecast::{Class, Forecast, OfKind, Sample, Share, forecast};
pub use highlights::{BARS, Highlights, Named, Sums};
pub use options::{OnCannotFit, Options};
pub use progress::Progress;
pub use rows::{Row, Status};
pub use select::{Pattern, Select, Shard};
pub use state::STATE_DIR;
pub use summary::Summary;

use gate::Gate;
use intake::Intake;
use job::Job;
use journal::Journal;
use manifest::Manifest;
use progress::Meter;
use requests::Requests;
use rows::Rows;
use same::Same;
use source::Source;
use state::State;
use survey::survey;

/// Runs over a source.
///
/// # Errors
/// If the run cannot begin, or its journal or report cannot be written.
pub fn run(engine: &dyn Engine, options: &Options) -> Result<Summary, BatchError> {
    let began = Instant::now();
    options.report.as_deref().map_or(Ok(()), report::check)?;
    let (input, output) = state::roots(options)?;
    let state = State::open(&output, options.select.shard)?;
    // Before anything shows that the run has begun.
    let signals = signal::Watch::start();
    let journal_path = state.dir.join("journal.jsonl");
    let journal = Journal::open(&journal_path).map_err(unwritable(&journal_path))?;
    let source = match &options.manifest {
        None => Source::open(&input, &output)?,
        Some(list) => Source::List(Manifest::open(list, &state.unfinished)?),
    };
    let (census, files) = survey(&source, &options.select);
    let names = census.names();
    let rows_path = state.unfinished.join("rows");
    let rows = Rows::create(&rows_path, files).map_err(unwritable(&rows_path))?;

    let meter = Meter::new(options.progress, files);
    // Bytes being read and memory being worked in are two gates: whoever is past the second
    // needs nothing more, so everybody gets through in the end.
    let quarter = Bytes::new((options.memory.get() / 4).max(1));
    let job = Job {
        engine,
        intake: Intake {
            input: &input,
            output: &output,
            archive: source.archive(),
            requests: Requests::new(engine, &options.request),
            reading: Gate::new(quarter),
        },
        on_cannot_fit: options.on_cannot_fit,
        output: &output,
        unfinished: &state.unfinished,
        journal: &journal,
        names: &names,
        same: Same::default(),
        working: Gate::new(Bytes::new(options.memory.get().saturating_sub(quarter.get()).max(1))),
        stop: signals.stop(),
    };
    let items = options.select.pick(source.items()).take(files);
    let worked = work::all(options.jobs.clamp(1, files.max(1)), items, &meter, |index, item| {
        if signals.stopping() {
            return Ok(None);
        }
        let row = job.run(item);
        rows.put(index, &row)?;
        Ok(Some(row.status))
    });
    worked.map_err(unwritable(&rows_path))?;
    if let Some(error) = journal.failure() {
        return Err(unwritable(&journal_path)(error));
    }

    let path = options.report.clone().unwrap_or_else(|| state.dir.join("report.jsonl"));
    let mut summary = Summary { files, ..Summary::default() };
    report::write(rows, &path, |row| summary.count(row)).map_err(unwritable(&path))?;
    summary.not_reached = summary.files - summary.reached();
    summary.interrupted = summary.not_reached > 0 || signals.stopping();
    summary.report = path.to_string_lossy().into_owned();
    summary.wall_ms = began.elapsed().max(Duration::from_micros(1)).as_secs_f64() * 1e3;
    let _ = fs::remove_dir_all(&state.unfinished);
    Ok(summary)
}

fn unwritable(path: &Path) -> impl Fn(std::io::Error) -> BatchError {
    let path = path.to_owned();
    move |error| BatchError::Output { path: path.clone(), error }
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
