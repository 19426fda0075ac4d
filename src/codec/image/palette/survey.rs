//! Counts colours and chooses a palette from the counts.

use std::{borrow::Cow, collections::HashMap};

use quantette::color_map::{IndexedColorMap, NearestNeighborColorMap};
use quantette::color_space::{oklab_to_srgb8, srgb8_to_oklab};
use quantette::deps::palette::{Oklab, Srgb};
use quantette::wu::{BinnerF32x3, WuF32x3};
use quantette::{PaletteBuf, PaletteCounts, PaletteSize};

use super::{CLEAR, LEVELS, Level, Palette, REFINE_ROUNDS, Rgba, level, square};

/// A cell of the histogram: the sums of red, green, blue and alpha, and the number of pixels.
type Cell = ([u64; 4], u64);

/// A histogram of 6 bits for each of red, green and blue.
#[derive(Default)]
struct Histogram {
    /// For each colour its cell's number plus one, or 0; empty until the first pixel.
    table: Vec<u32>,
    /// In the order in which the colours first came.
    cells: Vec<Cell>,
}

impl Histogram {
    fn add(&mut self, color: Rgba, count: u64) {
        if self.table.is_empty() {
            self.table.resize(1 << 18, 0);
        }
        let [r, g, b, _] = color.map(|c| usize::from(c >> 2));
        // 18 bits: always within the table
        let slot = &mut self.table[r << 12 | g << 6 | b];
        if *slot == 0 {
            self.cells.push(Cell::default());
            *slot = self.cells.len() as u32;
        }
        let cell = &mut self.cells[*slot as usize - 1];
        for (sum, channel) in cell.0.iter_mut().zip(color) {
            *sum += u64::from(channel) * count;
        }
        cell.1 += count;
    }
}

/// Different colours up to which each is counted by itself.
const COUNTED: usize = 8192;

/// Counts the colours of any number of frames. Bounded: at most 2^18 cells for each level of
/// alpha, whatever the number of pixels.
#[derive(Default)]
pub struct Survey {
    histograms: [Histogram; LEVELS],
    /// All colours and their pixels, while there are at most [`COUNTED`].
    distinct: HashMap<Rgba, u64>,
    many: bool,
}

impl Survey {
    /// Counts `pixels`.
    pub fn add(&mut self, pixels: impl IntoIterator<Item = Rgba>) {
        let mut run: Option<(Rgba, u64)> = None;
        for pixel in pixels {
            match &mut run {
                Some((color, length)) if *color == pixel => *length += 1,
                _ => {
                    if let Some((color, length)) = run.replace((pixel, 1)) {
                        self.add_run(color, length);
                    }
                }
            }
        }
        if let Some((color, length)) = run {
            self.add_run(color, length);
        }
    }

    fn add_run(&mut self, color: Rgba, count: u64) {
        if !self.many {
            *self.distinct.entry(color).or_default() += count;
            self.many = self.distinct.len() > COUNTED;
        }
        self.histograms[level(color[3])].add(color, count);
    }

    /// How many different colours there are, if at most 256.
    pub fn distinct(&self) -> Option<u16> {
        let few = !self.many && self.distinct.len() <= 256;
        few.then_some(self.distinct.len() as u16)
    }

    /// The colours of one level of alpha: each by itself while there are few.
    fn cells(&self, of: usize) -> Cow<'_, [Cell]> {
        if self.many {
            return Cow::Borrowed(&self.histograms[of].cells);
        }
        let mut found: Vec<(Rgba, u64)> = self.distinct.iter().map(|(c, n)| (*c, *n)).collect();
        found.retain(|(color, _)| level(color[3]) == of);
        found.sort_unstable();
        Cow::Owned(found.into_iter().map(|(c, n)| (c.map(|v| u64::from(v) * n), n)).collect())
    }

    /// Whether a fully transparent pixel was seen.
    pub fn has_clear(&self) -> bool {
        !self.histograms[0].cells.is_empty()
    }

    /// A palette of at most `colors` entries, 1…256, the clear one included.
    pub fn palette(&self, colors: u16) -> Palette {
        self.palette_refined(colors, REFINE_ROUNDS)
    }

    /// [`Self::palette`] with another number of rounds than [`REFINE_ROUNDS`]. For measurements.
    pub fn palette_refined(&self, colors: u16, rounds: usize) -> Palette {
        let colors = usize::from(colors.clamp(1, 256));
        if !self.many && self.distinct.len() <= colors {
            return Palette::exact(self.distinct.keys().copied().collect());
        }
        let clear = usize::from(self.has_clear());
        let weigh = |h: &Histogram| h.cells.iter().map(|cell| cell.1).sum();
        let weights: Vec<u64> = self.histograms.iter().map(weigh).collect();
        let shares = share(&weights, colors - clear.min(colors));
        let mut palette = Palette { clear: self.has_clear(), ..Palette::default() };
        if palette.clear {
            palette.colors.push(CLEAR);
        }
        for (level, share) in shares.into_iter().enumerate().skip(1) {
            if let Some((alpha, entries)) = quantise(&self.cells(level), share, rounds) {
                let first = palette.colors.len();
                let bytes = oklab_to_srgb8(&entries);
                palette.colors.extend(bytes.iter().map(|c| [c.red, c.green, c.blue, alpha]));
                palette.levels[level] = Level::new(first, entries);
            }
        }
        palette
    }
}

/// Divides `entries` among the levels of alpha: one to each that has pixels, the rest by the
/// square root of their pixels, what is left over to the opaque.
fn share(weights: &[u64], entries: usize) -> Vec<usize> {
    let present: Vec<usize> =
        (1..weights.len()).rev().filter(|&i| weights[i] > 0).take(entries).collect();
    let mut shares = vec![0; weights.len()];
    let roots: f64 = present.iter().map(|&i| (weights[i] as f64).sqrt()).sum();
    let spare = entries - present.len();
    let mut left = spare;
    for &i in &present {
        let part = ((weights[i] as f64).sqrt() / roots.max(1.0) * spare as f64) as usize;
        let part = part.min(left);
        shares[i] = 1 + part;
        left -= part;
    }
    if let Some(&first) = present.first() {
        shares[first] += left;
    }
    shares
}

/// Wu, then Lloyd, over the cells of one level. Also gives the level's mean alpha.
fn quantise(cells: &[Cell], entries: usize, rounds: usize) -> Option<(u8, Vec<Oklab>)> {
    let total: u64 = cells.iter().map(|cell| cell.1).sum();
    let size = PaletteSize::try_from_usize(entries)?;
    let alpha = cells.iter().map(|cell| cell.0[3]).sum::<u64>().checked_div(total)? as u8;
    let mean = |cell: &Cell, channel: usize| ((cell.0[channel] + cell.1 / 2) / cell.1) as u8;
    let colors: Vec<Srgb<u8>> =
        cells.iter().map(|cell| Srgb::new(mean(cell, 0), mean(cell, 1), mean(cell, 2))).collect();
    // counts are kept below the u32 that the sum must fit
    let shrink = total.div_ceil(1 << 31).max(1);
    let counts: Vec<u32> =
        cells.iter().map(|cell| u32::try_from(cell.1 / shrink).unwrap_or(1).max(1)).collect();
    let colors = srgb8_to_oklab(&colors);
    let histogram = PaletteCounts::new(colors.clone(), counts.clone()).ok()?;
    let wu = WuF32x3::run_palette_counts(&histogram, BinnerF32x3::oklab_from_srgb8())?;
    let palette = filled_up(wu.palette(size).into_vec(), size, &colors, &counts)?;
    Some((alpha, refine(palette, &colors, &counts, rounds)))
}

/// Wu's method sees colours in bins, and gives fewer entries than it may where an image has few
/// hues in many shades: drawings and screenshots. The colours that are farthest from all entries,
/// for their number, become entries of their own.
fn filled_up(
    mut entries: Vec<Oklab>,
    size: PaletteSize,
    colors: &[Oklab],
    counts: &[u32],
) -> Option<PaletteBuf<Oklab>> {
    let missing = size.as_usize().saturating_sub(entries.len());
    if missing > 0 {
        let nearest = |color: &Oklab| {
            entries.iter().map(|entry| square(color, entry)).fold(f32::MAX, f32::min)
        };
        let mut off: Vec<f32> = colors.iter().map(nearest).collect();
        for _ in 0..missing {
            // The root of the number: thin lines count, and so does what covers the image.
            let badness = |at: &usize| off[*at] * (counts[*at] as f32).sqrt();
            let worst = (0..colors.len()).max_by(|a, b| badness(a).total_cmp(&badness(b)));
            let Some(worst) = worst.filter(|at| off[*at] > 0.0) else { break };
            entries.push(colors[worst]);
            for (off, color) in off.iter_mut().zip(colors) {
                *off = off.min(square(color, &colors[worst]));
            }
        }
    }
    PaletteBuf::new(entries).ok()
}

/// Lloyd's algorithm: every entry moves to the mean of the colours that are nearest to it.
fn refine(
    mut palette: PaletteBuf<Oklab>,
    colors: &[Oklab],
    counts: &[u32],
    rounds: usize,
) -> Vec<Oklab> {
    for _ in 0..rounds {
        let map = NearestNeighborColorMap::new(palette.clone());
        let mut sums = vec![([0.0_f64; 3], 0.0_f64); palette.as_slice().len()];
        for (color, count) in colors.iter().zip(counts) {
            let count = f64::from(*count);
            if let Some((sum, weight)) = sums.get_mut(usize::from(map.palette_index(color))) {
                for (sum, c) in sum.iter_mut().zip([color.l, color.a, color.b]) {
                    *sum += f64::from(c) * count;
                }
                *weight += count;
            }
        }
        for (entry, (sum, weight)) in palette.as_mut_slice().iter_mut().zip(sums) {
            if weight > 0.0 {
                let [l, a, b] = sum.map(|sum| (sum / weight) as f32);
                *entry = Oklab::new(l, a, b);
            }
        }
    }
    palette.into_vec()
}
