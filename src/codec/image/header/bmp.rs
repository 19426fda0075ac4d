//! BMP: the file header and any of the information headers.

use super::{
    Header,
    peek::{le16, le32},
};
use crate::{
    codec::CodecError,
    model::{Dimensions, MediaType},
};

/// Reads the headers.
pub fn read(bytes: &[u8]) -> Result<Header, CodecError> {
    let malformed = |detail: &str| CodecError::Malformed { format: "BMP", detail: detail.into() };
    let cut = || malformed("header is cut off");
    let core = le32(bytes, 14).ok_or_else(cut)? == 12;
    let (width, height, bits) = if core {
        let side = |at| le16(bytes, at).map(u32::from);
        (side(18).ok_or_else(cut)?, side(20).ok_or_else(cut)?, le16(bytes, 24))
    } else {
        let width = le32(bytes, 18).ok_or_else(cut)?;
        if i32::try_from(width).is_err() {
            return Err(malformed("width is negative"));
        }
        // A negative height means rows from top to bottom.
        let height = le32(bytes, 22).ok_or_else(cut)?.cast_signed().unsigned_abs();
        (width, height, le16(bytes, 28))
    };
    let stored = Dimensions::new(width, height).ok_or_else(|| malformed("a side is zero"))?;
    let compression = if core { 0 } else { le32(bytes, 30).unwrap_or(0) };
    let codec = match compression {
        1 | 2 => "rle",
        _ => "raw",
    };
    let mut header = Header::still(MediaType::BMP, stored, codec, 4);
    // Bit fields with a fourth mask. Plain 32 bits leave the fourth byte unused.
    header.alpha = bits == Some(32) && matches!(compression, 3 | 6);
    Ok(header)
}
