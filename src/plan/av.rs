//! The judgement of sounds and clips.

use super::{
    AudioTarget, ImageTarget, Input, PartFacts, PartPlan, Target, VideoTarget, device,
    image::formats,
    verdict::{broken, drop_part, not_accepted},
};
use crate::model::{
    Action, AudioTrack, Bytes, ImageFormat, MediaInfo, MediaKind, Reason, ReasonCode, Sanitize,
    Step,
};

/// An animation stands for a clip up to this length: longer ones need more frames than a GIF can
/// hold in any message.
const GIF_POSTER_MS: u32 = 6_000;
/// Tracks that take less than this share of the file leave something to save by moving them into
/// a new one.
const WORTH_MOVING: f64 = 0.97;

/// Judges a sound or a clip by content and device.
pub(super) fn judge(part: &mut PartPlan, facts: &PartFacts, input: &Input<'_>) {
    let info = &facts.info;
    let accept = &input.capabilities.accept.value;
    let accepted = device::accepts(accept, &facts.declared, &info.media_type);
    if broken(part, facts, input, accepted) {
        return;
    }
    let plays = device::plays(info, input.capabilities);
    if accepted && plays.is_ok() {
        let anew =
            input.policy.sanitize == Sanitize::Always && target(facts, input, false).is_some();
        part.reasons.push(if anew { ReasonCode::Sanitized } else { ReasonCode::Fits }.into());
        if anew {
            part.original_acceptable = false;
            transcode(part, facts, input, false);
        }
        return;
    }
    if !accepted {
        not_accepted(part, &info.media_type, input);
    }
    let movable = plays.is_ok();
    if let Err(detail) = plays {
        part.reasons.push(Reason::new(ReasonCode::CodingNotSupported, detail));
    }
    part.original_acceptable = false;
    transcode(part, facts, input, movable);
}

/// Turns a part into a transcode, or drops it where the device takes nothing that could be made
/// of it. `movable`: its tracks would do, in another file.
pub(super) fn transcode(part: &mut PartPlan, facts: &PartFacts, input: &Input<'_>, movable: bool) {
    match target(facts, input, movable) {
        Some(target) => {
            match (facts.info.kind, target.kind()) {
                (MediaKind::Video, MediaKind::Image) => {
                    part.reasons
                        .push(Reason::new(ReasonCode::VideoLost, "the device takes no video"));
                }
                (MediaKind::Video, MediaKind::Audio) => part.reasons.push(Reason::new(
                    ReasonCode::VideoLost,
                    "the device takes neither video nor pictures: the sound alone",
                )),
                _ => {}
            }
            part.action = Action::Transcode;
            part.target = Some(target);
        }
        None => {
            let kind = if facts.info.kind == MediaKind::Video { "video" } else { "sound" };
            part.reasons.push(Reason::new(
                ReasonCode::TypeNotAccepted,
                format!("nor anything else that the {kind} could become"),
            ));
            drop_part(part);
        }
    }
}

/// What the part may become for the device, by the first step of its ladder that is possible;
/// `None`: nothing. `movable`: its tracks would do, in another file.
pub(super) fn target(facts: &PartFacts, input: &Input<'_>, movable: bool) -> Option<Target> {
    let kind = facts.info.kind;
    let steps = input.policy.ladder(kind).steps();
    steps.filter(|step| input.policy.allows(kind, *step)).find_map(|step| match (kind, step) {
        (MediaKind::Audio, Step::Format) => sound(facts, input, movable),
        (_, Step::Format) => clip(facts, input, movable),
        (_, Step::Animation | Step::Still) => poster(facts, input).map(Target::Image),
        (_, Step::Sound) if readable_sound(&facts.info) => sound(facts, input, false),
        _ => None,
    })
}

fn readable_sound(info: &MediaInfo) -> bool {
    info.audio.as_ref().is_some_and(AudioTrack::is_readable)
}

/// The sound alone.
fn sound(facts: &PartFacts, input: &Input<'_>, movable: bool) -> Option<Target> {
    let choices = device::sounds(input.capabilities);
    let possible = facts.makes.audio && !choices.is_empty() && facts.info.duration_ms > 0;
    let remux = if movable { device::remux(&facts.info, input.capabilities) } else { None };
    possible.then_some(Target::Audio(AudioTarget { choices, remux }))
}

/// A clip, and the picture that stands for it where none can be had.
fn clip(facts: &PartFacts, input: &Input<'_>, movable: bool) -> Option<Target> {
    let info = &facts.info;
    let choices = device::clips(input.capabilities);
    let known = info.duration_ms > 0 && info.dimensions.is_some();
    let possible = facts.makes.video && known && !choices.is_empty();
    let remux = if movable { device::remux(info, input.capabilities) } else { None };
    possible.then(|| Target::Video(VideoTarget { choices, remux, poster: poster(facts, input) }))
}

/// The picture that may stand for a clip: moving, still, or one after the other, as the policy
/// says.
fn poster(facts: &PartFacts, input: &Input<'_>) -> Option<ImageTarget> {
    let info = &facts.info;
    let dimensions = info.dimensions.filter(|_| facts.makes.image)?;
    let mut formats = formats(input);
    formats.retain(|format| *format != ImageFormat::Wbmp);
    if formats.is_empty() {
        return None;
    }
    let allows = |step| input.policy.allows(MediaKind::Video, step);
    let ladder = input.policy.ladder(MediaKind::Video);
    let bounds = input.limits.image.map_or(dimensions, |limit| limit.of(dimensions));
    let short = (1..=GIF_POSTER_MS).contains(&info.duration_ms);
    let animate = short
        && formats.contains(&ImageFormat::Gif)
        && allows(Step::Animation)
        && ladder.prefers(Step::Animation, Step::Still);
    let still = allows(Step::Still);
    (animate || still).then_some(ImageTarget { formats, bounds, animate, still, clip: Vec::new() })
}

/// Whether a kept part is so much larger than its tracks that moving them may be enough.
pub(super) fn padded(info: &MediaInfo) -> bool {
    let rate = |bits: Option<u32>| bits.map_or(Some(0.0), |n| (n > 0).then_some(f64::from(n)));
    let video = rate(info.video.as_ref().map(|t| t.bitrate));
    let audio = rate(info.audio.as_ref().map(|t| t.bitrate));
    let (Some(video), Some(audio)) = (video, audio) else { return false };
    let tracks = (video + audio) / 8e3 * f64::from(info.duration_ms);
    tracks > 0.0 && tracks < info.bytes.get() as f64 * WORTH_MOVING
}

/// The highest rate that sound is worth, in bytes a second: AMR's top mode, half of the ceiling of
/// AAC.
fn sound_weight(facts: &PartFacts, target: &AudioTarget) -> f64 {
    use crate::model::AudioCodec as C;
    let per_second = |codec| match codec {
        C::AmrNb => 1_300.0,
        C::AmrWb => 2_000.0,
        C::Aac | C::Mp3 => 4_000.0,
    };
    let best = target.choices.iter().map(|c| per_second(c.codec)).fold(0.0, f64::max);
    best * seconds(&facts.info)
}

/// Bits per pixel and frame of a clip at a fair quality, and the frame rate counted at most.
const CLIP_BITS: f64 = 0.2;
const CLIP_RATE: f64 = 15.0;
/// A clip counts this much more than a picture (fit-to-size.md §5).
const CLIP_WEIGHT: f64 = 1.5;

fn clip_weight(facts: &PartFacts, target: &VideoTarget) -> f64 {
    let Some(support) = target.choices.first().map(|choice| choice.support) else { return 1.0 };
    let Some(source) = facts.info.dimensions else { return 1.0 };
    let pixels = source.shrunk_into(support.max_dimensions.turned_to(source)).pixels();
    let rate = facts.info.video.as_ref().map_or(CLIP_RATE, |track| track.frame_rate);
    let rate = if rate > 0.0 { rate } else { CLIP_RATE };
    let rate = rate.min(CLIP_RATE).min(f64::from(support.max_frame_rate));
    let bits = (pixels as f64 * rate * CLIP_BITS).min(f64::from(support.max_bitrate));
    bits / 8.0 * seconds(&facts.info) * CLIP_WEIGHT
}

fn seconds(info: &MediaInfo) -> f64 {
    f64::from(info.duration_ms) / 1e3
}

/// What a sound or clip would like to have, at most `room` and half again: beside a film of any
/// length a picture must still be seen.
pub(super) fn weight(facts: &PartFacts, target: &Target, room: Bytes) -> Option<f64> {
    let room = room.get() as f64;
    match target {
        Target::Image(_) => None,
        Target::Audio(target) => Some(sound_weight(facts, target).min(room)),
        Target::Video(target) => Some(clip_weight(facts, target).min(room * CLIP_WEIGHT)),
    }
}
