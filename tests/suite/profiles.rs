//! Device profiles as they are in the wild: each resolves or is refused by type, and an image
//! fitted for one keeps to what it claims.

use crate::support;
use crate::support::look::Look;
use bytes::Bytes as Buffer;
use mmsfit::{
    config::Config,
    model::{Category, Dimensions, Source, Stop},
    profile::{DeviceDescription, Resolution},
    service::{Service, ServiceError, request::ResolveRequest},
};

fn service() -> Service {
    Service::new(Config { threads: 2, ..Config::default() })
}

fn described(xml: &Buffer) -> DeviceDescription {
    DeviceDescription { uaprof_xml: Some(xml.clone()), ..DeviceDescription::default() }
}

fn resolve(service: &Service, device: DeviceDescription) -> Result<Resolution, ServiceError> {
    service.resolve(ResolveRequest { device, carrier: None })
}

/// A profile that states a size and bounds, and no more.
fn profile(size: &str, bounds: &str) -> Buffer {
    format!(
        r##"<?xml version="1.0"?>
<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"
  xmlns:mms="http://www.openmobilealliance.org/tech/profiles/MMS/ccppschema-20050301-MMS1.2#">
<rdf:Description rdf:ID="Profile"><mms:component><rdf:Description rdf:ID="MmsCharacteristics">
<rdf:type rdf:resource="http://www.openmobilealliance.org/tech/profiles/MMS/ccppschema-20050301-MMS1.2#MmsCharacteristics"/>
<mms:MmsMaxMessageSize>{size}</mms:MmsMaxMessageSize>
<mms:MmsMaxImageResolution>{bounds}</mms:MmsMaxImageResolution>
<mms:MmsCcppAccept><rdf:Bag><rdf:li>image/jpeg</rdf:li></rdf:Bag></mms:MmsCcppAccept>
</rdf:Description></mms:component></rdf:Description></rdf:RDF>"##
    )
    .into()
}

#[test]
fn figures_however_they_are_written() {
    let service = service();
    for (size, bounds, bytes, wanted) in [
        ("307200", "640x480", 307_200, "640x480"),
        ("307200", "2048X2048", 307_200, "2048x2048"),
        (" 102400 ", "2048*1536", 102_400, "2048x1536"),
        ("614400", " 2592 x 1944", 614_400, "2592x1944"),
        ("1048576", "1200×1600", 1_048_576, "1200x1600"),
        ("30000", "96x125", 30_000, "96x125"),
        ("3584000", "5000X5000", 3_584_000, "5000x5000"),
    ] {
        let found = resolve(&service, described(&profile(size, bounds))).unwrap().capabilities;
        assert_eq!(found.max_message_bytes.value.get(), bytes, "{size}");
        assert_eq!(found.max_image.value.to_string(), wanted, "{bounds}");
        assert_eq!(found.max_image.provenance.source, Source::Uaprof, "{bounds}");
    }
    // Out of 3,107 sizes the one that is none: what is used says that it is not the profile's.
    let junk = resolve(&service, described(&profile("1MBout-2MBin", "640x480"))).unwrap();
    let size = &junk.capabilities.max_message_bytes;
    println!("junk size: {} by {}", size.value, size.provenance);
    assert!(!junk.repairs.is_empty());
}

#[test]
fn every_profile_of_the_corpus_resolves_or_is_refused_by_type() {
    let service = service();
    let (mut resolved, mut repaired) = (0, 0);
    let mut refused = Vec::new();
    for (name, xml) in support::corpus("uaprof") {
        match resolve(&service, described(&xml)) {
            Ok(Resolution { capabilities, repairs }) => {
                resolved += 1;
                repaired += usize::from(!repairs.is_empty());
                let size = capabilities.max_message_bytes.value.get();
                assert!((10_000..=10 << 20).contains(&size), "{name}: {size}");
                assert!(!capabilities.accept.value.is_empty(), "{name}");
                assert!(capabilities.max_image.value.longest() <= 10_000, "{name}");
            }
            Err(error) => {
                assert!(matches!(error.category, Category::Input | Category::Caller), "{name}");
                assert_eq!(error.field.as_deref(), Some("device.uaprof_xml"), "{name}");
                assert!(!error.reason.is_empty() && !error.message.is_empty(), "{name}");
                println!("{name}: {} {error}", error.reason);
                refused.push(name);
            }
        }
    }
    println!("{resolved} resolved, {repaired} of them repaired, {} refused", refused.len());
    // Two of them are web pages.
    assert!(refused.len() <= 2, "{refused:?}");
    assert!(refused.iter().all(|name| name.starts_with("unknown_")), "{refused:?}");
}

/// Handsets of the corpus with what their documents say: bytes and bounds.
const NAMED: [(&str, u64, &str); 13] = [
    ("samsung_GT-S5233W", 307_200, "2048x2048"),
    ("nokia_Nokia7650", 102_400, "640x480"),
    ("lenovo_E307", 50_000, "640x480"),
    ("sonyericsson_T610", 261_120, "120x160"),
    ("alcatel_VF695", 1_048_576, "640x480"),
    ("lg_LG-D855K", 1_048_576, "2560x1920"),
    ("motorola_MOTOROLA-VE595", 307_200, "640x640"),
    ("motorola_V230", 307_200, "640x480"),
    ("sagem_Sagem-my721X", 307_200, "2048x1536"),
    ("samsung_SGH-Z400V", 307_200, "1280x1280"),
    ("samsung_SM-G850Y", 307_200, "640x480"),
    ("sony_ST25i", 1_024_000, "1600x1200"),
    ("zte_ZTE-Blade-III", 262_144, "2048x1536"),
];

#[test]
fn a_photo_keeps_to_what_a_profile_claims() {
    use mmsfit::samples::{self, photo};
    let service = service();
    // Held upright, stored lying.
    let data = samples::jpeg(&photo::photo(2560, 1920, 3), Some(6)).unwrap();
    let shown = Dimensions::new(1920, 2560).unwrap();
    let files = support::corpus("uaprof");
    let named = NAMED.iter().filter_map(|&(start, bytes, bounds)| {
        let (name, xml) = files.iter().find(|(name, _)| name.starts_with(start))?;
        Some((name.clone(), xml.clone(), bytes, bounds))
    });
    let mut all = vec![
        ("own old".to_owned(), profile("30000", "160x120"), 30_000, "160x120"),
        ("own new".to_owned(), profile("1048576", "2048X2048"), 1_048_576, "2048x2048"),
    ];
    all.extend(named);
    assert!(files.is_empty() || all.len() == NAMED.len() + 2);
    for (name, xml, bytes, bounds) in all {
        let bounds: Dimensions = bounds.parse().unwrap();
        let found = resolve(&service, described(&xml)).unwrap().capabilities;
        assert_eq!(found.max_message_bytes.value.get(), bytes, "{name}");
        assert_eq!(found.max_image.value, bounds, "{name}");
        let answer = service.adapt(support::bare("p.jpg", &data, described(&xml)), &Stop::never());
        let answer = answer.unwrap_or_else(|error| panic!("{name}: {error}"));
        let out = support::bytes_of(&answer.content);
        assert!(out.len() as u64 <= bytes, "{name}: {} bytes", out.len());
        let look = Look::of_jpeg(&out).unwrap_or_else(|error| panic!("{name}: {error}"));
        let size = Dimensions::new(look.size.0, look.size.1).unwrap();
        let room = bounds.turned_to(shown);
        assert!(size.within(room), "{name}: {size}");
        println!("{name}: {size} in {room}, {} of {bytes} bytes", out.len());
        let truth = Look::of(&data).unwrap();
        assert!(look.likeness(&truth) > 0.95, "{name}: wrongly turned");
    }
}
