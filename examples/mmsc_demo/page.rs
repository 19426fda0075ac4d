//! The HTML page: before beside after, the budget as bars, the reasons; in the frame of the page that
//! `mmsfit adapt --html` writes.

use std::{
    collections::{HashMap, hash_map::Entry},
    fmt::Write as _,
};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use bytes::Bytes;
use mmsfit::{
    cli::html::{document, escape},
    grpc::v1::{Action, DeviceSummary, PartReport, adapt_request, adapt_response},
    message::{Message, ParseLimits},
};

use super::{Answer, Fitted, Sample, table};

/// The page.
pub fn render(samples: &[Sample], handsets: &[DeviceSummary], answers: &[Vec<Answer>]) -> String {
    let mut html = "<header><h1>Before and after</h1></header>".to_owned();
    let mut shown = Shown::new();
    for (sample, row) in samples.iter().zip(answers) {
        let before = media_sent(sample);
        let _ = write!(
            html,
            "<section class=\"card\"><div class=\"head\"><h2>{}</h2></div><div class=\"pair\">\
             <div><h3>as sent</h3>",
            escape(&sample.name)
        );
        let _ = write!(html, "<p>{}</p>", table::bytes(sample.bytes.len() as u64));
        for data in &before {
            image(&mut html, &mut shown, data, &format!("{} as sent", sample.name));
        }
        html.push_str("</div>");
        for (handset, answer) in handsets.iter().zip(row) {
            let _ = write!(html, "<div><h3>{}</h3>", escape(&table::title(handset)));
            match &answer.result {
                Ok(fitted) => {
                    let place = format!("{} for {}", sample.name, table::title(handset));
                    adapted(&mut html, &mut shown, &place, fitted, answer.took.as_millis());
                }
                Err(status) => {
                    let _ = write!(
                        html,
                        "<p class=\"bad\">refused: {:?}: {}</p>",
                        status.code(),
                        escape(status.message())
                    );
                }
            }
            html.push_str("</div>");
        }
        html.push_str("</div></section>");
    }
    document("before and after", &html)
}

fn adapted(html: &mut String, shown: &mut Shown, place: &str, fitted: &Fitted, milliseconds: u128) {
    let report = &fitted.report;
    let _ = write!(
        html,
        "<p>{} &rarr; {} on the wire, {}, {milliseconds} ms</p>",
        table::bytes(u64::from(report.wire_bytes_before)),
        table::bytes(u64::from(report.wire_bytes_after)),
        table::outcome(report)
    );
    if let Some(fill) = table::fill(report) {
        let percent = 100.0 * fill;
        let _ = write!(
            html,
            "<div class=\"bar\"><i class=\"k0\" style=\"width:{:.1}%\"></i></div><small>{percent:.1} % of the limit</small>",
            percent.clamp(0.0, 100.0)
        );
    }
    let mut media = media_received(&fitted.content).into_iter();
    for part in &report.parts {
        let data = if part.action() == Action::Drop { None } else { media.next() };
        one_part(html, shown, place, part, data.as_ref());
    }
}

fn one_part(
    html: &mut String,
    shown: &mut Shown,
    place: &str,
    part: &PartReport,
    data: Option<&Bytes>,
) {
    html.push_str("<figure>");
    if let Some(data) = data {
        image(html, shown, data, place);
    }
    let _ = write!(
        html,
        "<figcaption>{}</figcaption><ul class=\"why\">",
        escape(&table::part_line(part))
    );
    for reason in &part.reasons {
        let words = reason.code().as_str_name().trim_start_matches("REASON_CODE_");
        let words = words.to_ascii_lowercase().replace('_', " ");
        let _ = write!(html, "<li>{words} <small>{}</small></li>", escape(&reason.detail));
    }
    html.push_str("</ul></figure>");
}

/// Where each image stands first: samples share their photos, and the page need not repeat them.
type Shown = HashMap<Bytes, String>;

/// The image itself where browsers show its format, or where it was shown already.
fn image(html: &mut String, shown: &mut Shown, data: &Bytes, place: &str) {
    let media_type = match data.as_ref() {
        [0xff, 0xd8, ..] => "image/jpeg",
        [0x89, b'P', b'N', b'G', ..] => "image/png",
        [b'G', b'I', b'F', b'8', ..] => "image/gif",
        [b'B', b'M', ..] => "image/bmp",
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => "image/webp",
        _ => return,
    };
    match shown.entry(data.clone()) {
        Entry::Occupied(first) => {
            let _ = write!(html, "<p><small>the image of {}</small></p>", escape(first.get()));
            return;
        }
        Entry::Vacant(first) => {
            first.insert(place.to_owned());
        }
    }
    let _ = write!(
        html,
        "<div class=\"stage\"><img alt=\"{}\" src=\"data:{media_type};base64,{}\"></div>",
        escape(place),
        BASE64_STANDARD.encode(data)
    );
}

fn media_sent(sample: &Sample) -> Vec<Bytes> {
    match &sample.content {
        adapt_request::Content::MmsPdu(bytes) => leaves(bytes, Message::parse_pdu),
        adapt_request::Content::Mime(bytes) => leaves(bytes, Message::parse_mime),
        adapt_request::Content::Message(message) => {
            message.parts.iter().map(|part| part.data.clone()).collect()
        }
    }
}

fn media_received(content: &adapt_response::Content) -> Vec<Bytes> {
    match content {
        adapt_response::Content::MmsPdu(bytes) => leaves(bytes, Message::parse_pdu),
        adapt_response::Content::Mime(bytes) => leaves(bytes, Message::parse_mime),
        adapt_response::Content::Message(message) => {
            message.parts.iter().map(|part| part.data.clone()).collect()
        }
    }
}

/// The media of a message in order; none if it cannot be read: the page goes without.
fn leaves<E>(bytes: &Bytes, parse: fn(Bytes, &ParseLimits) -> Result<Message, E>) -> Vec<Bytes> {
    parse(bytes.clone(), &ParseLimits::default())
        .map(|message| message.parts().iter().map(|part| part.data.clone()).collect())
        .unwrap_or_default()
}
