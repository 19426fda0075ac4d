//! What the stages work with: the codecs, their limits, the clock and the stop, bound to one message.

use std::{sync::Arc, time::Duration};

use tracing::Span;

use super::{cache::Sessions, job::Job, probes::Probes};
use crate::{
    codec::{CodecSet, DecodeLimits},
    model::Stop,
};

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
    /// What was found out about media of other messages; `None`: nothing is kept.
    pub probes: Option<Arc<dyn Probes>>,
}

impl Engine {
    /// An engine for one message and many devices: what is decoded of it is kept in `sessions`.
    pub fn sharing(&self, sessions: Sessions) -> Self {
        Self { sessions: Some(sessions), ..self.clone() }
    }

    /// The engine at work on one job.
    pub(super) fn bind<'a>(&'a self, job: &'a Job, stop: &'a Stop, span: &'a Span) -> Context<'a> {
        Context {
            job,
            codecs: &self.codecs,
            limits: &self.decode,
            stop,
            cache: self.sessions.as_ref().filter(|sessions| sessions.are_of(&job.message)),
            probes: self.probes.as_deref(),
            cpu_clock: self.cpu_clock,
            span,
        }
    }
}

/// An engine at work on one job: what every stage may use.
#[derive(Clone, Copy)]
pub(super) struct Context<'a> {
    pub job: &'a Job,
    pub codecs: &'a CodecSet,
    /// Hard limits of decoding.
    pub limits: &'a DecodeLimits,
    pub stop: &'a Stop,
    /// What was decoded of this message before, for another device.
    pub cache: Option<&'a Sessions>,
    /// What was found out about media of other messages.
    pub probes: Option<&'a dyn Probes>,
    cpu_clock: fn() -> Duration,
    /// Whose parts all that is done are, in a trace.
    pub span: &'a Span,
}

impl<'a> Context<'a> {
    /// The same, but stopped by another stop.
    pub fn stopped_by(self, stop: &'a Stop) -> Self {
        Self { stop, ..self }
    }

    /// The same, as parts of another span.
    pub fn within(self, span: &'a Span) -> Self {
        Self { span, ..self }
    }

    /// Does something in a span and adds the CPU time that it took to `total`.
    pub fn timed<T>(&self, total: &mut Duration, span: Span, work: impl FnOnce() -> T) -> T {
        let _at_work = span.entered();
        let start = (self.cpu_clock)();
        let done = work();
        *total += (self.cpu_clock)().saturating_sub(start);
        done
    }
}
