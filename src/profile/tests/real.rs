use proptest::prelude::*;

use super::{Shelf, document, valid_mms};
use crate::profile::{DeviceDescription, Resolution, parse, resolve};
use crate::{cost, need};

/// Real documents; `None` where there are none.
fn corpus(folder: &str) -> Option<Vec<(String, Vec<u8>)>> {
    let mut files = need::corpus(folder);
    files.retain(|(name, _)| folder == "uaprof" || name.contains("uaprof"));
    (!files.is_empty()).then_some(files)
}

fn only(bytes: &[u8]) -> Result<Resolution, crate::profile::ProfileError> {
    let device =
        DeviceDescription { uaprof_xml: Some(bytes.to_vec().into()), ..Default::default() };
    resolve(&device, None, &Shelf::default())
}

#[test]
fn every_real_document_resolves_or_is_refused_by_type() {
    let Some(files) = corpus("uaprof") else { return };
    assert!(files.len() >= 79);
    let mut refused = Vec::new();
    for (name, bytes) in &files {
        match only(bytes) {
            Ok(resolution) => {
                let c = &resolution.capabilities;
                println!(
                    "{name:50} {:>9} {:>10} {:?} {:?} {}",
                    c.max_message_bytes.value.get(),
                    c.max_image.value.to_string(),
                    c.max_message_bytes.provenance.source,
                    c.max_image.provenance.source,
                    resolution
                        .repairs
                        .iter()
                        .map(|r| format!("{:?}:{}", r.code, r.attribute))
                        .collect::<Vec<_>>()
                        .join(" "),
                );
                assert!(!c.accept.is_empty() && !c.charsets.is_empty(), "{name}");
            }
            Err(error) => {
                println!("{name:50} {error}");
                refused.push(name.as_str());
            }
        }
    }
    assert_eq!(
        refused,
        [
            "unknown_38b2115b7cdfff316721851fff96_c19780.xml",
            "unknown_cc9997ec9e47b2f2031837b7ab7c_33e0fd.xml"
        ],
        "the two HTML pages"
    );
}

#[test]
fn figures_of_real_documents() {
    let Some(files) = corpus("uaprof") else { return };
    for (name, size, bounds) in [
        ("alcatel_VF695", Some(1_048_576), Some("640x480")),
        ("lenovo_E307", Some(50_000), Some("640x480")),
        ("lg_LG-D855K", Some(1_048_576), Some("2560x1920")),
        ("motorola_MOT-E310", None, Some("128x110")),
        ("motorola_MOTOROLA-VE595", Some(307_200), Some("640x640")),
        ("motorola_V230", Some(307_200), Some("640x480")),
        ("nokia_Nokia7650", Some(102_400), Some("640x480")),
        ("sagem_Sagem-my721X", Some(307_200), Some("2048x1536")),
        ("samsung_GT-S5233W", Some(307_200), Some("2048x2048")),
        ("samsung_SGH-Z400V", Some(307_200), Some("1280x1280")),
        ("samsung_SM-G850Y", Some(307_200), Some("640x480")),
        ("sonyericsson_T610", Some(261_120), Some("120x160")),
        ("sony_ST25i", Some(1_024_000), Some("1600x1200")),
        ("zte_ZTE-Blade-III", Some(262_144), Some("2048x1536")),
        ("siemens_S45", None, None),
    ] {
        let (_, bytes) = files.iter().find(|(file, _)| file.starts_with(name)).unwrap();
        let profile = parse(bytes).unwrap();
        assert_eq!(profile.max_message_bytes.map(|b| b.get()), size, "{name}");
        assert_eq!(profile.max_image.map(|d| d.to_string()).as_deref(), bounds, "{name}");
    }
}

#[test]
fn hostile_documents_cost_little() {
    let Some(files) = corpus("hostile") else { return };
    assert!(files.len() >= 16);
    for (name, bytes) in &files {
        let (result, cost) = cost::of(|| only(bytes));
        println!("{name:50} {cost:.2} {:?}", result.as_ref().map(|r| r.repairs.len()));
        assert!(cost < 200.0, "{name}: {cost}");
        if let Ok(resolution) = result {
            let c = resolution.capabilities;
            let sane = (10_000..=100 << 20).contains(&c.max_message_bytes.value.get());
            assert!(sane && resolution.repairs.len() <= 256, "{name}");
        }
    }
}

#[test]
fn costly_markup_is_bounded() {
    let laughs: String = (0..500_000).map(|_| "&a;").collect();
    let attack = document(&format!("<prf:Model>{laughs}</prf:Model>"), &valid_mms()).replace(
        "<rdf:RDF",
        &format!("<!DOCTYPE r [<!ENTITY a '{}'>]><rdf:RDF", "x".repeat(8_000)),
    );
    let unclosed = "<![CDATA[".repeat(100_000);
    let comments = "<!--".repeat(200_000);
    let attributes: String = (0..50_000).map(|n| format!(" a{n}='1'")).collect();
    let prefixes: String = (0..10_000).map(|n| format!("<p{n}:a xmlns:p{n}='u'/>")).collect();
    let list =
        |tokens: String| document("", &format!("<mms:MmsCcppAccept>{tokens}</mms:MmsCcppAccept>"));
    let types: String = (0..100_000).map(|n| format!("a/{},", n % 5_000)).collect();
    for text in [
        list(types.clone()),
        list(types).replace("MmsCcppAccept>", "MmsCcppAcceptCharSet>"),
        attack,
        format!("<rdf:RDF>{unclosed}"),
        format!("<rdf:RDF>{comments}"),
        format!("<rdf:RDF{attributes}/>"),
        format!("<rdf:RDF>{prefixes}</rdf:RDF>"),
        "<".repeat(1 << 20),
        "<a ".repeat(300_000),
        "</a>".repeat(200_000),
        "<!DOCTYPE a [".repeat(80_000),
        "&".repeat(1 << 20),
    ] {
        let (_, cost) = cost::of(|| parse(text.as_bytes()));
        assert!(cost < 200.0, "{}: {cost}", &text[..40]);
    }
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..2_000)) {
        let _ = parse(&bytes);
    }

    #[test]
    fn arbitrary_damage_never_panics(at in 0usize..1_500, cut in 0usize..60, junk in "[<>&;\"'=!\\[\\]a-z/ -]{0,12}") {
        let text = document("<prf:ScreenSize>240x320</prf:ScreenSize>", &valid_mms());
        let start = at.min(text.len());
        let end = (start + cut).min(text.len());
        if let (Some(head), Some(tail)) = (text.get(..start), text.get(end..)) {
            let _ = parse(format!("{head}{junk}{tail}").as_bytes());
        }
    }

    #[test]
    fn arbitrary_values_never_panic(raw in "\\PC{0,40}") {
        let raw = raw.replace(['<', '&'], "");
        let _ = parse(document("", &valid_mms().replace("307200", &raw).replace("640x480", &raw)).as_bytes());
    }
}
