//! The numbers of a policy: margins, floors, ceilings and weights.

use std::str::FromStr;

use crate::model::{BitRate, Bytes, Dimensions, MediaKind};

/// The part of a limit that is left free.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Margin {
    bytes: u64,
    /// Of the limit.
    share: f64,
}

impl Margin {
    /// The limit less the margin.
    pub fn within(self, limit: Bytes) -> Bytes {
        let share = (limit.get() as f64 * self.share).ceil() as u64;
        limit.saturating_sub(Bytes::new(share.saturating_add(self.bytes)))
    }
}

impl FromStr for Margin {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let Some(percent) = text.strip_suffix('%') else {
            let bytes: Bytes = text.parse().map_err(|error| format!("{error}"))?;
            return Ok(Self { bytes: bytes.get(), share: 0.0 });
        };
        let percent: f64 = percent.trim().parse().map_err(|_| "is not a percentage".to_owned())?;
        let valid = (0.0..=50.0).contains(&percent);
        valid
            .then_some(Self { bytes: 0, share: percent / 100.0 })
            .ok_or_else(|| "is not between 0 % and 50 %".to_owned())
    }
}

/// Below these, a medium is too degraded: the next step of its ladder is taken instead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Floors {
    /// The longer side of images, in pixels, unless the original is smaller.
    pub image_side: u32,
    /// The quality setting of JPEG, of 100.
    pub image_quality: u32,
    /// The bit rate of audio, as far as its codec goes.
    pub audio_bitrate: BitRate,
    /// The longer side of videos, in pixels, unless the original is smaller.
    pub video_side: u32,
    /// Frames per second of videos, unless the original has fewer.
    pub video_frame_rate: u32,
}

impl Default for Floors {
    /// The least that the engine considers worth sending.
    fn default() -> Self {
        Self {
            image_side: 32,
            image_quality: 12,
            audio_bitrate: BitRate::ZERO,
            video_side: 128,
            video_frame_rate: 5,
        }
    }
}

/// Above these, more bytes bring no gain: a limit is not a target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ceilings {
    /// The quality setting of JPEG, of 100.
    pub image_quality: u32,
}

/// Images of at most this many pixels are looked at more closely.
const TINY: u64 = 240 * 180;

impl Ceilings {
    /// The quality setting for an image of this size. Of what a tiny one lacks to perfection, two
    /// thirds are seen: at 160×120 the mean of 16 photos is at 84.7 of SSIMULACRA2 at 97, at 87.0 at
    /// 98 and at 90.2 at 99; at 320×240 it is at 91.2 at 97 (2026-11-29, `make quality`).
    pub fn image_quality_at(&self, size: Dimensions) -> u32 {
        let lacking = 100u32.saturating_sub(self.image_quality);
        if size.pixels() <= TINY { 100 - lacking / 3 } else { self.image_quality }
    }
}

impl Default for Ceilings {
    /// Visually lossless: at 97 each of 12 photos at 640×480 is at 90 of SSIMULACRA2 or above, at 96
    /// the least is at 88.7, at 94 at 86.0 (2026-11-29).
    fn default() -> Self {
        Self { image_quality: 97 }
    }
}

/// The weight of each kind of media when several share a limit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Weights {
    /// Of images.
    pub image: f64,
    /// Of audio.
    pub audio: f64,
    /// Of videos.
    pub video: f64,
}

impl Default for Weights {
    fn default() -> Self {
        Self { image: 1.0, audio: 1.0, video: 1.0 }
    }
}

impl Weights {
    /// The weight of a kind.
    pub fn of(&self, kind: MediaKind) -> f64 {
        match kind {
            MediaKind::Audio => self.audio,
            MediaKind::Video => self.video,
            _ => self.image,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn margins_are_bytes_or_shares() {
        let of = |text: &str| text.parse::<Margin>().unwrap().within(Bytes::new(300_000)).get();
        assert_eq!((of("1k"), of("2%"), of("0"), of("1M")), (299_000, 294_000, 300_000, 0));
    }
}
