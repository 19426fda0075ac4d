//! From pixels to DCT coefficients: all that does not depend on the quality.

use archmage::prelude::*;
use magetypes::simd::generic::f32x8;

use super::{dct, stripes::Stripes};
use crate::{
    codec::{
        CodecError,
        image::{
            lanes::nearest,
            raster::{Layout, Raster},
        },
    },
    model::{Chroma, Dimensions, Stop},
};

/// One component of a frame.
#[derive(Clone, Copy, Debug)]
pub struct Component {
    /// Horizontal and vertical sampling factor.
    pub sampling: (u8, u8),
    /// Blocks in a row, padding to whole MCUs included.
    pub blocks_wide: usize,
}

/// How the blocks of an image lie.
#[derive(Clone, Debug)]
pub struct Frame {
    /// Width and height, each at most 65535.
    pub sides: (u16, u16),
    /// MCUs across and down.
    pub mcus: (usize, usize),
    /// Luma alone, or luma and two of chroma.
    pub components: Vec<Component>,
}

/// An image ready to be quantised.
pub struct Transformed {
    /// How its blocks lie.
    pub frame: Frame,
    /// Of each component the coefficients of its blocks, row by row: transposed, in units of
    /// [`UNIT`].
    pub planes: Vec<Vec<[i16; 64]>>,
}

/// Coefficients lie within ±1024; a sixteenth is finer than any quantiser sees, and they take half
/// the memory of floats.
pub const UNIT: f32 = 1.0 / 16.0;

impl Transformed {
    /// Transforms `raster`, which has no alpha.
    pub fn new(raster: &Raster, chroma: Chroma, stop: &Stop) -> Result<Self, CodecError> {
        let sides = sides(raster.dimensions())?;
        let gray = raster.layout() == Layout::Gray;
        let factor = if gray || chroma == Chroma::Full { 1 } else { 2 };
        let mcu = 8 * factor;
        let mcus = (usize::from(sides.0).div_ceil(mcu), usize::from(sides.1).div_ceil(mcu));
        let count = match raster.layout() {
            Layout::Gray => 1,
            Layout::Rgb => 3,
            Layout::Rgba => {
                return Err(CodecError::Internal("JPEG of a raster with alpha".into()));
            }
        };
        let component = |at| {
            let own = if at == 0 { factor } else { 1 };
            Component { sampling: (own as u8, own as u8), blocks_wide: mcus.0 * own }
        };
        let frame = Frame { sides, mcus, components: (0..count).map(component).collect() };
        let blocks = |c: &Component| c.blocks_wide * usize::from(c.sampling.1) * mcus.1;
        let mut planes: Vec<Vec<[i16; 64]>> =
            frame.components.iter().map(|c| Vec::with_capacity(blocks(c))).collect();
        // A row of MCUs goes from pixels to coefficients while it is in the cache: whole planes of
        // samples would be one more picture written to memory and read again.
        let mut stripes = Stripes::new(mcus.0 * mcu, factor, count);
        let (width, factors) = (usize::from(sides.0), factors());
        for pixels in raster.pixels().chunks(width * count * mcu) {
            stop.check()?;
            stripes.fill(pixels, width);
            let components = frame.components.iter().zip(&stripes.planes).zip(&mut planes);
            for ((component, samples), blocks) in components {
                for samples in samples.chunks_exact(component.blocks_wide * 64) {
                    let start = blocks.len();
                    blocks.resize(start + component.blocks_wide, [0; 64]);
                    let blocks = &mut blocks[start..];
                    incant!(stripe(samples, &factors, blocks), [v3, neon, scalar]);
                }
            }
        }
        Ok(Self { frame, planes })
    }
}

/// Both sides, if JPEG can say them.
pub fn sides(dimensions: Dimensions) -> Result<(u16, u16), CodecError> {
    let side = |n: u32| {
        u16::try_from(n).map_err(|_| CodecError::Unsupported {
            format: "JPEG",
            detail: format!("{dimensions} is over 65535 pixels a side"),
        })
    };
    Ok((side(dimensions.width())?, side(dimensions.height())?))
}

/// What the transform leaves too large, turned into units.
fn factors() -> [[f32; 8]; 8] {
    std::array::from_fn(|u| {
        std::array::from_fn(|v| 1.0 / (8.0 * dct::SCALE[u] * dct::SCALE[v] * UNIT))
    })
}

/// Eight rows of samples into a row of blocks.
#[magetypes(v3, neon, scalar)]
fn stripe(token: Token, samples: &[u8], factors: &[[f32; 8]; 8], blocks: &mut [[i16; 64]]) {
    let width = samples.len() / 8;
    let middle = f32x8::splat_t(token, 128.0);
    for (x, block) in blocks.iter_mut().enumerate() {
        let rows = std::array::from_fn(|y| {
            let row = &samples[y * width + x * 8..][..8];
            f32x8::from_array_t(token, std::array::from_fn(|i| f32::from(row[i]))) - middle
        });
        let (out, _) = block.as_chunks_mut::<8>();
        for ((out, row), factors) in out.iter_mut().zip(dct::forward(rows)).zip(factors) {
            let row = (row * f32x8::load_t(token, factors)).to_array();
            *out = row.map(|value| nearest(value) as i16);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_machine_gives_what_the_least_gives() {
        let samples: Vec<u8> = (0..8 * 80_u32).map(|i| ((i * i * 7919) >> 7) as u8).collect();
        let factors = std::array::from_fn(|u| std::array::from_fn(|v| (u + v + 1) as f32 / 37.0));
        let mut blocks = [[[0; 64]; 10]; 2];
        let [here, least] = &mut blocks;
        incant!(stripe(&samples, &factors, here), [v3, neon, scalar]);
        stripe_scalar(ScalarToken, &samples, &factors, least);
        assert!(blocks[0] == blocks[1]);
    }
}
