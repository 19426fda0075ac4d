//! Why a batch over many machines cannot go on. A bad item is not such a reason.

use std::{fmt::Display, io};

use crate::model::{Category, Fault};

use super::super::error::BatchError;

/// Why a batch over many machines cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum ClusterError {
    /// The queue's servers do not answer.
    #[error("the queue does not answer: {0}")]
    Unreachable(String),
    /// They answer, and refuse.
    #[error("the queue: {0}")]
    Queue(String),
    /// The object store does not answer, or refuses.
    #[error("the object store: {0}")]
    Store(String),
    /// A URL of a store, or options that do not go together.
    #[error("{0}")]
    Layout(String),
    /// No such job.
    #[error("there is no job {0}")]
    Unknown(String),
    /// The name is that of another submission.
    #[error("the job {0} is another one: other items, places or options")]
    Taken(String),
    /// It was cancelled.
    #[error("the job {0} was cancelled")]
    Cancelled(String),
    /// Results of this program would be others than the submitter's.
    #[error(
        "the job was submitted by another version of the program, or with other documents or another configuration ({0})"
    )]
    Differs(String),
    /// A list of items, or a file to write.
    #[error(transparent)]
    Batch(#[from] BatchError),
    /// This machine.
    #[error("{0}")]
    Machine(io::Error),
}

impl ClusterError {
    /// What the queue said when it was asked for something.
    pub fn queue(error: impl Display) -> Self {
        Self::Queue(error.to_string())
    }

    /// What the store said.
    pub fn store(error: impl Display) -> Self {
        Self::Store(error.to_string())
    }
}

impl Fault for ClusterError {
    fn category(&self) -> Category {
        match self {
            Self::Unreachable(_) | Self::Queue(_) | Self::Store(_) => Category::Unavailable,
            Self::Layout(_) | Self::Unknown(_) | Self::Taken(_) | Self::Cancelled(_) => {
                Category::Caller
            }
            Self::Differs(_) => Category::Caller,
            Self::Batch(error) => error.category(),
            Self::Machine(_) => Category::Internal,
        }
    }

    fn reason(&self) -> &'static str {
        match self {
            Self::Unreachable(_) => "UNREACHABLE",
            Self::Queue(_) => "QUEUE_REFUSED",
            Self::Store(_) => "STORE_UNAVAILABLE",
            Self::Layout(_) => "BATCH_LAYOUT",
            Self::Unknown(_) => "JOB_UNKNOWN",
            Self::Taken(_) => "JOB_TAKEN",
            Self::Cancelled(_) => "JOB_CANCELLED",
            Self::Differs(_) => "WORKER_DIFFERS",
            Self::Batch(error) => error.reason(),
            Self::Machine(_) => "MACHINE",
        }
    }
}
