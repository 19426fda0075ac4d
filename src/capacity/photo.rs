//! Pictures that cost what photos cost: smooth shading, texture at every scale, hard edges.
//! The same seed gives the same pixels on every machine (integer noise, no libm).

/// RGB pixels, row by row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pixels {
    /// Pixels from left to right.
    pub width: u16,
    /// Pixels from top to bottom.
    pub height: u16,
    /// Three bytes a pixel.
    pub rgb: Vec<u8>,
}

/// A value for a lattice point, 0…255 (an integer hash; constants of `splitmix64`).
fn lattice(x: u32, y: u32, seed: u64) -> i32 {
    let mut z = seed ^ (u64::from(x) << 32 | u64::from(y));
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    ((z ^ (z >> 31)) & 0xff) as i32
}

/// One row of value noise with cells of `2^shift` pixels, smoothly interpolated, added to `out`
/// with `weight`.
fn add_noise(out: &mut [i32], y: u32, shift: u32, seed: u64, weight: i32) {
    // Smoothstep in 8.8 fixed point: 3t² − 2t³.
    let smooth = |t: i32| (t * t * (768 - 2 * t)) >> 16;
    let part = |n: u32| ((n & ((1 << shift) - 1)) << 8 >> shift) as i32;
    let (cell_y, fy) = (y >> shift, smooth(part(y)));
    let column = |x: u32| {
        let (a, b) = (lattice(x, cell_y, seed), lattice(x, cell_y + 1, seed));
        (a << 8) + (b - a) * fy
    };
    let (mut left, mut right) = (column(0), column(1));
    let mut cell = 0;
    for (x, value) in (0u32..).zip(out) {
        if x >> shift != cell {
            cell = x >> shift;
            (left, right) = (right, column(cell + 1));
        }
        let fx = smooth(part(x));
        let noise = (left + (((right - left) >> 8) * fx)) >> 8;
        *value += (noise - 128) * weight;
    }
}

/// A landscape of a kind: sky, ridges, a textured foreground, a few hard-edged discs.
pub fn photo(width: u16, height: u16, seed: u64) -> Pixels {
    let (w, h) = (usize::from(width), usize::from(height));
    let mut rgb = Vec::with_capacity(w * h * 3);
    // Octaves follow the size, so that pictures of all sizes show the same scene.
    let top = (u32::from(width.max(height)).max(2)).ilog2().max(3) - 1;
    let mut ridge = vec![0i32; w];
    for octave in 0..5 {
        add_noise(&mut ridge, 7, top.saturating_sub(octave).max(1), seed ^ 1, 48 >> octave);
    }
    let ridge: Vec<i32> = ridge.iter().map(|v| h as i32 * 2 / 5 + v * h as i32 / 40_000).collect();
    let discs: Vec<(i64, i64, i64, [i32; 3])> = (0..6u32)
        .map(|n| {
            let at = |k| i64::from(lattice(n, k, seed ^ 2));
            let color = [lattice(n, 3, seed), lattice(n, 4, seed), lattice(n, 5, seed)];
            let short = w.min(h) as i64;
            (at(0) * w as i64 / 256, at(1) * h as i64 / 256, (8 + at(2) / 8) * short / 256, color)
        })
        .collect();
    let (mut shade, mut tint, mut grain) = (vec![0i32; w], vec![0i32; w], vec![0i32; w]);
    for y in 0..h {
        let row = y as u32;
        shade.fill(0);
        tint.fill(0);
        grain.fill(0);
        for octave in 0..7 {
            let shift = top.saturating_sub(octave);
            if shift == 0 {
                break;
            }
            add_noise(&mut shade, row, shift, seed ^ (16 + u64::from(octave)), 96 >> octave);
        }
        add_noise(&mut tint, row, top.saturating_sub(1).max(1), seed ^ 3, 24);
        add_noise(&mut grain, row, 0, seed ^ 4, 6);
        let depth = (y * 256 / h.max(1)) as i32;
        for x in 0..w {
            let (light, hue, noise) = (shade[x] >> 7, tint[x] >> 7, grain[x] >> 7);
            let mut pixel = if (y as i32) < ridge[x] {
                let l = light / 4;
                [110 + depth / 3 + l, 150 + depth / 4 + l, 225 - depth / 5 + l]
            } else {
                [70 + light + hue, 85 + light + depth / 8, 50 + light / 2 - hue]
            };
            for (cx, cy, radius, color) in &discs {
                let (dx, dy) = (x as i64 - cx, y as i64 - cy);
                if dx * dx + dy * dy < radius * radius {
                    pixel = color.map(|c| c * 3 / 4 + light / 2 + 20);
                }
            }
            rgb.extend(pixel.map(|c| (c + noise).clamp(0, 255) as u8));
        }
    }
    Pixels { width, height, rgb }
}

/// A screenshot of a kind: flat areas, straight edges, rows of glyph-like marks.
pub fn screenshot(width: u16, height: u16, seed: u64) -> Pixels {
    let (w, h) = (usize::from(width), usize::from(height));
    let mut rgb = Vec::with_capacity(w * h * 3);
    let (bar, line, glyph) = (h / 12 + 1, h / 40 + 4, h / 80 + 2);
    for y in 0..h {
        for x in 0..w {
            let (row, column) = (y / line, x / glyph);
            let margin = x < w / 20 || x > w - w / 20;
            let length = 20 + lattice(row as u32, 0, seed) as usize % 60;
            let inked = y % line < line * 3 / 5
                && !margin
                && column * glyph < w * length / 80
                && lattice(column as u32, row as u32, seed) % 5 != 0
                && lattice((x / 2) as u32, (y / 2) as u32, seed ^ 1) % 2 == 0;
            let pixel = if y < bar {
                [32, 96, 176]
            } else if inked {
                [34, 34, 38]
            } else if row % 7 == 0 {
                [232, 238, 246]
            } else {
                [250, 250, 250]
            };
            rgb.extend_from_slice(&pixel);
        }
    }
    Pixels { width, height, rgb }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_picture() {
        assert_eq!(photo(64, 48, 1), photo(64, 48, 1));
        assert_ne!(photo(64, 48, 1), photo(64, 48, 2));
        assert_eq!(photo(64, 48, 1).rgb.len(), 64 * 48 * 3);
    }

    #[test]
    fn a_photo_has_texture_and_shading() {
        let picture = photo(320, 240, 1);
        let luma: Vec<i32> = picture.rgb.chunks(3).map(|p| i32::from(p[1])).collect();
        let mean = luma.iter().sum::<i32>() / luma.len() as i32;
        let spread = luma.iter().map(|v| (v - mean).pow(2)).sum::<i32>() / luma.len() as i32;
        let step =
            luma.windows(2).map(|p| (p[0] - p[1]).abs()).sum::<i32>() as f64 / luma.len() as f64;
        assert!((400..8_000).contains(&spread), "spread {spread}");
        assert!((1.0..20.0).contains(&step), "step {step}");
    }

    #[test]
    fn tiny_pictures_work() {
        for (w, h) in [(1, 1), (2, 1), (1, 9), (9, 1)] {
            assert_eq!(photo(w, h, 1).rgb.len(), usize::from(w) * usize::from(h) * 3);
            assert_eq!(screenshot(w, h, 1).rgb.len(), usize::from(w) * usize::from(h) * 3);
        }
    }
}
