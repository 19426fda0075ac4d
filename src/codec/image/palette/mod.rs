//! Reduces images to a palette.
//!
//! Two passes, so that an animation never has to be in memory as a whole: a [`Survey`] sees every
//! frame and yields a [`Palette`], which then turns frames into indices one at a time. Up to the
//! asked number of colours the palette is exact and nothing is dithered. Beyond it, Wu's method in
//! Oklab (`quantette`) chooses the colours, and a few rounds of Lloyd's algorithm settle them.
//! Everything is deterministic.

mod survey;

use std::collections::BTreeMap;

use quantette::color_map::{IndexedColorMap, NearestNeighborColorMap};
use quantette::color_space::srgb8_to_oklab;
use quantette::deps::palette::{Oklab, Srgb};
use quantette::dither::FloydSteinberg;
use quantette::{ImageRef, PaletteBuf};

pub use survey::Survey;

use super::raster::{Layout, Raster};
use crate::model::{Dimensions, Rgb};

/// Red, green, blue, straight alpha.
pub type Rgba = [u8; 4];

/// The only fully transparent colour that a palette holds.
pub const CLEAR: Rgba = [0, 0, 0, 0];

/// Rounds of Lloyd's algorithm after Wu.
///
/// Measured 2026-11-24 by `gif_out::measure`: four photos and a screenshot of 320 × 240, diffused;
/// bytes of the GIF, CPU in the dev profile, SSIMULACRA2:
///
/// | rounds | 256 colours            | 64 colours             | 16 colours             |
/// |--------|------------------------|------------------------|------------------------|
/// | 0 (Wu) | 41,974 B, 29 ms, 84.0  | 31,607 B, 23 ms, 76.7  | 18,362 B, 17 ms, 56.4  |
/// | 1      | 42,218 B, 32 ms, 85.3  | 31,473 B, 23 ms, 78.2  | 18,437 B, 21 ms, 57.6  |
/// | 3      | 42,414 B, 33 ms, 85.8  | 31,164 B, 24 ms, 78.7  | 18,428 B, 20 ms, 57.4  |
/// | **8**  | 42,537 B, 38 ms, 86.4  | 31,033 B, 24 ms, 78.8  | 18,407 B, 25 ms, 57.4  |
pub const REFINE_ROUNDS: usize = 8;

/// How colours between two palette entries are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dither {
    /// The nearest entry.
    None,
    /// An 8 × 8 pattern fixed to the canvas: equal pixels of two frames stay equal. Its strength
    /// is in percent of the mean distance between neighbouring palette colours.
    Ordered(u8),
    /// Floyd–Steinberg: best for stills; noise that changes from frame to frame in animations.
    Diffuse,
}

/// The pixels of `raster` as straight RGBA; every fully transparent one is [`CLEAR`].
pub fn rgba(raster: &Raster) -> Vec<Rgba> {
    let pixels = raster.pixels();
    match raster.layout() {
        Layout::Gray => pixels.iter().map(|&g| [g, g, g, 255]).collect(),
        Layout::Rgb => pixels.chunks_exact(3).map(|p| [p[0], p[1], p[2], 255]).collect(),
        Layout::Rgba => pixels
            .chunks_exact(4)
            .map(|p| if p[3] == 0 { CLEAR } else { [p[0], p[1], p[2], p[3]] })
            .collect(),
    }
}

/// `pixel` in front of `background`, opaque. Blended as browsers do, on the sRGB values.
pub fn flatten(pixel: Rgba, background: Rgb) -> Rgba {
    let alpha = u32::from(pixel[3]);
    let mix = |over: u8, under: u8| {
        ((u32::from(over) * alpha + u32::from(under) * (255 - alpha) + 127) / 255) as u8
    };
    [mix(pixel[0], background[0]), mix(pixel[1], background[1]), mix(pixel[2], background[2]), 255]
}

/// Levels of alpha that are told apart when there are too many colours: 0 is clear, 8 opaque.
const LEVELS: usize = 9;
const OPAQUE: usize = LEVELS - 1;

fn level(alpha: u8) -> usize {
    match alpha {
        0 => 0,
        255 => OPAQUE,
        a => (usize::from(a) * 7 / 255 + 1).min(OPAQUE - 1),
    }
}

/// The square of the distance of two colours.
fn square(a: &Oklab, b: &Oklab) -> f32 {
    let (l, m, n) = (a.l - b.l, a.a - b.a, a.b - b.b);
    l * l + m * m + n * n
}

/// The entries of one level of alpha.
struct Level {
    first: usize,
    map: NearestNeighborColorMap<Oklab, f32, 3>,
    /// Mean distance of an entry to its nearest neighbour.
    spacing: f32,
}

impl Level {
    fn new(first: usize, entries: Vec<Oklab>) -> Option<Self> {
        let nearest = entries.iter().enumerate().filter_map(|(i, one)| {
            let others = entries.iter().enumerate().filter(|(j, _)| *j != i);
            others.map(|(_, other)| square(one, other).sqrt()).min_by(f32::total_cmp)
        });
        let spacing = nearest.sum::<f32>() / entries.len().max(1) as f32;
        let map = NearestNeighborColorMap::new(PaletteBuf::new(entries).ok()?);
        Some(Self { first, map, spacing })
    }

    fn nearest(&self, color: &Oklab) -> u8 {
        (self.first + usize::from(self.map.palette_index(color))) as u8
    }
}

/// Colours, and the way from a pixel to one of them.
#[derive(Default)]
pub struct Palette {
    colors: Vec<Rgba>,
    clear: bool,
    /// Set if every colour surveyed is in the palette.
    exact: Option<BTreeMap<Rgba, u8>>,
    levels: [Option<Level>; LEVELS],
}

impl Palette {
    fn exact(colors: Vec<Rgba>) -> Self {
        // transparent entries first: PNG's tRNS may then stop early
        let mut colors = colors;
        colors.sort_by_key(|c| (c[3], *c));
        let exact = colors.iter().enumerate().map(|(i, c)| (*c, i as u8)).collect();
        let clear = colors.contains(&CLEAR);
        Self { colors, clear, exact: Some(exact), ..Self::default() }
    }

    /// The entries; a clear one comes first, partly transparent ones before opaque ones.
    pub fn colors(&self) -> &[Rgba] {
        &self.colors
    }

    /// The index of the clear entry, 0 if there is one.
    pub fn clear(&self) -> Option<u8> {
        self.clear.then_some(0)
    }

    /// Indices of `pixels`, an image of `size`. Dithers only what is opaque.
    pub fn indices(&self, pixels: &[Rgba], size: Dimensions, dither: Dither) -> Vec<u8> {
        if let Some(exact) = &self.exact {
            let mut last = (CLEAR, exact.get(&CLEAR).copied().unwrap_or(0));
            return pixels
                .iter()
                .map(|pixel| {
                    if *pixel != last.0 {
                        last = (*pixel, exact.get(pixel).copied().unwrap_or(0));
                    }
                    last.1
                })
                .collect();
        }
        let oklab = to_oklab(pixels);
        let mut indices: Vec<u8> = match (dither, &self.levels[OPAQUE]) {
            (Dither::Diffuse, Some(level)) => diffuse(level, &oklab, size),
            _ => vec![0; pixels.len()],
        };
        let width = size.width() as usize;
        let mut last: Option<(Rgba, u8)> = None;
        for (at, ((index, pixel), color)) in indices.iter_mut().zip(pixels).zip(&oklab).enumerate()
        {
            let found = level(pixel[3]);
            if found == 0 && self.clear {
                *index = 0;
                continue;
            }
            let Some(level) = self.level(found) else { continue };
            if found != OPAQUE || dither == Dither::None {
                *index = match last {
                    Some((color, index)) if color == *pixel => index,
                    _ => level.nearest(color),
                };
                last = Some((*pixel, *index));
            } else if let Dither::Ordered(percent) = dither {
                let threshold = BAYER[at / width % 8][at % width % 8];
                let shift = (f32::from(threshold) / 63.0 - 0.5)
                    * level.spacing
                    * (f32::from(percent) / 100.0);
                *index = level.nearest(&Oklab::new(color.l + shift, color.a, color.b));
            }
        }
        indices
    }

    /// The level's entries, or the next more opaque ones where it was given none.
    fn level(&self, found: usize) -> Option<&Level> {
        self.levels[found..].iter().flatten().next()
    }
}

fn to_oklab(pixels: &[Rgba]) -> Vec<Oklab> {
    // a clear pixel takes the colour of its neighbour, so that no error is diffused from it
    let mut last = Srgb::new(0, 0, 0);
    let colors: Vec<Srgb<u8>> = pixels
        .iter()
        .map(|&[r, g, b, a]| {
            if a != 0 {
                last = Srgb::new(r, g, b);
            }
            last
        })
        .collect();
    srgb8_to_oklab(&colors)
}

fn diffuse(level: &Level, oklab: &[Oklab], size: Dimensions) -> Vec<u8> {
    match ImageRef::new(size.width(), size.height(), oklab) {
        Ok(image) => {
            let dithered = FloydSteinberg::new().dither_image_to_indexed(image, &level.map);
            dithered
                .into_parts()
                .1
                .into_iter()
                .map(|i| (level.first + usize::from(i)) as u8)
                .collect()
        }
        // more than u32::MAX pixels: not within any decode limit
        Err(_) => oklab.iter().map(|color| level.nearest(color)).collect(),
    }
}

/// Bayer's ordered pattern of 8 × 8 (Bayer 1973).
const BAYER: [[u8; 8]; 8] = {
    let mut table = [[0; 8]; 8];
    let (mut y, mut x) = (0, 0);
    while y < 8 {
        while x < 8 {
            let (mut value, mut bit) = (0, 0);
            while bit < 3 {
                let (a, b) = (((x ^ y) >> bit) & 1, (y >> bit) & 1);
                value |= (a << 1 | b) << (2 * (2 - bit));
                bit += 1;
            }
            table[y][x] = value as u8;
            x += 1;
        }
        x = 0;
        y += 1;
    }
    table
};

#[cfg(test)]
mod tests;
