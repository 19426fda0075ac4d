//! One message for a hundred devices of six classes, beside six single calls: CPU of the process,
//! in one interleaved run.
//!
//!     cargo bench --bench many

use std::time::Duration;

use cpu_time::ProcessTime;
use mmsfit::{
    codec::{Codec, DecodeLimits, OpenHint, image::ImageCodec},
    config::Config,
    message::PartData,
    model::{Bytes, Dimensions, Effort, Stop},
    profile::{DeviceDescription, InlineCapabilities},
    samples::{self, photo},
    service::{
        Service,
        many::Recipient,
        request::{AdaptRequest, Content},
    },
};

const CLASSES: [(u64, (u32, u32)); 6] = [
    (30_000, (160, 120)),
    (60_000, (320, 240)),
    (100_000, (640, 480)),
    (300_000, (640, 480)),
    (300_000, (1024, 768)),
    (600_000, (1600, 1200)),
];
const DEVICES: usize = 100;
const ROUNDS: u32 = 5;

fn device(class: usize) -> DeviceDescription {
    let (limit, (w, h)) = CLASSES[class];
    let inline = InlineCapabilities {
        max_message_bytes: Some(Bytes::new(limit)),
        max_image: Dimensions::new(w, h),
        accept: vec!["image/jpeg".into()],
        ..InlineCapabilities::default()
    };
    DeviceDescription { inline: Some(inline), ..DeviceDescription::default() }
}

fn cpu(work: impl FnOnce()) -> Duration {
    let start = ProcessTime::now();
    work();
    start.elapsed()
}

fn main() {
    // Photos as phones send them in messages, and as their cameras make them: the one decode that
    // is left weighs the more, the larger they are.
    run(2048, 1536);
    run(4000, 3000);
}

fn run(width: u16, height: u16) {
    println!("three photos of {width}x{height}");
    let photos: Vec<bytes::Bytes> = (1..=3)
        .map(|n| samples::jpeg(&photo::photo(width, height, n), None).expect("a photo"))
        .collect();
    let message = || {
        let part = |(n, data): (usize, &bytes::Bytes)| PartData {
            content_type: "image/jpeg".into(),
            content_location: format!("{n}.jpg"),
            data: data.clone(),
            ..PartData::default()
        };
        let parts = photos.iter().enumerate().map(part).collect();
        Content::Parts { headers: Vec::new(), parts }
    };
    let service = Service::new(Config { threads: 1, ..Config::default() });
    let recipients: Vec<Recipient> = (0..DEVICES)
        .map(|n| Recipient { device: device(n % CLASSES.len()), ..Recipient::default() })
        .collect();
    let (mut many, mut single, mut decodes) = (Duration::ZERO, Duration::ZERO, Duration::ZERO);
    for _ in 0..ROUNDS {
        many += cpu(|| {
            let mut answered = 0;
            let request = AdaptRequest::new(message());
            let all = service.adapt_many(request, &recipients, &Stop::never(), &mut |answer| {
                answered += answer.result.map_or(0, |_| answer.recipients.len());
                true
            });
            assert!(all.is_ok() && answered == DEVICES, "{answered}");
        });
        for (class, (_, (w, h))) in CLASSES.into_iter().enumerate() {
            single += cpu(|| {
                let request =
                    AdaptRequest { device: device(class), ..AdaptRequest::new(message()) };
                service.adapt(request, &Stop::never()).expect("it fits");
            });
            decodes += cpu(|| {
                for photo in &photos {
                    let hint = OpenHint {
                        largest: Dimensions::at_least_one(w, h),
                        animation: false,
                        effort: Effort::Balanced,
                    };
                    let limits = DecodeLimits::default();
                    let session = ImageCodec.open(photo, hint, &limits, &Stop::never());
                    std::hint::black_box(session.expect("it opens"));
                }
            });
        }
    }
    let ms = |time: Duration| time.as_secs_f64() * 1e3 / f64::from(ROUNDS);
    let rest = single.saturating_sub(decodes);
    println!(
        "AdaptMany, {DEVICES} devices in {} classes: {:8.1} ms of CPU",
        CLASSES.len(),
        ms(many)
    );
    println!("single calls, one a class:              {:8.1} ms", ms(single));
    println!("of which decoding:                      {:8.1} ms", ms(decodes));
    println!(
        "AdaptMany over single calls without their decodes: {:.2} (promised: at most 1.3)",
        many.as_secs_f64() / rest.as_secs_f64().max(1e-9)
    );
}
