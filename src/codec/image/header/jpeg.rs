//! JPEG marker segments (ITU-T T.81 Annex B), JFIF, EXIF, ICC and what phones append.

use std::ops::Range;

use super::{Header, over, peek::be16, tiff};
use crate::{
    codec::{CodecError, DecodeLimits, image::recognise::jpeg_start},
    model::{Dimensions, MediaType, Orientation},
};

/// Marker codes, T.81 table B.1.
pub mod marker {
    /// Start of scan.
    pub const SOS: u8 = 0xDA;
    /// End of image.
    pub const EOI: u8 = 0xD9;
    /// Comment.
    pub const COM: u8 = 0xFE;
    /// First application segment.
    pub const APP0: u8 = 0xE0;
    /// EXIF and XMP.
    pub const APP1: u8 = 0xE1;
    /// ICC, MPF.
    pub const APP2: u8 = 0xE2;
    /// Adobe.
    pub const APP14: u8 = 0xEE;
    /// Last application segment.
    pub const APP15: u8 = 0xEF;
}

/// More segments than any camera writes (the corpus' richest has 90); bounds the walk's memory.
const MAX_SEGMENTS: usize = 4096;
/// Scans of one image. Encoders use 3 to 20; libjpeg-turbo's fuzzers stop at 500.
const MAX_SCANS: u32 = 100;
/// Coefficient passes over all scans, in pixels, relative to the pixel limit.
const MAX_SCAN_WORK: u64 = 10;
/// ICC profiles larger than this are ignored (press CMYK profiles have up to 2 MB).
const MAX_ICC: usize = 4 << 20;

/// One marker segment.
#[derive(Clone, Debug)]
pub struct Segment {
    /// The code after 0xFF.
    pub marker: u8,
    /// Marker, length and body.
    pub whole: Range<usize>,
    /// The body alone.
    pub body: Range<usize>,
}

/// A JPEG's frame header, T.81 B.2.2.
#[derive(Clone, Copy, Debug)]
pub struct Frame {
    /// The SOF marker code.
    pub sof: u8,
    /// Bits a sample.
    pub precision: u8,
    /// Width and height; zero lines are refused.
    pub stored: Dimensions,
    /// 1 gray, 3 colour, 4 CMYK or YCCK.
    pub components: u8,
    /// Sum over components of their share of the full sampling grid, in sixteenths.
    pub sample_share_16: u64,
}

/// The skeleton of a JPEG file.
#[derive(Debug)]
pub struct Layout {
    /// Offset of SOI.
    pub start: usize,
    /// Segments before, between and after the scans, in order; SOI, RST and EOI left out.
    pub segments: Vec<Segment>,
    /// The frame header.
    pub frame: Frame,
    /// Scans found.
    pub scans: u32,
    /// Offset just after the first EOI, if there is one.
    pub end: Option<usize>,
}

fn malformed(detail: impl Into<String>) -> CodecError {
    CodecError::Malformed { format: "JPEG", detail: detail.into() }
}

/// Walks the markers. Damage after the first scan ends the walk; damage before it is an error.
pub fn layout(bytes: &[u8]) -> Result<Layout, CodecError> {
    let start = jpeg_start(bytes).ok_or_else(|| malformed("no start of image"))?;
    let mut at = start + 2;
    let mut segments = Vec::new();
    let (mut frame, mut scans, mut end) = (None, 0_u32, None);
    while let Some(found) = next_marker(bytes, at, scans > 0) {
        let (marker_at, code) = found;
        let body_at = marker_at + 2;
        match code {
            // TEM, RST and a stray SOI have no length.
            0x01 | 0xD0..=0xD8 => {
                at = body_at;
                continue;
            }
            marker::EOI => {
                end = Some(body_at);
                break;
            }
            _ => {}
        }
        let length = be16(bytes, body_at).map(usize::from).filter(|n| *n >= 2);
        let Some(segment_end) = length.map(|n| body_at + n).filter(|n| *n <= bytes.len()) else {
            if scans > 0 {
                break;
            }
            return Err(malformed(format!("marker {code:#04x} is cut off")));
        };
        if segments.len() == MAX_SEGMENTS {
            let limit = MAX_SEGMENTS as u64;
            return Err(CodecError::Limit { what: "segments", found: limit + 1, limit });
        }
        let body = body_at + 2..segment_end;
        if frame.is_none() && matches!(code, 0xC0..=0xCF) && !matches!(code, 0xC4 | 0xC8 | 0xCC) {
            frame = Some(parse_frame(code, &bytes[body.clone()])?);
        }
        scans += u32::from(code == marker::SOS);
        segments.push(Segment { marker: code, whole: marker_at..segment_end, body });
        at = segment_end;
    }
    let frame = frame.ok_or_else(|| malformed("no frame header"))?;
    if scans == 0 {
        return Err(malformed("no scan"));
    }
    Ok(Layout { start, segments, frame, scans, end })
}

/// The next marker at or after `from`. Entropy-coded data is skipped where `in_scan`; stray bytes
/// between segments are skipped too, as decoders do.
fn next_marker(bytes: &[u8], from: usize, in_scan: bool) -> Option<(usize, u8)> {
    let mut at = from;
    loop {
        at += memchr::memchr(0xFF, bytes.get(at..)?)?;
        match *bytes.get(at + 1)? {
            0 => at += 2,
            0xFF => at += 1,
            0xD0..=0xD7 if in_scan => at += 2,
            code => return Some((at, code)),
        }
    }
}

fn parse_frame(sof: u8, body: &[u8]) -> Result<Frame, CodecError> {
    let short = || malformed("frame header is cut off");
    let precision = *body.first().ok_or_else(short)?;
    let height = be16(body, 1).ok_or_else(short)?;
    let width = be16(body, 3).ok_or_else(short)?;
    let components = *body.get(5).ok_or_else(short)?;
    let stored = Dimensions::new(width.into(), height.into())
        .ok_or_else(|| malformed(format!("dimensions {width}x{height}")))?;
    let factors: Vec<(u64, u64)> = (0..usize::from(components))
        .map(|i| body.get(7 + 3 * i).map(|b| (u64::from(b >> 4), u64::from(b & 15))))
        .collect::<Option<_>>()
        .ok_or_else(short)?;
    let h_max = factors.iter().map(|f| f.0).max().unwrap_or(1);
    let v_max = factors.iter().map(|f| f.1).max().unwrap_or(1);
    if factors.iter().any(|f| f.0 == 0 || f.1 == 0 || f.0 > 4 || f.1 > 4) {
        return Err(malformed("sampling factor outside 1 to 4"));
    }
    let sample_share_16 = factors.iter().map(|f| 16 * f.0 * f.1 / (h_max * v_max)).sum();
    Ok(Frame { sof, precision, stored, components, sample_share_16 })
}

impl Layout {
    /// Bodies of the segments with `code` whose bodies start with `prefix`, prefix cut off.
    pub fn bodies<'a>(
        &'a self,
        bytes: &'a [u8],
        code: u8,
        prefix: &'a [u8],
    ) -> impl Iterator<Item = &'a [u8]> {
        self.segments
            .iter()
            .filter(move |s| s.marker == code)
            .filter_map(move |s| bytes.get(s.body.clone())?.strip_prefix(prefix))
    }

    /// The colour transform of the Adobe segment: 0 RGB or CMYK, 1 YCbCr, 2 YCCK.
    pub fn adobe(&self, bytes: &[u8]) -> Option<u8> {
        self.bodies(bytes, marker::APP14, b"Adobe").find_map(|body| body.get(6).copied())
    }

    /// The embedded ICC profile, put together from its chunks (ICC.1:2010 B.4). Nothing where
    /// chunks are missing or doubled.
    pub fn icc(&self, bytes: &[u8]) -> Option<Vec<u8>> {
        let mut chunks: Vec<(u8, u8, &[u8])> = self
            .bodies(bytes, marker::APP2, b"ICC_PROFILE\0")
            .filter_map(|body| Some((*body.first()?, *body.get(1)?, body.get(2..)?)))
            .collect();
        chunks.sort_by_key(|c| c.0);
        let complete = chunks
            .iter()
            .enumerate()
            .all(|(i, c)| usize::from(c.0) == i + 1 && usize::from(c.1) == chunks.len());
        let size: usize = chunks.iter().map(|c| c.2.len()).sum();
        (complete && (128..=MAX_ICC).contains(&size))
            .then(|| chunks.into_iter().flat_map(|c| c.2).copied().collect())
    }

    /// EXIF orientation; as stored where there is none.
    pub fn orientation(&self, bytes: &[u8]) -> Orientation {
        self.bodies(bytes, marker::APP1, b"Exif\0\0")
            .find_map(tiff::orientation)
            .unwrap_or(Orientation::NORMAL)
    }

    /// Whether `segment` is needed to show the image right. ICC is judged by the caller.
    pub fn is_image(&self, bytes: &[u8], segment: &Segment) -> bool {
        let body = bytes.get(segment.body.clone()).unwrap_or_default();
        match segment.marker {
            // JFIF without a thumbnail (its size is in bytes 12 and 13).
            marker::APP0 => body.starts_with(b"JFIF\0") && body.get(12..14) == Some(&[0, 0]),
            marker::APP2 => body.starts_with(b"ICC_PROFILE\0"),
            marker::APP14 => body.starts_with(b"Adobe"),
            marker::APP1..=marker::APP15 | marker::COM => false,
            _ => true,
        }
    }

    /// Whether anything but the image is in the file: metadata segments, or what phones append
    /// after the end (second images, gain maps, videos).
    pub fn has_metadata(&self, bytes: &[u8]) -> bool {
        let trailer = self.end.and_then(|end| bytes.get(end..)).unwrap_or_default();
        trailer.iter().any(|b| *b != 0) || self.segments.iter().any(|s| !self.is_image(bytes, s))
    }
}

/// Reads the headers.
pub fn read(bytes: &[u8], limits: &DecodeLimits) -> Result<Header, CodecError> {
    let layout = layout(bytes)?;
    let frame = layout.frame;
    let progressive = matches!(frame.sof, 0xC2 | 0xCA);
    let pixels = frame.stored.pixels();
    over("pixels", pixels, limits.max_pixels)?;
    if progressive {
        over("scans", layout.scans.into(), MAX_SCANS.into())?;
        over(
            "scan work",
            pixels.saturating_mul(layout.scans.into()),
            limits.max_pixels.saturating_mul(MAX_SCAN_WORK),
        )?;
    } else {
        over("scans", layout.scans.into(), 4 * u64::from(frame.components.max(1)))?;
    }
    let codec = match frame.sof {
        0xC0 => "baseline",
        0xC1 => "extended",
        0xC2 => "progressive",
        0xC3 => "lossless",
        0xC9..=0xCB => "arithmetic",
        _ => "hierarchical",
    };
    let mut header = Header::still(MediaType::JPEG, frame.stored, codec, 0);
    // Progressive: all coefficients, 16 bits each. Else a stripe, and the scaled output, whose
    // size is judged where it is known.
    header.memory = match frame.sof {
        0xC2 => pixels.saturating_mul(frame.sample_share_16) / 16 * 2,
        0xC3 => pixels.saturating_mul(2 * u64::from(frame.components)),
        _ => pixels.saturating_mul(frame.sample_share_16) / 16 / 64,
    };
    header.orientation = layout.orientation(bytes);
    header.gray = frame.components == 1;
    header.exotic = frame.components == 4 || frame.precision != 8 || frame.sof > 0xC2;
    header.metadata = layout.has_metadata(bytes);
    header.truncated = layout.end.is_none();
    Ok(header)
}
