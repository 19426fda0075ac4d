//! What is known of a medium without, or after, decoding it.

use serde::Serialize;

use super::{BitRate, Bytes, Dimensions, MediaKind, MediaType, Millis, SampleRate};

/// EXIF orientation (tag 0x0112, JEITA CP-3451 §4.6.4): how stored pixels must be turned.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize)]
pub struct Orientation(u8);

impl Orientation {
    /// As stored.
    pub const NORMAL: Self = Self(1);

    /// Values outside 1…8 mean "as stored".
    pub fn from_exif(value: u32) -> Self {
        match u8::try_from(value) {
            Ok(v @ 1..=8) => Self(v),
            _ => Self::NORMAL,
        }
    }

    /// 1…8.
    pub fn exif(self) -> u8 {
        self.0.max(1)
    }

    /// Whether the pixels are already upright.
    pub fn is_normal(self) -> bool {
        self.0 <= 1
    }

    /// Whether applying it swaps width and height.
    pub fn swaps_sides(self) -> bool {
        self.0 >= 5
    }
}

/// The video of a file.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct VideoTrack {
    /// Codec, as ffprobe names it: `h264`.
    pub codec: String,
    /// Profile in words, `Constrained Baseline`; empty where unknown.
    pub profile: String,
    /// Frames per second on average; 0 where unknown.
    pub frame_rate: f64,
    /// Bits per second; 0 where unknown.
    pub bitrate: BitRate,
}

/// The audio of a file.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AudioTrack {
    /// Codec, as ffprobe names it: `amr_nb`.
    pub codec: String,
    /// Profile in words, `LC`; empty where unknown.
    pub profile: String,
    /// Samples per second and channel.
    pub sample_rate: SampleRate,
    /// Channels.
    pub channels: u32,
    /// Bits per second; 0 where unknown.
    pub bitrate: BitRate,
    /// Why nothing of it can be decoded here; empty where it can.
    #[serde(skip)]
    pub unreadable: String,
}

impl AudioTrack {
    /// Whether it can be decoded here, and so be transcoded.
    pub fn is_readable(&self) -> bool {
        self.unreadable.is_empty()
    }
}

/// What is known of a medium. Dimensions are those that a person sees: orientation applied.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct MediaInfo {
    /// The kind of medium, judged by content.
    pub kind: MediaKind,
    /// The type, judged by content, not by what was declared.
    pub media_type: MediaType,
    /// Codec or variant in a word or two: `baseline`, `progressive`, `apng`, `vp8l`.
    pub codec: String,
    /// Media bytes, without framing.
    pub bytes: Bytes,
    /// Width and height as shown, if the medium has any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dimensions: Option<Dimensions>,
    /// Frames: 1 for a still, 0 where not counted.
    pub frames: u32,
    /// Playing time; 0 where not known or not moving.
    #[serde(rename = "durationMs")]
    pub duration: Millis,
    /// Bits per second of the whole file, for audio and video; 0 where not known.
    pub bitrate: BitRate,
    /// The video, if there is any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub video: Option<VideoTrack>,
    /// The audio, if there is any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub audio: Option<AudioTrack>,
    /// The orientation of the stored pixels.
    #[serde(skip)]
    pub orientation: Orientation,
    /// Whether any pixel may be transparent.
    #[serde(skip)]
    pub has_alpha: bool,
    /// Whether the image has no colour.
    #[serde(skip)]
    pub gray: bool,
    /// Whether the colour model is one that handsets do not show: CMYK, YCCK, 16 bits, Lab.
    #[serde(skip)]
    pub exotic_color: bool,
    /// Whether metadata (EXIF, XMP, IPTC, thumbnails, gain maps, comments) is in the file.
    #[serde(skip)]
    pub has_metadata: bool,
    /// Whether the file ends before its own end.
    #[serde(skip)]
    pub truncated: bool,
}

impl MediaInfo {
    /// Something that is not decoded: only its type and size are known.
    pub fn opaque(media_type: MediaType, bytes: Bytes) -> Self {
        Self {
            kind: media_type.kind(),
            media_type,
            codec: String::new(),
            bytes,
            dimensions: None,
            frames: 0,
            duration: Millis::ZERO,
            bitrate: BitRate::ZERO,
            video: None,
            audio: None,
            orientation: Orientation::NORMAL,
            has_alpha: false,
            gray: false,
            exotic_color: false,
            has_metadata: false,
            truncated: false,
        }
    }

    /// Whether it moves.
    pub fn animated(&self) -> bool {
        self.frames > 1
    }
}

/// Facts about decoded pixels that guide the choice of format. Cheap to compute.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct ContentFacts {
    /// Distinct colours (alpha included), where there are at most 256.
    pub distinct_colors: Option<u16>,
    /// Any pixel is not fully opaque.
    pub transparent: bool,
    /// No pixel has colour.
    pub gray: bool,
    /// Flat areas and hard edges (screenshot, drawing) rather than a photo.
    pub graphic: bool,
    /// Audio that is more than speech, so that a speech codec would spoil it.
    pub music: bool,
}
