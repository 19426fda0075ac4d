//! Pixels to transformed component planes.

use super::dct::Dct;
use crate::{
    codec::image::raster::{Layout, Raster},
    model::{Chroma, Dimensions},
};

/// One component: 8×8 blocks of coefficients in zigzag order, row by row, padded to whole MCUs.
#[derive(Clone, Debug)]
pub struct Component {
    /// Blocks of this component in an MCU, along each side: 1 or 2.
    pub(super) sampling: usize,
    /// Blocks in a row.
    pub(super) blocks_wide: usize,
    pub(super) blocks: Vec<[i16; 64]>,
}

/// A picture after colour conversion and DCT: one luma component, or luma and two of chroma.
#[derive(Clone, Debug)]
pub struct Planes {
    pub(super) dimensions: Dimensions,
    pub(super) components: Vec<Component>,
    /// MCUs in a row and in a column.
    pub(super) mcus: (usize, usize),
}

impl Planes {
    /// Transforms a raster. Alpha must have been flattened; if it was not, it is ignored.
    pub fn of(raster: &Raster, chroma: Chroma) -> Self {
        let dimensions = raster.dimensions();
        let (w, h) = (dimensions.width() as usize, dimensions.height() as usize);
        let gray = raster.layout() == Layout::Gray;
        let luma_sampling = if gray || chroma == Chroma::Full { 1 } else { 2 };
        let mcu = 8 * luma_sampling;
        let mcus = (w.div_ceil(mcu), h.div_ceil(mcu));
        let dct = Dct::new();
        let [y, cb, cr] = split(raster);
        let mut components =
            vec![transform(&dct, &Plane { w, h, samples: y }, luma_sampling, mcus)];
        if !gray {
            for samples in [cb, cr] {
                let mut plane = Plane { w, h, samples };
                if luma_sampling == 2 {
                    plane = plane.halved();
                }
                components.push(transform(&dct, &plane, 1, mcus));
            }
        }
        Self { dimensions, components, mcus }
    }
}

/// Samples of one component, less 128.
struct Plane {
    w: usize,
    h: usize,
    samples: Vec<f32>,
}

impl Plane {
    /// The mean of each 2×2 samples; the last column and row count twice where the side is odd.
    fn halved(&self) -> Self {
        let (w, h) = (self.w.div_ceil(2), self.h.div_ceil(2));
        let mut samples = Vec::with_capacity(w * h);
        for y in 0..h {
            let top = &self.samples[2 * y * self.w..][..self.w];
            let bottom = &self.samples[(2 * y + 1).min(self.h - 1) * self.w..][..self.w];
            for (a, b) in top.chunks(2).zip(bottom.chunks(2)) {
                let (a1, b1) = (a[a.len() - 1], b[b.len() - 1]);
                samples.push((a[0] + a1 + b[0] + b1) * 0.25);
            }
        }
        Self { w, h, samples }
    }
}

/// RGB to YCbCr (JFIF 1.02 §4: ITU-R BT.601, full range), each less 128. Gray gives luma alone.
fn split(raster: &Raster) -> [Vec<f32>; 3] {
    let count = raster.dimensions().pixels() as usize;
    let channels = raster.layout().channels();
    if channels == 1 {
        let luma = raster.pixels().iter().map(|p| f32::from(*p) - 128.0).collect();
        return [luma, Vec::new(), Vec::new()];
    }
    let mut out = [vec![0.0; count], vec![0.0; count], vec![0.0; count]];
    let [ys, cbs, crs] = &mut out;
    let pixels = raster.pixels().chunks_exact(channels);
    for (((pixel, y), cb), cr) in pixels.zip(ys).zip(cbs).zip(crs) {
        let (r, g, b) = (f32::from(pixel[0]), f32::from(pixel[1]), f32::from(pixel[2]));
        *y = 0.299 * r + 0.587 * g + 0.114 * b - 128.0;
        *cb = -0.168_735_89 * r - 0.331_264_11 * g + 0.5 * b;
        *cr = 0.5 * r - 0.418_687_6 * g - 0.081_312_41 * b;
    }
    out
}

/// DCT of every block; samples past the edge repeat the edge.
fn transform(dct: &Dct, plane: &Plane, sampling: usize, mcus: (usize, usize)) -> Component {
    let (blocks_wide, blocks_high) = (mcus.0 * sampling, mcus.1 * sampling);
    let mut blocks = Vec::with_capacity(blocks_wide * blocks_high);
    for by in 0..blocks_high {
        for bx in 0..blocks_wide {
            let mut samples = [[0.0f32; 8]; 8];
            for (dy, row) in samples.iter_mut().enumerate() {
                let y = (by * 8 + dy).min(plane.h - 1);
                let line = &plane.samples[y * plane.w..][..plane.w];
                match line.get(bx * 8..bx * 8 + 8) {
                    Some(whole) => row.copy_from_slice(whole),
                    None => {
                        for (dx, s) in row.iter_mut().enumerate() {
                            *s = line[(bx * 8 + dx).min(plane.w - 1)];
                        }
                    }
                }
            }
            blocks.push(dct.forward(samples));
        }
    }
    Component { sampling, blocks_wide, blocks }
}
