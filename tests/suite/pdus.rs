//! Messages, real and composed at random: what is not changed stays byte for byte, what comes
//! out is never over, holds together, and is valid to Wireshark.

use std::process::Command;

use crate::support;
use crate::support::compose;
use crate::support::judge;
use bytes::Bytes as Buffer;
use mmsfit::{
    config::Config,
    message::{Edit, Form, Message, ParseLimits, Part},
    model::{Category, Counting, Interface, MediaKind, Stop},
    profile::DeviceDescription,
    samples,
    service::{
        Service, ServiceError,
        request::{AdaptRequest, AdaptResponse, Content},
    },
};

/// Bytes, bounds and types of three handsets.
const DEVICES: [(u64, (u32, u32), &[&str]); 3] = [
    (30_000, (160, 120), &["image/jpeg", "image/gif", "image/vnd.wap.wbmp", "audio/amr"]),
    (100_000, (640, 480), &["image/jpeg", "image/gif", "image/png", "audio/amr", "audio/midi"]),
    (300_000, (1600, 1200), &["image/*", "audio/*", "video/*"]),
];
const INTERFACES: [Interface; 3] = [Interface::Mm1, Interface::Mm4, Interface::Mm7];

fn service() -> Service {
    Service::new(Config { threads: 1, ..Config::default() })
}

fn handset(at: usize) -> (u64, DeviceDescription) {
    let (limit, bounds, media) = DEVICES[at];
    let accept = [media, &["text/plain", "text/x-vcard", "application/smil"]].concat();
    (limit, support::device(limit, bounds, &accept))
}

/// The PDUs of the corpus with a type; those whose bytes are none are left out.
fn pdus() -> Vec<(String, Buffer, Message)> {
    let mut read = Vec::new();
    let mut refused = Vec::new();
    for (name, bytes) in support::corpus("pdu") {
        if bytes.first() != Some(&0x8c) {
            continue;
        }
        match Message::parse_pdu(bytes.clone(), &ParseLimits::default()) {
            Ok(message) => read.push((name, bytes, message)),
            Err(error) => refused.push(format!("{name}: {error}")),
        }
    }
    assert!(refused.is_empty(), "{}", refused.join("\n"));
    read
}

fn is_adaptable(message: &Message) -> bool {
    matches!(message.pdu_type().as_deref(), Some("m-send-req" | "m-retrieve-conf"))
}

#[test]
fn real_messages_come_back_byte_for_byte() {
    let (mut adaptable, mut parts) = (0, 0);
    for (name, bytes, message) in pdus() {
        assert_eq!(message.serialize(Form::MmsPdu).unwrap(), bytes, "{name}");
        if !is_adaptable(&message) {
            continue;
        }
        adaptable += 1;
        // The input is not simply handed through: one part is redeclared, and the rest, now
        // written from what was understood, stays. Where the headers tell of the parts (the
        // root's type, the size) they change too.
        let states_size = message
            .headers()
            .iter()
            .any(|(name, _)| name.eq_ignore_ascii_case("x-mms-message-size"));
        for changed in 0..message.parts().len() {
            let mut edits = vec![Edit::Keep; message.parts().len()];
            edits[changed] = Edit::Redeclare { content_type: "application/x-changed".into() };
            let Ok(edited) = message.rewrite(&edits) else { panic!("{name}: part {changed}") };
            let written = edited.serialize(Form::MmsPdu).unwrap();
            let shorter = written.len().min(bytes.len());
            let head = written.iter().zip(&bytes).take_while(|(a, b)| a == b).count();
            let tail = written.iter().rev().zip(bytes.iter().rev()).take_while(|(a, b)| a == b);
            let untouched = (head + tail.count()).min(shorter);
            // Lengths and the Content-Type of one entry, with its parameters.
            let is_root = message.presentation().is_some_and(|id| id.index() == changed);
            assert!(
                untouched + 200 > shorter || is_root || states_size,
                "{name}: part {changed}: {} bytes changed",
                shorter - untouched
            );
            let again = Message::parse_pdu(written, &ParseLimits::default()).unwrap();
            for (at, (before, after)) in message.parts().iter().zip(again.parts()).enumerate() {
                assert_eq!(before.data, after.data, "{name}: part {at}");
                if at != changed {
                    assert_eq!(before, after, "{name}: part {at}");
                }
            }
            parts += 1;
        }
    }
    println!("{adaptable} messages, {parts} parts");
}

#[test]
fn other_pdus_pass_untouched() {
    let service = service();
    let mut own = vec![
        ("own-acknowledge".to_owned(), Buffer::from_static(b"\x8c\x85\x98t1\0\x8d\x92\x91\x80")),
        ("own-notify-resp".to_owned(), Buffer::from_static(b"\x8c\x83\x98t1\0\x8d\x92\x95\x81")),
    ];
    own.extend(
        pdus().into_iter().filter(|(.., m)| !is_adaptable(m)).map(|(name, bytes, _)| (name, bytes)),
    );
    for (name, bytes) in &own {
        let content = Content::MmsPdu(bytes.clone());
        let request = AdaptRequest { device: handset(0).1, ..AdaptRequest::new(content) };
        let answer = service.adapt(request, &Stop::never());
        let answer = answer.unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(support::bytes_of(&answer.content), *bytes, "{name}");
    }
    println!("{} pass", own.len());
}

/// Adapts `content` for a handset over an interface.
fn adapt(
    service: &Service,
    content: &Content,
    handset_at: usize,
    interface: Interface,
) -> Result<AdaptResponse, ServiceError> {
    let form = if interface == Interface::Mm1 { Form::MmsPdu } else { Form::Mime };
    let request = AdaptRequest {
        device: handset(handset_at).1,
        interface: Some(interface),
        output_form: Some(form),
        ..AdaptRequest::new(content.clone())
    };
    service.adapt(request, &Stop::never())
}

fn parsed(content: &Content) -> Result<Message, String> {
    let limits = ParseLimits::default();
    match content {
        Content::MmsPdu(bytes) => Message::parse_pdu(bytes.clone(), &limits),
        Content::Mime(bytes) => Message::parse_mime(bytes.clone(), &limits),
        _ => return Err("neither PDU nor MIME".into()),
    }
    .map_err(|error| error.to_string())
}

/// What is wrong with an answer.
fn faults(
    before: &Message,
    answer: &AdaptResponse,
    limit: u64,
    interface: Interface,
) -> Vec<String> {
    let mut faults = Vec::new();
    let bytes = support::bytes_of(&answer.content);
    if bytes.len() as u64 > limit {
        faults.push(format!("{} bytes over {interface}", bytes.len()));
    }
    if answer.report.wire_bytes_after.get() > limit {
        faults.push(format!("reported {}", answer.report.wire_bytes_after.get()));
    }
    if before.parts().is_empty() {
        if answer.content != Content::MmsPdu(before.serialize(Form::MmsPdu).unwrap()) {
            faults.push("nothing in it to adapt, yet it changed".into());
        }
        return faults;
    }
    let after = match parsed(&answer.content) {
        Ok(after) => after,
        Err(error) => {
            faults.push(format!("not read again: {error}"));
            return faults;
        }
    };
    let wire = after.serialize_for(Counting::Interface, interface).unwrap();
    if wire.len() as u64 > limit {
        faults.push(format!("{} bytes once serialized for {interface}", wire.len()));
    }
    let dangling = judge::dangling(&after);
    if dangling.len() > judge::dangling(before).len() {
        faults.push(format!("SMIL refers to nothing: {dangling:?}"));
    }
    // The same words, in whatever charset.
    // The SOAP envelope of MM7 is no text for people, and does not go over MM1.
    let text = |p: &Part| p.declared.kind() == MediaKind::Text && p.declared.as_str() != "text/xml";
    if judge::texts(before, text) != judge::texts(&after, text) {
        faults.push("texts changed".into());
    }
    faults
}

/// A message, a handset and an interface.
struct Case {
    name: String,
    content: Content,
    handset: usize,
    interface: Interface,
}

/// What came of cases: faults, and the PDUs that came out changed.
fn try_all(cases: &[Case], may_refuse: bool) -> (Vec<String>, Vec<(String, Buffer)>) {
    let service = service();
    let tried = support::parallel(cases, |case| {
        let limit = DEVICES[case.handset].0;
        let place = format!("{} for {limit} over {}", case.name, case.interface);
        let before = parsed(&case.content).unwrap();
        match adapt(&service, &case.content, case.handset, case.interface) {
            Ok(answer) => {
                let faults = faults(&before, &answer, limit, case.interface);
                let faults = faults.into_iter().map(|f| format!("{place}: {f}")).collect();
                let changed = answer.content != case.content;
                let pdu = match &answer.content {
                    Content::MmsPdu(bytes) if changed => Some((place, bytes.clone())),
                    _ => None,
                };
                (faults, pdu, false)
            }
            Err(error) => {
                let typed = matches!(error.category, Category::CannotFit | Category::NotAllowed);
                let fault = format!("{place}: {:?} {error}", error.category);
                if may_refuse && typed {
                    println!("{fault}");
                    (Vec::new(), None, true)
                } else {
                    (vec![fault], None, true)
                }
            }
        }
    });
    println!(
        "{} answers, {} of them changed PDUs, {} refusals",
        tried.len(),
        tried.iter().filter(|t| t.1.is_some()).count(),
        tried.iter().filter(|t| t.2).count()
    );
    let mut found = (Vec::new(), Vec::new());
    for (faults, pdu, _) in tried {
        found.0.extend(faults);
        found.1.extend(pdu);
    }
    found
}

/// Wireshark's opinion on at most this many of them; skipped where it is missing.
fn assert_valid_to_wireshark(pdus: &[(String, Buffer)], at_most: usize) {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/tools/tshark-check.sh");
    let dir = tempfile::tempdir().unwrap();
    let sample: Vec<_> =
        pdus.iter().step_by(pdus.len().div_ceil(at_most).max(1)).enumerate().collect();
    let judged = support::parallel(&sample, |(at, (name, bytes))| {
        let path = dir.path().join(format!("{at}.mms"));
        std::fs::write(&path, bytes).unwrap();
        let output = Command::new("sh").arg(script).arg(&path).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        (output.status.code(), format!("{name}: {said}"))
    });
    if let Some((_, said)) = judged.iter().find(|(code, _)| *code == Some(2)) {
        return support::need::missing("tshark", said);
    }
    let bad: Vec<&str> =
        judged.iter().filter(|(code, _)| *code != Some(0)).map(|(_, s)| s.as_str()).collect();
    println!("{} PDUs dissected", judged.len());
    assert!(bad.is_empty(), "{}", bad.join("\n"));
}

fn assert_none(faults: &[String]) {
    assert!(faults.is_empty(), "{} at fault\n{}", faults.len(), faults.join("\n"));
}

#[test]
fn real_messages_fit_three_handsets_over_three_interfaces() {
    let mut cases = Vec::new();
    for (name, bytes, message) in pdus() {
        if !is_adaptable(&message) {
            continue;
        }
        for handset in 0..DEVICES.len() {
            for interface in INTERFACES {
                let content = Content::MmsPdu(bytes.clone());
                cases.push(Case { name: name.clone(), content, handset, interface });
            }
        }
    }
    for (name, bytes) in support::corpus("pdu") {
        if name.ends_with(".eml") || name.starts_with("own_mm7_submit") {
            for interface in INTERFACES {
                let content = Content::Mime(bytes.clone());
                cases.push(Case { name: name.clone(), content, handset: 0, interface });
            }
        }
    }
    let (faults, pdus) = try_all(&cases, true);
    assert_none(&faults);
    assert_valid_to_wireshark(&pdus, 16);
}

#[test]
fn messages_composed_at_random_fit() {
    let images = compose::images();
    let mut dice = support::Dice(2026);
    let cases: Vec<Case> = (0..40)
        .map(|n| {
            let parts = compose::message(&mut dice, &images);
            let names: Vec<&str> = parts.iter().map(|part| part.name.as_str()).collect();
            let name = format!("message {n} [{}]", names.join(", "));
            let form = [Form::MmsPdu, Form::Mime][dice.below(2)];
            let bytes = samples::message(parts, form).unwrap();
            let content = match form {
                Form::Mime => Content::Mime(bytes),
                _ => Content::MmsPdu(bytes),
            };
            let interface = INTERFACES[dice.below(3)];
            Case { name, content, handset: dice.below(3), interface }
        })
        .collect();
    let (faults, pdus) = try_all(&cases, false);
    assert_none(&faults);
    assert_valid_to_wireshark(&pdus, 12);
}
