//! The room's promises: nothing panics, nothing changes that need not, sizes are exact.
//! Long because every promise is checked with the same few helpers, on every form.

use proptest::{collection::vec, prelude::*};

use super::*;
use crate::{
    cost,
    model::{Bytes, Counting},
    need,
};

fn corpus(folder: &str) -> Vec<(String, Buffer)> {
    need::corpus(folder)
}

fn limits() -> ParseLimits {
    ParseLimits::default()
}

const COUNTINGS: [Counting; 5] = [
    Counting::Interface,
    Counting::MmsPdu,
    Counting::MimeBase64,
    Counting::MimeBinary,
    Counting::MediaOnly,
];
const INTERFACES: [Interface; 3] = [Interface::Mm1, Interface::Mm4, Interface::Mm7];

fn sizes_are_exact(message: &Message, what: &str) {
    for counting in COUNTINGS {
        for interface in INTERFACES {
            let bytes = message.serialize_for(counting, interface).unwrap();
            assert_eq!(
                message.wire_size(counting, interface),
                Bytes::of(&bytes),
                "{what} {counting:?} {interface}"
            );
        }
    }
}

/// Replaces the parts `which` with `sizes` bytes and checks that sizes add up as framing says.
fn sizes_add_up(message: &Message, which: &[bool], sizes: &[usize], what: &str) {
    let edits = |full: bool| -> Vec<Edit> {
        (0..message.parts().len())
            .map(|at| {
                let opaque = message.parts()[at].opaque;
                if !which[at % which.len()]
                    || opaque
                    || message.presentation() == Some(PartId(at as u32))
                {
                    return Edit::Keep;
                }
                let size = if full { sizes[at % sizes.len()] } else { 0 };
                let data: Vec<u8> =
                    (0..size).map(|i| (i as u8).wrapping_mul(37) ^ at as u8).collect();
                Edit::Replace { content_type: "image/jpeg".into(), data: data.into() }
            })
            .collect()
    };
    let empty = message.rewrite(&edits(false)).unwrap();
    let full = message.rewrite(&edits(true)).unwrap();
    sizes_are_exact(&full, what);
    for counting in COUNTINGS {
        for interface in INTERFACES {
            let mut want = empty.wire_size(counting, interface).get();
            for (at, edit) in edits(true).iter().enumerate() {
                if let Edit::Replace { data, .. } = edit {
                    let framing = message.framing(PartId(at as u32), counting, interface);
                    want += framing.wire(Bytes::of(data)).get() - framing.wire(Bytes::ZERO).get();
                }
            }
            let got = full.wire_size(counting, interface).get();
            assert_eq!(got, want, "{what} {counting:?} {interface} {sizes:?}");
        }
    }
}

fn parse_own(name: &str, bytes: Buffer) -> Option<Message> {
    let mime = name.ends_with(".eml") || name.ends_with(".http") || name.ends_with(".xml");
    if mime {
        Message::parse_mime(bytes, &limits()).ok()
    } else {
        Message::parse_pdu(bytes, &limits()).ok()
    }
}

fn describe(message: &Message) -> String {
    message
        .parts()
        .iter()
        .map(|part| {
            let name = part.name.as_deref().unwrap_or("-");
            format!("\n  {} {} {name}", part.declared, part.data.len())
        })
        .collect()
}

#[test]
fn real_messages_come_back_byte_for_byte() {
    for (name, bytes) in corpus("pdu") {
        let Some(message) = parse_own(&name, bytes.clone()) else { continue };
        let form = message.form();
        assert_eq!(message.serialize(form).unwrap(), bytes, "{name}");
        // The tree holds every byte, not only the input that is kept beside it.
        let mut bare = message.clone();
        bare.input = None;
        assert_eq!(bare.serialize(form).unwrap(), bytes, "{name}: tree{}", describe(&message));
        sizes_are_exact(&message, &name);
        let keep = vec![Edit::Keep; message.parts().len()];
        assert_eq!(message.rewrite(&keep).unwrap().serialize(form).unwrap(), bytes, "{name}");
    }
}

#[test]
fn real_messages_hold_what_they_should() {
    for (name, count, valid) in [
        ("gammu__HelloWorld.mms", 5, true),
        ("python-messaging__BTMMS.MMS", 4, true),
        ("python-messaging__NOWMMS.MMS", 5, true),
        ("python-messaging__TOMSLOT.MMS", 8, true),
        ("python-messaging__iPhone.mms", 2, true),
        ("python-messaging__SIMPLE.MMS", 1, false),
        ("python-messaging__SEC-SGHS300M.mms", 1, false),
        ("python-messaging__mms-data_m.mms", 9, true),
        ("python-messaging__images_are_cut_off_debug.mms", 2, true),
        ("python-messaging__27d0a048cd79555de05283a22372b0eb.mms", 3, true),
        ("mms-engine__Base64_m-retrieve.conf", 3, true),
        ("mms-engine__data_m-send_3.req", 3, true),
        ("nuntium__test_payloads_m-retrieve.conf_success", 0, false),
        ("own_multipart_related.eml", 4, true),
        ("own_mm7_submit_6.8.0.http", 5, true),
        ("mm7_sinch_submit_4.http", 3, true),
    ] {
        let files = corpus("pdu");
        let Some((_, bytes)) = files.iter().find(|(known, _)| known == name) else { continue };
        let message = parse_own(name, bytes.clone()).unwrap_or_else(|| panic!("{name} refused"));
        assert_eq!(message.parts().len(), count, "{name}{}", describe(&message));
        assert_eq!(message.presentation().is_some(), valid, "{name}{}", describe(&message));
        for part in message.parts() {
            let magic: &[u8] = match part.declared.as_str() {
                "image/jpeg" => b"\xff\xd8",
                "image/gif" => b"GIF8",
                "audio/amr" => b"#!AMR",
                _ => b"",
            };
            assert!(part.data.starts_with(magic), "{name} {part:?}");
        }
    }
}

#[test]
fn mm7_is_understood() {
    for (name, bytes) in corpus("pdu") {
        match name.as_str() {
            "own_mm7_submit_6.8.0.http" | "own_mm7_submit_5.3.0.http" => {
                let message = Message::parse_mime(bytes, &limits()).unwrap();
                assert_eq!(message.default_interface(), Interface::Mm7);
                assert!(!message.adaptation_forbidden());
                assert!(message.parts()[0].opaque);
                let mut edits = vec![Edit::Keep; 5];
                edits[0] = Edit::Drop;
                assert_eq!(
                    message.rewrite(&edits).unwrap_err(),
                    MessageError::Untouchable { part: PartId(0) }
                );
                edits[0] = Edit::Keep;
                edits[3] = Edit::Replace {
                    content_type: "image/png".into(),
                    data: Buffer::from_static(b"new"),
                };
                let out = message.rewrite(&edits).unwrap().serialize(Form::Mime).unwrap();
                let text = String::from_utf8_lossy(&out);
                let head = text.split("\r\n\r\n").next().unwrap();
                let stated: usize = head
                    .lines()
                    .find_map(|line| line.strip_prefix("Content-Length:"))
                    .unwrap()
                    .trim()
                    .parse()
                    .unwrap();
                assert_eq!(stated, out.len() - head.len() - 4);
                assert!(text.contains("Content-Type: image/png; name=p.png\r\n"), "{text}");
                assert!(text.contains("\r\n\r\nbmV3\r\n"));
                let again = Message::parse_mime(out, &limits()).unwrap();
                assert_eq!(&again.parts()[3].data[..], b"new");
                assert_eq!(again.parts()[1], message.parts()[1]);
            }
            "mm7_sinch_submit_4.http" => {
                let message = Message::parse_mime(bytes, &limits()).unwrap();
                assert!(message.adaptation_forbidden());
            }
            "mm7_sinch_submit_1.xml" | "mm7_sinch_deliveryreport_3.http" => {
                let message = Message::parse_mime(bytes.clone(), &limits()).unwrap();
                assert_eq!(message.serialize(Form::Mime).unwrap(), bytes, "{name}");
                let error = message.serialize(Form::MmsPdu).unwrap_err();
                assert_eq!(error, MessageError::BareSoap, "{name}");
            }
            _ => {}
        }
    }
}

#[test]
fn sizes_of_real_messages_add_up() {
    for (name, bytes) in corpus("pdu") {
        let Some(message) = parse_own(&name, bytes) else { continue };
        for sizes in [[1usize, 57], [127, 128], [16_383, 16_384]] {
            for which in [[true, true], [false, true], [true, false]] {
                sizes_add_up(&message, &which, &sizes, &name);
            }
        }
    }
}

#[test]
fn hostile_files_neither_panic_nor_hang() {
    for (name, bytes) in corpus("hostile").into_iter().chain(corpus("pdu")) {
        let wanted = ["pdu", "mime", "smil", "mms-engine", "__", "xml"];
        if !wanted.iter().any(|part| name.contains(part)) || bytes.len() > 4 << 20 {
            continue;
        }
        let ((), cost) = cost::of(|| {
            for lenient in [false, true] {
                let limits = ParseLimits { lenient, ..limits() };
                for parse in [Message::parse_pdu, Message::parse_mime] {
                    if let Ok(message) = parse(bytes.clone(), &limits) {
                        let drop = vec![Edit::Drop; message.parts().len()];
                        let _ = message.rewrite(&drop).map(|m| m.serialize(m.form()));
                    }
                }
                let data = PartData { data: bytes.clone(), ..PartData::default() };
                let smil = PartData { content_type: "application/smil".into(), ..data.clone() };
                let named = PartData { content_id: "a".into(), ..data };
                let message = Message::from_parts(Vec::new(), vec![smil, named], &limits).unwrap();
                let _ = message.rewrite(&[Edit::Keep, Edit::Drop]).unwrap();
            }
        });
        assert!(cost < 300.0, "{name}: {cost}");
    }
}

#[test]
fn hostile_pdus_are_refused_by_name() {
    for (name, reason) in [
        ("gen-pdu-part-count-max.mms", "MESSAGE_MALFORMED"),
        ("gen-pdu-data-length-max.mms", "MESSAGE_TRUNCATED"),
        ("gen-pdu-headers-length-past-end.mms", "MESSAGE_TRUNCATED"),
        ("gen-pdu-unending-uintvar.mms", "MESSAGE_MALFORMED"),
        ("gen-pdu-unterminated-text.mms", "MESSAGE_MALFORMED"),
        ("gen-pdu-value-length-31-max.mms", "MESSAGE_MALFORMED"),
        ("gen-pdu-nested-multipart-500.mms", "MESSAGE_NESTED_TOO_DEEP"),
        ("gen-pdu-200000-parts.mms", "MESSAGE_MALFORMED"),
        ("tr-pdu-60-gammu__HelloWorld.mms", "MESSAGE_TRUNCATED"),
    ] {
        let files = corpus("hostile");
        let Some((_, bytes)) = files.iter().find(|(known, _)| known == name) else { continue };
        use crate::model::Fault;
        let error = Message::parse_pdu(bytes.clone(), &limits()).expect_err(name);
        assert_eq!(error.reason(), reason, "{name}: {error}");
    }
    for (name, bytes) in corpus("hostile") {
        if name == "gen-mime-nested-300.eml" {
            let error = Message::parse_mime(bytes, &limits()).unwrap_err();
            assert_eq!(error, MessageError::NestedTooDeep { limit: 3 });
        }
    }
}

/// A message as callers build them: names that refer, text, media.
fn any_parts() -> impl Strategy<Value = (Vec<(String, String)>, Vec<PartData>)> {
    let types = prop::sample::select(vec![
        "image/jpeg",
        "image/png",
        "image/gif",
        "audio/amr",
        "video/3gpp",
        "text/plain; charset=utf-8",
        "application/octet-stream",
        "application/vnd.oma.drm.message",
    ]);
    let data = prop_oneof![
        vec(any::<u8>(), 0..300),
        "[ -~\r\n]{0,200}".prop_map(String::into_bytes),
        "(--[a-z=_]{1,9}\r\n){0,4}".prop_map(String::into_bytes),
    ];
    let name = "[a-zA-Z0-9äß _-]{1,12}";
    let part = (types, name, any::<bool>(), data);
    (vec(part, 1..6), ".{0,40}", any::<bool>()).prop_map(|(list, subject, smil)| {
        let mut parts = Vec::new();
        if smil {
            let refs: String =
                (0..list.len()).map(|at| format!("<par><ref src=\"cid:id{at}\"/></par>")).collect();
            parts.push(PartData {
                content_type: "application/smil".into(),
                content_id: "smil".into(),
                content_location: "s.smil".into(),
                name: String::new(),
                data: format!("<smil><body>{refs}</body></smil>").into(),
            });
        }
        for (at, (kind, name, named, data)) in list.into_iter().enumerate() {
            let name = format!("{}{at}.bin", name.trim());
            parts.push(PartData {
                content_type: kind.into(),
                content_id: format!("id{at}"),
                content_location: if named { name.clone() } else { String::new() },
                name,
                data: data.into(),
            });
        }
        let subject: String =
            subject.chars().map(|c| if c.is_control() { '.' } else { c }).collect();
        (vec![("Subject".into(), subject.trim().to_owned())], parts)
    })
}

fn same_parts(a: &Message, b: &Message) -> Result<(), TestCaseError> {
    prop_assert_eq!(a.parts().len(), b.parts().len());
    for (a, b) in a.parts().iter().zip(b.parts()) {
        prop_assert_eq!(a, b);
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(192))]

    #[test]
    fn arbitrary_bytes_never_panic(bytes in vec(any::<u8>(), 0..400)) {
        for lenient in [false, true] {
            let limits = ParseLimits { lenient, ..limits() };
            let _ = Message::parse_pdu(bytes.clone().into(), &limits);
            let _ = Message::parse_mime(bytes.clone().into(), &limits);
            let mut pdu = b"\x8c\x84\x8d\x92\x84\xb3".to_vec();
            pdu.extend(&bytes);
            if let Ok(message) = Message::parse_pdu(pdu.into(), &limits) {
                let mut bare = message.clone();
                bare.input = None;
                prop_assert_eq!(bare.serialize(Form::MmsPdu).unwrap(), message.serialize(Form::MmsPdu).unwrap());
                sizes_are_exact(&message, "arbitrary");
                message.rewrite(&vec![Edit::Drop; message.parts().len()]).unwrap();
                sizes_add_up(&message, &[true], &[200], "arbitrary");
            }
        }
    }

    #[test]
    fn arbitrary_text_never_panics(body in "(--b(--)?|b|\r|\n|\r\n|content-type: (text/plain|multipart/mixed; boundary=b|image/png)|:|=|;|\"| |é){0,40}") {
        for head in ["", "Content-Type: multipart/related; boundary=b\r\n\r\n", "MIME-Version: 1.0\n"] {
            let bytes = Buffer::from(format!("{head}{body}"));
            for lenient in [false, true] {
                let limits = ParseLimits { lenient, ..limits() };
                if let Ok(message) = Message::parse_mime(bytes.clone(), &limits) {
                    let mut bare = message.clone();
                    bare.input = None;
                    prop_assert_eq!(&bare.serialize(Form::Mime).unwrap(), &bytes);
                    sizes_are_exact(&message, "text");
                    sizes_add_up(&message, &[true, false], &[100, 58], "text");
                }
            }
        }
    }

    #[test]
    fn forms_hold_the_same_parts((headers, parts) in any_parts()) {
        let message = Message::from_parts(headers.clone(), parts, &limits()).unwrap();
        sizes_are_exact(&message, "parts");
        let pdu = Message::parse_pdu(message.serialize(Form::MmsPdu).unwrap(), &limits()).unwrap();
        same_parts(&message, &pdu)?;
        let subject = |m: &Message| m.headers().into_iter().find(|(n, _)| n == "Subject").map(|(_, v)| v);
        prop_assert_eq!(subject(&pdu).unwrap_or_default(), headers[0].1.clone());
        let mime = Message::parse_mime(pdu.serialize(Form::Mime).unwrap(), &limits()).unwrap();
        same_parts(&pdu, &mime)?;
        prop_assert_eq!(subject(&mime).unwrap_or_default(), headers[0].1.clone());
        let binary = message.serialize_for(Counting::MimeBinary, Interface::Mm7).unwrap();
        same_parts(&message, &Message::parse_mime(binary, &limits()).unwrap())?;
        let again = Message::parse_pdu(mime.serialize(Form::MmsPdu).unwrap(), &limits()).unwrap();
        same_parts(&pdu, &again)?;
        prop_assert_eq!(again.to_parts().1.len(), message.parts().len());
        for message in [&message, &pdu, &mime] {
            sizes_are_exact(message, "forms");
        }
    }

    #[test]
    fn sizes_add_up_in_every_form(
        (headers, parts) in any_parts(),
        which in vec(any::<bool>(), 1..5),
        sizes in vec(0usize..20_000, 1..4),
    ) {
        let message = Message::from_parts(headers, parts, &limits()).unwrap();
        let pdu = Message::parse_pdu(message.serialize(Form::MmsPdu).unwrap(), &limits()).unwrap();
        let mime = Message::parse_mime(message.serialize(Form::Mime).unwrap(), &limits()).unwrap();
        let binary = message.serialize_for(Counting::MimeBinary, Interface::Mm7).unwrap();
        let binary = Message::parse_mime(binary, &limits()).unwrap();
        for message in [&message, &pdu, &mime, &binary] {
            sizes_add_up(message, &which, &sizes, "any");
        }
    }

    #[test]
    fn edits_leave_no_dangling_reference(
        (headers, parts) in any_parts(),
        gone in vec(any::<bool>(), 6),
    ) {
        let message = Message::from_parts(headers, parts, &limits()).unwrap();
        let pdu = Message::parse_pdu(message.serialize(Form::MmsPdu).unwrap(), &limits()).unwrap();
        let mime = Message::parse_mime(message.serialize(Form::Mime).unwrap(), &limits()).unwrap();
        for message in [&message, &pdu, &mime] {
            let edits: Vec<Edit> = message.parts().iter().enumerate().map(|(at, _)| {
                if message.presentation() != Some(PartId(at as u32)) && gone[at % gone.len()] {
                    Edit::Drop
                } else {
                    Edit::Keep
                }
            }).collect();
            let out = message.rewrite(&edits).unwrap();
            let kept = edits.iter().filter(|e| **e == Edit::Keep).count();
            prop_assert_eq!(out.parts().len(), kept);
            if let Some(at) = out.presentation() {
                let smil = String::from_utf8(out.parts()[at.index()].data.to_vec()).unwrap();
                prop_assert_eq!(smil.matches("src=").count(), kept - 1);
                prop_assert_eq!(smil.matches("<par>").count(), kept - 1);
            }
            if kept > 0 && message.form() != Form::Parts {
                let bytes = out.serialize(out.form()).unwrap();
                let again = match out.form() {
                    Form::MmsPdu => Message::parse_pdu(bytes, &limits()).unwrap(),
                    _ => Message::parse_mime(bytes, &limits()).unwrap(),
                };
                same_parts(&out, &again)?;
            }
        }
    }
}
