//! EVRC as phones store it (RFC 4788 clause 11: `#!EVRC\n`, then frames of 20 ms, each behind an
//! octet with its rate) as a QCP file (RFC 3625), which libav reads: it knows no other file for it.

use bytes::Bytes as Buffer;

const MAGIC: &[u8] = b"#!EVRC\n";
/// Octets of a frame by its rate: eighth, half, full (RFC 4788 clause 5). The quarter is not of
/// EVRC.
const FRAMES: [(u8, usize); 3] = [(1, 2), (3, 10), (4, 22)];
/// A frame of an eighth whose bits are all set is an erasure (C.S0014 clause 5): the decoder
/// bridges it, as it does what was not sent.
const ERASED: [u8; 3] = [1, 0xFF, 0xFF];

/// The bytes that libav is given.
pub(super) fn readable(bytes: &Buffer) -> Buffer {
    match bytes.strip_prefix(MAGIC) {
        Some(frames) => as_qcp(frames).into(),
        None => bytes.clone(),
    }
}

fn as_qcp(mut from: &[u8]) -> Vec<u8> {
    let mut frames = Vec::with_capacity(from.len());
    let mut count: u32 = 0;
    while let Some((&rate, rest)) = from.split_first() {
        match FRAMES.iter().find(|(known, _)| *known == rate) {
            Some((_, length)) => {
                let Some(data) = rest.get(..*length) else { break };
                frames.push(rate);
                frames.extend(data);
                from = &rest[*length..];
            }
            // Blank and erased: nothing follows.
            None if rate == 0 || rate == 5 => {
                frames.extend(ERASED);
                from = rest;
            }
            // What comes after an octet that is no rate cannot be told.
            None => break,
        }
        count += 1;
    }
    header(&frames, count)
}

/// A QCP file around frames.
fn header(frames: &[u8], count: u32) -> Vec<u8> {
    // {e689d48d-9076-46b5-91ef-736a5100ceb4}: EVRC (RFC 3625 clause 3).
    const EVRC: [u8; 16] = [
        0x8d, 0xd4, 0x89, 0xe6, 0x76, 0x90, 0xb5, 0x46, 0x91, 0xef, 0x73, 0x6a, 0x51, 0x00, 0xce,
        0xb4,
    ];
    let short = |n: u16| n.to_le_bytes();
    let long = |n: usize| u32::try_from(n).unwrap_or(u32::MAX).to_le_bytes();
    let mut format = vec![1, 0];
    format.extend(EVRC);
    format.extend(short(1));
    let mut name = [0u8; 80];
    name[..4].copy_from_slice(b"EVRC");
    format.extend(name);
    // Bits a second on the average, octets of the largest frame, its samples, their rate and bits.
    for n in [9600, 23, 160, 8000, 16] {
        format.extend(short(n));
    }
    format.extend(long(FRAMES.len()));
    for at in 0..8 {
        let (rate, length) = FRAMES.get(at).copied().unwrap_or((0, 0));
        format.extend([length as u8, rate]);
    }
    format.extend([0; 20]);
    let mut out = b"RIFF".to_vec();
    out.extend(long(4 + 8 + format.len() + 16 + 8 + frames.len()));
    out.extend(b"QLCMfmt ");
    out.extend(long(format.len()));
    out.extend(format);
    out.extend(b"vrat");
    out.extend(long(8));
    out.extend(1u32.to_le_bytes());
    out.extend(count.to_le_bytes());
    out.extend(b"data");
    out.extend(long(frames.len()));
    out.extend(frames);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_wrapped_whole_and_what_is_missing_is_an_erasure() {
        let stored = [MAGIC, &[1, 7, 8], &[0], &[3; 11], &[5], &[4], &[9; 22], &[4, 1, 2]].concat();
        let file = readable(&stored.into());
        assert!(file.starts_with(b"RIFF") && file[8..16] == *b"QLCMfmt ");
        let data = [&[1, 7, 8][..], &ERASED, &[3; 11], &ERASED, &[4], &[9; 22]].concat();
        assert!(file.ends_with(&data), "{file:?}");
        assert_eq!(file[file.len() - data.len() - 12..][..4], 5u32.to_le_bytes());
        assert_eq!(u32::from_le_bytes(file[4..8].try_into().unwrap()) as usize, file.len() - 8);
        let other = Buffer::from_static(b"#!AMR\n");
        assert_eq!(readable(&other), other);
        for end in 0..20 {
            let _ = readable(&[MAGIC, &vec![4; end]].concat().into());
        }
    }
}
