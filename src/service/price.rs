//! What a planned message will cost: CPU time and memory, before a pixel is decoded.
//!
//! A linear model for each medium, its constants fitted to what Adapt paid over the corpus of real
//! files (`cargo test --test suite foretold::` prints both, `tests/tools/fit-price.py` fits): good
//! for admission, where what matters is that a video costs a thousand texts and not ten.

use crate::{
    model::{
        AudioCodec, AudioCoding, Bytes, Dimensions, MediaInfo, MediaType, Recipe, SampleRate,
        VideoCodec,
    },
    pipeline::Prepared,
    plan::{ImageTarget, PartFacts, Target, VideoTarget},
};

/// CPU milliseconds and bytes held at once.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Price {
    pub cpu_ms: f64,
    pub memory: Bytes,
}

/// Of a prepared message, with the recipe that each part would try first where that is known. Its
/// parts may all be at work at once.
pub(super) fn of(prepared: &Prepared, recipes: &[Option<Recipe>]) -> Price {
    let parts = prepared.plan().parts().iter().zip(prepared.facts()).zip(recipes);
    parts.fold(Price::default(), |sum, ((part, facts), recipe)| {
        let price = part.target.as_ref().map_or_else(
            || Price { cpu_ms: 0.0, memory: facts.info.bytes },
            |target| of_part(facts, target, recipe.as_ref()),
        );
        Price { cpu_ms: sum.cpu_ms + price.cpu_ms, memory: sum.memory + price.memory }
    })
}

fn of_part(facts: &PartFacts, target: &Target, recipe: Option<&Recipe>) -> Price {
    match target {
        Target::Image(target) => image(&facts.info, target),
        Target::Audio(_) => audio(&facts.info, recipe),
        Target::Video(target) => video(&facts.info, target, recipe),
    }
}

fn megapixels(dimensions: Dimensions) -> f64 {
    dimensions.pixels() as f64 / 1e6
}

/// What an image costs: milliseconds fixed, for a megabyte and a megapixel of the source, and for
/// a megapixel of the output (scaled, measured, encoded, checked). Fitted 2026-11-29 to 2,366 fits
/// in the build that tests run: 10th to 90th percentile of price to cost 0.64 to 1.5 for JPEG, 0.9
/// to 1.2 for WebP and HEIC.
fn per_image(media_type: &str) -> [f64; 4] {
    match media_type {
        "image/jpeg" => [1.0, 28.0, 0.5, 180.0],
        // Palettes are tried and looked at.
        "image/png" => [3.0, 52.0, 4.0, 330.0],
        "image/webp" => [1.0, 82.0, 56.0, 140.0],
        "image/heic" => [1.0, 116.0, 30.0, 148.0],
        "image/avif" => [2.0, 232.0, 50.0, 32.0],
        _ => [2.0, 15.0, 10.0, 250.0],
    }
}

/// For each megapixel of all frames of an animation: decoded, fitted as a GIF, perhaps as a video.
/// What it becomes is not known before: 0.05 to 2.4 times the cost.
const MOVING_MS: f64 = 36.0;
/// The same for WebP, whose frames are photos.
const MOVING_WEBP_MS: f64 = 450.0;

/// Bytes for each megapixel that is looked at, of one at most: planes of two images at six
/// scales. Measured 2026-11-29: fitting a screenshot of 900×1600 takes 147 MB in all.
const JUDGE: f64 = 120e6;

fn image(info: &MediaInfo, target: &ImageTarget) -> Price {
    let Some(source) = info.dimensions else { return Price::default() };
    let out = megapixels(source.shrunk_into(target.bounds));
    let [fixed, per_byte, per_source, per_output] = per_image(info.media_type.as_str());
    let frames = f64::from(info.frames.max(1));
    let moving = target.animate && frames > 1.0;
    let cpu_ms = fixed
        + info.bytes.get() as f64 / 1e6 * per_byte
        + if moving {
            let webp = info.media_type == MediaType::WEBP;
            megapixels(source) * frames * if webp { MOVING_WEBP_MS } else { MOVING_MS }
        } else {
            megapixels(source) * per_source + out * per_output
        };
    // Four bytes a pixel decoded, and planes and copies of the output; all frames of an animation. Of
    // baseline JPEG a stripe is decoded, as small as the output needs it: measured 2026-11-30 over 10 and
    // 20 photos of 12 megapixels in one message, 22 to 30 MB for each megapixel of the output, and their
    // bytes.
    let frames = if moving { frames } else { 1.0 };
    let photo = [MediaType::JPEG, MediaType::WEBP, MediaType::HEIC, MediaType::AVIF];
    let judged = if moving || photo.contains(&info.media_type) { 0.0 } else { out.min(1.0) };
    let whole = if info.media_type == MediaType::JPEG && info.codec == "baseline" {
        0.0
    } else {
        source.pixels() as f64 * 4.0 * frames.min(2.0)
    };
    let held = whole + out * frames * 26e6 + judged * JUDGE;
    // Those two are read in a process of their own.
    let job = photo[2..].contains(&info.media_type);
    let job = if job { JOB_BYTES } else { Bytes::ZERO };
    Price { cpu_ms, memory: Bytes::new(held as u64) + info.bytes + info.bytes + job }
}

/// A job's process, started, confined and ended, and a second one for the check of its result.
const JOBS_MS: f64 = 5.5;
const JOB_BYTES: Bytes = Bytes::new(48 << 20);
/// For a thousand samples of the source decoded, and of the output encoded as AAC or MP3; for a
/// second of speech in AMR, narrow and wide.
const DECODED_MS: f64 = 0.018;
const MUSIC_MS: f64 = 0.46;
const NARROW_MS: f64 = 3.9;
const WIDE_MS: f64 = 8.3;

/// What audio costs as `coding`; `None`: the most expensive.
fn audio_ms(info: &MediaInfo, coding: Option<&AudioCoding>) -> f64 {
    let seconds = info.duration.seconds();
    let thousands =
        |rate: SampleRate, channels: u32| rate.per_second() / 1e3 * f64::from(channels.clamp(1, 2));
    let source = info
        .audio
        .as_ref()
        .map_or(96.0, |t| thousands(t.sample_rate.min(SampleRate::new(96_000)), t.channels));
    let coded = match coding.map(|coding| (coding.codec, coding)) {
        Some((AudioCodec::AmrNb, _)) => NARROW_MS,
        Some((AudioCodec::AmrWb, _)) => WIDE_MS,
        Some((AudioCodec::Aac | AudioCodec::Mp3, coding)) => {
            thousands(coding.sample_rate, coding.channels.into()) * MUSIC_MS
        }
        None => source.min(96.0) * MUSIC_MS,
    };
    seconds * (source * DECODED_MS + coded)
}

fn audio(info: &MediaInfo, recipe: Option<&Recipe>) -> Price {
    let coding = match recipe {
        Some(Recipe::Audio(recipe)) => Some(recipe.coding),
        _ => None,
    };
    let seconds = info.duration.seconds();
    // Two channels of 48 kHz as 32-bit floats, here and in the job.
    let held = seconds * 48_000.0 * 2.0 * 8.0;
    let memory = JOB_BYTES + Bytes::new(held as u64) + info.bytes + info.bytes;
    let moved = matches!(recipe, Some(Recipe::Remux(_)));
    let cpu_ms = if moved { 0.0 } else { audio_ms(info, coding.as_ref()) };
    Price { cpu_ms: JOBS_MS + cpu_ms, memory }
}

/// The same of a video, written and decoded again.
const VIDEO_MS: f64 = 18.5;
/// For each megapixel of a video's source: decoded, and scaled where it is shown.
const FRAME_IN_MS: f64 = 1.35;
/// For each megapixel encoded, and for one of the frame: x264 fills its queue of frames before it
/// gives one away.
const H264_MS: (f64, f64) = (44.0, 650.0);
/// The same for H.263 and MPEG-4.
const OLDER_MS: (f64, f64) = (12.0, 17.0);

fn video(info: &MediaInfo, target: &VideoTarget, recipe: Option<&Recipe>) -> Price {
    let Some(source) = info.dimensions else { return Price::default() };
    let seconds = info.duration.seconds();
    let rate = info.video.as_ref().map_or(15.0, |track| track.frame_rate.clamp(1.0, 60.0));
    let best = target.choices.first().map(|choice| choice.support);
    let (codec, out, out_rate, audio) = match recipe {
        Some(Recipe::Video(recipe)) => {
            let video = recipe.video;
            let size = megapixels(video.dimensions);
            (Some(video.codec), size, video.rate.per_second(), recipe.audio)
        }
        // As large as the device shows it.
        _ => (
            best.map(|support| support.codec),
            best.map_or(0.0, |support| megapixels(source.shrunk_into(support.max_dimensions))),
            best.map_or(rate, |support| rate.min(f64::from(support.max_frame_rate))),
            None,
        ),
    };
    let moved = matches!(recipe, Some(Recipe::Remux(_)));
    let newer = codec == Some(VideoCodec::H264);
    let (per_output, per_frame) = if newer { H264_MS } else { OLDER_MS };
    let images = megapixels(source) * seconds * rate * FRAME_IN_MS
        + out * (per_frame + seconds * out_rate * per_output);
    let silent = info.audio.is_none() || recipe.is_some() && audio.is_none();
    let audio = if silent { 0.0 } else { audio_ms(info, audio.as_ref()) };
    let cpu_ms = if moved { JOBS_MS } else { VIDEO_MS + images + audio };
    // Reference frames of both codecs at 1.5 bytes a pixel, and the look-ahead.
    let held = source.pixels() as f64 * 30.0 + out * 60e6;
    let memory = JOB_BYTES + Bytes::new(held as u64) + info.bytes + info.bytes;
    Price { cpu_ms, memory }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_baseline_photo_holds_what_its_output_needs_and_others_the_whole_image() {
        let bounds = Dimensions::at_least_one(1024, 768);
        let target = ImageTarget {
            formats: Vec::new(),
            bounds,
            animate: false,
            still: true,
            video: Vec::new(),
        };
        let megabytes = |codec: &str| {
            let mut info = MediaInfo::opaque(MediaType::JPEG, Bytes::new(3_000_000));
            info.dimensions = Some(Dimensions::at_least_one(4032, 3024));
            info.codec = codec.to_owned();
            image(&info, &target).memory.get() as f64 / 1e6
        };
        // In one message of 20 each took 17 MB (`mmsfit adapt` under `/usr/bin/time`), a progressive one 30
        // more than that alone.
        assert!((17.0..35.0).contains(&megabytes("baseline")), "{}", megabytes("baseline"));
        assert!((50.0..100.0).contains(&megabytes("progressive")), "{}", megabytes("progressive"));
    }
}
