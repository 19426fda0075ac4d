//! What goes in and what comes out.

use mmsfit_resample::{Kernel, Pixels, Resampler};

#[test]
fn a_flat_picture_stays_flat_and_wrong_lengths_are_told() {
    for channels in 1..=4 {
        let data = vec![77; 40 * 30 * channels];
        let from = Pixels { size: (40, 30), channels, alpha: false, data: &data };
        for kernel in [Kernel::Lanczos3, Kernel::CatmullRom, Kernel::Hamming] {
            let out = Resampler::new().resample(from, (17, 9), kernel).unwrap();
            assert_eq!(out, vec![77; 17 * 9 * channels], "{kernel:?}, {channels} channels");
        }
        let short = Pixels { data: &data[1..], ..from };
        assert!(Resampler::new().resample(short, (17, 9), Kernel::Lanczos3).is_err());
    }
    let from = Pixels { size: (1, 1), channels: 5, alpha: false, data: &[0; 5] };
    assert!(Resampler::new().resample(from, (1, 1), Kernel::Hamming).is_err());
}
