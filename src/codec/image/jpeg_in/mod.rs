//! Photos as cameras write them, at a fraction of their size: one Huffman-coded sequential scan of
//! one or three components. Subsampled colour is transformed to the size of the luma instead of
//! being interpolated, as libjpeg does.
//!
//! Whatever is not plainly so (progressive, several scans, four components, damage of any kind) is
//! left to the crates that know all of JPEG: here it is `None`, never an error. A third to a half of
//! the time of `jpeg-decoder` (`benches/decode.rs`).

mod bits;
mod frame;
mod idct;
#[cfg(test)]
mod tests;

use archmage::prelude::*;

use self::{
    bits::Bits,
    frame::{Component, Frame},
    idct::Vectors,
};
use super::raster::Overhang;
use crate::model::{Bytes, Dimensions, Stop};

/// Decoded samples, interleaved: gray or RGB.
pub struct Decoded {
    /// Of what came out.
    pub dimensions: Dimensions,
    /// 1 or 3.
    pub channels: usize,
    /// Rows from the top, without padding.
    pub pixels: Vec<u8>,
    /// How far they reach beyond the image.
    pub overhang: Overhang,
}

/// Decodes to at least `target` on one side (in stored order), if the file is one of those. Stops
/// between rows of blocks; the caller asks why. Takes five bytes for each pixel that comes out at
/// the most, and nothing where that is more than `max_memory`.
pub fn decode(
    stream: &[u8],
    target: Dimensions,
    max_memory: Bytes,
    stop: &Stop,
) -> Option<Decoded> {
    let mut reader = Reader::new(stream, target, max_memory)?;
    let (dimensions, channels) = (reader.dimensions, reader.strips.len());
    let (width, height) = (dimensions.width() as usize, dimensions.height() as usize);
    let mut pixels = Vec::with_capacity(width * height * channels);
    if reader.strips.iter().any(Strip::is_small) {
        let mut enlarging = Enlarging::new(channels, (width, height));
        reader.rows(stop, |strips, y| enlarging.put_row(strips, y, &mut pixels))?;
    } else {
        reader.rows(stop, |strips, y| put_row(strips, y, width, &mut pixels))?;
    }
    (pixels.len() == width * height * channels).then_some(Decoded {
        dimensions,
        channels,
        pixels,
        overhang: reader.frame.overhang(reader.scale),
    })
}

/// The luma alone at its full size, row by row to `each`; the bits of colour are read and checked,
/// but not transformed. What was given to `each` means nothing where the end is `None`.
pub fn read_luma(
    stream: &[u8],
    max_memory: Bytes,
    stop: &Stop,
    mut each: impl FnMut(&[u8]),
) -> Option<Dimensions> {
    let largest = Dimensions::at_least_one(u32::MAX, u32::MAX);
    let mut reader = Reader::new(stream, largest, max_memory)?;
    let (luma, colors) = reader.strips.split_first_mut()?;
    (!luma.is_small()).then_some(())?;
    colors.iter_mut().for_each(Strip::hide);
    let width = reader.dimensions.width() as usize;
    reader.rows(stop, |strips, y| each(strips[0].row(y, width)))?;
    Some(reader.dimensions)
}

/// A file whose header was read.
struct Reader<'a> {
    frame: Frame<'a>,
    /// Eighths of the size.
    scale: usize,
    /// Of what comes out.
    dimensions: Dimensions,
    strips: Vec<Strip>,
}

impl<'a> Reader<'a> {
    fn new(stream: &'a [u8], target: Dimensions, max_memory: Bytes) -> Option<Self> {
        let frame = Frame::read(stream)?;
        let scale = frame.scale_for(target);
        let dimensions = frame.scaled(scale)?;
        (dimensions.pixels().checked_mul(5)? <= max_memory.get()).then_some(())?;
        let strips = frame.components.iter().map(|c| Strip::new(&frame, c, scale));
        Some(Self { strips: strips.collect::<Option<_>>()?, frame, scale, dimensions })
    }

    /// Calls `each` for every row from the top, while the strips hold it and what is interpolated
    /// for it.
    fn rows(&mut self, stop: &Stop, mut each: impl FnMut(&[Strip], usize)) -> Option<()> {
        let Self { frame, scale, dimensions, strips } = self;
        let (height, step) = (dimensions.height() as usize, frame.mcu_height * *scale / 8);
        // The last row of MCUs waits for the samples below it.
        let behind = usize::from(strips.iter().any(Strip::is_small));
        strips.iter_mut().for_each(|strip| strip.keep(1 + behind));
        let mut scan = Scan::new(frame);
        let mut next = 0;
        for row in 0..frame.mcu_rows {
            if stop.check().is_err() {
                return None;
            }
            scan.read_row(strips, row % (1 + behind))?;
            let known = (row + 1) * step;
            let end = if known < height { known - behind } else { height };
            (next..end).for_each(|y| each(strips, y));
            next = end;
        }
        Some(())
    }
}

/// Where the reading of the bits stands.
struct Scan<'a> {
    frame: &'a Frame<'a>,
    bits: Bits<'a>,
    until_restart: usize,
    restarts: u8,
    block: [f32; 64],
}

impl<'a> Scan<'a> {
    fn new(frame: &'a Frame<'a>) -> Self {
        let until_restart = frame.restart_interval;
        Self { frame, bits: Bits::new(frame.data), until_restart, restarts: 0, block: [0.0; 64] }
    }

    /// Reads a row of MCUs into the strips, at `place` in rows of MCUs.
    fn read_row(&mut self, strips: &mut [Strip], place: usize) -> Option<()> {
        let scan = self;
        incant!(read_row(scan, strips, place), [v3, neon, scalar])
    }

    #[inline(always)]
    fn read_row_with<T: Vectors>(
        &mut self,
        token: T,
        strips: &mut [Strip],
        place: usize,
    ) -> Option<()> {
        let frame = self.frame;
        for column in 0..frame.mcu_columns {
            if frame.restart_interval > 0 {
                if self.until_restart == 0 {
                    self.bits.restart(self.restarts)?;
                    self.restarts = self.restarts.wrapping_add(1);
                    self.until_restart = frame.restart_interval;
                    strips.iter_mut().for_each(|strip| strip.mean = 0);
                }
                self.until_restart -= 1;
            }
            for (strip, component) in strips.iter_mut().zip(&frame.components) {
                let at = (column, place);
                strip.read(token, &mut self.bits, (frame, component), at, &mut self.block)?;
            }
        }
        (!self.bits.is_over()).then_some(())
    }
}

/// [`Scan::read_row`] for each kind of machine.
#[magetypes(v3, neon, scalar)]
fn read_row(token: Token, scan: &mut Scan<'_>, strips: &mut [Strip], place: usize) -> Option<()> {
    scan.read_row_with(token, strips, place)
}

/// The samples of one component in one row of MCUs, or in two in turn.
struct Strip {
    samples: Vec<u8>,
    /// Rows of samples.
    rows: usize,
    stride: usize,
    /// Samples of a block, across and down.
    block: (usize, usize),
    /// The mean of the block before.
    mean: i32,
    /// How much smaller it is than the image, across and down: 1 or 2.
    small: (usize, usize),
    /// Its bits are read, but it has no samples.
    hidden: bool,
}

impl Strip {
    fn new(frame: &Frame<'_>, component: &Component, scale: usize) -> Option<Self> {
        let (most_h, most_v) = frame.most_sampled();
        let exact = most_h % component.h == 0 && most_v % component.v == 0;
        let wanted = (scale * most_h / component.h, scale * most_v / component.v);
        // There is no transform to 16 samples: those are interpolated.
        let small = (wanted.0.div_ceil(8), wanted.1.div_ceil(8));
        let block = (wanted.0 / small.0, wanted.1 / small.1);
        let fits = exact && small.0 <= 2 && small.1 <= 2;
        (fits && idct::exists(block)).then_some(())?;
        let stride = frame.mcu_columns * component.h * block.0;
        let rows = component.v * block.1;
        let samples = Vec::new();
        Some(Self { samples, rows, stride, block, mean: 0, small, hidden: false })
    }

    fn hide(&mut self) {
        (self.hidden, self.small) = (true, (1, 1));
    }

    fn is_small(&self) -> bool {
        self.small != (1, 1)
    }

    /// Room for this many rows of MCUs.
    fn keep(&mut self, rows: usize) {
        self.rows *= rows;
        if !self.hidden {
            self.samples = vec![0; self.rows * self.stride];
        }
    }

    /// The blocks of one MCU.
    #[inline(always)]
    fn read<T: Vectors>(
        &mut self,
        token: T,
        bits: &mut Bits<'_>,
        (frame, component): (&Frame<'_>, &Component),
        (column, row): (usize, usize),
        block: &mut [f32; 64],
    ) -> Option<()> {
        let codes = frame.codes(component)?;
        let quantisers = frame.quantisers(component)?;
        let last = if self.hidden { 0 } else { idct::last(self.block.0, self.block.1) };
        // The rows that the transform looks at: all, or half.
        let half = self.block.0.max(self.block.1) <= 4;
        for y in 0..component.v {
            for x in 0..component.h {
                if half {
                    block[..32].fill(0.0);
                } else {
                    block.fill(0.0);
                }
                let farthest = bits::block(bits, codes, quantisers, &mut self.mean, last, block)?;
                if self.hidden {
                    continue;
                }
                let left = (column * component.h + x) * self.block.0;
                let top = (row * component.v + y) * self.block.1;
                let start = top * self.stride + left;
                let out = self.samples.get_mut(start..)?;
                match farthest {
                    0 => idct::flat(block[0], self.block, out, self.stride),
                    _ => idct::transform(token, block, self.block, out, self.stride),
                }
            }
        }
        Some(())
    }

    /// A row of the component, which must be one of the last.
    fn row(&self, y: usize, width: usize) -> &[u8] {
        &self.samples[y % self.rows * self.stride..][..width]
    }
}

/// A row of pixels from strips of its own size.
fn put_row(strips: &[Strip], y: usize, width: usize, pixels: &mut Vec<u8>) {
    match strips {
        [luma, blue, red] => {
            put_colors([luma.row(y, width), blue.row(y, width), red.row(y, width)], pixels);
        }
        _ => pixels.extend(strips.first().map_or(&[][..], |strip| strip.row(y, width))),
    }
}

/// Makes rows from strips of which some are smaller: between samples a quarter of the farther and
/// three of the nearer, as libjpeg has it ("fancy upsampling").
struct Enlarging {
    size: (usize, usize),
    /// One of each component.
    rows: Vec<Vec<u8>>,
    between: Vec<u16>,
}

impl Enlarging {
    fn new(components: usize, size: (usize, usize)) -> Self {
        // Twice a half that was rounded up may be one more.
        Self { size, rows: vec![vec![0; size.0 + 1]; components], between: vec![0; size.0] }
    }

    fn put_row(&mut self, strips: &[Strip], y: usize, pixels: &mut Vec<u8>) {
        let Self { size: (width, height), rows, between } = self;
        let (width, height) = (*width, *height);
        for (strip, row) in strips.iter().zip(&mut *rows) {
            if !strip.is_small() {
                row[..width].copy_from_slice(strip.row(y, width));
                continue;
            }
            let (w, h) = (width.div_ceil(strip.small.0), height.div_ceil(strip.small.1));
            let (near, far) = match strip.small.1 {
                1 => (y, y),
                // Even rows lie nearer to the sample above, odd ones to the one below.
                _ if y.is_multiple_of(2) => (y / 2, (y / 2).saturating_sub(1)),
                _ => (y / 2, (y / 2 + 1).min(h - 1)),
            };
            let (near, far) = (strip.row(near, w), strip.row(far, w));
            sums_between(near, far, between);
            match strip.small.0 {
                1 => quarters(&between[..w], row),
                _ => widened(&between[..w], row),
            }
        }
        match &rows[..] {
            [luma, blue, red] => {
                put_colors([&luma[..width], &blue[..width], &red[..width]], pixels);
            }
            _ => pixels.extend(rows.first().map_or(&[][..], |row| &row[..width])),
        }
    }
}

/// Three times the nearer and the farther.
#[autoversion(v3)]
fn sums_between(near: &[u8], far: &[u8], sums: &mut [u16]) {
    for ((sum, near), far) in sums.iter_mut().zip(near).zip(far) {
        *sum = 3 * u16::from(*near) + u16::from(*far);
    }
}

/// As many samples; `sums` are four times theirs.
#[autoversion(v3)]
fn quarters(sums: &[u16], row: &mut [u8]) {
    for (sample, sum) in row.iter_mut().zip(sums) {
        *sample = ((sum + 2) >> 2) as u8;
    }
}

/// Twice as many samples; `sums` are four times theirs.
#[autoversion(v3)]
fn widened(sums: &[u16], row: &mut [u8]) {
    let pair = |left: u16, sum: u16, right: u16| {
        [((3 * sum + left + 8) >> 4) as u8, ((3 * sum + right + 7) >> 4) as u8]
    };
    let (pairs, _) = row.as_chunks_mut::<2>();
    for (out, near) in pairs.iter_mut().skip(1).zip(sums.windows(3)) {
        *out = pair(near[0], near[1], near[2]);
    }
    // The outermost have no neighbour on one side: they stand for it.
    let last = sums.len() - 1;
    for at in [0, last] {
        if let Some(out) = pairs.get_mut(at) {
            *out = pair(sums[at.saturating_sub(1)], sums[at], sums[(at + 1).min(last)]);
        }
    }
}

/// A row of pixels.
fn put_colors([luma, blue, red]: [&[u8]; 3], pixels: &mut Vec<u8>) {
    let start = pixels.len();
    pixels.resize(start + luma.len() * 3, 0);
    colors(luma, blue, red, &mut pixels[start..]);
}

/// Colour by ITU-T T.871 clause 7.
#[autoversion(v3)]
fn colors(luma: &[u8], blue: &[u8], red: &[u8], pixels: &mut [u8]) {
    let samples = luma.iter().zip(blue).zip(red);
    for (pixel, ((y, cb), cr)) in pixels.chunks_exact_mut(3).zip(samples) {
        // 16 fractional bits, rounded.
        let y = (i32::from(*y) << 16) + 32_768;
        let (cb, cr) = (i32::from(*cb) - 128, i32::from(*cr) - 128);
        let sample = |value: i32| (value >> 16).clamp(0, 255) as u8;
        pixel[0] = sample(y + 91_881 * cr);
        pixel[1] = sample(y - 22_554 * cb - 46_802 * cr);
        pixel[2] = sample(y + 116_130 * cb);
    }
}
