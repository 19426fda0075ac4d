//! Golden messages: each with its device and carrier, what the report must say of it and what its
//! presentation must refer to. `MMSFIT_BLESS=1` rewrites the expectations. The PDUs are made here
//! (ten megabytes of images and video do not belong into a repository); before and after lie in
//! `target/golden/` when the test has run, to be opened with whatever reads one.

mod messages;

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use bytes::Bytes as Buffer;
use mmsfit::{
    config::Config,
    message::{Message, ParseLimits, Rule},
    model::{Interface, MediaInfo, MediaKind, Reason, ReasonCode, Stop},
    policy::Notice,
    profile::DeviceDescription,
    service::{
        Service,
        request::{AdaptRequest, AdaptResponse, Content},
    },
    text,
};
use serde_json::{Value, json};

use crate::support;
use messages::{Golden, moving, stills};

fn config() -> Config {
    let mut config = Config::default();
    config.policy.notice = Some(Notice::Text);
    config
}

fn send(service: &Service, golden: &Golden) -> AdaptResponse {
    let device = DeviceDescription {
        device_id: Some(golden.device.to_owned()),
        ..DeviceDescription::default()
    };
    let request = AdaptRequest {
        device,
        carrier: Some(golden.carrier.to_owned()),
        interface: Some(Interface::Mm1),
        ..AdaptRequest::new(Content::MmsPdu(input(golden)))
    };
    let response = service.adapt(request, &Stop::never());
    response.unwrap_or_else(|error| panic!("{}: {error:?}", golden.name))
}

/// What can be told of a medium ahead. Beside audio and video, sizes are what the version of an
/// encoder leaves.
fn medium(info: &MediaInfo, alone: bool) -> String {
    match (info.kind, info.dimensions) {
        (MediaKind::Image, Some(dimensions)) if alone => {
            format!("{} {dimensions}", info.media_type)
        }
        _ => info.media_type.to_string(),
    }
}

/// The tags that refer to something or say where and how long, as they stand in the presentation.
fn references(message: &Message) -> Vec<String> {
    let Some(id) = message.presentation() else { return Vec::new() };
    let text = String::from_utf8_lossy(&message.parts()[id.index()].data).into_owned();
    let told = |tag: &&str| {
        let tag = tag.to_ascii_lowercase();
        tag.contains("src=") || ["par", "root-layout", "region"].iter().any(|t| tag.starts_with(t))
    };
    text.split('<').skip(1).filter(told).map(|tag| tag.trim_end().to_owned()).collect()
}

fn texts(message: &Message) -> Vec<String> {
    let parts = message.parts().iter().filter(|part| part.declared.as_str() == "text/plain");
    parts.map(|part| text::read(&part.data, part.charset.as_deref()).text).collect()
}

/// What is expected of an answer.
fn summary(golden: &Golden, response: &AdaptResponse, out: &Message) -> Value {
    use ReasonCode as R;
    let moving = |info: &MediaInfo| matches!(info.kind, MediaKind::Audio | MediaKind::Video);
    let alone = !response.report.parts.iter().any(|part| moving(&part.before));
    let sized = [R::EncodingChosen, R::FrameRateReduced, R::ScaledForBudget, R::ColorsReduced];
    let parts: Vec<Value> = response
        .report
        .parts
        .iter()
        .map(|part| {
            let told = |reason: &&Reason| alone || !sized.contains(&reason.code);
            let reasons = part.reasons.iter().filter(told);
            json!({
                "name": part.name,
                "action": part.action,
                "before": medium(&part.before, alone),
                "after": part.after.as_ref().map(|info| medium(info, alone)),
                "reasons": reasons.map(|reason| reason.code).collect::<Vec<_>>(),
            })
        })
        .collect();
    json!({
        "device": golden.device,
        "carrier": golden.carrier,
        "outcome": response.report.outcome,
        "limit": response.report.limit,
        "contentClass": response.report.content_class_after.map(|class| class.name()),
        "parts": parts,
        "order": out.parts().iter().map(|p| p.declared.to_string()).collect::<Vec<_>>(),
        "references": references(out),
        "texts": texts(out),
    })
}

/// What holds for every answer, whatever is expected of it.
fn holds(golden: &Golden, response: &AdaptResponse, out: &Message) {
    let name = golden.name;
    let report = &response.report;
    let limit = report.limit.unwrap_or_else(|| panic!("{name}: no limit"));
    assert!(report.wire_bytes_after <= limit.bytes, "{name}: over");
    for limit in &response.limits.wire {
        let size = out.wire_size(limit.counting, Interface::Mm1);
        assert!(size <= limit.bytes, "{name}: {size} > {}", limit.bytes);
    }
    let dangling = |v: &&mmsfit::message::Violation| v.rule == Rule::DanglingReference;
    let lint = out.lint().unwrap_or_default();
    assert_eq!(lint.iter().find(dangling), None, "{name}");
    let before = Message::parse_pdu(input(golden), &ParseLimits::default()).unwrap();
    for part in before.parts().iter().filter(|part| part.declared.kind() == MediaKind::Drm) {
        let same = out.parts().iter().filter(|other| other.declared == part.declared);
        assert!(same.clone().all(|other| other.data == part.data), "{name}: DRM altered");
    }
}

fn expected(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("tests/golden/{name}.json"))
}

fn input(golden: &Golden) -> Buffer {
    let Content::MmsPdu(made) = &golden.content else { panic!("{} is a PDU", golden.name) };
    made.clone()
}

fn check(service: &Service, messages: &[Golden]) {
    let dir = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).with_file_name("golden");
    fs::create_dir_all(&dir).unwrap();
    for golden in messages {
        let response = send(service, golden);
        let Content::MmsPdu(bytes) = &response.content else { panic!("a PDU comes out as one") };
        let out = Message::parse_pdu(bytes.clone(), &ParseLimits::default()).unwrap();
        holds(golden, &response, &out);
        let found = format!("{:#}\n", summary(golden, &response, &out));
        let path = expected(golden.name);
        if std::env::var_os("MMSFIT_BLESS").is_some() {
            fs::write(&path, &found).unwrap();
        }
        let wanted = fs::read_to_string(&path).unwrap_or_default();
        assert_eq!(found, wanted, "{}", golden.name);
        fs::write(dir.join(format!("{}.before.mms", golden.name)), input(golden)).unwrap();
        let after = dir.join(format!("{}.after.mms", golden.name));
        fs::write(&after, bytes).unwrap();
        dissected(&after);
    }
}

/// Wireshark reads what comes out.
fn dissected(path: &Path) {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/tools/tshark-check.sh");
    let output = Command::new("sh").arg(script).arg(path).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    if output.status.code() == Some(2) {
        return support::need::missing("tshark", said);
    }
    assert!(output.status.success(), "{}: {said}", path.display());
}

#[test]
fn messages_of_texts_and_images() {
    check(&Service::new(config()), &stills());
}

#[test]
fn messages_with_audio_and_video() {
    let Some(service) = support::with_workers(config()) else { return };
    check(&service, &moving());
}

/// Every expectation belongs to a message that is sent.
#[test]
fn nothing_is_expected_of_nobody() {
    let messages: Vec<Golden> = stills().into_iter().chain(moving()).collect();
    for found in fs::read_dir(expected("x").parent().unwrap()).unwrap() {
        let name = found.unwrap().file_name().to_string_lossy().into_owned();
        let stem = name.rsplit_once('.').map_or("", |(stem, _)| stem);
        assert!(messages.iter().any(|golden| golden.name == stem), "{name}");
    }
}
