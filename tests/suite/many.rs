//! One message for many devices: everyone has an answer, each within its own limits, and those
//! who are alike have the same.

use std::collections::BTreeMap;

use bytes::Bytes as Buffer;

use crate::support;
use mmsfit::{
    config::Config,
    message::PartData,
    model::{Counting, Interface, Stop},
    profile::DeviceDescription,
    samples::{self, photo},
    service::{
        Service,
        many::{ManyAnswer, Recipient},
        request::{AdaptRequest, Content},
    },
};

fn message() -> Content {
    let photo = |n, name: &str| PartData {
        content_type: "image/jpeg".into(),
        content_location: name.into(),
        data: samples::jpeg(&photo::photo(1600, 1200, n), None).unwrap(),
        ..PartData::default()
    };
    Content::Parts { headers: Vec::new(), parts: vec![photo(1, "a.jpg"), photo(2, "b.jpg")] }
}

fn named(id: &str) -> DeviceDescription {
    DeviceDescription { device_id: Some(id.into()), ..DeviceDescription::default() }
}

fn recipients() -> Vec<Recipient> {
    let mut list: Vec<Recipient> = (0..40)
        .map(|n| {
            let (limit, side) = [(30_000, 160), (100_000, 640), (300_000, 640)][n % 3];
            let device = support::device(limit, (side, side * 3 / 4), &["image/jpeg"]);
            Recipient { id: format!("r{n}"), device, carrier: None }
        })
        .collect();
    list.push(Recipient { id: "known".into(), device: named("nokia-6600"), carrier: None });
    list.push(Recipient { id: "unknown".into(), device: named("no-such-phone"), carrier: None });
    let verizon = Some("us-verizon".to_owned());
    list.push(Recipient { id: "route".into(), device: named("google-pixel-8"), carrier: verizon });
    // Two photos of 1200 pixels do not fit into this.
    let hopeless = support::device(600, (160, 120), &["image/jpeg"]);
    list.push(Recipient { id: "hopeless".into(), device: hopeless, carrier: None });
    list
}

fn adapt_many(service: &Service, list: &[Recipient]) -> Vec<ManyAnswer> {
    let mut answers = Vec::new();
    let request = AdaptRequest::new(message());
    let all = service.adapt_many(request, list, &Stop::never(), &mut |answer| {
        answers.push(answer);
        true
    });
    all.unwrap();
    answers
}

#[test]
fn everyone_has_an_answer_within_his_limits() {
    let service = Service::new(Config::default());
    let list = recipients();
    let answers = adapt_many(&service, &list);
    let mut seen = vec![0; list.len()];
    for answer in &answers {
        answer.recipients.iter().for_each(|index| seen[*index] += 1);
    }
    assert!(seen.iter().all(|times| *times == 1), "{seen:?}");
    // Three kinds of phones, and four that share their kind with no other.
    assert_eq!(answers.len(), 7);
    for answer in &answers {
        let first = &list[answer.recipients[0]];
        let response = match (&answer.result, first.id.as_str()) {
            (Err(error), "unknown") => {
                assert_eq!(error.reason, "UNKNOWN_DEVICE");
                continue;
            }
            (Err(error), "hopeless") => {
                assert_eq!(error.reason, "CANNOT_FIT");
                continue;
            }
            (result, id) => result.as_ref().unwrap_or_else(|error| panic!("{id}: {error}")),
        };
        let limit = response.limits.wire.iter().map(|limit| limit.bytes).min().unwrap();
        let parsed = match response.content.clone() {
            Content::Parts { headers, parts } => {
                mmsfit::message::Message::from_parts(headers, parts, &Default::default()).unwrap()
            }
            _ => panic!("parts come out as parts"),
        };
        let size = parsed.wire_size(Counting::Interface, Interface::Mm1);
        assert!(size <= limit, "{}: {size} of {limit}", first.id);
        assert_eq!(response.report.wire_bytes_after, size, "{}", first.id);
        let bounds = response.limits.image.unwrap().bounds;
        for part in &response.report.parts {
            let shown = part.after.as_ref().unwrap().dimensions.unwrap();
            assert!(shown.within(bounds.turned_to(shown)), "{}: {shown}", first.id);
        }
    }
    // The same again.
    let bytes = |answers: &[ManyAnswer]| -> BTreeMap<usize, Option<Vec<Buffer>>> {
        let data = |answer: &ManyAnswer| answer.result.as_ref().ok().map(|r| data(&r.content));
        answers.iter().map(|answer| (answer.recipients[0], data(answer))).collect()
    };
    assert!(bytes(&answers) == bytes(&adapt_many(&service, &list)));
}

fn data(content: &Content) -> Vec<Buffer> {
    let Content::Parts { parts, .. } = content else { panic!("parts come out as parts") };
    parts.iter().map(|part| part.data.clone()).collect()
}

fn of(limit: u64, accept: &[&str]) -> Recipient {
    let device = support::device(limit, (640, 480), accept);
    Recipient { id: String::new(), device, carrier: None }
}

/// The recipients of each answer.
fn classes(content: Content, list: &[Recipient]) -> Vec<Vec<usize>> {
    let mut classes = Vec::new();
    let service = Service::new(Config::default());
    let all = service.adapt_many(AdaptRequest::new(content), list, &Stop::never(), &mut |answer| {
        classes.push(answer.recipients);
        true
    });
    all.unwrap();
    classes.sort();
    classes
}

#[test]
fn what_makes_no_difference_to_a_message_makes_no_class() {
    let list = [
        of(100_000, &["image/jpeg", "text/plain"]),
        of(100_000, &["text/plain", "audio/midi", "image/jpeg", "audio/sp-midi"]),
        of(100_000, &["image/jpeg", "text/plain", "video/3gpp", "audio/amr"]),
        // These spell it otherwise, or take something else as well.
        of(100_000, &["image/jpg", "text/plain"]),
        of(100_000, &["image/jpeg", "image/png", "text/plain"]),
        of(99_999, &["image/jpeg", "text/plain"]),
    ];
    assert_eq!(classes(message(), &list), [vec![0, 1, 2], vec![3], vec![4], vec![5]]);
}

#[test]
fn a_screen_makes_a_difference_where_a_layout_is_shown_on_it() {
    let on = |width: u32| {
        let mut recipient = of(100_000, &["image/jpeg", "application/smil"]);
        let inline = recipient.device.inline.as_mut().unwrap();
        inline.screen = mmsfit::model::Dimensions::new(width, 300);
        recipient
    };
    let list = [on(240), on(120), on(240)];
    assert_eq!(classes(message(), &list), [vec![0, 1, 2]], "no layout");
    let layout = r#"<smil><head><layout><root-layout width="320" height="240"/>
        <region id="Image" left="0" top="0" width="320" height="240"/></layout></head>
        <body><par dur="5s"><img src="a.jpg" region="Image"/></par></body></smil>"#;
    let Content::Parts { headers, mut parts } = message() else { panic!("parts") };
    parts.truncate(1);
    parts.insert(
        0,
        PartData {
            content_type: "application/smil".into(),
            content_location: "s.smil".into(),
            data: layout.into(),
            ..PartData::default()
        },
    );
    assert_eq!(classes(Content::Parts { headers, parts }, &list), [vec![0, 2], vec![1]]);
}

#[test]
fn of_one_box_each_gets_the_bytes_that_he_would_get_alone() {
    let service = Service::new(Config::default());
    let limits = [25_000, 60_000, 61_000, 150_000, 400_000];
    let accepts: [&[&str]; 2] = [&["image/jpeg"], &["image/jpeg", "image/png", "image/gif"]];
    let list: Vec<Recipient> =
        limits.iter().flat_map(|limit| accepts.map(|accept| of(*limit, accept))).collect();
    for answer in adapt_many(&service, &list) {
        let together = data(&answer.result.unwrap().content);
        for index in answer.recipients {
            let mut request = AdaptRequest::new(message());
            request.device = list[index].device.clone();
            let alone = service.adapt(request, &Stop::never()).unwrap();
            assert!(data(&alone.content) == together, "recipient {index}");
        }
    }
}

#[test]
fn who_leaves_ends_the_work() {
    let service = Service::new(Config::default());
    let mut answers = 0;
    let request = AdaptRequest::new(message());
    let all = service.adapt_many(request, &recipients(), &Stop::never(), &mut |_| {
        answers += 1;
        answers < 2
    });
    assert!(all.is_ok() && answers == 2);
    let stop = Stop::never();
    stop.set(mmsfit::model::StopCause::Cancelled);
    let request = AdaptRequest::new(message());
    let all = service.adapt_many(request, &recipients(), &stop, &mut |_| true);
    assert_eq!(all.unwrap_err().reason, "CANCELLED");
}
