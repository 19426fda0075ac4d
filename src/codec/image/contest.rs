//! Which of several JPEG codings of an image looks best at equal bytes: tried on a sample of it,
//! and judged by SSIMULACRA2.

use fast_ssim2::Ssimulacra2Reference;

use super::{
    jpeg_in,
    jpeg_out::{Prepared, Quantising, Transformed, encode_baseline},
    judge::pixels,
    raster::{Layout, Raster},
    resize::resize,
};
use crate::{
    codec::{CodecError, EncodeError},
    model::{Bytes, Chroma, Dimensions, ImageCoding, ImageRecipe, Quality, Stop},
};

/// Side of the tiles of a sample, and how many there are at most, across and down. Measured
/// 2026-11-26 on 14 photos: at 15 kB the choice is the right one or within a point of it.
const TILE: u32 = 64;
const TILES: (u32, u32) = (4, 3);
/// What another setting must be better by: less is chance, and may differ between machines.
const CLEARLY: f64 = 0.4;

/// The place of the best of `recipes`, all of them at the bytes of the first; `whole` is the
/// image at its largest.
pub(super) fn best(
    whole: &Raster,
    recipes: &[&ImageRecipe],
    stop: &Stop,
) -> Result<Option<usize>, CodecError> {
    if whole.layout() != Layout::Rgb {
        return Ok(None);
    }
    let Some(sample) = sample(whole) else { return Ok(None) };
    let Some(judge) = pixels(&sample).and_then(|p| Ssimulacra2Reference::new(&p).ok()) else {
        return Ok(None);
    };
    let mut bytes = None;
    let mut best: Option<(usize, f64)> = None;
    for (at, recipe) in recipes.iter().enumerate() {
        let ImageCoding::Jpeg { quality, chroma, .. } = recipe.coding else { return Ok(None) };
        let z = f64::from(recipe.dimensions.width()) / f64::from(whole.dimensions().width());
        let small = resize(&sample, sample.dimensions().scaled(z))?;
        let transformed = Transformed::new(&small, chroma, stop)?;
        let quality = match bytes {
            None => quality,
            Some(bytes) => quality_within(&transformed, chroma, bytes, stop)?,
        };
        let how = Quantising::new(quality, chroma, false);
        let file = match encode_baseline(&transformed, &how, Bytes::new(u64::MAX), stop) {
            Ok(file) => file,
            Err(EncodeError::Codec(error)) => return Err(error),
            Err(EncodeError::OverCap { .. }) => return Ok(None),
        };
        bytes.get_or_insert(Bytes::of(&file));
        let room = Bytes::new(small.dimensions().pixels() * 8);
        let Some(shown) = jpeg_in::decode(&file, small.dimensions(), room, stop)
            .and_then(|d| Raster::new(d.dimensions, Layout::Rgb, d.pixels))
        else {
            return Ok(None);
        };
        let shown = resize(&shown, sample.dimensions())?;
        let Some(score) = pixels(&shown).and_then(|p| judge.compare(&p).ok()) else {
            return Ok(None);
        };
        if best.is_none_or(|(_, most)| score > most + CLEARLY) {
            best = Some((at, score));
        }
    }
    Ok(best.map(|(at, _)| at))
}

/// The best quality at which the image takes no more than `bytes`, by halves.
fn quality_within(
    image: &Transformed,
    chroma: Chroma,
    bytes: Bytes,
    stop: &Stop,
) -> Result<Quality, CodecError> {
    let (mut low, mut high) = (Quality::MIN.hundredths(), Quality::MAX.hundredths());
    // To a quality step, or a third of one near the top: what is left changes no choice.
    while high - low > 100.min((10_000 - low) / 10 + 5) {
        let middle = u16::midpoint(low, high);
        let how = Quantising::new(Quality::from_hundredths(middle), chroma, false);
        let fits = Prepared::new(image, &how, stop)?.size() <= bytes;
        *(if fits { &mut low } else { &mut high }) = middle;
    }
    Ok(Quality::from_hundredths(low))
}

/// Tiles from all over an image, put side by side; itself where it is not larger.
fn sample(whole: &Raster) -> Option<Raster> {
    let from = whole.dimensions();
    let across = (from.width() / TILE).min(TILES.0);
    let down = (from.height() / TILE).min(TILES.1);
    if across < TILES.0 || down < TILES.1 {
        return Some(whole.clone());
    }
    let size = Dimensions::new(across * TILE, down * TILE)?;
    // Evenly spread, in steps of whole blocks so that a block is one of the image's.
    let start = |n: u32, count: u32, side: u32| {
        let free = (side - TILE) / 16;
        free * n / (count - 1).max(1) * 16
    };
    let stride = from.width() as usize * 3;
    let mut pixels = Vec::with_capacity(size.pixels() as usize * 3);
    for row in 0..down {
        let top = start(row, down, from.height()) as usize;
        for y in top..top + TILE as usize {
            for column in 0..across {
                let left = start(column, across, from.width()) as usize * 3;
                let at = y * stride + left;
                pixels.extend_from_slice(whole.pixels().get(at..at + TILE as usize * 3)?);
            }
        }
    }
    Raster::new(size, Layout::Rgb, pixels)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn recipe(width: u32, height: u32, quality: u8, chroma: Chroma) -> ImageRecipe {
        let quality = Quality::new(quality);
        ImageRecipe {
            dimensions: Dimensions::new(width, height).unwrap(),
            coding: ImageCoding::Jpeg { quality, chroma, trellis: false },
            background: [255; 3],
        }
    }

    fn choose(raster: &Raster, recipes: &[ImageRecipe]) -> Option<usize> {
        let recipes: Vec<&ImageRecipe> = recipes.iter().collect();
        best(raster, &recipes, &Stop::never()).unwrap()
    }

    #[test]
    fn blur_is_sent_small_and_colour_edges_whole() {
        let size = Dimensions::new(320, 256).unwrap();
        // A blurred scene of which a quarter of the pixels says everything.
        let soft = |x: f64, y: f64| 128.0 + 60.0 * (x / 23.0).sin() + 50.0 * (y / 31.0).cos();
        let pixels = (0..320 * 256)
            .flat_map(|i| {
                let v = soft(f64::from(i % 320), f64::from(i / 320)) as u8;
                [v, 255 - v, v / 2]
            })
            .collect();
        let blurred = Raster::new(size, Layout::Rgb, pixels).unwrap();
        let poor = [recipe(320, 256, 4, Chroma::Quarter), recipe(160, 128, 4, Chroma::Quarter)];
        assert_eq!(choose(&blurred, &poor), Some(1));
        // Red and blue of equal luma, pixel by pixel: in half the samples it is one purple.
        let pixels = (0..320 * 256)
            .flat_map(|i| {
                if (i % 320 / 3 + i / 320 / 3) % 2 == 0 { [200, 30, 40] } else { [60, 60, 220] }
            })
            .collect();
        let colours = Raster::new(size, Layout::Rgb, pixels).unwrap();
        let rich = [recipe(320, 256, 90, Chroma::Quarter), recipe(320, 256, 90, Chroma::Full)];
        assert_eq!(choose(&colours, &rich), Some(1));
    }

    #[test]
    fn small_and_gray_images_are_no_problem() {
        let size = Dimensions::new(9, 7).unwrap();
        let tiny = Raster::new(size, Layout::Rgb, vec![7; 9 * 7 * 3]).unwrap();
        let recipes = [recipe(9, 7, 50, Chroma::Quarter), recipe(5, 4, 50, Chroma::Quarter)];
        let _ = choose(&tiny, &recipes);
        let gray = Raster::new(size, Layout::Gray, vec![7; 9 * 7]).unwrap();
        assert_eq!(choose(&gray, &recipes), None);
    }
}
