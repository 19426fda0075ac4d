//! WebP chunks (RFC 9649).

use std::ops::Range;

use super::{
    Header,
    peek::{le16, le24, le32},
    tiff,
};
use crate::{
    codec::{CodecError, DecodeLimits},
    model::{Dimensions, MediaType, Millis},
};

/// RIFF header and form type.
pub const HEADER: usize = 12;

/// Chunks in order: name, the whole with padding, the body. The last may be cut off.
pub fn chunks(bytes: &[u8]) -> impl Iterator<Item = ([u8; 4], Range<usize>, Range<usize>)> {
    let mut at = HEADER;
    std::iter::from_fn(move || {
        let name: [u8; 4] = bytes.get(at..at.checked_add(4)?)?.try_into().ok()?;
        let length = le32(bytes, at + 4)? as usize;
        let body = at + 8..(at + 8).checked_add(length)?.min(bytes.len());
        let whole = at..body.end.checked_add(length & 1)?.min(bytes.len());
        at = whole.end.max(at + 8);
        Some((name, whole, body))
    })
}

/// Reads the chunks' headers.
pub fn read(bytes: &[u8], limits: &DecodeLimits) -> Result<Header, CodecError> {
    let malformed = |detail: &str| CodecError::Malformed { format: "WebP", detail: detail.into() };
    let mut header: Option<Header> = None;
    let (mut frames, mut extended) = (0_u32, false);
    let mut end = HEADER;
    for (name, whole, body_range) in chunks(bytes) {
        let body = &bytes[body_range];
        end = whole.end;
        match &name {
            b"VP8X" if header.is_none() => {
                let flags = *body.first().ok_or_else(|| malformed("VP8X is cut off"))?;
                let side = |at| le24(body, at).map(|n| n + 1);
                let stored = side(4)
                    .zip(side(7))
                    .and_then(|(w, h)| Dimensions::new(w, h))
                    .ok_or_else(|| malformed("VP8X is cut off"))?;
                let mut found = Header::still(MediaType::WEBP, stored, "webp", 4);
                found.alpha = flags & 0x10 != 0;
                extended = true;
                header = Some(found);
            }
            b"VP8 " => {
                let still = lossy(body).ok_or_else(|| malformed("VP8 header"))?;
                header.get_or_insert(still).codec = "vp8";
            }
            b"VP8L" => {
                let still = lossless(body).ok_or_else(|| malformed("VP8L header"))?;
                let alpha = still.alpha;
                let header = header.get_or_insert(still);
                header.codec = "vp8l";
                header.alpha |= alpha;
            }
            b"ANMF" => {
                frames += 1;
                if let Some(header) = header.as_mut().filter(|_| frames <= limits.max_frames) {
                    let delay = le24(body, 12).unwrap_or(0);
                    header.duration = header.duration.saturating_add(Millis::new(delay));
                }
            }
            b"EXIF" => {
                if let Some(header) = header.as_mut() {
                    let tiff = body.strip_prefix(b"Exif\0\0").unwrap_or(body);
                    header.orientation = tiff::orientation(tiff).unwrap_or_default();
                    header.metadata = true;
                }
            }
            b"ICCP" | b"ANIM" | b"ALPH" => {}
            // XMP and whatever is unknown.
            _ => {
                if let Some(header) = header.as_mut() {
                    header.metadata = true;
                }
            }
        }
        if !extended && header.is_some() {
            break;
        }
    }
    let mut header = header.ok_or_else(|| malformed("no image"))?;
    header.metadata |= bytes.get(end..).is_some_and(|rest| rest.iter().any(|b| *b != 0));
    if frames > 0 {
        header.codec = "animated";
        header.frames = frames.min(limits.max_frames);
    }
    if header.frames < 2 {
        header.duration = Millis::ZERO;
    }
    Ok(header)
}

/// RFC 6386 §9.1: three bytes of tag, the start code, 14 bits a side.
fn lossy(body: &[u8]) -> Option<Header> {
    if body.get(3..6)? != [0x9D, 0x01, 0x2A] {
        return None;
    }
    let side = |at| le16(body, at).map(|n| u32::from(n & 0x3FFF));
    let stored = Dimensions::new(side(6)?, side(8)?)?;
    Some(Header::still(MediaType::WEBP, stored, "vp8", 4))
}

/// RFC 9649 §3.4: signature, 14 bits a side less one, the alpha hint.
fn lossless(body: &[u8]) -> Option<Header> {
    if *body.first()? != 0x2F {
        return None;
    }
    let bits = le32(body, 1)?;
    let stored = Dimensions::new((bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1)?;
    let mut header = Header::still(MediaType::WEBP, stored, "vp8l", 4);
    header.alpha = bits >> 28 & 1 != 0;
    Some(header)
}
