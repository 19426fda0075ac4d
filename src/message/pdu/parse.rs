//! Reading PDUs: every quirk of mms-pdu.md §7 is input like any other.

use bytes::Bytes as Buffer;

use super::{Body, Entry, EntryBody, HeadField, Multi, Pdu, TypeValue, entry, headers};
use crate::{
    message::{
        MessageError, ParseLimits,
        leaf::Leaf,
        wsp::{self, Bad, ContentType, Reader},
    },
    model::{MediaType, PartId},
};

/// M-Send.req and M-Retrieve.conf: the types whose bodies we adapt.
const ADAPTED: [u8; 2] = [0x80, 0x84];

/// Reads a PDU of any type.
pub(in crate::message) fn parse(bytes: Buffer, limits: &ParseLimits) -> Result<Pdu, MessageError> {
    let [headers::MESSAGE_TYPE, kind @ 0x80..=0xFF, ..] = bytes[..] else {
        return Err(MessageError::NotAMessage {
            detail: "an MMS PDU starts with X-Mms-Message-Type".into(),
        });
    };
    let adapted = ADAPTED.contains(&kind);
    let mut fields = Vec::new();
    let mut reader = Reader::new(&bytes);
    let mut content_type = None;
    while !reader.is_empty() {
        if reader.at() > limits.max_header_bytes {
            if adapted {
                return Err(MessageError::HeaderTooLarge {
                    limit: limits.max_header_bytes,
                    part: None,
                });
            }
            break;
        }
        if reader.peek() == Ok(headers::CONTENT_TYPE) {
            if !adapted {
                break;
            }
            let read = reader.octet().and_then(|_| {
                let start = reader.at();
                wsp::content_type(&mut reader).map(|parsed| (start, parsed))
            });
            content_type = Some(read.map_err(malformed)?);
            break;
        }
        match field(&mut reader) {
            Ok(found) => fields.push(found),
            Err(bad) if adapted => return Err(malformed(bad)),
            Err(_) => break,
        }
    }
    let Some((start, parsed)) = content_type else {
        return Ok(Pdu { kind, head: bytes, fields, content_type: None, body: Body::None });
    };
    let at = reader.at();
    if at - start > limits.max_header_bytes {
        return Err(MessageError::HeaderTooLarge { limit: limits.max_header_bytes, part: None });
    }
    let body = bytes.slice(at..);
    let mut walk = Walk { limits, leaves: 0 };
    let body = walk.body(body, at, &parsed)?;
    Ok(Pdu {
        kind,
        head: bytes.slice(..start),
        fields,
        content_type: Some(TypeValue { raw: bytes.slice(start..at), parsed }),
        body,
    })
}

fn malformed(bad: Bad) -> MessageError {
    MessageError::malformed(bad.offset, bad.what)
}

fn field(reader: &mut Reader<'_>) -> Result<HeadField, Bad> {
    let (code, name) = match reader.peek()? {
        32..=126 => (None, crate::message::octets::lossy(reader.text()?)),
        0x80.. => (Some(reader.octet()?), String::new()),
        _ => return reader.bad("header field expected"),
    };
    let start = reader.at();
    if code.is_some_and(headers::is_textual) {
        reader.text_like()?
    } else {
        reader.value()?
    };
    Ok(HeadField { code, name, value: start..reader.at() })
}

/// How a content type may be followed by a multipart.
enum Promise {
    /// It says so.
    Multipart,
    /// It is a code that wrong encoders use for one (quirk 10), or no medium at all.
    Perhaps,
    No,
}

fn promise(content_type: &ContentType) -> Promise {
    let media = MediaType::fold(&content_type.media);
    match media.as_str() {
        "multipart/mixed"
        | "multipart/related"
        | "multipart/alternative"
        | "multipart/*"
        | "application/vnd.wap.multipart.*" => Promise::Multipart,
        _ if media.is_multipart() => Promise::No,
        _ => match media.top_level() {
            "text" | "image" | "audio" | "video" | "message" => Promise::No,
            _ => Promise::Perhaps,
        },
    }
}

struct Walk<'a> {
    limits: &'a ParseLimits,
    leaves: usize,
}

impl Walk<'_> {
    fn part(&self) -> PartId {
        PartId(u32::try_from(self.leaves).unwrap_or(u32::MAX))
    }

    fn body(
        &mut self,
        body: Buffer,
        base: usize,
        content_type: &ContentType,
    ) -> Result<Body, MessageError> {
        match promise(content_type) {
            Promise::Multipart => return self.multi(&body, base, 0).map(Body::Multi),
            Promise::Perhaps => {
                let strict = ParseLimits { lenient: false, ..*self.limits };
                let mut probe = Walk { limits: &strict, leaves: 0 };
                if let Ok(multi) = probe.multi(&body, base, 0)
                    && multi.tail.is_empty()
                    && !multi.entries.is_empty()
                {
                    return Ok(Body::Multi(multi));
                }
            }
            Promise::No => {}
        }
        let leaf = Leaf::new(entry::handles(content_type), body.clone());
        Ok(Body::Whole(Box::new(leaf), body))
    }

    fn multi(&mut self, body: &Buffer, base: usize, depth: usize) -> Result<Multi, MessageError> {
        if depth > self.limits.max_nesting {
            return Err(MessageError::NestedTooDeep { limit: self.limits.max_nesting });
        }
        let mut reader = Reader::new(body);
        let bad = |bad: Bad| MessageError::malformed(base.saturating_add(bad.offset), bad.what);
        if reader.is_empty() && self.limits.lenient {
            let count = Buffer::new();
            return Ok(Multi { count, entries: Vec::new(), tail: Buffer::new() });
        }
        let number = reader.uintvar().map_err(bad)? as usize;
        let count = body.slice(..reader.at());
        // An entry takes at least its two lengths.
        if number > reader.remaining() / 2 && !self.limits.lenient {
            return Err(MessageError::malformed(base, "more entries than octets"));
        }
        if number > self.limits.max_parts {
            return Err(MessageError::TooManyParts { limit: self.limits.max_parts });
        }
        let mut entries = Vec::with_capacity(number.min(64));
        for _ in 0..number {
            if reader.is_empty() && self.limits.lenient {
                break;
            }
            entries.push(self.entry(body, &mut reader, base, depth)?);
        }
        Ok(Multi { count, entries, tail: body.slice(reader.at()..) })
    }

    fn entry(
        &mut self,
        body: &Buffer,
        reader: &mut Reader<'_>,
        base: usize,
        depth: usize,
    ) -> Result<Entry, MessageError> {
        let part = self.part();
        let start = reader.at();
        let truncated = |_: Bad| MessageError::Truncated { part };
        let wrong = |bad: Bad| MessageError::MalformedPart {
            part,
            offset: base.saturating_add(bad.offset),
            detail: bad.what.into(),
        };
        let header_len = reader.uintvar().map_err(wrong)? as usize;
        let data_len = reader.uintvar().map_err(wrong)? as usize;
        if header_len > self.limits.max_header_bytes {
            return Err(MessageError::HeaderTooLarge {
                limit: self.limits.max_header_bytes,
                part: Some(part),
            });
        }
        let header_at = reader.at();
        reader.take(header_len).map_err(truncated)?;
        let data_at = reader.at();
        let data_len =
            if self.limits.lenient { data_len.min(reader.remaining()) } else { data_len };
        reader.take(data_len).map_err(truncated)?;
        let header = body.slice(header_at..data_at);
        let data = body.slice(data_at..reader.at());
        let raw = Some(body.slice(start..reader.at()));
        let (content_type, _) = entry::content_type(&header);
        if matches!(promise(&content_type), Promise::Multipart) {
            let before = self.leaves;
            match self.multi(&data, base.saturating_add(data_at), depth + 1) {
                Ok(multi) => return Ok(Entry { raw, header, body: EntryBody::Multi(multi) }),
                // Not WSP inside (MIME text, or broken): it passes as one opaque part.
                Err(
                    MessageError::Malformed { .. }
                    | MessageError::MalformedPart { .. }
                    | MessageError::Truncated { .. },
                ) => self.leaves = before,
                Err(limit) => return Err(limit),
            }
        }
        if self.leaves >= self.limits.max_parts {
            return Err(MessageError::TooManyParts { limit: self.limits.max_parts });
        }
        self.leaves += 1;
        let leaf = entry::view(&header, &data);
        Ok(Entry { raw, header, body: EntryBody::Leaf(Box::new(leaf), data) })
    }
}
