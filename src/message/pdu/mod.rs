//! MMS PDUs (OMA-MMS-ENC over WAP-230 §8.5): a tree that holds every octet of the input and
//! emits unchanged headers and entries as they came.

mod build;
mod edit;
mod entry;
mod headers;
mod parse;
mod status;
#[cfg(test)]
mod tests;

use std::ops::Range;

use bytes::Bytes as Buffer;

pub(super) use self::{
    build::{build, check},
    parse::parse,
};
use super::{
    alternatives::Shape,
    leaf::Leaf,
    wsp::{self, ContentType},
};
use crate::model::{Framing, MediaType};

/// Octets of the DataLen of a multipart inside a multipart that changed: of fixed width, so that
/// sizes of its parts add up. 28 bits hold 256 MiB.
const NESTED_LENGTH_WIDTH: usize = 4;

/// A PDU of any type.
#[derive(Clone, Debug)]
pub(super) struct Pdu {
    kind: u8,
    /// Headers up to and with the field octet of Content-Type; the whole PDU where it has no
    /// body that we adapt.
    head: Buffer,
    fields: Vec<HeadField>,
    content_type: Option<TypeValue>,
    body: Body,
}

#[derive(Clone, Debug)]
struct HeadField {
    /// None for application headers.
    code: Option<u8>,
    /// The name of an application header.
    name: String,
    value: Range<usize>,
}

#[derive(Clone, Debug)]
struct TypeValue {
    raw: Buffer,
    parsed: ContentType,
}

#[derive(Clone, Debug)]
enum Body {
    None,
    /// One body that is no multipart.
    Whole(Box<Leaf>, Buffer),
    Multi(Multi),
}

#[derive(Clone, Debug)]
struct Multi {
    /// nEntries as it came or is to be written.
    count: Buffer,
    entries: Vec<Entry>,
    /// Octets after the last entry.
    tail: Buffer,
}

#[derive(Clone, Debug)]
struct Entry {
    /// The whole entry as it came; none where it changed.
    raw: Option<Buffer>,
    /// ContentType and Headers.
    header: Buffer,
    body: EntryBody,
}

#[derive(Clone, Debug)]
enum EntryBody {
    Leaf(Box<Leaf>, Buffer),
    Multi(Multi),
}

impl Multi {
    fn shape(&self, media: MediaType) -> Shape<'_> {
        Shape::Multi(media, self.entries.iter().map(Entry::shape).collect())
    }
}

impl Entry {
    fn shape(&self) -> Shape<'_> {
        match &self.body {
            EntryBody::Leaf(leaf, _) => Shape::Leaf(leaf),
            EntryBody::Multi(multi) => {
                let (own, _) = entry::content_type(&self.header);
                multi.shape(MediaType::fold(&own.media))
            }
        }
    }
}

impl Pdu {
    pub fn leaves(&self) -> Vec<&Leaf> {
        let mut list = Vec::new();
        match &self.body {
            Body::None => {}
            Body::Whole(leaf, _) => list.push(leaf.as_ref()),
            Body::Multi(multi) => multi.leaves(&mut list),
        }
        list
    }

    /// Its leaves as they are nested; none where there is no body.
    pub fn shape(&self) -> Option<Shape<'_>> {
        match &self.body {
            Body::None => None,
            Body::Whole(leaf, _) => Some(Shape::Leaf(leaf)),
            Body::Multi(multi) => {
                let media = self.content_type.as_ref().map_or("", |t| t.parsed.media.as_str());
                Some(multi.shape(MediaType::fold(media)))
            }
        }
    }

    /// `m-retrieve-conf` and the like.
    pub fn type_name(&self) -> String {
        headers::type_name(self.kind)
    }

    /// Headers for people, in order.
    pub fn headers(&self) -> Vec<(String, String)> {
        self.fields
            .iter()
            .map(|field| {
                let value = &self.head[field.value.clone()];
                match field.code {
                    Some(code) => headers::describe(code, value),
                    None => (field.name.clone(), wsp::encoded_string(value)),
                }
            })
            .collect()
    }

    pub fn adaptation_forbidden(&self) -> bool {
        self.fields.iter().any(|field| {
            field.code == Some(headers::ADAPTATION_ALLOWED)
                && self.head[field.value.clone()] == [0x81]
        })
    }

    /// The type of the multipart, folded; `multipart/mixed` where there is none.
    pub fn kind(&self) -> String {
        match (&self.body, &self.content_type) {
            (Body::Multi(_), Some(value)) => {
                crate::model::MediaType::fold(&value.parsed.media).as_str().to_owned()
            }
            _ => "multipart/mixed".to_owned(),
        }
    }

    /// What replaced media cost.
    pub fn framing(&self) -> Framing {
        match self.body {
            Body::Multi(_) => Framing::Wsp,
            _ => Framing::Identity,
        }
    }

    pub fn wire_len(&self) -> usize {
        let body = match &self.body {
            Body::None => 0,
            Body::Whole(_, wire) => wire.len(),
            Body::Multi(multi) => multi.wire_len(),
        };
        self.head.len() + self.content_type.as_ref().map_or(0, |value| value.raw.len()) + body
    }

    pub fn write(&self) -> Buffer {
        let mut out = Vec::with_capacity(self.wire_len());
        out.extend(&self.head);
        if let Some(value) = &self.content_type {
            out.extend(&value.raw);
        }
        match &self.body {
            Body::None => {}
            Body::Whole(_, wire) => out.extend(wire),
            Body::Multi(multi) => multi.put(&mut out),
        }
        out.into()
    }
}

impl Multi {
    fn leaves<'a>(&'a self, list: &mut Vec<&'a Leaf>) {
        for entry in &self.entries {
            match &entry.body {
                EntryBody::Leaf(leaf, _) => list.push(leaf),
                EntryBody::Multi(multi) => multi.leaves(list),
            }
        }
    }

    fn wire_len(&self) -> usize {
        let entries: usize = self.entries.iter().map(Entry::wire_len).sum();
        self.count.len() + entries + self.tail.len()
    }

    fn put(&self, out: &mut Vec<u8>) {
        out.extend(&self.count);
        self.entries.iter().for_each(|entry| entry.put(out));
        out.extend(&self.tail);
    }
}

impl Entry {
    fn wire_len(&self) -> usize {
        if let Some(raw) = &self.raw {
            return raw.len();
        }
        let (data, width) = self.data_len();
        let lengths = wsp::uintvar_len(self.header.len()) + wsp::uintvar_len(data).max(width);
        lengths + self.header.len() + data
    }

    /// DataLen and the least width at which it is written.
    fn data_len(&self) -> (usize, usize) {
        match &self.body {
            EntryBody::Leaf(_, wire) => (wire.len(), 1),
            EntryBody::Multi(multi) => (multi.wire_len(), NESTED_LENGTH_WIDTH),
        }
    }

    fn put(&self, out: &mut Vec<u8>) {
        if let Some(raw) = &self.raw {
            out.extend(raw);
            return;
        }
        let (data, width) = self.data_len();
        wsp::put_uintvar(out, self.header.len());
        wsp::put_uintvar_wide(out, data, width);
        out.extend(&self.header);
        match &self.body {
            EntryBody::Leaf(_, wire) => out.extend(wire),
            EntryBody::Multi(multi) => multi.put(out),
        }
    }
}
