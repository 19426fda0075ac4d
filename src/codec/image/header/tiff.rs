//! TIFF 6.0 directories: headers of TIFF files, and the orientation inside EXIF.

use super::{Header, peek};
use crate::{
    codec::CodecError,
    model::{Dimensions, MediaType, Orientation},
};

/// Tags, TIFF 6.0 §8.
mod tag {
    pub const IMAGE_WIDTH: u16 = 256;
    pub const IMAGE_LENGTH: u16 = 257;
    pub const BITS_PER_SAMPLE: u16 = 258;
    pub const COMPRESSION: u16 = 259;
    pub const PHOTOMETRIC: u16 = 262;
    pub const ORIENTATION: u16 = 274;
    pub const SAMPLES_PER_PIXEL: u16 = 277;
    pub const EXTRA_SAMPLES: u16 = 338;
    /// XMP, IPTC, Photoshop, EXIF, GPS; artist, copyright, host, software, description, model.
    pub const METADATA: [u16; 13] =
        [270, 271, 272, 305, 306, 315, 316, 700, 33432, 33723, 34377, 34665, 34853];
}

/// PhotometricInterpretation of YCbCr, TIFF 6.0 §21.
const YCBCR: u32 = 6;

/// The first directory of a TIFF structure.
struct Directory<'a> {
    bytes: &'a [u8],
    big_endian: bool,
    first: usize,
    count: usize,
}

impl<'a> Directory<'a> {
    fn open(bytes: &'a [u8]) -> Option<Self> {
        let big_endian = match bytes.get(..4)? {
            [b'M', b'M', 0, 42] => true,
            [b'I', b'I', 42, 0] => false,
            _ => return None,
        };
        let mut directory = Self { bytes, big_endian, first: 0, count: 0 };
        let at = directory.u32(4)? as usize;
        directory.count = directory.u16(at)?.into();
        directory.first = at.checked_add(2)?;
        Some(directory)
    }

    fn u16(&self, at: usize) -> Option<u16> {
        if self.big_endian { peek::be16(self.bytes, at) } else { peek::le16(self.bytes, at) }
    }

    fn u32(&self, at: usize) -> Option<u32> {
        if self.big_endian { peek::be32(self.bytes, at) } else { peek::le32(self.bytes, at) }
    }

    /// Offset of the entry of `tag`.
    fn entry(&self, tag: u16) -> Option<usize> {
        (0..self.count)
            .map_while(|i| self.first.checked_add(i * 12).filter(|at| at + 12 <= self.bytes.len()))
            .find(|at| self.u16(*at) == Some(tag))
    }

    /// The first value of `tag`: BYTE, SHORT or LONG.
    fn value(&self, tag: u16) -> Option<u32> {
        let at = self.entry(tag)?;
        let count = self.u32(at + 4)?;
        match (self.u16(at + 2)?, count) {
            (_, 0) => None,
            (1, 1..=4) => self.bytes.get(at + 8).map(|b| u32::from(*b)),
            (3, 1..=2) => self.u16(at + 8).map(u32::from),
            (3, _) => self.u16(self.u32(at + 8)? as usize).map(u32::from),
            (4, 1) => self.u32(at + 8),
            _ => None,
        }
    }
}

/// Orientation in a TIFF structure, EXIF's own (JEITA CP-3451 §4.6.4).
pub fn orientation(bytes: &[u8]) -> Option<Orientation> {
    Directory::open(bytes)?.value(tag::ORIENTATION).map(Orientation::from_exif)
}

/// Reads the first directory.
pub fn read(bytes: &[u8]) -> Result<Header, CodecError> {
    let malformed =
        |detail: &str| CodecError::Malformed { format: "TIFF", detail: detail.to_owned() };
    let directory = Directory::open(bytes).ok_or_else(|| malformed("no directory"))?;
    let side = |tag| directory.value(tag).ok_or_else(|| malformed("no dimensions"));
    let stored = Dimensions::new(side(tag::IMAGE_WIDTH)?, side(tag::IMAGE_LENGTH)?)
        .ok_or_else(|| malformed("a side is zero"))?;
    let bits = directory.value(tag::BITS_PER_SAMPLE).unwrap_or(1);
    let samples = directory.value(tag::SAMPLES_PER_PIXEL).unwrap_or(1);
    let photometric = directory.value(tag::PHOTOMETRIC).unwrap_or(1);
    // Known by its header, so that plans do not promise it: no crate that reads TIFF reads this.
    if photometric == YCBCR {
        return Err(CodecError::Unsupported { format: "TIFF", detail: "YCbCr pixels".into() });
    }
    let codec = match directory.value(tag::COMPRESSION).unwrap_or(1) {
        1 => "raw",
        2..=4 => "fax",
        5 => "lzw",
        6 | 7 => "jpeg",
        8 | 32946 => "deflate",
        32773 => "packbits",
        _ => "tiff",
    };
    let per_pixel = u64::from(samples.clamp(1, 16)) * u64::from(bits.div_ceil(8).clamp(1, 8));
    let mut header = Header::still(MediaType::TIFF, stored, codec, per_pixel);
    header.orientation = orientation(bytes).unwrap_or_default();
    header.alpha = directory.entry(tag::EXTRA_SAMPLES).is_some();
    header.gray = photometric <= 1;
    // 5 CMYK, 8 CIE Lab, 9 ICC Lab, 10 ITU Lab.
    header.exotic = bits > 8 || matches!(photometric, 5 | 8 | 9 | 10);
    header.metadata = tag::METADATA.iter().any(|t| directory.entry(*t).is_some());
    Ok(header)
}
