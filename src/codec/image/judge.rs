//! What an encode looks like beside the image it was made of: SSIMULACRA2, on bands of both.

use fast_ssim2::{PixelDescriptor, PixelSlice, Ssimulacra2Reference};

use super::{
    likeness,
    raster::{Layout, Raster},
    resize::resize,
};
use crate::{codec::CodecError, model::Dimensions};

/// Pixels that are compared, and the height of the bands that they are taken from, all over the
/// image. Measured 2026-11-29 by `cargo bench --bench drawings` on nine drawings of 1600×900:
/// bands of a third of the pixels have up to 1.3 points more than the whole, for a third of 100 ms.
const PIXELS: u64 = 1_000_000;
const BAND: u32 = 64;

/// The likeness of `shown`, at any scale, to `whole`; both without transparency.
///
/// # Errors
/// As the resizer tells.
pub(super) fn score(whole: &Raster, shown: &Raster) -> Result<f32, CodecError> {
    let shown = resize(shown, whole.dimensions())?;
    let (a, b) = (bands(whole), bands(&shown));
    let measured = a.as_ref().zip(b.as_ref()).and_then(|(a, b)| {
        let judge = Ssimulacra2Reference::new(&pixels(a)?).ok()?;
        judge.compare(&pixels(b)?).ok()
    });
    // Hardly a pixel wide: any measure will do.
    let estimated = || {
        let size = whole.dimensions();
        likeness::estimate(&likeness::luma(whole), &likeness::luma(&shown), size)
    };
    Ok(measured.map_or_else(estimated, |score| score as f32))
}

/// Rows of an image from all over it, RGB; all of them where there are not many.
fn bands(of: &Raster) -> Option<Raster> {
    let (width, height) = (of.dimensions().width(), of.dimensions().height());
    let channels = of.layout().channels();
    let wanted = u32::try_from(PIXELS / u64::from(width * BAND).max(1)).unwrap_or(1).max(1);
    let all = wanted.saturating_mul(BAND) >= height;
    let starts: Vec<u32> = if all {
        vec![0]
    } else {
        let free = height - BAND;
        (0..wanted).map(|n| free * n / (wanted - 1).max(1)).collect()
    };
    let tall = if all { height } else { BAND };
    let mut out = Vec::with_capacity((width * tall) as usize * 3 * starts.len());
    let stride = width as usize * channels;
    for start in &starts {
        let from = *start as usize * stride;
        let rows = of.pixels().get(from..from + tall as usize * stride)?;
        match of.layout() {
            Layout::Gray => out.extend(rows.iter().flat_map(|luma| [*luma; 3])),
            Layout::Rgb => out.extend_from_slice(rows),
            Layout::Rgba => return None,
        }
    }
    Raster::new(Dimensions::new(width, tall * starts.len() as u32)?, Layout::Rgb, out)
}

/// An RGB raster as the measure takes it.
pub(super) fn pixels(raster: &Raster) -> Option<PixelSlice<'_>> {
    let (w, h) = (raster.dimensions().width(), raster.dimensions().height());
    PixelSlice::new(raster.pixels(), w, h, w as usize * 3, PixelDescriptor::RGB8_SRGB).ok()
}
