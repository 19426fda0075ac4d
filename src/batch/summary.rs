//! What became of a run, in numbers.

use serde::Serialize;

use super::{
    highlights::Highlights,
    rows::{Row, Status},
};

/// What became of a run.
#[derive(Clone, Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Summary {
    /// Files found.
    pub files: usize,
    /// Adapted in this run.
    pub done: usize,
    /// Passed unchanged in this run.
    pub unchanged: usize,
    /// Of these two, those that got the result of another file with the same content.
    pub same: usize,
    /// Done by an earlier run.
    pub skipped: usize,
    /// Neither message nor medium.
    pub unsupported: usize,
    /// Cannot be made to fit, or must not be changed.
    pub refused: usize,
    /// The same, with the original as result, as was asked.
    pub kept: usize,
    /// The same, left out, as was asked.
    pub dropped: usize,
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
    /// What stands out, for a page.
    #[serde(skip)]
    pub highlights: Highlights,
}

impl Summary {
    /// Whether every message and medium has a result.
    pub fn is_whole(&self) -> bool {
        !self.interrupted && self.failed == 0 && self.refused == 0
    }

    /// Counts a row.
    pub fn count(&mut self, row: &Row) {
        self.highlights.count(row);
        *match row.status {
            Status::Done => &mut self.done,
            Status::Unchanged => &mut self.unchanged,
            Status::Skipped => &mut self.skipped,
            Status::Unsupported => &mut self.unsupported,
            Status::Refused => &mut self.refused,
            Status::Kept => &mut self.kept,
            Status::Dropped => &mut self.dropped,
            Status::Failed => &mut self.failed,
        } += 1;
        self.same += usize::from(row.same_as.is_some() && row.status != Status::Skipped);
        if let Some(after) = row.bytes_after {
            self.bytes_before += row.bytes_before;
            self.bytes_after += after;
        }
        if row.status != Status::Skipped {
            self.cpu_ms += row.cpu_ms;
        }
    }

    /// Files that have a row.
    pub fn reached(&self) -> usize {
        self.done
            + self.unchanged
            + self.skipped
            + self.unsupported
            + self.refused
            + self.kept
            + self.dropped
            + self.failed
    }
}
