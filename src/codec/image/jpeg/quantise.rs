//! Quantisation tables and quantised coefficients.

use super::{
    dct::{FRACTION, ZIGZAG},
    planes::Planes,
};
use crate::model::{Dimensions, Quality};

/// T.81 table K.1, natural order.
const LUMA: [u16; 64] = [
    16, 11, 10, 16, 24, 40, 51, 61, 12, 12, 14, 19, 26, 58, 60, 55, 14, 13, 16, 24, 40, 57, 69, 56,
    14, 17, 22, 29, 51, 87, 80, 62, 18, 22, 37, 56, 68, 109, 103, 77, 24, 35, 55, 64, 81, 104, 113,
    92, 49, 64, 78, 87, 103, 121, 120, 101, 72, 92, 95, 98, 112, 100, 103, 99,
];
/// T.81 table K.2, natural order.
const CHROMA: [u16; 64] = [
    17, 18, 24, 47, 99, 99, 99, 99, 18, 21, 26, 66, 99, 99, 99, 99, 24, 26, 56, 99, 99, 99, 99, 99,
    47, 66, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99,
    99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99,
];

/// Quantisers of luma and chroma in zigzag order, 1…255 as baseline demands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tables {
    pub(super) luma: [u8; 64],
    pub(super) chroma: [u8; 64],
}

impl Tables {
    /// Annex K's tables, scaled as libjpeg does, in tenths of a quality step.
    pub fn of(quality: Quality) -> Self {
        let percent = quality.table_percent();
        let scaled = |table: &[u16; 64]| {
            ZIGZAG.map(|natural| {
                let value = (f64::from(table[natural]) * percent + 50.0) / 100.0;
                value.clamp(1.0, 255.0) as u8
            })
        };
        Self { luma: scaled(&LUMA), chroma: scaled(&CHROMA) }
    }
}

/// One component, quantised.
#[derive(Clone, Debug)]
pub struct Component {
    pub(super) sampling: usize,
    pub(super) blocks_wide: usize,
    pub(super) blocks: Vec<[i16; 64]>,
}

/// A picture ready for entropy coding.
#[derive(Clone, Debug)]
pub struct Quantised {
    pub(super) dimensions: Dimensions,
    pub(super) tables: Tables,
    pub(super) components: Vec<Component>,
    pub(super) mcus: (usize, usize),
}

impl Quantised {
    /// Rounds every coefficient to its quantiser, half away from zero.
    pub fn new(planes: &Planes, tables: &Tables) -> Self {
        let components = planes
            .components
            .iter()
            .enumerate()
            .map(|(i, component)| {
                let table = if i == 0 { &tables.luma } else { &tables.chroma };
                let inverse = table.map(|q| 1.0 / (f32::from(q) * FRACTION));
                let blocks = component.blocks.iter().map(|b| round(b, &inverse)).collect();
                Component {
                    sampling: component.sampling,
                    blocks_wide: component.blocks_wide,
                    blocks,
                }
            })
            .collect();
        Self {
            dimensions: planes.dimensions,
            tables: tables.clone(),
            components,
            mcus: planes.mcus,
        }
    }

    /// Calls `each` with every block in the order of the scan: component index, then block.
    pub fn scan<'a>(&'a self, mut each: impl FnMut(usize, &'a [i16; 64])) {
        for my in 0..self.mcus.1 {
            for mx in 0..self.mcus.0 {
                for (i, c) in self.components.iter().enumerate() {
                    for v in 0..c.sampling {
                        let row = (my * c.sampling + v) * c.blocks_wide;
                        for h in 0..c.sampling {
                            each(i, &c.blocks[row + mx * c.sampling + h]);
                        }
                    }
                }
            }
        }
    }
}

fn round(block: &[i16; 64], inverse: &[f32; 64]) -> [i16; 64] {
    let mut out = [0i16; 64];
    for ((slot, c), inverse) in out.iter_mut().zip(block).zip(inverse) {
        let value = f32::from(*c) * inverse;
        *slot = (value + 0.5f32.copysign(value)) as i16;
    }
    // Baseline's largest categories are 11 for DC and 10 for AC (T.81 F.1.2).
    out[0] = out[0].clamp(-1024, 1023);
    for c in &mut out[1..] {
        *c = (*c).clamp(-1023, 1023);
    }
    out
}
