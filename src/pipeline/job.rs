//! The engine's input and output: the job, and its result or error.

use crate::{
    codec::CodecError,
    message::{Form, Message, MessageError},
    model::{
        Bytes, Capabilities, Category, Effort, Fault, Interface, Limits, PartId, Report, StopCause,
        WireLimit,
    },
    plan::PlanError,
    policy::Policy,
};

/// One message for one device, everything resolved.
#[derive(Clone, Debug)]
pub struct Job {
    /// The message.
    pub message: Message,
    /// How its wire bytes are counted.
    pub interface: Interface,
    /// What the device takes.
    pub capabilities: Capabilities,
    /// All limits.
    pub limits: Limits,
    /// The policy.
    pub policy: Policy,
    /// How hard to try.
    pub effort: Effort,
    /// Parts in which a virus scanner found something, and what: no codec sees them, and they are left
    /// out as the ladders say.
    pub infected: Vec<(PartId, String)>,
}

impl Job {
    /// What a virus scanner found in a part.
    pub(super) fn infection(&self, part: PartId) -> Option<&str> {
        let found = self.infected.iter().find(|(id, _)| *id == part);
        found.map(|(_, signature)| signature.as_str())
    }

    /// Whether the message is one bare file, which no notice can replace.
    pub(super) fn is_bare(&self) -> bool {
        self.message.form() == Form::Bare
    }
}

/// A finished job. Its size was checked against every limit.
#[derive(Clone, Debug)]
pub struct Adapted {
    /// The message as it goes out.
    pub message: Message,
    /// What was done.
    pub report: Report,
}

/// Why a job ended without a message.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum PipelineError {
    /// No plan.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// The message could not be written.
    #[error(transparent)]
    Message(#[from] MessageError),
    /// Everything was tried.
    #[error("cannot fit: the smallest message that could be reached has {smallest} bytes, the limit is {limit} bytes",
        smallest = smallest.get(), limit = limit.bytes.get())]
    CannotFit {
        /// The part that is furthest from fitting.
        part: PartId,
        /// The smallest wire size that could be reached.
        smallest: Bytes,
        /// The limit.
        limit: WireLimit,
    },
    /// The only medium could not be used.
    #[error("part {part}: {detail}", part = part.0)]
    OnlyPart {
        /// Which part.
        part: PartId,
        /// Whose fault.
        category: Category,
        /// Stable reason.
        reason: &'static str,
        /// For people.
        detail: String,
    },
    /// Stopped before anything fitted.
    #[error(transparent)]
    Stopped(#[from] StopCause),
    /// The workers are not available, through no fault of the message.
    #[error("{0}")]
    Unavailable(String),
    /// A check of our own result failed.
    #[error("internal check failed: {0}")]
    Check(String),
}

impl Fault for PipelineError {
    fn category(&self) -> Category {
        match self {
            Self::Plan(e) => e.category(),
            Self::Message(e) => e.category(),
            Self::CannotFit { .. } => Category::CannotFit,
            Self::OnlyPart { category, .. } => *category,
            Self::Stopped(StopCause::Cancelled) => Category::Cancelled,
            Self::Stopped(StopCause::Deadline) => Category::Deadline,
            Self::Unavailable(_) => Category::Unavailable,
            Self::Check(_) => Category::Internal,
        }
    }

    fn reason(&self) -> &'static str {
        match self {
            Self::Plan(e) => e.reason(),
            Self::Message(e) => e.reason(),
            Self::CannotFit { .. } => "CANNOT_FIT",
            Self::OnlyPart { reason, .. } => reason,
            Self::Stopped(StopCause::Cancelled) => "CANCELLED",
            Self::Stopped(StopCause::Deadline) => "DEADLINE_EXCEEDED",
            Self::Unavailable(_) => "WORKER_LOST",
            Self::Check(_) => "SELF_CHECK_FAILED",
        }
    }
}

impl PipelineError {
    /// Sorts the errors of codecs: what costs a part alone comes back, what ends the whole message
    /// (a stop, or no worker available) is the error.
    pub(super) fn unless_of_part(error: CodecError) -> Result<CodecError, Self> {
        match error {
            CodecError::Stopped(cause) => Err(cause.into()),
            CodecError::Unavailable(detail) => Err(Self::Unavailable(detail)),
            CodecError::Malformed { .. }
            | CodecError::Unsupported { .. }
            | CodecError::Limit { .. }
            | CodecError::Poison(_)
            | CodecError::Internal(_) => Ok(error),
        }
    }
}
