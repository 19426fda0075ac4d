//! Messages of everything there is, composed at random, for twelve devices over three interfaces:
//! never over a limit, never a reference to nothing, no text lost, protected bytes untouched.
//! `MMSFIT_ALL=1`: two hundred messages for every device over every interface.

use bytes::Bytes as Buffer;
use mmsfit::{
    config::Config,
    message::{Form, Message, ParseLimits, PartData},
    model::{Category, Counting, Interface, MediaKind, Stop},
    policy::Notice,
    profile::DeviceDescription,
    samples::{self, photo},
    service::{
        Service,
        request::{AdaptRequest, Content},
    },
};

use crate::support;
use crate::support::Dice;
use crate::support::compose;
use crate::support::judge;

const DEVICES: [&str; 12] = [
    "class-text",
    "class-image-basic",
    "class-image-rich",
    "class-video-basic",
    "class-megapixel",
    "nokia-7650",
    "nokia-6600",
    "sony-ericsson-k750i",
    "motorola-razr-v3",
    "generic-feature-phone",
    "samsung-galaxy-s5",
    "apple-iphone-15",
];
const CARRIERS: [Option<&str>; 4] = [None, Some("de-telekom"), Some("us-att"), Some("ma-inwi")];
const INTERFACES: [Interface; 3] = [Interface::Mm1, Interface::Mm4, Interface::Mm7];

/// Audio and video short enough to be tried often.
fn moving() -> Vec<(String, Buffer)> {
    let mut all: Vec<_> =
        support::corpus("audio").into_iter().chain(support::corpus("video")).collect();
    all.retain(|(_, data)| data.len() < 150_000);
    all
}

fn part(name: &str, content_type: &str, data: impl Into<Buffer>) -> PartData {
    PartData {
        content_type: content_type.into(),
        content_id: name.replace('.', "-"),
        content_location: name.into(),
        name: name.into(),
        data: data.into(),
    }
}

/// A vCard whose photo may be the largest thing in the message.
fn card(side: u16) -> PartData {
    use base64::Engine as _;
    let photo = samples::jpeg(&photo::photo(side, side, 3), None).unwrap();
    let base64 = base64::engine::general_purpose::STANDARD.encode(photo);
    let text = format!(
        "BEGIN:VCARD\r\nVERSION:3.0\r\nFN:Ann\r\nPHOTO;ENCODING=b;TYPE=JPEG:{base64}\r\nEND:VCARD\r\n"
    );
    part("ann.vcf", "text/x-vcard", text)
}

fn extras(dice: &mut Dice, moving: &[(String, Buffer)]) -> Vec<PartData> {
    let mut extras = Vec::new();
    if !moving.is_empty() && dice.below(3) == 0 {
        let (name, data) = &moving[dice.below(moving.len())];
        extras.push(part(name, "application/octet-stream", data.clone()));
    }
    if dice.below(4) == 0 {
        let bytes: Vec<u8> = (0..2_000 + dice.below(9_000)).map(|n| (n * 7) as u8).collect();
        extras.push(part("locked.dm", "application/vnd.oma.drm.message", bytes));
    }
    if dice.below(4) == 0 {
        extras.push(card(64 + dice.below(300) as u16));
    }
    if dice.below(4) == 0 {
        let labels = ["koi8-r", "shift_jis", "gb18030", "utf-16le", "windows-1252"];
        let words = ["Привет", "明日また", "明天见", "Grüße", "naïve"];
        let at = dice.below(labels.len());
        let encoding = encoding_rs::Encoding::for_label(labels[at].as_bytes()).unwrap();
        let data = match labels[at] {
            "utf-16le" => words[at].encode_utf16().flat_map(u16::to_le_bytes).collect(),
            _ => encoding.encode(words[at]).0.into_owned(),
        };
        extras.push(part("other.txt", &format!("text/plain; charset={}", labels[at]), data));
    }
    extras
}

fn messages(count: usize) -> Vec<Vec<PartData>> {
    let (images, moving) = (compose::images(), moving());
    let mut dice = Dice(20_261_126);
    (0..count)
        .map(|_| {
            let mut parts = compose::message(&mut dice, &images);
            for extra in extras(&mut dice, &moving) {
                let slide = format!("<par dur=\"9s\"><ref src=\"{}\"/></par></body>", extra.name);
                if let Some(smil) = parts.iter_mut().find(|p| p.content_type.ends_with("smil")) {
                    let text = String::from_utf8(smil.data.to_vec()).unwrap();
                    smil.data = text.replace("</body>", &slide).into();
                }
                parts.push(extra);
            }
            parts
        })
        .collect()
}

struct Case {
    message: usize,
    device: usize,
    interface: Interface,
}

/// What is wrong with the answer; `None` for a typed refusal.
fn judged(service: &Service, content: &Content, before: &Message, case: &Case) -> Option<String> {
    let form = if case.interface == Interface::Mm1 { Form::MmsPdu } else { Form::Mime };
    let carrier = CARRIERS[(case.message + case.device) % CARRIERS.len()];
    let request = AdaptRequest {
        device: DeviceDescription {
            device_id: Some(DEVICES[case.device].to_owned()),
            ..DeviceDescription::default()
        },
        carrier: carrier.map(str::to_owned),
        interface: Some(case.interface),
        output_form: Some(form),
        ..AdaptRequest::new(content.clone())
    };
    let answer = match service.adapt(request, &Stop::never()) {
        Ok(answer) => answer,
        Err(error) if error.category == Category::CannotFit => return None,
        Err(error) => return Some(format!("{error:?}")),
    };
    let bytes = support::bytes_of(&answer.content);
    let limits = ParseLimits::default();
    let after = match form {
        Form::MmsPdu => Message::parse_pdu(bytes, &limits),
        _ => Message::parse_mime(bytes, &limits),
    };
    let after = match after {
        Ok(after) => after,
        Err(error) => return Some(format!("not read again: {error}")),
    };
    Some(faults(before, &after, &answer.limits.wire, case.interface).join(", "))
}

fn faults(
    before: &Message,
    after: &Message,
    limits: &[mmsfit::model::WireLimit],
    interface: Interface,
) -> Vec<String> {
    let mut faults = Vec::new();
    for limit in limits {
        let size = after.serialize_for(limit.counting, interface).unwrap().len() as u64;
        if size > limit.bytes.get() {
            faults.push(format!("{size} > {} by {:?}", limit.bytes.get(), limit.counting));
        }
    }
    let natural = after.serialize_for(Counting::Interface, interface).unwrap();
    assert!(!natural.is_empty());
    let dangling = judge::dangling(after);
    if !dangling.is_empty() {
        faults.push(format!("SMIL refers to nothing: {dangling:?}"));
    }
    if plain(after).len() < plain(before).len() {
        faults.push("texts are gone".into());
    }
    for words in plain(before) {
        if !plain(after).contains(&words) && !transliterated(after) {
            faults.push(format!("lost: {words:.40}"));
        }
    }
    let locked = |message: &Message| -> Vec<Buffer> {
        let parts = message.parts().iter().filter(|p| p.declared.kind() == MediaKind::Drm);
        parts.map(|p| p.data.clone()).collect()
    };
    let (was, is) = (locked(before), locked(after));
    if !is.iter().all(|data| was.contains(data)) {
        faults.push("protected bytes changed".into());
    }
    faults
}

/// The texts that people wrote; vCards apart, which may lose their photos.
fn plain(message: &Message) -> Vec<String> {
    judge::texts(message, |part| part.declared.as_str() == "text/plain")
}

/// A device that reads ASCII alone gets other letters; that is tested elsewhere.
fn transliterated(message: &Message) -> bool {
    let ascii = |part: &mmsfit::message::Part| part.data.is_ascii();
    let parts = message.parts().iter();
    let mut texts = parts.filter(|p| p.declared.as_str() == "text/plain").peekable();
    texts.peek().is_some() && texts.all(ascii)
}

#[test]
fn any_message_for_any_device_over_any_interface() {
    let all = support::everything();
    let mut config = Config { threads: 1, ..Config::default() };
    config.policy.notice = Some(Notice::Text);
    let with_workers = support::with_workers(config.clone());
    let worker = with_workers.is_some();
    let service = with_workers.unwrap_or_else(|| Service::new(config));
    let messages = messages(if all { 200 } else { 36 });
    let contents: Vec<(Content, Message)> = messages
        .into_iter()
        .map(|parts| {
            let bytes = samples::message(parts, Form::MmsPdu).unwrap();
            let message = Message::parse_pdu(bytes.clone(), &ParseLimits::default()).unwrap();
            (Content::MmsPdu(bytes), message)
        })
        .collect();
    let mut cases = Vec::new();
    for message in 0..contents.len() {
        for device in 0..DEVICES.len() {
            for (at, interface) in INTERFACES.into_iter().enumerate() {
                // Else two devices for each message, each over one interface, in turn.
                if all || (device % 6 == message % 6 && at == (message + device) % 3) {
                    cases.push(Case { message, device, interface });
                }
            }
        }
    }
    let tried = support::parallel(&cases, |case| {
        let (content, before) = &contents[case.message];
        judged(&service, content, before, case)
    });
    let refused = tried.iter().filter(|fault| fault.is_none()).count();
    println!("{} tried, {refused} refused, with worker: {worker}", tried.len());
    let faults: Vec<String> = cases
        .iter()
        .zip(tried)
        .filter_map(|(case, fault)| {
            let fault = fault.filter(|fault| !fault.is_empty())?;
            let device = DEVICES[case.device];
            Some(format!("message {} for {device} over {}: {fault}", case.message, case.interface))
        })
        .collect();
    assert!(faults.is_empty(), "{} at fault\n{}", faults.len(), faults.join("\n"));
    assert!(refused * 4 < cases.len(), "{refused} of {} refused", cases.len());
}
