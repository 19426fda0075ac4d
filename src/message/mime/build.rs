//! Writing a message of another form as MIME (mms-pdu.md §8).

use bytes::Bytes as Buffer;

use super::{
    Body, Encoding, Entity, LeafBody, Multi, Style, Wire,
    boundary::contains,
    edit,
    header::{encode_words, split_params},
};
use crate::message::{leaf::Leaf, neutral::Neutral};

/// A multipart around the leaves of `neutral`. `Style::Own` is written as base64.
pub(in crate::message) fn build(neutral: &Neutral, style: Style) -> Entity {
    let mut children: Vec<Entity> = neutral.leaves.iter().map(|leaf| child(leaf, style)).collect();
    let boundary = boundary(&children);
    let mut head = String::new();
    for (name, value) in &listed_once(&neutral.headers) {
        let lower = name.to_ascii_lowercase();
        let token = name.bytes().all(|b| b.is_ascii_graphic() && b != b':');
        // The size that a PDU states is its own.
        let ours = lower.starts_with("content-")
            || ["mime-version", "x-mms-message-size"].contains(&lower.as_str());
        if !name.is_empty() && token && !ours && !value.is_empty() {
            head.push_str(&format!("{name}: {}\r\n", encode_words(value)));
        }
    }
    head.push_str("MIME-Version: 1.0\r\n");
    let mut params = Vec::new();
    if let Some(root) = neutral.root() {
        params.push(("type".to_owned(), root.part.declared.as_str().to_owned()));
        if let Some(id) = &root.part.content_id {
            params.push(("start".to_owned(), format!("<{id}>")));
        }
    }
    params.push(("boundary".to_owned(), boundary.clone()));
    head.push_str(&format!("Content-Type: {}\r\n\r\n", edit::content_type(neutral.kind, &params)));
    let leads = (0..children.len())
        .map(|at| {
            let eol = if at == 0 { "" } else { "\r\n" };
            Buffer::from(format!("{eol}--{boundary}\r\n"))
        })
        .collect();
    children.shrink_to_fit();
    let multi = Multi {
        close: format!("\r\n--{boundary}--\r\n").into(),
        boundary,
        sealed: None,
        preamble: Buffer::new(),
        leads,
        children,
    };
    Entity { head: head.into(), body: Body::Multi(multi) }
}

/// Addresses of one kind in one header each (RFC 5322 clause 3.6): a PDU has a field for each.
fn listed_once(headers: &[(String, String)]) -> Vec<(String, String)> {
    let mut list: Vec<(String, String)> = Vec::with_capacity(headers.len());
    for (name, value) in headers {
        let many = ["to", "cc", "bcc"].contains(&name.to_ascii_lowercase().as_str());
        match list.iter_mut().find(|(known, _)| many && known.eq_ignore_ascii_case(name)) {
            Some((_, all)) => {
                all.push_str(", ");
                all.push_str(value);
            }
            None => list.push((name.clone(), value.clone())),
        }
    }
    list
}

/// The first numbered boundary that no body holds: all are of one length.
fn boundary(children: &[Entity]) -> String {
    let mut number = 0u32;
    loop {
        let boundary = format!("=_mmsfit_{number:08x}");
        let mark = format!("--{boundary}");
        let mut clash = false;
        for child in children {
            child.visit(&mut |body| {
                if let Wire::Raw(raw) = &body.wire {
                    clash |= contains(raw, mark.as_bytes());
                }
            });
        }
        if !clash || number == u32::MAX {
            return boundary;
        }
        number += 1;
    }
}

fn child(leaf: &Leaf, style: Style) -> Entity {
    let (main, mut params) = split_params(&leaf.content_type);
    let main: String = main.chars().filter(char::is_ascii_graphic).collect();
    let main = if main.contains('/') { main } else { "application/octet-stream".to_owned() };
    params.retain(|(name, _)| !matches!(name.as_str(), "name" | "boundary"));
    if let Some(charset) = &leaf.part.charset
        && !params.iter().any(|(name, _)| name == "charset")
    {
        params.push(("charset".into(), charset.clone()));
    }
    if let Some(name) = &leaf.name {
        params.push(("name".into(), name.clone()));
    }
    let mut head = format!("Content-Type: {}\r\n", edit::content_type(&main, &params));
    if let Some(id) = &leaf.part.content_id {
        let id: String = id.chars().filter(|c| !c.is_control()).collect();
        head.push_str(&format!("Content-ID: <{id}>\r\n"));
    }
    if let Some(location) = &leaf.part.content_location {
        head.push_str(&format!("Content-Location: {}\r\n", encode_words(location)));
    }
    if let Some(filename) = &leaf.filename {
        let params = [("filename".to_owned(), filename.clone())];
        head.push_str(&format!(
            "Content-Disposition: {}\r\n",
            edit::content_type("attachment", &params)
        ));
    }
    let data = leaf.part.data.clone();
    let text = leaf.part.declared.top_level() == "text" || leaf.is_presentation();
    let (encoding, spelt, wire) = match style {
        Style::Binary => (Encoding::Binary, "binary", Wire::Raw(data)),
        _ if text && !leaf.fresh && seven_bit(&data) => (Encoding::Text, "7bit", Wire::Raw(data)),
        _ => (Encoding::Base64, "base64", Wire::Base64(data)),
    };
    head.push_str(&format!("Content-Transfer-Encoding: {spelt}\r\n\r\n"));
    let body = LeafBody { leaf: leaf.clone(), encoding, wire, anew: true };
    Entity { head: head.into(), body: Body::Leaf(Box::new(body)) }
}

/// Whether SMTP leaves the bytes alone: ASCII lines of at most 998 characters that end in CRLF
/// (RFC 2045 §2.7).
fn seven_bit(data: &[u8]) -> bool {
    let mut line = 0;
    let mut before = 0u8;
    for &byte in data {
        if byte == 0 || byte >= 0x80 || (byte == b'\n') != (before == b'\r') {
            return false;
        }
        line = if byte == b'\n' { 0 } else { line + 1 };
        if line > 998 {
            return false;
        }
        before = byte;
    }
    before != b'\r'
}
