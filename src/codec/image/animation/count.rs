//! Frames and duration from block headers alone. Every step moves forward in the input, so the
//! walk ends after at most one pass over it; nothing is allocated.

use bytes::Bytes as Buffer;

use crate::codec::CodecError;
use crate::model::{Dimensions, MediaType, Millis};

/// A forward-only reader that never leaves its slice.
struct Cursor<'a>(&'a [u8]);

impl<'a> Cursor<'a> {
    fn take(&mut self, n: usize) -> Option<&'a [u8]> {
        let (head, tail) = self.0.split_at_checked(n)?;
        self.0 = tail;
        Some(head)
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.take(N)?.try_into().ok()
    }

    fn byte(&mut self) -> Option<u8> {
        self.array().map(|[b]: [u8; 1]| b)
    }
}

/// Frames, at most `max`, and the sum of their delays, without decoding a pixel.
/// A still has one frame and lasts 0 ms; other types than GIF, PNG and WebP count as stills. A
/// file that breaks off counts the frames whose pixels have begun.
///
/// # Errors
/// Malformed if the signature is wrong or no frame begins.
pub fn count_frames(
    input: &Buffer,
    media_type: &MediaType,
    max: u32,
) -> Result<(u32, Millis), CodecError> {
    let mut tally = Tally { max, frames: 0, total: Millis::ZERO };
    let format = if *media_type == MediaType::GIF {
        let _ = walk_gif(input, &mut tally);
        "GIF"
    } else if *media_type == MediaType::PNG {
        png_size(input)?;
        let _ = walk_png(input, &mut tally);
        "PNG"
    } else if *media_type == MediaType::WEBP {
        let _ = walk_webp(input, &mut tally);
        "WebP"
    } else {
        return Ok((1, Millis::ZERO));
    };
    if tally.frames == 0 {
        return Err(CodecError::Malformed { format, detail: "no frame".into() });
    }
    Ok((tally.frames, if tally.frames == 1 { Millis::ZERO } else { tally.total }))
}

struct Tally {
    max: u32,
    frames: u32,
    total: Millis,
}

impl Tally {
    /// Counts a frame; `None` once there are enough.
    fn frame(&mut self, delay: Millis) -> Option<()> {
        self.frames += 1;
        self.total = self.total.saturating_add(delay);
        (self.frames < self.max).then_some(())
    }
}

/// GIF89a, appendix B. `None` where the file ends or breaks off.
fn walk_gif(input: &[u8], tally: &mut Tally) -> Option<()> {
    fn skip_table(cursor: &mut Cursor<'_>, flags: u8) -> Option<()> {
        if flags & 0x80 != 0 {
            cursor.take(3 << ((flags & 7) + 1))?;
        }
        Some(())
    }
    fn skip_sub_blocks(cursor: &mut Cursor<'_>) -> Option<()> {
        loop {
            match cursor.byte()? {
                0 => return Some(()),
                n => cursor.take(n.into())?,
            };
        }
    }
    let mut cursor = Cursor(input);
    let [b'G', b'I', b'F', b'8', b'7' | b'9', b'a'] = cursor.array()? else { return None };
    let [_, _, _, _, flags, _, _] = cursor.array()?;
    skip_table(&mut cursor, flags)?;
    let mut delay = Millis::ZERO;
    loop {
        match cursor.byte()? {
            0x21 => {
                if cursor.byte()? == 0xF9
                    && let Some([4, _, low, high, ..]) = cursor.0.first_chunk::<5>()
                {
                    delay = Millis::new(u32::from(u16::from_le_bytes([*low, *high])) * 10);
                }
                skip_sub_blocks(&mut cursor)?;
            }
            0x2C => {
                let [.., flags] = cursor.array::<9>()?;
                skip_table(&mut cursor, flags)?;
                cursor.byte()?;
                tally.frame(std::mem::take(&mut delay))?;
                skip_sub_blocks(&mut cursor)?;
            }
            _ => return None,
        }
    }
}

/// The dimensions that IHDR gives. PNG, third edition, 11.2.1.
pub(super) fn png_size(input: &[u8]) -> Result<Dimensions, CodecError> {
    let size = || {
        let mut cursor = Cursor(input);
        if cursor.take(8)? != b"\x89PNG\r\n\x1a\n" || cursor.take(8)?.get(4..)? != b"IHDR" {
            return None;
        }
        let width = u32::from_be_bytes(cursor.array()?);
        Dimensions::new(width, u32::from_be_bytes(cursor.array()?))
    };
    size().ok_or_else(|| CodecError::Malformed { format: "PNG", detail: "no valid header".into() })
}

/// PNG, third edition, 11.3.6 (acTL, fcTL, fdAT). `None` where the file ends or breaks off.
fn walk_png(input: &[u8], tally: &mut Tally) -> Option<()> {
    let mut cursor = Cursor(input);
    cursor.take(8)?;
    let mut animated = false;
    let mut delay = None;
    loop {
        let length = u32::from_be_bytes(cursor.array()?) as usize;
        let kind: [u8; 4] = cursor.array()?;
        match &kind {
            b"acTL" => {
                let frames = u32::from_be_bytes(*cursor.0.first_chunk()?);
                animated = true;
                tally.max = tally.max.min(frames);
            }
            b"fcTL" if length >= 26 => {
                let [a, b, c, d] = *cursor.0.get(20..24)?.first_chunk()?;
                let num = u32::from(u16::from_be_bytes([a, b])) * 1000;
                // a denominator of 0 stands for 100
                let den = match u32::from(u16::from_be_bytes([c, d])) {
                    0 => 100,
                    den => den,
                };
                delay = Some(Millis::new((num + den / 2) / den));
            }
            b"IDAT" if !animated => {
                tally.frame(Millis::ZERO);
                return None;
            }
            b"IDAT" | b"fdAT" => {
                if let Some(delay) = delay.take() {
                    tally.frame(delay)?;
                }
            }
            b"IEND" => return None,
            _ => {}
        }
        cursor.take(length.checked_add(4)?)?;
    }
}

/// WebP container (RFC 9649, section 2.7). `None` where the file ends or breaks off.
fn walk_webp(input: &[u8], tally: &mut Tally) -> Option<()> {
    let mut cursor = Cursor(input);
    if cursor.take(4)? != b"RIFF" {
        return None;
    }
    cursor.take(4)?;
    if cursor.take(4)? != b"WEBP" {
        return None;
    }
    loop {
        let kind: [u8; 4] = cursor.array()?;
        let length = u32::from_le_bytes(cursor.array()?) as usize;
        match &kind {
            b"VP8 " | b"VP8L" => {
                tally.frame(Millis::ZERO);
                return None;
            }
            b"ANMF" => {
                let [low, middle, high] = *cursor.0.get(12..15)?.first_chunk()?;
                tally.frame(Millis::new(u32::from_le_bytes([low, middle, high, 0])))?;
            }
            _ => {}
        }
        cursor.take(length.checked_add(length & 1)?)?;
    }
}
