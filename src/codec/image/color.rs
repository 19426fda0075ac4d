//! Everything to sRGB: ICC profiles, CMYK, 16 bits.

use moxcms::{ColorProfile, DataColorSpace, Layout as Icc, RenderingIntent, TransformOptions};

use super::{
    raster::{Layout, Raster},
    resize::Plane,
};
use crate::codec::CodecError;

/// What the four channels of a [`Plane`] are, beyond their number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Model {
    /// Luma or RGB, with or without alpha.
    Light,
    /// Cyan, magenta, yellow, black; 255 is full ink.
    Ink,
}

/// Largest difference to sRGB, in 8-bit steps, that is invisible and not converted.
const UNSEEN: u8 = 2;

/// `plane` as a raster in sRGB. A profile that does not fit or does not parse is ignored, as
/// browsers do.
pub(super) fn to_srgb(
    plane: Plane,
    model: Model,
    icc: Option<&[u8]>,
) -> Result<Raster, CodecError> {
    let profile = icc.and_then(|icc| ColorProfile::new_from_slice(icc).ok());
    let (dimensions, overhang) = (plane.dimensions, plane.overhang);
    let (layout, pixels) = match (plane.channels, model) {
        (4, Model::Ink) => (Layout::Rgb, ink(&plane.pixels, profile.as_ref())),
        (1, _) => {
            let curve = profile.as_ref().and_then(gray_curve);
            (Layout::Gray, apply_curve(plane.pixels, curve, 1))
        }
        (2, _) => {
            let curve = profile.as_ref().and_then(gray_curve);
            let gray = apply_curve(plane.pixels, curve, 2);
            let rgba = gray.chunks_exact(2).flat_map(|p| [p[0], p[0], p[0], p[1]]).collect();
            (Layout::Rgba, rgba)
        }
        (3, _) => (Layout::Rgb, light(plane.pixels, Icc::Rgb, profile.as_ref())),
        _ => (Layout::Rgba, light(plane.pixels, Icc::Rgba, profile.as_ref())),
    };
    Raster::new(dimensions, layout, pixels)
        .map(|raster| raster.reaching(overhang))
        .ok_or_else(|| CodecError::Internal("length of converted pixels".into()))
}

/// The ICC profile of Display P3.
pub(super) fn display_p3() -> Option<Vec<u8>> {
    ColorProfile::new_display_p3().encode().ok()
}

fn options() -> TransformOptions {
    // Colorimetric: what is inside sRGB stays what it was. Display profiles have no perceptual
    // table to choose anyway.
    TransformOptions {
        rendering_intent: RenderingIntent::RelativeColorimetric,
        ..Default::default()
    }
}

/// Whether an RGB profile differs visibly from sRGB.
pub(super) fn differs_from_srgb(icc: &[u8]) -> bool {
    match ColorProfile::new_from_slice(icc) {
        Ok(profile) if profile.color_space == DataColorSpace::Rgb => {
            transform(&profile, Icc::Rgb).is_some()
        }
        Ok(profile) if profile.color_space == DataColorSpace::Gray => {
            gray_curve(&profile).is_some()
        }
        Ok(_) => true,
        Err(_) => false,
    }
}

type Executor = std::sync::Arc<moxcms::Transform8BitExecutor>;

/// The transform of an RGB profile, `None` if it changes nothing that can be seen: judged on a
/// ramp of grays and on the corners and edges of the cube.
fn transform(profile: &ColorProfile, layout: Icc) -> Option<Executor> {
    if profile.color_space != DataColorSpace::Rgb {
        return None;
    }
    let srgb = ColorProfile::new_srgb();
    let probe = profile.create_transform_8bit(Icc::Rgb, &srgb, Icc::Rgb, options()).ok()?;
    const LEVELS: [u8; 5] = [0, 64, 128, 192, 255];
    let mut samples = Vec::with_capacity(3 * 125);
    for r in LEVELS {
        for g in LEVELS {
            for b in LEVELS {
                samples.extend_from_slice(&[r, g, b]);
            }
        }
    }
    let mut converted = vec![0; samples.len()];
    probe.transform(&samples, &mut converted).ok()?;
    let seen = samples.iter().zip(&converted).any(|(a, b)| a.abs_diff(*b) > UNSEEN);
    if !seen {
        return None;
    }
    if layout == Icc::Rgb {
        return Some(probe);
    }
    profile.create_transform_8bit(layout, &srgb, layout, options()).ok()
}

fn light(pixels: Vec<u8>, layout: Icc, profile: Option<&ColorProfile>) -> Vec<u8> {
    let Some(transform) = profile.and_then(|profile| transform(profile, layout)) else {
        return pixels;
    };
    let mut out = vec![0; pixels.len()];
    match transform.transform(&pixels, &mut out) {
        Ok(()) => out,
        Err(_) => pixels,
    }
}

/// The tone curve of a gray profile onto sRGB's, `None` if it changes nothing that can be seen.
fn gray_curve(profile: &ColorProfile) -> Option<[u8; 256]> {
    if profile.color_space != DataColorSpace::Gray {
        return None;
    }
    let ramp: Vec<u8> = (0..=255).collect();
    let mut rgb = vec![0; 3 * 256];
    profile
        .create_transform_8bit(Icc::Gray, &ColorProfile::new_srgb(), Icc::Rgb, options())
        .ok()?
        .transform(&ramp, &mut rgb)
        .ok()?;
    let curve: [u8; 256] = std::array::from_fn(|i| rgb[3 * i + 1]);
    ramp.iter().zip(&curve).any(|(a, b)| a.abs_diff(*b) > UNSEEN).then_some(curve)
}

fn apply_curve(mut pixels: Vec<u8>, curve: Option<[u8; 256]>, step: usize) -> Vec<u8> {
    if let Some(curve) = curve {
        for value in pixels.iter_mut().step_by(step) {
            *value = curve[usize::from(*value)];
        }
    }
    pixels
}

/// CMYK by its profile; else by the plain formula that every handset's predecessor used.
fn ink(pixels: &[u8], profile: Option<&ColorProfile>) -> Vec<u8> {
    let mut out = vec![0; pixels.len() / 4 * 3];
    let profiled = profile.filter(|p| p.color_space == DataColorSpace::Cmyk).and_then(|p| {
        // Press profiles do have a perceptual table, made for photographs.
        let options = TransformOptions::default();
        let srgb = ColorProfile::new_srgb();
        p.create_transform_8bit(Icc::Rgba, &srgb, Icc::Rgb, options)
            .ok()?
            .transform(pixels, &mut out)
            .ok()
    });
    if profiled.is_none() {
        for (cmyk, rgb) in pixels.chunks_exact(4).zip(out.chunks_exact_mut(3)) {
            let light = |ink: u8| {
                let product = u32::from(255 - ink) * u32::from(255 - cmyk[3]);
                ((product + 127) / 255) as u8
            };
            rgb.copy_from_slice(&[light(cmyk[0]), light(cmyk[1]), light(cmyk[2])]);
        }
    }
    out
}

/// 16-bit samples in native byte order to 8 bits, in place, rounded.
pub(super) fn narrow(mut samples: Vec<u8>) -> Vec<u8> {
    let n = samples.len() / 2;
    for i in 0..n {
        let wide = u16::from_ne_bytes([samples[2 * i], samples[2 * i + 1]]);
        samples[i] = ((u32::from(wide) + 128) / 257) as u8;
    }
    samples.truncate(n);
    samples
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn srgb_is_left_alone_and_p3_is_not() {
        assert!(transform(&ColorProfile::new_srgb(), Icc::Rgb).is_none());
        let p3 = ColorProfile::new_display_p3();
        let out = light(vec![200, 60, 60], Icc::Rgb, Some(&p3));
        // A P3 red is redder than the same numbers in sRGB.
        assert!(out[0] > 205 && out[1] < 55, "{out:?}");
        let gray = light(vec![128, 128, 128], Icc::Rgb, Some(&p3));
        assert!(gray.iter().all(|v| v.abs_diff(128) <= 1), "{gray:?}");
    }

    #[test]
    fn plain_ink_and_wide_samples() {
        assert_eq!(
            ink(&[0, 0, 0, 0, 255, 0, 0, 0, 0, 0, 0, 255], None),
            [255, 255, 255, 0, 255, 255, 0, 0, 0]
        );
        let wide: Vec<u8> =
            [0_u16, 65535, 128 * 257, 300].iter().flat_map(|v| v.to_ne_bytes()).collect();
        assert_eq!(narrow(wide), [0, 255, 128, 1]);
    }
}
