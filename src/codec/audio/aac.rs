//! Which AAC is the plain one. What carries spectral band replication, told or not, sounds without
//! its treble where only the core is decoded: it is the worker's.

use super::left;
use crate::codec::{CodecError, sniff::mpeg};

/// Bytes of a header without a checksum (ISO/IEC 14496-3 clause 1.A.2).
pub(super) const ADTS_HEADER: u64 = 7;

/// Up to this rate of the core there may be replication that nothing tells of: it doubles the rate
/// (ISO/IEC 14496-3 clause 1.6.6).
const MAX_HIDDEN: u32 = 24_000;

/// Rates by index (ISO/IEC 14496-3 table 1.18).
const RATES: [u32; 13] = [
    96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8000,
    7350,
];

/// Low complexity.
const LC: u32 = 2;
/// Spectral band replication, as an object type.
const SBR: u32 = 5;

/// Whether a stream of frames is plain AAC of one form from its first byte to its last.
pub(super) fn check_stream(bytes: &[u8]) -> Result<(), CodecError> {
    let mut rest = bytes;
    let mut form = None;
    while !rest.is_empty() {
        let length = mpeg::adts_frame(rest).filter(|length| *length <= rest.len());
        let length = length.ok_or_else(|| left("there is something else between its frames"))?;
        // Version, layer, checksum; object type, rate, channels. Copyright bits may change.
        let now = [rest[1], rest[2] & 0xFD, rest[3] & 0xC0];
        if *form.get_or_insert(now) != now || rest[6] & 3 != 0 {
            return Err(left("its form changes on the way"));
        }
        rest = &rest[length..];
    }
    let [first, second, third] = form.ok_or_else(|| left("it is empty"))?;
    let channels = (second & 1) << 2 | third >> 6;
    let rate = RATES.get(usize::from(second >> 2 & 15)).copied().unwrap_or(0);
    // A checksum comes behind the header, and is counted nowhere.
    let plain = first & 1 == 1 && u32::from(second >> 6) + 1 == LC && (1..=2).contains(&channels);
    if plain && rate > MAX_HIDDEN { Ok(()) } else { Err(left("it may be more than plain AAC")) }
}

/// Whether an AudioSpecificConfig (ISO/IEC 14496-3 clause 1.6.2.1) is one of plain AAC.
pub(super) fn check_config(config: &[u8]) -> Result<(), CodecError> {
    if is_plain(config).unwrap_or(false) { Ok(()) } else { Err(left("it is more than plain AAC")) }
}

fn is_plain(config: &[u8]) -> Option<bool> {
    let mut bits = Bits { bytes: config, at: 0 };
    let object = bits.take(5)?;
    let rate = match bits.take(4)? {
        15 => bits.take(24)?,
        index => *RATES.get(index as usize)?,
    };
    let channels = bits.take(4)?;
    // Frames of 960, a core coder, an extension.
    let odd = bits.take(3)?;
    if object != LC || !(1..=2).contains(&channels) || odd != 0 {
        return Some(false);
    }
    // What follows is an extension (clause 1.6.2.1, syncExtensionType 0x2b7), which may say that
    // there is no replication; nothing is known of anything else.
    match bits.take(11) {
        Some(0x2B7) => Some(bits.take(5)? == SBR && bits.take(1)? == 0),
        Some(0) | None => Some(rate > MAX_HIDDEN),
        Some(_) => Some(false),
    }
}

struct Bits<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Bits<'_> {
    fn take(&mut self, count: usize) -> Option<u32> {
        let mut value = 0;
        for _ in 0..count {
            let byte = self.bytes.get(self.at / 8)?;
            value = value << 1 | u32::from(byte >> (7 - self.at % 8) & 1);
            self.at += 1;
        }
        Some(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn configurations_tell_plain_from_more() {
        for (config, plain) in [
            // LC, 44.1 kHz, stereo; with the word that there is no replication; with it.
            (&[0x12, 0x10][..], true),
            (&[0x12, 0x10, 0x56, 0xE5, 0x00], true),
            (&[0x12, 0x10, 0x56, 0xE5, 0x80], false),
            // LC at 22.05 kHz: silent, denied, told.
            (&[0x13, 0x90], false),
            (&[0x13, 0x90, 0x56, 0xE5, 0x00], true),
            (&[0x13, 0x90, 0x56, 0xE5, 0xA0], false),
            // HE, HE version 2, LTP.
            (&[0x2B, 0x92, 0x08, 0x00], false),
            (&[0xEB, 0x8A, 0x08, 0x00], false),
            (&[0x22, 0x10], false),
            // Channels by a table of their own; six; frames of 960.
            (&[0x12, 0x00], false),
            (&[0x12, 0x30], false),
            (&[0x12, 0x14], false),
            (&[], false),
            (&[0x12], false),
        ] {
            assert_eq!(check_config(config).is_ok(), plain, "{config:02x?}");
        }
    }

    #[test]
    fn streams_are_of_one_form() {
        // LC, stereo, 100 bytes a frame.
        let frame = |rate: u8| {
            let mut frame = vec![0; 100];
            frame[..7].copy_from_slice(&[0xFF, 0xF1, 0x40 | rate << 2, 0x80, 0x0C, 0x9F, 0xFC]);
            frame
        };
        assert!(check_stream(&[frame(4), frame(4)].concat()).is_ok());
        assert!(check_stream(&[frame(4), frame(3)].concat()).is_err());
        assert!(check_stream(&[frame(4), vec![0; 9]].concat()).is_err());
        assert!(check_stream(&[frame(4), frame(4)].concat()[..150]).is_err());
        assert!(check_stream(&frame(6)).is_err(), "24 kHz may hide replication");
        assert!(check_stream(&[]).is_err());
    }
}
