//! Images that look like photos and cost what photos cost: a coast with sky, sun, clouds, hills,
//! water and grass, soft where lenses are soft, with the grain of a sensor. A seed chooses the
//! light and the land. The same seed gives the same pixels on every machine (integer noise, no
//! libm).

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

impl Pixels {
    /// Turned a quarter to the left: what a camera stores of an upright image that it marks
    /// with EXIF orientation 6 (turn right to see it).
    #[must_use]
    pub fn turned_left(&self) -> Self {
        let (w, h) = (usize::from(self.width), usize::from(self.height));
        let mut rgb = Vec::with_capacity(self.rgb.len());
        for x in (0..w).rev() {
            for y in 0..h {
                let at = (y * w + x) * 3;
                rgb.extend_from_slice(self.rgb.get(at..at + 3).unwrap_or_default());
            }
        }
        Self { width: self.height, height: self.width, rgb }
    }
}

/// A value for a lattice point, 0…255 (an integer hash; constants of `splitmix64`).
fn lattice(x: u32, y: u32, seed: u64) -> i32 {
    let mut z = seed ^ (u64::from(x) << 32 | u64::from(y));
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    ((z ^ (z >> 31)) & 0xff) as i32
}

/// One row of value noise with cells of `2^across` by `2^down` pixels, smoothly interpolated,
/// added to `out` with `weight` (a weight of 1 adds -128…127).
fn add_noise(out: &mut [i32], y: u32, (across, down): (u32, u32), seed: u64, weight: i32) {
    // Smoothstep in 8.8 fixed point: 3t² − 2t³.
    let smooth = |t: i32| (t * t * (768 - 2 * t)) >> 16;
    let part = |n: u32, shift: u32| ((n & ((1 << shift) - 1)) << 8 >> shift) as i32;
    let (cell_y, fy) = (y >> down, smooth(part(y, down)));
    let column = |x: u32| {
        let (a, b) = (lattice(x, cell_y, seed), lattice(x, cell_y + 1, seed));
        (a << 8) + (b - a) * fy
    };
    let (mut left, mut right) = (column(0), column(1));
    let mut cell = 0;
    for (x, value) in (0u32..).zip(out) {
        if x >> across != cell {
            cell = x >> across;
            (left, right) = (right, column(cell + 1));
        }
        let fx = smooth(part(x, across));
        let noise = (left + (((right - left) >> 8) * fx)) >> 8;
        *value += (noise - 128) * weight;
    }
}

/// How strong the largest cells are.
const STRENGTH: i32 = 128;

/// Octaves of noise from cells of `2^top` pixels down to the smallest that a lens resolves (two
/// pixels), each 5/8 as strong as the one before; `wide` and `tall` stretch it by powers of two.
fn add_octaves(
    out: &mut [i32],
    y: u32,
    top: u32,
    (wide, tall): (u32, u32),
    octaves: u32,
    seed: u64,
) {
    let mut weight = STRENGTH;
    for octave in 0..octaves {
        let shift = top.saturating_sub(octave);
        if shift == 0 {
            break;
        }
        add_noise(out, y, (shift + wide, shift + tall), seed ^ (u64::from(octave) << 8), weight);
        weight = weight * 5 / 8;
    }
}

type Rgb = [i32; 3];

/// Between two colours; `t` is 0…256.
fn mix(a: Rgb, b: Rgb, t: i32) -> Rgb {
    let t = t.clamp(0, 256);
    [0, 1, 2].map(|n| a[n] + (b[n] - a[n]) * t / 256)
}

/// The colours of a time of day.
struct Light {
    zenith: Rgb,
    horizon: Rgb,
    sun: Rgb,
    cloud: Rgb,
    far: Rgb,
    near: Rgb,
    water: Rgb,
    grass: Rgb,
    /// Height of the sun, in 256ths of the image from its top.
    sun_at: i64,
}

const LIGHTS: [Light; 3] = [
    // A summer noon.
    Light {
        zenith: [58, 112, 196],
        horizon: [190, 216, 236],
        sun: [255, 250, 226],
        cloud: [250, 250, 252],
        far: [128, 156, 186],
        near: [58, 92, 58],
        water: [44, 104, 142],
        grass: [104, 132, 52],
        sun_at: 30,
    },
    // A late afternoon.
    Light {
        zenith: [74, 96, 158],
        horizon: [250, 196, 132],
        sun: [255, 232, 170],
        cloud: [255, 206, 168],
        far: [148, 122, 138],
        near: [64, 66, 62],
        water: [86, 92, 124],
        grass: [128, 112, 50],
        sun_at: 82,
    },
    // A clear morning.
    Light {
        zenith: [92, 150, 206],
        horizon: [236, 226, 206],
        sun: [255, 246, 214],
        cloud: [246, 240, 236],
        far: [150, 172, 180],
        near: [72, 104, 72],
        water: [70, 136, 144],
        grass: [120, 148, 70],
        sun_at: 56,
    },
];

/// Grain of single pixels, and of the smear that cameras leave of it, in 256ths of the noise.
const GRAIN: i32 = 11;
const SOFT: i32 = 28;

/// Ridges from far to near; the last is the shore of the foreground.
const RIDGES: usize = 4;

/// A view over water to hills.
pub fn photo(width: u16, height: u16, seed: u64) -> Pixels {
    let (w, h) = (usize::from(width), usize::from(height));
    let light = &LIGHTS[(seed.wrapping_sub(1) % LIGHTS.len() as u64) as usize];
    // The largest cells follow the size, so that images of all sizes show the same scene.
    let top = u32::from(width.max(height)).max(16).ilog2() - 1;
    let short = w.min(h).max(1) as i64;

    // Tops of the ridges by column; what lies below is nearer.
    let ridges: [Vec<i32>; RIDGES] = std::array::from_fn(|n| {
        let (base, swing) = [(112, 44), (124, 30), (134, 16), (196, 20)][n];
        let mut line = vec![0i32; w];
        // Far hills are smooth, near ones carry trees.
        let octaves = [5, 7, 10, 4][n];
        add_octaves(&mut line, 0, top, (0, 0), octaves, seed ^ (0x1000 * (n as u64 + 1)));
        line.iter().map(|v| (h as i32 * base + v / 160 * h as i32 * swing / 128) / 256).collect()
    });
    let waterline = h as i32 * 142 / 256;
    let sun_x = (w as i64) * (56 + i64::from(lattice(7, 7, seed)) * 9 / 16) / 256;
    let sun_y = (h as i64) * light.sun_at / 256;
    let radius = (short / 36).max(1);

    let mut rgb = Vec::with_capacity(w * h * 3);
    let zero = vec![0i32; w];
    let (mut cloud, mut rock, mut wave, mut blade, mut grain, mut soft) =
        (zero.clone(), zero.clone(), zero.clone(), zero.clone(), zero.clone(), zero);
    for y in 0..h {
        let row = y as u32;
        let yi = y as i32;
        for noise in [&mut cloud, &mut rock, &mut wave, &mut blade, &mut grain, &mut soft] {
            noise.fill(0);
        }
        // Only what can be seen in this row.
        if yi < waterline {
            add_octaves(&mut cloud, row, top - 2, (2, 0), 7, seed ^ 0x11);
            add_octaves(&mut rock, row, top.saturating_sub(4), (0, 0), 8, seed ^ 0x22);
        } else {
            // Waves look longer towards the shore.
            let near = ((yi - waterline) * 3 / (h as i32 / 4).max(1)).clamp(0, 2) as u32;
            let size = top.saturating_sub(7) + near;
            add_octaves(&mut wave, row, size, (2, 0), 6, seed ^ 0x33);
            add_octaves(&mut rock, row, top.saturating_sub(2), (0, 0), 4, seed ^ 0x22);
            add_octaves(&mut blade, row, top.saturating_sub(6), (0, 2), 6, seed ^ 0x44);
        }
        // Sensors' noise: of single pixels, and smeared by the camera's own cleaning.
        add_noise(&mut grain, row, (0, 0), seed ^ 0x55, 1);
        add_noise(&mut soft, row, (1, 1), seed ^ 0x66, 1);
        let depth = yi * 256 / (waterline).max(1);
        for x in 0..w {
            let mut pixel = if yi < ridges[0][x].min(waterline) {
                let (dx, dy) = (x as i64 - sun_x, y as i64 - sun_y);
                let square = dx * dx + dy * dy;
                let sky = mix(light.zenith, light.horizon, depth);
                // Clouds thin out upwards; 96 of 256 of the noise is clear sky.
                let cover = (cloud[x] / 90 - 34 + depth / 8).clamp(0, 210);
                let sky = mix(sky, light.cloud, cover);
                // The glow falls with the square of the distance.
                let glow = 256 * radius * radius * 5 / (square + radius * radius * 5);
                let sky = mix(sky, light.sun, glow as i32);
                // An edge a few pixels wide.
                let disc = (radius * radius - square) * 256 / (radius * (short / 200).max(1));
                mix(sky, light.sun, disc.clamp(0, 256) as i32)
            } else if yi >= ridges[3][x] {
                let below = (yi - ridges[3][x]) * 256 / (h as i32 / 4).max(1);
                let shade = rock[x] / 500 + blade[x] * (110 + below.min(256)) / 105_000;
                let [r, g, b] = mix(light.grass, [70, 74, 36], below / 3);
                [r + shade, g + shade * 9 / 8, b + shade / 2]
            } else if yi >= waterline {
                let far = (yi - waterline) * 256 / (ridges[3][x] - waterline).max(1);
                let base = mix(mix(light.horizon, light.water, 140), light.water, far);
                let ripple = wave[x] * (70 + far) / 90_000;
                // The sun's road on the water.
                let width = (short / 8 + short * i64::from(far) / 1024).max(1);
                let road = (x as i64 - sun_x).abs() * 256 / width;
                let glint =
                    ((256 - road.min(256)) as i32 * (wave[x] / 90 + 40).clamp(0, 160)) / 200;
                mix(base.map(|c| c + ripple), light.sun, glint)
            } else {
                let index = (0..3).rev().find(|n| yi >= ridges[*n][x]).unwrap_or(0);
                let below = (yi - ridges[index][x]) * 256 / (h as i32 / 8).max(1);
                let [r, g, b] = mix(light.far, light.near, index as i32 * 112 + below / 6);
                let shade = rock[x] / [700, 400, 230][index];
                // Haze gathers in the valleys.
                mix([r + shade, g + shade, b + shade * 3 / 4], light.horizon, below.min(200) / 5)
            };
            let noise = grain[x] * GRAIN / 256 + soft[x] * SOFT / 256;
            // Darker areas show more of it.
            let noise = noise * (420 - pixel[1]).max(160) / 256;
            for value in &mut pixel {
                *value += noise;
            }
            rgb.extend(pixel.map(|c| c.clamp(0, 255) as u8));
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
    fn the_same_seed_gives_the_same_image() {
        assert_eq!(photo(64, 48, 1), photo(64, 48, 1));
        assert_ne!(photo(64, 48, 1), photo(64, 48, 2));
        assert_eq!(photo(64, 48, 1).rgb.len(), 64 * 48 * 3);
    }

    #[test]
    fn a_photo_has_texture_and_shading() {
        let image = photo(320, 240, 1);
        let luma: Vec<i32> = image.rgb.chunks(3).map(|p| i32::from(p[1])).collect();
        let mean = luma.iter().sum::<i32>() / luma.len() as i32;
        let spread = luma.iter().map(|v| (v - mean).pow(2)).sum::<i32>() / luma.len() as i32;
        let step =
            luma.windows(2).map(|p| (p[0] - p[1]).abs()).sum::<i32>() as f64 / luma.len() as f64;
        assert!((400..8_000).contains(&spread), "spread {spread}");
        assert!((1.0..20.0).contains(&step), "step {step}");
    }

    #[test]
    fn turning_to_the_left_brings_the_right_side_up() {
        let rgb = vec![1, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4, 4];
        let turned = Pixels { width: 2, height: 2, rgb }.turned_left();
        assert_eq!(turned.rgb, [2, 2, 2, 4, 4, 4, 1, 1, 1, 3, 3, 3]);
        let lying = photo(30, 40, 1).turned_left();
        assert_eq!((lying.width, lying.height), (40, 30));
    }

    #[test]
    fn tiny_images_work() {
        for (w, h) in [(1, 1), (2, 1), (1, 9), (9, 1)] {
            assert_eq!(photo(w, h, 1).rgb.len(), usize::from(w) * usize::from(h) * 3);
            assert_eq!(screenshot(w, h, 1).rgb.len(), usize::from(w) * usize::from(h) * 3);
        }
    }
}
