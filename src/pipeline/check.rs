//! Every output is parsed again before it leaves: type, tracks, dimensions, duration, decodable.

use bytes::Bytes as Buffer;

use super::Engine;
use crate::{
    codec::{CodecError, Reference, Verified},
    fit::Task,
    model::{AudioCoding, MediaInfo, MediaKind, Recipe, Stop},
};

/// The duration of an output may differ from what it should be by this, in milliseconds, or by
/// one of its frames, if that is longer.
const TOLERANCE_MS: f64 = 100.0;

/// An output with what it should be.
pub(super) struct Output<'a> {
    pub data: &'a Buffer,
    pub recipe: &'a Recipe,
    pub task: &'a Task,
    pub reference: Option<&'a Reference>,
    /// The medium as it came.
    pub source: &'a MediaInfo,
}

/// Decodes an output and compares.
///
/// # Errors
/// What is wrong: our bug, or that of a codec; or what kept it from being checked.
pub(super) fn verify(
    engine: &Engine,
    output: &Output<'_>,
    stop: &Stop,
) -> Result<Verified, CheckError> {
    let unknown = || CheckError::Wrong("not recognised".into());
    let (codec, _) = engine.codecs.find(output.data).ok_or_else(unknown)?;
    // The deadline has had its say: what is checked here is small and already paid for.
    let stop = stop.past_deadline();
    let verified = codec.verify(output.data, output.reference, &engine.decode, &stop);
    let verified = verified.map_err(|error| match error {
        CodecError::Stopped(_) | CodecError::Unavailable(_) => CheckError::Unchecked(error),
        error => CheckError::Wrong(error.to_string()),
    })?;
    compare(&verified, output).map_err(CheckError::Wrong)?;
    Ok(verified)
}

/// Why an output does not leave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum CheckError {
    /// What is wrong with it, for people.
    Wrong(String),
    /// Nobody could tell.
    Unchecked(CodecError),
}

fn compare(verified: &Verified, output: &Output<'_>) -> Result<(), String> {
    let info = &verified.info;
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
            sound(info, Some(&recipe.coding))?;
            duration(info, output.source, recipe.keep_ms, 0.0)?;
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
            sound(info, recipe.audio.as_ref())?;
            let frame = 1e3 / recipe.video.rate.per_second();
            duration(info, output.source, recipe.keep_ms, frame)?;
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

fn sound(info: &MediaInfo, coding: Option<&AudioCoding>) -> Result<(), String> {
    let found = info.audio.as_ref().map(|track| track.codec.as_str());
    let wanted = coding.map(|coding| coding.codec.name());
    if found == wanted { Ok(()) } else { Err(format!("sound {found:?}, not {wanted:?}")) }
}

fn duration(
    info: &MediaInfo,
    source: &MediaInfo,
    keep_ms: Option<u32>,
    frame_ms: f64,
) -> Result<(), String> {
    let wanted = f64::from(keep_ms.unwrap_or(source.duration_ms).min(source.duration_ms));
    let off = (f64::from(info.duration_ms) - wanted).abs();
    if off <= TOLERANCE_MS.max(frame_ms) {
        Ok(())
    } else {
        Err(format!("lasts {} ms, not {wanted}", info.duration_ms))
    }
}
