//! The search for one part's best recipe: what it asks for is encoded, measured or judged, and it
//! is told what came of it.

use bytes::Bytes as Buffer;

use super::part::{Best, PartEncoding};
use crate::{
    codec::{CodecError, EncodeError},
    fit::{Judgement, Observation, SearchStep, Task, Verdict},
    model::{Bytes, Dimensions, Recipe, StopCause},
    pipeline::{
        context::Context,
        span::{self, Try},
    },
};

impl PartEncoding {
    /// Goes on with the search for at most `steps` steps. At its end the best output is there,
    /// encoded.
    pub fn advance(&mut self, context: &Context<'_>, steps: u32) {
        if self.failed.is_some() || self.cut_short {
            return;
        }
        let late = self.late.then(|| context.stop.past_deadline());
        let span = span::fit(context, self.id);
        let context = &context.stopped_by(late.as_ref().unwrap_or(context.stop)).within(&span);
        for _ in 0..steps {
            match self.search.step() {
                SearchStep::Done => {
                    let settled = !self.relax() && self.settle(context);
                    if settled && (self.failed.is_some() || self.search.is_finished()) {
                        return;
                    }
                }
                SearchStep::Exhausted { .. } => {
                    if !self.lift_ceiling() {
                        return;
                    }
                }
                SearchStep::Compare { recipes } => {
                    let Self { session, cpu, .. } = self;
                    let span = span::compare(context, self.id);
                    let compare = || session.compare(&recipes, context.stop);
                    let found = context.timed(cpu, span, compare);
                    // What cannot be compared, or not in time, is left to the rules.
                    self.search.choose(found.unwrap_or(None));
                }
                SearchStep::Judge { recipe, largest, cap } => {
                    if !self.judge(context, recipe, largest, cap) {
                        return;
                    }
                }
                SearchStep::Take { recipe } => {
                    self.best = Best::Measured { recipe, size: self.best.size() };
                    // It was encoded when it was judged.
                    let encodes = self.encodes;
                    self.settle(context);
                    self.encodes = encodes;
                    if self.failed.is_some() {
                        return;
                    }
                }
                SearchStep::Try { recipe, cap } => {
                    if !self.attempt(context, recipe, cap) {
                        return;
                    }
                }
            }
        }
    }

    /// Nothing fits: the original's own size is no reason to refuse, only the limit is. `true` if
    /// the search goes on without it.
    fn lift_ceiling(&mut self) -> bool {
        if self.cut_short {
            self.failed = Some(CodecError::Stopped(StopCause::Deadline));
            return false;
        }
        if self.task.lift_ceiling() {
            // No larger than useful: a drawing with a palette of its own.
            let drawing = matches!(&self.task, Task::Image(task) if task.is_drawing());
            self.search.lift_ceiling(self.budget, drawing);
            return true;
        }
        // Refused all along: the session cannot write anything that the device takes.
        if self.search.tries() == 0 && self.refused.is_some() {
            self.failed = self.refused.take();
        }
        false
    }

    /// A drawing that had to be changed is not made smaller than its bounds only to stay below its
    /// own size: its flat original may take fewer bytes than any scaled copy. `true` if the search
    /// goes on, without the original's size as its ceiling.
    fn relax(&mut self) -> bool {
        let Task::Image(task) = &self.task else { return false };
        let scaled = self.image_recipe().is_some_and(|recipe| recipe.dimensions != task.largest());
        let room = task.ceiling.is_some_and(|ceiling| ceiling < self.budget);
        let still = task.lossless_source && !task.animate;
        let relaxed = scaled && room && still && !self.keeps_ceiling;
        if relaxed {
            self.task.lift_ceiling();
            self.search.lift_ceiling(self.budget, true);
            (self.best, self.spare) = (Best::None, None);
        }
        relaxed
    }

    /// Encodes the best recipe if it was only measured so far. `false` if it turned out to be over
    /// the budget, so that the search must go on.
    fn settle(&mut self, context: &Context<'_>) -> bool {
        let Best::Measured { recipe, .. } = self.best else { return true };
        // The deadline ends the search, not this last encode: without it there is no answer at all.
        let stop = context.stop.past_deadline();
        match self.encode(&context.stopped_by(&stop), &recipe, Bytes::new(u64::MAX)) {
            Ok(data) => {
                let size = Bytes::of(&data);
                if self.search.settle(size) == Verdict::Keep {
                    self.spare = Some((recipe, data.clone()));
                    self.best = Best::Encoded { recipe, data };
                    return true;
                }
                // Back to what was there before, if that still fits.
                let settled = self.search.settled();
                let spare = self.spare.clone();
                let spare = spare.filter(|(_, data)| Some(Bytes::of(data)) == settled);
                self.best =
                    spare.map_or(Best::None, |(recipe, data)| Best::Encoded { recipe, data });
                false
            }
            Err(EncodeError::Codec(error)) => {
                self.failed = Some(error);
                true
            }
            Err(EncodeError::OverCap { at_least }) => {
                let detail = format!("no cap, yet over {at_least}");
                self.failed = Some(CodecError::Internal(detail));
                true
            }
        }
    }

    /// One encode.
    pub fn encode(
        &mut self,
        context: &Context<'_>,
        recipe: &Recipe,
        cap: Bytes,
    ) -> Result<Buffer, EncodeError> {
        let Self { session, cpu, .. } = self;
        self.encodes += 1;
        context.timed(cpu, span::encode(context, self.id, recipe, Try::Encode), || {
            let encoded = session.encode(recipe, cap, context.stop);
            match &encoded {
                Ok(data) => span::came_to(Bytes::of(data)),
                Err(EncodeError::OverCap { .. }) => span::over_cap(),
                Err(EncodeError::Codec(_)) => {}
            }
            encoded
        })
    }

    /// One encode that is looked at. `false` if the search must end here.
    fn judge(
        &mut self,
        context: &Context<'_>,
        recipe: Recipe,
        largest: Dimensions,
        cap: Bytes,
    ) -> bool {
        let Self { session, cpu, .. } = self;
        let span = span::encode(context, self.id, &recipe, Try::Judge);
        let outcome = context.timed(cpu, span, || {
            let judged = session.judge(&recipe, largest, cap, context.stop);
            match &judged {
                Ok(Some(judged)) => span::came_to(judged.size),
                Err(EncodeError::OverCap { .. }) => span::over_cap(),
                Ok(None) | Err(EncodeError::Codec(_)) => {}
            }
            judged
        });
        // What was just tried is looked at without being encoded again.
        let tried = self.best.encoded().is_some_and(|(best, _)| *best == recipe);
        self.encodes += u32::from(!tried);
        let judgement = match outcome {
            Ok(judged) => judged.map(|judged| Judgement::Size(judged.size, judged.score)),
            Err(EncodeError::OverCap { at_least }) => Some(Judgement::AtLeast(at_least.max(cap))),
            // The best of those that were judged, if there is one.
            Err(EncodeError::Codec(CodecError::Stopped(StopCause::Deadline))) => {
                self.cut_short = true;
                None
            }
            Err(EncodeError::Codec(error)) => {
                self.failed = Some(error);
                return false;
            }
        };
        self.search.judged(judgement);
        true
    }

    /// One measurement, or an encode where there is none. `false` if the search must end here.
    fn attempt(&mut self, context: &Context<'_>, recipe: Recipe, cap: Bytes) -> bool {
        let Self { session, cpu, .. } = self;
        let span = span::encode(context, self.id, &recipe, Try::Measure);
        let measured = context.timed(cpu, span, || {
            let measured = session.measure(&recipe, context.stop);
            if let Ok(Some(size)) = &measured {
                span::came_to(*size);
            }
            measured
        });
        let best = match measured {
            Ok(Some(size)) => Ok(Best::Measured { recipe, size }),
            Ok(None) => {
                let data = self.encode(context, &recipe, cap);
                data.map(|data| Best::Encoded { recipe, data })
            }
            Err(error) => Err(error.into()),
        };
        match best {
            Ok(found) => {
                let seen = match &found {
                    Best::Measured { size, .. } => Observation::Measured(*size),
                    _ => Observation::Size(found.size()),
                };
                if self.search.observe(seen) == Verdict::Keep {
                    self.best = found;
                }
                true
            }
            Err(EncodeError::OverCap { at_least }) => {
                self.search.observe(Observation::AtLeast(at_least.max(cap)));
                true
            }
            // A missing encoder: there are others, or an image.
            Err(EncodeError::Codec(error @ CodecError::Unsupported { .. }))
                if !matches!(self.task, Task::Image(_)) =>
            {
                self.fallback_reason = Some(error.to_string());
                self.refused = Some(error);
                self.search.refuse();
                true
            }
            Err(EncodeError::Codec(CodecError::Stopped(StopCause::Deadline)))
                if !self.best.is_none() =>
            {
                self.cut_short = true;
                // What was encoded before may still be there.
                if !self.settle(context) && self.best.is_none() {
                    self.failed = Some(CodecError::Stopped(StopCause::Deadline));
                }
                false
            }
            Err(EncodeError::Codec(error)) => {
                self.failed = Some(error);
                false
            }
        }
    }
}
