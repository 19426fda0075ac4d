//! From fitted parts to a message, and the checks that no result escapes.

use std::time::Duration;

use rayon::prelude::*;

use super::{
    Engine, Job, PipelineError, Prepared,
    check::{self, CheckError},
    facts::of_the_part,
    fitting::{Fitted, FittedPart},
    is_bare, overhead,
};
use crate::{
    codec::Verified,
    message::{Edit, Message},
    model::{Action, Category, Report, Stop},
    plan::{PartFacts, PartPlan},
};

/// A bare file must not vanish: what would drop it is an error.
pub(super) fn refuse_empty(
    job: &Job,
    facts: &[PartFacts],
    parts: &[PartPlan],
) -> Result<(), PipelineError> {
    if !is_bare(job) {
        return Ok(());
    }
    let (Some(part), Some(facts)) = (parts.first(), facts.first()) else { return Ok(()) };
    if part.action != Action::Drop {
        return Ok(());
    }
    let first = part.reasons.first();
    let problem = facts.problem.as_ref();
    let found = fault_of(part);
    Err(PipelineError::OnlyPart {
        part: part.id,
        category: problem.map_or(found.0, |p| p.category),
        reason: problem.map_or(found.1, |p| p.reason),
        detail: first.map_or_else(String::new, |r| {
            if r.detail.is_empty() { format!("{:?}", r.code) } else { r.detail.clone() }
        }),
    })
}

/// Whose fault it is that a part was given up, and the stable reason, by the codes of its reasons.
fn fault_of(part: &PartPlan) -> (Category, &'static str) {
    use crate::model::ReasonCode as R;
    let has = |code| part.reasons.iter().any(|r| r.code == code);
    if has(R::Malformed) {
        (Category::Input, "MEDIA_MALFORMED")
    } else if has(R::Poison) {
        (Category::Input, "MEDIA_POISON")
    } else if has(R::OurFault) {
        (Category::Internal, "CODEC_INTERNAL")
    } else if has(R::SafetyLimit) {
        (Category::TooLarge, "MEDIA_OVER_SAFETY_LIMIT")
    } else if has(R::DecoderMissing) {
        (Category::Unsupported, "MEDIA_UNSUPPORTED")
    } else {
        (Category::CannotFit, "MEDIA_UNUSABLE")
    }
}

/// What was not checked yet is: no result escapes. With the CPU time that each check took.
pub(super) fn verify_parts(
    engine: &Engine,
    facts: &[PartFacts],
    fitted: &Fitted,
    stop: &Stop,
) -> Result<Vec<(Option<Verified>, Duration)>, PipelineError> {
    let parts = &fitted.parts;
    fitted
        .results
        .par_iter()
        .enumerate()
        .map(|(index, result)| match result {
            Some(FittedPart { verified: Some(verified), .. }) => {
                Ok((Some(verified.clone()), Duration::ZERO))
            }
            Some(result) => {
                let output = result.output(&facts[index].info);
                let start = (engine.cpu_clock)();
                let checked = check::verify(engine, &output, stop);
                let cpu = (engine.cpu_clock)().saturating_sub(start);
                let error = match checked {
                    Ok(verified) => return Ok((Some(verified), cpu)),
                    Err(CheckError::Wrong(what)) => what,
                    Err(CheckError::Unchecked(error)) => of_the_part(error)?.to_string(),
                };
                Err(PipelineError::Check(format!("part {}: {error}", parts[index].id.0)))
            }
            None => Ok((None, Duration::ZERO)),
        })
        .collect()
}

/// The message with every part as decided.
pub(super) fn message(
    job: &Job,
    prepared: &Prepared,
    fitted: &Fitted,
) -> Result<Message, PipelineError> {
    let accept = &job.capabilities.accept;
    let edits: Vec<Edit> = fitted
        .parts
        .iter()
        .zip(&fitted.results)
        .map(|(part, result)| match result {
            Some(result) => Edit::Replace {
                content_type: accept.spelling_of(&result.recipe.media_type()),
                data: result.data.clone(),
            },
            None => overhead::edit(job, &prepared.rewrites, part),
        })
        .collect();
    let showing = overhead::showing(&prepared.rewrites, &fitted.parts, Some(&fitted.results));
    Ok(job.message.rewrite_as(&edits, &showing)?.settled())
}

/// The message with its new class in the header, where it has one. The draft had the longest name.
pub(super) fn classed(job: &Job, message: Message, report: &mut Report) -> Message {
    let Some(class) = report.content_class_after else { return message };
    let message = message.with_content_class(class);
    if let Some(limit) = report.limit {
        report.wire_bytes_after = message.wire_size(limit.counting, job.interface);
    }
    message
}

/// No message leaves over a limit: the last word, on the serialized length.
pub(super) fn verify_size(job: &Job, message: &Message) -> Result<(), PipelineError> {
    for limit in &job.limits.wire {
        let size = message.wire_size(limit.counting, job.interface);
        if size > limit.bytes {
            return Err(PipelineError::Check(format!(
                "{} wire bytes, the limit is {}",
                size.get(),
                limit.bytes.get()
            )));
        }
    }
    Ok(())
}
