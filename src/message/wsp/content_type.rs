//! Content-type-values and their parameters (WAP-230 §8.4.2.24, table 38).

use super::{Bad, Reader, put_integer, put_text, put_value_length, unquote};
use crate::message::octets::lossy;
use crate::message::tables::{self, ParamValue};

/// One parameter of a content type or disposition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::message) struct Param {
    /// Lower case; empty where the code is unknown.
    pub name: String,
    /// As text.
    pub value: String,
    /// The octets as they came; none for one that we made.
    pub raw: Option<Vec<u8>>,
}

/// A Content-type-value.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::message) struct ContentType {
    /// The media type as it was spelt or is assigned.
    pub media: String,
    /// The well-known code, where it was one.
    pub code: Option<u64>,
    /// Parameters in order.
    pub params: Vec<Param>,
}

impl ContentType {
    pub fn param(&self, name: &str) -> Option<&str> {
        self.params.iter().find(|param| param.name == name).map(|param| param.value.as_str())
    }

    /// From the textual form `type/subtype; name=value`.
    pub fn from_text(text: &str) -> Self {
        let (media, params) = crate::message::header::split_params(text);
        Self {
            media,
            code: None,
            params: params
                .into_iter()
                .map(|(name, value)| Param { name, value, raw: None })
                .collect(),
        }
    }

    /// The textual form.
    pub fn to_text(&self) -> String {
        let mut text = self.media.clone();
        for param in self.params.iter().filter(|param| !param.name.is_empty()) {
            text.push_str("; ");
            crate::message::header::push_param(&mut text, &param.name, &param.value);
        }
        text
    }

    /// Constrained-media without parameters, else the general form (mms-pdu.md §5 rule 1).
    pub fn put(&self, out: &mut Vec<u8>) {
        let mut media = Vec::new();
        match tables::media_code(&self.media) {
            Some(code) => media.push(0x80 | code),
            None => put_text(&mut media, &self.media),
        }
        if self.params.is_empty() {
            out.extend(media);
            return;
        }
        for param in &self.params {
            put_param(&mut media, param);
        }
        put_value_length(out, media.len());
        out.extend(media);
    }
}

/// A parameter under the codes that every real sample uses (mms-pdu.md §4).
pub(in crate::message) fn put_param(out: &mut Vec<u8>, param: &Param) {
    if let Some(raw) = &param.raw {
        out.extend(raw);
        return;
    }
    let code = match param.name.as_str() {
        "charset" => {
            if let Some(mib) = tables::charset_mib(&param.value) {
                out.push(0x81);
                put_integer(out, mib);
                return;
            }
            None
        }
        "name" => Some(0x85),
        "filename" => Some(0x86),
        "type" => Some(0x89),
        "start" => Some(0x8A),
        "start-info" => Some(0x8B),
        _ => None,
    };
    match code {
        Some(code) => out.push(code),
        None => put_text(out, &param.name),
    }
    put_text(out, &param.value);
}

/// Reads a Content-type-value. Unreadable parameters end the list; they are not an error.
pub(in crate::message) fn content_type(reader: &mut Reader<'_>) -> Result<ContentType, Bad> {
    match reader.peek()? {
        0..=31 => {
            let length = reader.value_length()?;
            let mut inner = Reader::new(reader.take(length)?);
            let (media, code) = media(&mut inner).unwrap_or_default();
            Ok(ContentType { media, code, params: params(&mut inner) })
        }
        _ => {
            let (media, code) = media(reader)?;
            Ok(ContentType { media, code, params: Vec::new() })
        }
    }
}

fn media(reader: &mut Reader<'_>) -> Result<(String, Option<u64>), Bad> {
    match reader.peek()? {
        32..=127 => Ok((lossy(unquote(reader.text()?)), None)),
        _ => {
            let code = reader.integer()?;
            Ok((tables::media_name(code).unwrap_or("application/octet-stream").into(), Some(code)))
        }
    }
}

/// Parameters up to the end of `reader` or the first unreadable one, kept raw all the same.
pub(in crate::message) fn params(reader: &mut Reader<'_>) -> Vec<Param> {
    let mut list = Vec::new();
    while !reader.is_empty() {
        let mut probe = *reader;
        let read = one_param(&mut probe);
        let raw =
            reader.take(if read.is_ok() { probe.at() - reader.at() } else { reader.remaining() });
        let (name, value) = read.unwrap_or_default();
        list.push(Param { name, value, raw: raw.ok().map(<[u8]>::to_vec) });
    }
    list
}

fn one_param(reader: &mut Reader<'_>) -> Result<(String, String), Bad> {
    let (name, kind) = match reader.peek()? {
        32..=127 => (lossy(reader.text()?).to_ascii_lowercase(), ParamValue::Text),
        _ => {
            let (name, kind) = tables::param(reader.integer()?);
            (name.to_owned(), kind)
        }
    };
    let value = match (kind, reader.peek()?) {
        (ParamValue::Charset, 0x80) => {
            reader.octet()?;
            String::new()
        }
        (ParamValue::Charset, 0..=31 | 0x81..) => {
            tables::charset_name(reader.integer()?).unwrap_or("").to_owned()
        }
        (ParamValue::Media, 0..=31 | 0x80..) => {
            tables::media_name(reader.integer()?).unwrap_or("").to_owned()
        }
        (ParamValue::Other, _) | (_, 1..=31) => {
            reader.value()?;
            String::new()
        }
        // A textual parameter may hold an integer; a well-known one only text.
        (ParamValue::Text, 0x80..) if name == "charset" => {
            tables::charset_name(reader.integer()?).unwrap_or("").to_owned()
        }
        (_, 0) => {
            reader.octet()?;
            String::new()
        }
        _ => lossy(unquote(reader.text()?)),
    };
    Ok((name, value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_types_keep_what_they_do_not_know() {
        let raw = b"\x1f\x23\xb3\x8a<tomslot.smil>\0\x89application/smil\0";
        let mut reader = Reader::new(raw);
        let ct = content_type(&mut reader).unwrap();
        assert!(reader.is_empty());
        assert_eq!(ct.media, "application/vnd.wap.multipart.related");
        assert_eq!(ct.param("start"), Some("<tomslot.smil>"));
        assert_eq!(ct.param("type"), Some("application/smil"));
        let mut out = Vec::new();
        ct.put(&mut out);
        assert_eq!(out, raw);

        let old = content_type(&mut Reader::new(b"\x0c\x83\x85mms.txt\0\x81\xea")).unwrap();
        assert_eq!(old.to_text(), "text/plain; name=mms.txt; charset=utf-8");
        let new = content_type(&mut Reader::new(b"\x07\x83\x97\"a.t\0")).unwrap();
        assert_eq!(new.param("name"), Some("a.t"));
        assert_eq!(content_type(&mut Reader::new(b"\xff")).unwrap().code, Some(0x7F));
    }
}
