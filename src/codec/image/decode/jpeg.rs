//! JPEG at a fraction of its size: what cameras write by our own reader; the rest of JPEG by
//! `jpeg-decoder`, which scales in the DCT too; where it refuses, `zune-jpeg` (by way of `image`),
//! which forgives more, decodes the whole.

use std::io::Cursor;

use image::codecs::jpeg::JpegDecoder;
use jpeg_decoder::{Decoder, PixelFormat};

use super::{Decoded, still};
use crate::{
    codec::{
        CodecError, DecodeLimits,
        image::{
            color::{Model, narrow},
            header::{self, Header},
            input::{StopReader, stop_cause},
            jpeg_in,
            raster::Overhang,
            resize::Plane,
        },
    },
    model::{Dimensions, Stop},
};

/// The rows of luma of what we wrote, at its full size; `None` where our reader does not take it.
pub(super) fn read_luma(
    bytes: &[u8],
    header: &Header,
    limits: &DecodeLimits,
    stop: &Stop,
    each: impl FnMut(&[u8]),
) -> Option<()> {
    let layout = header::jpeg::layout(bytes).ok()?;
    let plain = layout.icc(bytes).is_none() && header.orientation.is_normal();
    let stream = bytes.get(layout.start..).filter(|_| plain)?;
    let size = jpeg_in::read_luma(stream, limits.max_memory, stop, each)?;
    (size == header.stored).then_some(())
}

/// Decodes to at least `target` (in stored order) if the image has that many pixels.
pub(super) fn decode(
    bytes: &[u8],
    header: &Header,
    target: Dimensions,
    limits: &DecodeLimits,
    stop: &Stop,
) -> Result<Decoded, CodecError> {
    let layout = header::jpeg::layout(bytes)?;
    let icc = layout.icc(bytes);
    let stream = bytes.get(layout.start..).unwrap_or_default();
    let adobe = layout.adobe(bytes).is_some();
    if let Some(own) = jpeg_in::decode(stream, target, limits.max_memory, stop) {
        let jpeg_in::Decoded { dimensions, channels, pixels, overhang } = own;
        let plane = Plane { dimensions, channels, alpha: false, pixels, overhang };
        return Ok(Decoded { plane, model: Model::Light, icc });
    }
    stop.check()?;
    // Lossless JPEG has no transform to scale in.
    let target = if header.codec == "lossless" { header.stored } else { target };
    match scaled(stream, adobe, target, limits, stop) {
        Ok((plane, model)) => Ok(Decoded { plane, model, icc }),
        Err(error @ (CodecError::Stopped(_) | CodecError::Limit { .. })) => Err(error),
        Err(first) => {
            stop.check()?;
            let plane = whole(stream, header, limits).map_err(|second| match second {
                CodecError::Malformed { .. } | CodecError::Unsupported { .. } => first,
                other => other,
            })?;
            Ok(Decoded { plane, model: Model::Light, icc: icc.filter(|_| !header.exotic) })
        }
    }
}

fn scaled(
    stream: &[u8],
    adobe: bool,
    target: Dimensions,
    limits: &DecodeLimits,
    stop: &Stop,
) -> Result<(Plane, Model), CodecError> {
    let reader = StopReader::new(stream, stop);
    let mut decoder = Decoder::new(reader);
    decoder.set_max_decoding_buffer_size(limits.max_memory.as_usize());
    decoder.read_info().map_err(error)?;
    let whole = decoder.info().and_then(|i| Dimensions::new(i.width.into(), i.height.into()));
    let side = |n: u32| u16::try_from(n).unwrap_or(u16::MAX);
    let (width, height) =
        decoder.scale(side(target.width()), side(target.height())).map_err(error)?;
    let dimensions = Dimensions::new(width.into(), height.into())
        .ok_or_else(|| CodecError::Malformed { format: "JPEG", detail: "a side is zero".into() })?;
    // Planes of all components, and the interleaved image.
    header::over("memory", dimensions.pixels().saturating_mul(8), limits.max_memory.get())?;
    let mut pixels = decoder.decode().map_err(error)?;
    let format = decoder.info().map(|info| info.pixel_format);
    let (channels, model) = match format {
        Some(PixelFormat::L8) => (1, Model::Light),
        Some(PixelFormat::L16) => {
            pixels = narrow(pixels);
            (1, Model::Light)
        }
        Some(PixelFormat::CMYK32) => {
            // The decoder takes all four-component files for Adobe's, which are inverted.
            if !adobe {
                pixels.iter_mut().for_each(|v| *v = 255 - *v);
            }
            (4, Model::Ink)
        }
        _ => (3, Model::Light),
    };
    if pixels.len() as u64 != dimensions.pixels() * channels as u64 {
        let detail = format!("{} bytes of {dimensions}", pixels.len());
        return Err(CodecError::Malformed { format: "JPEG", detail });
    }
    let overhang = whole.map_or_else(Overhang::default, |whole| overhang(whole, dimensions));
    Ok((Plane { dimensions, channels, alpha: false, pixels, overhang }, model))
}

/// The decoder says what came out, not the scale: the least eighths that make it.
fn overhang(whole: Dimensions, scaled: Dimensions) -> Overhang {
    let makes = |eighths: &u32| {
        (whole.width() * eighths).div_ceil(8) == scaled.width()
            && (whole.height() * eighths).div_ceil(8) == scaled.height()
    };
    let eighths = [8, 4, 2, 1].into_iter().find(makes);
    eighths.map_or_else(Overhang::default, |eighths| Overhang::at_scale(whole, eighths))
}

fn whole(stream: &[u8], header: &Header, limits: &DecodeLimits) -> Result<Plane, CodecError> {
    header::over("memory", header.stored.pixels().saturating_mul(4), limits.max_memory.get())?;
    let decoder = JpegDecoder::new(Cursor::new(stream)).map_err(|e| still::error("JPEG", &e))?;
    still::read("JPEG", decoder, header.stored)
}

fn error(error: jpeg_decoder::Error) -> CodecError {
    if let Some(cause) = stop_cause(&error) {
        return cause.into();
    }
    if let jpeg_decoder::Error::Io(io) = &error
        && let Some(cause) = stop_cause(io)
    {
        return cause.into();
    }
    let format = "JPEG";
    match error {
        jpeg_decoder::Error::Unsupported(feature) => {
            CodecError::Unsupported { format, detail: format!("{feature:?}") }
        }
        other => CodecError::Malformed { format, detail: other.to_string() },
    }
}
