//! Resampling: Lanczos3 convolution, alpha premultiplied, on the stored (gamma) values.

use mmsfit_resample::{Kernel, Pixels, Resampler, Window};

use super::raster::{Layout, Overhang, Raster};
use crate::{codec::CodecError, model::Dimensions};

/// Interleaved 8-bit channels on the way to a raster.
pub(super) struct Plane {
    pub dimensions: Dimensions,
    /// 1 gray, 2 gray and alpha, 3 RGB, 4 RGBA or CMYK.
    pub channels: usize,
    /// Whether the last channel is alpha.
    pub alpha: bool,
    pub pixels: Vec<u8>,
    pub overhang: Overhang,
}

/// `plane` at `to`; itself where that is its size.
pub(super) fn resize_plane(plane: Plane, to: Dimensions) -> Result<Plane, CodecError> {
    if plane.dimensions == to {
        return Ok(plane);
    }
    let from = pixels(&plane.pixels, plane.dimensions, plane.channels, plane.alpha);
    let pixels = convolve(from, plane.overhang, to)?;
    Ok(Plane { dimensions: to, pixels, overhang: Overhang::default(), ..plane })
}

/// `raster` at `to`.
pub(super) fn resize(raster: &Raster, to: Dimensions) -> Result<Raster, CodecError> {
    if raster.dimensions() == to {
        return Ok(raster.clone());
    }
    let layout = raster.layout();
    let alpha = layout == Layout::Rgba;
    let from = pixels(raster.pixels(), raster.dimensions(), layout.channels(), alpha);
    let pixels = convolve(from, raster.overhang(), to)?;
    Raster::new(to, layout, pixels).ok_or_else(|| failed("length of resized pixels"))
}

fn failed(what: impl std::fmt::Display) -> CodecError {
    CodecError::Internal(format!("resize: {what}"))
}

fn pixels(data: &[u8], of: Dimensions, channels: usize, alpha: bool) -> Pixels<'_> {
    let size = (of.width(), of.height());
    Pixels { size, channels, alpha, data, window: Window::whole(size) }
}

/// What of `from` is the image, at `to`.
fn convolve(from: Pixels<'_>, overhang: Overhang, to: Dimensions) -> Result<Vec<u8>, CodecError> {
    let eighths = |n: u8| f64::from(n) / 8.0;
    let Overhang { left, top, right, bottom } = overhang;
    let window = Window {
        left: eighths(left),
        top: eighths(top),
        width: from.window.width - eighths(left + right),
        height: from.window.height - eighths(top + bottom),
    };
    let from = Pixels { window, ..from };
    Resampler::new().resample(from, (to.width(), to.height()), Kernel::Lanczos3).map_err(failed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hidden_colour_does_not_bleed_out_of_transparent_pixels() {
        // Left half opaque white, right half transparent black.
        let from = Dimensions::new(64, 64).unwrap();
        let pixels = (0..64 * 64)
            .flat_map(|i| if i % 64 < 32 { [255, 255, 255, 255] } else { [0, 0, 0, 0] })
            .collect();
        let raster = Raster::new(from, Layout::Rgba, pixels).unwrap();
        let small = resize(&raster, Dimensions::new(15, 15).unwrap()).unwrap();
        for pixel in small.pixels().chunks_exact(4).filter(|p| p[3] > 8) {
            assert!(pixel[0] > 240, "dark fringe {pixel:?}");
        }
    }
}
