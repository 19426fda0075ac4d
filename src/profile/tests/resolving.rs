use std::sync::Arc;

use super::{Shelf, bag, document, valid_mms};
use crate::{
    model::{Bytes, Dimensions, Fault, MediaType, RepairCode, Source},
    profile::{
        AcceptHeaders, DeviceDescription, Fetched, InlineCapabilities, ProfileError, Resolution,
        resolve,
    },
};

fn size(bytes: u64) -> String {
    document("", &format!("<mms:MmsMaxMessageSize>{bytes}</mms:MmsMaxMessageSize>"))
}

fn shelf() -> Shelf {
    Shelf::default()
        .with("named", size(20_000))
        .with("http://h/a.xml", size(30_000))
        .with("Agent/1", size(40_000))
        .with("class", size(50_000))
}

fn everything() -> DeviceDescription {
    DeviceDescription {
        inline: Some(InlineCapabilities {
            max_message_bytes: Some(Bytes::new(11_000)),
            ..Default::default()
        }),
        uaprof_xml: Some(size(15_000).into()),
        profile_diffs: vec![size(12_000).into()],
        device_id: Some("named".into()),
        uaprof_url: Some("\"http://h/a.xml\"".into()),
        fetched: Vec::new(),
        user_agent: Some("Agent/1".into()),
        accept: AcceptHeaders::default(),
        strict: false,
    }
}

fn go(device: &DeviceDescription) -> Resolution {
    resolve(device, Some("class"), &shelf()).unwrap()
}

#[test]
fn sources_bind_in_order() {
    let mut device = everything();
    let mut expect = |change: fn(&mut DeviceDescription), source: Source, bytes: u64| {
        change(&mut device);
        let got = go(&device).capabilities.max_message_bytes;
        assert_eq!((got.provenance.source, got.value.get()), (source, bytes));
    };
    expect(|_| {}, Source::Inline, 11_000);
    expect(|d| d.inline = None, Source::ProfileDiff, 12_000);
    expect(|d| d.profile_diffs.clear(), Source::Uaprof, 15_000);
    expect(|d| d.uaprof_xml = None, Source::DeviceId, 20_000);
    expect(|d| d.device_id = None, Source::UaprofUrl, 30_000);
    expect(|d| d.uaprof_url = None, Source::UserAgent, 40_000);
    expect(|d| d.user_agent = None, Source::CarrierDefault, 50_000);
    let bare = resolve(&device, None, &shelf()).unwrap().capabilities;
    assert_eq!(bare.max_message_bytes.provenance.source, Source::Default);
    assert_eq!(bare.max_message_bytes.provenance.attribute, "default-message-size");
    assert_eq!(bare.max_message_bytes.value.get(), 307_200);
    assert_eq!(bare.max_image.value, Dimensions::new(640, 480).unwrap());
    for media_type in [
        MediaType::JPEG,
        MediaType::GIF,
        MediaType::PNG,
        MediaType::WBMP,
        MediaType::SMIL,
        MediaType::TEXT,
        MediaType::fold("audio/amr"),
        MediaType::fold("text/vcard"),
    ] {
        assert!(bare.accept.accepts(&media_type), "{media_type}");
    }
    for media_type in [MediaType::WEBP, MediaType::HEIC, MediaType::AVIF] {
        assert!(!bare.accept.accepts(&media_type), "{media_type}");
    }
    assert_eq!(bare.charsets.value, ["UTF-8", "US-ASCII"]);
}

#[test]
fn each_attribute_takes_the_first_source_that_states_it() {
    let device = DeviceDescription {
        uaprof_xml: Some(
            document(
                "<prf:Model>M</prf:Model>",
                "<mms:MmsMaxImageResolution>100x90</mms:MmsMaxImageResolution>",
            )
            .into(),
        ),
        user_agent: Some("Agent/1".into()),
        accept: AcceptHeaders {
            accept: vec!["image/png;q=0.5, */*".into()],
            accept_charset: vec!["iso-8859-1".into()],
        },
        ..Default::default()
    };
    let c = go(&device).capabilities;
    assert_eq!(c.max_image.provenance.source, Source::Uaprof);
    assert_eq!(c.max_message_bytes.provenance.source, Source::UserAgent);
    assert_eq!(c.max_message_bytes.provenance.document, "Agent/1 (rule exact)");
    assert_eq!(c.accept.provenance.source, Source::Accept);
    // The wildcard stands for what would hold without the header.
    assert_eq!(c.accept.spellings()[..2], ["image/png", "image/jpeg"]);
    assert!(c.accept.accepts(&MediaType::fold("video/mp4")));
    assert_eq!(c.charsets.value, ["iso-8859-1"]);
    assert_eq!(c.model, "M");
}

#[test]
fn diffs_change_their_base() {
    let base = document("", &valid_mms());
    let diff = |content: &str| {
        format!(
            "1;<?xml version=\"1.0\"?><rdf:RDF xmlns:rdf=\"http://www.w3.org/1999/02/22-rdf-syntax-ns#\">\
         <rdf:Description rdf:ID=\"MmsCharacteristics\">{content}</rdf:Description></rdf:RDF>"
        )
    };
    let mut device = DeviceDescription {
        uaprof_xml: Some(base.into()),
        profile_diffs: vec![
            diff("<MmsMaxMessageSize>102400</MmsMaxMessageSize>").into(),
            diff("<MmsMaxMessageSize>204800</MmsMaxMessageSize>").into(),
        ],
        ..Default::default()
    };
    let c = go(&device).capabilities;
    assert_eq!(c.max_message_bytes.value.get(), 204_800, "the newest diff");
    assert_eq!(c.max_message_bytes.provenance.source, Source::ProfileDiff);
    assert_eq!(c.max_image.provenance.source, Source::Uaprof, "what no diff states stays");
    // CcppAccept is no MMS list: it cannot override one.
    device.profile_diffs =
        vec![diff("<CcppAccept><rdf:Bag><rdf:li>image/png</rdf:li></rdf:Bag></CcppAccept>").into()];
    assert_eq!(go(&device).capabilities.accept.spellings()[0], "image/jpeg");
    // Without an MMS list it appends.
    device.uaprof_xml = Some(document("", &bag("CcppAccept", &["image/gif"])).into());
    assert_eq!(go(&device).capabilities.accept.spellings(), ["image/gif", "image/png"]);
    device.profile_diffs = vec![b"<html>".to_vec().into()];
    let fell = go(&device);
    assert!(
        fell.repairs
            .iter()
            .any(|r| r.code == RepairCode::FellBack && r.attribute == "profile_diff")
    );
}

#[test]
fn bad_documents_fall_through_unless_they_are_alone() {
    let page = || Some("<html><body>login</body></html>".as_bytes().to_vec().into());
    let mut device = DeviceDescription { uaprof_xml: page(), ..Default::default() };
    let error = resolve(&device, Some("class"), &shelf()).unwrap_err();
    assert_eq!(error.reason(), "NOT_A_PROFILE");
    device.user_agent = Some("Agent/1".into());
    let resolution = go(&device);
    assert_eq!(resolution.capabilities.max_message_bytes.provenance.source, Source::UserAgent);
    let fell = resolution.repairs.iter().find(|r| r.code == RepairCode::FellBack).unwrap();
    assert_eq!(
        (fell.attribute.as_str(), fell.raw.as_str()),
        ("uaprof_xml", "not a device profile: an HTML page")
    );
    device.strict = true;
    assert!(resolve(&device, None, &shelf()).is_err());
}

#[test]
fn strict_names_the_first_malformation() {
    let mut device = DeviceDescription {
        uaprof_xml: Some(document("", &valid_mms()).into()),
        strict: true,
        ..Default::default()
    };
    assert!(resolve(&device, None, &shelf()).is_ok());
    device.uaprof_xml = Some(document("", &valid_mms().replace("640x480", "640*480")).into());
    let error = resolve(&device, None, &shelf()).unwrap_err();
    assert_eq!(error.reason(), "MALFORMED_PROFILE");
    assert_eq!(
        error.to_string(),
        "malformed profile: DimensionsForm at MmsMaxImageResolution: `640*480`"
    );
}

#[test]
fn unknown_names_are_told() {
    let mut device = DeviceDescription { device_id: Some("nobody".into()), ..Default::default() };
    let error = resolve(&device, None, &shelf()).unwrap_err();
    assert_eq!(error.reason(), "UNKNOWN_DEVICE");
    assert_eq!(error.category(), crate::model::Category::Caller);
    assert!(matches!(error, ProfileError::UnknownDevice { .. }));
    device.device_id = None;
    device.uaprof_url = Some("http://nowhere/x.xml, http://h/a.xml".into());
    device.user_agent = Some("Unknown/9".into());
    let resolution = resolve(&device, Some("no such class"), &shelf()).unwrap();
    assert_eq!(resolution.capabilities.max_message_bytes.provenance.document, "http://h/a.xml");
    let fell: Vec<&str> = resolution
        .repairs
        .iter()
        .filter(|r| r.code == RepairCode::FellBack)
        .map(|r| r.attribute.as_str())
        .collect();
    assert!(
        ["uaprof_url", "user_agent", "carrier_default"].iter().all(|a| fell.contains(a)),
        "{fell:?}"
    );
}

#[test]
fn lists_without_images_and_documents_without_claims_fall_back_visibly() {
    let of = |mms: &str| {
        go(&DeviceDescription { uaprof_xml: Some(document("", mms).into()), ..Default::default() })
    };
    let text = of(&bag("MmsCcppAccept", &["text/plain", "audio/amr"]));
    assert!(text.capabilities.accept.accepts(&MediaType::JPEG));
    assert!(text.capabilities.accept.provenance.attribute.contains("core-image-types"));
    assert!(text.repairs.iter().any(|r| r.code == RepairCode::FellBack));
    let meant = of(&format!(
        "{}{}",
        bag("MmsCcppAccept", &["text/plain"]),
        bag("MmsContentClass", &["TX"])
    ));
    assert!(!meant.capabilities.accept.accepts(&MediaType::JPEG));
    assert_eq!(meant.capabilities.max_message_bytes.value.get(), 30_720, "by class");
    let nothing = of("");
    assert_eq!(nothing.capabilities.max_message_bytes.provenance.source, Source::CarrierDefault);
    assert!(nothing.repairs.iter().any(|r| r.attribute == "uaprof_xml"));
    let browser = of(&bag("CcppAccept", &["image/gif"]));
    assert_eq!(browser.capabilities.accept.provenance.attribute, "CcppAccept");
}

#[test]
fn jpeg_follows_the_class() {
    let of = |screen: &str, mms: &str| {
        let device = DeviceDescription {
            uaprof_xml: Some(
                document(&format!("<prf:ScreenSize>{screen}</prf:ScreenSize>"), mms).into(),
            ),
            ..Default::default()
        };
        let c = resolve(&device, None, &shelf()).unwrap().capabilities;
        (c.jpeg_full_chroma.value, c.jpeg_progressive.value)
    };
    let limits = |size: u64, bounds: &str, version: &str| {
        format!(
            "<mms:MmsMaxMessageSize>{size}</mms:MmsMaxMessageSize>\
         <mms:MmsMaxImageResolution>{bounds}</mms:MmsMaxImageResolution>{}",
            bag("MmsVersion", &[version])
        )
    };
    assert_eq!(of("101x80", &limits(30_720, "160x120", "1.0")), (false, false));
    assert_eq!(of("128x160", &limits(102_400, "640x480", "1.0")), (false, false));
    assert_eq!(of("176x208", &limits(102_400, "640x480", "1.1")), (true, false));
    assert_eq!(of("240x320", &limits(307_200, "1600x1200", "1.2")), (true, false));
    assert_eq!(of("480x800", &limits(1_048_576, "1600x1200", "1.2")), (true, true));
    assert_eq!(of("480x800", &limits(1_048_576, "640x480", "1.2")), (true, false));
    let inline = DeviceDescription {
        inline: Some(InlineCapabilities {
            jpeg_full_chroma: Some(false),
            jpeg_progressive: Some(true),
            ..Default::default()
        }),
        ..Default::default()
    };
    let c = resolve(&inline, None, &shelf()).unwrap().capabilities;
    assert_eq!((c.jpeg_full_chroma.value, c.jpeg_progressive.value), (false, true));
    assert_eq!(c.jpeg_progressive.provenance.source, Source::Inline);
}

#[test]
fn one_spelling_is_kept() {
    let device = DeviceDescription {
        uaprof_xml: Some(document("", &bag("MmsCcppAccept", &["image/JPG", "audio/x-mp3"])).into()),
        ..Default::default()
    };
    let accept = go(&device).capabilities.accept;
    assert!(accept.accepts(&MediaType::JPEG) && accept.accepts(&MediaType::fold("audio/mpeg")));
    assert_eq!(accept.spelling_of(&MediaType::JPEG), "image/jpg");
}

#[test]
fn a_fetched_document_counts_after_the_mirror_and_before_the_next_source() {
    let fetched = |url: &str, document: Result<String, &str>| Fetched {
        url: url.to_owned(),
        document: document
            .map(|xml| Arc::new(crate::profile::parse(xml.as_bytes()).unwrap()))
            .map_err(str::to_owned),
    };
    let device = |url: &str, fetched| DeviceDescription {
        uaprof_url: Some(url.to_owned()),
        user_agent: Some("Agent/1".to_owned()),
        fetched: vec![fetched],
        ..Default::default()
    };
    let bytes = |resolution: &Resolution| {
        let limit = &resolution.capabilities.max_message_bytes;
        (limit.value.get(), limit.provenance.source)
    };
    let (mirrored, new) = ("http://h/a.xml", "http://h/new.xml");
    let found = go(&device(mirrored, fetched(mirrored, Ok(size(77_000)))));
    assert_eq!(bytes(&found), (30_000, Source::UaprofUrl), "the mirror");
    let found = go(&device(new, fetched(new, Ok(size(77_000)))));
    assert_eq!(bytes(&found), (77_000, Source::UaprofUrl), "what was fetched");
    assert!(!found.repairs.iter().any(|r| r.code == RepairCode::NotFetched));
    let found = go(&device(new, fetched(new, Err("timed out"))));
    assert_eq!(bytes(&found), (40_000, Source::UserAgent), "the next source");
    let why = found.repairs.iter().find(|r| r.code == RepairCode::NotFetched).unwrap();
    assert_eq!(
        (why.attribute.as_str(), why.raw.as_str()),
        ("uaprof_url", "timed out: http://h/new.xml")
    );
}
