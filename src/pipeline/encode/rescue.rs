//! Parts that did not fit into their share get what they need at least, the others less.

use super::{
    message::Encoder,
    part::{Best, PartEncoding},
};
use crate::{
    codec::{CodecError, EncodeError},
    fit::Search,
    model::{Bytes, PartId},
    pipeline::{context::Context, job::PipelineError},
    plan::{self, Constraint},
    quality::HEAVIEST,
};

impl Encoder<'_> {
    /// Gives every part what it needs at least, where one has nothing; the rest by weight.
    ///
    /// # Errors
    /// Even all at their smallest are over; stopped.
    pub fn rescue(&mut self) -> Result<(), PipelineError> {
        if self.parts.iter().any(|part| part.best.is_none()) {
            self.context.stop.check()?;
            let smallest = self.smallest()?;
            for at in 0..self.parts.len() {
                self.deal_again(at, &smallest)?;
            }
        }
        // A codec that died costs the part, not the message.
        self.drop_failed()
    }

    /// The smallest output of every part, measured.
    fn smallest(&mut self) -> Result<Vec<(PartId, Bytes)>, PipelineError> {
        let context = self.context;
        let smallest = self.parts.iter_mut().map(|part| Ok((part.id, smallest(&context, part)?)));
        let smallest = smallest.collect::<Result<Vec<_>, PipelineError>>()?;
        for constraint in self.draft.constraints() {
            let wire = constraint.wire(&smallest);
            if wire > constraint.limit.bytes {
                let part = smallest.iter().max_by_key(|(_, n)| *n).map_or(PartId(0), |(id, _)| *id);
                return Err(PipelineError::CannotFit {
                    part,
                    smallest: wire,
                    limit: constraint.limit,
                });
            }
        }
        Ok(smallest)
    }

    /// Fits part `at` into its share of what is left, beside what those before it took and what
    /// those after it need at least.
    fn deal_again(&mut self, at: usize, floors: &[(PartId, Bytes)]) -> Result<(), PipelineError> {
        let constraints = self.draft.constraints();
        let (id, floor) = floors[at];
        let pairs = self.parts.iter().zip(floors).enumerate();
        let others: Vec<(PartId, Bytes)> = pairs
            .map(|(i, (part, (id, floor)))| {
                let settled = i < at && !part.best.is_none();
                (*id, if settled { part.best.size() } else { *floor })
            })
            .collect();
        let room = plan::spare(constraints, &others, id);
        let fair = fair_share(&self.parts[at..], room);
        let part = &mut self.parts[at];
        part.set_budget(fair.max(floor).min(room));
        part.advance(&self.context, u32::MAX);
        if part.failed.is_some() {
            return Ok(());
        }
        if part.best.is_none() {
            take_smallest(&self.context, part, room)?;
        }
        if !part.best.is_none() {
            return Ok(());
        }
        Err(match tightest(constraints, &others, id) {
            Some(tightest) => PipelineError::CannotFit {
                part: id,
                smallest: constraints.iter().map(|c| c.wire(floors)).max().unwrap_or_default(),
                limit: tightest.limit,
            },
            None => PipelineError::Check("no limit, yet nothing fits".into()),
        })
    }
}

/// The constraint that has the least left for `id`.
fn tightest<'a>(
    constraints: &'a [Constraint],
    sizes: &[(PartId, Bytes)],
    id: PartId,
) -> Option<&'a Constraint> {
    constraints.iter().min_by_key(|c| plan::spare(std::slice::from_ref(*c), sizes, id))
}

/// The share of the room that the first of `parts` deserves among them all.
fn fair_share(parts: &[PartEncoding], room: Bytes) -> Bytes {
    let weight = |part: &PartEncoding| {
        let most = room.get() as f64 * HEAVIEST;
        let demand = part.demand();
        part.weight * if part.search.size_is_unpredictable() { demand } else { demand.min(most) }
    };
    let total: f64 = parts.iter().map(weight).sum();
    let own = parts.first().map_or(0.0, weight);
    Bytes::new((room.get() as f64 * own / total.max(1.0)) as u64)
}

/// The smallest output of a part, measured.
fn smallest(context: &Context<'_>, part: &mut PartEncoding) -> Result<Bytes, PipelineError> {
    if let Some(least) = Search::least(&part.task) {
        return Ok(least);
    }
    let mut smallest: Option<Bytes> = None;
    for recipe in Search::harshest(&part.task) {
        let size = match part.encode(context, &recipe, Bytes::new(u64::MAX)) {
            Ok(data) => Bytes::of(&data),
            Err(EncodeError::OverCap { at_least }) => at_least,
            Err(EncodeError::Codec(CodecError::Stopped(cause))) => return Err(cause.into()),
            Err(EncodeError::Codec(_)) => continue,
        };
        smallest = Some(smallest.map_or(size, |smallest| smallest.min(size)));
    }
    Ok(smallest.unwrap_or(Bytes::ZERO))
}

/// Takes the harshest recipe where the search, out of patience, did not get there.
fn take_smallest(
    context: &Context<'_>,
    part: &mut PartEncoding,
    room: Bytes,
) -> Result<(), PipelineError> {
    context.stop.check()?;
    for recipe in Search::harshest(&part.task) {
        if let Ok(data) = part.encode(context, &recipe, room) {
            part.best = Best::Encoded { recipe, data };
            return Ok(());
        }
    }
    Ok(())
}
