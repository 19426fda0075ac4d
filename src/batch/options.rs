//! What a run is told.

use std::path::PathBuf;

use crate::{model::Bytes, service::request::AdaptRequest};

use super::{progress::Progress, select::Select};

/// One run.
#[derive(Clone, Debug)]
pub struct Options {
    /// The tree to read.
    pub input: PathBuf,
    /// A list of what to read in that tree, as CSV or JSON lines by its name; `-`: standard input, as
    /// JSON lines; `None`: the whole tree.
    pub manifest: Option<PathBuf>,
    /// The tree to write.
    pub output: PathBuf,
    /// Where the report goes; `None`: `report.jsonl` in the run's folder of the output.
    pub report: Option<PathBuf>,
    /// Which items are taken.
    pub select: Select,
    /// What becomes of an item that cannot be made to fit, or must not be changed.
    pub on_cannot_fit: OnCannotFit,
    /// Files at work at once, at least 1.
    pub jobs: usize,
    /// Memory that the files at work may take together.
    pub memory: Bytes,
    /// Everything about the request but its content, which is ignored.
    pub request: AdaptRequest,
    /// How to show progress.
    pub progress: Progress,
}

/// What becomes of an item that cannot be made to fit, or must not be changed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnCannotFit {
    /// It has no result, and the run is not whole.
    #[default]
    Fail,
    /// Its result is the original, over the limit or not; the row says so.
    Keep,
    /// It has no result, as was asked.
    Drop,
}
