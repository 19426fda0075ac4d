//! The reference point a message travels over, and what a media byte costs there.

use std::{fmt, str::FromStr};

use serde::Serialize;

use super::Bytes;

/// Reference point of 3GPP TS 23.140: decides how wire bytes are counted (DESIGN §2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
pub enum Interface {
    /// MMSC to handset: MMS encapsulation, WSP multipart, binary.
    #[serde(rename = "INTERFACE_MM1")]
    Mm1,
    /// MMSC to MMSC: MIME over SMTP, base64.
    #[serde(rename = "INTERFACE_MM4")]
    Mm4,
    /// Value-added service provider to MMSC: MIME over HTTP, binary unless parts say base64.
    #[serde(rename = "INTERFACE_MM7")]
    Mm7,
}

impl fmt::Display for Interface {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Mm1 => "mm1",
            Self::Mm4 => "mm4",
            Self::Mm7 => "mm7",
        })
    }
}

impl FromStr for Interface {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.to_ascii_lowercase().as_str() {
            "mm1" => Ok(Self::Mm1),
            "mm4" => Ok(Self::Mm4),
            "mm7" => Ok(Self::Mm7),
            _ => Err(format!("`{text}` is not an interface: mm1, mm4 or mm7")),
        }
    }
}

/// What kind of number a message was sent from: carriers set their limits by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
pub enum SenderType {
    /// A subscriber's handset.
    #[serde(rename = "SENDER_TYPE_PERSON")]
    Person,
    /// An application on an ordinary (10-digit) number.
    #[serde(rename = "SENDER_TYPE_LONG_CODE")]
    LongCode,
    /// An application on a toll-free number.
    #[serde(rename = "SENDER_TYPE_TOLL_FREE")]
    TollFree,
    /// An application on a short code.
    #[serde(rename = "SENDER_TYPE_SHORT_CODE")]
    ShortCode,
}

impl fmt::Display for SenderType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Person => "person",
            Self::LongCode => "long-code",
            Self::TollFree => "toll-free",
            Self::ShortCode => "short-code",
        })
    }
}

impl FromStr for SenderType {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.to_ascii_lowercase().replace('_', "-").as_str() {
            "person" => Ok(Self::Person),
            "long-code" => Ok(Self::LongCode),
            "toll-free" => Ok(Self::TollFree),
            "short-code" => Ok(Self::ShortCode),
            _ => Err(format!(
                "`{text}` is not a sender type: person, long-code, toll-free or short-code"
            )),
        }
    }
}

/// How the bytes of one part are framed on the wire: an exact cost and its exact inverse.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Framing {
    /// The bytes as they are (MIME binary or 8bit, a bare file, media-only counting).
    Identity,
    /// WSP multipart: the bytes and the uintvar that states their number (WAP-230 §8.5).
    Wsp,
    /// base64 in lines of 76 characters, each with CRLF (RFC 2045 §6.8), the last line too.
    Base64,
}

impl Framing {
    /// Wire bytes of a payload of `payload` bytes, its length prefix included.
    pub fn wire(self, payload: Bytes) -> Bytes {
        let n = payload.get();
        match self {
            Self::Identity => payload,
            Self::Wsp => Bytes::new(n + uintvar_len(n)),
            Self::Base64 => {
                let chars = n.div_ceil(3) * 4;
                Bytes::new(chars + chars.div_ceil(76) * 2)
            }
        }
    }

    /// The largest payload whose wire form is at most `wire` bytes.
    pub fn payload(self, wire: Bytes) -> Bytes {
        let room = wire.get();
        let guess = match self {
            Self::Identity => return wire,
            // The prefix is at most 5 octets (32 bits), so the answer is within 5 of `room`.
            Self::Wsp => room,
            // Whole lines carry 57 bytes in 78; the rest of the last line is at most 57 more.
            Self::Base64 => room / 78 * 57 + 57,
        };
        let mut low = guess.saturating_sub(128);
        let mut high = guess;
        while low < high {
            let mid = (low + high).div_ceil(2);
            if self.wire(Bytes::new(mid)).get() <= room { low = mid } else { high = mid - 1 }
        }
        Bytes::new(low)
    }
}

/// Octets of the WSP uintvar that holds `n` (7 bits each).
fn uintvar_len(n: u64) -> u64 {
    u64::from((64 - n.leading_zeros()).max(1).div_ceil(7))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wire_costs_are_exact() {
        for (framing, payload, wire) in [
            (Framing::Identity, 100, 100),
            (Framing::Wsp, 0, 1),
            (Framing::Wsp, 127, 128),
            (Framing::Wsp, 128, 130),
            (Framing::Wsp, 16_384, 16_387),
            (Framing::Base64, 0, 0),
            (Framing::Base64, 1, 6),
            (Framing::Base64, 57, 78),
            (Framing::Base64, 58, 84),
        ] {
            assert_eq!(framing.wire(Bytes::new(payload)).get(), wire, "{framing:?} {payload}");
        }
    }

    #[test]
    fn payload_is_the_exact_inverse() {
        for framing in [Framing::Identity, Framing::Wsp, Framing::Base64] {
            for room in (0..2_000).chain(16_300..16_500).chain([307_200, 1_000_003]) {
                let payload = framing.payload(Bytes::new(room));
                let over = payload + Bytes::new(1);
                if payload > Bytes::ZERO {
                    assert!(framing.wire(payload).get() <= room, "{framing:?} {room}");
                }
                assert!(framing.wire(over).get() > room, "{framing:?} {room}");
            }
        }
    }
}
