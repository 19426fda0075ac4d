//! What the colours of a PNG mean, by the first of `cICP`, `iCCP`, `sRGB` and `gAMA` with `cHRM`
//! that is valid, as browsers have it (W3C PNG, third edition, 12.1 and 13.13).

use moxcms::{
    Chromaticity, CicpColorPrimaries, CicpProfile, ColorPrimaries, ColorProfile, DataColorSpace,
    MatrixCoefficients, ToneReprCurve, TransferCharacteristics,
};

use crate::codec::image::header::png;

/// Luminance of reference white in cd/m² (ITU-R BT.2408 clause 2.1).
const WHITE: f64 = 203.0;

/// Above this part of white, light is compressed instead of clipped.
const KNEE: f64 = 0.8;

/// Whose word on the colours counts.
#[derive(Debug, PartialEq)]
pub(super) enum Meaning {
    /// That of the embedded profile, if there is one; else sRGB.
    Embedded,
    /// sRGB, whatever else is embedded.
    Srgb,
    /// That of this ICC profile.
    Profile(Vec<u8>),
}

/// Reads the chunks before the pixels. `gray`: whether the image has one channel of light.
pub(super) fn meaning(bytes: &[u8], gray: bool) -> Meaning {
    let (mut gamma, mut chromaticities, mut embedded, mut srgb) = (None, None, false, false);
    let mut video = None;
    for chunk in png::chunks(bytes).take_while(|chunk| &chunk.name != b"IDAT") {
        let body = &bytes[chunk.body];
        match &chunk.name {
            b"cICP" => video = video.or(body.first_chunk::<4>().copied()),
            b"iCCP" => embedded = true,
            b"sRGB" => srgb = true,
            b"gAMA" => gamma = gamma.or(body.first_chunk::<4>().copied()),
            b"cHRM" => chromaticities = chromaticities.or(body.first_chunk::<32>()),
            _ => {}
        }
    }
    if let Some(profile) = video.and_then(|code| video_profile(code, gray)) {
        return profile;
    }
    if embedded {
        return Meaning::Embedded;
    }
    if srgb {
        return Meaning::Srgb;
    }
    // Browsers take no notice of chromaticities alone.
    gamma
        .and_then(|gamma| gamma_profile(u32::from_be_bytes(gamma), chromaticities, gray))
        .unwrap_or(Meaning::Srgb)
}

fn encoded(profile: &ColorProfile) -> Option<Meaning> {
    let colorants = [profile.red_colorant, profile.green_colorant, profile.blue_colorant];
    let valid = |v: f64| v.is_finite() && v.abs() < 8.0;
    colorants.iter().all(|c| valid(c.x) && valid(c.y) && valid(c.z)).then_some(())?;
    profile.encode().ok().map(Meaning::Profile)
}

/// A profile of one channel with the curve of `profile`'s green.
fn of_gray(profile: ColorProfile, gray: bool) -> ColorProfile {
    if !gray {
        return profile;
    }
    let mut one = ColorProfile::new_gray_with_gamma(2.2);
    one.gray_trc = profile.green_trc;
    one
}

/// Primaries, transfer, matrix and range as in ITU-T H.273; the last two must be those of RGB.
fn video_profile([primaries, transfer, matrix, range]: [u8; 4], gray: bool) -> Option<Meaning> {
    (matrix == 0 && range == 1).then_some(())?;
    let color_primaries = CicpColorPrimaries::try_from(primaries).ok()?;
    let transfer_characteristics = TransferCharacteristics::try_from(transfer).ok()?;
    if (primaries, transfer) == (1, 13) {
        return Some(Meaning::Srgb);
    }
    // The curves of high dynamic range are ours: theirs would show white at 100 cd/m² of 10,000.
    let light = match transfer {
        16 => Some(perceptual_quantiser as fn(f64) -> f64),
        18 => Some(hybrid_log_gamma as fn(f64) -> f64),
        _ => None,
    };
    let mut profile = ColorProfile::new_from_cicp(CicpProfile {
        color_primaries,
        transfer_characteristics: match light {
            Some(_) => TransferCharacteristics::Srgb,
            None => transfer_characteristics,
        },
        matrix_coefficients: MatrixCoefficients::Identity,
        full_range: true,
    });
    // Nothing was set where one of the two is unknown.
    (profile.color_space == DataColorSpace::Rgb).then_some(())?;
    profile.green_trc.as_ref()?;
    if let Some(light) = light {
        let level = |at: u16| (shown(light(f64::from(at) / 1023.0)) * 65_535.0).round() as u16;
        let curve = ToneReprCurve::Lut((0..1024).map(level).collect());
        profile.red_trc = Some(curve.clone());
        profile.green_trc = Some(curve.clone());
        profile.blue_trc = Some(curve);
    }
    profile.cicp = None;
    encoded(&of_gray(profile, gray))
}

/// Light relative to reference white, as a screen without more of it shows it.
fn shown(light: f64) -> f64 {
    let room = 1.0 - KNEE;
    if light <= KNEE { light } else { KNEE + room * (1.0 - (-(light - KNEE) / room).exp()) }
}

/// Light of reference white for a sample by SMPTE ST 2084 (ITU-R BT.2100 table 4).
fn perceptual_quantiser(sample: f64) -> f64 {
    let (m1, m2) = (2610.0 / 16_384.0, 2523.0 / 32.0);
    let (c1, c2, c3) = (3424.0 / 4096.0, 2413.0 / 128.0, 2392.0 / 128.0);
    let root = sample.powf(1.0 / m2);
    10_000.0 / WHITE * ((root - c1).max(0.0) / (c2 - c3 * root)).powf(1.0 / m1)
}

/// Light of reference white for a sample by ARIB STD-B67 on a screen of 1,000 cd/m² (ITU-R
/// BT.2100 table 5).
fn hybrid_log_gamma(sample: f64) -> f64 {
    let (a, b, c) = (0.178_832_77, 0.284_668_92, 0.559_910_73);
    let scene =
        if sample <= 0.5 { sample * sample / 3.0 } else { (((sample - c) / a).exp() + b) / 12.0 };
    1_000.0 / WHITE * scene.powf(1.2)
}

/// `gamma`: 100,000 divided by the exponent of the screen.
fn gamma_profile(gamma: u32, chromaticities: Option<&[u8; 32]>, gray: bool) -> Option<Meaning> {
    // Beyond these it is damage; and 1/2.2 stands for the curve of sRGB.
    (2_000..=1_000_000).contains(&gamma).then_some(())?;
    let mut profile = ColorProfile::new_srgb();
    profile.cicp = None;
    let plain = (45_000..=46_000).contains(&gamma);
    if !plain {
        let exponent = 100_000.0 / f64::from(gamma);
        let level = |at: u16| ((f64::from(at) / 1023.0).powf(exponent) * 65_535.0).round() as u16;
        let curve = ToneReprCurve::Lut((0..1024).map(level).collect());
        profile.red_trc = Some(curve.clone());
        profile.green_trc = Some(curve.clone());
        profile.blue_trc = Some(curve);
    }
    match chromaticities {
        Some(fields) => {
            let (points, _) = fields.as_chunks::<4>();
            let at = |n: usize| (f64::from(u32::from_be_bytes(points[n])) / 100_000.0) as f32;
            let point = |n: usize| Chromaticity::new(at(2 * n), at(2 * n + 1));
            let possible = |n: usize| at(2 * n) <= 1.0 && (0.0001..=1.0).contains(&at(2 * n + 1));
            (0..4).all(possible).then_some(())?;
            let [white, red, green, blue] = [0, 1, 2, 3].map(point);
            let primaries = ColorPrimaries { red, green, blue };
            profile.update_rgb_colorimetry(white.to_xyyb(), primaries);
        }
        None if plain => return Some(Meaning::Srgb),
        None => {}
    }
    encoded(&of_gray(profile, gray))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(chunks: &[(&[u8; 4], &[u8])]) -> Vec<u8> {
        let mut out = b"\x89PNG\r\n\x1a\n".to_vec();
        for (name, body) in chunks {
            out.extend((body.len() as u32).to_be_bytes());
            out.extend(*name);
            out.extend(*body);
            out.extend([0; 4]);
        }
        out
    }

    fn is_profile(meaning: &Meaning) -> bool {
        matches!(meaning, Meaning::Profile(_))
    }

    #[test]
    fn the_first_audio_word_counts() {
        let linear = 100_000_u32.to_be_bytes();
        let gamma: (&[u8; 4], &[u8]) = (b"gAMA", &linear);
        let p3: (&[u8; 4], &[u8]) = (b"cICP", &[12, 13, 0, 1]);
        let of = |chunks: &[(&[u8; 4], &[u8])]| meaning(&file(chunks), false);
        assert_eq!(of(&[]), Meaning::Srgb);
        assert!(is_profile(&of(&[gamma])));
        assert_eq!(of(&[gamma, (b"sRGB", &[0])]), Meaning::Srgb);
        assert_eq!(of(&[(b"sRGB", &[0]), (b"iCCP", b"x\0\0")]), Meaning::Embedded);
        assert!(is_profile(&of(&[(b"iCCP", b"x\0\0"), p3])));
        assert_eq!(of(&[gamma, (b"cICP", &[1, 13, 0, 1])]), Meaning::Srgb);
        // Not RGB, or codes that mean nothing: as if it were not there.
        assert_eq!(of(&[(b"cICP", &[12, 13, 1, 1]), (b"sRGB", &[0])]), Meaning::Srgb);
        assert_eq!(of(&[(b"cICP", &[2, 2, 0, 1])]), Meaning::Srgb);
        assert_eq!(of(&[(b"cICP", &[12])]), Meaning::Srgb);
        // 1/2.2, nothing, and after the pixels.
        assert_eq!(of(&[(b"gAMA", &45_455_u32.to_be_bytes())]), Meaning::Srgb);
        assert_eq!(of(&[(b"gAMA", &[0; 4])]), Meaning::Srgb);
        assert_eq!(of(&[(b"IDAT", b""), gamma]), Meaning::Srgb);
        // Chromaticities that no light has.
        assert_eq!(of(&[gamma, (b"cHRM", &[255; 32])]), Meaning::Srgb);
        assert_eq!(of(&[gamma, (b"cHRM", &[0; 32])]), Meaning::Srgb);
    }

    #[test]
    fn white_of_high_dynamic_range_is_nearly_white() {
        // 203 cd/m² is 58 % of one code and 75 % of the other (BT.2408 table 1).
        for (light, code) in
            [(perceptual_quantiser as fn(f64) -> f64, 0.58), (hybrid_log_gamma, 0.75)]
        {
            assert!((light(code) - 1.0).abs() < 0.03, "{}", light(code));
            assert!(shown(light(code)) > 0.9);
            assert!((0..100).all(|n| {
                let at = f64::from(n) / 100.0;
                shown(light(at)) <= shown(light(at + 0.01)) && shown(light(at)) <= 1.0
            }));
        }
    }
}
