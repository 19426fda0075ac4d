//! How telephones are recognised: strings as they send them, with the class wanted of each.

use std::collections::BTreeMap;

use crate::{
    config::Store,
    model::Source,
    profile::{AcceptHeaders, DeviceDescription, ProfileStore, resolve},
};

/// `class | string`, a line each.
const AGENTS: &str = include_str!("agents.txt");
const URLS: &str = include_str!("urls.txt");

fn rows(table: &str) -> Vec<(&str, &str)> {
    let lines = table.lines().filter(|line| !line.starts_with('#'));
    lines.filter_map(|line| line.split_once(" | ")).collect()
}

/// The short names of the tables, and document names as they are.
fn document(class: &str) -> &str {
    match class {
        "android" => "generic-android",
        "ios" => "generic-ios",
        "feature" => "generic-feature-phone",
        "kaios" => "kaios-alcatel-go-flip",
        other => other,
    }
}

fn check(table: &str, find: impl Fn(&str) -> Option<String>) -> BTreeMap<&str, usize> {
    let mut count = BTreeMap::new();
    let mut wrong = Vec::new();
    for (class, text) in rows(table) {
        let found = find(text).unwrap_or_else(|| "none".to_owned());
        if found != document(class) {
            wrong.push(format!("{text}: {found}, not {class}"));
        }
        *count.entry(class).or_default() += 1;
    }
    assert_eq!(wrong, Vec::<String>::new());
    count
}

#[test]
fn issue_17_16_user_agents_find_their_class() {
    let store = Store::embedded();
    let count = check(AGENTS, |agent| store.by_user_agent(agent).map(|(stored, _)| stored.id));
    println!("{count:?}");
    assert!(count.values().sum::<usize>() >= 200, "{count:?}");
}

#[test]
fn issue_17_16_urls_of_makers_are_known_without_fetching() {
    let store = Store::embedded();
    check(URLS, |url| store.by_known_url(url).map(|(stored, _)| stored.id));
}

#[test]
fn issue_17_16_a_model_binds_before_a_class() {
    let store = Store::embedded();
    let of = |url: &str, agent: &str| {
        let device = DeviceDescription {
            uaprof_url: Some(url.into()),
            user_agent: Some(agent.into()),
            ..Default::default()
        };
        let resolution = resolve(&device, None, &*store).unwrap();
        assert_eq!(resolution.repairs, []);
        let from = resolution.capabilities.max_message_bytes.provenance;
        (from.source, from.document)
    };
    let kila = "\"http://www.google.com/oha/rdf/ua-profile-kila.xml\"";
    let samsung = "http://wap.samsungmobile.com/uaprof/SM-G973F.xml";
    // The URL of all Androids tells less than the model's name.
    let (source, document) = of(kila, "SM-S921B");
    assert_eq!(source, Source::UserAgent, "{document}");
    let (source, document) = of(samsung, "Android-Mms/2.0");
    assert_eq!(source, Source::UaprofUrl);
    assert_eq!(document, "samsung-galaxy-s10 (rule samsung, galaxy-s10)");
    // An unknown string beside a well-known URL.
    let device = DeviceDescription {
        uaprof_url: Some(kila.into()),
        user_agent: Some("Unknown/9".into()),
        ..Default::default()
    };
    let c = resolve(&device, None, &*store).unwrap().capabilities;
    assert_eq!(
        c.max_message_bytes.provenance.document,
        "generic-android (rule android-open-source)"
    );
}

#[test]
fn issue_17_15_accept_as_android_sends_it() {
    let store = Store::embedded();
    let of = |accept: &str, carrier: Option<&str>| {
        let device = DeviceDescription {
            user_agent: Some("Unknown/9".into()),
            accept: AcceptHeaders { accept: vec![accept.into()], accept_charset: Vec::new() },
            ..Default::default()
        };
        resolve(&device, carrier, &*store).unwrap().capabilities
    };
    let sent = "*/*, application/vnd.wap.mms-message, application/vnd.wap.sic";
    for carrier in [None, Some("generic-android")] {
        let (with, without) = (of(sent, carrier), of("", carrier));
        for kind in ["audio/amr", "audio/aac", "video/3gpp", "video/mp4", "image/png"] {
            let kind = crate::model::MediaType::fold(kind);
            assert!(with.accept.accepts(&kind), "{kind} {carrier:?}");
        }
        assert_eq!(with.accept, without.accept);
        assert_eq!((with.video, with.audio), (without.video, without.audio));
    }
    let more = of("image/webp, */*;q=0.8", Some("generic-android"));
    assert_eq!(more.accept.provenance.source, Source::Accept);
    assert!(more.accept.accepts(&crate::model::MediaType::WEBP));
    assert!(!more.accept.accepts(&crate::model::MediaType::HEIC), "no wildcard takes all");
    assert!(!more.video.is_empty() && !more.audio.is_empty());
}

#[test]
fn issue_17_14_phones_since_2012_take_h264_aac_and_two_megapixels() {
    let store = Store::embedded();
    for device in store.devices() {
        let stored = store.by_id(&device.id).unwrap();
        let xml = String::from_utf8_lossy(&stored.xml).into_owned();
        let years = xml.split("source: ").filter_map(|text| text.get(..4)?.parse::<u32>().ok());
        let recent = years.max().map_or(device.id.starts_with("generic-"), |year| year >= 2012);
        if !recent || device.id == "generic-feature-phone" {
            continue;
        }
        let id = DeviceDescription { device_id: Some(device.id.clone()), ..Default::default() };
        let c = resolve(&id, None, &*store).unwrap().capabilities;
        let vga = crate::model::Dimensions::at_least_one(640, 480);
        let best = c.video.first().unwrap_or_else(|| panic!("{}: no video", device.id));
        assert_eq!(best.codec, crate::model::VideoCodec::H264, "{}", device.id);
        assert!(best.max_dimensions.pixels() >= vga.pixels(), "{}: {best:?}", device.id);
        assert!(c.audio.contains(&crate::model::AudioCodec::Aac), "{}", device.id);
        // Its maker published smaller bounds for this one.
        let enough = c.max_image.pixels() >= 1600 * 1200 || device.id == "huawei-g5520";
        assert!(enough, "{}: {}", device.id, c.max_image.value);
    }
}
