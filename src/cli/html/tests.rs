//! The page is well-formed, whatever a message holds.

use bytes::Bytes as Buffer;

use crate::{
    cli::report::tests::sample,
    model::{Limits, Reason, ReasonCode},
};

use super::*;

fn pairs() -> Vec<Pair> {
    vec![
        Pair {
            before: Some(Buffer::from_static(b"\x89PNG")),
            after: Some(Buffer::from_static(b"\xff\xd8\xff")),
        },
        Pair {
            before: Some(Buffer::from_static(b"</pre><script>alert(1)</script>")),
            after: Some(Buffer::from_static(b"hi")),
        },
        Pair::default(),
    ]
}

/// Every element is closed in the order it was opened.
fn balanced(html: &str) {
    let void = ["meta", "img", "!doctype"];
    let mut open: Vec<&str> = Vec::new();
    let style_at = html.find("<style>").unwrap();
    let style_end = html.find("</style>").unwrap();
    let without_style = format!("{}{}", &html[..style_at], &html[style_end + 8..]);
    for tag in without_style.split('<').skip(1) {
        let inner = tag.split('>').next().unwrap();
        let name = inner.split([' ', '\n']).next().unwrap();
        match name.strip_prefix('/') {
            Some(name) => assert_eq!(open.pop(), Some(name.to_owned().leak() as &str), "{inner}"),
            None if void.contains(&name) => {}
            None => open.push(name.to_owned().leak()),
        }
    }
    assert!(open.is_empty(), "{open:?}");
}

#[test]
fn the_page_is_whole_and_self_contained() {
    let html = page("m.mms", &sample(), &Limits::default(), Names::default(), &pairs());
    balanced(&html);
    assert!(html.contains("data:image/png;base64,iVBORw=="));
    assert!(html.contains("data:image/jpeg;base64,/9j/"));
    assert!(html.contains("left out of the message"));
    assert!(html.contains("larger than the image size allowed (4032x3024 &gt; 640x480)"));
    assert!(html.contains("set by the carrier"));
    for external in ["http://", "https://", "src=\"/", "url(", "@import", "<script", "<link"] {
        assert!(!html.contains(external), "{external}");
    }
}

#[test]
fn nothing_in_a_message_becomes_markup() {
    let evil = "\"><img src=x onerror=alert(1)>'&\u{202e}\0";
    let mut report = sample();
    for part in &mut report.parts {
        part.name = evil.into();
        part.reasons = vec![Reason::new(ReasonCode::Malformed, evil)];
        part.before.codec = evil.into();
    }
    report.warnings[0].message = evil.into();
    let html = page(evil, &report, &Limits::default(), Names::default(), &pairs());
    balanced(&html);
    assert!(!html.contains("<img src=x"));
    assert!(!html.contains("<script"));
    assert!(!html.contains('\0') && !html.contains('\u{202e}'));
}

#[test]
fn an_empty_report_has_a_page_too() {
    let mut report = sample();
    report.parts.clear();
    report.limit = None;
    report.wire_bytes_before = crate::model::Bytes::ZERO;
    report.wire_bytes_after = crate::model::Bytes::ZERO;
    let html = page("", &report, &Limits::default(), Names::default(), &[]);
    balanced(&html);
    assert!(!html.contains("NaN") && !html.contains("inf"));
}
