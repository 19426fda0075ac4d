//! What the worker reads, told by content: the host must know without asking.

use super::{Codec, image::ImageCodec, sniff};
use crate::model::{MediaKind, MediaType};

/// An input that begins so makes a worker that was started for fault tests do mischief.
pub const FAULT: &[u8] = b"#!MMSFIT-FAULT ";

/// The type of an image in a HEIF file.
pub fn heif(bytes: &[u8]) -> Option<MediaType> {
    ImageCodec.recognise(bytes).filter(|found| [MediaType::HEIC, MediaType::AVIF].contains(found))
}

/// The type of audio or video that the worker reads. An animated GIF is such, too:
/// other codecs keep it a GIF.
pub fn moving(bytes: &[u8]) -> Option<MediaType> {
    if bytes.starts_with(b"GIF8") {
        return Some(MediaType::GIF);
    }
    let found = sniff(bytes)?;
    let readable = matches!(found.kind(), MediaKind::Audio | MediaKind::Video);
    // Notes, not audio.
    let score = matches!(found.as_str(), "audio/midi" | "audio/imelody");
    (readable && !score).then_some(found)
}

/// The type of what the worker reads.
pub fn recognise(bytes: &[u8]) -> Option<MediaType> {
    heif(bytes).or_else(|| moving(bytes))
}

/// The type of what the worker writes: audio, video, and images of them.
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
