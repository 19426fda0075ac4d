//! Golden MIME messages.

use bytes::Bytes as Buffer;

use crate::{
    message::{Edit, Form, Message, MessageError, ParseLimits, PartData},
    model::{Counting, Interface, PartId},
};

fn parse(text: &str) -> Result<Message, MessageError> {
    Message::parse_mime(text.to_owned().into(), &ParseLimits::default())
}

fn text(message: &Message) -> String {
    String::from_utf8(message.serialize(Form::Mime).unwrap().to_vec()).unwrap()
}

fn replace(content_type: &str, data: &[u8]) -> Edit {
    Edit::Replace { content_type: content_type.into(), data: Buffer::copy_from_slice(data) }
}

const RELATED: &str = "Subject: a\r\n b\r\nX-Mms-Message-Size: 12\r\nMIME-Version: 1.0\r\n\
    Content-Type: multipart/related; boundary=\"b\";\r\n\tstart=\"<s>\"; type=\"application/smil\"\r\n\r\n\
    preamble\r\n--b\r\nContent-ID: <s>\r\nContent-Type: application/smil\r\n\r\n\
    <smil><img src=\"a%20b.png\"/></smil>\r\n--b \r\n\
    X-First: 1\r\nContent-Type: image/png;\r\n name=\"a b.png\"\r\nContent-Length: 4\r\n\
    Content-Disposition: attachment; filename=\"a b.png\"\r\nContent-Transfer-Encoding: base64\r\n\
    Content-Location: a b.png\r\n\r\nUE5H\r\n--bb\r\n--b--x\r\n--b--\r\nepilogue";

#[test]
fn an_entity_changes_only_where_it_must() {
    let message = parse(RELATED).unwrap();
    assert_eq!(message.parts().len(), 2);
    assert_eq!(message.presentation(), Some(PartId(0)));
    assert_eq!(text(&message), RELATED);
    let out = message.rewrite(&[Edit::Keep, replace("image/jpeg", b"new")]).unwrap();
    let want = RELATED
        .replace("a%20b.png", "a%20b.jpg")
        .replace("image/png;\r\n name=\"a b.png\"", "image/jpeg; name=\"a b.jpg\"")
        .replace("Content-Length: 4\r\n", "")
        .replace("filename=\"a b.png\"", "filename=\"a b.jpg\"")
        .replace("Content-Location: a b.png", "Content-Location: a b.jpg")
        .replace("UE5H\r\n--bb\r\n--b--x\r\n", "bmV3\r\n\r\n");
    let size = format!("{:>10}", want.len() + 8);
    assert_eq!(text(&out), want.replace("Size: 12", &format!("Size: {size}")));
}

/// Without its presentation nothing is related any more.
#[test]
fn a_dropped_root_leaves_a_true_content_type() {
    let out = parse(RELATED).unwrap().rewrite(&[Edit::Drop, Edit::Keep]).unwrap();
    let text = text(&out);
    assert!(text.contains("multipart/mixed; boundary=b\r\n"), "{text}");
    assert!(!text.contains("start"));
    assert_eq!(parse(&text).unwrap().parts(), out.parts());
}

#[test]
fn line_feeds_missing_ends_and_quoted_printable_are_read() {
    let lf = "Content-Type: multipart/mixed; boundary=x\n\n--x\n\nplain\n--x\n\
        Content-Type: text/plain; charset=ISO-8859-1\nContent-Transfer-Encoding: quoted-printable\n\n\
        a=E4=\nb\n--x\nContent-Type: image/gif\nContent-Transfer-Encoding: base64\n\nR0lG\n";
    let message = parse(lf).unwrap();
    assert_eq!(&message.parts()[0].data[..], b"plain");
    assert_eq!(&message.parts()[1].data[..], b"a\xe4b");
    assert_eq!(message.parts()[1].charset.as_deref(), Some("iso-8859-1"));
    assert_eq!(&message.parts()[2].data[..], b"GIF");
    assert_eq!(text(&message), lf);
    let cut = &lf[..lf.len() - 3];
    assert_eq!(parse(cut).unwrap_err(), MessageError::Truncated { part: PartId(2) });
    let lenient = ParseLimits { lenient: true, ..ParseLimits::default() };
    assert!(Message::parse_mime(cut.to_owned().into(), &lenient).is_ok());
    let edits = [Edit::Keep, Edit::Keep, replace("image/gif", b"GIF8")];
    let out = message.rewrite(&edits).unwrap();
    assert_eq!(parse(&text(&out)).unwrap().parts(), out.parts());
}

#[test]
fn binary_stays_binary_and_a_boundary_never_occurs_in_it() {
    let input = "Content-Type: multipart/mixed; boundary=in\r\n\r\n--in\r\nContent-Type: image/gif\r\n\
        Content-Transfer-Encoding: binary\r\n\r\nG\r\n--in--\r\n";
    let message = parse(input).unwrap();
    assert_eq!(message.default_interface(), Interface::Mm7);
    let out = message.rewrite(&[replace("image/gif", b"x\r\n--in\r\ny")]).unwrap();
    let raw = text(&out);
    assert_eq!(raw.len(), input.len() - 1 + b"x\r\n--in\r\ny".len());
    let again = parse(&raw).unwrap();
    assert_eq!(again.parts(), out.parts());
    let again = out.serialize_for(Counting::MimeBase64, Interface::Mm4).unwrap();
    let again = Message::parse_mime(again, &ParseLimits::default()).unwrap();
    assert_eq!(again.parts(), out.parts());
    assert_eq!(again.default_interface(), Interface::Mm4);
}

#[test]
fn signed_messages_are_opaque_and_forwarded_ones_are_opened() {
    let inner = "Content-Type: multipart/signed; boundary=s; protocol=\"p\"\r\n\r\n--s\r\n\r\nx\r\n--s--\r\n";
    let input = format!(
        "Content-Type: multipart/mixed; boundary=o\r\n\r\n--o\r\n{inner}\r\n--o\r\n\
         Content-Type: message/rfc822\r\n\r\nSubject: x\r\n\r\ny\r\n--o\r\n\
         Content-Type: image/gif\r\n\r\nG\r\n--o--"
    );
    let message = parse(&input).unwrap();
    let opaque: Vec<bool> = message.parts().iter().map(|part| part.opaque).collect();
    assert_eq!(opaque, [true, false, false]);
    assert_eq!(message.parts()[1].data, "y");
    let out =
        text(&message.rewrite(&[Edit::Keep, Edit::Keep, replace("image/png", b"P")]).unwrap());
    assert!(out.contains(inner));
}

/// A mail within a mail is opened; unchanged it stays as it came, changed it is no longer coded as a
/// whole, and its own signature goes.
#[test]
fn media_of_a_forwarded_mail_are_replaced_where_they_stand() {
    let inner = "From: a@b\r\nDKIM-Signature: v=1\r\nSubject: x\r\n\
        Content-Type: multipart/mixed; boundary=i\r\n\r\n\
        --i\r\n\r\nhello\r\n--i\r\nContent-Type: image/gif\r\n\
        Content-Transfer-Encoding: base64\r\n\r\nR0lG\r\n--i--\r\n";
    let coded = super::transfer::base64_plain(inner.as_bytes());
    for (encoding, body) in [("7bit", inner), ("base64", coded.as_str())] {
        let input = format!(
            "Content-Type: multipart/mixed; boundary=o\r\n\r\n--o\r\n\
             Content-Type: message/rfc822\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n\
             {body}\r\n--o\r\nContent-Type: text/plain\r\n\r\nabove\r\n--o--"
        );
        let message = parse(&input).unwrap();
        let data: Vec<&[u8]> = message.parts().iter().map(|part| &part.data[..]).collect();
        assert_eq!(data, [&b"hello"[..], b"GIF", b"above"], "{encoding}");
        assert_eq!(text(&message), input, "{encoding}");
        let edits = [Edit::Keep, replace("image/png", b"P"), Edit::Keep];
        let out = message.rewrite(&edits).unwrap();
        let raw = text(&out);
        let size = out.wire_size(Counting::Interface, Interface::Mm7).as_usize();
        assert_eq!(size, raw.len(), "{encoding}");
        assert!(raw.contains("From: a@b\r\nSubject: x\r\n"), "{encoding}: {raw}");
        assert!(!raw.contains("DKIM") && !raw.contains("R0lG"), "{encoding}: {raw}");
        let again = parse(&raw).unwrap();
        assert_eq!(again.parts(), out.parts(), "{encoding}: {raw}");
        assert_eq!(again.parts()[1].data, "P");
        // Flat where nothing nests, and gone where all of it goes.
        let pdu = out.serialize(Form::MmsPdu).unwrap();
        let pdu = Message::parse_pdu(pdu, &ParseLimits::default()).unwrap();
        assert_eq!(pdu.parts().len(), 3, "{encoding}");
        let none = [Edit::Drop, Edit::Drop, Edit::Keep];
        let left = text(&message.rewrite(&none).unwrap());
        assert!(!left.contains("rfc822") && left.contains("above"), "{encoding}: {left}");
        let as_base64 = message.serialize_for(Counting::MimeBase64, Interface::Mm4).unwrap();
        let as_base64 = Message::parse_mime(as_base64, &ParseLimits::default()).unwrap();
        assert_eq!(as_base64.parts(), message.parts(), "{encoding}");
    }
    // What is no mail stays sealed.
    let input = "Content-Type: message/rfc822\r\n\r\nno header field here";
    assert!(parse(input).unwrap().parts()[0].opaque);
}

#[test]
fn what_is_no_message_is_told_apart() {
    assert!(matches!(parse("\u{1}\u{2}binary"), Err(MessageError::NotAMessage { .. })));
    assert!(matches!(parse("<html/>"), Err(MessageError::NotAMessage { .. })));
    // A report of MM7 passes as it is.
    let report = "<Envelope xmlns='http://schemas.xmlsoap.org/soap/envelope/'/>";
    let message = parse(report).unwrap();
    assert_eq!((text(&message).as_str(), message.parts().len()), (report, 1));
    assert!(message.parts()[0].opaque);
    assert!(matches!(
        parse("Content-Type: multipart/mixed\r\n\r\nnothing"),
        Err(MessageError::Malformed { .. })
    ));
}

#[test]
fn an_mm7_reference_never_dangles() {
    let input = "Content-Type: multipart/related; boundary=o; type=\"text/xml\"\r\n\r\n--o\r\n\
        Content-Type: text/xml\r\n\r\n<e:Envelope xmlns:e='http://schemas.xmlsoap.org/soap/envelope/'>\
        <Content href=\"cid:pic\"/></e:Envelope>\r\n--o\r\nContent-Type: image/gif\r\n\
        Content-ID: <pic>\r\n\r\nG\r\n--o--\r\n";
    let message = parse(input).unwrap();
    let out = message.rewrite(&[Edit::Keep, Edit::Drop]).unwrap();
    let part = &out.parts()[1];
    assert_eq!((part.declared.as_str(), part.content_id.as_deref()), ("text/plain", Some("pic")));
    assert_eq!(message.to_parts().1.len(), 1);
    let pdu = message.serialize(Form::MmsPdu).unwrap();
    let pdu = Message::parse_pdu(pdu, &ParseLimits::default()).unwrap();
    assert_eq!(pdu.parts(), &message.parts()[1..]);
    assert_eq!(message.serialize(Form::Bare).unwrap(), &b"G"[..]);
}

#[test]
fn names_from_outside_are_made_safe_when_written_anew() {
    let parts = vec![
        PartData {
            content_type: "application/smil".into(),
            data: "<smil><img src='../../tmp/e.png'/></smil>".into(),
            ..PartData::default()
        },
        PartData {
            content_type: "image/png".into(),
            content_location: "../../tmp/e.png".into(),
            data: Buffer::from_static(b"P"),
            ..PartData::default()
        },
    ];
    let headers = vec![("Subject".to_owned(), "a\r\nBcc: x".to_owned())];
    let message = Message::from_parts(headers, parts, &ParseLimits::default()).unwrap();
    let mime = text(&message);
    assert!(mime.contains("Content-Location: e.png\r\n"), "{mime}");
    assert!(mime.starts_with("Subject: a  Bcc: x\r\n"), "{mime}");
    let again = parse(&mime).unwrap();
    assert_eq!(&again.parts()[0].data[..], b"<smil><img src='e.png'/></smil>");
}

/// Parts around the multipart in which the presentation stands stay where they are.
#[test]
fn only_what_the_presentation_shows_is_put_in_its_order() {
    let text = "Content-Type: multipart/mixed; boundary=o\r\n\r\n--o\r\nContent-Type: \
        text/plain\r\n\r\nfirst\r\n--o\r\nContent-Type: multipart/related; boundary=i\r\n\r\n\
        --i\r\nContent-Type: application/smil\r\n\r\n<smil><img src='b'/><img src='a'/></smil>\r\n\
        --i\r\nContent-Location: a\r\nContent-Type: image/gif\r\n\r\nA\r\n\
        --i\r\nContent-Location: b\r\nContent-Type: image/gif\r\n\r\nB\r\n--i--\r\n--o--\r\n";
    let message = parse(text).unwrap();
    let order: Vec<u32> = message.showing_order().iter().map(|id| id.0).collect();
    assert_eq!(order, [0, 1, 3, 2]);
    let out = message.rewrite(&[Edit::Keep, Edit::Drop, Edit::Keep, Edit::Keep]).unwrap();
    let data: Vec<&[u8]> = out.parts().iter().map(|part| &part.data[..]).collect();
    assert_eq!(data, [&b"first"[..], b"B", b"A"]);
}
