//! What the worker reads, told by content: the host must know without asking.

use super::{Codec, image::ImageCodec, sniff};
use crate::model::{MediaKind, MediaType};

/// An input that begins so makes a worker that was started for fault tests do mischief.
pub const FAULT: &[u8] = b"#!MMSFIT-FAULT ";

/// Brands of HEIF files (ISO/IEC 23008-12 clause 10, AVIF clause 6): pictures and bursts.
const HEIC: [&[u8; 4]; 6] = [b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx"];
const AVIF: [&[u8; 4]; 2] = [b"avif", b"avis"];
const HEIF: [&[u8; 4]; 2] = [b"mif1", b"msf1"];

/// The type of a picture in a HEIF file.
pub fn heif(bytes: &[u8]) -> Option<MediaType> {
    if bytes.get(4..8)? != b"ftyp" {
        return None;
    }
    let length = u32::from_be_bytes(bytes.get(..4)?.try_into().ok()?) as usize;
    let brands = bytes.get(8..length.min(bytes.len()).min(256))?;
    let major: &[u8; 4] = brands.get(..4)?.try_into().ok()?;
    let compatible = || brands.get(8..).unwrap_or_default().chunks_exact(4);
    if HEIC.contains(&major) {
        return Some(MediaType::HEIC);
    }
    if AVIF.contains(&major) {
        return Some(MediaType::AVIF);
    }
    // The general brand: the compatible ones tell the coding.
    if HEIF.contains(&major) {
        let avif = compatible().any(|brand| AVIF.iter().any(|a| brand == *a));
        return Some(if avif { MediaType::AVIF } else { MediaType::HEIC });
    }
    None
}

/// The type of what the worker reads.
pub fn recognise(bytes: &[u8]) -> Option<MediaType> {
    heif(bytes).or_else(|| {
        let found = sniff(bytes)?;
        let readable = matches!(found.kind(), MediaKind::Audio | MediaKind::Video);
        let score = matches!(found.as_str(), "audio/midi" | "audio/imelody");
        (readable && !score).then_some(found)
    })
}

/// The type of what the worker writes: sound, moving pictures, and pictures of them.
pub fn recognise_output(bytes: &[u8]) -> Option<MediaType> {
    ImageCodec.recognise(bytes).or_else(|| recognise(bytes))
}

/// The kinds that the worker makes of an input.
pub fn writes(input: &MediaType, output: MediaKind) -> bool {
    match input.kind() {
        MediaKind::Image if *input == MediaType::GIF => output == MediaKind::Video,
        MediaKind::Image => output == MediaKind::Image,
        MediaKind::Video => {
            matches!(output, MediaKind::Video | MediaKind::Audio | MediaKind::Image)
        }
        MediaKind::Audio => output == MediaKind::Audio,
        _ => false,
    }
}
