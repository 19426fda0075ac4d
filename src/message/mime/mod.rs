//! MIME entities (RFC 5322, 2045, 2046, 2387) and MM7 SOAP with attachments: a tree that holds
//! every byte of the input and emits unchanged entities as they came.

mod boundary;
mod build;
mod edit;
mod mail;
mod parse;
mod rewriter;
mod signature;
#[cfg(test)]
mod tests;

use bytes::Bytes as Buffer;

pub(super) use self::{build::build, parse::parse, signature::SIGNATURES};
use super::{
    alternatives::Shape,
    header::{self, split_params},
    leaf::{Handles, Leaf},
    showing, soap,
    transfer::{self, Encoding},
};
use crate::model::{Framing, MediaType};

/// How media are coded when a message is written for a counting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Style {
    /// As the entities have it.
    Own,
    /// base64 throughout (SMTP).
    Base64,
    /// Binary throughout (HTTP).
    Binary,
}

/// A header block and what follows it.
#[derive(Clone, Debug)]
pub(super) struct Entity {
    /// The header block with its blank line; an HTTP start line where there was one.
    head: Buffer,
    body: Body,
}

#[derive(Clone, Debug)]
enum Body {
    Leaf(Box<LeafBody>),
    Multi(Multi),
}

#[derive(Clone, Debug)]
struct LeafBody {
    leaf: Leaf,
    encoding: Encoding,
    wire: Wire,
    /// Whether the body is written by us: no boundary was chosen for its bytes yet.
    anew: bool,
}

/// The body as it is written.
#[derive(Clone, Debug)]
enum Wire {
    /// These very bytes.
    Raw(Buffer),
    /// base64 lines of these bytes.
    Base64(Buffer),
}

#[derive(Clone, Debug)]
struct Multi {
    boundary: String,
    /// Before the first delimiter.
    preamble: Buffer,
    /// The delimiter in front of each child, with the line end that belongs to it.
    leads: Vec<Buffer>,
    children: Vec<Entity>,
    /// The closing delimiter and the epilogue; empty where the input has none.
    close: Buffer,
    /// What is written instead, as long as no child was changed.
    sealed: Option<Buffer>,
}

impl Entity {
    /// Sorts the parts by rank where the presentation stands; the leaves' old indices in their new
    /// order.
    pub fn reorder(&mut self, ranks: &[usize]) -> Vec<usize> {
        self.reorder_from(0, ranks).unwrap_or_else(|| (0..ranks.len()).collect())
    }

    fn reorder_from(&mut self, first: usize, ranks: &[usize]) -> Option<Vec<usize>> {
        let Body::Multi(multi) = &mut self.body else { return None };
        let count = |child: &Self| child.leaves().len();
        let inner = |child: &mut Self, first| child.reorder_from(first, ranks);
        Some(showing::sort(&mut multi.children, count, inner, first, ranks))
    }

    /// The leaves in order.
    pub fn leaves(&self) -> Vec<&Leaf> {
        let mut list = Vec::new();
        self.visit(&mut |body| list.push(&body.leaf));
        list
    }

    /// Its leaves as they are nested.
    pub fn shape(&self) -> Shape<'_> {
        match &self.body {
            Body::Leaf(body) => Shape::Leaf(&body.leaf),
            Body::Multi(multi) => {
                Shape::Multi(self.media_type(), multi.children.iter().map(Self::shape).collect())
            }
        }
    }

    fn visit<'a>(&'a self, f: &mut impl FnMut(&'a LeafBody)) {
        match &self.body {
            Body::Leaf(body) => f(body),
            Body::Multi(multi) => multi.children.iter().for_each(|child| child.visit(f)),
        }
    }

    pub fn wire_len(&self) -> usize {
        self.head.len() + self.body_len()
    }

    fn body_len(&self) -> usize {
        match &self.body {
            Body::Leaf(body) => match &body.wire {
                Wire::Raw(raw) => raw.len(),
                Wire::Base64(data) => {
                    Framing::Base64.wire(crate::model::Bytes::of(data)).as_usize()
                }
            },
            Body::Multi(Multi { sealed: Some(sealed), .. }) => sealed.len(),
            Body::Multi(multi) => {
                let leads: usize = multi.leads.iter().map(Buffer::len).sum();
                let children: usize = multi.children.iter().map(Self::wire_len).sum();
                multi.preamble.len() + leads + children + multi.close.len()
            }
        }
    }

    pub fn write(&self) -> Buffer {
        let mut out = Vec::with_capacity(self.wire_len());
        self.put(&mut out);
        out.into()
    }

    fn put(&self, out: &mut Vec<u8>) {
        out.extend(&self.head);
        self.put_body(out);
    }

    fn put_body(&self, out: &mut Vec<u8>) {
        match &self.body {
            Body::Leaf(body) => match &body.wire {
                Wire::Raw(raw) => out.extend(raw),
                Wire::Base64(data) => transfer::base64_lines(data, out),
            },
            Body::Multi(Multi { sealed: Some(sealed), .. }) => out.extend(sealed),
            Body::Multi(multi) => {
                out.extend(&multi.preamble);
                for (lead, child) in multi.leads.iter().zip(&multi.children) {
                    out.extend(lead);
                    child.put(out);
                }
                out.extend(&multi.close);
            }
        }
    }

    /// What replaced media cost in the leaf `at` when written in `style`.
    pub fn framing(&self, at: usize, style: Style) -> Framing {
        let mut encodings = Vec::new();
        self.visit(&mut |body| encodings.push(body.encoding));
        match (style, encodings.get(at)) {
            (Style::Own, Some(Encoding::Binary)) | (Style::Binary, _) => Framing::Identity,
            _ => Framing::Base64,
        }
    }

    /// Whether it travels over HTTP as a VASP sends it.
    pub fn is_mm7(&self) -> bool {
        let mut binary = false;
        self.visit(&mut |body| {
            binary |= body.leaf.envelope || body.encoding == Encoding::Binary;
        });
        binary || header::http_start(&self.head)
    }

    /// Message headers, decoded; those of the SOAP envelope after them.
    pub fn headers(&self) -> Vec<(String, String)> {
        let mut list: Vec<(String, String)> = header::fields(&self.head)
            .into_iter()
            .map(|field| {
                let raw = &self.head[field.range];
                let colon = raw.iter().position(|&b| b == b':').unwrap_or(0);
                (super::octets::lossy(&raw[..colon]), header::decode_words(&field.value))
            })
            .collect();
        if let Some(text) = self.envelope() {
            let stated =
                |name: &str| list.iter().any(|(known, _)| known.eq_ignore_ascii_case(name));
            // When a message was sent is told by the envelope, when it was posted by the request.
            let fresh: Vec<_> = soap::headers(&text)
                .into_iter()
                .filter(|(n, _)| n != "Date" || !stated(n))
                .collect();
            list.extend(fresh);
        }
        list
    }

    fn envelope(&self) -> Option<String> {
        let leaf = self.leaves().into_iter().find(|leaf| leaf.envelope)?;
        Some(super::octets::lossy(&leaf.part.data))
    }

    pub fn adaptation_forbidden(&self) -> bool {
        self.envelope().is_some_and(|text| soap::forbids_adaptation(&text))
    }

    /// `multipart/alternative` and the like: the type of the multipart that holds the media.
    pub fn kind(&self) -> String {
        match &self.body {
            Body::Multi(multi) => {
                let mut own = self.media_type();
                if multi
                    .children
                    .iter()
                    .any(|child| matches!(&child.body, Body::Leaf(body) if body.leaf.envelope))
                {
                    own = multi
                        .children
                        .iter()
                        .find(|child| matches!(child.body, Body::Multi(_)))
                        .map_or(MediaType::fold("multipart/mixed"), Self::media_type);
                }
                own.as_str().to_owned()
            }
            Body::Leaf(_) => "multipart/mixed".to_owned(),
        }
    }

    fn media_type(&self) -> MediaType {
        MediaType::fold(&self.field("content-type").unwrap_or_default())
    }

    fn field(&self, name: &str) -> Option<String> {
        header::fields(&self.head)
            .into_iter()
            .find(|field| field.name == name)
            .map(|field| field.value)
    }

    /// Content-ID without brackets.
    fn id(&self) -> Option<String> {
        self.field("content-id").map(|id| super::leaf::bare_id(&id).to_owned())
    }
}

/// The view of a leaf with header block `head`.
fn leaf(head: &[u8], data: Buffer) -> Leaf {
    let mut handles = Handles::default();
    for field in header::fields(head) {
        match field.name.as_str() {
            "content-type" => {
                let (_, params) = split_params(&field.value);
                for (name, value) in params {
                    match name.as_str() {
                        "name" => handles.name = Some(value),
                        "charset" => handles.charset = Some(value),
                        "filename" if handles.filename.is_none() => handles.filename = Some(value),
                        _ => {}
                    }
                }
                handles.content_type = field.value;
            }
            "content-id" => handles.content_id = Some(field.value),
            "content-location" => {
                handles.content_location = Some(header::decode_words(&field.value));
            }
            "content-disposition" => {
                let (_, params) = split_params(&field.value);
                if let Some((_, name)) = params.into_iter().find(|(name, _)| name == "filename") {
                    handles.filename = Some(name);
                }
            }
            "content-encoding" => {
                handles.encoded |= !field.value.trim().eq_ignore_ascii_case("identity");
            }
            _ => {}
        }
    }
    if handles.content_type.trim().is_empty() {
        // RFC 2045 §5.2.
        handles.content_type = "text/plain".into();
    }
    Leaf::new(handles, data)
}
