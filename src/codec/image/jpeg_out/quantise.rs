//! From coefficients to quantised blocks.

use super::{
    block::{Block, MOST},
    tables::{POSITION, tables},
    transform::UNIT,
    trellis::{self, Rates},
};
use crate::{
    codec::image::lanes::nearest,
    model::{Chroma, Quality},
};

/// How coefficients become whole numbers.
#[derive(Clone, Debug)]
pub struct Quantising {
    /// Steps of Y, Cb and Cr in zig-zag order.
    pub tables: [[u8; 64]; 3],
    /// Weigh bits against error; without it every coefficient goes to the nearest step.
    pub trellis: Option<Trellis>,
}

/// What a bit is worth.
#[derive(Clone, Copy, Debug)]
pub struct Trellis {
    /// Squared steps for a bit, luma and chroma.
    pub lambda: [f32; 2],
    /// How much more a bit is worth in busy blocks than in flat ones, 0 to 1: noise hides noise.
    pub masking: f32,
    /// Root of the mean square of a block's AC coefficients at which it is neither.
    pub busy: f32,
}

impl Quantising {
    /// At a quality; with `trellis`, bits are weighed against error.
    pub fn new(quality: Quality, chroma: Chroma, trellis: bool) -> Self {
        // The finest there is has no business to drop anything.
        let trellis = trellis && quality != Quality::MAX;
        // Climbed to together with the tables, see there.
        let chroma_lambda = if chroma == Chroma::Full { 0.048 } else { 0.085 };
        Self {
            tables: tables(quality, chroma),
            trellis: trellis.then_some(Trellis {
                lambda: [0.06, chroma_lambda],
                masking: 0.75,
                busy: 17.0,
            }),
        }
    }
}

/// What turns the coefficients of a component into steps, transposed as they are.
pub struct Steps {
    factors: [f32; 64],
}

impl Steps {
    /// Of a table in zig-zag order.
    pub fn new(table: &[u8; 64]) -> Self {
        let factors = std::array::from_fn(|at| UNIT / f32::from(table[usize::from(POSITION[at])]));
        Self { factors }
    }

    /// Every coefficient to the nearest step.
    #[inline(always)]
    pub fn nearest(&self, coefficients: &[i16; 64]) -> Block {
        Block::new(std::array::from_fn(|at| {
            let value = nearest(f32::from(coefficients[at]) * self.factors[at]) as i16;
            value.clamp(-MOST, MOST)
        }))
    }

    /// Moves a block that is at the nearest steps onto its best path.
    #[inline(always)]
    pub fn improve(
        &self,
        block: &mut Block,
        coefficients: &[i16; 64],
        how: &Trellis,
        set: usize,
        rates: &Rates,
    ) {
        if block.mask & !1 != 0 {
            let lambda = how.lambda[set] * how.weight(coefficients);
            trellis::improve(block, coefficients, &self.factors, rates, lambda);
        }
    }
}

impl Trellis {
    /// What a bit is worth in this block, relative to the image.
    #[inline(always)]
    fn weight(&self, coefficients: &[i16; 64]) -> f32 {
        let mut sums = [0.0_f32; 8];
        let (rows, _) = coefficients.as_chunks::<8>();
        for row in rows {
            for (sum, value) in sums.iter_mut().zip(row) {
                *sum += f32::from(*value) * f32::from(*value);
            }
        }
        let mean = f32::from(coefficients[0]);
        let energy = (sums.iter().sum::<f32>() - mean * mean).max(0.0);
        let root = (energy / 63.0).sqrt() * UNIT;
        let busy = root / (root + self.busy);
        1.0 + self.masking * (2.0 * busy - 1.0)
    }
}
