//! PNG chunks (W3C PNG, third edition).

use std::ops::Range;

use super::{
    Header,
    peek::{be16, be32},
    tiff,
};
use crate::{
    codec::{CodecError, DecodeLimits},
    model::{Dimensions, MediaType, Millis},
};

/// Length of the signature.
pub const SIGNATURE: usize = 8;

/// One chunk.
#[derive(Clone, Debug)]
pub struct Chunk {
    /// The four letters.
    pub name: [u8; 4],
    /// Length, name, body, checksum.
    pub whole: Range<usize>,
    /// The body alone.
    pub body: Range<usize>,
}

/// Chunks in order, up to and with IEND, or to the first one that is cut off.
pub fn chunks(bytes: &[u8]) -> impl Iterator<Item = Chunk> {
    let mut at = Some(SIGNATURE);
    std::iter::from_fn(move || {
        let start = at?;
        let length = be32(bytes, start)? as usize;
        let name: [u8; 4] = bytes.get(start + 4..start + 8)?.try_into().ok()?;
        let body = start + 8..(start + 8).checked_add(length)?;
        let end = body.end.checked_add(4).filter(|end| *end <= bytes.len())?;
        at = (&name != b"IEND").then_some(end);
        Some(Chunk { name, whole: start..end, body })
    })
}

/// Whether the chunk is needed to show the image right.
pub fn is_image(name: [u8; 4]) -> bool {
    // Critical chunks have an upper-case first letter (§5.4).
    name[0].is_ascii_uppercase()
        || matches!(
            &name,
            b"tRNS"
                | b"gAMA"
                | b"cHRM"
                | b"sRGB"
                | b"iCCP"
                | b"cICP"
                | b"sBIT"
                | b"bKGD"
                | b"pHYs"
                | b"acTL"
                | b"fcTL"
                | b"fdAT"
        )
}

/// Reads the chunks' headers.
pub fn read(bytes: &[u8], limits: &DecodeLimits) -> Result<Header, CodecError> {
    let malformed = |detail: String| CodecError::Malformed { format: "PNG", detail };
    let ihdr = bytes
        .get(SIGNATURE..)
        .filter(|b| b.get(4..8) == Some(b"IHDR"))
        .and_then(|b| b.get(8..21))
        .ok_or_else(|| malformed("no IHDR".into()))?;
    let (width, height) = (be32(ihdr, 0).unwrap_or(0), be32(ihdr, 4).unwrap_or(0));
    let stored = Dimensions::new(width, height)
        .ok_or_else(|| malformed(format!("dimensions {width}x{height}")))?;
    let (depth, color, interlace) = (ihdr[8], ihdr[9], ihdr[12]);
    let samples = match color {
        0 => 1,
        2 => 3,
        3 => 4, // a palette is expanded, maybe with alpha
        4 => 2,
        6 => 4,
        other => return Err(malformed(format!("colour type {other}"))),
    };
    let codec = if interlace == 0 { "png" } else { "interlaced" };
    let per_pixel = samples * if depth == 16 { 2 } else { 1 };
    let mut header = Header::still(MediaType::PNG, stored, codec, per_pixel);
    header.alpha = color & 4 != 0;
    header.gray = color & 2 == 0;
    header.exotic = depth == 16;
    let (mut animated, mut frames, mut end) = (false, 0_u32, 0);
    for chunk in chunks(bytes) {
        let body = &bytes[chunk.body.clone()];
        match &chunk.name {
            b"tRNS" => header.alpha = true,
            b"acTL" => animated = be32(body, 0).is_some_and(|n| n > 1),
            b"fcTL" if frames < limits.max_frames => {
                frames += 1;
                let (num, den) = (be16(body, 20).unwrap_or(0), be16(body, 22).unwrap_or(0));
                let den = if den == 0 { 100 } else { u32::from(den) };
                let delay = Millis::new(u32::from(num) * 1000 / den);
                header.duration = header.duration.saturating_add(delay);
            }
            b"eXIf" => header.orientation = tiff::orientation(body).unwrap_or_default(),
            _ => {}
        }
        header.metadata |= !is_image(chunk.name);
        end = chunk.whole.end;
    }
    header.metadata |= end != 0 && bytes.len() > end && bytes[end..].iter().any(|b| *b != 0);
    if animated && frames > 1 {
        header.codec = "apng";
        header.frames = frames;
    } else {
        header.duration = Millis::ZERO;
    }
    Ok(header)
}
