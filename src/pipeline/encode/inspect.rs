//! Every output is parsed again before it leaves: type, tracks, dimensions, duration, decodable.

use bytes::Bytes as Buffer;

use super::part::{Best, PartEncoding};
use crate::{
    codec::{CodecError, Reference, Verified},
    fit::Task,
    model::{AudioCoding, Bytes, MediaInfo, MediaKind, MediaType, Millis, Recipe},
    pipeline::{context::Context, job::PipelineError, span},
    plan::PartFacts,
};

/// The duration of an output may differ from what it should be by this, in milliseconds, or by
/// one of its frames, if that is longer.
const TOLERANCE_MS: f64 = 100.0;

/// Results that fall back after a failed check, at most.
const FALLBACKS: u32 = 4;

/// Checks the result of a part that another process encoded; one that does not pass falls back to
/// the next. `Ok(None)`: encoded here, and left to [`or_fail`].
///
/// # Errors
/// Nothing passes.
pub(super) fn with_fallback(
    context: &Context<'_>,
    part: &mut PartEncoding,
    facts: &PartFacts,
    room: Bytes,
) -> Result<Option<Verified>, CodecError> {
    if !costs_its_part(part, facts) {
        return Ok(None);
    }
    let mut wrong = String::new();
    for _ in 0..FALLBACKS {
        match verify(context, part, facts, None) {
            None => break,
            Some(Ok(verified)) => return Ok(Some(verified)),
            Some(Err(CheckError::Unchecked(error))) => return Err(error),
            Some(Err(CheckError::Wrong(what))) => {
                part.fallback_reason = Some(format!("the result did not pass its check: {what}"));
                wrong = what;
            }
        }
        if matches!(part.task, Task::Image(_)) {
            break;
        }
        part.search.reject();
        part.best = Best::None;
        part.cut_short = false;
        part.set_budget(part.budget.min(room));
        part.advance(context, u32::MAX);
        if let Some(error) = part.failed.take() {
            return Err(error);
        }
    }
    Err(CodecError::Internal(format!("the result did not pass its check: {wrong}")))
}

/// Whether a result that does not pass its check costs its part alone: media that codecs in
/// processes of their own read. An error of safe Rust in this process is our bug, and reported.
fn costs_its_part(part: &PartEncoding, facts: &PartFacts) -> bool {
    facts.info.kind != MediaKind::Image
        || part.converted.is_some()
        || [MediaType::HEIC, MediaType::AVIF].contains(&facts.info.media_type)
}

/// Checks the result of a part, the last word on it.
///
/// # Errors
/// It does not pass: our bug; or no worker is available to check.
pub(super) fn or_fail(
    context: &Context<'_>,
    part: &mut PartEncoding,
    facts: &PartFacts,
) -> Result<Verified, PipelineError> {
    // An image in place of another medium has nothing to be compared with; audio and video are not
    // compared.
    let reference = match &part.task {
        Task::Image(task) => part.session.reference(task.largest(), task.background),
        Task::Audio(_) | Task::Video(_) => None,
    };
    let id = part.id;
    let wrong = |what| PipelineError::Check(format!("part {}: {what}", id.0));
    match verify(context, part, facts, reference.as_ref()) {
        Some(Ok(verified)) => Ok(verified),
        Some(Err(CheckError::Wrong(what))) => Err(wrong(what)),
        Some(Err(CheckError::Unchecked(error))) => {
            Err(wrong(PipelineError::unless_of_part(error)?.to_string()))
        }
        None => Err(wrong("not encoded".to_owned())),
    }
}

/// Why an output does not leave.
#[derive(Clone, Debug, PartialEq, Eq)]
enum CheckError {
    /// What is wrong with it, for people: our bug, or that of a codec.
    Wrong(String),
    /// Nobody could tell.
    Unchecked(CodecError),
}

/// Decodes the result of a part and compares it with its recipe; `None`: there is none.
fn verify(
    context: &Context<'_>,
    part: &mut PartEncoding,
    facts: &PartFacts,
    reference: Option<&Reference>,
) -> Option<Result<Verified, CheckError>> {
    let PartEncoding { best, task, cpu, .. } = part;
    let (recipe, data) = best.encoded()?;
    let output = Output { recipe, task, source: &facts.info };
    let span = span::verify(context, part.id, Bytes::of(data));
    Some(context.timed(cpu, span, || {
        let verified = decode(context, data, reference)?;
        compare(&verified.info, &output).map_err(CheckError::Wrong)?;
        Ok(verified)
    }))
}

fn decode(
    context: &Context<'_>,
    data: &Buffer,
    reference: Option<&Reference>,
) -> Result<Verified, CheckError> {
    let unknown = || CheckError::Wrong("not recognised".into());
    let (codec, _) = context.codecs.find(data).ok_or_else(unknown)?;
    // The deadline has had its say: what is checked here is small and already paid for.
    let stop = context.stop.past_deadline();
    codec.verify(data, reference, context.limits, &stop).map_err(|error| match error {
        CodecError::Stopped(_) | CodecError::Unavailable(_) => CheckError::Unchecked(error),
        error => CheckError::Wrong(error.to_string()),
    })
}

/// What an output should be.
struct Output<'a> {
    recipe: &'a Recipe,
    task: &'a Task,
    /// The medium as it came.
    source: &'a MediaInfo,
}

fn compare(info: &MediaInfo, output: &Output<'_>) -> Result<(), String> {
    if info.media_type != output.recipe.media_type() {
        return Err(format!("type {}", info.media_type));
    }
    match output.recipe {
        Recipe::Image(_) => {
            let bounds = output.task.image().map(|task| task.bounds);
            let within = info.dimensions.zip(bounds).is_some_and(|(d, b)| d.within(b));
            if !within || !info.orientation.is_normal() {
                return Err(format!("{:?} in {bounds:?}", info.dimensions));
            }
        }
        Recipe::Audio(recipe) => {
            kind(info, MediaKind::Audio)?;
            audio(info, Some(&recipe.coding))?;
            duration(info, output.source, recipe.keep, 0.0)?;
        }
        Recipe::Video(recipe) => {
            kind(info, MediaKind::Video)?;
            let coded = info.video.as_ref().map(|track| track.codec.as_str());
            if coded != Some(recipe.video.codec.name()) {
                return Err(format!("video {coded:?}"));
            }
            if info.dimensions != Some(recipe.video.dimensions) {
                return Err(format!("{:?}, not {}", info.dimensions, recipe.video.dimensions));
            }
            audio(info, recipe.audio.as_ref())?;
            let frame = 1e3 / recipe.video.rate.per_second();
            duration(info, output.source, recipe.keep, frame)?;
        }
        Recipe::Remux(recipe) => {
            kind(info, if recipe.video { MediaKind::Video } else { MediaKind::Audio })?;
            if info.audio.is_some() != recipe.audio.is_some() {
                return Err("a track is missing or too many".to_owned());
            }
            duration(info, output.source, None, 0.0)?;
        }
    }
    Ok(())
}

fn kind(info: &MediaInfo, wanted: MediaKind) -> Result<(), String> {
    if info.kind == wanted { Ok(()) } else { Err(format!("is {:?}", info.kind)) }
}

fn audio(info: &MediaInfo, coding: Option<&AudioCoding>) -> Result<(), String> {
    let found = info.audio.as_ref().map(|track| track.codec.as_str());
    let wanted = coding.map(|coding| coding.codec.name());
    if found == wanted { Ok(()) } else { Err(format!("audio {found:?}, not {wanted:?}")) }
}

fn duration(
    info: &MediaInfo,
    source: &MediaInfo,
    keep: Option<Millis>,
    frame_ms: f64,
) -> Result<(), String> {
    let wanted = f64::from(keep.unwrap_or(source.duration).min(source.duration).get());
    let off = (f64::from(info.duration.get()) - wanted).abs();
    if off <= TOLERANCE_MS.max(frame_ms) {
        Ok(())
    } else {
        Err(format!("lasts {}, not {wanted}", info.duration))
    }
}
