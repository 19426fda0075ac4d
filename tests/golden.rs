//! Golden messages, made here: each with its device and carrier, what the report must say of it
//! and what its presentation must refer to. `MMSFIT_BLESS=1` writes the expectations anew.

#[path = "support/old_phone.rs"]
mod old_phone;
mod support;

use std::{fs, path::PathBuf, process::Command};

use bytes::Bytes as Buffer;
use mmsfit::{
    capacity::{clip, photo, samples},
    codec::text,
    config::Config,
    message::{Form, Message, ParseLimits, PartData, Rule},
    model::{Interface, MediaInfo, MediaKind, Notice, Reason, ReasonCode, Stop},
    profile::DeviceDescription,
    service::{
        Service,
        request::{AdaptRequest, AdaptResponse, Content},
    },
};
use serde_json::{Value, json};

/// One message on its way.
struct Golden {
    name: &'static str,
    content: Content,
    device: &'static str,
    carrier: &'static str,
}

fn golden(
    name: &'static str,
    content: impl Into<Sent>,
    device: &'static str,
    carrier: &'static str,
) -> Golden {
    Golden { name, content: content.into().0, device, carrier }
}

struct Sent(Content);

impl From<Vec<u8>> for Sent {
    fn from(pdu: Vec<u8>) -> Self {
        Self(Content::MmsPdu(pdu.into()))
    }
}

/// Parts travel as a PDU: what comes out is read by others too.
impl From<Vec<PartData>> for Sent {
    fn from(parts: Vec<PartData>) -> Self {
        Self(Content::MmsPdu(samples::message(parts, Form::MmsPdu).unwrap()))
    }
}

fn part(id: &str, name: &str, content_type: &str, data: impl Into<Buffer>) -> PartData {
    PartData {
        content_type: content_type.into(),
        content_id: id.into(),
        content_location: name.into(),
        name: name.into(),
        data: data.into(),
    }
}

fn smil(head: &str, slides: &str) -> PartData {
    let text = format!("<smil><head>{head}</head><body>{slides}</body></smil>");
    part("smil", "smil.smil", "application/smil", text)
}

fn words(name: &str, text: &str) -> PartData {
    part(name, name, "text/plain; charset=utf-8", text.to_owned())
}

fn jpeg(width: u16, height: u16, seed: u64) -> Buffer {
    samples::jpeg(&photo::photo(width, height, seed), None).unwrap()
}

fn encoded(label: &str, text: &str) -> Vec<u8> {
    let encoding = encoding_rs::Encoding::for_label(label.as_bytes()).unwrap();
    let (data, _, lost) = encoding.encode(text);
    assert!(!lost, "{label} holds {text}");
    data.into_owned()
}

/// A card as phones write it: base64 folded at 76.
fn card(photo: &[u8]) -> String {
    use base64::Engine as _;
    let base64 = base64::engine::general_purpose::STANDARD.encode(photo);
    let lines: Vec<&str> =
        base64.as_bytes().chunks(74).map(|line| std::str::from_utf8(line).unwrap()).collect();
    format!(
        "BEGIN:VCARD\r\nVERSION:3.0\r\nN:Muster;Änne\r\nPHOTO;ENCODING=b;TYPE=JPEG:{}\r\n\
         TEL;CELL:+491700000000\r\nEND:VCARD\r\n",
        lines.join("\r\n ")
    )
}

fn protected(media: &[u8]) -> Vec<u8> {
    let head = b"--b0\r\nContent-Type: image/jpeg\r\nContent-Transfer-Encoding: binary\r\n\r\n";
    [&head[..], media, b"\r\n--b0--"].concat()
}

const LAYOUT: &str = "<layout><root-layout width=\"352\" height=\"416\"/><region id=\"Image\" \
    left=\"0\" top=\"0\" width=\"352\" height=\"300\" fit=\"meet\"/><region id=\"Text\" left=\"0\" \
    top=\"300\" width=\"352\" height=\"116\"/></layout>";

fn stills() -> Vec<Golden> {
    let percent = "<layout><root-layout/><region id=\"Image\" top=\"0%\" height=\"80%\" \
        width=\"100%\"/><region id=\"Text\" top=\"80%\" height=\"20%\" width=\"100%\"/></layout>";
    let wide = |text: &str| text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>();
    let letter = |label: &str, said: &str, text: &str| {
        part("t", "t.txt", &format!("text/plain; charset={said}"), encoded(label, text))
    };
    let twenty: Vec<PartData> = (0..20u16)
        .map(|n| {
            let name = format!("p{n}.jpg");
            part(&name, &name, "image/jpeg", jpeg(320 + n * 8, 240, u64::from(n)))
        })
        .collect();
    let slides: String =
        (0..20).map(|n| format!("<par dur=\"4s\"><img src=\"p{n}.jpg\"/></par>")).collect();
    let nameless = PartData {
        content_type: "image/jpeg".into(),
        data: jpeg(1280, 960, 3),
        ..PartData::default()
    };
    vec![
        golden(
            "percent-layout",
            vec![
                smil(
                    percent,
                    "<par dur=\"5s\"><img src=\"a&amp;b.png\" region=\"Image\"/><text \
                    src=\"t.txt\" region=\"Text\"/></par>",
                ),
                part(
                    "a",
                    "a&b.png",
                    "image/png",
                    samples::png(&photo::photo(700, 500, 1)).unwrap(),
                ),
                words("t.txt", "Am See, 20 °C"),
            ],
            "class-image-rich",
            "de-telekom",
        ),
        golden(
            "broken-markup",
            vec![
                part(
                    "smil",
                    "s.smil",
                    "application/smil",
                    "\u{feff}<SMIL><BODY><par dur=5s>\
                    <IMG SRC=cid:a region=Image><text src='t.txt' /></PAR><par><img src=\"b.jpg\">",
                ),
                part("a", "a.jpg", "image/jpeg", jpeg(1600, 1200, 1)),
                part("b", "b.jpg", "image/jpeg", jpeg(160, 120, 2)),
                words("t.txt", "Hallo & tschüß"),
            ],
            "nokia-6230",
            "de-vodafone",
        ),
        golden(
            "no-presentation",
            vec![part("a", "a.jpg", "image/jpeg", jpeg(1600, 1200, 1)), words("t.txt", "Hi")],
            "nokia-7650",
            "us-att",
        ),
        golden(
            "old-phone",
            old_phone::message(&[
                old_phone::smil(
                    b"<smil><body><par dur='8s'><img src='b.jpg'/><text src='t.txt'/>\
                    </par></body></smil>",
                ),
                old_phone::picture(0x9e, "b.jpg", &jpeg(1024, 768, 4)),
                old_phone::text(0x84, "t.txt", b"Gr\xfc\xdfe"),
            ]),
            "class-image-basic",
            "fr-orange",
        ),
        golden(
            "utf16-called-utf8",
            vec![part("t", "t.txt", "text/plain; charset=utf-8", wide("Привет, мир"))],
            "class-image-rich",
            "pl-play",
        ),
        golden(
            "gb18030",
            vec![letter("gb18030", "gb18030", "明天晚上在老桥那里见面。")],
            "samsung-galaxy-s5",
            "us-verizon",
        ),
        golden(
            "shift-jis-unlabelled",
            vec![part(
                "t",
                "t.txt",
                "text/plain",
                encoded("shift_jis", "明日、古い橋で会いましょう。"),
            )],
            "apple-iphone-15",
            "jp-docomo",
        ),
        golden(
            "koi8-r",
            vec![letter("koi8-r", "koi8-r", "До встречи завтра.\r\nПока")],
            "nokia-e5",
            "us-tmobile",
        ),
        golden(
            "card-with-photo",
            vec![
                part("c", "aenne.vcf", "text/x-vCard", card(&jpeg(1200, 900, 5))),
                words("t.txt", "Meine Karte"),
            ],
            "class-image-rich",
            "de-o2",
        ),
        golden(
            "forward-locked",
            vec![
                smil(
                    "",
                    "<par dur=\"5s\"><img src=\"cid:locked\"/></par>\
                    <par dur=\"5s\"><img src=\"a.jpg\"/></par>",
                ),
                part(
                    "locked",
                    "l.dm",
                    "application/vnd.oma.drm.message",
                    protected(&jpeg(200, 150, 6)),
                ),
                part("a", "a.jpg", "image/jpeg", jpeg(1600, 1200, 7)),
            ],
            "sony-ericsson-k750i",
            "it-tim",
        ),
        golden(
            "forward-locked-not-taken",
            vec![
                part(
                    "locked",
                    "l.dcf",
                    "application/vnd.oma.drm.content",
                    protected(&jpeg(200, 150, 6)),
                ),
                words("t.txt", "Siehst du es?"),
            ],
            "class-image-basic",
            "it-tim",
        ),
        golden(
            "twenty-pictures",
            [vec![smil("", &slides)], twenty].concat(),
            "class-image-rich",
            "es-movistar",
        ),
        golden("no-name", vec![nameless, words("t.txt", "?")], "motorola-razr-v3", "us-att"),
        golden(
            "duplicate-ids",
            vec![
                smil(
                    "",
                    "<par dur=\"5s\"><img src=\"cid:same\"/></par><par dur=\"5s\"><img \
                    src=\"two.png\"/></par>",
                ),
                part(
                    "same",
                    "one.png",
                    "image/png",
                    samples::png(&photo::photo(900, 600, 8)).unwrap(),
                ),
                part(
                    "same",
                    "two.png",
                    "image/png",
                    samples::png(&photo::photo(600, 900, 9)).unwrap(),
                ),
            ],
            "nokia-6600",
            "gb-ee",
        ),
    ]
}

/// Those that need the worker.
fn moving() -> Vec<Golden> {
    let film = clip::avi(320, 240, 5).unwrap();
    let voice = clip::wav(6);
    vec![
        golden(
            "four-slides",
            vec![
                smil(
                    LAYOUT,
                    "<par dur=\"5s\"><img src=\"a.jpg\" region=\"Image\"/><text \
                    src=\"t.txt\" region=\"Text\"/></par><par dur=\"5s\"><video src=\"v.avi\" \
                    region=\"Image\"/></par><par dur=\"6s\"><img src=\"g.gif\" region=\"Image\"/>\
                    <audio src=\"v.wav\"/></par><par dur=\"3s\"><ref src=\"plan.pdf\"/></par>",
                ),
                part("a", "a.jpg", "image/jpeg", jpeg(1600, 1200, 1)),
                words("t.txt", "Vier Folien"),
                part("v", "v.avi", "video/x-msvideo", film.clone()),
                part("g", "g.gif", "image/gif", samples::gif(120, 90, 6).unwrap()),
                part("w", "v.wav", "audio/x-wav", voice.clone()),
                part("p", "plan.pdf", "application/pdf", "%PDF-1.4 nothing"),
            ],
            "nokia-6600",
            "de-telekom",
        ),
        golden(
            "video-pictures-voice",
            vec![
                part("v", "v.avi", "video/x-msvideo", film),
                part("a", "a.jpg", "image/jpeg", jpeg(1600, 1200, 1)),
                part("b", "b.jpg", "image/jpeg", jpeg(1200, 1600, 2)),
                part(
                    "c",
                    "c.png",
                    "image/png",
                    samples::png(&photo::screenshot(480, 800, 3)).unwrap(),
                ),
                part("w", "w.wav", "audio/x-wav", voice),
                words("t.txt", "Alles auf einmal"),
            ],
            "nokia-n95",
            "de-telekom",
        ),
    ]
}

fn service() -> Service {
    let mut config = Config::default();
    config.policy.notice = Some(Notice::Text);
    Service::new(config)
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
        ..AdaptRequest::new(golden.content.clone())
    };
    let response = service.adapt(request, &Stop::never());
    response.unwrap_or_else(|error| panic!("{}: {error:?}", golden.name))
}

/// What can be told of a medium ahead. Beside sound and film, sizes are what the version of an
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
    let sized = [R::Rung, R::FrameRateReduced, R::ScaledForBudget, R::ColorsReduced];
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
    let Content::MmsPdu(before) = &golden.content else { panic!("{name} is a PDU") };
    let before = Message::parse_pdu(before.clone(), &ParseLimits::default()).unwrap();
    for part in before.parts().iter().filter(|part| part.declared.kind() == MediaKind::Drm) {
        let same = out.parts().iter().filter(|other| other.declared == part.declared);
        assert!(same.clone().all(|other| other.data == part.data), "{name}: DRM altered");
    }
}

fn expected(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("tests/golden/{name}.json"))
}

fn check(service: &Service, messages: &[Golden]) {
    let dir = tempfile::tempdir().unwrap();
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
        fs::write(dir.path().join(format!("{}.mms", golden.name)), bytes).unwrap();
    }
    dissected(dir.path());
}

/// Wireshark reads what comes out.
fn dissected(dir: &std::path::Path) {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/tools/tshark-check.sh");
    for file in fs::read_dir(dir).unwrap() {
        let path = file.unwrap().path();
        let output = Command::new("sh").arg(script).arg(&path).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        if output.status.code() == Some(2) {
            return println!("skipped: {said}");
        }
        assert!(output.status.success(), "{}: {said}", path.display());
    }
}

#[test]
fn messages_of_texts_and_pictures() {
    check(&service(), &stills());
}

#[test]
fn messages_with_sound_and_film() {
    let service = service();
    if service.start_workers().unwrap().is_none() {
        return println!("skipped: no mmsfit-worker beside the tests");
    }
    check(&service, &moving());
}

/// Every expectation belongs to a message that is sent.
#[test]
fn nothing_is_expected_of_nobody() {
    let messages: Vec<Golden> = stills().into_iter().chain(moving()).collect();
    for file in fs::read_dir(expected("x").parent().unwrap()).unwrap() {
        let name = file.unwrap().file_name().to_string_lossy().into_owned();
        let known = |golden: &Golden| name == format!("{}.json", golden.name);
        assert!(messages.iter().any(known), "{name}");
    }
}
