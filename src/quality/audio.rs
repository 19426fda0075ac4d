//! Quality of audio: which bitrates are useful, what is fair, and how a bitrate is best spent:
//! channels and sample rate follow from it.

use super::source::enough_audio;
use crate::model::{AudioCodec, AudioCoding, AudioTrack, BitRate, SampleRate};

/// Modes of AMR in bits per second, with bytes a frame of 20 ms, header included (RFC 4867 clause
/// 5.3 on TS 26.101 table 1a), ascending.
pub const AMR_NB: [(BitRate, u32); 8] = table([
    (4_750, 13),
    (5_150, 14),
    (5_900, 16),
    (6_700, 18),
    (7_400, 20),
    (7_950, 21),
    (10_200, 27),
    (12_200, 32),
]);
/// Likewise of AMR-WB (TS 26.201 table 2).
pub const AMR_WB: [(BitRate, u32); 9] = table([
    (6_600, 18),
    (8_850, 24),
    (12_650, 33),
    (14_250, 37),
    (15_850, 41),
    (18_250, 47),
    (19_850, 51),
    (23_050, 59),
    (23_850, 61),
]);

const fn table<const N: usize>(numbers: [(u32, u32); N]) -> [(BitRate, u32); N] {
    let mut modes = [(BitRate::ZERO, 0); N];
    let mut at = 0;
    while at < N {
        modes[at] = (BitRate::new(numbers[at].0), numbers[at].1);
        at += 1;
    }
    modes
}

/// The modes of a codec that has fixed ones.
pub fn modes(codec: AudioCodec) -> Option<&'static [(BitRate, u32)]> {
    match codec {
        AudioCodec::AmrNb => Some(&AMR_NB),
        AudioCodec::AmrWb => Some(&AMR_WB),
        AudioCodec::Aac | AudioCodec::Mp3 => None,
    }
}

/// Sample rates that AAC and MP3 are written at (ISO/IEC 14496-3 table 1.18, as far as handsets
/// go).
const LEGAL: [u32; 9] = [8_000, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000];
/// Bitrates of MP3 that are legal at the sample rates used here (ISO/IEC 11172-3 and 13818-3,
/// layer III).
const MP3: [u32; 11] =
    [16_000, 24_000, 32_000, 40_000, 48_000, 56_000, 64_000, 80_000, 96_000, 112_000, 128_000];
/// Below this a second channel costs more than it gives: AAC-LC in stereo needs some 20 kbit/s a
/// channel before both sound fair (fit-to-size.md §6; unmeasured).
const STEREO_FROM: BitRate = BitRate::new(40_000);
/// Below these AAC-LC is not usable.
pub const AAC_FLOOR: BitRate = BitRate::new(12_000);
/// Likewise for MP3, whose long frames starve first.
pub const MP3_FLOOR: BitRate = BitRate::new(24_000);
/// More gains nothing in a message: transparent to nearly everybody.
const CEILING: (BitRate, BitRate) = (BitRate::new(64_000), BitRate::new(128_000));

/// Audio as it came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AudioSource {
    /// Samples per second and channel; 0 where unknown.
    pub sample_rate: SampleRate,
    /// Channels; 0 where unknown.
    pub channels: u32,
    /// More than speech.
    pub music: bool,
    /// The rate of AAC or MP3 that holds all that the source has; see [`super::source::enough_audio`].
    pub enough: BitRate,
}

impl AudioSource {
    fn rate(self) -> u32 {
        if self.sample_rate.is_zero() { 44_100 } else { self.sample_rate.get() }
    }

    /// Whether a wide-band codec would gain anything.
    pub fn wide(self) -> bool {
        self.rate() > 8_000
    }
}

/// AAC or MP3 at a bitrate; AMR at one of its modes.
pub fn coding(codec: AudioCodec, bitrate: BitRate, source: AudioSource) -> AudioCoding {
    let fixed = |rate| {
        let sample_rate = SampleRate::new(rate);
        AudioCoding { codec, bitrate, sample_rate, channels: 1 }
    };
    match codec {
        AudioCodec::AmrNb => fixed(8_000),
        AudioCodec::AmrWb => fixed(16_000),
        AudioCodec::Aac | AudioCodec::Mp3 => {
            let channels = if source.channels >= 2 && bitrate >= STEREO_FROM { 2 } else { 1 };
            AudioCoding {
                codec,
                bitrate,
                sample_rate: sample_rate(codec, bitrate, source),
                channels,
            }
        }
    }
}

/// The sample rate that suits a bitrate: bandwidth that cannot be coded well is better left out.
/// Never above the source (but MP3 has no standard rates below 16 kHz).
fn sample_rate(codec: AudioCodec, bitrate: BitRate, source: AudioSource) -> SampleRate {
    let own = source.rate();
    let cd = own.is_multiple_of(11_025);
    let wanted = match bitrate.get() {
        0..20_000 => 16_000,
        20_000..32_000 if cd => 22_050,
        20_000..32_000 => 24_000,
        32_000..48_000 => 32_000,
        _ if cd => 44_100,
        _ => 48_000,
    };
    let least = if codec == AudioCodec::Mp3 { 16_000 } else { LEGAL[0] };
    let under = LEGAL.iter().rev().find(|rate| **rate <= wanted.min(own));
    SampleRate::new((*under.unwrap_or(&LEGAL[0])).max(least))
}

/// The highest useful bitrate.
pub fn max_bitrate(codec: AudioCodec, source: AudioSource) -> BitRate {
    match modes(codec) {
        Some(modes) => modes.last().map_or(BitRate::ZERO, |mode| mode.0),
        None => {
            let ceiling = if source.channels >= 2 { CEILING.1 } else { CEILING.0 };
            // Three bits a sample are all that a narrow band can use.
            let channels = if source.channels >= 2 { 2 } else { 1 };
            let band = BitRate::new(source.rate().saturating_mul(3 * channels));
            ceiling.min(band).min(source.enough).max(AAC_FLOOR)
        }
    }
}

/// The lowest useful bitrate.
pub fn min_bitrate(codec: AudioCodec) -> BitRate {
    match codec {
        AudioCodec::Aac => AAC_FLOOR,
        AudioCodec::Mp3 => MP3_FLOOR,
        _ => modes(codec).and_then(|m| m.first()).map_or(BitRate::ZERO, |mode| mode.0),
    }
}

/// The lowest useful bitrate of a codec not below `floor`; its highest where that is below.
pub fn min_bitrate_above(codec: AudioCodec, floor: BitRate, source: AudioSource) -> BitRate {
    let least = min_bitrate(codec).max(floor);
    let most = max_bitrate(codec, source);
    let legal: &[u32] = if codec == AudioCodec::Mp3 { &MP3 } else { &[] };
    let modes = modes(codec).unwrap_or(&[]).iter().map(|mode| mode.0);
    let steps = legal.iter().copied().map(BitRate::new).chain(modes);
    let stepped = steps.filter(|n| (least..=most).contains(n)).min();
    match codec {
        AudioCodec::Aac => least.min(most),
        _ => stepped.unwrap_or_else(|| min_bitrate(codec).max(most)),
    }
}

/// The highest bitrate of a codec that is at most `limit`; `None` below its lowest.
pub fn max_bitrate_within(codec: AudioCodec, limit: f64, source: AudioSource) -> Option<BitRate> {
    let most = max_bitrate(codec, source);
    let under = |list: &mut dyn Iterator<Item = BitRate>| {
        list.filter(|rate| rate.per_second() <= limit).last()
    };
    match codec {
        AudioCodec::Aac => {
            let bitrate = BitRate::new(limit.min(most.per_second()).max(0.0) as u32 / 100 * 100);
            (bitrate >= AAC_FLOOR).then_some(bitrate)
        }
        AudioCodec::Mp3 => {
            let legal = MP3.into_iter().map(BitRate::new);
            under(&mut legal.filter(|n| (MP3_FLOOR..=most.max(MP3_FLOOR)).contains(n)))
        }
        AudioCodec::AmrNb | AudioCodec::AmrWb => {
            under(&mut modes(codec).unwrap_or(&[]).iter().map(|mode| mode.0))
        }
    }
}

/// Audio of fewer samples per second is taken for speech until it is analysed.
const MUSIC_RATE: SampleRate = SampleRate::new(32_000);

/// What can be told of audio before it is decoded.
pub fn foreseen(track: Option<&AudioTrack>) -> AudioSource {
    let (sample_rate, channels) =
        track.map_or((SampleRate::ZERO, 0), |t| (t.sample_rate, t.channels));
    let enough = track.map_or(BitRate::MAX, |t| enough_audio(&t.codec, &t.profile, t.bitrate));
    AudioSource { sample_rate, channels, music: sample_rate >= MUSIC_RATE, enough }
}

/// What a file of audio has around its samples, in bytes.
const FILE: f64 = 500.0;

/// Bytes at a fair quality, by the best of `codecs`: AMR's top mode, an upper one of AMR-WB, half of
/// AAC's ceiling, all of it for music.
pub fn fair_bytes(
    codecs: impl Iterator<Item = AudioCodec>,
    source: AudioSource,
    seconds: f64,
) -> f64 {
    let fair = |codec| match codec {
        AudioCodec::AmrNb => 12_200.0,
        AudioCodec::AmrWb => 15_850.0,
        AudioCodec::Aac | AudioCodec::Mp3 => {
            max_bitrate(codec, source).per_second() / if source.music { 1.0 } else { 2.0 }
        }
    };
    codecs.map(fair).fold(0.0, f64::max) / 8.0 * seconds + FILE
}
