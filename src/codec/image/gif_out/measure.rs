//! What the constants of `palette` and `gif_out` cost in bytes, time and SSIMULACRA2.
//!
//! `MMSFIT_CORPUS=… cargo test --lib gif_out::measure -- --ignored --nocapture`; with
//! `MMSFIT_MEASURE_OUT` set to a folder, the files are left there to be looked at.

use std::path::Path;
use std::process::Command;
use std::time::Instant;

use fast_ssim2::{PixelDescriptor, PixelSlice, compute_ssimulacra2};

use super::*;
use crate::codec::image::animation::decode_animation;
use crate::codec::image::animation::tests::corpus;
use crate::codec::image::raster::{Frame, Layout};
use crate::codec::{DecodeLimits, OpenHint};
use crate::model::{Effort, MediaType};

/// Frames of a file, scaled, through `ffmpeg`.
fn read(file: &Path, (w, h): (u32, u32), frames: u32) -> DecodedImage {
    let output = Command::new("ffmpeg")
        .args(["-v", "error", "-i"])
        .arg(file)
        .arg("-vf")
        .arg(format!("{}scale={w}:{h}:flags=area", if frames > 1 { "fps=8," } else { "" }))
        .args(["-frames:v", &frames.to_string(), "-f", "rawvideo", "-pix_fmt", "rgb24", "-"])
        .output()
        .expect("ffmpeg");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let size = Dimensions::new(w, h).expect("not zero");
    let frames = output
        .stdout
        .chunks_exact((w * h * 3) as usize)
        .map(|pixels| Frame {
            raster: Raster::new(size, Layout::Rgb, pixels.to_vec()).expect("lengths"),
            delay: Millis::new(125),
        })
        .collect();
    DecodedImage { frames, loops: 0 }
}

fn score(a: &Raster, b: &Raster) -> f64 {
    let (w, h) = (a.dimensions().width(), a.dimensions().height());
    let bytes = |raster: &Raster| -> Vec<u8> {
        palette::rgba(raster).iter().flat_map(|p| [p[0], p[1], p[2]]).collect()
    };
    let (a, b) = (bytes(a), bytes(b));
    let slice = |bytes| {
        PixelSlice::new(bytes, w, h, w as usize * 3, PixelDescriptor::RGB8_SRGB).expect("sizes")
    };
    compute_ssimulacra2(&slice(&a), &slice(&b)).expect("a score")
}

/// One line: bytes, milliseconds, mean score over the frames.
fn run(image: &DecodedImage, colors: u16, rounds: usize, dither: Dither) -> (usize, f64, f64) {
    let stop = Stop::never();
    let start = Instant::now();
    let reel = Reel::new(image, 1, [255; 3], &stop).expect("valid");
    let palette = reel.survey(colors, &stop).expect("valid").palette_refined(colors, rounds);
    let cap = Bytes::new(1 << 30);
    let bytes = Writer::new(&reel, &palette, image.loops, cap)
        .and_then(|writer| writer.write(&reel, &palette, dither, &stop))
        .expect("no cap");
    let ms = start.elapsed().as_secs_f64() * 1e3;
    if let Some(folder) = std::env::var_os("MMSFIT_MEASURE_OUT") {
        let name = format!("{}-{colors}-{rounds}-{dither:?}", image.frames[0].raster.pixels()[0]);
        let name = format!("{name}-{}.gif", image.frames.len());
        std::fs::write(Path::new(&folder).join(name), &bytes).expect("a folder");
    }
    let hint = OpenHint {
        largest: Dimensions::at_least_one(9999, 9999),
        animation: true,
        effort: Effort::Balanced,
    };
    let back = decode_animation(&bytes, &MediaType::GIF, hint, &DecodeLimits::default(), &stop)
        .expect("ours");
    let scores = back.frames.iter().zip(&image.frames).map(|(a, b)| score(&b.raster, &a.raster));
    (bytes.len(), ms, scores.sum::<f64>() / back.frames.len() as f64)
}

#[test]
#[ignore = "measurement: run by hand"]
fn palettes_and_dithers() {
    let Some(folder) = corpus("") else { return };
    let stills: &[(&str, (u32, u32))] = &[
        ("image/Pillow__images_flower.jpg", (320, 240)),
        ("image/media__jpeg_london.jpg", (320, 240)),
        ("image/exif-samples__DSCN0010.jpg", (320, 240)),
        ("image/metadata-extractor__Apple-iPhone-4.jpg", (320, 240)),
        ("image/own_screenshot_1080x2340.png", (270, 585)),
    ];
    let animations: &[(&str, (u32, u32))] = &[
        ("image/Pillow__images_iss634.gif", (240, 180)),
        ("video/media__bbb_176x144_192kbps_15fps_mpeg4.mp4", (176, 144)),
        ("video/media__sample_android_slow_motion.mp4", (160, 120)),
        ("video/file-type__fixture_fixture.3gp", (160, 120)),
    ];
    for (kind, files, frames) in [("still", stills, 1), ("animation", animations, 16)] {
        let images: Vec<DecodedImage> =
            files.iter().map(|(name, size)| read(&folder.join(name), *size, frames)).collect();
        for colors in [256, 64, 16] {
            let mut ways = vec![(3, Dither::None), (3, Dither::Diffuse)];
            ways.extend([25, 50, 100].map(|percent| (3, Dither::Ordered(percent))));
            ways.extend([0, 1, 8].map(|rounds| (rounds, Dither::Diffuse)));
            ways.extend([0, 1, 8].map(|rounds| (rounds, Dither::None)));
            for (rounds, dither) in ways {
                let results: Vec<_> =
                    images.iter().map(|p| run(p, colors, rounds, dither)).collect();
                let mean = |of: fn(&(usize, f64, f64)) -> f64| {
                    results.iter().map(of).sum::<f64>() / results.len() as f64
                };
                let each: Vec<String> =
                    results.iter().map(|r| format!("{}/{:.1}", r.0, r.2)).collect();
                println!(
                    "{kind} {colors:3} rounds {rounds} {:12} {:8.0} B {:6.1} ms {:5.1}  {}",
                    format!("{dither:?}"),
                    mean(|r| r.0 as f64),
                    mean(|r| r.1),
                    mean(|r| r.2),
                    each.join(" ")
                );
            }
        }
    }
}
