//! From pixels to DCT coefficients: all that does not depend on the quality.

use super::dct;
use crate::{
    codec::{
        CodecError,
        image::{
            lanes::{Lanes as Row, nearest},
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

/// How the blocks of a picture lie.
#[derive(Clone, Debug)]
pub struct Frame {
    /// Width and height, each at most 65535.
    pub sides: (u16, u16),
    /// MCUs across and down.
    pub mcus: (usize, usize),
    /// Luma alone, or luma and two of chroma.
    pub components: Vec<Component>,
}

/// A picture ready to be quantised.
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

/// Luma of JFIF's conversion (BT.601 with full range) in 16-bit fixed point.
#[inline(always)]
fn luma([r, g, b]: [i32; 3]) -> u8 {
    ((19595 * r + 38470 * g + 7471 * b + 32768) >> 16) as u8
}

/// Blue and red of the same, of the sums of `1 << (SHIFT - 16)` pixels: always within 0…255.
#[inline(always)]
fn chroma<const SHIFT: i32>([r, g, b]: [i32; 3]) -> [u8; 2] {
    let offset = (128 << SHIFT) + (1 << (SHIFT - 1)) - 1;
    let blue = (-11059 * r - 21709 * g + 32768 * b + offset) >> SHIFT;
    let red = (32768 * r - 27439 * g - 5329 * b + offset) >> SHIFT;
    [blue as u8, red as u8]
}

/// All samples of chroma. A loop of its own, without sums: half of the time.
fn ycc_full(raster: &Raster, width: usize, height: usize) -> [Plane; 3] {
    let real = raster.dimensions().width() as usize;
    let (pixels, _) = raster.pixels().as_chunks::<3>();
    let mut planes: [Vec<u8>; 3] = std::array::from_fn(|_| vec![0; width * height]);
    let [y, blue, red] = &mut planes;
    let rows = y.chunks_exact_mut(width).zip(blue.chunks_exact_mut(width));
    let rows = rows.zip(red.chunks_exact_mut(width)).zip(pixels.chunks_exact(real));
    for (((y, blue), red), row) in rows {
        for (((y, blue), red), pixel) in y.iter_mut().zip(&mut *blue).zip(&mut *red).zip(row) {
            let rgb = pixel.map(i32::from);
            *y = luma(rgb);
            [*blue, *red] = chroma::<16>(rgb);
        }
        for line in [y, blue, red] {
            let last = line[real - 1];
            line[real..].fill(last);
        }
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
    let mut y = vec![0; width * height];
    let (chroma_width, chroma_height) = (width / 2, height / 2);
    let mut blue = Vec::with_capacity(chroma_width * chroma_height);
    let mut red = Vec::with_capacity(chroma_width * chroma_height);
    let mut sums = vec![[0_i32; 3]; chroma_width];
    let rows: Vec<&[[u8; 3]]> = pixels.chunks_exact(real).collect();
    for (line, row) in y.chunks_exact_mut(width).zip(&rows) {
        for (y, pixel) in line.iter_mut().zip(*row) {
            *y = luma(pixel.map(i32::from));
        }
        let last = line[real - 1];
        line[real..].fill(last);
    }
    for band in rows.chunks(2) {
        sums.fill([0; 3]);
        // An odd last row counts twice.
        for row in band.iter().chain(band.last()).take(2) {
            let last = row[real - 1];
            let (cells, _) = row.as_chunks::<2>();
            for (sum, cell) in sums.iter_mut().zip(cells) {
                cell.iter().for_each(|pixel| add(sum, pixel));
            }
            // Past the edge the last pixel repeats.
            for (x, sum) in sums.iter_mut().enumerate().skip(cells.len()) {
                (x * 2..(x + 1) * 2).for_each(|x| add(sum, row.get(x).unwrap_or(&last)));
            }
        }
        for sum in &sums {
            let [one, other] = chroma::<18>(*sum);
            blue.push(one);
            red.push(other);
        }
    }
    y.truncate(rows.len() * width);
    repeat_last_row(&mut y, width, height);
    repeat_last_row(&mut blue, chroma_width, chroma_height);
    repeat_last_row(&mut red, chroma_width, chroma_height);
    let chroma = |samples| Plane { width: chroma_width, height: chroma_height, samples };
    [Plane { width, height, samples: y }, chroma(blue), chroma(red)]
}

fn add(sum: &mut [i32; 3], pixel: &[u8; 3]) {
    for (sum, value) in sum.iter_mut().zip(pixel) {
        *sum += i32::from(*value);
    }
}

fn transformed(plane: &Plane, stop: &Stop) -> Result<Vec<[i16; 64]>, CodecError> {
    // What the transform leaves too large, turned into units.
    let factors: [Row; 8] = std::array::from_fn(|u| {
        Row(std::array::from_fn(|v| 1.0 / (8.0 * dct::SCALE[u] * dct::SCALE[v] * UNIT)))
    });
    let blocks_wide = plane.width / 8;
    let mut blocks = Vec::with_capacity(blocks_wide * plane.height / 8);
    for stripe in plane.samples.chunks_exact(plane.width * 8) {
        stop.check()?;
        for x in 0..blocks_wide {
            let rows = std::array::from_fn(|y| {
                let at = y * plane.width + x * 8;
                let row = &stripe[at..at + 8];
                Row(std::array::from_fn(|i| f32::from(row[i]) - 128.0))
            });
            let mut block = [0; 64];
            let (out, _) = block.as_chunks_mut::<8>();
            for ((out, row), factors) in out.iter_mut().zip(dct::forward(rows)).zip(&factors) {
                *out = std::array::from_fn(|i| nearest(row.0[i] * factors.0[i]) as i16);
            }
            blocks.push(block);
        }
    }
    Ok(blocks)
}
