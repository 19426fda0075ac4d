//! The forward DCT: the scaled 8-point algorithm of Arai, Agui and Nakajima (1988) in f32, as in
//! libjpeg's `jfdctflt.c`, and the zigzag order.

/// Zigzag position → natural position (T.81 figure A.6).
pub const ZIGZAG: [usize; 64] = [
    0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25, 18, 11, 4, 5, 12, 19, 26, 33, 40, 48, 41, 34, 27, 20,
    13, 6, 7, 14, 21, 28, 35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51, 58, 59,
    52, 45, 38, 31, 39, 46, 53, 60, 61, 54, 47, 55, 62, 63,
];

/// Fractional bits kept in transformed coefficients: 1/8 steps, well below any quantiser's half.
pub const FRACTION: f32 = 8.0;

/// cos(k π / 16) × √2, k > 0; 1 for k = 0: what the scaled algorithm leaves in its outputs.
const AAN: [f32; 8] =
    [1.0, 1.387_039_8, 1.306_562_9, 1.175_875_6, 1.0, 0.785_694_96, 0.541_196_1, 0.275_899_38];

/// One 8-point pass over eight independent columns at once.
fn pass(v: &mut [[f32; 8]; 8]) {
    for i in 0..8 {
        let tmp0 = v[0][i] + v[7][i];
        let tmp7 = v[0][i] - v[7][i];
        let tmp1 = v[1][i] + v[6][i];
        let tmp6 = v[1][i] - v[6][i];
        let tmp2 = v[2][i] + v[5][i];
        let tmp5 = v[2][i] - v[5][i];
        let tmp3 = v[3][i] + v[4][i];
        let tmp4 = v[3][i] - v[4][i];

        // Even part.
        let tmp10 = tmp0 + tmp3;
        let tmp13 = tmp0 - tmp3;
        let tmp11 = tmp1 + tmp2;
        let tmp12 = tmp1 - tmp2;
        v[0][i] = tmp10 + tmp11;
        v[4][i] = tmp10 - tmp11;
        let z1 = (tmp12 + tmp13) * std::f32::consts::FRAC_1_SQRT_2;
        v[2][i] = tmp13 + z1;
        v[6][i] = tmp13 - z1;

        // Odd part.
        let tmp10 = tmp4 + tmp5;
        let tmp11 = tmp5 + tmp6;
        let tmp12 = tmp6 + tmp7;
        let z5 = (tmp10 - tmp12) * 0.382_683_43;
        let z2 = 0.541_196_1 * tmp10 + z5;
        let z4 = 1.306_562_9 * tmp12 + z5;
        let z3 = tmp11 * std::f32::consts::FRAC_1_SQRT_2;
        let z11 = tmp7 + z3;
        let z13 = tmp7 - z3;
        v[5][i] = z13 + z2;
        v[3][i] = z13 - z2;
        v[1][i] = z11 + z4;
        v[7][i] = z11 - z4;
    }
}

fn transpose(v: &[[f32; 8]; 8]) -> [[f32; 8]; 8] {
    let mut out = [[0.0; 8]; 8];
    for (y, row) in v.iter().enumerate() {
        for (x, value) in row.iter().enumerate() {
            out[x][y] = *value;
        }
    }
    out
}

/// What each output is multiplied by, in natural order: `FRACTION / (8 · aan · aan)`.
fn scales() -> [[f32; 8]; 8] {
    let mut out = [[0.0; 8]; 8];
    for (y, row) in out.iter_mut().enumerate() {
        for (x, value) in row.iter_mut().enumerate() {
            *value = FRACTION / (8.0 * AAN[y] * AAN[x]);
        }
    }
    out
}

/// The transform with its tables.
pub struct Dct {
    scales: [[f32; 8]; 8],
}

impl Dct {
    pub fn new() -> Self {
        Self { scales: scales() }
    }

    /// Transforms samples (already less 128) to coefficients × [`FRACTION`], in zigzag order.
    pub fn forward(&self, mut samples: [[f32; 8]; 8]) -> [i16; 64] {
        pass(&mut samples);
        let mut turned = transpose(&samples);
        pass(&mut turned);
        // `turned[x][y]`: columns first. Scales are symmetric, so no second transpose is needed.
        let mut natural = [0i16; 64];
        for x in 0..8 {
            for y in 0..8 {
                let value = turned[x][y] * self.scales[x][y];
                // Half away from zero; within ±8,192 for 8-bit samples.
                natural[y * 8 + x] = (value + 0.5f32.copysign(value)) as i16;
            }
        }
        let mut out = [0i16; 64];
        for (slot, from) in out.iter_mut().zip(ZIGZAG) {
            *slot = natural[from];
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The definition (T.81 A.3.3), in f64.
    fn reference(samples: &[[f32; 8]; 8], u: usize, v: usize) -> f64 {
        let c = |k: usize| if k == 0 { std::f64::consts::FRAC_1_SQRT_2 } else { 1.0 };
        let mut sum = 0.0;
        for (y, row) in samples.iter().enumerate() {
            for (x, s) in row.iter().enumerate() {
                let angle = |p: usize, k: usize| {
                    ((2 * p + 1) as f64 * k as f64 * std::f64::consts::PI / 16.0).cos()
                };
                sum += f64::from(*s) * angle(x, u) * angle(y, v);
            }
        }
        sum * c(u) * c(v) / 4.0
    }

    #[test]
    fn it_is_the_dct_of_the_standard() {
        let mut samples = [[0.0f32; 8]; 8];
        let mut state = 1u32;
        for row in &mut samples {
            for s in row {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                *s = (state >> 24) as f32 - 128.0;
            }
        }
        let got = Dct::new().forward(samples);
        for (at, natural) in ZIGZAG.into_iter().enumerate() {
            let want = reference(&samples, natural % 8, natural / 8) * f64::from(FRACTION);
            assert!((f64::from(got[at]) - want).abs() <= 0.51, "{at}: {} {want}", got[at]);
        }
    }
}
