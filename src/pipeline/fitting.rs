//! The fit loop: decode each part once, search its best recipe, share what is left.
//!
//! Long because the steps of the loop share one state and are read in order.

use std::time::Duration;

use bytes::Bytes as Buffer;
use rayon::prelude::*;

use super::{
    Engine, Job, PipelineError, Prepared, check::Output, convert, facts, facts::of_the_part,
    notices, overhead, refine, tasks, twins::Twins,
};
use crate::{
    codec::{CodecError, EncodeError, Reference, Session, Verified},
    fit::{Judgement, Observation, Search, Step, Task, Verdict},
    model::{
        Action, Bytes, Dimensions, ImageRecipe, MediaInfo, PartId, Reason, ReasonCode, Recipe,
        Stop, StopCause,
    },
    plan::{self, Constraint, PartFacts, PartPlan},
};

/// One part being fitted.
pub(super) struct Work {
    /// Index of the part.
    pub index: usize,
    pub session: Box<dyn Session>,
    pub task: Task,
    pub search: Search,
    pub budget: Bytes,
    /// The best recipe so far, and its output once it was encoded rather than measured.
    pub best: Option<(Recipe, Option<Buffer>)>,
    /// Its size, by encode or measurement.
    pub best_size: Bytes,
    /// The last that was encoded after having been measured.
    pub spare: Option<(Recipe, Buffer)>,
    /// Smallest output seen, once nothing fitted.
    pub exhausted: Option<Bytes>,
    pub encodes: u32,
    pub cpu: Duration,
    /// The original would do but for its size: it caps the result whatever happens.
    pub keeps_ceiling: bool,
    /// The deadline came; the best so far is the answer.
    pub cut_short: bool,
    /// It was opened after the deadline, as what was to be had at once.
    pub late: bool,
    pub failed: Option<CodecError>,
    /// What the session said it does not do.
    pub refused: Option<CodecError>,
    /// Why a result was given up for the next on the ladder, for people.
    pub fell: Option<String>,
    /// An animation that became a clip, and why.
    pub converted: Option<String>,
    /// How much it counts beside the others, by policy.
    pub weight: f64,
}

impl Work {
    /// Nothing tried, nothing to spend.
    pub fn new(index: usize, session: Box<dyn Session>, task: Task, acceptable: bool) -> Self {
        Self {
            index,
            session,
            search: Search::new(&task, Bytes::ZERO),
            task,
            budget: Bytes::ZERO,
            best: None,
            spare: None,
            best_size: Bytes::ZERO,
            exhausted: None,
            encodes: 0,
            cpu: Duration::ZERO,
            keeps_ceiling: acceptable,
            cut_short: false,
            late: false,
            failed: None,
            refused: None,
            fell: None,
            converted: None,
            weight: 1.0,
        }
    }

    /// The recipe in hand is a picture, scaled or not.
    pub fn picture(&self) -> Option<&ImageRecipe> {
        self.best.as_ref().and_then(|(recipe, _)| recipe.image())
    }
}

/// What became of one part.
pub(super) struct FittedPart {
    pub recipe: Recipe,
    /// What the output should look like, where that can be said.
    pub reference: Option<Reference>,
    pub data: Buffer,
    pub budget: Bytes,
    pub encodes: u32,
    pub cpu: Duration,
    pub task: Task,
    pub cut_short: bool,
    /// An animation that became a clip, and why.
    pub converted: Option<String>,
    /// Why another result was given up for this one, where it was not its size.
    pub fell: Option<String>,
    /// What it holds, where that was checked already.
    pub verified: Option<Verified>,
}

impl FittedPart {
    /// What is to be checked.
    pub fn output<'a>(&'a self, source: &'a MediaInfo) -> Output<'a> {
        Output {
            data: &self.data,
            recipe: &self.recipe,
            task: &self.task,
            reference: self.reference.as_ref(),
            source,
        }
    }
}

/// All parts with their final actions.
pub(super) struct Fitted {
    /// The plan's parts, with what execution changed about them.
    pub parts: Vec<PartPlan>,
    /// Results of the transcoded ones, by index.
    pub results: Vec<Option<FittedPart>>,
    /// CPU time spent on parts that came to nothing.
    pub wasted: Vec<Duration>,
}

/// Fits every part that the plan transcodes.
pub(super) fn fit(
    engine: &Engine,
    job: &Job,
    prepared: &Prepared,
    stop: &Stop,
) -> Result<Fitted, PipelineError> {
    stop.check()?;
    let rewrites = &prepared.rewrites;
    let mut parts = prepared.plan.parts().to_vec();
    let mut wasted = vec![Duration::ZERO; parts.len()];
    let mut works = open_all(engine, job, prepared, &mut parts, &mut wasted, stop)?;
    let mut constraints = overhead::constraints(job, rewrites, &parts);
    if let Some(limit) = constraints.iter().find(|c| c.fixed > c.limit.bytes) {
        let part = works.first().map_or(PartId(0), |w| parts[w.index].id);
        return Err(PipelineError::CannotFit { part, smallest: limit.fixed, limit: limit.limit });
    }
    let facts = &prepared.facts;
    refine::share(&mut works, &parts, facts, &constraints);
    if works.len() > 1 {
        // One encode of each tells what the pictures really weigh; then the budget is dealt anew.
        let pictures = works.par_iter_mut().filter(|work| work.search.must_measure());
        pictures.for_each(|work| advance(engine, work, 1, stop));
        hurry(engine, job, &mut works, (&parts, facts), stop);
        give_up_failed(&mut works, &mut parts, &mut wasted, stop)?;
        constraints = overhead::constraints(job, rewrites, &parts);
        refine::share(&mut works, &parts, facts, &constraints);
        // Sound and clips first, once and for all: pictures make use of what is left to a byte.
        let others = works.par_iter_mut().filter(|work| !work.search.must_measure());
        others.for_each(|work| advance(engine, work, u32::MAX, stop));
        hurry(engine, job, &mut works, (&parts, facts), stop);
        give_up_failed(&mut works, &mut parts, &mut wasted, stop)?;
        constraints = overhead::constraints(job, rewrites, &parts);
        refine::share_rest(&mut works, &parts, facts, &constraints);
    }
    works.par_iter_mut().for_each(|work| {
        advance(engine, work, u32::MAX, stop);
        let (part, facts) = (&parts[work.index], &facts[work.index]);
        convert::animation_to_clip(engine, job, work, part, facts, stop);
    });
    hurry(engine, job, &mut works, (&parts, facts), stop);
    give_up_failed(&mut works, &mut parts, &mut wasted, stop)?;
    constraints = overhead::constraints(job, rewrites, &parts);
    refine::rescue(engine, &mut works, &parts, &constraints, stop)?;
    give_up_failed(&mut works, &mut parts, &mut wasted, stop)?;
    refine::restore_originals(job, rewrites, &mut works, &mut parts, facts);
    let sizes = refine::sizes(&works, &parts);
    notices::place(job, rewrites, &mut parts, facts, &sizes)?;
    constraints = overhead::constraints(job, rewrites, &parts);
    refine::spend_slack(engine, &mut works, &parts, &constraints, stop);
    let before = works.len();
    let verified =
        check_all(engine, &mut works, &mut parts, &mut wasted, facts, &constraints, stop)?;
    if works.len() < before {
        let sizes = refine::sizes(&works, &parts);
        notices::place(job, rewrites, &mut parts, facts, &sizes)?;
    }
    finish(engine, job, works, verified, parts, wasted)
}

/// Checks what may fall down its ladder; what nothing is left of is dropped.
fn check_all(
    engine: &Engine,
    works: &mut Vec<Work>,
    parts: &mut [PartPlan],
    wasted: &mut [Duration],
    facts: &[PartFacts],
    constraints: &[Constraint],
    stop: &Stop,
) -> Result<Vec<Option<Verified>>, PipelineError> {
    let sizes = refine::sizes(works, parts);
    let alone = works.len() == 1;
    let checked: Vec<Result<Option<Verified>, CodecError>> = works
        .par_iter_mut()
        .map(|work| {
            let id = parts[work.index].id;
            // Alone it may have all that is spare; of several each what it has.
            let room = if alone { plan::spare(constraints, &sizes, id) } else { work.best_size };
            convert::settle_checked(engine, work, &facts[work.index], room, stop)
        })
        .collect();
    let mut verified = Vec::with_capacity(checked.len());
    let mut kept = Vec::with_capacity(checked.len());
    for (work, result) in works.drain(..).zip(checked) {
        match result {
            Ok(result) => {
                verified.push(result);
                kept.push(work);
            }
            Err(error) => {
                let error = of_the_part(error)?;
                wasted[work.index] += work.cpu;
                give_up(&mut parts[work.index], &error);
            }
        }
    }
    *works = kept;
    Ok(verified)
}

/// Decodes every part that is transcoded, in parallel. What cannot be decoded is dropped, its
/// reason reported.
fn open_all(
    engine: &Engine,
    job: &Job,
    prepared: &Prepared,
    parts: &mut [PartPlan],
    wasted: &mut [Duration],
    stop: &Stop,
) -> Result<Vec<Work>, PipelineError> {
    let todo: Vec<usize> = (0..parts.len()).filter(|i| parts[*i].is_fitted()).collect();
    let twins = Twins::among(job.message.parts());
    let opened: Vec<(usize, Duration, Result<Work, CodecError>)> = todo
        .into_par_iter()
        .map(|index| {
            let start = (engine.cpu_clock)();
            let work =
                tasks::open(engine, job, &twins, &parts[index], &prepared.facts[index], stop);
            (index, (engine.cpu_clock)().saturating_sub(start), work)
        })
        .collect();
    let mut works = Vec::with_capacity(opened.len());
    for (index, cpu, result) in opened {
        match result {
            Ok(mut work) => {
                work.cpu = cpu;
                works.push(work);
            }
            Err(error) => {
                wasted[index] += cpu;
                match tasks::late(engine, job, &parts[index], &prepared.facts[index], &error, stop)
                {
                    Some(work) => works.push(work),
                    None => give_up(&mut parts[index], &of_the_part(error)?),
                }
            }
        }
    }
    Ok(works)
}

/// Lets a work take at most `steps` steps. At its end the best output is there, encoded.
pub(super) fn advance(engine: &Engine, work: &mut Work, steps: u32, stop: &Stop) {
    if work.failed.is_some() || work.cut_short {
        return;
    }
    let late = work.late.then(|| stop.past_deadline());
    let stop = late.as_ref().unwrap_or(stop);
    for _ in 0..steps {
        match work.search.step() {
            Step::Done => {
                let settled = !relax(work) && settle(engine, work, stop);
                if settled && (work.failed.is_some() || work.search.is_finished()) {
                    return;
                }
            }
            Step::Exhausted { smallest } => {
                if work.cut_short {
                    work.failed = Some(CodecError::Stopped(StopCause::Deadline));
                    return;
                }
                // The original's own size is no reason to refuse: only the limit is.
                if work.task.lift_ceiling() {
                    // No larger than is of use: a drawing with a palette of its own.
                    let drawing = matches!(&work.task, Task::Image(task) if task.is_drawing());
                    work.search.lift_ceiling(work.budget, drawing);
                    continue;
                }
                // Refused all along: the session cannot write anything that the device takes.
                if work.search.tries() == 0 && work.refused.is_some() {
                    work.failed = work.refused.take();
                }
                work.exhausted = Some(smallest);
                return;
            }
            Step::Compare { recipes } => {
                let start = (engine.cpu_clock)();
                let found = work.session.compare(&recipes, stop);
                work.cpu += (engine.cpu_clock)().saturating_sub(start);
                // What cannot be compared, or not in time, is left to the rules.
                work.search.choose(found.unwrap_or(None));
            }
            Step::Judge { recipe, largest, cap } => {
                if !look(engine, work, (recipe, largest, cap), stop) {
                    return;
                }
            }
            Step::Take { recipe } => {
                work.best = Some((recipe, None));
                // It was encoded when it was judged.
                let encodes = work.encodes;
                settle(engine, work, stop);
                work.encodes = encodes;
                if work.failed.is_some() {
                    return;
                }
            }
            Step::Try { recipe, cap } => {
                if !attempt(engine, work, recipe, cap, stop) {
                    return;
                }
            }
        }
    }
}

/// A drawing that had to be changed is not made smaller than its box only to stay below its own
/// size: its flat original may take fewer bytes than any scaled copy. `true` if the search goes
/// on, without the original's size as its ceiling.
fn relax(work: &mut Work) -> bool {
    let Task::Image(task) = &work.task else { return false };
    let scaled = work.picture().is_some_and(|recipe| recipe.dimensions != task.largest());
    let room = task.ceiling.is_some_and(|ceiling| ceiling < work.budget);
    let still = task.lossless_source && !task.animate;
    let relaxed = scaled && room && still && !work.keeps_ceiling;
    if relaxed {
        work.task.lift_ceiling();
        work.search.lift_ceiling(work.budget, true);
        (work.best, work.spare) = (None, None);
    }
    relaxed
}

/// Encodes the best recipe if it was only measured so far. `false` if it turned out to be over
/// the budget, so that the search must go on.
fn settle(engine: &Engine, work: &mut Work, stop: &Stop) -> bool {
    let Some((recipe, None)) = work.best.clone() else { return true };
    // The deadline ends the search, not this last encode: without it there is no answer at all.
    let last = stop.past_deadline();
    let start = (engine.cpu_clock)();
    let outcome = work.session.encode(&recipe, Bytes::new(u64::MAX), &last);
    work.cpu += (engine.cpu_clock)().saturating_sub(start);
    work.encodes += 1;
    match outcome {
        Ok(data) => {
            let size = Bytes::of(&data);
            if work.search.settle(size) == Verdict::Keep {
                work.spare = Some((recipe, data.clone()));
                work.best = Some((recipe, Some(data)));
                work.best_size = size;
                return true;
            }
            // Back to what was there before, if that still fits.
            work.best = None;
            let settled = work.search.settled();
            let same = |(_, data): &(Recipe, Buffer)| Some(Bytes::of(data)) == settled;
            if let Some((recipe, data)) = work.spare.clone().filter(same) {
                work.best_size = Bytes::of(&data);
                work.best = Some((recipe, Some(data)));
            }
            false
        }
        Err(EncodeError::Codec(error)) => {
            work.failed = Some(error);
            true
        }
        Err(EncodeError::OverCap { at_least }) => {
            work.failed = Some(CodecError::Internal(format!("no cap, yet over {at_least}")));
            true
        }
    }
}

/// One encode that is looked at. `false` if the work must end here.
fn look(
    engine: &Engine,
    work: &mut Work,
    (recipe, largest, cap): (Recipe, Dimensions, Bytes),
    stop: &Stop,
) -> bool {
    let start = (engine.cpu_clock)();
    let outcome = work.session.judge(&recipe, largest, cap, stop);
    work.cpu += (engine.cpu_clock)().saturating_sub(start);
    // What was just tried is looked at without being encoded again.
    let tried = matches!(&work.best, Some((best, Some(_))) if *best == recipe);
    work.encodes += u32::from(!tried);
    let judgement = match outcome {
        Ok(judged) => judged.map(|judged| Judgement::Size(judged.size, judged.score)),
        Err(EncodeError::OverCap { at_least }) => Some(Judgement::AtLeast(at_least.max(cap))),
        // The best of those that were judged, if there is one.
        Err(EncodeError::Codec(CodecError::Stopped(StopCause::Deadline))) => {
            work.cut_short = true;
            None
        }
        Err(EncodeError::Codec(error)) => {
            work.failed = Some(error);
            return false;
        }
    };
    work.search.judged(judgement);
    true
}

/// One measurement or encode. `false` if the work must end here.
fn attempt(engine: &Engine, work: &mut Work, recipe: Recipe, cap: Bytes, stop: &Stop) -> bool {
    let start = (engine.cpu_clock)();
    let outcome = match work.session.measure(&recipe, stop) {
        Ok(Some(size)) => Ok((size, None)),
        Ok(None) => {
            work.encodes += 1;
            work.session.encode(&recipe, cap, stop).map(|data| (Bytes::of(&data), Some(data)))
        }
        Err(error) => Err(error.into()),
    };
    work.cpu += (engine.cpu_clock)().saturating_sub(start);
    match outcome {
        Ok((size, data)) => {
            let seen = match data {
                Some(_) => Observation::Size(size),
                None => Observation::Measured(size),
            };
            if work.search.observe(seen) == Verdict::Keep {
                work.best = Some((recipe, data));
                work.best_size = size;
            }
            true
        }
        Err(EncodeError::OverCap { at_least }) => {
            work.search.observe(Observation::AtLeast(at_least.max(cap)));
            true
        }
        // A coder that is not there: there are others, or a picture.
        Err(EncodeError::Codec(error @ CodecError::Unsupported { .. }))
            if !matches!(work.task, Task::Image(_)) =>
        {
            work.fell = Some(error.to_string());
            work.refused = Some(error);
            work.search.refuse();
            true
        }
        Err(EncodeError::Codec(CodecError::Stopped(StopCause::Deadline)))
            if work.best.is_some() =>
        {
            work.cut_short = true;
            // What was encoded before may still be there.
            if !settle(engine, work, stop) && work.best.is_none() {
                work.failed = Some(CodecError::Stopped(StopCause::Deadline));
            }
            false
        }
        Err(EncodeError::Codec(error)) => {
            work.failed = Some(error);
            false
        }
    }
}

/// What the deadline left without any result becomes what is to be had at once, where there is
/// something.
fn hurry(
    engine: &Engine,
    job: &Job,
    works: &mut [Work],
    (parts, facts): (&[PartPlan], &[PartFacts]),
    stop: &Stop,
) {
    for work in works {
        let Some(error) = work.failed.as_ref().filter(|_| !work.late) else { continue };
        let index = work.index;
        let late = tasks::late(engine, job, &parts[index], &facts[index], error, stop);
        if let Some(mut late) = late {
            (late.cpu, late.encodes, late.budget) = (work.cpu, work.encodes, work.budget);
            late.search.set_budget(late.budget);
            advance(engine, &mut late, u32::MAX, stop);
            *work = late;
        }
    }
}

/// Parts whose codec failed are dropped; a stop, or nobody to do the work, ends everything.
fn give_up_failed(
    works: &mut Vec<Work>,
    parts: &mut [PartPlan],
    wasted: &mut [Duration],
    stop: &Stop,
) -> Result<(), PipelineError> {
    if stop.check() == Err(StopCause::Cancelled) {
        return Err(StopCause::Cancelled.into());
    }
    for error in works.iter().filter_map(|work| work.failed.clone()) {
        of_the_part(error)?;
    }
    works.retain(|work| match &work.failed {
        None => true,
        Some(error) => {
            wasted[work.index] += work.cpu;
            give_up(&mut parts[work.index], error);
            false
        }
    });
    Ok(())
}

/// The ladder of this build for a picture that cannot be had: leave it out, and say why.
fn give_up(part: &mut PartPlan, error: &CodecError) {
    let problem = facts::problem(error);
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
    part.action = Action::Drop;
    part.target = None;
    part.reasons.insert(0, Reason::new(code, problem.detail));
}

fn finish(
    engine: &Engine,
    job: &Job,
    works: Vec<Work>,
    verified: Vec<Option<Verified>>,
    mut parts: Vec<PartPlan>,
    wasted: Vec<Duration>,
) -> Result<Fitted, PipelineError> {
    let mut results: Vec<Option<FittedPart>> = parts.iter().map(|_| None).collect();
    for (mut work, verified) in works.into_iter().zip(verified) {
        if work.converted.is_some() {
            parts[work.index].reasons.retain(|r| r.code != ReasonCode::AnimationLost);
        }
        let Some((recipe, Some(data))) = work.best else {
            return Err(PipelineError::Check(format!("part {} was not fitted", work.index)));
        };
        // What a picture stands for looks like nothing else; sounds and clips are not compared.
        let reference = match &work.task {
            Task::Image(task) => work.session.reference(task.largest(), task.background),
            _ => None,
        };
        if let Some(sessions) = engine.kept_of(&job.message) {
            sessions.give_back(work.index, &work.task, work.session);
        }
        results[work.index] = Some(FittedPart {
            recipe,
            reference,
            data,
            budget: work.budget,
            encodes: work.encodes,
            cpu: work.cpu,
            task: work.task,
            cut_short: work.cut_short || work.late,
            converted: work.converted,
            fell: work.fell,
            verified,
        });
    }
    Ok(Fitted { parts, results, wasted })
}

/// The constraint that has the least left for `id`.
pub(super) fn tightest<'a>(
    constraints: &'a [Constraint],
    sizes: &[(PartId, Bytes)],
    id: PartId,
) -> Option<&'a Constraint> {
    constraints.iter().min_by_key(|c| plan::spare(std::slice::from_ref(*c), sizes, id))
}
