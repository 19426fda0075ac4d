//! PNG, WebP, BMP and TIFF, the first image of each, by the decoders of `image`.

use image::{
    ColorType, ImageDecoder, ImageError, Limits,
    codecs::{bmp::BmpDecoder, png::PngDecoder, tiff::TiffDecoder, webp::WebPDecoder},
};

use super::{
    Decoded,
    png_color::{self, Meaning},
};
use crate::{
    codec::{
        CodecError, DecodeLimits,
        image::{
            color::{Model, narrow},
            header::{self, Header},
            input::{StopReader, stop_cause},
            raster::Overhang,
            resize::Plane,
        },
    },
    model::{Dimensions, Stop},
};

/// ICC profiles larger than this are ignored.
const MAX_ICC: usize = 4 << 20;

/// Decodes the whole.
pub(super) fn decode(
    bytes: &[u8],
    header: &Header,
    limits: &DecodeLimits,
    stop: &Stop,
) -> Result<Decoded, CodecError> {
    let reader = StopReader::new(bytes, stop);
    let wanted = header.stored;
    match header.media_type.as_str() {
        "image/png" => {
            let decoder =
                PngDecoder::with_limits(reader, to_limits(limits)).map_err(|e| error("PNG", &e))?;
            let decoded = with_profile("PNG", decoder, wanted, limits)?;
            let icc = match png_color::meaning(bytes, decoded.plane.channels < 3) {
                Meaning::Embedded => decoded.icc,
                Meaning::Srgb => None,
                Meaning::Profile(icc) => Some(icc),
            };
            Ok(Decoded { icc, ..decoded })
        }
        "image/webp" => {
            let decoder = WebPDecoder::new(reader).map_err(|e| error("WebP", &e))?;
            with_profile("WebP", decoder, wanted, limits)
        }
        "image/bmp" => {
            let decoder = BmpDecoder::new(reader).map_err(|e| error("BMP", &e))?;
            with_profile("BMP", decoder, wanted, limits)
        }
        "image/tiff" => {
            let decoder = TiffDecoder::new(reader).map_err(|e| error("TIFF", &e))?;
            with_profile("TIFF", decoder, wanted, limits)
        }
        other => Err(CodecError::Internal(format!("no decoder for {other}"))),
    }
}

fn to_limits(limits: &DecodeLimits) -> Limits {
    let mut out = Limits::no_limits();
    out.max_alloc = Some(limits.max_memory.get());
    out
}

fn with_profile(
    format: &'static str,
    mut decoder: impl ImageDecoder,
    wanted: Dimensions,
    limits: &DecodeLimits,
) -> Result<Decoded, CodecError> {
    decoder.set_limits(to_limits(limits)).map_err(|e| error(format, &e))?;
    // A CMYK file is handed over as RGB by `image`: its profile no longer fits.
    let icc = decoder
        .icc_profile()
        .ok()
        .flatten()
        .filter(|icc| icc.len() <= MAX_ICC && icc.get(16..20) != Some(b"CMYK"));
    header::over("memory", decoder.total_bytes(), limits.max_memory.get())?;
    let plane = read(format, decoder, wanted)?;
    Ok(Decoded { plane, model: Model::Light, icc })
}

/// Reads all pixels of `decoder`, which must have the dimensions that the headers told.
pub(super) fn read(
    format: &'static str,
    decoder: impl ImageDecoder,
    wanted: Dimensions,
) -> Result<Plane, CodecError> {
    let (width, height) = decoder.dimensions();
    let dimensions = Dimensions::new(width, height).filter(|found| *found == wanted);
    let Some(dimensions) = dimensions else {
        return Err(CodecError::Malformed {
            format,
            detail: format!("headers disagree: {wanted} and {width}x{height}"),
        });
    };
    let color = decoder.color_type();
    let length = usize::try_from(decoder.total_bytes())
        .map_err(|_| CodecError::Internal("image longer than memory".into()))?;
    let mut pixels = vec![0; length];
    decoder.read_image(&mut pixels).map_err(|e| error(format, &e))?;
    let pixels = match color {
        ColorType::L8 | ColorType::La8 | ColorType::Rgb8 | ColorType::Rgba8 => pixels,
        ColorType::L16 | ColorType::La16 | ColorType::Rgb16 | ColorType::Rgba16 => narrow(pixels),
        ColorType::Rgb32F | ColorType::Rgba32F => from_floats(&pixels),
        other => {
            return Err(CodecError::Unsupported { format, detail: format!("{other:?} pixels") });
        }
    };
    let channels = usize::from(color.channel_count());
    let alpha = color.has_alpha();
    Ok(Plane { dimensions, channels, alpha, pixels, overhang: Overhang::default() })
}

/// Linear light 0…1, as TIFF keeps it, to sRGB's curve (IEC 61966-2-1).
fn from_floats(bytes: &[u8]) -> Vec<u8> {
    let (floats, _) = bytes.as_chunks::<4>();
    floats
        .iter()
        .map(|bytes| {
            let linear = f32::from_ne_bytes(*bytes).clamp(0.0, 1.0);
            let curved = if linear <= 0.003_130_8 {
                12.92 * linear
            } else {
                1.055 * linear.powf(1.0 / 2.4) - 0.055
            };
            (curved * 255.0).round() as u8
        })
        .collect()
}

/// An error of `image` as ours.
pub(super) fn error(format: &'static str, error: &ImageError) -> CodecError {
    if let Some(cause) = stop_cause(error) {
        return cause.into();
    }
    match error {
        ImageError::IoError(io) => match stop_cause(io) {
            Some(cause) => cause.into(),
            None => CodecError::Malformed { format, detail: io.to_string() },
        },
        ImageError::Unsupported(what) => {
            CodecError::Unsupported { format, detail: what.to_string() }
        }
        // What the headers told has been checked already: these are hidden sizes.
        ImageError::Limits(what) => {
            CodecError::Malformed { format, detail: format!("too large inside: {what}") }
        }
        other => CodecError::Malformed { format, detail: other.to_string() },
    }
}
