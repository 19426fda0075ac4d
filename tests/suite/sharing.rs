//! A limit shared among parts: more bytes never make it worse, equal parts get the same, and none
//! is favoured for where it stands.

use mmsfit::{
    config::Config,
    message::PartData,
    model::{Bytes, MediaKind, PartReport, Stop},
    samples::{self, photo},
    service::{
        Service,
        request::{AdaptRequest, Content},
    },
};

use crate::support;

fn message(media: &[(&str, bytes::Bytes)]) -> Content {
    let part = |(at, (media_type, data)): (usize, &(&str, bytes::Bytes))| PartData {
        content_type: (*media_type).into(),
        name: format!("{at}.{}", media_type.rsplit('/').next().unwrap_or_default()),
        data: data.clone(),
        ..PartData::default()
    };
    Content::Parts { headers: Vec::new(), parts: media.iter().enumerate().map(part).collect() }
}

fn adapt(service: &Service, content: &Content, limit: u64) -> Vec<PartReport> {
    let mut request = AdaptRequest::new(content.clone());
    request.device = support::device(limit, (640, 480), &["image/jpeg", "audio/amr", "audio/mp4"]);
    service.adapt(request, &Stop::never()).expect("it fits").report.parts
}

fn bytes(parts: &[PartReport]) -> Vec<u64> {
    parts.iter().map(|p| p.after.as_ref().map_or(0, |info| info.bytes.get())).collect()
}

#[test]
fn equal_images_get_the_same() {
    let service = Service::new(Config { threads: 2, ..Config::default() });
    let small = samples::jpeg(&photo::photo(480, 360, 3), None).expect("it encodes");
    let each = small.len() as u64;
    for (count, share) in [(12, 0.3), (12, 0.7), (12, 0.95), (40, 0.5)] {
        let limit = (each as f64 * share) as u64 * count;
        let content = message(&vec![("image/jpeg", small.clone()); count as usize]);
        let sizes = bytes(&adapt(&service, &content, limit));
        let (least, most) = (sizes.iter().min().copied(), sizes.iter().max().copied());
        let (least, most) = (least.expect("pictures"), most.expect("pictures"));
        assert!(most as f64 <= least as f64 * 1.08, "{share} of {count}: {least} to {most}");
        let sum: u64 = sizes.iter().sum();
        assert!(sum as f64 > limit as f64 * 0.9, "{share} of {count}: {sum} of {limit}");
    }
}

#[test]
fn it_does_not_matter_where_an_image_stands() {
    let service = Service::new(Config { threads: 2, ..Config::default() });
    let image = |n| samples::jpeg(&photo::photo(1200, 900, n), None).expect("it encodes");
    let media: Vec<_> = (1..=4).map(|n| ("image/jpeg", image(n))).collect();
    let mut turned = media.clone();
    turned.reverse();
    let there = bytes(&adapt(&service, &message(&media), 90_000));
    let mut back = bytes(&adapt(&service, &message(&turned), 90_000));
    back.reverse();
    for (a, b) in there.iter().zip(&back) {
        let ratio = *a as f64 / *b as f64;
        assert!((0.95..=1.06).contains(&ratio), "{there:?} {back:?}");
    }
}

/// A step of the limit may take this from the photo, where the voice gets it: it returns to its
/// original, or to a better mode.
const TOLERANCE: f32 = 4.0;

#[test]
fn more_bytes_never_make_it_worse() {
    let Some(service) = support::with_workers(Config { threads: 2, ..Config::default() }) else {
        return;
    };
    let image = samples::jpeg(&photo::photo(1600, 1200, 5), None).expect("it encodes");
    let voice = voice(9);
    let content = message(&[("image/jpeg", image), ("audio/amr", voice.clone())]);
    let (mut best, mut most) = (f32::MIN, 0);
    for limit in (18_000..60_000).step_by(1500) {
        let parts = adapt(&service, &content, limit);
        let photo = parts.iter().find(|p| p.before.kind == MediaKind::Image).expect("a photo");
        let audio =
            parts.iter().find(|p| p.before.kind == MediaKind::Audio).expect("an audio file");
        let quality = photo.quality_estimate.expect("an estimate");
        let heard = audio.after.as_ref().map_or(Bytes::ZERO, |info| info.bytes).get();
        assert!(quality >= best - TOLERANCE, "{limit}: the photo falls from {best} to {quality}");
        assert!(
            heard as f64 >= most as f64 * 0.9,
            "{limit}: the voice falls from {most} to {heard}"
        );
        (best, most) = (best.max(quality), most.max(heard));
    }
    assert_eq!(most, voice.len() as u64, "in the end the original");
}

/// AMR frames of 12.2 kbit/s (RFC 4867 clause 5.3) with noise in them: no encoder is at hand here.
fn voice(seconds: u32) -> bytes::Bytes {
    let mut file = b"#!AMR\n".to_vec();
    let mut state = 1u32;
    for _ in 0..seconds * 50 {
        file.push(7 << 3 | 4);
        for _ in 0..31 {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            file.push((state >> 24) as u8);
        }
    }
    file.into()
}
