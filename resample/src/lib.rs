//! Resampling of interleaved 8-bit pixels by convolution.
//!
//! A package of its own for the compiler's sake: the convolutions are generic, and generic code is
//! compiled where it is called. Called from the library they were 15,000 of its 63,000 functions,
//! compiled again for its tests, and never optimised in either (measured 2026-11-27).

use std::fmt::Display;

use fast_image_resize::{
    FilterType, PixelType, ResizeAlg, ResizeOptions, Resizer,
    images::{Image, ImageRef},
};

/// The shape of the weights.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kernel {
    /// Sharpest; rings a little at edges.
    Lanczos3,
    /// Softer and cheaper than Lanczos.
    CatmullRom,
    /// No ringing, sharper than a box.
    Hamming,
}

/// Pixels of one picture.
#[derive(Clone, Copy, Debug)]
pub struct Pixels<'a> {
    /// Width and height, in pixels.
    pub size: (u32, u32),
    /// Channels of a pixel, 1 to 4.
    pub channels: usize,
    /// Whether the last channel is alpha, by which the others are weighted.
    pub alpha: bool,
    /// Row by row, interleaved: width × height × channels bytes.
    pub data: &'a [u8],
}

/// Resamples, and keeps its working memory for the next picture.
#[derive(Default)]
pub struct Resampler(Resizer);

impl Resampler {
    /// One without memory yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// The picture at `size`, its channels as they were.
    ///
    /// # Errors
    /// In words, where `data` is not as long as it says or the channels are none of 1 to 4.
    pub fn resample(
        &mut self,
        from: Pixels<'_>,
        size: (u32, u32),
        kernel: Kernel,
    ) -> Result<Vec<u8>, String> {
        let kind = match from.channels {
            1 => PixelType::U8,
            2 => PixelType::U8x2,
            3 => PixelType::U8x3,
            4 => PixelType::U8x4,
            n => return Err(format!("{n} channels")),
        };
        let filter = match kernel {
            Kernel::Lanczos3 => FilterType::Lanczos3,
            Kernel::CatmullRom => FilterType::CatmullRom,
            Kernel::Hamming => FilterType::Hamming,
        };
        let source = ImageRef::new(from.size.0, from.size.1, from.data, kind).map_err(in_words)?;
        let mut target = Image::new(size.0, size.1, kind);
        let options =
            ResizeOptions::new().resize_alg(ResizeAlg::Convolution(filter)).use_alpha(from.alpha);
        self.0.resize(&source, &mut target, &options).map_err(in_words)?;
        Ok(target.into_vec())
    }
}

fn in_words(error: impl Display) -> String {
    error.to_string()
}
