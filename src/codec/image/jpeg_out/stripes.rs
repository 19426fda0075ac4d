//! From pixels to samples of luma and chroma, as many rows at a time as an MCU has.

use crate::codec::image::ycc::{chroma_of, chroma_of_sums, colors_of, luma_of, sums_of};

/// One colour of a row each, padded by repeating the last pixel.
type Apart = [Vec<u8>; 3];

/// The samples of one row of MCUs, padded to whole MCUs by repeating the edge.
pub struct Stripes {
    /// Of luma alone, or of luma and two of chroma, row by row.
    pub planes: Vec<Vec<u8>>,
    /// Samples of luma across.
    width: usize,
    /// How many samples of luma there are for one of chroma, across and down: 1 or 2.
    factor: usize,
    apart: [Apart; 2],
    sums: [Vec<u16>; 3],
}

impl Stripes {
    /// `width` is a multiple of an MCU's, `factor` 1 or 2, and `count` of components 1 or 3.
    pub fn new(width: usize, factor: usize, count: usize) -> Self {
        let luma = width * 8 * factor;
        let chroma = width / factor * 8;
        let apart = if count == 1 { 0 } else { width };
        Self {
            planes: (0..count).map(|at| vec![0; if at == 0 { luma } else { chroma }]).collect(),
            width,
            factor,
            apart: std::array::from_fn(|_| std::array::from_fn(|_| vec![0; apart])),
            sums: std::array::from_fn(|_| vec![0; apart / 2]),
        }
    }

    /// Takes up to a row of MCUs of pixels, `real` of them across: gray or RGB.
    pub fn fill(&mut self, pixels: &[u8], real: usize) {
        let (width, factor) = (self.width, self.factor);
        match &mut self.planes[..] {
            [gray] => {
                for (line, row) in gray.chunks_exact_mut(width).zip(pixels.chunks_exact(real)) {
                    line[..real].copy_from_slice(row);
                    line[real..].fill(row[real - 1]);
                }
                repeat_last(gray, width, pixels.len() / real);
            }
            [y, blue, red] => {
                let (pixels, _) = pixels.as_chunks::<3>();
                let (apart, sums) = (&mut self.apart, &mut self.sums);
                let lines = y.chunks_exact_mut(width * factor);
                let lines = lines.zip(blue.chunks_exact_mut(width / factor));
                let lines = lines.zip(red.chunks_exact_mut(width / factor));
                for (((y, blue), red), rows) in lines.zip(pixels.chunks(real * factor)) {
                    let rows = rows.chunks_exact(real);
                    let last = rows.len() - 1;
                    for ((row, y), apart) in rows.zip(y.chunks_exact_mut(width)).zip(&mut *apart) {
                        take_apart(row, apart);
                        let [r, g, b] = &*apart;
                        luma_of(r, g, b, y);
                    }
                    if factor == 1 {
                        let [r, g, b] = &apart[0];
                        chroma_of(r, g, b, blue, red);
                        continue;
                    }
                    // The means of 2 by 2 pixels; an odd last row counts twice.
                    let (top, bottom) = (&apart[0], &apart[last]);
                    for ((sums, top), bottom) in sums.iter_mut().zip(top).zip(bottom) {
                        sums_of(top, bottom, sums);
                    }
                    let [r, g, b] = &*sums;
                    chroma_of_sums(r, g, b, blue, red);
                }
                let rows = pixels.len() / real;
                repeat_last(y, width, rows);
                for chroma in [blue, red] {
                    repeat_last(chroma, width / factor, rows.div_ceil(factor));
                }
            }
            _ => {}
        }
    }
}

/// Fills `out` from a row of pixels.
fn take_apart(row: &[[u8; 3]], [r, g, b]: &mut Apart) {
    colors_of(row, r, g, b);
    for line in [r, g, b] {
        let last = line[row.len() - 1];
        line[row.len()..].fill(last);
    }
}

/// Repeats the last of so many rows to the end.
fn repeat_last(samples: &mut [u8], width: usize, rows: usize) {
    let (known, rest) = samples.split_at_mut(rows * width);
    for row in rest.chunks_exact_mut(width) {
        row.copy_from_slice(&known[(rows - 1) * width..]);
    }
}
