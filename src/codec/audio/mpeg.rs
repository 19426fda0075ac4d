//! Streams of MPEG frames: where they begin and end among tags.

use bytes::Bytes as Buffer;

use crate::codec::sniff::mpeg;

/// The longest frame of layer III: 320 kbit/s at 32 kHz, padded (ISO/IEC 11172-3 clause 2.4.2.3).
pub(super) const MAX_FRAME: u64 = 1441;

/// The stream without the tags around it: none of them is asked for anything.
pub(super) fn without_tags(input: &Buffer) -> Buffer {
    let start = mpeg::start(input);
    let mut end = input.len();
    // ID3v1: 128 bytes at the end.
    let tag = |end: usize, from: usize| end.checked_sub(from).filter(|at| *at >= start);
    if let Some(at) = tag(end, 128).filter(|at| input[*at..].starts_with(b"TAG")) {
        end = at;
    }
    // APEv2: a footer of 32 bytes with the length of tag and footer; bit 31 of the flags: a header
    // of as many bytes comes before it.
    if let Some(footer) = tag(end, 32).map(|at| &input[at..end])
        && footer.starts_with(b"APETAGEX")
    {
        let word = |at: usize| {
            let bytes = [footer[at], footer[at + 1], footer[at + 2], footer[at + 3]];
            u32::from_le_bytes(bytes)
        };
        let header = if word(20) >> 31 == 1 { 32 } else { 0 };
        end = tag(end, (word(12) as usize).saturating_add(header)).unwrap_or(end);
    }
    input.slice(start..end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_left_out() {
        let ape = [b"APETAGEX", &[0xD0, 7, 0, 0][..], &[40, 0, 0, 0], &[0; 16]].concat();
        let file = [&b"ID3\x04\0\0\0\0\0\x05hello"[..], b"\0\0sound", &[1; 8], &ape, b"TAG"];
        let file = Buffer::from([file.concat(), vec![0; 125]].concat());
        assert_eq!(without_tags(&file), &b"sound"[..]);
        assert_eq!(without_tags(&Buffer::from_static(b"TAG")), &b"TAG"[..]);
        assert_eq!(without_tags(&Buffer::new()), &b""[..]);
    }
}
