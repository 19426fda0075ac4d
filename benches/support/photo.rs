//! A made-up photograph: no file needed, the same pixels everywhere, and about as hard to
//! compress as what phones take: 0.31 bytes a pixel as a JPEG of quality 90 with 4:2:0 (phones: 0.25
//! to 0.4), most of it sensor noise as in theirs.

/// A hash of two lattice coordinates, 0…1.
fn lattice(x: u32, y: u32, seed: u32) -> f32 {
    let mut v = x.wrapping_mul(0x9E37_79B1) ^ y.wrapping_mul(0x85EB_CA77) ^ seed;
    v ^= v >> 15;
    v = v.wrapping_mul(0x2C1B_3C6D);
    v ^= v >> 12;
    v = v.wrapping_mul(0x297A_2D39);
    v ^= v >> 15;
    (v >> 8) as f32 / (1 << 24) as f32
}

/// One octave: value noise on a grid of `cell` pixels.
fn add_octave(plane: &mut [f32], width: u32, cell: u32, weight: f32, seed: u32) {
    let smooth = |t: f32| t * t * (3.0 - 2.0 * t);
    for (y, row) in plane.chunks_mut(width as usize).enumerate() {
        let y = y as u32;
        let (cy, ty) = (y / cell, smooth((y % cell) as f32 / cell as f32));
        let mut corners = (u32::MAX, 0.0, 0.0);
        for (x, value) in row.iter_mut().enumerate() {
            let x = x as u32;
            let cx = x / cell;
            if corners.0 != cx {
                let at = |dx| {
                    let (top, bottom) =
                        (lattice(cx + dx, cy, seed), lattice(cx + dx, cy + 1, seed));
                    top + (bottom - top) * ty
                };
                corners = (cx, at(0), at(1));
            }
            let tx = smooth((x % cell) as f32 / cell as f32);
            *value += weight * (corners.1 + (corners.2 - corners.1) * tx - 0.5);
        }
    }
}

/// `width` x `height` RGB pixels: sky above, textured ground with hard-edged things below,
/// sensor noise all over.
pub fn photo(width: u32, height: u32, seed: u32) -> Vec<u8> {
    let count = width as usize * height as usize;
    let (mut luma, mut warm) = (vec![0.0_f32; count], vec![0.0_f32; count]);
    let longest = width.max(height);
    // Natural images have power falling with the square of the frequency: halve the weight
    // with every octave.
    let (mut cell, mut weight, mut octave) = (longest / 3 + 1, 0.5_f32, 0);
    while cell > 2 {
        add_octave(&mut luma, width, cell, weight, seed ^ (octave * 77));
        if octave < 5 {
            add_octave(&mut warm, width, cell, weight, seed ^ (octave * 131 + 7));
        }
        cell /= 2;
        weight *= 0.58;
        octave += 1;
    }
    let mut pixels = Vec::with_capacity(count * 3);
    for at in 0..count {
        let (x, y) = ((at as u32 % width) as f32, (at as u32 / width) as f32);
        let (u, v) = (x / width as f32, y / height as f32);
        // The horizon is a hard, wavy edge; above it texture fades.
        let horizon = 0.42 + 0.06 * (u * 9.0).sin() + 0.02 * (u * 41.0).sin();
        let ground = v > horizon;
        let texture = if ground { 1.0 } else { 0.25 };
        let mut light = if ground { 0.42 } else { 0.78 - 0.35 * v } + luma[at] * texture;
        let mut hue = warm[at] * if ground { 0.5 } else { 0.1 } + if ground { 0.08 } else { -0.14 };
        // Things with hard edges: towers with windows, and a bright disc.
        let tower = (u * 11.0).floor();
        let top = 0.25 + 0.5 * lattice(tower as u32, 5, seed);
        if v > top && v < 0.8 && (tower as u32).is_multiple_of(3) {
            let window =
                ((x / 24.0) as u32).is_multiple_of(2) && ((y / 32.0) as u32).is_multiple_of(2);
            light = if window { 0.85 } else { 0.3 } + 0.3 * luma[at];
            hue = if window { 0.1 } else { -0.03 };
        }
        if (u - 0.8).powi(2) + (v - 0.16).powi(2) < 0.003 {
            (light, hue) = (0.97, 0.06);
        }
        let grain = (lattice(at as u32, 1, seed) + lattice(at as u32, 2, seed) - 1.0) * 0.07;
        let to_byte = |value: f32| ((value + grain) * 255.0).clamp(0.0, 255.0) as u8;
        pixels.extend_from_slice(&[
            to_byte(light + hue),
            to_byte(light + 0.02),
            to_byte(light - hue),
        ]);
    }
    pixels
}
