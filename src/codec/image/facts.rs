//! Facts about pixels that guide the choice of format.

use std::collections::HashSet;

use super::{
    raster::{DecodedImage, Layout, Raster},
    resize::Plane,
};
use crate::codec::ContentFacts;

/// Share of pixels that equal their left neighbour, from which on an image counts as graphic.
/// Over the corpus (2026-11) all screenshots, drawings and scanned text lie above it, and all
/// photographs below but for a moon on black and one dull wall.
const GRAPHIC_SHARE: f64 = 0.5;

/// Looks at every pixel once.
pub(super) fn of_raster(raster: &Raster) -> ContentFacts {
    let alpha = raster.layout() == Layout::Rgba;
    facts(raster.pixels(), raster.dimensions().width(), raster.layout().channels(), alpha)
}

/// Looks at every pixel once.
pub(super) fn of_plane(plane: &Plane) -> ContentFacts {
    facts(&plane.pixels, plane.dimensions.width(), plane.channels, plane.alpha)
}

/// Of an animation: the first frame's, colours and transparency over all frames.
pub(super) fn of_image(image: &DecodedImage) -> ContentFacts {
    let mut frames = image.frames.iter().map(|frame| of_raster(&frame.raster));
    let mut all = frames.next().unwrap_or_default();
    for next in frames {
        all.transparent |= next.transparent;
        all.gray &= next.gray;
        all.distinct_colors = match (all.distinct_colors, next.distinct_colors) {
            (Some(a), Some(b)) => Some(a.max(b)),
            _ => None,
        };
    }
    all
}

fn facts(pixels: &[u8], width: u32, channels: usize, alpha: bool) -> ContentFacts {
    match channels {
        1 => collect::<1>(pixels, width, alpha),
        2 => collect::<2>(pixels, width, alpha),
        3 => collect::<3>(pixels, width, alpha),
        _ => collect::<4>(pixels, width, alpha),
    }
}

/// Pixels that tell a photo from a drawing: of more, every n-th row is looked at first.
const ENOUGH: usize = 250_000;

fn collect<const N: usize>(pixels: &[u8], width: u32, alpha: bool) -> ContentFacts {
    let (pixels, _) = pixels.as_chunks::<N>();
    let width = width.max(1) as usize;
    let every = pixels.len() / ENOUGH + 1;
    let sample = look(pixels, width, alpha, every);
    // A colour photo is one whatever the other rows hold; of the rest all is wanted exactly.
    let photo = sample.distinct_colors.is_none() && !sample.gray && !sample.graphic;
    if every == 1 || photo && !alpha { sample } else { look(pixels, width, alpha, 1) }
}

/// Looks at every n-th row.
fn look<const N: usize>(
    pixels: &[[u8; N]],
    width: usize,
    alpha: bool,
    every: usize,
) -> ContentFacts {
    let mut colors: HashSet<[u8; N]> = HashSet::new();
    let (mut equal_neighbours, mut gray, mut transparent) = (0_u64, true, false);
    let (mut looked_at, mut rows) = (0, 0);
    for row in pixels.chunks(width).step_by(every) {
        (looked_at, rows) = (looked_at + row.len(), rows + 1);
        let mut last: Option<[u8; N]> = None;
        for &pixel in row {
            if last == Some(pixel) {
                equal_neighbours += 1;
                continue;
            }
            last = Some(pixel);
            if colors.len() <= 256 {
                colors.insert(pixel);
            }
            gray &= N < 3 || (pixel[0] == pixel[1 % N] && pixel[0] == pixel[2 % N]);
            transparent |= alpha && pixel[N - 1] != 255;
        }
    }
    let pairs = (looked_at - rows).max(1) as f64;
    ContentFacts {
        distinct_colors: u16::try_from(colors.len()).ok().filter(|n| *n <= 256),
        transparent,
        gray,
        graphic: equal_neighbours as f64 / pairs >= GRAPHIC_SHARE,
        music: false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Dimensions;

    #[test]
    fn counts_and_shares() {
        let side = Dimensions::new(32, 32).unwrap();
        let flat = Raster::new(side, Layout::Rgb, vec![9; 32 * 32 * 3]).unwrap();
        let found = of_raster(&flat);
        assert_eq!(found.distinct_colors, Some(1));
        assert!(found.gray && found.graphic && !found.transparent);

        let noise = (0..32_u32 * 32)
            .flat_map(|i| {
                let v = i.wrapping_mul(2_654_435_761);
                [v as u8, (v >> 8) as u8, (v >> 16) as u8, (v >> 24) as u8]
            })
            .collect();
        let found = of_raster(&Raster::new(side, Layout::Rgba, noise).unwrap());
        assert_eq!(found.distinct_colors, None);
        assert!(!found.gray && !found.graphic && found.transparent);
    }
}
