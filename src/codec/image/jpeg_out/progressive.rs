//! Progressive JPEG, by `jpeg-encoder`.

use std::io;

use bytes::Bytes as Buffer;
use jpeg_encoder::{ChromaSubsamplingMethod, ColorType, Encoder, SamplingFactor};

use super::transform::sides;
use crate::{
    codec::{
        CodecError, EncodeError,
        image::raster::{Layout, Raster},
    },
    model::{Bytes, Chroma, Quality, Stop, StopCause},
};

/// `raster`, which has no alpha, as a progressive JPEG of at most `cap` bytes.
pub(super) fn encode(
    raster: &Raster,
    (quality, chroma): (Quality, Chroma),
    cap: Bytes,
    stop: &Stop,
) -> Result<Buffer, EncodeError> {
    stop.check()?;
    let (width, height) = sides(raster.dimensions())?;
    let color = match raster.layout() {
        Layout::Gray => ColorType::Luma,
        Layout::Rgb => ColorType::Rgb,
        Layout::Rgba => {
            return Err(CodecError::Internal("JPEG of a raster with alpha".into()).into());
        }
    };
    let mut sink = Sink { bytes: Vec::new(), cap: cap.as_usize(), passed: None, stop, cause: None };
    let mut encoder = Encoder::new(&mut sink, quality.get());
    encoder.set_sampling_factor(match chroma {
        Chroma::Quarter => SamplingFactor::F_2_2,
        Chroma::Full => SamplingFactor::F_1_1,
    });
    // Nearest, the crate's default, makes coloured edges crawl.
    encoder.set_chroma_subsampling_method(ChromaSubsamplingMethod::Average);
    encoder.set_progressive(true);
    encoder.set_optimized_huffman_tables(true);
    let result = encoder.encode(raster.pixels(), width, height, color);
    match (sink.cause, sink.passed, result) {
        (Some(cause), ..) => Err(cause.into()),
        (None, Some(at_least), _) => Err(EncodeError::OverCap { at_least }),
        (None, None, Err(error)) => Err(CodecError::Internal(error.to_string()).into()),
        (None, None, Ok(())) => Ok(Buffer::from(sink.bytes)),
    }
}

/// Collects bytes until the cap is passed or somebody asks to stop.
struct Sink<'a> {
    bytes: Vec<u8>,
    cap: usize,
    passed: Option<Bytes>,
    stop: &'a Stop,
    cause: Option<StopCause>,
}

impl io::Write for Sink<'_> {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        let total = self.bytes.len() + buf.len();
        if total > self.cap {
            self.passed.get_or_insert(Bytes::new(total as u64));
            return Err(io::Error::other("over the cap"));
        }
        if (self.bytes.len() ^ total) >> 12 != 0
            && let Err(cause) = self.stop.check()
        {
            self.cause = Some(cause);
            return Err(io::Error::other(cause));
        }
        self.bytes.extend_from_slice(buf);
        Ok(buf.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
