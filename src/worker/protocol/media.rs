//! The words of `model` and `codec` on the wire.

use std::time::Duration;

use bytes::Bytes as Buffer;

use super::wire::{Garbled, Wire, choices, garbled, structs, variants};
use crate::{
    codec::{CodecError, ContentFacts, DecodeLimits, OpenHint, Reference, Verified},
    model::{
        AudioCodec, AudioCoding, AudioRecipe, AudioTrack, BitRate, Bytes, Chroma, Container,
        Dimensions, Effort, FrameRate, ImageCoding, ImageRecipe, MediaInfo, MediaKind, MediaType,
        Millis, Orientation, Quality, Recipe, RemuxRecipe, Rgb, SampleRate, StopCause, VideoCodec,
        VideoCoding, VideoRecipe, VideoTrack,
    },
};

structs! {
    DecodeLimits { max_pixels, max_total_pixels, max_frames, max_memory, max_duration }
    OpenHint { largest, animation, effort }
    ContentFacts { distinct_colors, transparent, gray, graphic, music }
    Reference { dimensions, luma, background }
    Verified { info, quality }
    VideoTrack { codec, profile, frame_rate, bitrate }
    AudioTrack { codec, profile, sample_rate, channels, bitrate, unreadable }
    MediaInfo {
        kind, media_type, codec, bytes, dimensions, frames, duration, bitrate, video, audio,
        orientation, has_alpha, gray, exotic_color, has_metadata, truncated,
    }
    ImageRecipe { dimensions, coding, background }
    AudioCoding { codec, bitrate, sample_rate, channels }
    AudioRecipe { container, coding, keep }
    VideoCoding { codec, bitrate, dimensions, rate }
    VideoRecipe { container, video, audio, keep }
    RemuxRecipe { container, video, audio }
}

choices! {
    Effort { 0 => Fast, 1 => Balanced, 2 => Best }
    MediaKind {
        0 => Image, 1 => Audio, 2 => Video, 3 => Text, 4 => Presentation, 5 => Drm, 6 => Other,
    }
    AudioCodec { 0 => AmrNb, 1 => AmrWb, 2 => Aac, 3 => Mp3 }
    VideoCodec { 0 => H263, 1 => Mpeg4, 2 => H264 }
    Container { 0 => Amr, 1 => ThreeGp, 2 => Mp4, 3 => Adts, 4 => Mp3 }
    Chroma { 0 => Quarter, 1 => Full }
    StopCause { 0 => Cancelled, 1 => Deadline }
}

impl Wire for Bytes {
    fn put(&self, out: &mut Vec<u8>) {
        self.get().put(out);
    }
    fn take(from: &mut Buffer) -> Result<Self, Garbled> {
        u64::take(from).map(Self::new)
    }
}

/// In milliseconds.
impl Wire for Duration {
    fn put(&self, out: &mut Vec<u8>) {
        u64::try_from(self.as_millis()).unwrap_or(u64::MAX).put(out);
    }
    fn take(from: &mut Buffer) -> Result<Self, Garbled> {
        u64::take(from).map(Self::from_millis)
    }
}

/// Bare numbers of the unit that their type is in.
macro_rules! units {
    ($($unit:ty),+) => {$(
        impl Wire for $unit {
            fn put(&self, out: &mut Vec<u8>) {
                self.get().put(out);
            }
            fn take(from: &mut Buffer) -> Result<Self, Garbled> {
                u32::take(from).map(Self::new)
            }
        }
    )+};
}
units!(Millis, BitRate, SampleRate);

impl Wire for Dimensions {
    fn put(&self, out: &mut Vec<u8>) {
        self.width().put(out);
        self.height().put(out);
    }
    fn take(from: &mut Buffer) -> Result<Self, Garbled> {
        let (width, height) = (u32::take(from)?, u32::take(from)?);
        Self::new(width, height).map_or_else(|| garbled("a side of no pixels"), Ok)
    }
}

impl Wire for FrameRate {
    fn put(&self, out: &mut Vec<u8>) {
        self.numerator().put(out);
        self.denominator().put(out);
    }
    fn take(from: &mut Buffer) -> Result<Self, Garbled> {
        let (frames, seconds) = (u32::take(from)?, u32::take(from)?);
        Self::new(frames, seconds).map_or_else(|| garbled("a frame rate of nothing"), Ok)
    }
}

impl Wire for Rgb {
    fn put(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self);
    }
    fn take(from: &mut Buffer) -> Result<Self, Garbled> {
        Ok([u8::take(from)?, u8::take(from)?, u8::take(from)?])
    }
}

impl Wire for MediaType {
    fn put(&self, out: &mut Vec<u8>) {
        self.as_str().to_owned().put(out);
    }
    fn take(from: &mut Buffer) -> Result<Self, Garbled> {
        let text = String::take(from)?;
        let valid = text.len() <= 80 && text.bytes().all(|b| b.is_ascii_graphic());
        if valid { Ok(Self::fold(&text)) } else { garbled("a media type is none") }
    }
}

impl Wire for Orientation {
    fn put(&self, out: &mut Vec<u8>) {
        self.exif().put(out);
    }
    fn take(from: &mut Buffer) -> Result<Self, Garbled> {
        u8::take(from).map(|value| Self::from_exif(value.into()))
    }
}

impl Wire for Quality {
    fn put(&self, out: &mut Vec<u8>) {
        self.hundredths().put(out);
    }
    fn take(from: &mut Buffer) -> Result<Self, Garbled> {
        u16::take(from).map(Self::from_hundredths)
    }
}

variants! {
    ImageCoding {
        0 => Jpeg { quality, chroma, trellis },
        1 => Png { colors, dither },
        2 => Gif { colors, frame_step },
        3 => Wbmp,
    }
    Recipe { 0 => Image(recipe), 1 => Audio(recipe), 2 => Video(recipe), 3 => Remux(recipe) }
}

/// The names that [`CodecError`] holds are static; those that a worker may send.
const NAMES: &[&str] = &[
    "3GP",
    "AAC",
    "AIFF",
    "AMR",
    "AMR-NB",
    "AMR-WB",
    "AVI",
    "AVIF",
    "CAF",
    "EVRC",
    "FLAC",
    "GIF",
    "HEIC",
    "HEIF",
    "JPEG",
    "M4A",
    "MKV",
    "MOV",
    "MP3",
    "MP4",
    "MPEG-TS",
    "Matroska",
    "Ogg",
    "Opus",
    "PNG",
    "QCELP",
    "QCP",
    "WAV",
    "WebM",
    "audio",
    "container",
    "duration",
    "frames",
    "media",
    "memory",
    "milliseconds",
    "pixels",
    "stream",
    "total pixels",
    "video",
];

fn name(text: &str) -> &'static str {
    NAMES.iter().find(|name| **name == text).copied().unwrap_or("media")
}

impl Wire for CodecError {
    fn put(&self, out: &mut Vec<u8>) {
        match self {
            Self::Malformed { format, detail } => {
                0u8.put(out);
                (*format).to_owned().put(out);
                detail.put(out);
            }
            Self::Unsupported { format, detail } => {
                1u8.put(out);
                (*format).to_owned().put(out);
                detail.put(out);
            }
            Self::Limit { what, found, limit } => {
                2u8.put(out);
                (*what).to_owned().put(out);
                found.put(out);
                limit.put(out);
            }
            Self::Stopped(cause) => {
                3u8.put(out);
                cause.put(out);
            }
            Self::Internal(text) => {
                4u8.put(out);
                text.put(out);
            }
            Self::Poison(text) => {
                5u8.put(out);
                text.put(out);
            }
            Self::Unavailable(text) => {
                6u8.put(out);
                text.put(out);
            }
        }
    }
    fn take(from: &mut Buffer) -> Result<Self, Garbled> {
        let text = |from: &mut Buffer| String::take(from).map(|text| printable(&text));
        Ok(match u8::take(from)? {
            0 => Self::Malformed { format: name(&text(from)?), detail: text(from)? },
            1 => Self::Unsupported { format: name(&text(from)?), detail: text(from)? },
            2 => Self::Limit {
                what: name(&text(from)?),
                found: Wire::take(from)?,
                limit: Wire::take(from)?,
            },
            3 => Self::Stopped(Wire::take(from)?),
            4 => Self::Internal(text(from)?),
            5 => Self::Poison(text(from)?),
            6 => Self::Unavailable(text(from)?),
            other => return garbled(format!("no error {other}")),
        })
    }
}

/// A worker's words go into logs and reports: one line, no control characters, not long.
fn printable(text: &str) -> String {
    text.chars().take(300).map(|c| if c.is_control() { ' ' } else { c }).collect()
}
