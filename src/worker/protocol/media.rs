//! The words of `model` and `codec` on the wire.

use std::time::Duration;

use bytes::Bytes as Buffer;

use super::wire::{Garbled, Wire, choices, garbled, structs, variants};
use crate::{
    codec::{CodecError, ContentFacts, DecodeLimits, OpenHint, Reference, Verified},
    model::{
        AudioCodec, AudioCoding, AudioRecipe, AudioTrack, BitRate, Bytes, Chroma, Container,
        Dimensions, Effort, FrameRate, ImageCoding, ImageRecipe, MediaInfo, MediaKind, MediaType,
        Millis, Orientation, Quality, Recipe, RemuxRecipe, SampleRate, StopCause, VideoCodec,
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

/// What is told as something simpler: how it becomes that, and what becomes of that, if it can.
macro_rules! told {
    ($($value:ty, as $form:ty: $to:expr, $from:expr;)+) => {$(
        impl Wire for $value {
            fn put(&self, out: &mut Vec<u8>) {
                let to: fn(&Self) -> $form = $to;
                to(self).put(out);
            }
            fn take(from: &mut Buffer) -> Result<Self, Garbled> {
                let back: fn($form) -> Option<Self> = $from;
                back(Wire::take(from)?)
                    .map_or_else(|| garbled(concat!("no ", stringify!($value))), Ok)
            }
        }
    )+};
}
told! {
    Bytes, as u64: |size| size.get(), |number| Some(Self::new(number));
    Millis, as u32: |time| time.get(), |number| Some(Self::new(number));
    BitRate, as u32: |rate| rate.get(), |number| Some(Self::new(number));
    SampleRate, as u32: |rate| rate.get(), |number| Some(Self::new(number));
    Quality, as u16: |quality| quality.hundredths(), |number| Some(Self::from_hundredths(number));
    Orientation, as u8: |value| value.exif(), |value| Some(Self::from_exif(value.into()));
    Duration, as u64: milliseconds, |number| Some(Self::from_millis(number));
    Dimensions, as [u32; 2]: |of| [of.width(), of.height()], |[w, h]| Self::new(w, h);
    FrameRate, as [u32; 2]: |of| [of.numerator(), of.denominator()], |[n, d]| Self::new(n, d);
    MediaType, as String: |media_type| media_type.as_str().to_owned(), media_type;
}

fn milliseconds(time: &Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

fn media_type(text: String) -> Option<MediaType> {
    let valid = text.len() <= 80 && text.bytes().all(|b| b.is_ascii_graphic());
    valid.then(|| MediaType::fold(&text))
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
