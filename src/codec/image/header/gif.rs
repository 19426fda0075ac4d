//! GIF blocks (GIF89a specification).

use std::ops::Range;

use super::{Header, peek::le16};
use crate::{
    codec::{CodecError, DecodeLimits},
    model::{Dimensions, MediaType, Millis},
};

/// What a top-level block is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Graphic control extension: delay in hundredths, transparency.
    Control {
        /// Hundredths of a second.
        delay_cs: u16,
        /// Whether one colour is transparent.
        transparent: bool,
    },
    /// An image descriptor with its data.
    Image,
    /// Application extension for looping.
    Loop,
    /// Comment, XMP, other application or plain text.
    Metadata,
}

/// Top-level blocks after the header and the global palette, up to the trailer. Ends early where
/// a block is cut off.
pub fn blocks(bytes: &[u8]) -> impl Iterator<Item = (Kind, Range<usize>)> {
    let mut at = body_start(bytes);
    std::iter::from_fn(move || {
        let start = at?;
        at = None;
        let (kind, end) = match *bytes.get(start)? {
            0x21 => {
                let body = bytes.get(start + 3..)?;
                let kind = match *bytes.get(start + 1)? {
                    0xF9 => Kind::Control {
                        delay_cs: le16(body, 1).unwrap_or(0),
                        transparent: body.first()? & 1 != 0,
                    },
                    0xFF if body.starts_with(b"NETSCAPE2.0")
                        || body.starts_with(b"ANIMEXTS1.0") =>
                    {
                        Kind::Loop
                    }
                    _ => Kind::Metadata,
                };
                (kind, sub_blocks_end(bytes, start + 2))
            }
            0x2C => {
                let flags = *bytes.get(start + 9)?;
                (Kind::Image, sub_blocks_end(bytes, start + 11 + palette_size(flags)))
            }
            _ => return None,
        };
        match end {
            Some(end) => {
                at = Some(end);
                Some((kind, start..end))
            }
            // An image that is cut off is still shown.
            None => (kind == Kind::Image).then_some((kind, start..bytes.len())),
        }
    })
}

fn palette_size(flags: u8) -> usize {
    if flags & 0x80 == 0 { 0 } else { 3 << ((flags & 7) + 1) }
}

/// Offset of the first block.
pub fn body_start(bytes: &[u8]) -> Option<usize> {
    Some(13 + palette_size(*bytes.get(10)?))
}

fn sub_blocks_end(bytes: &[u8], mut at: usize) -> Option<usize> {
    loop {
        let length = usize::from(*bytes.get(at)?);
        at += 1 + length;
        if length == 0 {
            return Some(at);
        }
    }
}

/// Reads the blocks' headers.
pub fn read(bytes: &[u8], limits: &DecodeLimits) -> Result<Header, CodecError> {
    let malformed = |detail: &str| CodecError::Malformed { format: "GIF", detail: detail.into() };
    let side = |at| le16(bytes, at).map(u32::from).ok_or_else(|| malformed("header is cut off"));
    let stored = Dimensions::new(side(6)?, side(8)?).ok_or_else(|| malformed("a side is zero"))?;
    let mut header = Header::still(MediaType::GIF, stored, "gif", 4);
    let (mut frames, mut hundredths, mut end) = (0_u32, 0_u32, 0);
    for (kind, range) in blocks(bytes) {
        match kind {
            Kind::Control { delay_cs, transparent } => {
                // Delays of 0 and 1 are shown as 100 ms by every browser.
                let shown = if delay_cs < 2 { 10 } else { delay_cs };
                hundredths = hundredths.saturating_add(shown.into());
                header.alpha |= transparent;
            }
            Kind::Image => frames += 1,
            Kind::Loop => {}
            Kind::Metadata => header.metadata = true,
        }
        end = range.end;
        if frames >= limits.max_frames {
            end = bytes.len();
            break;
        }
    }
    if frames == 0 {
        return Err(malformed("no image"));
    }
    let trailer = bytes.get(end..).unwrap_or_default();
    header.metadata |= trailer.iter().any(|b| *b != 0 && *b != 0x3B);
    if frames > 1 {
        header.codec = "animated";
        header.frames = frames;
        header.duration = Millis::new(hundredths.saturating_mul(10));
    }
    Ok(header)
}
