//! APNG through `image`'s frame iterator, one canvas at a time, and the stills of both formats.

use std::io::Cursor;

use bytes::Bytes as Buffer;
use image::codecs::png::PngDecoder;
use image::metadata::LoopCount;
use image::{AnimationDecoder, DynamicImage, ImageDecoder, ImageError, Limits};

use super::reel::Reel;
use crate::codec::image::raster::DecodedImage;
use crate::codec::{CodecError, DecodeLimits, OpenHint};
use crate::model::{MediaType, Millis, Stop};

/// Bytes per canvas pixel that `image` holds while it composes: the current and the previous
/// canvas, the raw frame, and the copy it hands out.
pub(super) const CANVAS_BYTES: u64 = 16;

pub(super) fn classify(
    format: &'static str,
    error: &ImageError,
    limits: &DecodeLimits,
) -> CodecError {
    match error {
        ImageError::Limits(_) => CodecError::Limit {
            what: "memory of an animation",
            found: limits.max_memory.get().saturating_add(1),
            limit: limits.max_memory.get(),
        },
        ImageError::Unsupported(e) => CodecError::Unsupported { format, detail: e.to_string() },
        e => CodecError::Malformed { format, detail: e.to_string() },
    }
}

/// What a decoder may allocate, after the canvas has been priced.
pub(super) fn memory(limits: &DecodeLimits) -> Limits {
    let mut allowed = Limits::no_limits();
    allowed.max_alloc = Some(limits.max_memory.get());
    allowed
}

/// See [`super::decode_animation`]. A PNG without animation gives one frame.
pub(super) fn decode_apng(
    input: &Buffer,
    hint: OpenHint,
    limits: &DecodeLimits,
    stop: &Stop,
) -> Result<DecodedImage, CodecError> {
    const FORMAT: &str = "PNG";
    let error = |e: &ImageError| classify(FORMAT, e, limits);
    let canvas = super::count::png_size(input)?;
    super::price(canvas, wanted(input, &MediaType::PNG, hint, limits), limits)?;
    let decoder = PngDecoder::with_limits(Cursor::new(input.as_ref()), memory(limits))
        .map_err(|e| error(&e))?;
    let reel = Reel::new(canvas, CANVAS_BYTES, hint, limits)?;
    if decoder.is_apng().map_err(|e| error(&e))? {
        run(FORMAT, decoder.apng().map_err(|e| error(&e))?, reel, limits, stop)
    } else {
        still(FORMAT, decoder, reel, limits)
    }
}

/// Frames that are decoded.
pub(super) fn wanted(
    input: &Buffer,
    media: &MediaType,
    hint: OpenHint,
    limits: &DecodeLimits,
) -> u32 {
    if !hint.animation {
        return 1;
    }
    super::count_frames(input, media, limits.max_frames).map_or(1, |(frames, _)| frames)
}

/// The one image of a still.
pub(super) fn still(
    format: &'static str,
    decoder: impl ImageDecoder,
    mut reel: Reel,
    limits: &DecodeLimits,
) -> Result<DecodedImage, CodecError> {
    let image = DynamicImage::from_decoder(decoder).map_err(|e| classify(format, &e, limits))?;
    reel.push(image.into_rgba8().as_raw(), Millis::ZERO)?;
    reel.finish(1)
}

fn run<'a>(
    format: &'static str,
    decoder: impl AnimationDecoder<'a>,
    mut reel: Reel,
    limits: &DecodeLimits,
    stop: &Stop,
) -> Result<DecodedImage, CodecError> {
    let loops = match decoder.loop_count() {
        LoopCount::Infinite => 0,
        LoopCount::Finite(n) => u16::try_from(n.get()).unwrap_or(u16::MAX),
    };
    for frame in decoder.into_frames() {
        stop.check()?;
        let frame = match frame {
            Ok(frame) => frame,
            // what came before the break is worth having
            Err(_) if !reel.is_empty() => break,
            Err(e) => return Err(classify(format, &e, limits)),
        };
        let (num, den) = frame.delay().numer_denom_ms();
        let delay = (u64::from(num) + u64::from(den) / 2) / u64::from(den.max(1));
        let delay = Millis::saturating(delay);
        reel.push(frame.buffer().as_raw(), delay)?;
        if reel.is_full() {
            break;
        }
    }
    if reel.is_empty() {
        return Err(CodecError::Malformed { format, detail: "no frame".into() });
    }
    reel.finish(loops)
}
