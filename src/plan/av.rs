//! Decides on audio and video.

use super::{
    AudioTarget, ImageTarget, Input, PartFacts, PartPlan, Target, VideoTarget, device,
    image::formats,
    verdict::{broken, drop_part, not_accepted},
};
use crate::{
    model::{
        Action, AudioTrack, BitRate, Bytes, ImageFormat, MediaInfo, MediaKind, Millis, Reason,
        ReasonCode,
    },
    policy::{Fallback, Sanitize},
    quality::{self, video::VideoOutput},
};

/// An animation may replace a video up to this length: longer ones need more frames than a GIF can
/// hold in any message.
const GIF_POSTER: Millis = Millis::new(6_000);
/// Tracks that take less than this share of the file are worth moving into a new
/// one.
const WORTH_MOVING: f64 = 0.97;

/// Judges an audio or video file by content and device.
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
                    "the device takes neither video nor images: the audio alone",
                )),
                _ => {}
            }
            part.action = Action::Transcode;
            part.target = Some(target);
        }
        None => {
            let kind = if facts.info.kind == MediaKind::Video { "video" } else { "audio" };
            part.reasons.push(Reason::new(
                ReasonCode::TypeNotAccepted,
                format!("nor anything that the {kind} could become"),
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
        (MediaKind::Audio, Fallback::Format) => audio(facts, input, movable),
        (_, Fallback::Format) => video(facts, input, movable),
        (_, Fallback::Animation | Fallback::Still) => poster(facts, input).map(Target::Image),
        (_, Fallback::Audio) if readable_audio(&facts.info) => audio(facts, input, false),
        _ => None,
    })
}

fn readable_audio(info: &MediaInfo) -> bool {
    info.audio.as_ref().is_some_and(AudioTrack::is_readable)
}

/// The audio alone.
fn audio(facts: &PartFacts, input: &Input<'_>, movable: bool) -> Option<Target> {
    let choices = device::audio_choices(input.capabilities);
    let possible = facts.makes.audio && !choices.is_empty() && !facts.info.duration.is_zero();
    let remux = if movable { device::remux(&facts.info, input.capabilities) } else { None };
    possible.then_some(Target::Audio(AudioTarget { choices, remux }))
}

/// A video, and the image that replaces it where no video fits.
fn video(facts: &PartFacts, input: &Input<'_>, movable: bool) -> Option<Target> {
    let info = &facts.info;
    let choices = device::video_choices(input.capabilities);
    let known = !info.duration.is_zero() && info.dimensions.is_some();
    let possible = facts.makes.video && known && !choices.is_empty();
    let remux = if movable { device::remux(info, input.capabilities) } else { None };
    possible.then(|| Target::Video(VideoTarget { choices, remux, poster: poster(facts, input) }))
}

/// The image that may replace a video: animated, still, or one after the other, as the policy
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
    let short = !info.duration.is_zero() && info.duration <= GIF_POSTER;
    let animate = short
        && formats.contains(&ImageFormat::Gif)
        && allows(Fallback::Animation)
        && ladder.prefers(Fallback::Animation, Fallback::Still);
    let still = allows(Fallback::Still);
    (animate || still).then_some(ImageTarget { formats, bounds, animate, still, video: Vec::new() })
}

/// Whether a kept part is so much larger than its tracks that moving them may be enough.
pub(super) fn padded(info: &MediaInfo) -> bool {
    let rate = |bits: Option<BitRate>| {
        bits.map_or(Some(0.0), |rate| (!rate.is_zero()).then_some(rate.per_second()))
    };
    let video = rate(info.video.as_ref().map(|t| t.bitrate));
    let audio = rate(info.audio.as_ref().map(|t| t.bitrate));
    let (Some(video), Some(audio)) = (video, audio) else { return false };
    let tracks = (video + audio) / 8e3 * f64::from(info.duration.get());
    tracks > 0.0 && tracks < info.bytes.get() as f64 * WORTH_MOVING
}

/// The bytes that a video should get, by the best choice.
fn video_weight(facts: &PartFacts, target: &VideoTarget, seconds: f64) -> f64 {
    let Some(support) = target.choices.first().map(|choice| choice.support) else { return 1.0 };
    let Some(source) = facts.info.dimensions else { return 1.0 };
    let rate = facts.info.video.as_ref().map_or(0.0, |track| track.frame_rate);
    let output = VideoOutput {
        codec: support.codec,
        dimensions: source.shrunk_into(support.max_dimensions.turned_to(source)),
        rate: rate.min(f64::from(support.max_frame_rate)),
        max_bitrate: support.max_bitrate,
        audio: readable_audio(&facts.info),
    };
    quality::video::fair_bytes(output, seconds)
}

/// The bytes that audio or video should get, at most `room` and half again: beside a video of any
/// length an image must still be seen.
pub(super) fn weight(facts: &PartFacts, target: &Target, room: Bytes) -> Option<f64> {
    let room = room.get() as f64;
    let seconds = facts.info.duration.seconds();
    match target {
        Target::Image(_) => None,
        Target::Audio(target) => {
            let codecs = target.choices.iter().map(|choice| choice.codec);
            let source = quality::audio::foreseen(facts.info.audio.as_ref());
            Some(quality::audio::fair_bytes(codecs, source, seconds).min(room))
        }
        Target::Video(target) => {
            Some(video_weight(facts, target, seconds).min(room * quality::HEAVIEST))
        }
    }
}
