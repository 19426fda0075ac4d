//! The same request gives the same bytes: on one thread and on eight, and again.

use crate::support;
use bytes::Bytes as Buffer;
use mmsfit::{
    config::Config,
    message::{Form, PartData},
    model::{Bytes, Effort, Stop},
    samples::{self, photo},
    service::{
        Service,
        request::{AdaptRequest, Content, LimitOverrides},
    },
};

/// Six images, one of them moving, and a text.
fn message() -> Buffer {
    let part = |name: &str, content_type: &str, data: Buffer| PartData {
        content_type: content_type.to_owned(),
        content_location: name.to_owned(),
        name: name.to_owned(),
        data,
        ..PartData::default()
    };
    let jpeg = |w, h, seed, turn| samples::jpeg(&photo::photo(w, h, seed), turn).unwrap();
    let parts = vec![
        part("a.jpg", "image/jpeg", jpeg(1600, 1200, 1, Some(6))),
        part("b.jpg", "image/jpeg", jpeg(1152, 864, 2, None)),
        part("c.gif", "image/gif", samples::gif(200, 150, 6).unwrap()),
        part("d.png", "image/png", samples::png(&photo::screenshot(400, 600, 3)).unwrap()),
        part("e.png", "image/png", samples::png(&photo::photo(300, 500, 4)).unwrap()),
        part("f.jpg", "image/jpeg", jpeg(640, 480, 5, Some(3))),
        part("g.txt", "text/plain", Buffer::from_static(b"from all of us")),
    ];
    samples::message(parts, Form::MmsPdu).unwrap()
}

/// What came out, without the times.
fn adapt(service: &Service, pdu: &Buffer, limit: u64, effort: Effort) -> (Buffer, Vec<String>) {
    let accept = ["image/jpeg", "image/gif", "image/png", "text/plain", "application/smil"];
    let request = AdaptRequest {
        device: support::device(1 << 20, (640, 480), &accept),
        limits: LimitOverrides {
            max_message_bytes: Some(Bytes::new(limit)),
            ..LimitOverrides::default()
        },
        effort,
        ..AdaptRequest::new(Content::MmsPdu(pdu.clone()))
    };
    let answer = service.adapt(request, &Stop::never()).unwrap();
    let told = answer.report.parts.iter().map(|part| {
        let after = part.after.as_ref().map(|a| (a.bytes, a.dimensions, a.frames));
        format!(
            "{:?} {:?} {:?} {:?} {}",
            part.id, part.action, part.budget_bytes, after, part.encodes
        )
    });
    let told = told.collect();
    (support::bytes_of(&answer.content), told)
}

#[test]
fn the_same_bytes_on_one_thread_and_on_eight() {
    let pdu = message();
    let service = |threads| Service::new(Config { threads, ..Config::default() });
    let (one, eight) = (service(1), service(8));
    let mut sizes = Vec::new();
    for (limit, effort) in [
        (60_000, Effort::Balanced),
        (100_000, Effort::Fast),
        (100_000, Effort::Best),
        (300_000, Effort::Balanced),
    ] {
        let first = adapt(&one, &pdu, limit, effort);
        assert!(first.0.len() as u64 <= limit && first.0 != pdu);
        assert_eq!(first, adapt(&one, &pdu, limit, effort), "{limit}, again");
        for _ in 0..2 {
            assert_eq!(first, adapt(&eight, &pdu, limit, effort), "{limit}, on eight threads");
        }
        sizes.push((limit, first.0.len()));
    }
    println!("limits and sizes: {sizes:?}");
}
