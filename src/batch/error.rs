//! Why a run could not start or finish.

use std::{io, path::PathBuf};

use crate::model::{Category, Fault};

/// Why a run could not start or finish. A bad file is not such a reason.
#[derive(Debug, thiserror::Error)]
pub enum BatchError {
    /// The directories cannot be used together.
    #[error("{0}")]
    Layout(String),
    /// The list of items cannot be used.
    #[error("{}: line {line}: {why}", path.display())]
    Manifest {
        /// Which list.
        path: PathBuf,
        /// The line, from 1.
        line: u64,
        /// In words.
        why: String,
    },
    /// The tree or list to read is not there.
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
            Self::Layout(_) | Self::Manifest { .. } => Category::Caller,
            Self::Input { .. } => Category::Input,
            Self::Output { .. } => Category::Internal,
            Self::Busy(_) => Category::Busy,
        }
    }

    fn reason(&self) -> &'static str {
        match self {
            Self::Layout(_) => "BATCH_LAYOUT",
            Self::Manifest { .. } => "MANIFEST_INVALID",
            Self::Input { .. } => "INPUT_UNREADABLE",
            Self::Output { .. } => "OUTPUT_UNWRITABLE",
            Self::Busy(_) => "BATCH_BUSY",
        }
    }
}
