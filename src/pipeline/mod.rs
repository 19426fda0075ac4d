//! The flow: parse, probe, plan; then fit every part within its budget, assemble, verify, report.
//!
//! A request passes four stages, each in a room of its own; what comes later sees what came before,
//! and never the other way round: [`examine`] (what each part is), [`draft`] (what the message would
//! be by its plan), [`encode`] (every part that goes through a codec), [`finish`] (the message and
//! its report).
//!
//! Architecture invariant: sees codecs by trait only; no tokio, no metrics, no clock of its own.
//! `prepare` is cheap and is what a dry run shows; `execute` does the work.

mod cache;
mod context;
mod draft;
mod encode;
mod examine;
mod finish;
mod job;
mod probes;
mod span;

#[cfg(test)]
mod tests;

use tracing::{Span, info_span};

use crate::{
    model::{PartId, Recipe, Report, Stop},
    policy::Adaptation,
};

pub use self::{
    cache::Sessions,
    context::Engine,
    draft::Prepared,
    encode::EncodedMessage,
    job::{Adapted, Job, PipelineError},
    probes::Probes,
};

impl Engine {
    /// Probes and plans; decodes no pixels.
    ///
    /// # Errors
    /// No plan can fit, it was stopped, or no worker is available to read a part.
    pub fn prepare(&self, job: &Job, stop: &Stop) -> Result<Prepared, PipelineError> {
        self.prepare_without(job, &[], stop)
    }

    /// As [`Engine::prepare`], where those in `given_up` are dropped whole.
    fn prepare_without(
        &self,
        job: &Job,
        given_up: &[PartId],
        stop: &Stop,
    ) -> Result<Prepared, PipelineError> {
        let probing = info_span!("probe", mmsfit.parts = job.message.parts().len() as i64);
        let examined = probing.in_scope(|| examine::examine(&self.bind(job, stop, &probing)))?;
        drop(probing);
        let _planning = info_span!("plan").entered();
        let mut plan = draft::plan(job, &examined, given_up)?;
        encode::plan_posters(job, &examined.facts, &mut plan);
        draft::refuse_empty(job, &examined.facts, plan.parts())?;
        let prepared = Prepared { examined, plan };
        if job.policy.adaptation == Adaptation::Minor {
            finish::refuse_major(job, &self.foresee(job, &prepared))?;
        }
        Ok(prepared)
    }

    /// What a prepared job would do, as a report without results.
    pub fn foresee(&self, job: &Job, prepared: &Prepared) -> Report {
        finish::foreseen(job, &prepared.examined, &prepared.plan)
    }

    /// For each part the recipe that would be tried first, where it is known without decoding:
    /// of audio and video.
    pub fn first_recipes(&self, job: &Job, prepared: &Prepared) -> Vec<Option<Recipe>> {
        let parts = prepared.plan().parts().iter().zip(prepared.facts());
        parts.map(|(part, facts)| encode::first_recipe(job, part, facts)).collect()
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
            let report = finish::unchanged(job, &prepared.examined, &prepared.plan);
            return Ok(Adapted { message: job.message.clone(), report });
        }
        self.assemble(job, &self.encode(job, prepared, stop)?)
    }

    /// The first half of [`Engine::execute`], for what a plan changes: encodes the parts.
    ///
    /// # Errors
    /// It cannot fit, or was stopped before anything fitted.
    pub fn encode(
        &self,
        job: &Job,
        prepared: &Prepared,
        stop: &Stop,
    ) -> Result<EncodedMessage, PipelineError> {
        // Parts are worked on by other threads: their spans are told whose they are.
        let caller = Span::current();
        let context = self.bind(job, stop, &caller);
        let (mut prepared, mut given_up) = (prepared.clone(), Vec::new());
        let encoded = loop {
            let Prepared { examined, plan } = &prepared;
            match encode::encode(&context, draft::Draft::new(job, examined, plan)) {
                // Nothing is small enough: without some of the media the rest may be.
                Err(PipelineError::CannotFit { smallest, limit, .. })
                    if draft::drop_more(job, &prepared, (smallest, limit.bytes), &mut given_up) =>
                {
                    prepared = self.prepare_without(job, &given_up, stop)?;
                }
                encoded => break encoded?,
            }
        };
        draft::refuse_empty(job, prepared.facts(), &encoded.parts)?;
        Ok(EncodedMessage { prepared, encoded })
    }

    /// The second half: assembles, verifies, reports.
    ///
    /// # Errors
    /// Our own check of the result failed, or the policy allows no loss and there was one.
    pub fn assemble(&self, job: &Job, encoded: &EncodedMessage) -> Result<Adapted, PipelineError> {
        let _assembling = info_span!("assemble").entered();
        finish::finish(job, &encoded.prepared.examined, &encoded.encoded)
    }

    /// All that [`Engine::encode`] depends on, written to `sink`: what is written of two messages is
    /// the same only if their parts are encoded to the same bytes.
    ///
    /// # Errors
    /// The sink's.
    pub fn identity(
        &self,
        job: &Job,
        prepared: &Prepared,
        sink: &mut impl std::io::Write,
    ) -> std::io::Result<()> {
        draft::identity(job, prepared, sink)
    }
}
