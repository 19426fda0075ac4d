//! What a source still holds: bits beyond those that write it down again are padding.
//!
//! The figures are orders of magnitude from published comparisons of the codecs (for audio the
//! ITU-R BS.1534 tests named in fit-to-size.md §6), with some more for coding twice; not measured
//! here.

use crate::model::{BitRate, Dimensions, VideoCodec};

/// The factor that coding a second time costs.
const CODED_TWICE: f64 = 1.3;
/// d ln bits / d ln (pixels × frames): smaller images take more bits for each pixel.
const PIXEL_RATE_EXPONENT: f64 = 0.75;

/// The rate of AAC-LC or MP3 that loses next to nothing of what audio of `codec` (as
/// ffprobe names it) at `bitrate` still has; no bound for sources without loss or of unknown rate.
pub fn enough_audio(codec: &str, profile: &str, bitrate: BitRate) -> BitRate {
    let factor = match codec {
        "opus" | "amr_nb" | "amr_wb" | "amrnb" | "amrwb" | "evrc" | "qcelp" | "speex" => 2.0,
        "aac" if profile.contains("HE") => 2.0,
        "aac" | "mp3" | "mp2" | "vorbis" | "wmav2" => 1.25,
        _ => return BitRate::MAX,
    };
    if bitrate.is_zero() {
        BitRate::MAX
    } else {
        BitRate::new((bitrate.per_second() * factor) as u32)
    }
}

/// Bits that a codec of images, as ffprobe names it, takes for the look of one bit of H.264
/// baseline; 0 where that is not known.
pub fn codec_bits(codec: &str) -> f32 {
    match codec {
        "av1" => 0.5,
        "hevc" => 0.55,
        "vp9" => 0.6,
        "h264" => 0.85,
        "vp8" => 0.95,
        "theora" => 1.4,
        "mpeg4" => 1.6,
        "h263" => 1.8,
        _ => 0.0,
    }
}

/// A video as it came.
#[derive(Clone, Copy, Debug)]
pub struct VideoSource {
    /// What its codec takes, see [`codec_bits`].
    pub bits: f32,
    /// Of its video track; 0 where unknown.
    pub bitrate: BitRate,
    /// Of its frames.
    pub dimensions: Dimensions,
    /// Frames per second.
    pub rate: f64,
}

/// Bits per second of `target` at `shown` and `rate` that lose next to nothing of what `source`
/// still has; infinite where that is not known.
pub fn enough_video(source: VideoSource, target: VideoCodec, shown: Dimensions, rate: f64) -> f64 {
    let ours = match target {
        VideoCodec::H264 => 1.0,
        VideoCodec::Mpeg4 => 1.6,
        VideoCodec::H263 => 1.8,
    };
    let (before, after) =
        (source.dimensions.pixels() as f64 * source.rate, shown.pixels() as f64 * rate);
    if source.bitrate.is_zero() || source.bits <= 0.0 || !(before.is_finite() && before > 0.0) {
        return f64::INFINITY;
    }
    let share = (after / before).min(1.0).powf(PIXEL_RATE_EXPONENT);
    source.bitrate.per_second() * ours / f64::from(source.bits) * share * CODED_TWICE
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn better_codecs_and_larger_sources_leave_more() {
        let enough = |codec, rate: u32| enough_audio(codec, "", BitRate::new(rate));
        assert_eq!(enough("opus", 16_000), BitRate::new(32_000));
        assert_eq!(enough("pcm_s16le", 705_600), BitRate::MAX);
        assert_eq!(enough("mp3", 0), BitRate::MAX);
        let d = |text: &str| text.parse::<Dimensions>().unwrap();
        let of = |codec, bitrate, shown: &str| {
            let (bits, bitrate) = (codec_bits(codec), BitRate::new(bitrate));
            let source = VideoSource { bits, bitrate, dimensions: d("1280x720"), rate: 30.0 };
            enough_video(source, VideoCodec::H264, d(shown), 30.0)
        };
        assert!(of("hevc", 500_000, "1280x720") > of("h264", 500_000, "1280x720"));
        assert!(of("h264", 500_000, "640x360") < 500_000.0);
        assert!(of("h264", 0, "640x360").is_infinite() && of("mjpeg", 9, "8x8").is_infinite());
    }
}
