//! What a run would come to.

use super::*;

const EXACT: Option<f64> = Some(0.0);

fn all(seed: u64) -> Sample {
    Sample { size: 1000, seed }
}

#[test]
fn a_small_tree_is_planned_whole_and_nothing_is_written() {
    let bench =
        Bench::new(&[("a.jpg", JPEG), ("b.png", PNG), ("m.mms", PDU), ("notes.txt", b"hello")]);
    let forecast = forecast(&Halver::default(), &bench.options, all(0)).unwrap();
    assert_eq!((forecast.files, forecast.sampled, forecast.interrupted), (4, 4, false));
    let kinds: Vec<Class> = forecast.kinds.iter().map(|of| of.kind).collect();
    assert_eq!(kinds, [Class::Messages, Class::Images, Class::Unsupported]);
    let images = forecast.kinds[1].share;
    assert_eq!(images.files, Estimate { value: 2.0, standard_error: EXACT });
    assert_eq!(images.bytes_before.value, (JPEG.len() + PNG.len()) as f64);
    assert_eq!(images.bytes_after.value, (JPEG.len() / 2 + PNG.len() / 2) as f64);
    let ms = (JPEG.len() + PNG.len() + PDU.len()) as f64;
    assert!((forecast.total.cpu_hours.value - ms / 3.6e6).abs() < 1e-12);
    assert!(!bench.options.output.exists());
}

#[test]
fn a_sample_is_scaled_and_the_same_seed_draws_the_same() {
    let files: Vec<(String, Vec<u8>)> =
        (0..200).map(|n| (format!("{n}.jpg"), [JPEG, &vec![b'x'; n]].concat())).collect();
    let whole: usize = files.iter().map(|(_, bytes)| bytes.len()).sum();
    let files: Vec<(&str, &[u8])> = files.iter().map(|(n, b)| (n.as_str(), b.as_slice())).collect();
    let bench = Bench::new(&files);
    let draw =
        |seed| forecast(&Halver::default(), &bench.options, Sample { size: 50, seed }).unwrap();
    let first = draw(1);
    assert_eq!((first.files, first.sampled), (200, 50));
    assert_eq!(first.total.files, Estimate { value: 200.0, standard_error: EXACT });
    assert_eq!(first, draw(1));
    assert_ne!(first, draw(2));
    // Nearly all samples are within four standard errors: these are fixed ones.
    for seed in 0..8 {
        let total = draw(seed).total.bytes_before;
        let error = total.standard_error.unwrap();
        assert!(error > 0.0 && (total.value - whole as f64).abs() < 4.0 * error, "{total:?}");
    }
}

#[test]
fn the_patterns_hold_and_what_is_kept_keeps_its_bytes() {
    let mut bench = Bench::new(&[("a.jpg", JPEG), ("b.png", PNG)]);
    bench.options.select.include = vec!["*.jpg".parse().unwrap()];
    assert_eq!(forecast(&Halver::default(), &bench.options, all(0)).unwrap().files, 1);

    bench.options.manifest = Some("-".into());
    let error = forecast(&Halver::default(), &bench.options, all(0)).unwrap_err();
    assert!(matches!(error, BatchError::Layout(_)), "{error}");
}
