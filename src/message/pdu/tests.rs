//! Golden PDUs, built by hand octet by octet.

use bytes::Bytes as Buffer;

use crate::{
    message::{Edit, Form, Message, MessageError, ParseLimits},
    model::{Counting, Interface, MediaType, PartId},
};

/// One entry with its lengths.
fn entry(header: &[u8], data: &[u8]) -> Vec<u8> {
    assert!(header.len() < 128 && data.len() < 128);
    [&[header.len() as u8, data.len() as u8], header, data].concat()
}

const SMIL: &[u8] = b"<smil><body><par><img src=\"p.png\"/><text src='cid:t'/></par></body></smil>";

/// M-Send.req with a size, SMIL, an image and a text.
fn message() -> Vec<u8> {
    let mut pdu =
        b"\x8c\x80\x98T1\0\x8d\x92\x89\x01\x81\x97+1/TYPE=PLMN\0\x8e\x02\x12\x34\xba\x82".to_vec();
    pdu.extend(b"\x84\x1b\xb3\x89application/smil\0\x8a<smil>\0");
    assert_eq!(b"\xb3\x89application/smil\0\x8a<smil>\0".len(), 0x1b);
    pdu.push(3);
    pdu.extend(entry(b"application/smil\0\xc0\"<smil>\0", SMIL));
    pdu.extend(entry(b"\x0a\x83\x85t.txt\0\x81\xea\xc0\"<t>\0", b"hi"));
    pdu.extend(entry(b"\x08\xa0\x85p.png\0\xc0\"<pic>\0\x8ep.png\0\x8d\x83X-Own\0v\0", b"PNG"));
    pdu
}

fn parse(bytes: &[u8]) -> Result<Message, MessageError> {
    Message::parse_pdu(Buffer::copy_from_slice(bytes), &ParseLimits::default())
}

fn replace(content_type: &str, data: &'static [u8]) -> Edit {
    Edit::Replace { content_type: content_type.into(), data: Buffer::from_static(data) }
}

fn bytes(message: &Message) -> Vec<u8> {
    message.serialize(Form::MmsPdu).unwrap().to_vec()
}

#[test]
fn a_message_is_read() {
    let message = parse(&message()).unwrap();
    assert_eq!(message.pdu_type().as_deref(), Some("m-send-req"));
    assert_eq!(message.presentation(), Some(PartId(0)));
    let image = &message.parts()[2];
    assert_eq!(image.declared, MediaType::PNG);
    assert_eq!(image.content_id.as_deref(), Some("pic"));
    assert_eq!(image.content_location.as_deref(), Some("p.png"));
    assert_eq!(&image.data[..], b"PNG");
    assert_eq!(message.parts()[1].charset.as_deref(), Some("utf-8"));
    let headers = message.headers();
    assert!(headers.contains(&("To".into(), "+1/TYPE=PLMN".into())), "{headers:?}");
    assert!(headers.contains(&("X-Mms-Message-Size".into(), "4660".into())), "{headers:?}");
}

#[test]
fn a_replaced_image_changes_its_entry_the_reference_and_the_size() {
    let input = message();
    let out = parse(&input)
        .unwrap()
        .rewrite(&[Edit::Keep, Edit::Keep, replace("image/jpeg", b"JPEG")])
        .unwrap();
    let mut want = b"\x8c\x80\x98T1\0\x8d\x92\x89\x01\x81\x97+1/TYPE=PLMN\0\x8e\x04".to_vec();
    let size_at = want.len();
    want.extend(b"\0\0\0\0\xba\x82\x84\x1b\xb3\x89application/smil\0\x8a<smil>\0\x03");
    let smil = String::from_utf8(SMIL.to_vec()).unwrap().replace("p.png", "p.jpg");
    want.extend(entry(b"application/smil\0\xc0\"<smil>\0", smil.as_bytes()));
    want.extend(entry(b"\x0a\x83\x85t.txt\0\x81\xea\xc0\"<t>\0", b"hi"));
    want.extend(entry(b"\x08\x9e\x85p.jpg\0\xc0\"<pic>\0\x8ep.jpg\0X-Own\0v\0", b"JPEG"));
    let size = (want.len() as u32).to_be_bytes();
    want[size_at..size_at + 4].copy_from_slice(&size);
    assert_eq!(bytes(&out), want);
}

#[test]
fn types_without_code_are_text_and_charsets_go_with_text() {
    let out = parse(&message())
        .unwrap()
        .rewrite(&[Edit::Keep, replace("video/3gpp", b"V"), replace("image/jpg", b"J")])
        .unwrap();
    let raw = bytes(&out);
    let has = |needle: &[u8]| raw.windows(needle.len()).any(|window| window == needle);
    assert!(has(b"video/3gpp\0\x85t.3gp\0\xc0\"<t>\0"));
    assert!(has(b"image/jpg\0\x85p.jpg\0"));
    let text = parse(&message())
        .unwrap()
        .rewrite(&[Edit::Keep, Edit::Keep, replace("text/plain; charset=utf-8", b"gone")])
        .unwrap();
    assert_eq!(text.parts()[2].charset.as_deref(), Some("utf-8"));
    assert_eq!(text.parts()[2].name.as_deref(), Some("p.txt"));
}

#[test]
fn a_dropped_part_takes_its_element_and_a_dropped_root_its_start() {
    let whole = parse(&message()).unwrap();
    let out = whole.rewrite(&[Edit::Keep, Edit::Keep, Edit::Drop]).unwrap();
    assert_eq!(
        &out.parts()[0].data[..],
        b"<smil><body><par><text src='cid:t'/></par></body></smil>"
    );
    let out = whole.rewrite(&[Edit::Drop, Edit::Keep, Edit::Keep]).unwrap();
    let raw = bytes(&out);
    let has = |needle: &[u8]| raw.windows(needle.len()).any(|window| window == needle);
    // Without its presentation nothing is related any more: multipart.mixed, no parameters.
    assert!(has(b"\x84\xa3\x02"), "{raw:x?}");
    assert_eq!(parse(&raw).unwrap().parts(), out.parts());
    let none = whole.rewrite(&[Edit::Drop, Edit::Drop, Edit::Drop]).unwrap();
    assert!(parse(&bytes(&none)).unwrap().parts().is_empty());
    assert!(matches!(whole.rewrite(&[]), Err(MessageError::EditCount { expected: 3, got: 0 })));
}

#[test]
fn a_redeclared_part_keeps_its_data_and_its_name_follows() {
    let out = parse(&message())
        .unwrap()
        .rewrite(&[Edit::Keep, Edit::Keep, Edit::Redeclare { content_type: "image/gif".into() }])
        .unwrap();
    let image = &out.parts()[2];
    assert_eq!((image.declared.as_str(), &image.data[..]), ("image/gif", &b"PNG"[..]));
    assert_eq!(image.name.as_deref(), Some("p.gif"));
}

#[test]
fn quirks_of_real_senders_are_input() {
    let one = |content_type: &[u8], header: &[u8], data: &[u8]| {
        let mut pdu = b"\x8c\x84\x8d\x90\x84".to_vec();
        pdu.extend(content_type);
        pdu.push(1);
        pdu.extend(entry(header, data));
        pdu
    };
    // Wrong code for related, generic mixed, text for related, long value-length.
    for content_type in [
        &b"\xb4"[..],
        b"\x8c",
        b"multipart/related\0",
        b"\x1f\x01\xb3",
        b"\x1f\x0c\xb3\x99\"<smil>\0\xfe\x81",
        b"\xa2",
    ] {
        let pdu = one(content_type, b"\x9e\x8ea.jpg\0", b"J");
        let message = parse(&pdu).unwrap_or_else(|e| panic!("{content_type:x?} {e}"));
        assert_eq!(message.parts().len(), 1, "{content_type:x?}");
        assert_eq!(message.parts()[0].declared, MediaType::JPEG);
        let out = message.rewrite(&[replace("image/gif", b"G")]).unwrap();
        assert_eq!(parse(&bytes(&out)).unwrap().parts(), out.parts());
    }
    // Unknown message headers, binary and textual, stay where they are.
    let pdu = b"\x8c\x84\xfd\x81\xfe\x02ab\xfcxyz\0X-A\0b\0\x84\xa3\x01\x01\x01\x83x";
    let message = parse(pdu).unwrap();
    let out = bytes(&message.rewrite(&[replace("text/plain", b"yz")]).unwrap());
    assert_eq!(out, b"\x8c\x84\xfd\x81\xfe\x02ab\xfcxyz\0X-A\0b\0\x84\xa3\x01\x01\x02\x83yz");
    // A body that is no multipart.
    let message = parse(b"\x8c\x84\x84\x03\x83\x81\xeahello").unwrap();
    assert_eq!(&message.parts()[0].data[..], b"hello");
    let out = message.rewrite(&[replace("text/plain", b"bye")]).unwrap();
    assert_eq!(bytes(&out), b"\x8c\x84\x84\x03\x83\x81\xeabye");
    // Not adapted, not ours to judge.
    let notification = b"\x8c\x82\x98a\0\x8d\x92\x84\xff";
    let message = parse(notification).unwrap();
    assert!(message.parts().is_empty());
    assert_eq!(bytes(&message), notification);
    assert!(matches!(parse(b"\x01\x06"), Err(MessageError::NotAMessage { .. })));
}

#[test]
fn transfer_encodings_are_decoded_and_go_with_a_replacement() {
    let header = b"\x9eContent-Transfer-Encoding\0base64\0\x8ea.jpg\0";
    let mut pdu = b"\x8c\x84\x84\xa3\x01".to_vec();
    pdu.extend(entry(header, b"aGVsbG8="));
    let message = parse(&pdu).unwrap();
    assert_eq!(&message.parts()[0].data[..], b"hello");
    assert_eq!(bytes(&message), pdu);
    let out = bytes(&message.rewrite(&[replace("image/jpeg", b"new")]).unwrap());
    let mut want = b"\x8c\x84\x84\xa3\x01".to_vec();
    want.extend(entry(b"\x9e\x8ea.jpg\0", b"new"));
    assert_eq!(out, want);
}

#[test]
fn lengths_and_digests_that_would_lie_go_and_dispositions_follow() {
    let header = b"\xa0\x8d\x83\x8f\x02ab\xae\x08\x81\x86p.png\0\xc5\x08\x81\x98p.png\0\xb3\x81";
    let mut pdu = b"\x8c\x84\x84\xa3\x01".to_vec();
    pdu.extend(entry(header, b"old"));
    let out = parse(&pdu).unwrap().rewrite(&[replace("image/gif", b"new")]).unwrap();
    let mut want = b"\x8c\x84\x84\xa3\x01".to_vec();
    want.extend(entry(b"\x9d\xae\x08\x81\x86p.gif\0\xc5\x08\x81\x86p.gif\0\xb3\x81", b"new"));
    assert_eq!(bytes(&out), want);
}

#[test]
fn nested_multiparts_keep_their_structure_and_their_sizes_add_up() {
    let inner = [&[2u8][..], &entry(b"\x9e", b"J"), &entry(b"\x83", b"t")].concat();
    let mut pdu = b"\x8c\x84\x84\xa3\x02".to_vec();
    pdu.extend(entry(b"\xa6", &inner));
    pdu.extend(entry(b"\x83", b"x"));
    let message = parse(&pdu).unwrap();
    assert_eq!(message.parts().len(), 3);
    let size = |data: usize| {
        let edit = Edit::Replace { content_type: "image/gif".into(), data: vec![1; data].into() };
        let out = message.rewrite(&[edit, Edit::Keep, Edit::Keep]).unwrap();
        let raw = bytes(&out);
        assert_eq!(parse(&raw).unwrap().parts(), out.parts());
        assert_eq!(out.wire_size(Counting::Interface, Interface::Mm1).as_usize(), raw.len());
        raw.len()
    };
    // Only the part's own length prefix grows.
    assert_eq!(
        [size(0), size(127), size(128), size(20_000)],
        [size(0), size(0) + 127, size(0) + 129, size(0) + 20_002]
    );
    let gone = message.rewrite(&[Edit::Drop, Edit::Drop, Edit::Keep]).unwrap();
    assert_eq!(bytes(&gone), b"\x8c\x84\x84\xa3\x01\x01\x01\x83x");
}

#[test]
fn limits_hold_and_lenience_clamps() {
    let mut pdu = b"\x8c\x84\x84\xa3\x02".to_vec();
    pdu.extend(entry(b"\x83", b"x"));
    pdu.extend(b"\x01\x05\x83ab");
    assert_eq!(parse(&pdu).unwrap_err(), MessageError::Truncated { part: PartId(1) });
    let lenient = ParseLimits { lenient: true, ..ParseLimits::default() };
    let message = Message::parse_pdu(pdu.clone().into(), &lenient).unwrap();
    assert_eq!(&message.parts()[1].data[..], b"ab");
    assert_eq!(bytes(&message), pdu);
    let few = ParseLimits { max_parts: 1, ..lenient };
    let error = Message::parse_pdu(pdu.into(), &few).unwrap_err();
    assert_eq!(error, MessageError::TooManyParts { limit: 1 });
}

#[test]
fn adaptation_may_be_forbidden() {
    for (octet, forbidden) in [(0x80, false), (0x81, true)] {
        let pdu = [b"\x8c\x84\xbc", &[octet][..], b"\x84\xa3\0"].concat();
        assert_eq!(parse(&pdu).unwrap().adaptation_forbidden(), forbidden);
    }
}

/// Without their presentation the parts come in the order of its slides.
#[test]
fn parts_without_presentation_come_in_its_order() {
    let whole = parse(&message()).unwrap();
    let order: Vec<u32> = whole.showing_order().iter().map(|id| id.0).collect();
    assert_eq!(order, [0, 2, 1]);
    let out = whole.rewrite(&[Edit::Drop, Edit::Keep, replace("image/gif", b"GIF")]).unwrap();
    let types: Vec<&str> = out.parts().iter().map(|part| part.declared.as_str()).collect();
    assert_eq!(types, ["image/gif", "text/plain"]);
    assert_eq!(parse(&bytes(&out)).unwrap().parts(), out.parts());
    assert_eq!(&out.parts()[1].data[..], b"hi");
}
