use jpeg_encoder::{ColorType, Encoder, SamplingFactor};

use super::*;

/// An image of soft shapes in all colours.
fn scene(width: u16, height: u16) -> Vec<u8> {
    let wave = |n: f64| (128.0 + 110.0 * n.sin()) as u8;
    let mut pixels = Vec::new();
    for y in 0..height {
        for x in 0..width {
            let (x, y) = (f64::from(x), f64::from(y));
            pixels.extend([wave(x / 23.0 + y / 57.0), wave(y / 31.0), wave((x - y) / 41.0 + 1.0)]);
        }
    }
    pixels
}

fn written(size: (u16, u16), sampling: SamplingFactor, restart: Option<u16>) -> Vec<u8> {
    let mut out = Vec::new();
    let mut encoder = Encoder::new(&mut out, 92);
    encoder.set_sampling_factor(sampling);
    if let Some(interval) = restart {
        encoder.set_restart_interval(interval);
    }
    encoder.encode(&scene(size.0, size.1), size.0, size.1, ColorType::Rgb).unwrap();
    out
}

const AMPLE: Bytes = Bytes::new(1 << 30);

fn ours(data: &[u8], target: (u16, u16)) -> Option<Decoded> {
    let target = Dimensions::new(target.0.into(), target.1.into()).unwrap();
    decode(data, target, AMPLE, &Stop::never())
}

/// The same by another decoder, at the same scale.
fn theirs(data: &[u8], target: (u16, u16)) -> (Vec<u8>, (u16, u16)) {
    let mut decoder = jpeg_decoder::Decoder::new(data);
    let size = decoder.scale(target.0, target.1).unwrap();
    (decoder.decode().unwrap(), size)
}

fn differences(a: &[u8], b: &[u8]) -> (f64, u8) {
    assert_eq!(a.len(), b.len());
    let all = a.iter().zip(b).map(|(a, b)| a.abs_diff(*b));
    let sum: f64 = all.clone().map(f64::from).sum();
    (sum / a.len() as f64, all.max().unwrap_or(0))
}

#[test]
fn without_subsampling_it_is_what_others_read() {
    for size in [(401, 299), (64, 64), (33, 17), (8, 200), (1, 1)] {
        for restart in [None, Some(1), Some(7)] {
            let data = written(size, SamplingFactor::F_1_1, restart);
            for eighths in [1, 2, 4, 8] {
                let side = |n: u16| (n * eighths).div_ceil(8).max(1);
                let target = (side(size.0), side(size.1));
                let (expected, (w, h)) = theirs(&data, target);
                let own = ours(&data, target).unwrap();
                assert_eq!(own.dimensions, Dimensions::new(w.into(), h.into()).unwrap());
                let (mean, most) = differences(&own.pixels, &expected);
                // The other cuts means of blocks where we round them.
                assert!(mean < 1.2 && most <= 3, "{size:?} {eighths}: {mean} {most}");
            }
        }
    }
}

/// Blocks that are full to the last place, with long codes and values: nothing of the next block is
/// taken for the end of one that is passed over.
#[test]
fn noise_is_passed_over_to_the_bit() {
    let size = (217, 131);
    let mut random = fastrand::Rng::with_seed(5);
    let noise: Vec<u8> = (0..usize::from(size.0) * usize::from(size.1) * 3)
        .map(|at| if at / 9000 % 3 == 0 { 90 } else { random.u8(..) })
        .collect();
    for quality in [25, 80, 100] {
        let mut data = Vec::new();
        let mut encoder = Encoder::new(&mut data, quality);
        encoder.set_sampling_factor(SamplingFactor::F_1_1);
        encoder.encode(&noise, size.0, size.1, ColorType::Rgb).unwrap();
        for eighths in [1, 2, 4] {
            let side = |n: u16| (n * eighths).div_ceil(8);
            let target = (side(size.0), side(size.1));
            let (expected, _) = theirs(&data, target);
            let (mean, _) = differences(&ours(&data, target).unwrap().pixels, &expected);
            assert!(mean < 1.2, "{quality} {eighths}: {mean}");
        }
    }
}

/// Colour that was halved comes out no worse than by interpolation, against the scene itself.
#[test]
fn subsampled_colour_is_transformed_to_size() {
    use SamplingFactor as S;
    for sampling in [S::F_2_2, S::F_2_1, S::F_1_2] {
        let size = (400, 304);
        let data = written(size, sampling, None);
        for eighths in [1u16, 2, 4, 8] {
            let target = (size.0 * eighths / 8, size.1 * eighths / 8);
            let own = ours(&data, target).unwrap();
            // Means of whole blocks of the scene.
            let step = usize::from(8 / eighths);
            let (scene, row) = (scene(size.0, size.1), usize::from(size.0) * 3);
            let wanted: Vec<u8> = (0..own.pixels.len())
                .map(|at| {
                    let width = own.dimensions.width() as usize * 3;
                    let (y, x, c) = (at / width, at % width / 3, at % 3);
                    let sum: usize = (0..step * step)
                        .map(|n| {
                            let (dy, dx) = (n / step, n % step);
                            let at = (y * step + dy) * row + (x * step + dx) * 3 + c;
                            usize::from(scene[at])
                        })
                        .sum();
                    (sum / (step * step)) as u8
                })
                .collect();
            let own = differences(&own.pixels, &wanted).0;
            let other = differences(&theirs(&data, target).0, &wanted).0;
            assert!(own < 2.5 && own <= other + 0.3, "{sampling:?} {eighths}: {own} {other}");
        }
    }
}

/// At full size it is interpolated as others do it, at odd sizes too.
#[test]
fn subsampled_colour_at_full_size_is_what_others_read() {
    use SamplingFactor as S;
    for sampling in [S::F_2_2, S::F_2_1, S::F_1_2] {
        for size in [(64, 48), (401, 299), (17, 33), (1, 1), (2, 3)] {
            let data = written(size, sampling, None);
            let own = ours(&data, size).unwrap();
            let (mean, most) = differences(&own.pixels, &theirs(&data, size).0);
            assert!(mean < 1.2 && most <= 6, "{sampling:?} {size:?}: {mean} {most}");
        }
    }
}

#[test]
fn gray_is_one_channel() {
    let gray: Vec<u8> = scene(90, 70).chunks(3).map(|p| p[1]).collect();
    let mut data = Vec::new();
    Encoder::new(&mut data, 90).encode(&gray, 90, 70, ColorType::Luma).unwrap();
    let own = ours(&data, (90, 70)).unwrap();
    assert_eq!(own.channels, 1);
    assert!(differences(&own.pixels, &theirs(&data, (90, 70)).0).1 <= 3);
}

#[test]
fn what_is_not_plain_is_left_to_others() {
    let (pixels, size) = (scene(80, 60), (80, 60));
    let mut progressive = Vec::new();
    let mut encoder = Encoder::new(&mut progressive, 90);
    encoder.set_progressive(true);
    encoder.encode(&pixels, 80, 60, ColorType::Rgb).unwrap();
    assert!(ours(&progressive, size).is_none());
    let mut ink = Vec::new();
    let four: Vec<u8> = pixels.chunks(3).flat_map(|p| [p[0], p[1], p[2], 9]).collect();
    Encoder::new(&mut ink, 90).encode(&four, 80, 60, ColorType::Cmyk).unwrap();
    assert!(ours(&ink, size).is_none());
    let plain = written(size, SamplingFactor::F_2_2, None);
    assert!(ours(&plain, (40, 30)).is_some());
    assert!(
        decode(&plain, Dimensions::new(40, 30).unwrap(), Bytes::new(5_000), &Stop::never())
            .is_none()
    );
    // Cut anywhere before its end it is damaged, and left to another decoder.
    for cut in (0..plain.len() - 3).step_by(7) {
        assert!(ours(&plain[..cut], (40, 30)).is_none(), "{cut}");
    }
}

#[test]
fn luma_alone_is_the_luma() {
    for sampling in [SamplingFactor::F_2_2, SamplingFactor::F_1_1] {
        let size = Dimensions::new(203, 77).unwrap();
        let data = written((203, 77), sampling, Some(5));
        let whole = decode(&data, size, AMPLE, &Stop::never()).unwrap();
        let mut luma = Vec::new();
        let read = read_luma(&data, AMPLE, &Stop::never(), |row| luma.extend_from_slice(row));
        assert_eq!(read, Some(size));
        let expected: Vec<u8> = whole
            .pixels
            .chunks(3)
            .map(|p| {
                (0.299 * f64::from(p[0]) + 0.587 * f64::from(p[1]) + 0.114 * f64::from(p[2])) as u8
            })
            .collect();
        assert!(differences(&luma, &expected).0 < 1.5);
        // What is wrong with the bits of colour is found all the same.
        let cut = &data[..data.len() - 40];
        assert!(read_luma(cut, AMPLE, &Stop::never(), |_| {}).is_none());
    }
}

/// Whatever is in the file: an answer or none, soon, and never more pixels than it says.
#[test]
fn hostile_bytes_are_read_or_left() {
    let mut state = 7u64;
    let mut random = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state as usize
    };
    let seeds = [
        written((120, 90), SamplingFactor::F_2_2, Some(3)),
        written((33, 70), SamplingFactor::F_1_1, None),
    ];
    let mut read = 0;
    for round in 0..4_000 {
        let mut data = seeds[round % 2].clone();
        for _ in 0..1 + random() % 6 {
            let at = random() % data.len();
            data[at] = random() as u8;
        }
        // Sizes are what the header is checked for before.
        let small = Frame::read(&data)
            .is_some_and(|frame| frame.scaled(8).is_some_and(|size| size.pixels() < 1_000_000));
        if small {
            let _ = read_luma(&data, AMPLE, &Stop::never(), |_| {});
        }
        if let (true, Some(own)) = (small, ours(&data, (30, 30))) {
            assert_eq!(own.pixels.len() as u64, own.dimensions.pixels() * own.channels as u64);
            read += 1;
        }
    }
    assert!(read > 100, "{read}");
}
