//! Which image format a run of bytes is, by its content alone.

use super::wbmp;
use crate::model::MediaType;

/// Filler bytes that some senders put before a JPEG; more than this is not looked through.
const MAX_FILLER: usize = 64;

/// Where the JPEG stream begins: at its first byte, or after a little filler (zero bytes, blanks,
/// line ends, fill bytes 0xFF of T.81 B.1.1.2).
pub(super) fn jpeg_start(bytes: &[u8]) -> Option<usize> {
    const SOI: [u8; 3] = [0xFF, 0xD8, 0xFF];
    let filler = |b: &u8| matches!(b, 0 | b'\t' | b'\n' | b'\r' | b' ' | 0xFF);
    (0..=MAX_FILLER)
        .take_while(|&at| at == 0 || bytes.get(at - 1).is_some_and(filler))
        .find(|&at| bytes.get(at..).is_some_and(|rest| rest.starts_with(&SOI)))
}

/// The media type of an image, `None` if it is none that is known here.
pub(super) fn recognise(bytes: &[u8]) -> Option<MediaType> {
    let starts = |magic: &[u8]| bytes.starts_with(magic);
    if starts(b"\x89PNG\r\n\x1a\n") {
        Some(MediaType::PNG)
    } else if starts(b"GIF87a") || starts(b"GIF89a") {
        Some(MediaType::GIF)
    } else if starts(b"RIFF") && bytes.get(8..12) == Some(b"WEBP") {
        Some(MediaType::WEBP)
    } else if starts(b"II\x2a\0") || starts(b"MM\0\x2a") {
        Some(MediaType::TIFF)
    } else if is_bmp(bytes) {
        Some(MediaType::BMP)
    } else if let Some(heif) = heif(bytes) {
        Some(heif)
    } else if jpeg_start(bytes).is_some() {
        Some(MediaType::JPEG)
    } else if wbmp::recognise(bytes) {
        Some(MediaType::WBMP)
    } else {
        None
    }
}

/// `BM` alone is two letters of text: the length of the information header must be known too.
fn is_bmp(bytes: &[u8]) -> bool {
    bytes.starts_with(b"BM")
        && bytes
            .get(14..18)
            .and_then(|b| b.try_into().ok())
            .map(u32::from_le_bytes)
            .is_some_and(|n| matches!(n, 12 | 16 | 40 | 52 | 56 | 64 | 108 | 124))
}

/// Brands of the file type box, ISO/IEC 14496-12 §4.3, 23008-12 §10, AVIF 1.1 §6.
fn heif(bytes: &[u8]) -> Option<MediaType> {
    if bytes.get(4..8)? != b"ftyp" {
        return None;
    }
    let size = u32::from_be_bytes(bytes.get(..4)?.try_into().ok()?) as usize;
    let body = bytes.get(8..size.clamp(16, 256).min(bytes.len()))?;
    // The major brand decides; `mif1` and `msf1` are any HEIF, so that the list of compatible
    // brands must say which codec. The minor version between them never looks like a brand.
    let mut generic = false;
    for brand in body.chunks_exact(4) {
        match brand {
            b"avif" | b"avis" => return Some(MediaType::AVIF),
            b"heic" | b"heix" | b"heim" | b"heis" | b"hevc" | b"hevx" => {
                return Some(MediaType::HEIC);
            }
            b"mif1" | b"msf1" | b"mif2" | b"miaf" => generic = true,
            // A video that merely lists an image brand is a video.
            _ if !generic && brand == &body[..4] => return None,
            _ => {}
        }
    }
    generic.then_some(MediaType::HEIC)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn magic_numbers_and_near_misses() {
        let ftyp = |brands: &[u8]| {
            let mut file = (8 + brands.len() as u32).to_be_bytes().to_vec();
            file.extend_from_slice(b"ftyp");
            file.extend_from_slice(brands);
            file
        };
        for (bytes, want) in [
            (b"\xFF\xD8\xFF\xE0".to_vec(), Some(MediaType::JPEG)),
            (b"\0\0\r\n\xFF\xD8\xFF\xE0".to_vec(), Some(MediaType::JPEG)),
            (b"text \xFF\xD8\xFF\xE0".to_vec(), None),
            (b"BMW is a car maker".to_vec(), None),
            (b"RIFF\0\0\0\0WAVE".to_vec(), None),
            (b"RIFF\0\0\0\0WEBP".to_vec(), Some(MediaType::WEBP)),
            (ftyp(b"heic\0\0\0\0mif1heic"), Some(MediaType::HEIC)),
            (ftyp(b"mif1\0\0\0\0mif1avif"), Some(MediaType::AVIF)),
            (ftyp(b"mif1\0\0\0\0mif1"), Some(MediaType::HEIC)),
            (ftyp(b"isom\0\0\0\0mif1heic"), None),
            (Vec::new(), None),
            (vec![0], None),
        ] {
            assert_eq!(recognise(&bytes), want, "{bytes:?}");
        }
    }
}
