//! High dynamic range to what every screen shows: PQ and HLG in BT.2020 to BT.709 at 100 nits.

use ffmpeg_sys_next as ff;
use mmsfit::model::Dimensions;

use super::{ff::Frame, yuv::Yuv};

/// Diffuse white of HDR video in nits (ITU-R BT.2408 clause 2.1).
const WHITE: f64 = 203.0;
/// The brightest light that keeps its difference; phones master to this.
const PEAK: f64 = 1000.0;

/// Tables for one transfer curve.
pub(super) struct ToneMap {
    /// From a 12-bit code to light, 1 being diffuse white.
    light: Vec<f32>,
    wide: bool,
}

impl ToneMap {
    /// Whether a frame is of high dynamic range.
    pub fn needed(frame: &Frame) -> bool {
        matches!(
            frame.color_trc,
            ff::AVColorTransferCharacteristic::AVCOL_TRC_SMPTE2084
                | ff::AVColorTransferCharacteristic::AVCOL_TRC_ARIB_STD_B67
        )
    }

    /// For the curve and primaries of a frame.
    pub fn of(frame: &Frame) -> Self {
        let pq = frame.color_trc == ff::AVColorTransferCharacteristic::AVCOL_TRC_SMPTE2084;
        let curve = if pq { pq_light } else { hlg_light };
        let light = (0..4096).map(|n| curve(f64::from(n) / 4095.0) as f32).collect();
        let wide = frame.color_primaries != ff::AVColorPrimaries::AVCOL_PRI_BT709;
        Self { light, wide }
    }

    /// 16-bit RGB to 8-bit 4:2:0 of BT.601 in limited range.
    pub fn apply(&self, rgb: &[u8], dimensions: Dimensions) -> Yuv {
        let width = dimensions.width() as usize;
        let mut out = Yuv::flat(dimensions, [16, 128, 128]);
        let half = width / 2;
        let mut chroma = vec![(0f32, 0f32); out.planes[1].len()];
        for (n, pixel) in rgb.chunks_exact(6).enumerate() {
            let [r, g, b] = self.pixel(pixel);
            // ITU-R BT.601-7 clause 3.
            out.planes[0][n] = (16.5 + 65.481 * r + 128.553 * g + 24.966 * b) as u8;
            let at = (n / width / 2) * half + (n % width) / 2;
            if let Some(sum) = chroma.get_mut(at) {
                sum.0 += -37.797 * r - 74.203 * g + 112.0 * b;
                sum.1 += 112.0 * r - 93.786 * g - 18.214 * b;
            }
        }
        for (n, (cb, cr)) in chroma.into_iter().enumerate() {
            out.planes[1][n] = (128.5 + cb / 4.0) as u8;
            out.planes[2][n] = (128.5 + cr / 4.0) as u8;
        }
        out
    }

    fn pixel(&self, pixel: &[u8]) -> [f32; 3] {
        let code =
            |n: usize| usize::from(u16::from_le_bytes([pixel[n * 2], pixel[n * 2 + 1]]) >> 4);
        let [r, g, b] = [0, 1, 2].map(|n| self.light[code(n)]);
        // BT.2020 to BT.709 (ITU-R BT.2087 clause 4).
        let light = if self.wide {
            [
                1.6605 * r - 0.5876 * g - 0.0728 * b,
                -0.1246 * r + 1.1329 * g - 0.0083 * b,
                -0.0182 * r - 0.1006 * g + 1.1187 * b,
            ]
        } else {
            [r, g, b]
        };
        // One factor for all three, so that colours keep their hue.
        let most = light[0].max(light[1]).max(light[2]).max(1e-6);
        let factor = shoulder(most) / most;
        light.map(|l| ((l * factor).clamp(0.0, 1.0)).powf(1.0 / 2.2))
    }
}

/// Linear up to three quarters, then bent so that the peak becomes one (after BT.2390 clause 5.4).
fn shoulder(light: f32) -> f32 {
    const KNEE: f32 = 0.75;
    let peak = (PEAK / WHITE) as f32;
    if light <= KNEE {
        return light;
    }
    let t = ((light - KNEE) / (peak - KNEE)).min(1.0);
    // A curve through both ends whose slope begins at one.
    let slope = (peak - KNEE) / (1.0 - KNEE);
    KNEE + (1.0 - KNEE) * (slope * t) / (1.0 + (slope - 1.0) * t)
}

/// SMPTE ST 2084: 10,000 nits at 1.
fn pq_light(code: f64) -> f64 {
    const M1: f64 = 2610.0 / 16384.0;
    const M2: f64 = 2523.0 / 4096.0 * 128.0;
    const C1: f64 = 3424.0 / 4096.0;
    const C2: f64 = 2413.0 / 4096.0 * 32.0;
    const C3: f64 = 2392.0 / 4096.0 * 32.0;
    let power = code.powf(1.0 / M2);
    let nits = 10_000.0 * ((power - C1).max(0.0) / (C2 - C3 * power)).powf(1.0 / M1);
    nits / WHITE
}

/// ARIB STD-B67 with the system gamma of a 1000-nit screen (ITU-R BT.2100 table 5).
fn hlg_light(code: f64) -> f64 {
    const A: f64 = 0.178_832_77;
    const B: f64 = 0.284_668_92;
    const C: f64 = 0.559_910_73;
    let scene = if code <= 0.5 { code * code / 3.0 } else { (((code - C) / A).exp() + B) / 12.0 };
    1000.0 * scene.powf(1.2) / WHITE
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn curves_meet_their_reference_points() {
        // BT.2408: diffuse white is 58 % in PQ and 75 % in HLG.
        assert!((pq_light(0.58) - 1.0).abs() < 0.02, "{}", pq_light(0.58));
        assert!((hlg_light(0.75) - 1.0).abs() < 0.02, "{}", hlg_light(0.75));
        assert!((shoulder((PEAK / WHITE) as f32) - 1.0).abs() < 1e-5);
        let steps: Vec<f32> = (0..100).map(|n| shoulder(n as f32 / 20.0)).collect();
        assert!(steps.windows(2).all(|pair| pair[0] <= pair[1]), "{steps:?}");
    }
}
