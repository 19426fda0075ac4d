//! All parts of a message while they are encoded.

use std::time::Duration;

use super::{
    Encoded, convert,
    duplicates::Duplicates,
    inspect,
    open::{open, open_late},
    part::{Best, EncodedPart, PartEncoding, PartOutcome},
    turns,
};
use crate::{
    codec::CodecError,
    model::{Action, Bytes, PartId, Reason, ReasonCode, StopCause},
    pipeline::{context::Context, draft::Draft, job::PipelineError, span},
    plan,
};

/// The message being encoded.
pub(super) struct Encoder<'a> {
    pub context: Context<'a>,
    /// What it would be like as decided so far.
    pub draft: Draft<'a>,
    /// The parts that go through a codec.
    pub parts: Vec<PartEncoding>,
    /// CPU time spent on parts that were dropped in the end, by index.
    cpu_of_failed: Vec<Duration>,
}

impl<'a> Encoder<'a> {
    /// Decodes every part that is encoded, in parallel. What cannot be decoded is dropped, its
    /// reason reported.
    ///
    /// # Errors
    /// Stopped, or no worker is available to decode.
    pub fn open(context: Context<'a>, draft: Draft<'a>) -> Result<Self, PipelineError> {
        let all = || draft.parts().iter().zip(draft.facts());
        let mut todo: Vec<_> = all().filter(|(part, _)| part.is_fitted()).collect();
        let duplicates = Duplicates::among(context.job.message.parts());
        let opened = turns::map(&mut todo, |(part, facts)| {
            let mut cpu = Duration::ZERO;
            let span = span::decode(&context, part.id, facts.info.kind);
            let open = || open(&context, &duplicates, part, facts);
            let opened = context.timed(&mut cpu, span, open);
            (part.id, cpu, opened)
        });
        let cpu_of_failed = vec![Duration::ZERO; draft.parts().len()];
        let mut encoder = Self { context, draft, parts: Vec::new(), cpu_of_failed };
        let mut failed = Vec::new();
        for (id, cpu, opened) in opened {
            match opened {
                Ok(part) => encoder.parts.push(PartEncoding { cpu, ..part }),
                Err(error) => match encoder.open_late(id, &error) {
                    Some(part) => {
                        let cpu = part.cpu + cpu;
                        encoder.parts.push(PartEncoding { cpu, ..part });
                    }
                    None => {
                        encoder.cpu_of_failed[id.index()] += cpu;
                        failed.push((id, PipelineError::unless_of_part(error)?));
                    }
                },
            }
        }
        encoder.drop_all(&failed);
        Ok(encoder)
    }

    fn open_late(&self, id: PartId, error: &CodecError) -> Option<PartEncoding> {
        open_late(&self.context, self.draft.part(id), &self.draft.facts()[id.index()], error)
    }

    /// Several parts share the bytes.
    pub fn has_several(&self) -> bool {
        self.parts.len() > 1
    }

    /// The sizes of the results so far, 0 for none.
    pub fn sizes(&self) -> Vec<(PartId, Bytes)> {
        self.parts.iter().map(|part| (part.id, part.best.size())).collect()
    }

    /// # Errors
    /// The parts that stay as they are exceed a limit by themselves.
    pub fn refuse_without_room(&self) -> Result<(), PipelineError> {
        match self.draft.constraints().iter().find(|c| c.fixed > c.limit.bytes) {
            None => Ok(()),
            Some(over) => Err(PipelineError::CannotFit {
                part: self.parts.first().map_or(PartId(0), |part| part.id),
                smallest: over.fixed,
                limit: over.limit,
            }),
        }
    }

    /// One encode of each image.
    ///
    /// # Errors
    /// Stopped, or no worker is available to encode.
    pub fn weigh_images(&mut self) -> Result<(), PipelineError> {
        let context = self.context;
        turns::for_each(&mut self.parts, |part| {
            if part.search.size_is_unpredictable() {
                part.advance(&context, 1);
            }
        });
        self.settle_failed()
    }

    /// Fits audio and video.
    ///
    /// # Errors
    /// Stopped, or no worker is available to encode.
    pub fn encode_audio_and_video(&mut self) -> Result<(), PipelineError> {
        let context = self.context;
        turns::for_each(&mut self.parts, |part| {
            if !part.search.size_is_unpredictable() {
                part.advance(&context, u32::MAX);
            }
        });
        self.settle_failed()
    }

    /// Fits all that is not fitted yet. An animation that lost too much becomes a video.
    ///
    /// # Errors
    /// Stopped, or no worker is available to encode.
    pub fn encode_rest(&mut self) -> Result<(), PipelineError> {
        let (context, draft) = (self.context, &self.draft);
        turns::for_each(&mut self.parts, |part| {
            part.advance(&context, u32::MAX);
            let facts = &draft.facts()[part.id.index()];
            convert::animation_to_video(&context, part, draft.part(part.id), facts);
        });
        self.settle_failed()
    }

    /// What the deadline left without any result becomes what is available at once, where there is
    /// something; what came to nothing is dropped.
    fn settle_failed(&mut self) -> Result<(), PipelineError> {
        for at in 0..self.parts.len() {
            let part = &self.parts[at];
            let Some(error) = part.failed.as_ref().filter(|_| !part.late) else { continue };
            if let Some(late) = self.open_late(part.id, error) {
                let mut late = PartEncoding { cpu: part.cpu, encodes: part.encodes, ..late };
                late.set_budget(part.budget);
                late.advance(&self.context, u32::MAX);
                self.parts[at] = late;
            }
        }
        self.drop_failed()
    }

    /// Parts whose codec failed are dropped; a stop, or no worker available, ends everything.
    ///
    /// # Errors
    /// Stopped, or no worker is available to encode.
    pub fn drop_failed(&mut self) -> Result<(), PipelineError> {
        if self.context.stop.check() == Err(StopCause::Cancelled) {
            return Err(StopCause::Cancelled.into());
        }
        let errors = self.parts.iter().filter_map(|part| Some((part.id, part.failed.clone()?)));
        let failed = errors
            .map(|(id, error)| Ok((id, PipelineError::unless_of_part(error)?)))
            .collect::<Result<Vec<_>, PipelineError>>()?;
        self.drop_all(&failed);
        Ok(())
    }

    /// Drops parts, and says why.
    fn drop_all(&mut self, failed: &[(PartId, CodecError)]) {
        for part in self.parts.extract_if(.., |part| failed.iter().any(|(id, _)| *id == part.id)) {
            self.cpu_of_failed[part.id.index()] += part.cpu;
        }
        let reasons = failed.iter().map(|(id, error)| (*id, reason(error)));
        self.draft.drop_failed(reasons);
    }

    /// An image that was to shrink only for the limit, and whose original fits after all, passes as
    /// it is.
    pub fn keep_originals(&mut self) {
        let mut at = 0;
        while at < self.parts.len() {
            let id = self.parts[at].id;
            let others: Vec<_> = self.sizes().into_iter().filter(|(i, _)| *i != id).collect();
            if self.parts[at].keeps_ceiling && self.draft.keep_original(id, &others) {
                self.parts.remove(at);
            } else {
                at += 1;
            }
        }
    }

    /// Notices for what was dropped, as far as there is room.
    ///
    /// # Errors
    /// The policy wants one for which there is no room.
    pub fn place_notices(&mut self) -> Result<(), PipelineError> {
        let sizes = self.sizes();
        self.draft.place_notices(&sizes)
    }

    /// Decodes and checks every result. What another program encoded, and does not pass, falls back;
    /// what nothing is left of is dropped.
    ///
    /// # Errors
    /// Stopped, no worker is available to check, or a result of our own is wrong.
    pub fn inspect(&mut self) -> Result<(), PipelineError> {
        let (context, draft, sizes) = (self.context, &self.draft, self.sizes());
        let alone = self.parts.len() == 1;
        let inspected = turns::map(&mut self.parts, |part| {
            // Alone it may have all that is spare; of several each what it has.
            let room = if alone {
                plan::spare(draft.constraints(), &sizes, part.id)
            } else {
                part.best.size()
            };
            let facts = &draft.facts()[part.id.index()];
            inspect::with_fallback(&context, part, facts, room)
        });
        let mut failed = Vec::new();
        for (part, result) in self.parts.iter_mut().zip(inspected) {
            match result {
                Ok(verified) => part.verified = verified,
                Err(error) => failed.push((part.id, PipelineError::unless_of_part(error)?)),
            }
        }
        if !failed.is_empty() {
            self.drop_all(&failed);
            self.place_notices()?;
        }
        let draft = &self.draft;
        let checks = turns::map(&mut self.parts, |part| {
            if part.verified.is_none() {
                let facts = &draft.facts()[part.id.index()];
                part.verified = Some(inspect::or_fail(&context, part, facts)?);
            }
            Ok(())
        });
        checks.into_iter().collect()
    }

    /// What became of every part.
    ///
    /// # Errors
    /// A part without a result: our bug.
    pub fn finish(self) -> Result<Encoded, PipelineError> {
        let Self { context, draft, parts: encodings, cpu_of_failed } = self;
        let mut parts = draft.into_parts();
        let not_encoded = parts.iter().zip(cpu_of_failed).map(|(part, cpu)| match part.action {
            _ if part.changes_nothing() => PartOutcome::Kept,
            Action::Keep | Action::Transcode => PartOutcome::Rewritten,
            Action::Replace | Action::Drop => PartOutcome::Dropped { cpu },
        });
        let mut outcomes: Vec<PartOutcome> = not_encoded.collect();
        for part in encodings {
            let index = part.id.index();
            let (Best::Encoded { recipe, data }, Some(verified)) = (part.best, part.verified)
            else {
                let detail = format!("part {index} was not encoded");
                return Err(PipelineError::Check(detail));
            };
            if part.converted.is_some() {
                parts[index].reasons.retain(|r| r.code != ReasonCode::AnimationLost);
            }
            if let Some(cache) = context.cache {
                cache.give_back(index, part.task.kind(), part.session);
            }
            outcomes[index] = PartOutcome::Encoded(Box::new(EncodedPart {
                recipe,
                data,
                verified,
                budget: part.budget,
                encodes: part.encodes,
                cpu: part.cpu,
                task: part.task,
                cut_short: part.cut_short || part.late,
                converted: part.converted,
                fallback_reason: part.fallback_reason,
            }));
        }
        Ok(Encoded { parts, outcomes })
    }
}

/// The reason for which a part is dropped.
fn reason(error: &CodecError) -> Reason {
    let code = match error {
        CodecError::Malformed { .. } => ReasonCode::Malformed,
        CodecError::Unsupported { .. } => ReasonCode::DecoderMissing,
        CodecError::Limit { .. } => ReasonCode::SafetyLimit,
        CodecError::Poison(_) => ReasonCode::Poison,
        // The first two end the whole call before they come here.
        CodecError::Stopped(_) | CodecError::Unavailable(_) | CodecError::Internal(_) => {
            ReasonCode::OurFault
        }
    };
    Reason::new(code, error.to_string())
}
