//! Forward DCT after Arai, Agui and Nakajima (1988), eight lanes at a time.

use magetypes::simd::{backends::F32x8Backend, generic::f32x8};

use crate::codec::image::lanes::Lanes;

/// The scale that the transform leaves on frequency `i`: cos(iπ/16)·√2, 1 for `i` = 0. A
/// coefficient of frequencies (u, v) comes out 8·`SCALE[u]`·`SCALE[v]` times too large.
pub const SCALE: [f32; 8] =
    [1.0, 1.387_039_8, 1.306_563, 1.175_875_6, 1.0, 0.785_694_96, 0.541_196_1, 0.275_899_38];

/// One dimension, down the columns.
#[inline(always)]
fn pass<V: Lanes>(d: [V; 8]) -> [V; 8] {
    let (t0, t7) = (d[0] + d[7], d[0] - d[7]);
    let (t1, t6) = (d[1] + d[6], d[1] - d[6]);
    let (t2, t5) = (d[2] + d[5], d[2] - d[5]);
    let (t3, t4) = (d[3] + d[4], d[3] - d[4]);

    let (e0, e3) = (t0 + t3, t0 - t3);
    let (e1, e2) = (t1 + t2, t1 - t2);
    let z1 = (e2 + e3) * 0.707_106_77;

    let (o0, o1, o2) = (t4 + t5, t5 + t6, t6 + t7);
    let z5 = (o0 - o2) * 0.382_683_43;
    let z2 = o0 * 0.541_196_1 + z5;
    let z4 = o2 * 1.306_563 + z5;
    let z3 = o1 * 0.707_106_77;
    let (z11, z13) = (t7 + z3, t7 - z3);

    [e0 + e1, z11 + z4, e3 + z1, z13 - z2, e0 - e1, z13 + z2, e3 - z1, z11 - z4]
}

/// Both dimensions of one block. The result is transposed: `[horizontal][vertical]` frequency.
#[inline(always)]
pub fn forward<T: F32x8Backend>(block: [f32x8<T>; 8]) -> [f32x8<T>; 8] {
    pass(f32x8::transpose_8x8_copy(pass(block)))
}

#[cfg(test)]
mod tests {
    use archmage::ScalarToken;

    use super::*;

    #[test]
    fn agrees_with_the_definition() {
        // T.81 A.3.3, in double precision.
        let sample = |x: usize, y: usize| ((x * 31 + y * 17 + x * y * 7) % 256) as f64 - 128.0;
        let row = |y| std::array::from_fn(|x| sample(x, y) as f32);
        let block = std::array::from_fn(|y| f32x8::from_array_t(ScalarToken, row(y)));
        let out = forward(block).map(f32x8::to_array);
        for u in 0..8 {
            for (v, scale) in SCALE.into_iter().enumerate() {
                let c = |i: usize| if i == 0 { 0.5_f64.sqrt() } else { 1.0 };
                let angle = |x: usize, u: usize| {
                    ((2 * x + 1) as f64 * u as f64 * std::f64::consts::PI / 16.0).cos()
                };
                let mut want = 0.0;
                for x in 0..8 {
                    for y in 0..8 {
                        want += sample(x, y) * angle(x, u) * angle(y, v);
                    }
                }
                want *= c(u) * c(v) / 4.0;
                let got = f64::from(out[u][v] / (8.0 * SCALE[u] * scale));
                assert!((got - want).abs() < 0.01, "({u},{v}): {got} for {want}");
            }
        }
    }
}
