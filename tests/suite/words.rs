//! The same words everywhere: the JSON that the model serialises, which the command line prints,
//! is the proto's JSON mapping of the message that the service answers, with default values shown.

use mmsfit::{
    grpc::{DESCRIPTORS, v1},
    model::{
        AcceptList, Account, Action, AudioCodec, BitRate, Bytes, Capabilities, ContentClass,
        Counting, Dimensions, ImageLimit, LimitSource, Limits, MediaInfo, MediaKind, MediaType,
        Millis, Outcome, PartId, PartReport, Provenance, Reason, ReasonCode, Repair, RepairCode,
        Report, Source, Sourced, VideoCodec, VideoSupport, Warning, WireLimit,
    },
};
use prost::Message;
use prost_reflect::{DescriptorPool, DynamicMessage, SerializeOptions};
use serde::Serialize;
use serde_json::Value;

/// A message's JSON by the proto's mapping, default values shown.
fn proto_json(name: &str, message: &impl Message) -> Value {
    let pool = DescriptorPool::decode(DESCRIPTORS).expect("valid descriptors");
    let kind = pool.get_message_by_name(name).expect(name);
    let dynamic = DynamicMessage::decode(kind, message.encode_to_vec().as_slice()).expect(name);
    let options = SerializeOptions::new().skip_default_fields(false);
    dynamic.serialize_with_options(serde_json::value::Serializer, &options).expect(name)
}

#[track_caller]
fn same<M: Serialize + Clone, P: Message + From<M>>(name: &str, model: &M) {
    let ours = serde_json::to_value(model).expect("a model serialises");
    let theirs = proto_json(&format!("mmsfit.v1.{name}"), &P::from(model.clone()));
    assert_eq!(ours, theirs, "{name}: the model on the left, the proto on the right");
}

fn sourced<T>(value: T, source: Source) -> Sourced<T> {
    let (document, attribute) = ("nokia-6230".to_owned(), "MmsMaxMessageSize".to_owned());
    Sourced::new(value, Provenance { source, document, attribute })
}

fn dimensions(width: u32, height: u32) -> Dimensions {
    Dimensions::new(width, height).expect("not empty")
}

fn capabilities() -> Capabilities {
    Capabilities {
        vendor: "Nokia".into(),
        model: "6230".into(),
        max_message_bytes: sourced(Bytes::new(102_400), Source::Uaprof),
        max_image: sourced(dimensions(640, 480), Source::Inline),
        screen: Some(sourced(dimensions(128, 128), Source::ProfileDiff)),
        bits_per_pixel: sourced(16, Source::DeviceId),
        accept: sourced(AcceptList::from_spellings(["image/jpeg", "image/gif"]), Source::UaprofUrl),
        charsets: sourced(vec!["utf-8".into(), "us-ascii".into()], Source::Accept),
        content_classes: vec!["IB".into()],
        mms_version: "1.2".into(),
        suppress_adaptation: sourced(false, Source::Default),
        jpeg_full_chroma: sourced(true, Source::CarrierDefault),
        jpeg_progressive: sourced(false, Source::UserAgent),
        video: sourced(
            vec![VideoSupport {
                codec: VideoCodec::H263,
                max_dimensions: dimensions(176, 144),
                max_frame_rate: 15,
                max_bitrate: BitRate::new(64_000),
            }],
            Source::Uaprof,
        ),
        audio: sourced(vec![AudioCodec::Aac, AudioCodec::AmrNb], Source::Uaprof),
    }
}

fn photo(width: u32, height: u32, bytes: u64) -> MediaInfo {
    let mut info = MediaInfo::opaque(MediaType::JPEG, Bytes::new(bytes));
    info.kind = MediaKind::Image;
    info.codec = "baseline".into();
    info.dimensions = Some(dimensions(width, height));
    info.frames = 1;
    info.duration = Millis::new(40);
    info
}

fn report() -> Report {
    let photo = PartReport {
        id: PartId(1),
        content_id: "photo".into(),
        name: "photo.jpg".into(),
        action: Action::Transcode,
        reasons: vec![
            Reason::new(ReasonCode::OverImageLimit, "4032x3024 > 640x480"),
            ReasonCode::Orientation.into(),
        ],
        before: photo(4032, 3024, 4_700_000),
        after: Some(photo(640, 480, 98_765)),
        budget_bytes: Some(Bytes::new(99_000)),
        encodes: 3,
        quality_estimate: Some(71.3),
        cpu_ms: 38.125,
    };
    let dropped = PartReport {
        id: PartId(0),
        content_id: String::new(),
        name: String::new(),
        action: Action::Drop,
        reasons: Vec::new(),
        before: MediaInfo::opaque(MediaType::OCTETS, Bytes::ZERO),
        after: None,
        budget_bytes: None,
        encodes: 0,
        quality_estimate: None,
        cpu_ms: 0.0,
    };
    Report {
        outcome: Outcome::Major,
        limit: Some(WireLimit {
            bytes: Bytes::new(102_400),
            counting: Counting::MimeBase64,
            source: LimitSource::Carrier,
        }),
        wire_bytes_before: Bytes::new(4_701_234),
        wire_bytes_after: Bytes::new(102_399),
        parts: vec![dropped, photo],
        warnings: vec![Warning { code: "DECLARED_TYPE".into(), message: "was text".into() }],
        capabilities: Some(capabilities()),
        content_class_before: None,
        content_class_after: Some(ContentClass::ImageRich),
        account: Some(Account {
            engine_version: "1.2.3".into(),
            device: "Nokia 6230i".into(),
            device_rule: Provenance {
                source: Source::Uaprof,
                document: "http://nds.example/6230i.xml".into(),
                attribute: "MmsCcppAccept".into(),
            },
            carrier: "us-att".into(),
            message_id: "m-1@example".into(),
            transaction_id: "t1".into(),
            cpu_ms: 41.5,
            wall_ms: 44.25,
            queue_ms: 0.5,
            reused: true,
        }),
    }
}

#[test]
fn a_full_report_reads_the_same() {
    same::<_, v1::Report>("Report", &report());
}

#[test]
fn a_bare_report_reads_the_same() {
    let mut bare = report();
    bare.limit = None;
    bare.capabilities = None;
    bare.account = None;
    bare.parts.clear();
    bare.warnings.clear();
    same::<_, v1::Report>("Report", &bare);
}

#[test]
fn names_and_enumerations_are_spelt_as_documented() {
    let json = serde_json::to_value(report()).expect("a model serialises");
    assert_eq!(json["parts"][1]["partIndex"], 1);
    assert_eq!(json["parts"][1]["action"], "ACTION_TRANSCODE");
    assert_eq!(json["parts"][1]["reasons"][0]["code"], "REASON_CODE_OVER_IMAGE_LIMIT");
    assert_eq!(json["parts"][1]["budgetBytes"], 99_000);
    assert_eq!(json["parts"][1]["cpuMs"], 38.125);
    assert_eq!(json["wireBytesBefore"], 4_701_234);
    assert_eq!(json["limit"]["counting"], "COUNTING_MIME_BASE64");
    assert!(json["parts"][0].get("after").is_none());
}

#[test]
fn capabilities_and_their_repairs_read_the_same() {
    let mut device = capabilities();
    same::<_, v1::Capabilities>("Capabilities", &device);
    device.screen = None;
    same::<_, v1::Capabilities>("Capabilities", &device);
    let (attribute, raw) = ("MmsMaxImageResolution".into(), "640 x 480".into());
    let repair = Repair { code: RepairCode::DimensionsForm, attribute, raw };
    same::<_, v1::Repair>("Repair", &repair);
}

#[test]
fn limits_read_the_same() {
    let bytes = Bytes::new(307_200);
    let (counting, source) = (Counting::Interface, LimitSource::Device);
    let wire = vec![WireLimit { bytes, counting, source }];
    let image = Some(ImageLimit::turning(dimensions(640, 480), LimitSource::Request));
    same::<_, v1::Limits>("Limits", &Limits { wire, image });
    same::<_, v1::Limits>("Limits", &Limits::default());
}
