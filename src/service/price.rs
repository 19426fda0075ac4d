//! What a planned message will cost: CPU time and memory, before a pixel is decoded.
//!
//! A linear model for each medium, its constants fitted to what Adapt paid over the corpus of real
//! files (`cargo test --test suite foretold::`, which prints both): good for admission, where what
//! counts is that a clip is a thousand texts and not ten.

use crate::{
    model::{AudioCodec, Bytes, Dimensions, MediaInfo, VideoChoice},
    pipeline::Prepared,
    plan::{AudioTarget, ImageTarget, PartFacts, Target, VideoTarget},
};

/// CPU milliseconds and bytes held at once.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Price {
    pub cpu_ms: f64,
    pub memory: Bytes,
}

/// Of a prepared message. Its parts may all be at work at once.
pub(super) fn of(prepared: &Prepared) -> Price {
    let parts = prepared.plan().parts().iter().zip(prepared.facts());
    parts.fold(Price::default(), |sum, (part, facts)| {
        let price = part.target.as_ref().map_or_else(
            || Price { cpu_ms: 0.0, memory: facts.info.bytes },
            |target| of_part(facts, target),
        );
        Price { cpu_ms: sum.cpu_ms + price.cpu_ms, memory: sum.memory + price.memory }
    })
}

fn of_part(facts: &PartFacts, target: &Target) -> Price {
    match target {
        Target::Image(target) => picture(&facts.info, target),
        Target::Audio(target) => sound(&facts.info, target),
        Target::Video(target) => clip(&facts.info, target),
    }
}

fn megapixels(dimensions: Dimensions) -> f64 {
    dimensions.pixels() as f64 / 1e6
}

/// What a picture costs: milliseconds fixed, for a megabyte and a megapixel of the source, and for
/// a megapixel of the output (scaled, measured, encoded, checked). Fitted 2026-11-29, in the build
/// that tests run: 10th to 90th percentile of price to cost 0.75 to 1.2 for JPEG, 0.6 to 1.3 for
/// AVIF and HEIC.
fn per_picture(media_type: &str) -> [f64; 4] {
    match media_type {
        "image/jpeg" => [1.0, 32.0, 5.0, 116.0],
        "image/png" => [4.0, 35.0, 38.0, 20.0],
        "image/webp" => [1.0, 20.0, 40.0, 65.0],
        "image/heic" => [3.0, 46.0, 47.0, 78.0],
        "image/avif" => [3.0, 227.0, 62.0, 21.0],
        _ => [3.0, 8.0, 19.0, 20.0],
    }
}

/// For each megapixel of all frames of an animation: decoded, fitted as a GIF, perhaps as a clip.
const MOVING_MS: f64 = 200.0;

fn picture(info: &MediaInfo, target: &ImageTarget) -> Price {
    let Some(source) = info.dimensions else { return Price::default() };
    let out = megapixels(source.shrunk_into(target.bounds));
    let [fixed, per_byte, per_source, per_output] = per_picture(info.media_type.as_str());
    let frames = f64::from(info.frames.max(1));
    let moving = target.animate && frames > 1.0;
    let cpu_ms = fixed
        + info.bytes.get() as f64 / 1e6 * per_byte
        + if moving {
            megapixels(source) * frames * MOVING_MS
        } else {
            megapixels(source) * per_source + out * per_output
        };
    // Four bytes a pixel decoded, and planes and copies of the output; all frames of an animation.
    let frames = if moving { frames } else { 1.0 };
    let held = source.pixels() as f64 * 4.0 * frames.min(2.0) + out * frames * 24e6;
    Price { cpu_ms, memory: Bytes::new(held as u64) + info.bytes + info.bytes }
}

/// A job's process, started, confined and ended, and a second one for the check of its result.
const JOBS_MS: f64 = 18.0;
const JOB_BYTES: Bytes = Bytes::new(48 << 20);
/// For a thousand samples of the source, to be decoded and encoded as AAC or MP3; and for a second
/// of speech in AMR.
const MUSIC_MS: f64 = 0.65;
const SPEECH_MS: f64 = 4.0;

fn sound_ms(info: &MediaInfo, music: bool) -> f64 {
    let seconds = f64::from(info.duration_ms) / 1e3;
    let samples = info.audio.as_ref().map_or(44.1, |track| {
        let rate = f64::from(track.sample_rate.clamp(8_000, 48_000)) / 1e3;
        rate * f64::from(track.channels.clamp(1, 2))
    });
    seconds * if music { samples * MUSIC_MS } else { SPEECH_MS + samples * 0.1 }
}

fn sound(info: &MediaInfo, target: &AudioTarget) -> Price {
    let best = target.choices.first().map(|choice| choice.codec);
    let music = !matches!(best, Some(AudioCodec::AmrNb | AudioCodec::AmrWb));
    let seconds = f64::from(info.duration_ms) / 1e3;
    // Two channels of 48 kHz as 32-bit floats, here and in the job.
    let held = seconds * 48_000.0 * 2.0 * 8.0;
    let memory = JOB_BYTES + Bytes::new(held as u64) + info.bytes + info.bytes;
    Price { cpu_ms: JOBS_MS + sound_ms(info, music), memory }
}

/// Of a clip: fixed; for a megapixel of its frame (both codecs fill their queues of frames); for
/// each megapixel decoded, and each encoded. 0.6 to 1.9 times the cost (10th to 90th percentile).
const CLIP: [f64; 4] = [68.0, 236.0, 0.4, 33.0];

fn clip(info: &MediaInfo, target: &VideoTarget) -> Price {
    let Some(source) = info.dimensions else { return Price::default() };
    let seconds = f64::from(info.duration_ms) / 1e3;
    let rate = info.video.as_ref().map_or(15.0, |track| track.frame_rate.clamp(1.0, 60.0));
    let best = target.choices.first();
    let shown = |choice: &VideoChoice| source.shrunk_into(choice.support.max_dimensions);
    let out = best.map_or(0.0, |choice| megapixels(shown(choice)));
    let out_rate = best.map_or(rate, |choice| rate.min(f64::from(choice.support.max_frame_rate)));
    let [fixed, per_frame, per_source, per_output] = CLIP;
    let pictures = fixed
        + megapixels(source) * (per_frame + seconds * rate * per_source)
        + seconds * out_rate * out * per_output;
    let sound = if info.audio.is_some() { sound_ms(info, true) } else { 0.0 };
    // Reference frames of both codecs at 1.5 bytes a pixel, and the look-ahead.
    let held = source.pixels() as f64 * 30.0 + out * 60e6;
    let memory = JOB_BYTES + Bytes::new(held as u64) + info.bytes + info.bytes;
    Price { cpu_ms: pictures + sound, memory }
}
