//! Messages as they travel: MMS PDUs, MIME, structured parts and bare media, parsed without
//! loss and assembled exactly. Bytes only: knows no device, no limit, no codec.
//!
//! Architecture invariant: imports only `model`; what is not changed is emitted byte for byte.

use bytes::Bytes as Buffer;

use crate::model::{Interface, MediaKind, PartId};

mod alternatives;
mod date;
mod edits;
mod error;
mod header;
mod leaf;
mod mime;
mod names;
mod neutral;
mod octets;
mod parts;
mod pdu;
mod showing;
mod smil;
mod soap;
mod stamp;
mod tables;
#[cfg(test)]
mod tests;
mod transfer;
mod types;
mod wire;
mod wsp;

use self::{edits::Change, leaf::Leaf, mime::Style, wire::Target};
pub use self::{
    error::MessageError,
    types::{
        Alternative, Edit, Form, NewDuration, ParseLimits, Part, PartData, PlayTime,
        PresentationUpdate, Rule, Violation,
    },
};

/// A parsed message.
#[derive(Clone, Debug)]
pub struct Message {
    doc: Doc,
    /// The input, as long as nothing was edited.
    input: Option<Buffer>,
    parts: Vec<Part>,
    presentation: Option<PartId>,
    /// Seconds since 1970 at which it came.
    date: Option<u64>,
}

/// The message in its own form.
#[derive(Clone, Debug)]
enum Doc {
    Pdu(pdu::Pdu),
    Mime(mime::Entity),
    Parts { headers: Vec<(String, String)>, leaves: Vec<Leaf> },
    Bare(Box<Leaf>),
}

impl Doc {
    fn leaves(&self) -> Vec<&Leaf> {
        match self {
            Self::Pdu(pdu) => pdu.leaves(),
            Self::Mime(entity) => entity.leaves(),
            Self::Parts { leaves, .. } => leaves.iter().collect(),
            Self::Bare(leaf) => vec![leaf],
        }
    }
}

impl Doc {
    fn alternatives(&self) -> Vec<Option<Alternative>> {
        match self {
            Self::Pdu(pdu) => pdu.shape().map_or_else(Vec::new, |shape| alternatives::of(&shape)),
            Self::Mime(entity) => alternatives::of(&entity.shape()),
            Self::Parts { .. } | Self::Bare(_) => Vec::new(),
        }
    }
}

impl Message {
    fn new(doc: Doc, input: Option<Buffer>) -> Self {
        let leaves = doc.leaves();
        let by_type = |leaf: &&Leaf| leaf.part.declared.kind() == MediaKind::Presentation;
        let presentation = leaves
            .iter()
            .position(by_type)
            .or_else(|| leaves.iter().position(|leaf| leaf.is_presentation()))
            .map(|at| PartId(at as u32));
        let mut parts: Vec<Part> = leaves.into_iter().map(|leaf| leaf.part.clone()).collect();
        for (part, place) in parts.iter_mut().zip(doc.alternatives()) {
            part.alternative = place;
        }
        Self { doc, input, parts, presentation, date: None }
    }

    /// Reads an MMS PDU. Types without a body, or whose body is not adapted, have no parts.
    ///
    /// # Errors
    /// Malformed bytes, or a [`ParseLimits`] reached.
    pub fn parse_pdu(bytes: Buffer, limits: &ParseLimits) -> Result<Self, MessageError> {
        Ok(Self::new(Doc::Pdu(pdu::parse(bytes.clone(), limits)?), Some(bytes)))
    }

    /// Reads a MIME entity with its headers; an HTTP start line before them is kept with them.
    ///
    /// # Errors
    /// Malformed bytes, or a [`ParseLimits`] reached.
    pub fn parse_mime(bytes: Buffer, limits: &ParseLimits) -> Result<Self, MessageError> {
        Ok(Self::new(Doc::Mime(mime::parse(bytes.clone(), limits)?), Some(bytes)))
    }

    /// Builds a message around parts. `headers` are message headers by name (`Subject`, `To`).
    ///
    /// # Errors
    /// No parts, or a [`ParseLimits`] reached.
    pub fn from_parts(
        headers: Vec<(String, String)>,
        parts: Vec<PartData>,
        limits: &ParseLimits,
    ) -> Result<Self, MessageError> {
        if parts.is_empty() {
            return Err(MessageError::NoParts);
        }
        if parts.len() > limits.max_parts {
            return Err(MessageError::TooManyParts { limit: limits.max_parts });
        }
        let size: usize = headers.iter().map(|(name, value)| name.len() + value.len()).sum();
        if size > limits.max_header_bytes {
            return Err(MessageError::HeaderTooLarge {
                limit: limits.max_header_bytes,
                part: None,
            });
        }
        let leaves = parts.into_iter().map(parts::leaf).collect();
        Ok(Self::new(Doc::Parts { headers, leaves }, None))
    }

    /// One media file as a message of its own.
    pub fn bare(data: Buffer, name: Option<&str>) -> Self {
        let part = PartData {
            name: name.unwrap_or_default().to_owned(),
            data: data.clone(),
            ..PartData::default()
        };
        Self::new(Doc::Bare(Box::new(parts::leaf(part))), Some(data))
    }

    /// The form it came in.
    pub fn form(&self) -> Form {
        match self.doc {
            Doc::Pdu(_) => Form::MmsPdu,
            Doc::Mime(_) => Form::Mime,
            Doc::Parts { .. } => Form::Parts,
            Doc::Bare(_) => Form::Bare,
        }
    }

    /// The leaves in order; a [`PartId`] is an index here.
    pub fn parts(&self) -> &[Part] {
        &self.parts
    }

    /// The part that is SMIL, by its type or by its content; the first of several.
    pub fn presentation(&self) -> Option<PartId> {
        self.presentation
    }

    /// The name of the PDU's type (`m-retrieve-conf`), if it came as a PDU.
    pub fn pdu_type(&self) -> Option<String> {
        match &self.doc {
            Doc::Pdu(pdu) => Some(pdu.type_name()),
            _ => None,
        }
    }

    /// Message headers in order, names and values for people; lossy.
    pub fn headers(&self) -> Vec<(String, String)> {
        match &self.doc {
            Doc::Pdu(pdu) => pdu.headers(),
            Doc::Mime(entity) => entity.headers(),
            Doc::Parts { headers, .. } => headers.clone(),
            Doc::Bare(_) => Vec::new(),
        }
    }

    /// The interface that its form suggests.
    pub fn default_interface(&self) -> Interface {
        match &self.doc {
            Doc::Mime(entity) if entity.is_mm7() => Interface::Mm7,
            Doc::Mime(_) => Interface::Mm4,
            _ => Interface::Mm1,
        }
    }

    /// Whether its originator forbade adaptation (X-Mms-Adaptation-Allowed: No, MM7
    /// allowAdaptations="false").
    pub fn adaptation_forbidden(&self) -> bool {
        match &self.doc {
            Doc::Pdu(pdu) => pdu.adaptation_forbidden(),
            Doc::Mime(entity) => {
                entity.adaptation_forbidden() || parts::forbids_adaptation(&entity.headers())
            }
            Doc::Parts { headers, .. } => parts::forbids_adaptation(headers),
            Doc::Bare(_) => false,
        }
    }

    /// Where the presentation breaks the rules of MMS SMIL, or refers to what is not there; `None`
    /// without a presentation. Phones show most of it all the same.
    pub fn lint(&self) -> Option<Vec<Violation>> {
        let leaves = self.doc.leaves();
        let presentation = leaves.get(self.presentation?.index())?;
        Some(smil::lint(presentation, &leaves))
    }

    /// A new message with `edits` applied, one for each part in order. References stay whole.
    /// Where the only body of a message that is no multipart is dropped, an empty text remains.
    ///
    /// # Errors
    /// The number of edits differs from the number of parts, or one is for the SOAP envelope.
    pub fn rewrite(&self, edits: &[Edit]) -> Result<Self, MessageError> {
        self.rewrite_as(edits, &PresentationUpdate::default())
    }

    /// As [`Message::rewrite`], and the presentation follows how the parts are shown from now on.
    /// Where the presentation goes, the parts come in the order of [`Message::showing_order`].
    ///
    /// # Errors
    /// As [`Message::rewrite`].
    pub fn rewrite_as(
        &self,
        edits: &[Edit],
        showing: &PresentationUpdate,
    ) -> Result<Self, MessageError> {
        let changes = edits::changes(&self.doc.leaves(), edits, showing)?;
        if changes.iter().all(Change::is_none) {
            return Ok(self.clone());
        }
        let gone = self.presentation.filter(|id| changes[id.index()].gone);
        let (doc, changes) = match gone {
            Some(_) => self.in_showing_order(changes),
            None => (self.doc.clone(), changes),
        };
        let doc = match &doc {
            Doc::Pdu(pdu) => Doc::Pdu(pdu.apply(&changes)),
            Doc::Mime(entity) => Doc::Mime(entity.apply(&changes)),
            Doc::Parts { headers, leaves } => {
                Doc::Parts { headers: headers.clone(), leaves: parts::apply(leaves, &changes) }
            }
            Doc::Bare(leaf) => {
                let mut rest = parts::apply(std::slice::from_ref(leaf), &changes);
                Doc::Bare(Box::new(rest.pop().unwrap_or_else(|| parts::leaf(PartData::default()))))
            }
        };
        Ok(Self { date: self.date, ..Self::new(doc, None) })
    }

    /// The bytes of the message in `form`; in its own form and unedited, the input itself.
    ///
    /// # Errors
    /// The form cannot hold the message (several parts in [`Form::Bare`]; [`Form::Parts`] has no
    /// bytes: see [`Message::to_parts`]).
    pub fn serialize(&self, form: Form) -> Result<Buffer, MessageError> {
        match (form, &self.doc) {
            (Form::MmsPdu, Doc::Mime(entity))
                if entity.leaves().iter().all(|leaf| leaf.envelope) =>
            {
                Err(MessageError::BareSoap)
            }
            (Form::MmsPdu, _) => self.written(Target::Pdu),
            (Form::Mime, Doc::Mime(_)) => self.written(Target::Mime(Style::Own)),
            (Form::Mime, _) => self.written(Target::Mime(Style::Base64)),
            (Form::Bare, _) => parts::only_medium(&self.doc.leaves())
                .map(|leaf| leaf.part.data.clone())
                .ok_or_else(|| MessageError::CannotHold {
                    form,
                    detail: "not exactly one medium".into(),
                }),
            (Form::Parts, _) => Err(MessageError::CannotHold {
                form,
                detail: "structured parts have no byte form".into(),
            }),
        }
    }

    /// The message as structured parts, the SOAP envelope apart, and its headers.
    pub fn to_parts(&self) -> (Vec<(String, String)>, Vec<PartData>) {
        let own = matches!(self.doc, Doc::Parts { .. });
        let leaves = self.doc.leaves();
        let media = leaves.iter().filter(|leaf| !leaf.envelope);
        (self.headers(), media.map(|leaf| parts::data(leaf, own)).collect())
    }
}
