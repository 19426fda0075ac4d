//! From a plan's target to a session and what is to be fitted.

use super::{Engine, Job, fitting::Work, twins::Twins};
use crate::{
    codec::{CodecError, OpenHint, Session},
    fit::{self, AudioTask, ImageTask, Task, VideoTask},
    model::{
        Adaptation, AudioTrack, Bytes, Dimensions, MediaInfo, MediaKind, Stop, StopCause, Trim,
        VideoChoice, VideoCodec, VideoTrack,
    },
    plan::{AudioTarget, ImageTarget, PartFacts, PartPlan, Target},
};

/// Opens a part for its target.
pub(super) fn open(
    engine: &Engine,
    job: &Job,
    twins: &Twins,
    part: &PartPlan,
    facts: &PartFacts,
    stop: &Stop,
) -> Result<Work, CodecError> {
    let index = part.id.index();
    let target = part.target.as_ref().ok_or_else(|| internal("transcode without target"))?;
    let ceiling = ceiling(facts, part);
    let (session, task) = match target {
        Target::Image(target) => {
            let source = source(&facts.info)?;
            let animation = target.animate;
            let hint = OpenHint {
                largest: source.shrunk_into(target.bounds),
                animation,
                effort: job.effort,
            };
            let mut session = session(engine, job, twins, index, (MediaKind::Image, hint), stop)?;
            let mut task = picture(job, facts, target, session.as_mut(), ceiling);
            // A drawing that must shrink gets shades at its edges, and may need more bytes for them
            // than it had: how many are of use is judged by its looks.
            let shrinks = task.source != task.largest();
            if task.is_drawing() && shrinks && !part.original_acceptable {
                task.ceiling = None;
            }
            (session, Task::Image(task))
        }
        Target::Audio(target) => {
            let hint = OpenHint {
                largest: Dimensions::at_least_one(1, 1),
                animation: false,
                effort: job.effort,
            };
            let mut session = session(engine, job, twins, index, (MediaKind::Audio, hint), stop)?;
            let track = session.info().audio.clone();
            let music = session.facts().music;
            let task = sound(job, facts, target, (track, music), ceiling);
            (session, Task::Audio(task))
        }
        Target::Video(target) => {
            let source = source(&facts.info)?;
            let boxed = target.poster.as_ref().map(|p| source.shrunk_into(p.bounds));
            let largest = largest(source, &target.choices, boxed);
            let hint = OpenHint { largest, animation: true, effort: job.effort };
            let mut session = session(engine, job, twins, index, (MediaKind::Video, hint), stop)?;
            let poster = target.poster.as_ref();
            let poster = poster.map(|p| picture(job, facts, p, session.as_mut(), None));
            let mut task = clip_of(job, facts, &target.choices, session.as_mut(), ceiling)?;
            (task.poster, task.remux) = (poster, target.remux);
            (session, Task::Video(task))
        }
    };
    let weight = job.policy.weights.of(facts.info.kind);
    Ok(Work { weight, ..Work::new(index, session, task, part.original_acceptable) })
}

/// A part that the deadline left without a result, as what is to be had of it at once: the thumbnail
/// of a photo that takes long, the first picture of a clip. `None` for other errors, and where there
/// is no such.
pub(super) fn late(
    engine: &Engine,
    job: &Job,
    part: &PartPlan,
    facts: &PartFacts,
    error: &CodecError,
    stop: &Stop,
) -> Option<Work> {
    if *error != CodecError::Stopped(StopCause::Deadline) {
        return None;
    }
    let target = match part.target.as_ref()? {
        Target::Image(target) => target.clone(),
        Target::Video(target) => target.poster.clone()?,
        Target::Audio(_) => return None,
    };
    let source = facts.info.dimensions?;
    let target = ImageTarget { animate: false, still: true, clip: Vec::new(), ..target };
    let largest = source.shrunk_into(target.bounds);
    let hint = OpenHint { largest, animation: false, effort: job.effort };
    let index = part.id.index();
    let data = &job.message.parts()[index].data;
    let codec = engine.codecs.find_writer(data, MediaKind::Image)?;
    let start = (engine.cpu_clock)();
    let preview = codec.preview(data, hint, &engine.decode, &stop.past_deadline());
    let mut session = preview.ok()??;
    let task = picture(job, facts, &target, session.as_mut(), None);
    let weight = job.policy.weights.of(facts.info.kind);
    let mut work = Work::new(index, session, Task::Image(task), part.original_acceptable);
    (work.weight, work.late) = (weight, true);
    work.fell = Some("the deadline came before more of it was done".to_owned());
    work.cpu = (engine.cpu_clock)().saturating_sub(start);
    Some(work)
}

/// An animation opened as a clip.
pub(super) fn open_as_clip(
    engine: &Engine,
    job: &Job,
    index: usize,
    facts: &PartFacts,
    choices: &[VideoChoice],
    stop: &Stop,
) -> Result<(Box<dyn Session>, Task), CodecError> {
    let source = source(&facts.info)?;
    let hint =
        OpenHint { largest: largest(source, choices, None), animation: true, effort: job.effort };
    let alone = Twins::default();
    let mut session = session(engine, job, &alone, index, (MediaKind::Video, hint), stop)?;
    // Even an animation that must be changed does not become a larger clip.
    let task = clip_of(job, facts, choices, session.as_mut(), Some(facts.info.bytes))?;
    Ok((session, Task::Video(task)))
}

fn internal(what: &str) -> CodecError {
    CodecError::Internal(what.to_owned())
}

fn source(info: &MediaInfo) -> Result<Dimensions, CodecError> {
    info.dimensions.ok_or_else(|| internal("a picture without dimensions"))
}

fn session(
    engine: &Engine,
    job: &Job,
    twins: &Twins,
    index: usize,
    (kind, hint): (MediaKind, OpenHint),
    stop: &Stop,
) -> Result<Box<dyn Session>, CodecError> {
    let sessions = engine.kept_of(&job.message);
    if let Some(kept) = sessions.and_then(|all| all.take(index, kind, hint)) {
        return Ok(kept);
    }
    let data = &job.message.parts()[index].data;
    let codec = engine.codecs.find_writer(data, kind).ok_or_else(|| internal("codec lost"))?;
    let open = || codec.open(data, hint, &engine.decode, stop);
    let session = twins.session(index, kind, hint, open)?;
    if let Some(all) = sessions {
        all.opened(index, kind, hint);
    }
    Ok(session)
}

/// What no recipe of these choices, or of the poster, asks beyond.
fn largest(source: Dimensions, choices: &[VideoChoice], poster: Option<Dimensions>) -> Dimensions {
    let boxed = |choice: &VideoChoice| {
        let most = choice.support.max_dimensions;
        // H.263 frames lie whatever the clip does.
        let most =
            if choice.support.codec == VideoCodec::H263 { most } else { most.turned_to(source) };
        source.shrunk_into(most)
    };
    let all = choices.iter().map(boxed).chain(poster);
    all.max_by_key(|d| d.pixels()).unwrap_or(source)
}

fn picture(
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

/// Frames that are shown at least so long on the average are slides.
const SLIDE_MS: u32 = 500;

fn is_slow(info: &MediaInfo) -> bool {
    info.frames > 1 && info.duration_ms / info.frames >= SLIDE_MS
}

/// Frames a second of an animation that stands for a clip.
const POSTER_RATE: f64 = 5.0;

fn poster_step(info: &MediaInfo) -> u16 {
    let rate = info.video.as_ref().map_or(0.0, |track| track.frame_rate);
    (rate / POSTER_RATE).round().clamp(1.0, 64.0) as u16
}

/// What a sound is fitted by. `seen`: the track of what was opened, and whether it is music.
pub(super) fn sound(
    job: &Job,
    facts: &PartFacts,
    target: &AudioTarget,
    (seen, music): (Option<AudioTrack>, bool),
    ceiling: Option<Bytes>,
) -> AudioTask {
    let track = seen.or_else(|| facts.info.audio.clone());
    let track = track.as_ref();
    AudioTask {
        duration_ms: facts.info.duration_ms,
        sample_rate: track.map_or(0, |t| t.sample_rate),
        channels: track.map_or(0, |t| t.channels),
        enough: track.map_or(u32::MAX, |t| fit::enough_sound(&t.codec, &t.profile, t.bitrate)),
        music,
        choices: target.choices.clone(),
        remux: target.remux,
        ceiling: ceiling.filter(|_| facts.info.kind == MediaKind::Audio),
        trim: job.policy.trim == Trim::Allow,
        floors: job.policy.floors,
    }
}

fn clip_of(
    job: &Job,
    facts: &PartFacts,
    choices: &[VideoChoice],
    session: &mut dyn Session,
    ceiling: Option<Bytes>,
) -> Result<VideoTask, CodecError> {
    let music = session.facts().music;
    clip(job, facts, choices, (session.info().video.as_ref(), music), ceiling)
}

/// What a clip is fitted by. `seen`: the pictures of what was opened, and whether its sound is
/// music.
pub(super) fn clip(
    job: &Job,
    facts: &PartFacts,
    choices: &[VideoChoice],
    (seen, music): (Option<&VideoTrack>, bool),
    ceiling: Option<Bytes>,
) -> Result<VideoTask, CodecError> {
    let info = &facts.info;
    let track = info.video.as_ref().or(seen);
    let counted = f64::from(info.frames) * 1e3 / f64::from(info.duration_ms.max(1));
    let frame_rate = track.map_or(counted, |track| track.frame_rate);
    // The bits of a GIF say nothing about what a clip needs.
    let bitrate = info.video.as_ref().map_or(0, |track| track.bitrate);
    Ok(VideoTask {
        source: source(info)?,
        duration_ms: info.duration_ms,
        frame_rate,
        bitrate,
        bits: info.video.as_ref().map_or(0.0, |track| fit::bits_of(&track.codec)),
        // Sound that cannot be decoded costs the clip its sound, nothing else.
        sound: info.audio.clone().filter(AudioTrack::is_readable),
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
/// 150 whatever one does.
const SMALL_ORIGINAL: Bytes = Bytes::new(4096);

/// Never re-encode to a larger file, but for photos that must shrink. A sound or clip
/// that the device cannot play is no measure: Opus at 16 kbit/s and HEVC need more bytes in an
/// older codec.
fn ceiling(facts: &PartFacts, part: &PartPlan) -> Option<Bytes> {
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
