//! Collects composed canvases as small frames of one size and one layout.

use mmsfit_resample::{Kernel, Pixels, Resampler, Window};

use crate::codec::image::raster::{BROWSER_DELAY, DecodedImage, Frame, Layout, Raster};
use crate::codec::{CodecError, DecodeLimits, OpenHint};
use crate::model::{Dimensions, Millis};

/// Frames kept so far, already scaled.
pub(super) struct Reel {
    canvas: Dimensions,
    shown: Dimensions,
    /// Working memory of the decoder, counted against the limit with the frames.
    canvases: u64,
    max_memory: u64,
    max_frames: usize,
    layout: Layout,
    frames: Vec<(Vec<u8>, Millis)>,
    resampler: Resampler,
}

impl Reel {
    /// For canvases of `canvas` pixels; the decoder holds `bytes_per_pixel` for each of them
    /// while it works.
    pub(super) fn new(
        canvas: Dimensions,
        bytes_per_pixel: u64,
        hint: OpenHint,
        limits: &DecodeLimits,
    ) -> Result<Self, CodecError> {
        let reel = Self {
            canvas,
            shown: canvas.shrunk_into(hint.largest),
            canvases: canvas.pixels().saturating_mul(bytes_per_pixel),
            max_memory: limits.max_memory.get(),
            max_frames: if hint.animation { limits.max_frames.max(1) as usize } else { 1 },
            layout: Layout::Rgb,
            frames: Vec::new(),
            resampler: Resampler::new(),
        };
        reel.reserve(0)?;
        Ok(reel)
    }

    fn reserve(&self, more_frames: u64) -> Result<(), CodecError> {
        let frame = self.shown.pixels().saturating_mul(self.layout.channels() as u64);
        let found = frame
            .saturating_mul(self.frames.len() as u64 + more_frames)
            .saturating_add(self.canvases);
        if found > self.max_memory {
            return Err(CodecError::Limit {
                what: "memory of an animation",
                found,
                limit: self.max_memory,
            });
        }
        Ok(())
    }

    /// Whether no frame has been kept.
    pub(super) fn is_empty(&self) -> bool {
        self.frames.is_empty()
    }

    /// Whether as many frames are kept as are wanted.
    pub(super) fn is_full(&self) -> bool {
        self.frames.len() >= self.max_frames
    }

    /// Keeps `canvas`, straight RGBA, scaled.
    pub(super) fn push(&mut self, canvas: &[u8], delay: Millis) -> Result<(), CodecError> {
        self.reserve(1)?;
        let scaled;
        let rgba: &[u8] = if self.canvas == self.shown {
            canvas
        } else {
            scaled = self.scale(canvas)?;
            &scaled
        };
        if self.layout == Layout::Rgb && rgba.chunks_exact(4).any(|p| p[3] != 255) {
            self.layout = Layout::Rgba;
            self.reserve(1)?;
            for (pixels, _) in &mut self.frames {
                *pixels = pixels.chunks_exact(3).flat_map(|p| [p[0], p[1], p[2], 255]).collect();
            }
        }
        let pixels = match self.layout {
            Layout::Rgba => rgba.to_vec(),
            _ => rgba.chunks_exact(4).flat_map(|p| [p[0], p[1], p[2]]).collect(),
        };
        self.frames.push((pixels, delay));
        Ok(())
    }

    /// Hamming: no ringing, which would cost LZW many bytes in flat areas, and sharper than a box.
    fn scale(&mut self, canvas: &[u8]) -> Result<Vec<u8>, CodecError> {
        let size = (self.canvas.width(), self.canvas.height());
        let window = Window::whole(size);
        let from = Pixels { size, channels: 4, alpha: true, data: canvas, window };
        let to = (self.shown.width(), self.shown.height());
        let scaled = self.resampler.resample(from, to, Kernel::Hamming);
        scaled.map_err(|error| CodecError::Internal(format!("resize: {error}")))
    }

    /// The image; `loops` as [`DecodedImage::loops`], 1 if there is a single frame.
    pub(super) fn finish(self, loops: u16) -> Result<DecodedImage, CodecError> {
        let timeless =
            self.frames.len() > 1 && self.frames.iter().all(|(_, delay)| delay.is_zero());
        let loops = if self.frames.len() > 1 { loops } else { 1 };
        let frames: Option<Vec<Frame>> = self
            .frames
            .into_iter()
            .map(|(pixels, delay)| {
                let delay = if timeless { BROWSER_DELAY } else { delay };
                Some(Frame { raster: Raster::new(self.shown, self.layout, pixels)?, delay })
            })
            .collect();
        match frames {
            Some(frames) if !frames.is_empty() => Ok(DecodedImage { frames, loops }),
            _ => Err(CodecError::Internal("a reel without frames or of odd sizes".into())),
        }
    }
}
