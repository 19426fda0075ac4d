//! Content-Transfer-Encoding (RFC 2045 §6): tolerant decoders, one strict encoder.

use base64::{
    Engine,
    alphabet::STANDARD,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};

/// Bytes of a full base64 line of 76 characters.
const LINE: usize = 57;

/// How a body is coded on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Encoding {
    /// 7bit or 8bit: lines of text.
    Text,
    /// Bytes as they are.
    Binary,
    /// base64.
    Base64,
    /// quoted-printable.
    QuotedPrintable,
}

impl Encoding {
    /// From the header's value; what is unknown or missing is read as it is.
    pub fn parse(value: Option<&str>) -> Self {
        match value.unwrap_or("").trim().to_ascii_lowercase().as_str() {
            "base64" => Self::Base64,
            "quoted-printable" => Self::QuotedPrintable,
            "binary" => Self::Binary,
            _ => Self::Text,
        }
    }

    /// The bytes behind `wire`.
    pub fn decode(self, wire: &bytes::Bytes) -> bytes::Bytes {
        match self {
            Self::Text | Self::Binary => wire.clone(),
            Self::Base64 => base64_decode(wire).into(),
            Self::QuotedPrintable => qp_decode(wire).into(),
        }
    }
}

const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// Which bytes are characters of the alphabet (RFC 4648 §4).
const BASE64: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = 0;
    while byte < 256 {
        table[byte] =
            (byte as u8).is_ascii_alphanumeric() || byte as u8 == b'+' || byte as u8 == b'/';
        byte += 1;
    }
    table
};

/// Whatever of `wire` is base64: other characters are passed over, padding ends it.
pub(crate) fn base64_decode(wire: &[u8]) -> Vec<u8> {
    let mut clean: Vec<u8> = Vec::with_capacity(wire.len());
    let mut rest = wire;
    // Line by line as a rule: runs are copied whole.
    loop {
        let run = rest.iter().position(|&byte| !BASE64[usize::from(byte)]).unwrap_or(rest.len());
        clean.extend_from_slice(&rest[..run]);
        match &rest[run..] {
            [] | [b'=', ..] => break,
            [_, tail @ ..] => rest = tail,
        }
    }
    // A single character left over holds no whole byte.
    if clean.len() % 4 == 1 {
        clean.pop();
    }
    LENIENT.decode(&clean).unwrap_or_default()
}

/// base64 in one piece, padded.
pub(crate) fn base64_plain(data: &[u8]) -> String {
    base64::engine::general_purpose::STANDARD.encode(data)
}

/// base64 in lines of 76 characters, each with CRLF, the last too (`Framing::Base64`).
pub(super) fn base64_lines(data: &[u8], out: &mut Vec<u8>) {
    let mut line = [0u8; 76];
    for chunk in data.chunks(LINE) {
        let written = base64::engine::general_purpose::STANDARD.encode_slice(chunk, &mut line);
        out.extend(&line[..written.unwrap_or(0)]);
        out.extend(b"\r\n");
    }
}

/// Quoted-printable; what is malformed stays as it is.
pub(crate) fn qp_decode(wire: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(wire.len());
    let mut at = 0;
    while let Some(&byte) = wire.get(at) {
        if byte != b'=' {
            out.push(byte);
            at += 1;
            continue;
        }
        let hex = wire.get(at + 1..at + 3).and_then(|two| std::str::from_utf8(two).ok());
        if let Some(octet) = hex.and_then(|two| u8::from_str_radix(two, 16).ok()) {
            out.push(octet);
            at += 3;
            continue;
        }
        // A soft line break, with blanks before the line end.
        let blanks = wire[at + 1..].iter().take_while(|b| b" \t".contains(b)).count();
        match &wire[at + 1 + blanks..] {
            [b'\r', b'\n', ..] => at += blanks + 3,
            [b'\n', ..] => at += blanks + 2,
            [] => at = wire.len(),
            _ => {
                out.push(b'=');
                at += 1;
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Bytes, Framing};

    #[test]
    fn base64_is_read_through_noise() {
        for (wire, data) in [
            (&b"aGVsbG8="[..], &b"hello"[..]),
            (b"aGVs\r\nbG8", b"hello"),
            (b"aG.Vs bG8=\n\nepilogue", b"hello"),
            (b"aGVsb", b"hel"),
            (b"", b""),
        ] {
            assert_eq!(base64_decode(wire), data);
        }
    }

    #[test]
    fn base64_costs_what_the_framing_says() {
        for length in (0..200).chain([57 * 57, 10_001]) {
            let data = vec![7u8; length];
            let mut out = Vec::new();
            base64_lines(&data, &mut out);
            assert_eq!(Framing::Base64.wire(Bytes::of(&data)), Bytes::of(&out));
            assert_eq!(base64_decode(&out), data);
        }
    }

    #[test]
    fn quoted_printable_is_read() {
        assert_eq!(
            qp_decode(b"a=C3=A4b=\r\nc= \nd=zz="),
            "äb"
                .bytes()
                .fold(b"a".to_vec(), |mut all, b| {
                    all.push(b);
                    all
                },)
                .into_iter()
                .chain(*b"cd=zz")
                .collect::<Vec<u8>>()
        );
    }
}
