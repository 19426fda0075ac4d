//! Recipes of audio and video: each says all that an encoder must know.

use serde::Serialize;

use super::{BitRate, Dimensions, MediaType, Millis, SampleRate};

/// Audio codecs that are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub enum AudioCodec {
    /// AMR narrow band, 8 kHz mono, 20 ms frames (3GPP TS 26.071).
    #[serde(rename = "amr_nb")]
    AmrNb,
    /// AMR wide band, 16 kHz mono, 20 ms frames (3GPP TS 26.171).
    #[serde(rename = "amr_wb")]
    AmrWb,
    /// AAC low complexity.
    #[serde(rename = "aac")]
    Aac,
    /// MPEG-1/2 layer III.
    #[serde(rename = "mp3")]
    Mp3,
}

impl AudioCodec {
    /// As ffprobe names it.
    pub fn name(self) -> &'static str {
        match self {
            Self::AmrNb => "amr_nb",
            Self::AmrWb => "amr_wb",
            Self::Aac => "aac",
            Self::Mp3 => "mp3",
        }
    }
}

/// How audio is coded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct AudioCoding {
    /// The codec.
    pub codec: AudioCodec,
    /// The rate of the coded audio. For AMR exactly that of a mode.
    pub bitrate: BitRate,
    /// Samples per second and channel.
    pub sample_rate: SampleRate,
    /// 1 or 2.
    pub channels: u8,
}

/// Video codecs that are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub enum VideoCodec {
    /// H.263 profile 0: five legal sizes.
    #[serde(rename = "h263")]
    H263,
    /// MPEG-4 Visual, simple profile.
    #[serde(rename = "mpeg4")]
    Mpeg4,
    /// H.264, constrained baseline.
    #[serde(rename = "h264")]
    H264,
}

impl VideoCodec {
    /// As ffprobe names it.
    pub fn name(self) -> &'static str {
        match self {
            Self::H263 => "h263",
            Self::Mpeg4 => "mpeg4",
            Self::H264 => "h264",
        }
    }
}

/// Frames per second as a fraction, lowest terms not required; neither side zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
pub struct FrameRate {
    numerator: u32,
    denominator: u32,
}

impl FrameRate {
    /// `None` if a side is zero.
    pub const fn new(numerator: u32, denominator: u32) -> Option<Self> {
        if numerator == 0 || denominator == 0 {
            None
        } else {
            Some(Self { numerator, denominator })
        }
    }

    /// Frames.
    pub const fn numerator(self) -> u32 {
        self.numerator
    }

    /// In that many seconds.
    pub const fn denominator(self) -> u32 {
        self.denominator
    }

    /// Frames per second.
    pub fn per_second(self) -> f64 {
        f64::from(self.numerator) / f64::from(self.denominator)
    }
}

/// How video is coded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct VideoCoding {
    /// The codec.
    pub codec: VideoCodec,
    /// Of the video alone, container apart.
    pub bitrate: BitRate,
    /// Coded size: even sides; for H.263 one of the legal sizes, the frame letterboxed in it.
    pub dimensions: Dimensions,
    /// Constant frame rate of the output.
    pub rate: FrameRate,
}

/// Files that audio and video are written into.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
pub enum Container {
    /// `#!AMR` / `#!AMR-WB` storage format (RFC 4867 clause 5).
    Amr,
    /// 3GP (3GPP TS 26.244).
    ThreeGp,
    /// MP4 (ISO/IEC 14496-14).
    Mp4,
    /// AAC frames with ADTS headers.
    Adts,
    /// MPEG audio frames.
    Mp3,
}

/// How to write an audio file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct AudioRecipe {
    /// The file.
    pub container: Container,
    /// The coding.
    pub coding: AudioCoding,
    /// Longer audio files are cut here, with a fade; `None`: whole.
    pub keep: Option<Millis>,
}

/// How to write video.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct VideoRecipe {
    /// The file.
    pub container: Container,
    /// The video track.
    pub video: VideoCoding,
    /// The audio, if any.
    pub audio: Option<AudioCoding>,
    /// Longer videos are cut here; `None`: whole.
    pub keep: Option<Millis>,
}

/// How to move coded tracks into another file without re-encoding them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RemuxRecipe {
    /// The file.
    pub container: Container,
    /// Video, or audio alone.
    pub video: bool,
    /// The sample format of the audio, for its type: AMR files are of two types.
    pub audio: Option<AudioCodec>,
}

/// The media type of a file of audio alone.
pub(super) fn audio_type(container: Container, codec: AudioCodec) -> MediaType {
    MediaType::fold(match (container, codec) {
        (Container::Amr, AudioCodec::AmrWb) => "audio/amr-wb",
        (Container::Amr, _) => "audio/amr",
        (Container::ThreeGp, _) => "audio/3gpp",
        (Container::Mp4, _) => "audio/mp4",
        (Container::Adts, _) => "audio/aac",
        (Container::Mp3, _) => "audio/mpeg",
    })
}

/// The media type of a file with video.
pub(super) fn video_type(container: Container) -> MediaType {
    MediaType::fold(match container {
        Container::ThreeGp => "video/3gpp",
        _ => "video/mp4",
    })
}
