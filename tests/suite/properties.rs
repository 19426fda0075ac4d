//! Whatever comes in: no panic, nothing over the limit, nothing outside the bounds.

use std::sync::LazyLock;

use crate::support;
use crate::support::look::Look;
use bytes::Bytes as Buffer;
use mmsfit::{
    config::Config,
    message::{Form, PartData},
    model::{Bytes, Category, Dimensions, Stop},
    profile::DeviceDescription,
    samples::{self, photo},
    service::{
        Service,
        request::{AdaptRequest, Content, LimitOverrides, ResolveRequest},
    },
};
use proptest::{collection::vec, prelude::*};

static SERVICE: LazyLock<Service> =
    LazyLock::new(|| Service::new(Config { threads: 1, ..Config::default() }));
static PDU: LazyLock<Buffer> = LazyLock::new(|| message(Form::MmsPdu));
static MIME: LazyLock<Buffer> = LazyLock::new(|| message(Form::Mime));

const ALL: &[&str] = &["image/jpeg", "image/png", "image/gif", "image/vnd.wap.wbmp", "text/plain"];
const LIMIT: u64 = 20_000;

fn message(form: Form) -> Buffer {
    let part = |name: &str, content_type: &str, data: Buffer| PartData {
        content_type: content_type.into(),
        content_location: name.into(),
        name: name.into(),
        data,
        ..PartData::default()
    };
    let photo = samples::jpeg(&photo::photo(320, 240, 1), Some(8)).unwrap();
    let parts = vec![
        part("a.jpg", "image/jpeg", photo),
        part("t.txt", "text/plain", Buffer::from_static(b"hello")),
        part("b.gif", "image/gif", samples::gif(64, 48, 3).unwrap()),
    ];
    samples::message(parts, form).unwrap()
}

/// Adapts, and checks whatever comes of it.
fn survives(content: Content) -> Result<(), TestCaseError> {
    let device = support::device(LIMIT, (160, 120), ALL);
    let request = AdaptRequest { device, ..AdaptRequest::new(content) };
    match SERVICE.adapt(request, &Stop::never()) {
        Ok(answer) => {
            let bytes = support::bytes_of(&answer.content).len() as u64;
            prop_assert!(bytes <= LIMIT, "{} bytes", bytes);
            prop_assert_eq!(answer.report.wire_bytes_after.get(), bytes);
        }
        Err(error) => {
            let ours = matches!(error.category, Category::Internal | Category::Busy);
            prop_assert!(!ours, "{}: {}", error.reason, error);
        }
    }
    Ok(())
}

fn contents(bytes: Vec<u8>) -> [Content; 3] {
    let data = Buffer::from(bytes);
    [
        Content::MmsPdu(data.clone()),
        Content::Mime(data.clone()),
        Content::Bare { data, name: String::new() },
    ]
}

/// `whole` with some bytes changed and its end cut.
fn damaged(whole: &[u8], changes: &[(prop::sample::Index, u8)], keep: f64) -> Vec<u8> {
    let mut bytes = whole.to_vec();
    for (at, value) in changes {
        let at = at.index(bytes.len());
        bytes[at] = *value;
    }
    bytes.truncate((bytes.len() as f64 * keep) as usize);
    bytes
}

/// Starts of what is read, so that arbitrary bytes get past the first look.
const STARTS: [&[u8]; 9] = [
    b"",
    b"\x8c\x80\x981\0\x8d\x90\x84\xa3",
    b"\x8c\x84\x8d\x90\x84\xb3",
    b"Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\n",
    b"\xff\xd8\xff",
    b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR",
    b"GIF89a",
    b"RIFF\xff\0\0\0WEBPVP8 ",
    b"\0\0",
];

fn config(cases: u32) -> ProptestConfig {
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(config(200))]

    #[test]
    fn arbitrary_bytes(start in prop::sample::select(&STARTS[..]), rest in vec(any::<u8>(), 0..3_000)) {
        for content in contents([start, &rest[..]].concat()) {
            survives(content)?;
        }
    }

    #[test]
    fn arbitrary_profiles(text in "[<>&;\"'=!/?a-zA-Z:# 0-9\\[\\]-]{0,400}", junk in vec(any::<u8>(), 0..60)) {
        for xml in [text.clone().into_bytes(), junk.clone(), [&b"<?xml version='1.0'?><rdf:RDF>"[..], text.as_bytes(), &junk].concat()] {
            let device = DeviceDescription { uaprof_xml: Some(xml.into()), ..DeviceDescription::default() };
            if let Err(error) = SERVICE.resolve(ResolveRequest { device, carrier: None }) {
                prop_assert!(error.category != Category::Internal, "{}", error);
            }
        }
    }
}

proptest! {
    #![proptest_config(config(60))]

    #[test]
    fn damaged_messages(changes in vec((any::<prop::sample::Index>(), any::<u8>()), 0..8), keep in 0.3f64..1.3) {
        survives(Content::MmsPdu(damaged(&PDU, &changes, keep).into()))?;
        survives(Content::Mime(damaged(&MIME, &changes, keep).into()))?;
    }

    #[test]
    fn any_limit_and_bounds(
        (w, h) in (1u16..500, 1u16..500),
        kind in 0u8..4,
        limit in 0u64..60_000,
        (bw, bh) in (1u32..700, 1u32..700),
        formats in 1usize..16,
        turn in 1u8..=8,
    ) {
        let pixels = if kind == 1 { photo::screenshot(w, h, 1) } else { photo::photo(w, h, 1) };
        let data = match kind {
            0 => samples::jpeg(&pixels, Some(turn)).unwrap(),
            3 => samples::gif(w.min(120), h.min(120), 3).unwrap(),
            _ => samples::png(&pixels).unwrap(),
        };
        let accept: Vec<&str> = (0..4).filter(|n| formats >> n & 1 == 1).map(|n| ALL[n]).collect();
        // The request's own limit holds as it is stated, however small.
        let limits = LimitOverrides {
            max_message_bytes: Some(Bytes::new(limit)),
            max_image_width: Some(bw),
            max_image_height: Some(bh),
            image_turns: true,
            replace: true,
            client_max_bytes: None,
        };
        let request = AdaptRequest { limits, ..support::bare("x", &data, support::device(1 << 20, (700, 700), &accept)) };
        match SERVICE.adapt(request, &Stop::never()) {
            Ok(answer) => {
                let out = support::bytes_of(&answer.content);
                prop_assert!(out.len() as u64 <= limit, "{} of {limit} bytes", out.len());
                let look = Look::of(&out);
                prop_assert!(look.is_some(), "not decoded");
                let size = look.map(|l| Dimensions::at_least_one(l.size.0, l.size.1)).unwrap();
                let source = answer.report.parts[0].before.dimensions.unwrap();
                let room = Dimensions::at_least_one(bw, bh).turned_to(source);
                prop_assert!(size.within(room) && size.within(source), "{size} of {source} in {room}");
            }
            Err(error) => {
                prop_assert_eq!(error.category, Category::CannotFit, "{}", error);
                // What could be reached is over, or it would have been taken.
                prop_assert!(error.smallest_reachable.is_none_or(|s| s.get() > limit), "{}", error);
                prop_assert!(limit < 4_000, "{w}x{h} kind {kind} into {limit}, {bw}x{bh}, {accept:?}: {}", error);
            }
        }
    }
}
