//! One interleaved baseline scan (T.81 Annex F).

use archmage::prelude::*;
use bytes::Bytes as Buffer;

use super::{
    huffman::{BitWriter, Table},
    quantise::{Quantising, Steps, Trellis},
    tokens::{TABLES, Tokens},
    transform::{Frame, Transformed},
    trellis::Rates,
};
use crate::{
    codec::EncodeError,
    model::{Bytes, Stop, StopCause},
};

/// Blocks that tell what the whole will be: with these, the estimate is a few percent off.
const SAMPLE_BLOCKS: usize = 3000;
/// Larger images are alike over longer distances.
const SPARSEST: usize = 8;

/// An image ready to be written: quantised, its symbols counted, its tables made.
pub struct Prepared {
    tokens: Tokens,
    tables: [Table; TABLES],
    headers: Vec<u8>,
    /// The whole file but for stuffing, which only the writing tells.
    at_least: Bytes,
}

impl Prepared {
    /// Quantises `image`.
    ///
    /// # Errors
    /// Stopped.
    pub fn new(image: &Transformed, how: &Quantising, stop: &Stop) -> Result<Self, StopCause> {
        let rates = rates(image, how, stop)?;
        Self::of(image, how, rates.as_ref(), 1, stop)
    }

    /// The step between the rows of MCUs that are taken.
    fn of(
        image: &Transformed,
        how: &Quantising,
        rates: Option<&[Rates; 2]>,
        every: usize,
        stop: &Stop,
    ) -> Result<Self, StopCause> {
        let tokens = scan(image, how, rates, every, stop)?;
        let tables = tokens.tables();
        let headers = headers(&image.frame, &how.tables, &tables);
        let bits = tokens.bits(&tables);
        let at_least = Bytes::new(headers.len() as u64 + bits.div_ceil(8) + 2);
        Ok(Self { tokens, tables, headers, at_least })
    }

    /// What [`Prepared::write`] would give: exact but for the zero bytes stuffed after 0xFF,
    /// which are estimated (within 0.6 % of the size, tested).
    pub fn size(&self) -> Bytes {
        // Of entropy-coded bytes one in some 230 is 0xFF and gets a zero after it.
        self.at_least + Bytes::new(self.at_least.get() / 230)
    }

    /// The file, of at most `cap` bytes.
    ///
    /// # Errors
    /// [`EncodeError::OverCap`].
    pub fn write(&self, cap: Bytes) -> Result<Buffer, EncodeError> {
        if self.at_least > cap {
            return Err(EncodeError::OverCap { at_least: self.at_least });
        }
        let mut writer = BitWriter::new(self.headers.clone());
        writer.out.reserve(self.size().as_usize());
        self.tokens.write(&self.tables, &mut writer);
        let mut out = writer.finish();
        out.extend_from_slice(&[0xFF, 0xD9]);
        let size = Bytes::of(&out);
        if size > cap {
            return Err(EncodeError::OverCap { at_least: size });
        }
        Ok(Buffer::from(out))
    }
}

/// About what [`Prepared::size`] would be, from a sample of the rows: within some percent, and off
/// by the same share at neighbouring qualities.
///
/// # Errors
/// Stopped.
pub fn estimate(image: &Transformed, how: &Quantising, stop: &Stop) -> Result<Bytes, StopCause> {
    let every = sampling(image);
    let rates = rates(image, how, stop)?;
    let sample = Prepared::of(image, how, rates.as_ref(), every, stop)?;
    let headers = sample.headers.len() as u64;
    let rows = image.frame.mcus.1;
    let body = sample.size().get().saturating_sub(headers) as f64;
    Ok(Bytes::new(
        headers + (body * rows as f64 / (rows - every / 2).div_ceil(every) as f64) as u64,
    ))
}

fn sampling(image: &Transformed) -> usize {
    let blocks: usize = image.planes.iter().map(Vec::len).sum();
    (blocks / SAMPLE_BLOCKS).clamp(1, SPARSEST).min(image.frame.mcus.1)
}

/// What symbols take where bits are weighed: by the codes of a sample rounded to nearest, with one
/// for every symbol that may yet come.
fn rates(
    image: &Transformed,
    how: &Quantising,
    stop: &Stop,
) -> Result<Option<[Rates; 2]>, StopCause> {
    if how.trellis.is_none() {
        return Ok(None);
    }
    // The sample of the sample will do.
    let every = (sampling(image) * 2).min(image.frame.mcus.1);
    let sample = scan(image, how, None, every, stop)?;
    Ok(Some([2, 3].map(|table| Rates::new(&Table::new(&sample.counts(table).map(|n| n + 1))))))
}

/// Quantises every n-th row of MCUs, in the order of the scan (A.2.3).
fn scan(
    image: &Transformed,
    how: &Quantising,
    rates: Option<&[Rates; 2]>,
    every: usize,
    stop: &Stop,
) -> Result<Tokens, StopCause> {
    let blocks: usize = image.planes.iter().map(Vec::len).sum();
    let mut scan = Scan {
        image,
        steps: how.tables.each_ref().map(Steps::new),
        weighed: how.trellis.as_ref().zip(rates),
        tokens: Tokens::new(blocks / every * 4),
        previous: [0; 3],
    };
    for mcu_y in (every / 2..image.frame.mcus.1).step_by(every) {
        stop.check()?;
        scan.row(mcu_y);
    }
    Ok(scan.tokens)
}

/// Where the quantising stands.
struct Scan<'a> {
    image: &'a Transformed,
    steps: [Steps; 3],
    /// How bits are weighed and what they are, if they are.
    weighed: Option<(&'a Trellis, &'a [Rates; 2])>,
    tokens: Tokens,
    /// The DC of each component's block before.
    previous: [i32; 3],
}

impl Scan<'_> {
    /// A row of MCUs.
    #[autoversion(v3)]
    fn row(&mut self, mcu_y: usize) {
        let frame = &self.image.frame;
        for mcu_x in 0..frame.mcus.0 {
            for (at, (component, blocks)) in
                frame.components.iter().zip(&self.image.planes).enumerate()
            {
                let (h, v) = (usize::from(component.sampling.0), usize::from(component.sampling.1));
                let set = usize::from(at > 0);
                for y in mcu_y * v..mcu_y * v + v {
                    for x in mcu_x * h..mcu_x * h + h {
                        let coefficients = &blocks[y * component.blocks_wide + x];
                        let mut block = self.steps[at].nearest(coefficients);
                        if let Some((trellis, rates)) = self.weighed {
                            let steps = &self.steps[at];
                            steps.improve(&mut block, coefficients, trellis, set, &rates[set]);
                        }
                        self.tokens.block(set, &block, &mut self.previous[at]);
                    }
                }
            }
        }
    }
}

fn headers(frame: &Frame, quantisers: &[[u8; 64]; 3], codes: &[Table; TABLES]) -> Vec<u8> {
    let mut out = vec![0xFF, 0xD8];
    let mut segment = |marker: u8, body: &[u8]| {
        out.extend_from_slice(&[0xFF, marker]);
        out.extend_from_slice(&(body.len() as u16 + 2).to_be_bytes());
        out.extend_from_slice(body);
    };
    // JFIF 1.01, square pixels, no thumbnail.
    segment(0xE0, b"JFIF\0\x01\x01\0\0\x01\0\x01\0\0");
    let mut body = Vec::new();
    // Cb and Cr share a table where theirs are the same.
    let red = if quantisers[1] == quantisers[2] { 1 } else { 2 };
    let destinations = [0, 1, red].map(|at| at as u8);
    for (at, table) in quantisers.iter().enumerate().take(frame.components.len().min(red + 1)) {
        body.push(at as u8);
        body.extend_from_slice(table);
    }
    segment(0xDB, &body);

    let (width, height) = frame.sides;
    body = vec![8];
    body.extend_from_slice(&height.to_be_bytes());
    body.extend_from_slice(&width.to_be_bytes());
    body.push(frame.components.len() as u8);
    for (at, component) in frame.components.iter().enumerate() {
        let sampling = component.sampling.0 << 4 | component.sampling.1;
        body.extend_from_slice(&[at as u8 + 1, sampling, destinations[at]]);
    }
    segment(0xC0, &body);

    body.clear();
    let sets = frame.components.len().min(2);
    for class in 0..2 {
        for at in 0..sets {
            let table = &codes[class << 1 | at];
            body.push((class << 4 | at) as u8);
            body.extend_from_slice(&table.counts);
            body.extend_from_slice(&table.symbols);
        }
    }
    segment(0xC4, &body);

    body = vec![frame.components.len() as u8];
    for at in 0..frame.components.len() {
        body.extend_from_slice(&[at as u8 + 1, (at.min(1) * 0x11) as u8]);
    }
    body.extend_from_slice(&[0, 63, 0]);
    segment(0xDA, &body);
    out
}
