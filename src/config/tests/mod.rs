mod agents;
mod clients;

use std::{collections::HashMap, fs, path::Path};

use super::{Config, ConfigError, ProcessEnv, Store};
use crate::{
    model::{Bytes, Day, Interface, MediaType, SenderType, Source},
    profile::{DeviceDescription, ProfileError, ProfileStore, carrier::LimitKind, resolve},
};

const TODAY: Day = Day { year: 2026, month: 11, day: 25 };

fn env(pairs: &[(&str, &str)]) -> HashMap<String, String> {
    pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

fn load(text: &str, pairs: &[(&str, &str)]) -> Result<Config, ConfigError> {
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(file.path(), text).unwrap();
    Config::load(Some(file.path()), &env(pairs))
}

#[test]
fn defaults_hold_without_file_and_environment() {
    let config = Config::load(None, &env(&[])).unwrap();
    assert_eq!(config.listen.to_string(), "127.0.0.1:50051");
    assert_eq!(config.max_request_bytes, Bytes::new(64 << 20));
    assert_eq!(config.parse, crate::message::ParseLimits::default());
    assert_eq!(config.decode, crate::codec::DecodeLimits::default());
    assert!(config.threads >= 1);
    assert!(super::Env::get(&ProcessEnv, "MMSFIT_SURELY_NOT_SET").is_none());
}

#[test]
fn the_environment_wins_over_the_file() {
    let text = "listen = '0.0.0.0:1'\nthreads = 3\nmax_request_bytes = '1Mi'\n\
        [parse]\nmax_parts = 7\nlenient = true\n[decode]\nmax_memory = '64Mi'\n\
        [defaults]\nmax_message_bytes = '100Ki'\nmax_image = '320x240'\naccept = ['image/jpeg']\n";
    let config = load(text, &[("MMSFIT_THREADS", "5"), ("MMSFIT_PARSE_MAX_NESTING", "2")]).unwrap();
    assert_eq!(config.listen.to_string(), "0.0.0.0:1");
    assert_eq!((config.threads, config.parse.max_parts, config.parse.max_nesting), (5, 7, 2));
    assert!(config.parse.lenient);
    assert_eq!(config.max_request_bytes, Bytes::new(1 << 20));
    assert_eq!(config.decode.max_memory, Bytes::new(64 << 20));
    let bare = resolve(&DeviceDescription::default(), None, &*config.store).unwrap().capabilities;
    assert_eq!(bare.max_message_bytes.value, Bytes::new(102_400), "the store knows the defaults");
    assert_eq!(bare.accept.spellings(), ["image/jpeg"]);
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(file.path(), "threads = 2").unwrap();
    let path = file.path().to_str().unwrap();
    assert_eq!(Config::load(None, &env(&[("MMSFIT_CONFIG", path)])).unwrap().threads, 2);
}

#[test]
fn there_is_no_admin_port_unless_one_is_asked_for() {
    assert_eq!(Config::load(None, &env(&[])).unwrap().admin_listen, None);
    let text = "admin_listen = '127.0.0.1:9090'";
    let of = |pairs| load(text, pairs).unwrap().admin_listen.map(|address| address.to_string());
    assert_eq!(of(&[]).as_deref(), Some("127.0.0.1:9090"));
    assert_eq!(of(&[("MMSFIT_ADMIN_LISTEN", "[::1]:1")]).as_deref(), Some("[::1]:1"));
    let wrong = load("admin_listen = 'here'", &[]).unwrap_err().to_string();
    assert!(wrong.contains(":1") && wrong.contains("admin_listen"), "{wrong}");
}

#[test]
fn no_call_is_traced_unless_a_collector_is_named() {
    assert_eq!(Config::load(None, &env(&[])).unwrap().tracing.otlp_endpoint, None);
    // What is set for other programs turns nothing on.
    let other = [("OTEL_EXPORTER_OTLP_ENDPOINT", "http://a:4317")];
    assert_eq!(Config::load(None, &env(&other)).unwrap().tracing.otlp_endpoint, None);
    let text = "[tracing]\notlp_endpoint = 'http://[::1]:4317/'\nsample_ratio = 0.25";
    let tracing = load(text, &[("MMSFIT_TRACING_SERVICE_NAME", "mms")]).unwrap().tracing;
    assert_eq!(tracing.otlp_endpoint.expect("stated").as_str(), "http://[::1]:4317");
    assert_eq!((tracing.sample_ratio.get(), tracing.service_name.as_str()), (0.25, "mms"));
    assert_eq!(load("[tracing]\nsample_ratio = 1", &[]).unwrap().tracing.sample_ratio.get(), 1.0);
    assert_eq!(load("[tracing]\notlp_endpoint = ''", &[]).unwrap().tracing.otlp_endpoint, None);
}

#[test]
fn errors_name_line_and_key() {
    for (text, expected) in [
        ("\nlissten = 'x'", ":2: unknown field `lissten`"),
        ("lissten = 'x'", "did you mean `listen`?"),
        ("[parse]\nmax_prats = 1", "did you mean `max_parts`"),
        ("[nothing]\na = 1", "unknown field `nothing`"),
        ("threads = 0", ":1: threads: 0 is not between"),
        ("threads = -1", ":1: threads: "),
        ("a = 1\n= 2", ":2: "),
        ("\n\nlisten = 'somewhere'", ":3: listen: "),
        ("max_request_bytes = 'big'", "`big` is not a size"),
        ("listen = ['a']", "listen: is a list"),
        ("[tracing]\notlp_endpoint = 'here'", ":2: tracing.otlp_endpoint: is not of the form"),
        ("[tracing]\notlp_endpoint = 'https://a:1'", "plain text"),
        ("[tracing]\notlp_endpoint = 'http://a b:1'", "is not of the form"),
        ("[tracing]\nsample_ratio = 1.5", ":2: tracing.sample_ratio: is not a number from 0 to 1"),
        ("[tracing]\nsample_ratio = 'nan'", "is not a number from 0 to 1"),
        ("threads = 1.5", ":1: threads: "),
        ("devices_dirs = 5", "devices_dirs: is not a list"),
        ("devices_dirs = ['/no/such/directory']", "/no/such/directory: "),
        ("uaprof_mirror_dir = '/no/such/directory'", "/no/such/directory: "),
        ("[profile_fetch]\nhost = ['a']", "did you mean `hosts`"),
        ("[profile_fetch]\n\nhosts = ['a', '*']", ":3: profile_fetch.hosts: `*` is not a host"),
        ("[profile_fetch]\nhosts = 5", "profile_fetch.hosts: is not a list"),
        ("[profile_fetch]\nmax_bytes = '2Mi'", ":2: profile_fetch.max_bytes: 2"),
        ("[profile_fetch]\nmax_ms = 0", ":2: profile_fetch.max_ms: 0 is not between"),
        ("[scan]\nadress = 'a:1'", "did you mean `address`"),
        ("[scan]\naddress = 'clamd'", ":2: scan.address: is not of the form"),
        ("[scan]\nfail = 'ajar'", ":2: scan.fail: is neither open nor closed"),
        ("[scan]\nfound = 'keep'", ":2: scan.found: is neither drop nor refuse"),
        ("[scan]\nmax_bytes = 5", ":2: scan.max_bytes: 5"),
        ("[scan]\nmax_ms = 0", ":2: scan.max_ms: 0 is not between"),
    ] {
        let error = load(text, &[]).unwrap_err().to_string();
        assert!(error.contains(expected), "{text}: {error}");
    }
    let error = load("", &[("MMSFIT_THREADS", "many")]).unwrap_err().to_string();
    assert!(error.starts_with("MMSFIT_THREADS: threads: "), "{error}");
    assert!(Config::load(Some(Path::new("/no/such/file")), &env(&[])).is_err());
}

#[test]
fn the_embedded_pack_is_valid() {
    let store = Store::embedded();
    assert!(store.devices().count() >= 30, "{}", store.devices().count());
    for device in store.devices() {
        assert_eq!(device.profile.repairs, [], "{}", device.id);
        assert!(device.embedded && device.profile.max_message_bytes.is_some(), "{}", device.id);
        assert!(!device.profile.mms_accept.is_empty(), "{}", device.id);
        assert!(!device.profile.vendor.is_empty() && !device.profile.model.is_empty());
        for modern in ["image/heic", "image/avif", "image/webp"] {
            assert!(!device.profile.mms_accept.iter().any(|t| t == modern), "{}", device.id);
        }
        let device = DeviceDescription { device_id: Some(device.id.clone()), ..Default::default() };
        let resolution = resolve(&device, None, &*store).unwrap();
        assert_eq!(resolution.repairs, []);
        assert_eq!(resolution.capabilities.accept.provenance.source, Source::DeviceId);
    }
    for class in [
        "text",
        "image-basic",
        "image-rich",
        "video-basic",
        "video-rich",
        "megapixel",
        "content-basic",
        "content-rich",
    ] {
        assert!(store.by_id(&format!("class-{class}")).is_some(), "{class}");
    }
}

#[test]
fn class_documents_say_what_the_standard_says() {
    let store = Store::embedded();
    for (id, bytes, bounds, chroma, jpeg) in [
        ("class-text", 30 << 10, "640x480", false, false),
        ("class-image-basic", 30 << 10, "160x120", false, true),
        ("class-image-rich", 100 << 10, "640x480", true, true),
        ("class-video-rich", 300 << 10, "640x480", true, true),
        ("class-megapixel", 600 << 10, "1600x1200", true, true),
    ] {
        let device = DeviceDescription { device_id: Some(id.into()), ..Default::default() };
        let c = resolve(&device, None, &*store).unwrap().capabilities;
        assert_eq!(c.max_message_bytes.value.get(), bytes, "{id}");
        assert_eq!(c.max_image.value.to_string(), bounds, "{id}");
        assert_eq!(c.jpeg_full_chroma.value, chroma, "{id}");
        assert!(!c.jpeg_progressive.value, "{id}");
        assert_eq!(c.accept.accepts(&MediaType::JPEG), jpeg, "{id}");
        assert!(!c.accept.accepts(&MediaType::PNG), "{id}: PNG is in no core class");
    }
}

#[test]
fn the_embedded_carriers_are_valid() {
    let store = Store::embedded();
    assert!(store.carriers().count() >= 60, "{}", store.carriers().count());
    let mut codes = std::collections::HashSet::new();
    for carrier in store.carriers() {
        assert!(carrier.name.starts_with(&format!("{}-", carrier.country)), "{}", carrier.name);
        assert!(!carrier.limits.is_empty() && !carrier.mcc_mnc.is_empty(), "{}", carrier.name);
        for row in &carrier.limits {
            assert!(!row.source.is_empty() && row.date.len() >= 7, "{}", carrier.name);
        }
        for code in &carrier.mcc_mnc {
            assert!(codes.insert(code.clone()), "{code} twice");
            assert_eq!(store.carrier(code).unwrap().name, carrier.name);
        }
        for interface in [Interface::Mm1, Interface::Mm4, Interface::Mm7] {
            assert!(!carrier.limits_for(interface, None, TODAY).is_empty(), "{}", carrier.name);
        }
    }
}

#[test]
fn carriers_are_found_by_name_and_by_code() {
    let store = Store::embedded();
    for name in ["us-verizon", "US-Verizon", "311-480", "311480", " 311 480 "] {
        assert_eq!(store.carrier(name).unwrap().name, "us-verizon", "{name}");
    }
    for name in ["", "verizon", "999-99", "x311480"] {
        assert!(store.carrier(name).is_none(), "{name}");
    }
    assert_eq!(store.suggest_carriers("verizon"), ["us-verizon"]);
    let verizon = store.carrier("us-verizon").unwrap();
    let of = |sender| {
        let rows = verizon.limits_for(Interface::Mm7, Some(sender), TODAY);
        rows.iter().map(|(row, limit)| (row.kind, limit.bytes.get())).collect::<Vec<_>>()
    };
    assert_eq!(of(SenderType::TollFree), [(LimitKind::Gateway, 600_000)]);
    assert_eq!(of(SenderType::Person), [(LimitKind::Handset, 1_258_291)]);
}

#[test]
fn user_agents_of_the_field_find_their_documents() {
    let store = Store::embedded();
    for (name, device) in store.user_agent_rules() {
        assert!(store.by_id(device).is_some(), "{name}");
    }
    for (agent, device) in [
        ("Nokia7650/1.0 SymbianOS/6.1 Series60/0.9 Profile/MIDP-1.0", "nokia-7650"),
        ("Nokia6230/2.0 (03.06) Profile/MIDP-2.0 Configuration/CLDC-1.1", "nokia-6230"),
        ("Mozilla/5.0 (SymbianOS/9.2; U; Series60/3.1 NokiaN95/10.0.018)", "nokia-n95"),
        ("Mozilla/5.0 (SymbianOS/9.3; Series60/3.2 NokiaE5-00/031.022)", "nokia-e5"),
        ("Nokia2600c-2/UC (06.82) Profile/MIDP-2.1", "generic-feature-phone"),
        ("SonyEricssonT68/R201A", "sony-ericsson-t68i"),
        ("SonyEricssonT610/R201 Profile/MIDP-1.0 Configuration/CLDC-1.0", "sony-ericsson-t610"),
        ("SonyEricssonK750i/R1L Browser/SEMC-Browser/4.2", "sony-ericsson-k750i"),
        ("SIE-S55/10 UP.Browser/5.0.3.3 (GUI)", "siemens-s55"),
        ("MOT-V3r/08.BD.43R MIB/2.2.1 Profile/MIDP-2.0", "motorola-razr-v3"),
        ("SAMSUNG-SGH-E700/BSI2.0 UP.Browser/6.1.0.6.1.d.1 (GUI)", "samsung-sgh-e700"),
        ("SEC-SGHD500", "generic-feature-phone"),
        ("BlackBerry8300/4.2.2 Profile/MIDP-2.0 VendorID/107", "blackberry-8300"),
        (
            "Mozilla/5.0 (BlackBerry; U; BlackBerry 9780; en-US) AppleWebKit/534.1+",
            "blackberry-9780",
        ),
        ("LG-KS360 MIC/1.1.14 Profile/MIDP-2.0", "lg-ks360"),
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15",
            "generic-ios",
        ),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 26_0 like Mac OS X)", "generic-ios"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 10_3_1 like Mac OS X)", "apple-iphone-4s"),
        ("iPhoneOS/4.3 (8F190)", "apple-iphone-3gs"),
        ("Mozilla/5.0 (iPhone; U; CPU iPhone OS 3_0 like Mac OS X; en-us)", "apple-iphone-3gs"),
        ("iPhone16,1/iOS 18.1", "apple-iphone-15"),
        ("Mozilla/5.0 (Linux; Android 14; SM-S921B) AppleWebKit/537.36", "samsung-galaxy-s24"),
        ("Mozilla/5.0 (Linux; Android 9; SM-G973F Build/PPR1) AppleWebKit", "samsung-galaxy-s10"),
        ("SAMSUNG SM-G900F Mozilla/5.0 (Linux; Android 6.0.1)", "samsung-galaxy-s5"),
        ("Mozilla/5.0 (Linux; Android 13; SM-A536B)", "generic-android"),
        ("SAMSUNG-GT-S3110/S3110XXHK2 NetFront/3.5", "samsung-s3110"),
        ("Android-Mms/2.0", "generic-android"),
        ("Android-Mms/0.1", "generic-android"),
        ("Mozilla/5.0 (Linux; Android 15; Pixel 8 Pro)", "google-pixel-8"),
        ("Mozilla/5.0 (Linux; Android 8.0.0; Pixel 2 Build/OPD3)", "google-pixel-2"),
        (
            "Mozilla/5.0 (Mobile; LYF/F90M/LYF-F90M-000; rv:48.0) Gecko/48.0 KAIOS/2.5",
            "kaios-jiophone",
        ),
        (
            "Mozilla/5.0 (Mobile; ALCATEL 4044T; rv:37.0) Gecko/37.0 KaiOS/1.0",
            "kaios-alcatel-go-flip",
        ),
        ("SonimXP3800/1.0 Android", "sonim-xp3800"),
        (
            "Mozilla/5.0 (Mobile; Windows Phone 8.1; Android 4.0; NOKIA; Lumia 520)",
            "nokia-lumia-520",
        ),
    ] {
        let found = store.by_user_agent(agent).map(|(stored, _)| stored.id);
        assert_eq!(found.as_deref(), Some(device), "{agent}");
    }
    assert!(store.by_user_agent("curl/8.0").is_none());
    assert!(store.by_user_agent(&"x".repeat(1 << 20)).is_none());
}

const DOCUMENT: &str = "<rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#'>\
    <rdf:Description rdf:ID='MmsCharacteristics'><MmsMaxMessageSize>77777</MmsMaxMessageSize>\
    </rdf:Description></rdf:RDF>";

#[test]
fn operator_directories_add_and_override() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().to_str().unwrap();
    fs::write(dir.path().join("Nokia-7650.xml"), DOCUMENT).unwrap();
    fs::write(dir.path().join("own-phone.xml"), DOCUMENT).unwrap();
    fs::write(
        dir.path().join("user-agents.toml"),
        "[[rules]]\nname = 'own'\npattern = '^curl'\ndevice = 'own-phone'\n",
    )
    .unwrap();
    let carriers = tempfile::tempdir().unwrap();
    fs::write(
        carriers.path().join("us-verizon.toml"),
        "title = 'V'\ncountry = 'us'\nmcc_mnc = ['001-01']\n[[limits]]\nkind = 'gateway'\n\
         bytes = 50000\nsource = 'me'\ndate = '2026-11'\n",
    )
    .unwrap();
    fs::create_dir_all(dir.path().join("h.example")).unwrap();
    fs::write(dir.path().join("h.example/p.xml"), DOCUMENT).unwrap();
    let variables = [
        ("MMSFIT_DEVICES_DIRS", path),
        ("MMSFIT_CARRIERS_DIRS", carriers.path().to_str().unwrap()),
        ("MMSFIT_UAPROF_MIRROR_DIR", path),
    ];
    let config = load("", &variables).unwrap();
    let size = |device: DeviceDescription| {
        resolve(&device, None, &*config.store).unwrap().capabilities.max_message_bytes
    };
    for id in ["nokia-7650", "NOKIA-7650", "own-phone"] {
        let device = DeviceDescription { device_id: Some(id.into()), ..Default::default() };
        assert_eq!(size(device).value.get(), 77_777, "{id}");
    }
    let device = DeviceDescription { user_agent: Some("curl/8".into()), ..Default::default() };
    assert_eq!(size(device).provenance.document, "own-phone (rule own)");
    let device = DeviceDescription {
        uaprof_url: Some("\"http://H.example/p.xml\"".into()),
        ..Default::default()
    };
    assert_eq!(size(device).provenance.source, Source::UaprofUrl);
    assert_eq!(config.store.carrier("001-01").unwrap().title, "V");
    assert!(config.store.carrier("311-480").is_none(), "the overridden one claimed it");
    assert!(config.store.devices().any(|d| !d.embedded));
    let device = DeviceDescription { device_id: Some("own-phnoe".into()), ..Default::default() };
    match resolve(&device, None, &*config.store) {
        Err(ProfileError::UnknownDevice { suggestions, .. }) => {
            assert!(suggestions.contains(&"own-phone".to_owned()), "{suggestions:?}");
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn bad_files_in_operator_directories_are_named() {
    for (name, content, expected) in [
        ("bad.xml", "<html/>", "bad.xml: not a device profile: an HTML page"),
        (
            "user-agents.toml",
            "[[rules]]\nname = 'a'\npattern = '('\ndevice = 'x'",
            "user-agents.toml:3: pattern",
        ),
        (
            "user-agents.toml",
            "[[rules]]\nname = 'a'\npattern = 'x'\ndevice = 'none'",
            "rule a: no device `none`",
        ),
        ("user-agents.toml", "[[rules]]\nnam = 'a'", "did you mean `name`"),
        (
            "user-agents.toml",
            "[[rules]]\nname = 'a'\npattern = '(a{1000}){1000}'\ndevice = 'x'",
            "user-agents.toml:3",
        ),
    ] {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join(name), content).unwrap();
        let error = load("", &[("MMSFIT_DEVICES_DIRS", dir.path().to_str().unwrap())]);
        let error = error.unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("xx-a.toml"), "title = 'V'\ncountry = 'us'\nmcc_mnc = 5").unwrap();
    let error = load("", &[("MMSFIT_CARRIERS_DIRS", dir.path().to_str().unwrap())]);
    let error = error.unwrap_err().to_string();
    assert!(error.contains("xx-a.toml: carrier xx-a, line 3"), "{error}");
}
