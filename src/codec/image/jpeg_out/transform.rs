//! From pixels to DCT coefficients: all that does not depend on the quality.

use archmage::prelude::*;
use magetypes::simd::generic::f32x8;

use super::dct;
use crate::{
    codec::{
        CodecError,
        image::{
            lanes::nearest,
            raster::{Layout, Raster},
            ycc::{chroma_of, chroma_of_sums, colors_of, luma_of, sums_of},
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

/// Samples of one component, padded to whole MCUs by repeating the edge.
struct Plane {
    width: usize,
    height: usize,
    samples: Vec<u8>,
}

impl Transformed {
    /// Transforms `raster`, which has no alpha.
    pub fn new(raster: &Raster, chroma: Chroma, stop: &Stop) -> Result<Self, CodecError> {
        let sides = sides(raster.dimensions())?;
        let gray = raster.layout() == Layout::Gray;
        let factor = if gray || chroma == Chroma::Full { 1 } else { 2 };
        let mcu = 8 * factor;
        let mcus = (usize::from(sides.0).div_ceil(mcu), usize::from(sides.1).div_ceil(mcu));
        let (width, height) = (mcus.0 * mcu, mcus.1 * mcu);
        let planes = match raster.layout() {
            Layout::Gray => vec![padded_gray(raster, width, height)],
            Layout::Rgb if factor == 2 => ycc_quarter(raster, width, height).into(),
            Layout::Rgb => ycc_full(raster, width, height).into(),
            Layout::Rgba => {
                return Err(CodecError::Internal("JPEG of a raster with alpha".into()));
            }
        };
        let mut frame = Frame { sides, mcus, components: Vec::with_capacity(planes.len()) };
        let mut coefficients = Vec::with_capacity(planes.len());
        for (at, plane) in planes.iter().enumerate() {
            let sampling = if at == 0 { (factor as u8, factor as u8) } else { (1, 1) };
            frame.components.push(Component { sampling, blocks_wide: plane.width / 8 });
            coefficients.push(transformed(plane, stop)?);
        }
        Ok(Self { frame, planes: coefficients })
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

fn padded_gray(raster: &Raster, width: usize, height: usize) -> Plane {
    let real = raster.dimensions().width() as usize;
    let mut samples = Vec::with_capacity(width * height);
    for row in raster.pixels().chunks_exact(real) {
        samples.extend_from_slice(row);
        samples.resize(samples.len() + width - real, row[real - 1]);
    }
    repeat_last_row(&mut samples, width, height);
    Plane { width, height, samples }
}

fn repeat_last_row(samples: &mut Vec<u8>, width: usize, height: usize) {
    while samples.len() < width * height {
        samples.extend_from_within(samples.len() - width..);
    }
}

/// One colour of a row each, padded by repeating the last pixel.
type Apart = [Vec<u8>; 3];

/// Fills `out` from a row of pixels.
fn take_apart(row: &[[u8; 3]], [r, g, b]: &mut Apart) {
    colors_of(row, r, g, b);
    for line in [r, g, b] {
        let last = line[row.len() - 1];
        line[row.len()..].fill(last);
    }
}

/// All samples of chroma.
fn ycc_full(raster: &Raster, width: usize, height: usize) -> [Plane; 3] {
    let real = raster.dimensions().width() as usize;
    let (pixels, _) = raster.pixels().as_chunks::<3>();
    let mut planes: [Vec<u8>; 3] = std::array::from_fn(|_| vec![0; width * height]);
    let mut apart: Apart = std::array::from_fn(|_| vec![0; width]);
    let [y, blue, red] = &mut planes;
    let rows = y.chunks_exact_mut(width).zip(blue.chunks_exact_mut(width));
    let rows = rows.zip(red.chunks_exact_mut(width)).zip(pixels.chunks_exact(real));
    for (((y, blue), red), row) in rows {
        take_apart(row, &mut apart);
        let [r, g, b] = &apart;
        luma_of(r, g, b, y);
        chroma_of(r, g, b, blue, red);
    }
    let real_rows = raster.dimensions().height() as usize;
    planes.map(|mut samples| {
        samples.truncate(real_rows * width);
        repeat_last_row(&mut samples, width, height);
        Plane { width, height, samples }
    })
}

/// Chroma as the means of 2 by 2 pixels.
fn ycc_quarter(raster: &Raster, width: usize, height: usize) -> [Plane; 3] {
    let real = raster.dimensions().width() as usize;
    let (pixels, _) = raster.pixels().as_chunks::<3>();
    let rows: Vec<&[[u8; 3]]> = pixels.chunks_exact(real).collect();
    let (chroma_width, chroma_height) = (width / 2, height / 2);
    let mut y = vec![0; width * height];
    let mut blue = vec![0; chroma_width * chroma_height];
    let mut red = blue.clone();
    let mut apart: [Apart; 2] = std::array::from_fn(|_| std::array::from_fn(|_| vec![0; width]));
    let mut sums: [Vec<u16>; 3] = std::array::from_fn(|_| vec![0; chroma_width]);
    let lines = y.chunks_mut(2 * width).zip(blue.chunks_exact_mut(chroma_width));
    let lines = lines.zip(red.chunks_exact_mut(chroma_width));
    for (((y, blue), red), band) in lines.zip(rows.chunks(2)) {
        for ((row, y), apart) in band.iter().zip(y.chunks_exact_mut(width)).zip(&mut apart) {
            take_apart(row, apart);
            let [r, g, b] = &*apart;
            luma_of(r, g, b, y);
        }
        // An odd last row counts twice.
        let (top, bottom) = (&apart[0], &apart[band.len() - 1]);
        for ((sums, top), bottom) in sums.iter_mut().zip(top).zip(bottom) {
            sums_of(top, bottom, sums);
        }
        let [r, g, b] = &sums;
        chroma_of_sums(r, g, b, blue, red);
    }
    y.truncate(rows.len() * width);
    repeat_last_row(&mut y, width, height);
    let chroma = |mut samples: Vec<u8>| {
        samples.truncate(rows.len().div_ceil(2) * chroma_width);
        repeat_last_row(&mut samples, chroma_width, chroma_height);
        Plane { width: chroma_width, height: chroma_height, samples }
    };
    [Plane { width, height, samples: y }, chroma(blue), chroma(red)]
}

fn transformed(plane: &Plane, stop: &Stop) -> Result<Vec<[i16; 64]>, CodecError> {
    // What the transform leaves too large, turned into units.
    let factors: [[f32; 8]; 8] = std::array::from_fn(|u| {
        std::array::from_fn(|v| 1.0 / (8.0 * dct::SCALE[u] * dct::SCALE[v] * UNIT))
    });
    let blocks_wide = plane.width / 8;
    let mut blocks = vec![[0; 64]; blocks_wide * (plane.height / 8)];
    let stripes = plane.samples.chunks_exact(plane.width * 8);
    for (samples, blocks) in stripes.zip(blocks.chunks_exact_mut(blocks_wide)) {
        stop.check()?;
        incant!(stripe(samples, &factors, blocks), [v3, neon, scalar]);
    }
    Ok(blocks)
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
