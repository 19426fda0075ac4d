//! From a plan's target to what is searched: the task of a part.

use crate::{
    codec::{CodecError, Session},
    fit::{AudioTask, ImageTask, VideoTask},
    model::{
        AudioTrack, BitRate, Bytes, Dimensions, MediaInfo, MediaKind, SampleRate, VideoChoice,
        VideoCodec, VideoTrack,
    },
    pipeline::job::Job,
    plan::{AudioTarget, ImageTarget, PartFacts, PartPlan, Target},
    policy::{Adaptation, Trim},
    quality::source,
};

/// The dimensions of what has to have some.
///
/// # Errors
/// It has none.
pub(super) fn dimensions(info: &MediaInfo) -> Result<Dimensions, CodecError> {
    let none = || CodecError::Internal("an image or video without dimensions".to_owned());
    info.dimensions.ok_or_else(none)
}

/// What no recipe of these choices, or of the poster, asks beyond.
pub(super) fn largest(
    source: Dimensions,
    choices: &[VideoChoice],
    poster: Option<Dimensions>,
) -> Dimensions {
    let boxed = |choice: &VideoChoice| {
        let most = choice.support.max_dimensions;
        // H.263 frames are landscape whatever the video is.
        let most =
            if choice.support.codec == VideoCodec::H263 { most } else { most.turned_to(source) };
        source.shrunk_into(most)
    };
    let all = choices.iter().map(boxed).chain(poster);
    all.max_by_key(|d| d.pixels()).unwrap_or(source)
}

/// What an image is fitted by.
pub(super) fn image(
    job: &Job,
    facts: &PartFacts,
    target: &ImageTarget,
    session: &mut dyn Session,
    ceiling: Option<Bytes>,
) -> ImageTask {
    let still = facts.info.kind == MediaKind::Image;
    let content = session.facts();
    let own = session.info().dimensions.or(facts.info.dimensions);
    ImageTask {
        source: own.unwrap_or(target.bounds),
        bounds: target.bounds,
        formats: target.formats.clone(),
        animate: target.animate,
        still: target.still,
        floors: job.policy.floors,
        ceilings: job.policy.ceilings,
        slides: still && is_slow(&facts.info),
        first_step: if still { 1 } else { poster_step(&facts.info) },
        lossless_source: still && is_lossless(facts),
        facts: content,
        full_chroma: job.capabilities.jpeg_full_chroma.value,
        own: facts.info.bytes,
        ceiling: ceiling.filter(|_| still),
        effort: job.effort,
        background: job.policy.background,
    }
}

/// Frames that are shown at least this long on average are slides.
const SLIDE_MS: u32 = 500;

fn is_slow(info: &MediaInfo) -> bool {
    info.frames > 1 && info.duration.get() / info.frames >= SLIDE_MS
}

/// Frames per second of an animation that replaces a video.
const POSTER_RATE: f64 = 5.0;

fn poster_step(info: &MediaInfo) -> u16 {
    let rate = info.video.as_ref().map_or(0.0, |track| track.frame_rate);
    (rate / POSTER_RATE).round().clamp(1.0, 64.0) as u16
}

/// What audio is fitted by. `seen`: the track of what was opened, and whether it is music.
pub(super) fn audio(
    job: &Job,
    facts: &PartFacts,
    target: &AudioTarget,
    (seen, music): (Option<AudioTrack>, bool),
    ceiling: Option<Bytes>,
) -> AudioTask {
    let track = seen.or_else(|| facts.info.audio.clone());
    let track = track.as_ref();
    AudioTask {
        duration: facts.info.duration,
        sample_rate: track.map_or(SampleRate::ZERO, |t| t.sample_rate),
        channels: track.map_or(0, |t| t.channels),
        enough: track
            .map_or(BitRate::MAX, |t| source::enough_audio(&t.codec, &t.profile, t.bitrate)),
        music,
        choices: target.choices.clone(),
        remux: target.remux,
        ceiling: ceiling.filter(|_| facts.info.kind == MediaKind::Audio),
        trim: job.policy.trim == Trim::Allow,
        floors: job.policy.floors,
    }
}

/// What a video is fitted by. `seen`: the video track of what was opened, and whether its audio is
/// music.
///
/// # Errors
/// A video without dimensions.
pub(super) fn video(
    job: &Job,
    facts: &PartFacts,
    choices: &[VideoChoice],
    (seen, music): (Option<&VideoTrack>, bool),
    ceiling: Option<Bytes>,
) -> Result<VideoTask, CodecError> {
    let info = &facts.info;
    let track = info.video.as_ref().or(seen);
    let counted = f64::from(info.frames) * 1e3 / f64::from(info.duration.get().max(1));
    let frame_rate = track.map_or(counted, |track| track.frame_rate);
    // The bits of a GIF say nothing about what a video needs.
    let bitrate = info.video.as_ref().map_or(BitRate::ZERO, |track| track.bitrate);
    Ok(VideoTask {
        source: dimensions(info)?,
        duration: info.duration,
        frame_rate,
        bitrate,
        bits: info.video.as_ref().map_or(0.0, |track| source::codec_bits(&track.codec)),
        // Audio that cannot be decoded costs the video its audio, nothing else.
        audio: info.audio.clone().filter(AudioTrack::is_readable),
        music,
        choices: choices.to_vec(),
        remux: None,
        poster: None,
        ceiling,
        trim: job.policy.trim == Trim::Allow,
        mute: job.policy.adaptation == Adaptation::Major,
        floors: job.policy.floors,
        effort: job.effort,
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
/// 150 in any case.
const SMALL_ORIGINAL: Bytes = Bytes::new(4096);

/// Never re-encode to a larger file, but for photos that must shrink. Audio or video
/// that the device cannot play is no measure: Opus at 16 kbit/s and HEVC need more bytes in an
/// older codec.
pub(super) fn ceiling(facts: &PartFacts, part: &PartPlan) -> Option<Bytes> {
    let bytes = facts.info.bytes;
    let image = facts.info.kind == MediaKind::Image;
    let source = facts.info.dimensions;
    let shrinks = match (&part.target, source) {
        (Some(Target::Image(target)), Some(source)) => source.shrunk_into(target.bounds) != source,
        _ => false,
    };
    let counts = image && bytes >= SMALL_ORIGINAL;
    if part.original_acceptable || counts && (is_lossless(facts) || !shrinks) {
        return Some(bytes);
    }
    // A photo that must shrink keeps what its own coder kept only with more bytes than that took:
    // 1800 pixels shrunk to 1600 at the bytes of the original lose 7 points of SSIMULACRA2, and
    // 1.5 at half as many again (2026-11-26, 600 kB).
    let half = Bytes::new(bytes.get() / 2);
    counts.then_some(bytes + half)
}
