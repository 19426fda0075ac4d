//! Resampling of interleaved 8-bit pixels by convolution.
//!
//! A package of its own for the compiler's sake: the convolutions are generic, and generic code is
//! compiled where it is called. Called from the library they were 15,000 of its 63,000 functions,
//! compiled again for its tests, and never optimised in either (measured 2026-11-27). The pixels are
//! typed here for the same reason: the call that looks at the type compiles thirteen of them.

use std::fmt::Display;

use fast_image_resize::{
    FilterType, PixelTrait, ResizeAlg, ResizeOptions, Resizer,
    images::{TypedImage, TypedImageRef},
    pixels::{U8, U8x3, U8x4},
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

/// Pixels of one image.
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
    /// What of it is resampled.
    pub window: Window,
}

/// A part of an image, in pixels and fractions of them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Window {
    /// From the left edge.
    pub left: f64,
    /// From the top.
    pub top: f64,
    /// More than 0.
    pub width: f64,
    /// More than 0.
    pub height: f64,
}

impl Window {
    /// All of an image of `size`.
    pub fn whole(size: (u32, u32)) -> Self {
        Self { left: 0.0, top: 0.0, width: size.0.into(), height: size.1.into() }
    }
}

/// Resamples, and keeps its working memory for the next image.
#[derive(Default)]
pub struct Resampler(Resizer);

impl Resampler {
    /// One without memory yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// The image at `size`, its channels as they were.
    ///
    /// # Errors
    /// In words, where `data` is not as long as it says or the channels are none of 1 to 4.
    pub fn resample(
        &mut self,
        from: Pixels<'_>,
        size: (u32, u32),
        kernel: Kernel,
    ) -> Result<Vec<u8>, String> {
        match from.channels {
            1 => self.typed::<U8>(from, size, kernel),
            // A type of its own would be a quarter of all that is compiled here.
            2 => {
                let wide: Vec<u8> =
                    from.data.chunks_exact(2).flat_map(|p| [p[0], p[0], p[0], p[1]]).collect();
                let from = Pixels { channels: 4, data: &wide, ..from };
                let pixels = self.typed::<U8x4>(from, size, kernel)?;
                Ok(pixels.chunks_exact(4).flat_map(|p| [p[0], p[3]]).collect())
            }
            3 => self.typed::<U8x3>(from, size, kernel),
            4 => self.typed::<U8x4>(from, size, kernel),
            n => Err(format!("{n} channels")),
        }
    }

    fn typed<P: PixelTrait>(
        &mut self,
        from: Pixels<'_>,
        (width, height): (u32, u32),
        kernel: Kernel,
    ) -> Result<Vec<u8>, String> {
        let filter = match kernel {
            Kernel::Lanczos3 => FilterType::Lanczos3,
            Kernel::CatmullRom => FilterType::CatmullRom,
            Kernel::Hamming => FilterType::Hamming,
        };
        let source = TypedImageRef::<P>::from_buffer(from.size.0, from.size.1, from.data)
            .map_err(in_words)?;
        let Window { left, top, width: wide, height: high } = from.window;
        let options = ResizeOptions::new()
            .resize_alg(ResizeAlg::Convolution(filter))
            .crop(left, top, wide, high)
            .use_alpha(from.alpha);
        let mut pixels = vec![0; width as usize * height as usize * from.channels];
        let mut target =
            TypedImage::<P>::from_buffer(width, height, &mut pixels).map_err(in_words)?;
        self.0.resize_typed(&source, &mut target, &options).map_err(in_words)?;
        Ok(pixels)
    }
}

fn in_words(error: impl Display) -> String {
    error.to_string()
}
