//! An image that lies in the file as a grid, decoded one tile after the other: each is made smaller
//! at once, so that a photo of 200 megapixels is never in memory as a whole.

use mmsfit::{
    codec::{CodecError, DecodeLimits, image::ForeignPixels},
    model::{Dimensions, Stop},
};

use super::{
    boxes::{Grid, Survey, Turn},
    file::Heif,
};

/// Pixels from which on a grid is decoded by its tiles: below, a whole image takes no more memory
/// than any other, and comes out as the library puts it together.
const FROM_PIXELS: u64 = 20_000_000;

/// The image that `heif` shows, at half, a quarter, … of its size, with at least twice the pixels
/// of `largest` each way. `None` where it is no grid, needs them all, or is put together in a way
/// that is left to the library.
///
/// # Errors
/// A tile that cannot be decoded; stopped.
pub(super) fn decode(
    heif: &Heif<'_>,
    largest: Dimensions,
    limits: &DecodeLimits,
    stop: &Stop,
) -> Result<Option<ForeignPixels>, CodecError> {
    let shown = heif.dimensions()?;
    if shown.pixels() < FROM_PIXELS || heif.has_alpha() {
        return Ok(None);
    }
    let Some(Grid { tiles, turns, reachable }) = Survey::of(heif.bytes()).and_then(|s| s.grid())
    else {
        return Ok(None);
    };
    let wanted = shown.shrunk_into(largest);
    let room = (shown.width() / wanted.width()).min(shown.height() / wanted.height()) / 2;
    let opened = Heif::of_grid(reachable)?;
    let Some(first) = tiles.first().copied() else { return Ok(None) };
    let (whole, tile) = (opened.coded()?, opened.tile(first)?.coded()?);
    let factor = [8, 4, 2].into_iter().find(|n| {
        *n <= room && tile.width().is_multiple_of(*n) && tile.height().is_multiple_of(*n)
    });
    let Some(factor) = factor else { return Ok(None) };
    let columns = whole.width().div_ceil(tile.width());
    let rows = whole.height().div_ceil(tile.height());
    if u64::from(columns) * u64::from(rows) != tiles.len() as u64 {
        return Ok(None);
    }
    // What reaches beyond the last whole pixel is left out: less than one of the smaller ones.
    let canvas = Dimensions::at_least_one(whole.width() / factor, whole.height() / factor);
    let held = canvas.pixels().saturating_mul(6).saturating_add(tile.pixels() * 6);
    if held > limits.max_memory.get() {
        let limit = limits.max_memory.get();
        return Err(CodecError::Limit { what: "memory", found: held, limit });
    }
    let mut pixels = vec![0; canvas.pixels() as usize * 3];
    for (at, id) in (0u32..).zip(&tiles) {
        stop.check()?;
        let decoded = opened.tile(*id)?.decode(limits)?;
        if decoded.dimensions != tile || decoded.alpha {
            return Err(CodecError::Malformed {
                format: "HEIF",
                detail: format!("a tile of {}, not {tile}", decoded.dimensions),
            });
        }
        let place = (at % columns * tile.width() / factor, at / columns * tile.height() / factor);
        reduce(&decoded, factor, (&mut pixels, canvas), place);
    }
    let mut image = ForeignPixels { dimensions: canvas, alpha: false, pixels, color: heif.color() };
    for turn in turns {
        image = turned(image, turn);
    }
    Ok(Some(image))
}

/// The means of squares of `factor` pixels, put into a canvas at a place.
fn reduce(
    tile: &ForeignPixels,
    factor: u32,
    (canvas, size): (&mut [u8], Dimensions),
    (left, top): (u32, u32),
) {
    let n = factor as usize;
    let across = tile.dimensions.width() as usize;
    let width = (tile.dimensions.width() / factor).min(size.width().saturating_sub(left)) as usize;
    let height =
        (tile.dimensions.height() / factor).min(size.height().saturating_sub(top)) as usize;
    let mut sums = vec![0u32; width * 3];
    let count = factor * factor;
    for y in 0..height {
        sums.fill(0);
        for row in tile.pixels[y * n * across * 3..].chunks_exact(across * 3).take(n) {
            for (sum, square) in sums.chunks_exact_mut(3).zip(row.chunks_exact(n * 3)) {
                for pixel in square.chunks_exact(3) {
                    for (sum, channel) in sum.iter_mut().zip(pixel) {
                        *sum += u32::from(*channel);
                    }
                }
            }
        }
        let at = ((top as usize + y) * size.width() as usize + left as usize) * 3;
        for (out, sum) in canvas[at..at + width * 3].iter_mut().zip(&sums) {
            *out = ((sum + count / 2) / count) as u8;
        }
    }
}

/// Turned or mirrored as the file says.
fn turned(image: ForeignPixels, turn: Turn) -> ForeignPixels {
    let (w, h) = (image.dimensions.width() as usize, image.dimensions.height() as usize);
    let swaps = matches!(turn, Turn::Left | Turn::Right);
    let (to_w, to_h) = if swaps { (h, w) } else { (w, h) };
    let mut pixels = Vec::with_capacity(image.pixels.len());
    for y in 0..to_h {
        for x in 0..to_w {
            let (from_x, from_y) = match turn {
                Turn::Left => (w - 1 - y, x),
                Turn::Half => (w - 1 - x, h - 1 - y),
                Turn::Right => (y, h - 1 - x),
                Turn::MirroredAcross => (w - 1 - x, y),
                Turn::MirroredDown => (x, h - 1 - y),
            };
            let at = (from_y * w + from_x) * 3;
            pixels.extend_from_slice(&image.pixels[at..at + 3]);
        }
    }
    let dimensions = Dimensions::at_least_one(to_w as u32, to_h as u32);
    ForeignPixels { dimensions, pixels, ..image }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mmsfit::codec::image::ForeignColor;

    fn image(width: u32, height: u32) -> ForeignPixels {
        let pixels = (0..width * height).flat_map(|n| [n as u8, 100, 200]).collect();
        let dimensions = Dimensions::at_least_one(width, height);
        ForeignPixels { dimensions, alpha: false, pixels, color: ForeignColor::Srgb }
    }

    fn reds(image: &ForeignPixels) -> Vec<u8> {
        image.pixels.iter().step_by(3).copied().collect()
    }

    #[test]
    fn turns_are_those_of_the_standard() {
        // 0 1 2
        // 3 4 5
        let of = |turn| reds(&turned(image(3, 2), turn));
        assert_eq!(of(Turn::Left), [2, 5, 1, 4, 0, 3]);
        assert_eq!(of(Turn::Right), [3, 0, 4, 1, 5, 2]);
        assert_eq!(of(Turn::Half), [5, 4, 3, 2, 1, 0]);
        assert_eq!(of(Turn::MirroredAcross), [2, 1, 0, 5, 4, 3]);
        assert_eq!(of(Turn::MirroredDown), [3, 4, 5, 0, 1, 2]);
    }

    #[test]
    fn tiles_are_put_side_by_side_and_cut_off_at_the_edge() {
        let size = Dimensions::at_least_one(3, 2);
        let mut canvas = vec![0; 18];
        for (n, place) in [(0, 0), (2, 0)].into_iter().enumerate() {
            let mut tile = image(4, 4);
            tile.pixels.iter_mut().step_by(3).for_each(|red| *red = 10 * (n as u8 + 1));
            reduce(&tile, 2, (&mut canvas, size), place);
        }
        let reds: Vec<u8> = canvas.iter().step_by(3).copied().collect();
        assert_eq!(reds, [10, 10, 20, 10, 10, 20]);
        assert_eq!(canvas[1], 100);
    }
}
