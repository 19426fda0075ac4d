//! Headers of one multipart entry (WAP-230 §8.5.3): read, and rewritten where they change.

use std::ops::Range;

use bytes::Bytes as Buffer;

use crate::{
    message::{
        edits::Change,
        leaf::{Handles, Leaf},
        transfer::Encoding,
        wsp::{self, ContentType, Param, Reader},
    },
    model::MediaType,
};

/// One header of an entry.
#[derive(Debug)]
struct Header {
    /// The well-known code without its top bit; none for textual names.
    code: Option<u8>,
    /// The textual name, lower case.
    name: String,
    whole: Range<usize>,
    value: Range<usize>,
}

impl Header {
    fn is(&self, code: u8, name: &str) -> bool {
        self.code == Some(code) || self.name == name
    }
}

const CONTENT_ENCODING: u8 = 0x0B;
const CONTENT_LENGTH: u8 = 0x0D;
const CONTENT_LOCATION: u8 = 0x0E;
const CONTENT_MD5: u8 = 0x0F;
const CONTENT_DISPOSITION_OLD: u8 = 0x2E;
const CONTENT_ID: u8 = 0x40;
const CONTENT_DISPOSITION: u8 = 0x45;

/// The headers behind the content type; the list ends where one cannot be read.
fn scan(bytes: &[u8], from: usize) -> Vec<Header> {
    let mut list = Vec::new();
    let mut reader = Reader::new(bytes);
    if reader.take(from).is_err() {
        return list;
    }
    while !reader.is_empty() {
        let start = reader.at();
        let Some(mut header) = one(&mut reader) else { break };
        header.whole = start..reader.at();
        list.push(header);
    }
    list
}

fn one(reader: &mut Reader<'_>) -> Option<Header> {
    let (code, name) = match reader.peek().ok()? {
        // Shift to another code page: the headers behind it are not ours to read.
        0..=31 | 127 => return None,
        32..=126 => (None, crate::message::octets::lossy(reader.text().ok()?).to_ascii_lowercase()),
        _ => (Some(reader.octet().ok()? & 0x7F), String::new()),
    };
    let start = reader.at();
    match code {
        Some(CONTENT_LOCATION | CONTENT_ID) => reader.text_like(),
        _ => reader.value(),
    }
    .ok()?;
    Some(Header { code, name, whole: start..start, value: start..reader.at() })
}

/// The content type of an entry and how many octets it takes.
pub(super) fn content_type(header: &[u8]) -> (ContentType, usize) {
    let mut reader = Reader::new(header);
    match wsp::content_type(&mut reader) {
        Ok(content_type) => (content_type, reader.at()),
        Err(_) => (ContentType::default(), header.len()),
    }
}

fn transfer_encoding(header: &[u8], headers: &[Header]) -> Encoding {
    headers.iter().find(|h| h.name == "content-transfer-encoding").map_or(Encoding::Binary, |h| {
        Encoding::parse(Some(&wsp::encoded_string(&header[h.value.clone()])))
    })
}

/// A disposition's value: its kind and parameters.
fn disposition(value: &[u8]) -> Option<(Vec<u8>, Vec<Param>)> {
    let mut reader = Reader::new(value);
    let length = reader.value_length().ok()?;
    let mut inner = Reader::new(reader.take(length).ok()?);
    let kind = match inner.peek().ok()? {
        0x80.. => vec![inner.octet().ok()?],
        _ => {
            let mut kind = Vec::new();
            wsp::put_text(&mut kind, &crate::message::octets::lossy(inner.text().ok()?));
            kind
        }
    };
    Some((kind, wsp::params(&mut inner)))
}

/// What the headers say of a leaf whose body on the wire is `wire`.
pub(super) fn view(header: &[u8], wire: &Buffer) -> Leaf {
    let (content_type, length) = content_type(header);
    let headers = scan(header, length);
    let mut handles = handles(&content_type);
    for entry in &headers {
        let value = &header[entry.value.clone()];
        let text = || wsp::encoded_string(value);
        if entry.is(CONTENT_ID, "content-id") {
            handles.content_id = Some(text());
        } else if entry.is(CONTENT_LOCATION, "content-location") {
            handles.content_location = Some(text());
        } else if entry.is(CONTENT_DISPOSITION, "content-disposition")
            || entry.code == Some(CONTENT_DISPOSITION_OLD)
        {
            let name = match disposition(value) {
                Some((_, params)) => {
                    params.into_iter().find(|p| p.name == "filename").map(|p| p.value)
                }
                None => ContentType::from_text(&text()).param("filename").map(str::to_owned),
            };
            handles.filename = name.or(handles.filename);
        } else if entry.is(CONTENT_ENCODING, "content-encoding") {
            handles.encoded = !text().eq_ignore_ascii_case("identity");
        }
    }
    Leaf::new(handles, transfer_encoding(header, &headers).decode(wire))
}

/// What a content type alone says.
pub(super) fn handles(content_type: &ContentType) -> Handles {
    Handles {
        charset: content_type.param("charset").map(str::to_owned),
        name: content_type.param("name").map(str::to_owned),
        filename: content_type.param("filename").map(str::to_owned),
        content_type: content_type.to_text(),
        ..Handles::default()
    }
}

/// The content type after `change`: parameters that stay are octets as they came.
pub(super) fn retyped(old: &ContentType, change: &Change) -> ContentType {
    let Some(text) = &change.content_type else { return old.clone() };
    let mut fresh = ContentType::from_text(text);
    let text = MediaType::fold(&fresh.media).top_level() == "text";
    for param in &old.params {
        let known = !param.name.is_empty();
        if known && (param.name == "charset" && !text || fresh.param(&param.name).is_some()) {
            continue;
        }
        fresh.params.push(match change.rename(&param.value) {
            Some(new) if matches!(param.name.as_str(), "name" | "filename") => {
                Param { name: param.name.clone(), value: new.to_owned(), raw: None }
            }
            _ => param.clone(),
        });
    }
    fresh
}

/// The entry's headers after `change`: order and unknown headers stay, what would be untrue goes.
pub(super) fn changed(header: &[u8], change: &Change) -> Buffer {
    let (old_type, length) = content_type(header);
    let headers = scan(header, length);
    let mut out = Vec::with_capacity(header.len() + 16);
    if change.content_type.is_some() {
        retyped(&old_type, change).put(&mut out);
    } else {
        out.extend(&header[..length]);
    }
    let mut end = length;
    for entry in &headers {
        end = entry.whole.end;
        let value = &header[entry.value.clone()];
        let field = &header[entry.whole.start..entry.value.start];
        let stale = entry.is(CONTENT_LENGTH, "content-length")
            || entry.is(CONTENT_MD5, "content-md5")
            || entry.name == "content-transfer-encoding"
            || entry.is(CONTENT_ENCODING, "content-encoding");
        if change.data.is_some() && stale {
            continue;
        }
        if entry.is(CONTENT_LOCATION, "content-location")
            && let Some(new) = change.rename(&wsp::encoded_string(value))
        {
            out.extend(field);
            wsp::put_text(&mut out, new);
            continue;
        }
        if (entry.is(CONTENT_DISPOSITION, "content-disposition")
            || entry.code == Some(CONTENT_DISPOSITION_OLD))
            && let Some(new) = renamed_disposition(value, change)
        {
            out.extend(field);
            out.extend(new);
            continue;
        }
        out.extend(&header[entry.whole.clone()]);
    }
    out.extend(&header[end..]);
    out.into()
}

fn renamed_disposition(value: &[u8], change: &Change) -> Option<Vec<u8>> {
    if let Some((kind, mut params)) = disposition(value) {
        let mut renamed = false;
        for param in &mut params {
            if let Some(new) = change.rename(&param.value) {
                param.value = new.to_owned();
                param.raw = None;
                renamed = true;
            }
        }
        let mut inner = kind;
        params.iter().for_each(|param| wsp::put_param(&mut inner, param));
        let mut out = Vec::new();
        wsp::put_value_length(&mut out, inner.len());
        out.extend(inner);
        return renamed.then_some(out);
    }
    let mut text = ContentType::from_text(&wsp::encoded_string(value));
    let mut renamed = false;
    for param in &mut text.params {
        if let Some(new) = change.rename(&param.value) {
            param.value = new.to_owned();
            renamed = true;
        }
    }
    let mut out = Vec::new();
    wsp::put_text(&mut out, &text.to_text());
    renamed.then_some(out)
}

/// The headers of a leaf of another form (mms-pdu.md §5 rule 4).
pub(super) fn built(leaf: &Leaf, location: Option<&str>) -> Vec<u8> {
    let mut content_type = ContentType::from_text(&leaf.content_type);
    content_type.params.retain(|p| !matches!(p.name.as_str(), "name" | "charset" | "boundary"));
    if !content_type.media.contains('/') || !content_type.media.is_ascii() {
        content_type.media = MediaType::OCTETS.as_str().to_owned();
    }
    let known = [("charset", &leaf.part.charset), ("name", &leaf.name)];
    for (at, (name, value)) in
        known.into_iter().filter_map(|(n, v)| Some((n, v.as_ref()?))).enumerate()
    {
        let param = Param { name: name.into(), value: value.clone(), raw: None };
        content_type.params.insert(at, param);
    }
    let mut out = Vec::new();
    content_type.put(&mut out);
    if let Some(id) = &leaf.part.content_id {
        out.extend([0x80 | CONTENT_ID, b'"']);
        out.extend(format!("<{id}>").bytes().filter(|&b| b != 0));
        out.push(0);
    }
    if let Some(location) = location {
        out.push(0x80 | CONTENT_LOCATION);
        wsp::put_text(&mut out, location);
    }
    if let Some(filename) = &leaf.filename {
        // 0x81 attachment, under the code that AOSP and Wireshark know.
        let mut inner = vec![0x81];
        let param = Param { name: "filename".into(), value: filename.clone(), raw: None };
        wsp::put_param(&mut inner, &param);
        out.push(0x80 | CONTENT_DISPOSITION_OLD);
        wsp::put_value_length(&mut out, inner.len());
        out.extend(inner);
    }
    out
}
