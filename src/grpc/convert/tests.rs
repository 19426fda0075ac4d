//! Requests are refused field by field; valid ones arrive whole.

use bytes::Bytes as Buffer;

use super::BadRequest;
use crate::{
    grpc::v1,
    message::Form,
    model::{Bytes, Dimensions, Effort, Interface, SenderType},
    service::request::{AdaptRequest, Content, LimitsRequest, ReportLevel},
};

fn pdu(bytes: &'static [u8]) -> Option<v1::adapt_request::Content> {
    Some(v1::adapt_request::Content::MmsPdu(Buffer::from_static(bytes)))
}

fn fields(bad: &BadRequest) -> Vec<&str> {
    bad.violations.iter().map(|violation| violation.field.as_str()).collect()
}

#[test]
fn an_empty_request_has_no_content_and_all_else_is_optional() {
    let bad = AdaptRequest::try_from(v1::AdaptRequest::default()).expect_err("no content");
    assert_eq!(fields(&bad), ["content"]);
    let valid = v1::AdaptRequest { content: pdu(b"x"), ..Default::default() };
    let request = AdaptRequest::try_from(valid).expect("valid");
    assert_eq!(request.effort, Effort::Balanced);
    assert_eq!(request.report_level, ReportLevel::Standard);
    assert_eq!((request.carrier, request.sender, request.interface), (None, None, None));
    assert_eq!(request.device, Default::default());
}

#[test]
fn every_field_at_fault_is_named() {
    let request = v1::AdaptRequest {
        request_id: "a\nb".into(),
        content: Some(v1::adapt_request::Content::Message(v1::Message {
            headers: vec![
                v1::Header { name: "Subject".into(), value: "ok".into() },
                v1::Header { name: "X:".into(), value: "a\r\nBcc: b".into() },
            ],
            parts: vec![v1::Part { name: "a\rb".into(), ..Default::default() }],
        })),
        device: Some(v1::DeviceDescription {
            capabilities: Some(v1::InlineCapabilities {
                max_image: Some(v1::Dimensions { width: 640, height: 0 }),
                bits_per_pixel: Some(256),
                ..Default::default()
            }),
            ..Default::default()
        }),
        limits: Some(v1::LimitOverrides { max_message_bytes: Some(0), ..Default::default() }),
        interface: 99,
        effort: -1,
        output_form: 17,
        ..Default::default()
    };
    let item = v1::AdaptStreamRequest { request: Some(request) };
    let bad = AdaptRequest::try_from(item).expect_err("much is wrong");
    assert_eq!(
        fields(&bad),
        [
            "request.request_id",
            "request.message.headers[1].name",
            "request.message.headers[1].value",
            "request.message.parts[0].name",
            "request.device.capabilities.max_image",
            "request.device.capabilities.bits_per_pixel",
            "request.limits.max_message_bytes",
            "request.interface",
            "request.effort",
            "request.output_form",
        ]
    );
}

#[test]
fn what_is_stated_arrives() {
    let request = v1::AdaptRequest {
        request_id: "r1".into(),
        content: pdu(b"\x8c\x84"),
        device: Some(v1::DeviceDescription {
            uaprof_xml: Buffer::from_static(b"<rdf/>"),
            device_id: "nokia-6230".into(),
            capabilities: Some(v1::InlineCapabilities {
                max_image: Some(v1::Dimensions { width: 640, height: 480 }),
                bits_per_pixel: Some(16),
                ..Default::default()
            }),
            strict: true,
            ..Default::default()
        }),
        carrier: "us-verizon".into(),
        sender_type: v1::SenderType::TollFree.into(),
        interface: v1::Interface::Mm4.into(),
        limits: Some(v1::LimitOverrides {
            max_message_bytes: Some(300_000),
            max_image_width: Some(800),
            max_image_height: None,
            replace: true,
        }),
        effort: v1::Effort::Best.into(),
        report_level: v1::ReportLevel::Full.into(),
        output_form: v1::Form::Message.into(),
    };
    let got = AdaptRequest::try_from(request).expect("valid");
    assert_eq!(got.content, Content::MmsPdu(Buffer::from_static(b"\x8c\x84")));
    assert_eq!(got.carrier.as_deref(), Some("us-verizon"));
    assert_eq!(got.sender, Some(SenderType::TollFree));
    assert_eq!(got.interface, Some(Interface::Mm4));
    assert_eq!(got.limits.max_message_bytes, Some(Bytes::new(300_000)));
    assert_eq!((got.limits.max_image_width, got.limits.max_image_height), (Some(800), None));
    assert!(got.limits.replace && got.device.strict);
    assert_eq!((got.effort, got.report_level), (Effort::Best, ReportLevel::Full));
    assert_eq!(got.output_form, Some(Form::Parts));
    assert_eq!(got.device.device_id.as_deref(), Some("nokia-6230"));
    assert_eq!(got.device.uaprof_url, None);
    let inline = got.device.inline.expect("stated");
    assert_eq!((inline.max_image, inline.bits_per_pixel), (Dimensions::new(640, 480), Some(16)));
}

#[test]
fn wrappers_and_lookups_name_what_is_missing() {
    let plan = AdaptRequest::try_from(v1::PlanRequest::default()).expect_err("no request");
    assert_eq!(fields(&plan), ["request"]);
    let lookup = LimitsRequest::try_from(v1::LookupLimitsRequest::default()).expect_err("none");
    assert_eq!(fields(&lookup), ["carrier"]);
    assert_eq!(lookup.to_string(), "bad request: `carrier` is missing");
}

#[test]
fn a_swarm_of_violations_is_cut() {
    let parts = vec![v1::Part { name: "\n".into(), ..Default::default() }; 1000];
    let message = v1::Message { headers: Vec::new(), parts };
    let bad = Content::try_from(message).expect_err("a thousand bad names");
    assert_eq!(bad.violations.len(), 32);
}

/// The words of the JSON are the proto's, for every value of every enumeration.
#[test]
fn enumerations_have_the_names_of_the_proto() {
    use super::enums::{Mirrored, number};
    use crate::model;

    macro_rules! same_words {
        ($($name:ident)+) => {$({
            let mut seen = 0;
            for raw in 1..256 {
                let Ok(proto) = v1::$name::try_from(raw) else { continue };
                let ours: model::$name = Mirrored::mirrored(proto).expect("not zero");
                assert_eq!(serde_json::json!(ours), proto.as_str_name());
                assert_eq!(number(ours), raw);
                seen += 1;
            }
            assert!(seen >= 3, "{}", stringify!($name));
        })+};
    }
    same_words! {
        Action Counting Effort Interface LimitSource MediaKind Outcome ReasonCode RepairCode
        SenderType Source
    }
}

mod hostile {
    use proptest::prelude::*;
    use prost::Message as _;

    use super::*;

    proptest! {
        /// Whatever decodes is either a request or refused with a reason; nothing panics.
        #[test]
        fn any_bytes_are_a_request_or_refused(
            bytes in proptest::collection::vec(any::<u8>(), 0..256),
            tags in proptest::collection::vec((1u8..13, any::<u8>()), 0..16),
        ) {
            // Random bytes rarely decode; numbers in known fields always do.
            let mut likely = Vec::new();
            for (field, value) in tags {
                if matches!(field, 7 | 8 | 10 | 11 | 12) {
                    likely.extend([field << 3, value & 0x7f]);
                }
            }
            for bytes in [bytes, likely] {
                if let Ok(request) = v1::AdaptRequest::decode(bytes.as_slice()) {
                    let refused = AdaptRequest::try_from(request).err();
                    prop_assert!(refused.is_none_or(|bad| !bad.violations.is_empty()));
                }
            }
        }
    }
}
