//! The fit loop: decode each part once, search its best recipe, share what is left.

use std::time::Duration;

use bytes::Bytes as Buffer;
use rayon::prelude::*;

use super::{Engine, Job, PipelineError, Prepared, facts, overhead, refine};
use crate::{
    codec::{CodecError, EncodeError, OpenHint, Reference, Session},
    fit::{Observation, Search, Step, Task, Verdict},
    model::{Action, Bytes, MediaKind, PartId, Reason, ReasonCode, Recipe, Stop, StopCause},
    plan::{self, Constraint, PartFacts, PartPlan, Target},
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
    /// Smallest output seen, once nothing fitted.
    pub exhausted: Option<Bytes>,
    pub encodes: u32,
    pub cpu: Duration,
    /// The original would do but for its size: it caps the result whatever happens.
    pub keeps_ceiling: bool,
    /// The deadline came; the best so far is the answer.
    pub cut_short: bool,
    pub failed: Option<CodecError>,
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
    let mut parts = prepared.plan.parts().to_vec();
    let mut wasted = vec![Duration::ZERO; parts.len()];
    let mut works = open_all(engine, job, prepared, &mut parts, &mut wasted, stop)?;
    let mut constraints = overhead::constraints(job, &parts);
    if let Some(limit) = constraints.iter().find(|c| c.fixed > c.limit.bytes) {
        let part = works.first().map_or(PartId(0), |w| parts[w.index].id);
        return Err(PipelineError::CannotFit { part, smallest: limit.fixed, limit: limit.limit });
    }
    refine::share(&mut works, &parts, &prepared.facts, &constraints);
    if works.len() > 1 {
        // One encode of each tells what the pictures really weigh; then the budget is dealt anew.
        works.par_iter_mut().for_each(|work| advance(engine, work, 1, stop));
        give_up_failed(&mut works, &mut parts, &mut wasted, stop)?;
        constraints = overhead::constraints(job, &parts);
        refine::share(&mut works, &parts, &prepared.facts, &constraints);
    }
    works.par_iter_mut().for_each(|work| advance(engine, work, u32::MAX, stop));
    give_up_failed(&mut works, &mut parts, &mut wasted, stop)?;
    constraints = overhead::constraints(job, &parts);
    refine::rescue(engine, &mut works, &parts, &constraints, stop)?;
    refine::restore_originals(job, &mut works, &mut parts, &prepared.facts);
    constraints = overhead::constraints(job, &parts);
    refine::spend_slack(engine, &mut works, &parts, &constraints, stop);
    finish(works, parts, wasted)
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
    let todo: Vec<usize> =
        (0..parts.len()).filter(|i| parts[*i].action == Action::Transcode).collect();
    let opened: Vec<(usize, Duration, Result<Work, CodecError>)> = todo
        .into_par_iter()
        .map(|index| {
            let start = (engine.cpu_clock)();
            let work = open(engine, job, index, &parts[index], &prepared.facts[index], stop);
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
            Err(CodecError::Stopped(cause)) => return Err(cause.into()),
            Err(error) => {
                wasted[index] += cpu;
                give_up(&mut parts[index], &error);
            }
        }
    }
    Ok(works)
}

fn open(
    engine: &Engine,
    job: &Job,
    index: usize,
    part: &PartPlan,
    facts: &PartFacts,
    stop: &Stop,
) -> Result<Work, CodecError> {
    let data = &job.message.parts()[index].data;
    let internal = |what: &str| CodecError::Internal(what.to_owned());
    let target = part.target.as_ref().and_then(Target::image);
    let target = target.ok_or_else(|| internal("transcode without target"))?;
    let codec = engine.codecs.find_writer(data, MediaKind::Image);
    let codec = codec.ok_or_else(|| internal("codec lost"))?;
    let source = facts.info.dimensions.ok_or_else(|| internal("picture without dimensions"))?;
    let hint = OpenHint { largest: source.shrunk_into(target.bounds), animation: target.animate };
    let mut session = codec.open(data, hint, &engine.decode, stop)?;
    let task = Task {
        source: session.info().dimensions.unwrap_or(source),
        bounds: target.bounds,
        formats: target.formats.clone(),
        animate: target.animate,
        lossless_source: is_lossless(facts),
        facts: session.facts(),
        full_chroma: job.capabilities.jpeg_full_chroma.value,
        ceiling: ceiling(facts, part),
        effort: job.effort,
        background: job.policy.background,
    };
    Ok(Work {
        index,
        session,
        search: Search::new(&task, Bytes::ZERO),
        task,
        budget: Bytes::ZERO,
        best: None,
        best_size: Bytes::ZERO,
        exhausted: None,
        encodes: 0,
        cpu: Duration::ZERO,
        keeps_ceiling: part.original_acceptable,
        cut_short: false,
        failed: None,
    })
}

fn is_lossless(facts: &PartFacts) -> bool {
    let media_type = facts.info.media_type.as_str();
    matches!(
        media_type,
        "image/png" | "image/gif" | "image/bmp" | "image/vnd.wap.wbmp" | "image/tiff"
    ) || facts.info.codec.contains("lossless")
}

/// Originals below this are no measure for anything: a 1-bit drawing of 88 bytes becomes a PNG of
/// 150 whatever one does.
const SMALL_ORIGINAL: Bytes = Bytes::new(4096);

/// Never re-encode to a larger file.
fn ceiling(facts: &PartFacts, part: &PartPlan) -> Option<Bytes> {
    let counts = part.original_acceptable || facts.info.bytes >= SMALL_ORIGINAL;
    counts.then_some(facts.info.bytes)
}

/// Lets a work take at most `steps` steps. At its end the best output is there, encoded.
pub(super) fn advance(engine: &Engine, work: &mut Work, steps: u32, stop: &Stop) {
    if work.failed.is_some() || work.cut_short {
        return;
    }
    for _ in 0..steps {
        match work.search.step() {
            Step::Done => {
                if !relax(work) && settle(engine, work, stop) {
                    return;
                }
            }
            Step::Exhausted { smallest } => {
                // The original's own size is no reason to refuse: only the limit is.
                if work.task.ceiling.take().is_some() {
                    work.search.lift_ceiling(work.budget, false);
                    continue;
                }
                work.exhausted = Some(smallest);
                return;
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
    let scaled = work
        .best
        .as_ref()
        .and_then(|(recipe, _)| recipe.image())
        .is_some_and(|recipe| recipe.dimensions != work.task.largest());
    let room = work.task.ceiling.is_some_and(|ceiling| ceiling < work.budget);
    let still = work.task.lossless_source && !work.task.animate;
    let relaxed = scaled && room && still && !work.keeps_ceiling;
    if relaxed {
        work.task.ceiling = None;
        work.search.lift_ceiling(work.budget, true);
        work.best = None;
    }
    relaxed
}

/// Encodes the best recipe if it was only measured so far. `false` if it turned out to be over
/// the budget, so that the search must go on.
fn settle(engine: &Engine, work: &mut Work, stop: &Stop) -> bool {
    let Some((recipe, None)) = work.best.clone() else { return true };
    // The deadline ends the search, not this last encode: without it there is no answer at all.
    let last = if stop.check() == Err(StopCause::Deadline) { Stop::never() } else { stop.clone() };
    let start = (engine.cpu_clock)();
    let outcome = work.session.encode(&recipe, Bytes::new(u64::MAX), &last);
    work.cpu += (engine.cpu_clock)().saturating_sub(start);
    work.encodes += 1;
    match outcome {
        Ok(data) => {
            let size = Bytes::of(&data);
            if work.search.settle(size) == Verdict::Keep {
                work.best = Some((recipe, Some(data)));
                work.best_size = size;
                return true;
            }
            work.best = None;
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
        Err(EncodeError::Codec(CodecError::Stopped(StopCause::Deadline)))
            if work.best.is_some() =>
        {
            work.cut_short = true;
            if !settle(engine, work, stop) {
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

/// Parts whose codec failed are dropped; a stop ends everything.
fn give_up_failed(
    works: &mut Vec<Work>,
    parts: &mut [PartPlan],
    wasted: &mut [Duration],
    stop: &Stop,
) -> Result<(), PipelineError> {
    if stop.check() == Err(StopCause::Cancelled) {
        return Err(StopCause::Cancelled.into());
    }
    if let Some(CodecError::Stopped(cause)) =
        works.iter().find_map(|w| w.failed.as_ref().filter(|e| matches!(e, CodecError::Stopped(_))))
    {
        return Err((*cause).into());
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
        CodecError::Stopped(_) | CodecError::Internal(_) => ReasonCode::CannotFit,
    };
    part.action = Action::Drop;
    part.target = None;
    part.reasons.insert(0, Reason::new(code, problem.detail));
}

fn finish(
    works: Vec<Work>,
    parts: Vec<PartPlan>,
    wasted: Vec<Duration>,
) -> Result<Fitted, PipelineError> {
    let mut results: Vec<Option<FittedPart>> = parts.iter().map(|_| None).collect();
    for mut work in works {
        let Some((recipe, Some(data))) = work.best else {
            return Err(PipelineError::Check(format!("part {} was not fitted", work.index)));
        };
        let reference = work.session.reference(work.task.largest(), work.task.background);
        results[work.index] = Some(FittedPart {
            recipe,
            reference,
            data,
            budget: work.budget,
            encodes: work.encodes,
            cpu: work.cpu,
            task: work.task,
            cut_short: work.cut_short,
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
