//! Dealing the bytes: shares by measured weight, rescue of what did not fit, spending the slack.

use super::{
    Engine, Job, PipelineError,
    fitting::{Work, advance, tightest},
    overhead,
    rewrites::Rewrites,
};
use crate::{
    codec::EncodeError,
    fit::{Search, Task},
    model::{Bytes, ImageCoding, PartId, Stop},
    plan::{self, Constraint, Demand, PartFacts, PartPlan},
};

/// A work's budget grows by at least this share, or it is not worth another encode.
const WORTH_ANOTHER: f64 = 1.04;

/// Likewise for sound and clips, whose encodes are dear.
const WORTH_ANOTHER_CLIP: f64 = 1.2;

/// Deals the room by what is known of each picture's weight.
pub(super) fn share(
    works: &mut [Work],
    parts: &[PartPlan],
    facts: &[PartFacts],
    constraints: &[Constraint],
) {
    let demands = demands(works, parts, room(constraints));
    let budgets = plan::allocate(constraints, &demands);
    for work in works.iter_mut() {
        let id = facts[work.index].id;
        if let Some((_, budget)) = budgets.iter().find(|(i, _)| *i == id) {
            set_budget(work, *budget);
        }
    }
}

/// Sound and clips are settled: what they left goes to the pictures.
pub(super) fn share_rest(
    works: &mut [Work],
    parts: &[PartPlan],
    facts: &[PartFacts],
    constraints: &[Constraint],
) {
    let settled: Vec<(PartId, Bytes)> = works
        .iter()
        .filter(|work| !work.search.must_measure())
        // Nothing fitted: what it may get yet is kept back for it.
        .map(|w| (parts[w.index].id, if w.best.is_some() { w.best_size } else { w.budget }))
        .collect();
    let rest = without(constraints, &settled);
    let room = room(&rest);
    let pictures = || works.iter().filter(|work| work.search.must_measure());
    let demands: Vec<Demand> = pictures().map(|work| demand(work, parts, room)).collect();
    let budgets = plan::allocate(&rest, &demands);
    for work in works.iter_mut().filter(|work| work.search.must_measure()) {
        let id = facts[work.index].id;
        if let Some((_, budget)) = budgets.iter().find(|(i, _)| *i == id) {
            set_budget(work, *budget);
        }
    }
}

/// The constraints with some parts counted as fixed.
fn without(constraints: &[Constraint], settled: &[(PartId, Bytes)]) -> Vec<Constraint> {
    constraints.iter().map(|c| Constraint { fixed: c.wire(settled), ..c.clone() }).collect()
}

/// What the limits leave for all that is transcoded.
fn room(constraints: &[Constraint]) -> Bytes {
    constraints.iter().map(|c| c.limit.bytes.saturating_sub(c.fixed)).min().unwrap_or_default()
}

/// Beside pictures, what a clip and a sound should get of what a picture gets on the average.
/// Quality grows with the logarithm of the bytes, by so much per doubling: a photo 16 points of
/// SSIMULACRA2, a clip 8 to 11 on the same scale, AMR 12 points of opinion; a clip counts half as
/// much again (fit-to-size.md §5). Measured 2026-11-26 with `tests/suite/joint.rs`, which prints the
/// curves. Of 0.8, 0.9 and 1.0 for a clip the first is the best (2026-11-29: 1.2, 2.2 and 2.9 % below
/// the oracle).
const CLIP_SHARE: f64 = 0.8;
const SOUND_SHARE: f64 = 0.7;
/// What clips and sounds need at the least may take so much of the room; else they fall down their
/// ladders.
const FLOORS_SHARE: f64 = 0.65;

/// Alone among themselves, sounds and clips weigh what they take at a fair quality, but none more
/// than this many times the room.
const HEAVIEST: f64 = 1.5;

/// What all works would like to have.
fn demands(works: &[Work], parts: &[PartPlan], room: Bytes) -> Vec<Demand> {
    let mut demands: Vec<Demand> = works.iter().map(|work| demand(work, parts, room)).collect();
    let pictures: Vec<f64> = works
        .iter()
        .zip(&demands)
        .filter(|(work, _)| matches!(work.task, Task::Image(_)))
        .map(|(work, demand)| demand.weight / work.weight)
        .collect();
    if pictures.is_empty() {
        return demands;
    }
    let mean = pictures.iter().sum::<f64>() / pictures.len() as f64;
    let floors: f64 = works.iter().map(|work| work.task.floor().get() as f64).sum();
    let holds = floors <= room.get() as f64 * FLOORS_SHARE;
    for (work, demand) in works.iter().zip(&mut demands) {
        let share = match work.task {
            Task::Image(_) => continue,
            Task::Audio(_) => SOUND_SHARE,
            Task::Video(_) => CLIP_SHARE,
        };
        // More than a fair quality takes is better spent on the pictures.
        let fair = Bytes::new((demand.weight / work.weight) as u64);
        demand.ceiling = demand.ceiling.into_iter().chain([fair.max(work.task.floor())]).min();
        demand.weight = mean * share * work.weight;
        if holds {
            demand.floor = work.task.floor();
        }
    }
    demands
}

fn demand(work: &Work, parts: &[PartPlan], room: Bytes) -> Demand {
    let weight = work.search.demand().unwrap_or_else(|| work.task.guess());
    let weight = match work.task {
        Task::Image(_) => weight,
        Task::Audio(_) => weight.min(room.get() as f64),
        Task::Video(_) => weight.min(room.get() as f64 * HEAVIEST),
    } * work.weight;
    let id = parts[work.index].id;
    Demand { id, weight, ceiling: ceiling(work), floor: Bytes::ZERO }
}

/// What a work has no use beyond. A drawing that must be changed may outgrow its original.
fn ceiling(work: &Work) -> Option<Bytes> {
    let drawing = matches!(&work.task, Task::Image(task) if task.lossless_source);
    let own = work.task.ceiling().filter(|_| work.keeps_ceiling || !drawing);
    own.into_iter().chain(work.task.useful()).min()
}

fn set_budget(work: &mut Work, budget: Bytes) {
    work.budget = budget;
    work.search.set_budget(budget);
    if work.best.is_some() && work.best_size > budget {
        work.best = None;
    }
    work.exhausted = None;
}

pub(super) fn sizes(works: &[Work], parts: &[PartPlan]) -> Vec<(PartId, Bytes)> {
    works
        .iter()
        .map(|w| {
            let size = if w.best.is_some() { w.best_size } else { Bytes::ZERO };
            (parts[w.index].id, size)
        })
        .collect()
}

/// Parts that did not fit into their share get what they need at the least, the others less.
///
/// # Errors
/// Even all at their smallest are over.
pub(super) fn rescue(
    engine: &Engine,
    works: &mut [Work],
    parts: &[PartPlan],
    constraints: &[Constraint],
    stop: &Stop,
) -> Result<(), PipelineError> {
    if works.iter().all(|w| w.best.is_some()) {
        return Ok(());
    }
    stop.check()?;
    // The floor of every part, measured.
    let mut floors: Vec<(PartId, Bytes)> = Vec::with_capacity(works.len());
    for work in works.iter_mut() {
        floors.push((parts[work.index].id, floor(engine, work, stop)?));
    }
    for constraint in constraints {
        let smallest = constraint.wire(&floors);
        if smallest > constraint.limit.bytes {
            let part = floors.iter().max_by_key(|(_, n)| *n).map_or(PartId(0), |(id, _)| *id);
            return Err(PipelineError::CannotFit { part, smallest, limit: constraint.limit });
        }
    }
    // Deal again: everybody's floor first, the rest by weight.
    for at in 0..works.len() {
        let id = parts[works[at].index].id;
        let others: Vec<(PartId, Bytes)> = works
            .iter()
            .zip(&floors)
            .enumerate()
            .map(|(i, (work, floor))| {
                let settled = (i < at && work.best.is_some()).then_some(work.best_size);
                (floor.0, settled.unwrap_or(floor.1))
            })
            .collect();
        let room = plan::spare(constraints, &others, id);
        let fair = fair_share(works, at, room);
        set_budget(&mut works[at], fair.max(floors[at].1).min(room));
        advance(engine, &mut works[at], u32::MAX, stop);
        // Its codec died: that costs the part, not the message.
        if works[at].failed.is_some() {
            continue;
        }
        if works[at].best.is_none() {
            adopt_floor(engine, &mut works[at], room, stop)?;
        }
        if works[at].best.is_none() {
            let limit = tightest(constraints, &others, id).map(|c| c.limit);
            return Err(match limit {
                Some(limit) => PipelineError::CannotFit {
                    part: id,
                    smallest: constraints.iter().map(|c| c.wire(&floors)).max().unwrap_or_default(),
                    limit,
                },
                None => PipelineError::Check("no limit, yet nothing fits".into()),
            });
        }
    }
    Ok(())
}

/// The share of the room that part `at` and those after it deserve.
fn fair_share(works: &[Work], at: usize, room: Bytes) -> Bytes {
    let weight = |w: &Work| {
        let weight = w.search.demand().unwrap_or_else(|| w.task.guess());
        let most = room.get() as f64 * HEAVIEST;
        w.weight * if w.search.must_measure() { weight } else { weight.min(most) }
    };
    let total: f64 = works[at..].iter().map(weight).sum();
    Bytes::new((room.get() as f64 * weight(&works[at]) / total.max(1.0)) as u64)
}

/// The smallest output of a part, measured.
fn floor(engine: &Engine, work: &mut Work, stop: &Stop) -> Result<Bytes, PipelineError> {
    if let Some(least) = Search::least(&work.task) {
        return Ok(least);
    }
    let mut smallest: Option<Bytes> = None;
    for recipe in Search::harshest(&work.task) {
        let start = (engine.cpu_clock)();
        let outcome = work.session.encode(&recipe, Bytes::new(u64::MAX), stop);
        work.cpu += (engine.cpu_clock)().saturating_sub(start);
        work.encodes += 1;
        match outcome {
            Ok(data) => {
                let size = Bytes::of(&data);
                smallest = Some(smallest.map_or(size, |s| s.min(size)));
            }
            Err(EncodeError::OverCap { at_least }) => {
                smallest = Some(smallest.map_or(at_least, |s| s.min(at_least)));
            }
            Err(EncodeError::Codec(crate::codec::CodecError::Stopped(cause))) => {
                return Err(cause.into());
            }
            Err(EncodeError::Codec(_)) => {}
        }
    }
    Ok(smallest.unwrap_or(Bytes::ZERO))
}

/// Takes the harshest recipe where the search, out of patience, did not get there.
fn adopt_floor(
    engine: &Engine,
    work: &mut Work,
    room: Bytes,
    stop: &Stop,
) -> Result<(), PipelineError> {
    stop.check()?;
    for recipe in Search::harshest(&work.task) {
        let start = (engine.cpu_clock)();
        let outcome = work.session.encode(&recipe, room, stop);
        work.cpu += (engine.cpu_clock)().saturating_sub(start);
        work.encodes += 1;
        if let Ok(data) = outcome {
            work.exhausted = None;
            work.best_size = Bytes::of(&data);
            work.best = Some((recipe, Some(data)));
            return Ok(());
        }
    }
    Ok(())
}

/// A picture that was to shrink only for the limit, and whose original fits after all, passes as
/// it is.
pub(super) fn restore_originals(
    job: &Job,
    rewrites: &Rewrites,
    works: &mut Vec<Work>,
    parts: &mut [PartPlan],
    facts: &[PartFacts],
) {
    let mut at = 0;
    while at < works.len() {
        let index = works[at].index;
        let (id, info) = (parts[index].id, &facts[index].info);
        let others: Vec<_> = sizes(works, parts).into_iter().filter(|(i, _)| *i != id).collect();
        let constraints = overhead::constraints(job, rewrites, parts);
        if works[at].keeps_ceiling && info.bytes <= plan::spare(&constraints, &others, id) {
            let mut kept = parts.to_vec();
            kept[index].keep_after_all(&facts[index], &job.capabilities.accept);
            // Kept headers differ from rewritten ones by a few bytes: ask again.
            let fits = |c: &Constraint| c.wire(&others) <= c.limit.bytes;
            if overhead::constraints(job, rewrites, &kept).iter().all(fits) {
                parts.clone_from_slice(&kept);
                works.remove(at);
                continue;
            }
        }
        at += 1;
    }
}

/// What some parts left over goes to those that can use it: first to the photos, which turn any
/// number of bytes into quality, in proportion; what then remains to the rest, one by one.
pub(super) fn spend_slack(
    engine: &Engine,
    works: &mut [Work],
    parts: &[PartPlan],
    constraints: &[Constraint],
    stop: &Stop,
) {
    if works.len() < 2 || stop.check().is_err() {
        return;
    }
    let photos: Vec<usize> = (0..works.len()).filter(|i| is_photo(&works[*i])).collect();
    let settled: Vec<(PartId, Bytes)> = sizes(works, parts)
        .into_iter()
        .enumerate()
        .filter(|(i, _)| !photos.contains(i))
        .map(|(_, entry)| entry)
        .collect();
    let rest = without(constraints, &settled);
    let left = room(&rest);
    let demands: Vec<Demand> = photos.iter().map(|i| demand(&works[*i], parts, left)).collect();
    let budgets = plan::allocate(&rest, &demands);
    for (at, (id, budget)) in photos.into_iter().zip(budgets) {
        // Another photo may hold more than its new share: only what is really free can be had.
        let room = plan::spare(constraints, &sizes(works, parts), id);
        try_for_more(engine, &mut works[at], budget.min(room), stop);
    }
    // What then remains is too little to be dealt: the worst fed first, and no photo past the best
    // fed, so that the order of the parts decides nothing.
    let fed = |work: &Work| {
        let weight = work.search.demand().unwrap_or_else(|| work.task.guess()) * work.weight;
        (work.best_size.get() as f64 / weight.max(1.0), weight)
    };
    let all = works.iter().filter(|work| is_photo(work));
    let best = all.map(|work| fed(work).0).fold(0.0, f64::max);
    let mut order: Vec<(bool, f64, usize)> =
        works.iter().enumerate().map(|(at, work)| (is_photo(work), fed(work).0, at)).collect();
    order.sort_by(|a, b| a.0.cmp(&b.0).then(a.1.total_cmp(&b.1)).then(a.2.cmp(&b.2)));
    for (photo, _, at) in order {
        let id = parts[works[at].index].id;
        let room = plan::spare(constraints, &sizes(works, parts), id);
        let most = Bytes::new((best * BEST_FED * fed(&works[at]).1) as u64);
        let room = if photo { room.min(most) } else { room };
        let room = ceiling(&works[at]).map_or(room, |ceiling| room.min(ceiling));
        try_for_more(engine, &mut works[at], room, stop);
    }
}

/// Equal photos differ by so much at the most for what was left over.
const BEST_FED: f64 = 1.03;

fn is_photo(work: &Work) -> bool {
    let jpeg =
        work.picture().is_some_and(|recipe| matches!(recipe.coding, ImageCoding::Jpeg { .. }));
    jpeg && !work.search.saturated()
}

/// Goes on with a bigger budget, if it is enough bigger. What was in hand stays in hand, whatever
/// comes of trying for more.
fn try_for_more(engine: &Engine, work: &mut Work, budget: Bytes, stop: &Stop) {
    let worth = if work.search.must_measure() { WORTH_ANOTHER } else { WORTH_ANOTHER_CLIP };
    if (budget.get() as f64) < work.best_size.get() as f64 * worth
        || budget <= work.budget
        || work.search.saturated()
    {
        return;
    }
    let (before, size) = (work.best.clone(), work.best_size);
    work.budget = budget;
    work.search.set_budget(budget);
    advance(engine, work, u32::MAX, stop);
    if !matches!(work.best, Some((_, Some(_)))) {
        (work.best, work.best_size) = (before, size);
        work.failed = None;
    }
}
