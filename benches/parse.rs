//! What messages and profiles cost to read and write: `cargo bench --bench parse`.

#![allow(missing_docs, reason = "a bench")]

mod support;

use bytes::Bytes as Buffer;
use mmsfit::{
    config::Store,
    message::{Edit, Form, Message, ParseLimits},
    model::{Counting, Interface},
    profile::{self, DeviceDescription, ProfileStore as _},
};
use support::{
    Case,
    message::{jpeg, message},
    run,
};

/// Times that each case is done at once.
const REPEATS: u32 = 200;
const DEVICE: &str = "class-image-rich";

fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}

fn resolve(store: &Store, device: &DeviceDescription) -> Result<u64, String> {
    let resolved = profile::resolve(device, None, store).map_err(text)?;
    Ok(resolved.capabilities.max_message_bytes.value.get())
}

fn main() {
    let limits = ParseLimits::default();
    let image = jpeg(640, 480, 90);
    let pdu = message(image.clone(), Form::MmsPdu);
    let mime = message(image.clone(), Form::Mime);
    println!("image {}, PDU {}, MIME base64 {} bytes", image.len(), pdu.len(), mime.len());

    let parsed = Message::parse_pdu(pdu.clone(), &limits).expect("ours");
    let parsed_mime = Message::parse_mime(mime.clone(), &limits).expect("ours");
    let smaller: Buffer = image.slice(..image.len() / 2);
    let edits: Vec<Edit> = parsed
        .parts()
        .iter()
        .map(|part| match part.declared.as_str() {
            "image/jpeg" => {
                Edit::Replace { content_type: "image/png".into(), data: smaller.clone() }
            }
            _ => Edit::Keep,
        })
        .collect();
    let rewritten = |message: &Message, form| -> Result<u64, String> {
        let written = message.rewrite(&edits).and_then(|m| m.serialize(form));
        written.map(|bytes| bytes.len() as u64).map_err(text)
    };

    let store = Store::embedded();
    let device = store.devices().find(|d| d.id == DEVICE).or_else(|| store.devices().next());
    let device = device.expect("devices are built in").id.clone();
    let xml = store.by_id(&device).expect("listed").xml;
    let by_id = DeviceDescription { device_id: Some(device), ..DeviceDescription::default() };
    let by_document =
        DeviceDescription { uaprof_xml: Some(xml.clone()), ..DeviceDescription::default() };
    let agent = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) AppleWebKit/605.1.15";
    let by_agent =
        DeviceDescription { user_agent: Some(agent.into()), ..DeviceDescription::default() };

    let cases = vec![
        Case::new("PDU: parse", || {
            let parsed = Message::parse_pdu(pdu.clone(), &limits).map_err(text)?;
            Ok(parsed.parts().len() as u64)
        }),
        Case::new("PDU: serialize, unchanged", || {
            parsed.serialize(Form::MmsPdu).map(|bytes| bytes.len() as u64).map_err(text)
        }),
        Case::new("PDU: image replaced and serialized", || rewritten(&parsed, Form::MmsPdu)),
        Case::new("PDU: wire size as MM4", || {
            Ok(parsed.wire_size(Counting::Interface, Interface::Mm4).get())
        }),
        Case::new("PDU: as MIME base64", || {
            parsed.serialize(Form::Mime).map(|bytes| bytes.len() as u64).map_err(text)
        }),
        Case::new("MIME base64: parse", || {
            let parsed = Message::parse_mime(mime.clone(), &limits).map_err(text)?;
            Ok(parsed.parts().len() as u64)
        }),
        Case::new("MIME: image replaced and serialized", || rewritten(&parsed_mime, Form::Mime)),
        Case::new("UAProf: parse", || {
            profile::parse(&xml).map(|p| u64::from(p.is_usable())).map_err(text)
        }),
        Case::new("resolve by document", || resolve(&store, &by_document)),
        Case::new("resolve by device_id", || resolve(&store, &by_id)),
        Case::new("resolve by User-Agent", || resolve(&store, &by_agent)),
        Case::new("resolve nothing", || resolve(&store, &DeviceDescription::default())),
    ];
    let cases = cases.into_iter().map(|case| case.repeated(REPEATS)).collect();
    run("parse", "PDU: parse", 15, cases);
}
