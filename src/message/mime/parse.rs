//! Reading MIME: tolerant of line ends, missing last boundaries, and lying lengths.

use bytes::Bytes as Buffer;

use super::{
    Body, Encoding, Entity, LeafBody, Multi, Wire,
    header::{self, line_end},
    leaf, soap,
};
use crate::{
    message::{
        MessageError, ParseLimits,
        leaf::{Handles, Leaf},
        octets::lossy,
    },
    model::{MediaType, PartId},
};

struct Context<'a> {
    limits: &'a ParseLimits,
    leaves: usize,
    entities: usize,
    enveloped: bool,
}

impl Context<'_> {
    fn part(&self) -> PartId {
        PartId(u32::try_from(self.leaves).unwrap_or(u32::MAX))
    }
}

/// Reads an entity with its headers, an HTTP start line before them or not.
pub(in crate::message) fn parse(
    bytes: Buffer,
    limits: &ParseLimits,
) -> Result<Entity, MessageError> {
    // The line of an mbox file before a mail (RFC 4155) is none of the mail's.
    let mbox = bytes.starts_with(b"From ") && !bytes.starts_with(b"From :");
    let bytes = if mbox { bytes.slice(header::line_end(&bytes, 0)..) } else { bytes };
    let text = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(&bytes).trim_ascii_start();
    if text.starts_with(b"<") {
        if soap::is_envelope(text) {
            return Ok(bare_envelope(&bytes));
        }
        return Err(MessageError::NotAMessage { detail: "markup instead of header fields".into() });
    }
    let head = &bytes[..header::block_len(&bytes).unwrap_or(bytes.len())];
    if head.len() > limits.max_header_bytes {
        return Err(MessageError::HeaderTooLarge { limit: limits.max_header_bytes, part: None });
    }
    let fields = header::fields(head);
    let known = ["content-type", "mime-version", "from", "to", "subject"];
    if !fields.iter().any(|field| known.contains(&field.name.as_str())) {
        return Err(MessageError::NotAMessage {
            detail: "no MIME header fields at its start".into(),
        });
    }
    let mut context = Context { limits, leaves: 0, entities: 0, enveloped: false };
    context.entity(bytes, 0, 0)
}

/// A SOAP envelope alone, without so much as the header of its request: reports of MM7 are such,
/// and pass as they are.
fn bare_envelope(bytes: &Buffer) -> Entity {
    let handles = Handles { content_type: "text/xml".into(), ..Handles::default() };
    let body = LeafBody {
        leaf: enveloping(Leaf::new(handles, bytes.clone())),
        encoding: Encoding::Binary,
        wire: Wire::Raw(bytes.clone()),
        anew: false,
    };
    Entity { head: Buffer::new(), body: Body::Leaf(Box::new(body)) }
}

fn enveloping(mut leaf: Leaf) -> Leaf {
    (leaf.envelope, leaf.part.opaque) = (true, true);
    leaf
}

impl Context<'_> {
    /// `bytes` is the whole entity; `base` its offset in the input.
    fn entity(&mut self, bytes: Buffer, base: usize, depth: usize) -> Result<Entity, MessageError> {
        self.entities += 1;
        if self.entities > self.limits.max_parts.saturating_mul(2).saturating_add(8) {
            return Err(MessageError::TooManyParts { limit: self.limits.max_parts });
        }
        let head_len = match header::block_len(&bytes) {
            Some(length) => length,
            None if starts_with_field(&bytes) => bytes.len(),
            None => 0,
        };
        if head_len > self.limits.max_header_bytes {
            return Err(MessageError::HeaderTooLarge {
                limit: self.limits.max_header_bytes,
                part: Some(self.part()),
            });
        }
        let head = bytes.slice(..head_len);
        let body = bytes.slice(head_len..);
        let content_type = header::fields(&head)
            .into_iter()
            .find(|field| field.name == "content-type")
            .map(|field| field.value)
            .unwrap_or_default();
        let media = MediaType::fold(&content_type);
        let descend = media.as_str().starts_with("multipart/")
            && !matches!(
                media.as_str(),
                "multipart/signed" | "multipart/encrypted" | "multipart/byteranges"
            );
        if descend {
            if depth > self.limits.max_nesting {
                return Err(MessageError::NestedTooDeep { limit: self.limits.max_nesting });
            }
            let (_, params) = header::split_params(&content_type);
            let stated = params.into_iter().find(|(name, _)| name == "boundary").map(|(_, b)| b);
            // A transfer encoding on a multipart is illegal (RFC 2045 §6.4) and not followed.
            match stated.filter(|b| !b.is_empty()).or_else(|| guess_boundary(&body)) {
                Some(boundary) => {
                    let multi = self.multi(body, base + head_len, boundary, depth)?;
                    return Ok(Entity { head, body: Body::Multi(multi) });
                }
                // A report whose sender calls everything a multipart.
                None if soap::is_envelope(body.trim_ascii_start()) => {}
                None => {
                    return Err(MessageError::malformed(base, "multipart without a boundary"));
                }
            }
        }
        if media.as_str() == "message/rfc822"
            && depth <= self.limits.max_nesting
            && let Some(multi) = self.mail(&head, &body, base + head_len, depth)?
        {
            return Ok(Entity { head, body: Body::Multi(multi) });
        }
        if self.leaves >= self.limits.max_parts {
            return Err(MessageError::TooManyParts { limit: self.limits.max_parts });
        }
        Ok(Entity { body: Body::Leaf(Box::new(self.leaf(&head, body))), head })
    }

    /// A mail in this one. What is none, or a damaged one, stays sealed.
    fn mail(
        &mut self,
        head: &Buffer,
        body: &Buffer,
        base: usize,
        depth: usize,
    ) -> Result<Option<Multi>, MessageError> {
        let encoding = encoding(head);
        let coded = matches!(encoding, Encoding::Base64 | Encoding::QuotedPrintable);
        let mail = if coded { encoding.decode(body) } else { body.clone() };
        if !starts_with_field(&mail) {
            return Ok(None);
        }
        let (leaves, entities, enveloped) = (self.leaves, self.entities, self.enveloped);
        // An envelope in it is none of this message.
        self.enveloped = true;
        let inner = self.entity(mail, base, depth + 1);
        self.enveloped = enveloped;
        match inner {
            Ok(inner) => Ok(Some(Multi::mail(inner, coded.then(|| body.clone())))),
            Err(error @ MessageError::TooManyParts { .. }) => Err(error),
            Err(_) => {
                (self.leaves, self.entities) = (leaves, entities);
                Ok(None)
            }
        }
    }

    fn leaf(&mut self, head: &Buffer, body: Buffer) -> LeafBody {
        self.leaves += 1;
        let encoding = encoding(head);
        let mut leaf = leaf(head, encoding.decode(&body));
        let declared = &leaf.part.declared;
        let xml =
            matches!(declared.as_str(), "text/xml" | "application/xml" | "application/soap+xml")
                || declared.is_multipart();
        if xml && !self.enveloped && soap::is_envelope(leaf.part.data.trim_ascii_start()) {
            self.enveloped = true;
            leaf = enveloping(leaf);
        }
        LeafBody { leaf, encoding, wire: Wire::Raw(body), anew: false }
    }

    fn multi(
        &mut self,
        body: Buffer,
        base: usize,
        boundary: String,
        depth: usize,
    ) -> Result<Multi, MessageError> {
        let mut multi = Multi {
            boundary,
            preamble: Buffer::new(),
            leads: Vec::new(),
            children: Vec::new(),
            close: Buffer::new(),
            sealed: None,
        };
        let mark = format!("--{}", multi.boundary);
        let mut at = 0;
        // Where the child that is being read starts, once a delimiter was seen.
        let mut child: Option<usize> = None;
        while at < body.len() {
            let end = line_end(&body, at);
            let Some(last) = delimiter(&body[at..end], mark.as_bytes()) else {
                at = end;
                continue;
            };
            let before = &body[child.unwrap_or(0)..at];
            let eol = match before {
                [.., b'\r', b'\n'] => 2,
                [.., b'\n'] => 1,
                _ => 0,
            };
            let lead = at - eol;
            match child {
                Some(start) => {
                    multi.children.push(self.entity(
                        body.slice(start..lead),
                        base + start,
                        depth + 1,
                    )?);
                }
                None => multi.preamble = body.slice(..lead),
            }
            if last {
                multi.close = body.slice(lead..);
                return Ok(multi);
            }
            multi.leads.push(body.slice(lead..end));
            child = Some(end);
            at = end;
        }
        let Some(start) = child else {
            return Err(MessageError::malformed(base, "no delimiter of the multipart's boundary"));
        };
        let entity = self.entity(body.slice(start..), base + start, depth + 1)?;
        if !self.limits.lenient && !complete(&entity) {
            let last = self.leaves.saturating_sub(1);
            return Err(MessageError::Truncated { part: PartId(last as u32) });
        }
        multi.children.push(entity);
        Ok(multi)
    }
}

fn encoding(head: &[u8]) -> Encoding {
    header::fields(head)
        .iter()
        .find(|field| field.name == "content-transfer-encoding")
        .map_or(Encoding::Text, |field| Encoding::parse(Some(&field.value)))
}

/// Whether `line` is a delimiter, and if so whether the last one. `--ab` is none of `--a`.
fn delimiter(line: &[u8], mark: &[u8]) -> Option<bool> {
    let rest = line.strip_prefix(mark)?.trim_ascii();
    match rest {
        b"" => Some(false),
        b"--" => Some(true),
        _ => None,
    }
}

/// The boundary that the first line of the body uses.
fn guess_boundary(body: &[u8]) -> Option<String> {
    let text = body.trim_ascii_start();
    let line = text[..line_end(text, 0)].trim_ascii_end().strip_prefix(b"--")?;
    (!line.is_empty() && line.len() <= 200).then(|| lossy(line))
}

fn starts_with_field(bytes: &[u8]) -> bool {
    let line = &bytes[..line_end(bytes, 0)];
    line.iter().position(|&b| b == b':').is_some_and(|colon| {
        colon > 0 && line[..colon].iter().all(|b| b.is_ascii_alphanumeric() || *b == b'-')
    })
}

/// Whether an entity that the end of the input cut shows no sign of it.
fn complete(entity: &Entity) -> bool {
    match &entity.body {
        Body::Multi(multi) => !multi.close.is_empty() || multi.children.last().is_none_or(complete),
        Body::Leaf(body) => match (&body.wire, body.encoding) {
            (Wire::Raw(raw), Encoding::Base64) => {
                let chars = raw.iter().filter(|b| !b.is_ascii_whitespace()).count();
                chars > 0 && chars % 4 == 0
            }
            (_, Encoding::Binary) => false,
            _ => {
                let top = body.leaf.part.declared.top_level();
                top == "text" || body.leaf.is_presentation()
            }
        },
    }
}
