//! Quality of video: the bits that frames of a size and rate need to look fair, and those beyond
//! which nothing is gained.
//!
//! After fit-to-size.md §7. Each row says how slow videos of its size may get, and how many bits a
//! pixel and frame they need to look fair. The figures are the lower ends of the bands given there,
//! divided by pixels and rate; bands and figures are priors, not yet measured.

use crate::model::{BitRate, Dimensions, VideoCodec};

/// One row.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Band {
    /// For frames of at most this many pixels.
    pub pixels: u64,
    /// The slowest frame rate.
    pub slowest: f64,
    /// Bits per pixel and frame: H.264 baseline.
    pub h264: f64,
    /// Bits per pixel and frame: H.263, and MPEG-4 less a tenth.
    pub h263: f64,
}

/// The table, the smallest frame first.
///
/// | up to | slowest | H.264 | H.263 |
/// |---|---|---|---|
/// | 128×96 | 7.5 fps | 12 kbit/s | 20 kbit/s |
/// | 176×144 | 7.5 (10) | 19 (25) | 30 (41) |
/// | 320×240 | 10 | 75 | 131 |
/// | 352×288 | 10 | 99 | 172 |
/// | 640×480 | 12 | 350 | 627 |
/// | beyond | 15 | 0.08 bit | 0.16 bit |
const BANDS: [Band; 6] = [
    Band { pixels: 128 * 96, slowest: 7.4, h264: 0.13, h263: 0.22 },
    Band { pixels: 176 * 144, slowest: 7.4, h264: 0.10, h263: 0.16 },
    Band { pixels: 320 * 240, slowest: 9.9, h264: 0.098, h263: 0.17 },
    Band { pixels: 352 * 288, slowest: 9.9, h264: 0.098, h263: 0.17 },
    Band { pixels: 640 * 480, slowest: 11.9, h264: 0.095, h263: 0.17 },
    Band { pixels: u64::MAX, slowest: 14.9, h264: 0.08, h263: 0.16 },
];

/// On the last place of its ladder a video may look this much worse than fair before it falls back.
pub const STARVED: f64 = 0.6;
/// Beyond these bits per pixel and frame more bytes show no difference: H.264, H.263 and MPEG-4.
const USEFUL: (f64, f64) = (0.25, 0.4);
/// What a fair quality takes, to weigh videos against images.
const FAIR: (f64, f64) = (0.15, 0.25);

/// Above this rate a frame is mostly what the one before was; below, ever more of it is new, until
/// each is an image of its own, as of slides, which takes this many times the bits. Priors.
const CHANGING_BELOW: f64 = 5.0;
const WHOLE_IMAGE: f64 = 6.0;

/// What a frame takes at a rate, over what one of a running video takes.
pub fn newness(rate: f64) -> f64 {
    (CHANGING_BELOW / rate.max(0.01)).clamp(1.0, WHOLE_IMAGE)
}

/// The row for a frame.
pub fn band(dimensions: Dimensions) -> Band {
    let found = BANDS.iter().find(|band| dimensions.pixels() <= band.pixels);
    *found.unwrap_or(&BANDS[BANDS.len() - 1])
}

/// Bits per pixel and frame for a fair look.
pub fn fair_bits(codec: VideoCodec, dimensions: Dimensions) -> f64 {
    let band = band(dimensions);
    match codec {
        VideoCodec::H264 => band.h264,
        VideoCodec::H263 => band.h263,
        VideoCodec::Mpeg4 => band.h263 * 0.9,
    }
}

/// The bitrate beyond which nothing is gained.
pub fn max_bitrate(codec: VideoCodec, dimensions: Dimensions, rate: f64) -> f64 {
    let bits = if codec == VideoCodec::H264 { USEFUL.0 } else { USEFUL.1 };
    bits * dimensions.pixels() as f64 * rate * newness(rate)
}

/// The bitrate at which videos are weighed against other media.
pub fn fair_bitrate(codec: VideoCodec, dimensions: Dimensions, rate: f64) -> f64 {
    let bits = if codec == VideoCodec::H264 { FAIR.0 } else { FAIR.1 };
    bits * dimensions.pixels() as f64 * rate * newness(rate)
}

/// The most frames per second that are counted of a fast source.
const MAX_WEIGHED_RATE: f64 = 15.0;
/// Where a source does not state its rate.
const UNKNOWN_RATE: f64 = 15.0;
/// Bits a second of the audio in a video, at a fair quality.
const AUDIO_BITRATE: f64 = 12_200.0;
/// A video counts this much more than an image (fit-to-size.md §5).
pub const WEIGHT: f64 = 1.5;

/// A video as it would be written.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct VideoOutput {
    /// How it is coded.
    pub codec: VideoCodec,
    /// Of its frames.
    pub dimensions: Dimensions,
    /// Frames a second; 0 where unknown.
    pub rate: f64,
    /// The most that the device takes.
    pub max_bitrate: BitRate,
    /// It has audio.
    pub audio: bool,
}

/// Bytes of this many seconds of a video at a fair quality, weighted.
pub fn fair_bytes(video: VideoOutput, seconds: f64) -> f64 {
    let rate = if video.rate > 0.0 { video.rate } else { UNKNOWN_RATE };
    let bits = fair_bitrate(video.codec, video.dimensions, rate.min(MAX_WEIGHED_RATE));
    let audio = if video.audio { AUDIO_BITRATE } else { 0.0 };
    (bits.min(video.max_bitrate.per_second()) + audio) / 8.0 * seconds * WEIGHT
}
