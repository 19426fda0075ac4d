use super::*;

fn ramp(count: u32) -> Vec<Rgba> {
    (0..count).map(|i| [i as u8, (i / 7) as u8, (i / 256) as u8, 255]).collect()
}

fn size(w: u32, h: u32) -> Dimensions {
    Dimensions::new(w, h).expect("not zero")
}

#[test]
fn up_to_the_asked_number_colours_are_exact() {
    for (count, asked) in [(1, 2), (2, 2), (200, 200), (256, 256)] {
        let pixels = ramp(count);
        let mut survey = Survey::default();
        survey.add(pixels.iter().copied());
        let palette = survey.palette(asked);
        assert!(palette.exact.is_some());
        let shown: Vec<Rgba> = palette
            .indices(&pixels, size(count, 1), Dither::Diffuse)
            .into_iter()
            .map(|i| palette.colors()[usize::from(i)])
            .collect();
        assert_eq!(shown, pixels);
    }
}

#[test]
fn more_colours_are_reduced_to_what_was_asked_and_clear_stays_clear() {
    let mut pixels = ramp(4096);
    for pixel in pixels.iter_mut().step_by(5) {
        *pixel = CLEAR;
    }
    for pixel in pixels.iter_mut().skip(1).step_by(5) {
        pixel[3] = 120;
    }
    let mut survey = Survey::default();
    survey.add(pixels.iter().copied());
    for asked in [1, 2, 3, 4, 16, 255, 256] {
        for dither in [Dither::None, Dither::Ordered(50), Dither::Diffuse] {
            let palette = survey.palette(asked);
            assert!(palette.colors().len() <= usize::from(asked), "{asked}");
            let indices = palette.indices(&pixels, size(64, 64), dither);
            for (pixel, index) in pixels.iter().zip(indices) {
                let color = palette.colors()[usize::from(index)];
                assert!((pixel[3] == 0) == (color[3] == 0) || asked == 1, "{asked}");
            }
        }
    }
}

#[test]
fn the_pattern_is_a_permutation() {
    let mut seen: Vec<u8> = BAYER.iter().flatten().copied().collect();
    seen.sort_unstable();
    assert_eq!(seen, (0..64).collect::<Vec<u8>>());
}

#[test]
fn blending_meets_both_ends() {
    assert_eq!(flatten([9, 8, 7, 255], [1, 2, 3]), [9, 8, 7, 255]);
    assert_eq!(flatten([9, 8, 7, 0], [1, 2, 3]), [1, 2, 3, 255]);
    assert_eq!(flatten([255, 255, 255, 128], [0, 0, 0]), [128, 128, 128, 255]);
}
