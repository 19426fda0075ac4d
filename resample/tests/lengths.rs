//! What goes in and what comes out.

use mmsfit_resample::{Kernel, Pixels, Resampler, Window};

#[test]
fn a_flat_image_stays_flat_and_wrong_lengths_are_told() {
    for channels in 1..=4 {
        let data = vec![77; 40 * 30 * channels];
        let size = (40, 30);
        let window = Window::whole(size);
        let from = Pixels { size, channels, alpha: false, data: &data, window };
        for kernel in [Kernel::Lanczos3, Kernel::CatmullRom, Kernel::Hamming] {
            let out = Resampler::new().resample(from, (17, 9), kernel).unwrap();
            assert_eq!(out, vec![77; 17 * 9 * channels], "{kernel:?}, {channels} channels");
        }
        let short = Pixels { data: &data[1..], ..from };
        assert!(Resampler::new().resample(short, (17, 9), Kernel::Lanczos3).is_err());
    }
    let window = Window::whole((1, 1));
    let from = Pixels { size: (1, 1), channels: 5, alpha: false, data: &[0; 5], window };
    assert!(Resampler::new().resample(from, (1, 1), Kernel::Hamming).is_err());
}

#[test]
fn gray_with_alpha_is_weighted_and_a_window_is_what_is_seen() {
    // Half opaque white, half transparent black.
    let data: Vec<u8> =
        (0..64 * 64).flat_map(|i| if i % 64 < 32 { [255, 255] } else { [0, 0] }).collect();
    let size = (64, 64);
    let from = Pixels { size, channels: 2, alpha: true, data: &data, window: Window::whole(size) };
    let out = Resampler::new().resample(from, (15, 15), Kernel::Lanczos3).unwrap();
    assert_eq!(out.len(), 15 * 15 * 2);
    assert!(out.chunks_exact(2).all(|p| p[1] <= 8 || p[0] > 240), "dark fringe: {out:?}");

    let window = Window { left: 0.0, top: 0.0, width: 31.5, height: 64.0 };
    let out = Resampler::new().resample(Pixels { window, ..from }, (8, 8), Kernel::Hamming);
    assert!(out.unwrap().chunks_exact(2).all(|p| p[1] > 240), "something beyond the window");
}
