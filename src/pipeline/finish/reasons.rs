//! The reasons that follow from the recipe that was chosen.

use crate::{
    fit::Task,
    model::{
        AudioCodec, AudioCoding, BitRate, ImageCoding, ImageRecipe, MediaInfo, MediaKind, Millis,
        Reason, ReasonCode, Recipe, VideoCodec, VideoRecipe,
    },
    pipeline::encode::EncodedPart,
    plan::{PartFacts, PartPlan},
};

/// What followed from the recipe.
pub(super) fn of(facts: &PartFacts, part: &PartPlan, result: &EncodedPart) -> Vec<Reason> {
    let (source, info) = (&facts.info, &result.verified.info);
    let mut reasons = Vec::new();
    match &result.recipe {
        Recipe::Image(recipe) if source.kind == MediaKind::Video => {
            let told = part.reasons.iter().any(|r| r.code == ReasonCode::VideoLost);
            if !told {
                // What the videos failed for, where it was not their size.
                let small = || format!("no video fits into {}", result.budget);
                let detail = result.fallback_reason.clone().unwrap_or_else(small);
                reasons.push(Reason::new(ReasonCode::VideoLost, detail));
            }
            scaled(&mut reasons, result, recipe);
        }
        Recipe::Image(recipe) => image(&mut reasons, source, result, recipe, info),
        Recipe::Audio(recipe) => {
            reasons.push(Reason::new(ReasonCode::EncodingChosen, audio_words(&recipe.coding)));
            if let Task::Audio(task) = &result.task
                && matches!(recipe.coding.codec, AudioCodec::Aac | AudioCodec::Mp3)
                && recipe.coding.bitrate.saturating_add(BitRate::new(100)) > task.enough
            {
                let detail = "the source has no more than that";
                reasons.push(Reason::new(ReasonCode::AtCeiling, detail));
            }
            speech(&mut reasons, result, Some(&recipe.coding));
            shortened(&mut reasons, source, recipe.keep);
        }
        Recipe::Video(recipe) => video(&mut reasons, source, result, recipe),
        Recipe::Remux(_) => {
            let (from, to) = (&source.media_type, &info.media_type);
            let detail = if from == to { String::new() } else { format!("{from} → {to}") };
            reasons.push(Reason::new(ReasonCode::ContainerChanged, detail));
        }
    }
    if source.has_metadata {
        reasons.push(ReasonCode::MetadataStripped.into());
    }
    if result.cut_short {
        reasons.push(ReasonCode::DeadlineBestSoFar.into());
    }
    reasons
}

fn scaled(reasons: &mut Vec<Reason>, result: &EncodedPart, recipe: &ImageRecipe) {
    let Some(largest) = result.task.image().map(|task| task.largest()) else { return };
    if recipe.dimensions != largest {
        reasons.push(Reason::new(
            ReasonCode::ScaledForBudget,
            format!("{largest} would not look well in {}", result.budget),
        ));
    }
    if recipe.dimensions.longest().saturating_mul(BARELY) < largest.longest() {
        let detail = format!("{} of {largest}", recipe.dimensions);
        reasons.push(Reason::new(ReasonCode::BarelyShown, detail));
    }
}

/// An image shrunk more than this many times, each way, is hardly the same image: the
/// oracle of `tests/measured` never goes below a third for a budget that any carrier sets.
const BARELY: u32 = 4;

fn image(
    reasons: &mut Vec<Reason>,
    source: &MediaInfo,
    result: &EncodedPart,
    recipe: &ImageRecipe,
    info: &MediaInfo,
) {
    let Some(task) = result.task.image() else { return };
    scaled(reasons, result, recipe);
    let top = task.ceilings.image_quality_at(task.largest());
    match recipe.coding {
        ImageCoding::Jpeg { quality, .. } if u32::from(quality.hundredths()) >= top * 100 => {
            reasons.push(Reason::new(
                ReasonCode::AtCeiling,
                format!("quality {} of 100", quality.get()),
            ));
        }
        ImageCoding::Png { colors: Some(n), .. } | ImageCoding::Gif { colors: n, .. }
            if task.facts.distinct_colors.is_none_or(|have| have > n) =>
        {
            reasons.push(Reason::new(ReasonCode::ColorsReduced, format!("{n} colours")));
        }
        _ => {}
    }
    if source.animated() && !info.animated() {
        reasons.push(Reason::from(ReasonCode::AnimationLost));
    } else if info.animated() && info.frames < source.frames && drops_frames(recipe) {
        reasons.push(Reason::new(
            ReasonCode::FramesDropped,
            format!("{} of {} frames", info.frames, source.frames),
        ));
    }
    let flattened = matches!(recipe.coding, ImageCoding::Jpeg { .. } | ImageCoding::Wbmp);
    if task.facts.transparent && flattened {
        reasons.push(ReasonCode::AlphaFlattened.into());
    }
}

/// Whether frames were left out; those that are like the one before are merged, and not missed.
fn drops_frames(recipe: &ImageRecipe) -> bool {
    matches!(recipe.coding, ImageCoding::Gif { frame_step, .. } if frame_step > 1)
}

fn video(
    reasons: &mut Vec<Reason>,
    source: &MediaInfo,
    result: &EncodedPart,
    recipe: &VideoRecipe,
) {
    if let Some(why) = &result.converted {
        reasons.push(Reason::new(ReasonCode::AnimationAsVideo, why.clone()));
    }
    reasons.push(Reason::new(ReasonCode::EncodingChosen, video_words(recipe)));
    if let Task::Video(task) = &result.task {
        let video = &recipe.video;
        let enough = task.enough(video.codec, video.dimensions, video.rate.per_second());
        if video.bitrate.per_second() + 1.0 > enough {
            let detail = "the source has no more than that";
            reasons.push(Reason::new(ReasonCode::AtCeiling, detail));
        }
        let (rate, before) = (recipe.video.rate.per_second(), task.frame_rate);
        if before > rate * 1.05 {
            let detail = format!("{} → {} fps", figure(before), figure(rate));
            reasons.push(Reason::new(ReasonCode::FrameRateReduced, detail));
        }
        let largest = task.largest(recipe.video.codec);
        if let Some(largest) = largest.filter(|l| recipe.video.dimensions.pixels() < l.pixels()) {
            reasons.push(Reason::new(
                ReasonCode::ScaledForBudget,
                format!("{largest} would not look well in {}", result.budget),
            ));
        }
    }
    if let Some(track) = source.audio.as_ref().filter(|_| recipe.audio.is_none()) {
        reasons.push(Reason::new(ReasonCode::AudioLost, track.unreadable.clone()));
    }
    speech(reasons, result, recipe.audio.as_ref());
    shortened(reasons, source, recipe.keep);
}

fn speech(reasons: &mut Vec<Reason>, result: &EncodedPart, coding: Option<&AudioCoding>) {
    let speech = |codec| matches!(codec, AudioCodec::AmrNb | AudioCodec::AmrWb);
    let (music, other) = match &result.task {
        Task::Audio(task) => (task.music, task.choices.iter().any(|c| !speech(c.codec))),
        Task::Video(task) => {
            let mut audio = task.choices.iter().flat_map(|choice| &choice.audio);
            (task.music, audio.any(|codec| !speech(*codec)))
        }
        Task::Image(_) => (false, false),
    };
    if music && coding.is_some_and(|coding| speech(coding.codec)) {
        let detail = match other {
            true => format!("no better codec fits into {}", result.budget),
            false => "the device has no other".to_owned(),
        };
        reasons.push(Reason::new(ReasonCode::MusicAsSpeech, detail));
    }
}

fn shortened(reasons: &mut Vec<Reason>, source: &MediaInfo, keep: Option<Millis>) {
    let Some(keep) = keep.filter(|keep| *keep < source.duration) else { return };
    reasons.push(Reason::new(
        ReasonCode::Shortened,
        format!("{:.1} of {:.1} s", keep.seconds(), source.duration.seconds()),
    ));
}

/// `176x144 at 10 fps, H.263 46 kbit/s + AMR-NB 5.9 kbit/s`
fn video_words(recipe: &VideoRecipe) -> String {
    let video = &recipe.video;
    let codec = match video.codec {
        VideoCodec::H263 => "H.263",
        VideoCodec::Mpeg4 => "MPEG-4",
        VideoCodec::H264 => "H.264",
    };
    let rate = figure(video.rate.per_second());
    let kilo = video.bitrate.kilo();
    let mut words = format!("{} at {rate} fps, {codec} {kilo:.0} kbit/s", video.dimensions);
    if let Some(audio) = &recipe.audio {
        words.push_str(" + ");
        words.push_str(&audio_words(audio));
    }
    words
}

/// `AAC 32 kbit/s stereo`
fn audio_words(coding: &AudioCoding) -> String {
    let codec = match coding.codec {
        AudioCodec::AmrNb => "AMR-NB",
        AudioCodec::AmrWb => "AMR-WB",
        AudioCodec::Aac => "AAC",
        AudioCodec::Mp3 => "MP3",
    };
    let stereo = if coding.channels == 2 { " stereo" } else { "" };
    format!("{codec} {} kbit/s{stereo}", figure(coding.bitrate.kilo()))
}

/// At most two decimals, none where they say nothing.
fn figure(value: f64) -> String {
    let text = format!("{value:.2}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    text.to_owned()
}
