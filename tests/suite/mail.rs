//! Mails on their way to phones: one of several versions, HTML that is not shown, signatures.

use mmsfit::{
    config::Config,
    message::{Message, ParseLimits},
    model::{Action, Interface, Outcome, ReasonCode, Stop},
    service::{
        Service,
        request::{AdaptRequest, AdaptResponse, Content},
    },
};

use base64::Engine as _;

use crate::support;

const TEXT: &str = "Content-Type: text/plain; charset=utf-8\r\n\r\nHello in words\r\n";
const HTML: &str = "Content-Type: text/html; charset=utf-8\r\n\r\n\
    <html><head><style>p {}</style></head><body><p>Hello <b>in</b> HTML &amp; more</p></body>\r\n";

fn mail(body: &str, kind: &str, parts: &[&str]) -> String {
    let mut out = format!(
        "From: a@b.example\r\nDKIM-Signature: v=1; a=rsa-sha256; d=b.example; b=abc\r\n\
         ARC-Seal: i=1; b=def\r\nSubject: hi\r\nMIME-Version: 1.0\r\n\
         Content-Type: multipart/{kind}; boundary=b\r\n\r\n{body}"
    );
    parts.iter().for_each(|part| out.push_str(&format!("--b\r\n{part}")));
    out + "--b--\r\n"
}

fn adapt(mail: &str, accept: &[&str]) -> AdaptResponse {
    let service = Service::new(Config { threads: 1, ..Config::default() });
    let mut request = AdaptRequest::new(Content::Mime(mail.as_bytes().to_vec().into()));
    request.device = support::device(100_000, (640, 480), accept);
    request.interface = Some(Interface::Mm4);
    service.adapt(request, &Stop::never()).expect("adapts")
}

fn sent(response: &AdaptResponse) -> String {
    let Content::Mime(bytes) = &response.content else { panic!("MIME comes out as MIME") };
    String::from_utf8(bytes.to_vec()).expect("text")
}

#[test]
fn of_several_versions_the_richest_that_is_shown_stays() {
    let both = mail("", "alternative", &[TEXT, HTML]);
    for (accept, stays, goes) in [
        (&["text/plain"][..], "Hello in words", "in</b> HTML"),
        (&["text/plain", "text/html"], "in</b> HTML", "Hello in words"),
        (&["*/*"], "in</b> HTML", "Hello in words"),
    ] {
        let response = adapt(&both, accept);
        let text = sent(&response);
        assert!(text.contains(stays) && !text.contains(goes), "{accept:?}: {text}");
        assert_eq!(response.report.outcome, Outcome::Minor, "nothing is lost");
        let gone: Vec<_> =
            response.report.parts.iter().filter(|p| p.action == Action::Drop).collect();
        assert_eq!(gone.len(), 1);
        assert_eq!(gone[0].reasons[0].code, ReasonCode::Alternative);
    }
}

#[test]
fn a_version_may_be_text_and_images_and_what_is_no_choice_is_none() {
    let photo = support::photos::photo(320, 240);
    let image = format!(
        "Content-Type: image/jpeg\r\nContent-Transfer-Encoding: base64\r\n\r\n{}\r\n",
        base64::prelude::BASE64_STANDARD.encode(&photo)
    );
    let related = format!(
        "Content-Type: multipart/related; boundary=r\r\n\r\n--r\r\n{HTML}--r\r\n{image}--r--\r\n"
    );
    let both = mail("", "alternative", &[TEXT, &related]);
    let plain = adapt(&both, &["text/plain", "image/jpeg"]);
    assert!(!sent(&plain).contains("image/jpeg"), "it belongs to the HTML");
    let rich = adapt(&both, &["text/html", "image/jpeg"]);
    assert!(sent(&rich).contains("image/jpeg") && !sent(&rich).contains("Hello in words"));
    // Broken senders call anything an alternative.
    let broken = adapt(&mail("", "alternative", &[TEXT, &image]), &["text/plain", "image/jpeg"]);
    assert_eq!(broken.report.outcome, Outcome::Unchanged);
}

#[test]
fn html_becomes_its_text_where_it_is_not_shown() {
    let only = mail("", "mixed", &[HTML]);
    let response = adapt(&only, &["text/plain"]);
    let bytes = support::bytes_of(&response.content);
    let read = Message::parse_mime(bytes, &ParseLimits::default()).expect("reads");
    assert_eq!(read.parts()[0].declared.as_str(), "text/plain");
    assert_eq!(read.parts()[0].data.as_ref(), b"Hello in HTML & more");
    let reasons = &response.report.parts[0].reasons;
    assert_eq!(reasons[0].code, ReasonCode::TypeNotAccepted, "{reasons:?}");
    let after = response.report.parts[0].after.as_ref().expect("it is there");
    assert_eq!(after.media_type.as_str(), "text/plain");
    let shown = adapt(&only, &["text/plain", "text/html"]);
    assert_eq!(shown.report.outcome, Outcome::Unchanged);
}

#[test]
fn a_signature_goes_with_what_it_signed() {
    let changed = adapt(&mail("", "alternative", &[TEXT, HTML]), &["text/plain"]);
    let text = sent(&changed).to_ascii_lowercase();
    assert!(!text.contains("dkim") && !text.contains("arc-seal"), "{text}");
    let warned = changed.report.warnings.iter().find(|w| w.code == "SIGNATURE_REMOVED");
    let warned = warned.expect("a warning");
    assert!(warned.message.contains("DKIM-Signature"), "{}", warned.message);
    let untouched = mail("", "mixed", &[TEXT]);
    let kept = adapt(&untouched, &["text/plain"]);
    assert_eq!(sent(&kept), untouched, "bit for bit, signature and all");
    assert!(kept.report.warnings.is_empty(), "{:?}", kept.report.warnings);
}
