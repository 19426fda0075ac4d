//! Metadata out, image bit for bit the same.

use bytes::Bytes as Buffer;

use super::{
    color::differs_from_srgb,
    header::{gif, jpeg, png, webp},
};
use crate::model::MediaType;

/// `input` without metadata; `None` for formats where that is not done. The caller has checked
/// that the image is stored upright.
pub(super) fn strip(input: &[u8], media_type: &MediaType) -> Option<Buffer> {
    let out = match media_type.as_str() {
        "image/jpeg" => strip_jpeg(input)?,
        "image/png" => strip_png(input)?,
        "image/gif" => strip_gif(input)?,
        "image/webp" => strip_webp(input)?,
        _ => return None,
    };
    Some(out.into())
}

fn strip_jpeg(input: &[u8]) -> Option<Vec<u8>> {
    let layout = jpeg::layout(input).ok()?;
    // A file that is cut off has no end to cut at, and a decoder's guess about it may change.
    let end = layout.end?;
    let keep_icc = layout
        .icc(input)
        .is_some_and(|icc| layout.frame.components == 4 || differs_from_srgb(&icc));
    let mut out = Vec::with_capacity(input.len());
    let mut at = layout.start;
    for segment in &layout.segments {
        let icc = segment.marker == jpeg::marker::APP2;
        if !layout.is_image(input, segment) || (icc && !keep_icc) {
            out.extend_from_slice(input.get(at..segment.whole.start)?);
            // The thumbnail goes, the aspect and density stay.
            if let Some(jfif) = jfif_without_thumbnail(input.get(segment.body.clone())?) {
                out.extend_from_slice(&jfif);
            }
            at = segment.whole.end;
        }
    }
    out.extend_from_slice(input.get(at..end)?);
    Some(out)
}

fn jfif_without_thumbnail(body: &[u8]) -> Option<Vec<u8>> {
    let head = body.get(..12).filter(|head| head.starts_with(b"JFIF\0"))?;
    let mut segment = vec![0xFF, jpeg::marker::APP0, 0, 16];
    segment.extend_from_slice(head);
    segment.extend_from_slice(&[0, 0]);
    Some(segment)
}

fn strip_png(input: &[u8]) -> Option<Vec<u8>> {
    let mut out = input.get(..png::SIGNATURE)?.to_vec();
    let mut ended = false;
    for chunk in png::chunks(input) {
        if png::is_image(chunk.name) {
            out.extend_from_slice(input.get(chunk.whole)?);
        }
        ended = &chunk.name == b"IEND";
    }
    ended.then_some(out)
}

fn strip_gif(input: &[u8]) -> Option<Vec<u8>> {
    let mut at = gif::body_start(input)?;
    let mut out = input.get(..at)?.to_vec();
    for (kind, range) in gif::blocks(input) {
        at = range.end;
        if kind != gif::Kind::Metadata {
            out.extend_from_slice(input.get(range)?);
        }
    }
    // Only a file with its trailer is known to have been walked to its end.
    (input.get(at) == Some(&0x3B)).then(|| {
        out.push(0x3B);
        out
    })
}

fn strip_webp(input: &[u8]) -> Option<Vec<u8>> {
    /// Flags of VP8X that say which metadata chunks there are: EXIF and XMP (RFC 9649 §2.7).
    const METADATA_FLAGS: u8 = 0x08 | 0x04;
    let mut out = input.get(..webp::HEADER)?.to_vec();
    let mut image = false;
    for (name, whole, _) in webp::chunks(input) {
        let at = out.len();
        match &name {
            b"VP8X" => {
                out.extend_from_slice(input.get(whole)?);
                *out.get_mut(at + 8)? &= !METADATA_FLAGS;
            }
            b"VP8 " | b"VP8L" | b"ALPH" | b"ICCP" | b"ANIM" | b"ANMF" => {
                image |= matches!(&name, b"VP8 " | b"VP8L" | b"ANMF");
                out.extend_from_slice(input.get(whole)?);
            }
            _ => {}
        }
    }
    if out.len() % 2 != 0 {
        out.push(0);
    }
    let size = u32::try_from(out.len() - 8).ok()?;
    out.get_mut(4..8)?.copy_from_slice(&size.to_le_bytes());
    image.then_some(out)
}
