//! How sound is coded at a bitrate: channels and sample rate follow from it.

use crate::model::{AudioCodec, AudioCoding};

/// Sample rates that AAC and MP3 are written at (ISO/IEC 14496-3 table 1.18, as far as handsets
/// go).
const LEGAL: [u32; 9] = [8_000, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000];
/// Bitrates of MP3 that are legal at the sample rates used here (ISO/IEC 11172-3 and 13818-3,
/// layer III).
const MP3: [u32; 11] =
    [16_000, 24_000, 32_000, 40_000, 48_000, 56_000, 64_000, 80_000, 96_000, 112_000, 128_000];
/// Below this a second channel costs more than it gives: AAC-LC in stereo needs some 20 kbit/s a
/// channel before both sound fair (fit-to-size.md §6; unmeasured).
const STEREO_FROM: u32 = 40_000;
/// Below these AAC-LC is no use.
pub const AAC_FLOOR: u32 = 12_000;
/// Likewise for MP3, whose long frames starve first.
pub const MP3_FLOOR: u32 = 24_000;
/// More is of no use in a message: transparent to nearly everybody.
const CEILING: (u32, u32) = (64_000, 128_000);

/// The sound as it came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sound {
    /// Samples per second and channel; 0 where unknown.
    pub sample_rate: u32,
    /// Channels; 0 where unknown.
    pub channels: u32,
    /// More than speech.
    pub music: bool,
    /// Bits per second of AAC or MP3 that hold all that the source has; see [`super::enough_sound`].
    pub enough: u32,
}

impl Sound {
    fn rate(self) -> u32 {
        if self.sample_rate == 0 { 44_100 } else { self.sample_rate }
    }

    /// Whether a wide-band codec has anything to gain.
    pub fn wide(self) -> bool {
        self.rate() > 8_000
    }
}

/// AAC or MP3 at a bitrate; AMR at one of its modes.
pub fn coding(codec: AudioCodec, bitrate: u32, sound: Sound) -> AudioCoding {
    let fixed = |sample_rate| AudioCoding { codec, bitrate, sample_rate, channels: 1 };
    match codec {
        AudioCodec::AmrNb => fixed(8_000),
        AudioCodec::AmrWb => fixed(16_000),
        AudioCodec::Aac | AudioCodec::Mp3 => {
            let channels = if sound.channels >= 2 && bitrate >= STEREO_FROM { 2 } else { 1 };
            AudioCoding {
                codec,
                bitrate,
                sample_rate: sample_rate(codec, bitrate, sound),
                channels,
            }
        }
    }
}

/// The sample rate that suits a bitrate: bandwidth that cannot be coded well is better left out.
/// Never above the source (but MP3 has no standard rates below 16 kHz).
fn sample_rate(codec: AudioCodec, bitrate: u32, sound: Sound) -> u32 {
    let source = sound.rate();
    let cd = source.is_multiple_of(11_025);
    let wanted = match bitrate {
        0..20_000 => 16_000,
        20_000..32_000 if cd => 22_050,
        20_000..32_000 => 24_000,
        32_000..48_000 => 32_000,
        _ if cd => 44_100,
        _ => 48_000,
    };
    let least = if codec == AudioCodec::Mp3 { 16_000 } else { LEGAL[0] };
    let under = LEGAL.iter().rev().find(|rate| **rate <= wanted.min(source));
    (*under.unwrap_or(&LEGAL[0])).max(least)
}

/// The highest bitrate that is of use.
pub fn most(codec: AudioCodec, sound: Sound) -> u32 {
    match super::files::modes(codec) {
        Some(modes) => modes.last().map_or(0, |mode| mode.0),
        None => {
            let ceiling = if sound.channels >= 2 { CEILING.1 } else { CEILING.0 };
            // Three bits a sample are all that a narrow band can use.
            let channels = if sound.channels >= 2 { 2 } else { 1 };
            let band = sound.rate().saturating_mul(3 * channels);
            ceiling.min(band).min(sound.enough).max(AAC_FLOOR)
        }
    }
}

/// The lowest bitrate that is of use.
pub fn fewest(codec: AudioCodec) -> u32 {
    match codec {
        AudioCodec::Aac => AAC_FLOOR,
        AudioCodec::Mp3 => MP3_FLOOR,
        _ => super::files::modes(codec).and_then(|m| m.first()).map_or(0, |mode| mode.0),
    }
}

/// The lowest bitrate of a codec that is of use and not below `floor`; its highest where that is.
pub fn lowest(codec: AudioCodec, floor: u32, sound: Sound) -> u32 {
    let least = fewest(codec).max(floor);
    let most = most(codec, sound);
    let legal: &[u32] = if codec == AudioCodec::Mp3 { &MP3 } else { &[] };
    let modes = super::files::modes(codec).unwrap_or(&[]).iter().map(|mode| mode.0);
    let steps = legal.iter().copied().chain(modes);
    let stepped = steps.filter(|n| (least..=most).contains(n)).min();
    match codec {
        AudioCodec::Aac => least.min(most),
        _ => stepped.unwrap_or_else(|| fewest(codec).max(most)),
    }
}

/// The highest bitrate of a codec that is at most `limit`; `None` below its lowest.
pub fn at_most(codec: AudioCodec, limit: f64, sound: Sound) -> Option<u32> {
    let most = most(codec, sound);
    let under =
        |list: &mut dyn Iterator<Item = u32>| list.filter(|n| f64::from(*n) <= limit).last();
    match codec {
        AudioCodec::Aac => {
            let bitrate = limit.min(f64::from(most)).max(0.0) as u32 / 100 * 100;
            (bitrate >= AAC_FLOOR).then_some(bitrate)
        }
        AudioCodec::Mp3 => {
            under(&mut MP3.into_iter().filter(|n| (MP3_FLOOR..=most.max(MP3_FLOOR)).contains(n)))
        }
        AudioCodec::AmrNb | AudioCodec::AmrWb => {
            under(&mut super::files::modes(codec).unwrap_or(&[]).iter().map(|mode| mode.0))
        }
    }
}
