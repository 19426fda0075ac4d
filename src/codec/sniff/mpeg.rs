//! MPEG streams without a container of their own: frames and packets that must follow each other.

/// Length of an MPEG audio frame from its header (ISO/IEC 11172-3 clause 2.4.2.3, 13818-3 for the
/// half rates), layers I to III; `None` if it is no header.
fn audio_frame(header: &[u8]) -> Option<usize> {
    let [a, b, c, _] = *header.first_chunk::<4>()?;
    if a != 0xFF || b & 0xE0 != 0xE0 {
        return None;
    }
    let (version, layer) = (b >> 3 & 3, b >> 1 & 3);
    let (rate_index, frequency) = (usize::from(c >> 4), usize::from(c >> 2 & 3));
    if version == 1 || layer == 0 || frequency == 3 || rate_index == 0 || rate_index == 15 {
        return None;
    }
    let full = version == 3;
    // Layer numbers count down: 3 is I, 2 is II, 1 is III.
    let kilobits: [u32; 15] = match (full, layer) {
        (true, 3) => [0, 32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448],
        (true, 2) => [0, 32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384],
        (true, _) => [0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320],
        (false, 3) => [0, 32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256],
        (false, _) => [0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160],
    };
    let divisor = match version {
        3 => 1,
        2 => 2,
        _ => 4,
    };
    let hertz = [44_100, 48_000, 32_000][frequency] / divisor;
    let bits = kilobits[rate_index] * 1000;
    let padding = u32::from(c >> 1 & 1);
    Some(match layer {
        3 => ((12 * bits / hertz + padding) * 4) as usize,
        1 if !full => (72 * bits / hertz + padding) as usize,
        _ => (144 * bits / hertz + padding) as usize,
    })
}

/// Length of an ADTS frame, header included (ISO/IEC 14496-3 clause 1.A.2); `None` if it is none.
pub(in crate::codec) fn adts_frame(header: &[u8]) -> Option<usize> {
    let h = header.first_chunk::<7>()?;
    if h[0] != 0xFF || h[1] & 0xF6 != 0xF0 || h[2] >> 2 & 15 > 12 {
        return None;
    }
    let length = usize::from(h[3] & 3) << 11 | usize::from(h[4]) << 3 | usize::from(h[5] >> 5);
    (length >= 7).then_some(length)
}

/// Two frames in a row, or one that is all there is.
fn frames(bytes: &[u8], length: fn(&[u8]) -> Option<usize>) -> bool {
    let Some(first) = length(bytes) else { return false };
    match bytes.get(first..) {
        Some([]) | None => true,
        Some(next) => next.len() < 7 || next.starts_with(b"ID3") || length(next).is_some(),
    }
}

/// Behind ID3v2 tags, if there are any (id3.org, ID3v2.4 clause 3.1): streams that were cut
/// together have several.
fn behind_tags(bytes: &[u8]) -> &[u8] {
    let mut rest = bytes;
    while rest.starts_with(b"ID3") {
        let size = rest
            .get(6..10)
            .map_or(0, |s| s.iter().fold(0usize, |n, byte| n << 7 | usize::from(byte & 0x7F)));
        rest = rest.get(size + 10..).unwrap_or_default();
    }
    rest
}

/// Zeros before the first frame that are looked over.
const MAX_ZEROS: usize = 16 << 10;

/// Where MPEG audio begins: behind tags, and zeros where some recorders leave the room of one.
pub(in crate::codec) fn start(bytes: &[u8]) -> usize {
    let audio = behind_tags(bytes);
    let zeros = audio.iter().take(MAX_ZEROS).take_while(|byte| **byte == 0).count();
    bytes.len() - audio.len() + zeros
}

/// The type of a run of MPEG audio, with or without a tag before it.
pub(super) fn audio(bytes: &[u8]) -> Option<&'static str> {
    let audio = &bytes[start(bytes)..];
    if frames(audio, adts_frame) {
        Some("audio/aac")
    } else if frames(audio, audio_frame) || bytes.starts_with(b"ID3") {
        Some("audio/mpeg")
    } else {
        None
    }
}

/// Whether it is a transport stream (ISO/IEC 13818-1 clause 2.4.3.2), of 188-byte packets or of
/// the 192-byte ones of cameras.
pub(super) fn is_transport_stream(bytes: &[u8]) -> bool {
    let synced = |start: usize, step: usize| {
        let marks = (0..5).map(|n| bytes.get(start + n * step));
        let there = marks.clone().flatten().count();
        there >= 3 && marks.flatten().all(|byte| *byte == 0x47)
    };
    synced(0, 188) || synced(4, 192)
}

/// Whether it is a program stream: a pack header (ISO/IEC 11172-1 clause 2.4.3.2, 13818-1 clause
/// 2.5.3.3), whose next bits tell MPEG-1 from MPEG-2.
pub(super) fn is_program_stream(bytes: &[u8]) -> bool {
    let mark = bytes.strip_prefix(b"\0\0\x01\xBA").and_then(|rest| rest.first());
    mark.is_some_and(|byte| byte & 0xF0 == 0x20 || byte & 0xC0 == 0x40)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_must_follow_each_other() {
        // Layer III, 128 kbit/s, 44.1 kHz: 417 bytes.
        let mut mp3 = vec![0; 417];
        mp3[..4].copy_from_slice(&[0xFF, 0xFB, 0x90, 0x00]);
        assert_eq!(audio(&[mp3.clone(), mp3.clone()].concat()), Some("audio/mpeg"));
        assert_eq!(audio(&[mp3.clone(), vec![1; 100]].concat()), None);
        let tagged = [&b"ID3\x04\0\0\0\0\0\x05hello"[..], &mp3, &mp3].concat();
        assert_eq!(audio(&tagged), Some("audio/mpeg"));
        // LC, 44.1 kHz, stereo, 100 bytes.
        let mut aac = vec![0; 100];
        aac[..7].copy_from_slice(&[0xFF, 0xF1, 0x50, 0x80, 0x0C, 0x9F, 0xFC]);
        assert_eq!(audio(&[aac.clone(), aac.clone()].concat()), Some("audio/aac"));
        assert_eq!(audio(&[aac, vec![1; 100]].concat()), None);
        assert_eq!(audio(b""), None);
    }

    #[test]
    fn packets_begin_with_their_mark() {
        let mut ts = vec![0; 188 * 4];
        (0..4).for_each(|n| ts[n * 188] = 0x47);
        assert!(is_transport_stream(&ts));
        ts[188] = 0;
        assert!(!is_transport_stream(&ts));
        assert!(!is_transport_stream(b"Good day"));
    }
}
