//! The flow: parse, probe, plan; then fit every part within its budget, assemble, verify, report.
//!
//! Architecture invariant: sees codecs by trait only; no tokio, no metrics, no clock of its own.
//! `prepare` is cheap and is what a dry run shows; `execute` does the work.

mod assemble;
mod check;
mod class;
mod consequences;
mod convert;
mod facts;
mod fitting;
mod foresight;
mod leaving;
mod notices;
mod overhead;
mod refine;
mod report;
mod rewrites;
mod sessions;
mod tasks;
mod twins;

#[cfg(test)]
mod tests;

use std::{sync::Arc, time::Duration};

use self::rewrites::Rewrites;
pub use self::sessions::Sessions;

use crate::{
    codec::{CodecSet, DecodeLimits},
    message::{Form, Message, MessageError},
    model::{
        Adaptation, Bytes, Capabilities, Category, Effort, Fault, Interface, Limits, PartId,
        Report, Stop, StopCause, WireLimit,
    },
    plan::{self, PartFacts, Plan, PlanError, Policy},
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
}

/// The engine: codecs and hard limits.
#[derive(Clone)]
pub struct Engine {
    /// The codecs.
    pub codecs: Arc<CodecSet>,
    /// Hard limits of decoding.
    pub decode: DecodeLimits,
    /// CPU time of the calling thread; injected because the engine owns no clock.
    pub cpu_clock: fn() -> Duration,
    /// What was decoded of one message, for when it comes again; `None`: nothing is kept.
    pub sessions: Option<Sessions>,
}

/// A planned job.
#[derive(Clone, Debug)]
pub struct Prepared {
    facts: Vec<PartFacts>,
    rewrites: Rewrites,
    plan: Plan,
}

impl Prepared {
    /// What is known of the parts.
    pub fn facts(&self) -> &[PartFacts] {
        &self.facts
    }

    /// What will be done.
    pub fn plan(&self) -> &Plan {
        &self.plan
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

impl Engine {
    /// An engine for one message and many devices: what is decoded of it is kept in `sessions`.
    pub fn sharing(&self, sessions: Sessions) -> Self {
        Self { sessions: Some(sessions), ..self.clone() }
    }

    /// What is kept of this message.
    fn kept_of(&self, message: &Message) -> Option<&Sessions> {
        self.sessions.as_ref().filter(|sessions| sessions.are_of(message))
    }

    /// Probes and plans; decodes no pixels.
    ///
    /// # Errors
    /// No plan can fit, it was stopped, or nobody is there to read a part.
    pub fn prepare(&self, job: &Job, stop: &Stop) -> Result<Prepared, PipelineError> {
        self.prepare_without(job, &[], stop)
    }

    /// As [`Engine::prepare`], where `given_up` are to give way whole.
    fn prepare_without(
        &self,
        job: &Job,
        given_up: &[PartId],
        stop: &Stop,
    ) -> Result<Prepared, PipelineError> {
        let mut facts = facts::collect(&job.message, self, stop)?;
        let rewrites = Rewrites::of(job, self, &mut facts, stop)?;
        let mut plan = plan::plan(
            plan::Input {
                parts: &facts,
                capabilities: &job.capabilities,
                limits: &job.limits,
                policy: &job.policy,
                given_up,
            },
            &|parts| overhead::constraints(job, &rewrites, parts),
        )?;
        foresight::no_clip(job, &facts, &mut plan);
        assemble::refuse_empty(job, &facts, plan.parts())?;
        let prepared = Prepared { facts, rewrites, plan };
        if job.policy.adaptation == Adaptation::Minor {
            leaving::refuse_major(job, &self.foresee(job, &prepared))?;
        }
        Ok(prepared)
    }

    /// What a prepared job would do, as a report without results.
    pub fn foresee(&self, job: &Job, prepared: &Prepared) -> Report {
        report::foreseen(job, prepared)
    }

    /// Does the work: fits, assembles, verifies, reports.
    ///
    /// # Errors
    /// It cannot fit, was stopped before anything fitted, or our own check of the result failed.
    pub fn execute(
        &self,
        job: &Job,
        prepared: &Prepared,
        stop: &Stop,
    ) -> Result<Adapted, PipelineError> {
        if prepared.plan.changes_nothing() {
            let report = report::unchanged(job, prepared);
            return Ok(Adapted { message: job.message.clone(), report });
        }
        let mut again;
        let mut prepared = prepared;
        let mut given_up = Vec::new();
        let fitted = loop {
            match fitting::fit(self, job, prepared, stop) {
                Err(PipelineError::CannotFit { smallest, limit, .. })
                    if leaving::more(job, prepared, (smallest, limit.bytes), &mut given_up) =>
                {
                    again = self.prepare_without(job, &given_up, stop)?;
                    prepared = &again;
                }
                fitted => break fitted?,
            }
        };
        assemble::refuse_empty(job, &prepared.facts, &fitted.parts)?;
        let verified = assemble::verify_parts(self, &prepared.facts, &fitted, stop)?;
        let message = assemble::message(job, prepared, &fitted)?;
        let mut report = report::finished(job, prepared, &fitted, verified, &message);
        let message = assemble::classed(job, message, &mut report);
        assemble::verify_size(job, &message)?;
        leaving::refuse_major(job, &report)?;
        Ok(Adapted { message, report })
    }
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
        /// The part that is the most in the way.
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
    /// Those who would do the work are not there, through no fault of the message.
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

/// Whether the output form can say "nothing but one file".
fn is_bare(job: &Job) -> bool {
    job.message.form() == Form::Bare
}
