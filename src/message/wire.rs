//! What a message takes on each interface, by each way of counting, and the very bytes.

use bytes::Bytes as Buffer;

use super::{
    Doc, Message, MessageError,
    mime::{self, Style},
    neutral::Neutral,
    pdu,
};
use crate::model::{Bytes, Counting, Framing, Interface, PartId};

/// What a counting asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Target {
    Pdu,
    Mime(Style),
    Media,
}

impl Message {
    /// The very bytes that [`Message::wire_size`] counts.
    ///
    /// # Errors
    /// The form that is counted cannot hold the message.
    pub fn serialize_for(
        &self,
        counting: Counting,
        interface: Interface,
    ) -> Result<Buffer, MessageError> {
        self.written(self.target(counting, interface))
    }

    /// Exactly the bytes that `counting` counts when the message travels over `interface`.
    pub fn wire_size(&self, counting: Counting, interface: Interface) -> Bytes {
        let target = self.target(counting, interface);
        let length = match (&self.doc, target) {
            (_, Target::Media) => {
                let leaves = self.doc.leaves();
                leaves.iter().filter(|l| !l.envelope).map(|l| l.part.data.len()).sum()
            }
            (Doc::Pdu(pdu), _) if target == Target::Pdu || self.parts.is_empty() => pdu.wire_len(),
            (Doc::Mime(entity), Target::Mime(Style::Own)) => entity.wire_len(),
            (Doc::Mime(entity), Target::Mime(style)) => entity.styled(style).wire_len(),
            (_, Target::Pdu) => pdu::build(&self.neutral()).wire_len(),
            (_, Target::Mime(style)) => mime::build(&self.neutral(), style).wire_len(),
        };
        Bytes::new(length as u64)
    }

    /// What a replaced part's bytes cost: for every `data`, `wire_size` of the message in which
    /// `part` is replaced equals `wire_size` with empty data + `framing.wire(data)` -
    /// `framing.wire(0)`.
    pub fn framing(&self, part: PartId, counting: Counting, interface: Interface) -> Framing {
        match (&self.doc, self.target(counting, interface)) {
            (_, Target::Media) => Framing::Identity,
            (Doc::Pdu(pdu), Target::Pdu) => pdu.framing(),
            (Doc::Mime(entity), Target::Mime(style)) => entity.framing(part.index(), style),
            (_, Target::Pdu) => Framing::Wsp,
            (_, Target::Mime(Style::Binary)) => Framing::Identity,
            (_, Target::Mime(_)) => Framing::Base64,
        }
    }

    /// A bare file is counted as it is. Own MIME over MM7 keeps the coding of its entities; over
    /// MM4, which is SMTP, media are base64 whatever they came in.
    fn target(&self, counting: Counting, interface: Interface) -> Target {
        let own = matches!(self.doc, Doc::Mime(_));
        match (counting, interface) {
            _ if matches!(self.doc, Doc::Bare(_)) => Target::Media,
            (Counting::MediaOnly, _) => Target::Media,
            (Counting::MmsPdu, _) | (Counting::Interface, Interface::Mm1) => Target::Pdu,
            (Counting::Interface, Interface::Mm7) if own => Target::Mime(Style::Own),
            (Counting::MimeBase64, _) | (Counting::Interface, Interface::Mm4) => {
                Target::Mime(Style::Base64)
            }
            (Counting::MimeBinary, _) | (Counting::Interface, Interface::Mm7) => {
                Target::Mime(Style::Binary)
            }
        }
    }

    pub(super) fn written(&self, target: Target) -> Result<Buffer, MessageError> {
        match (&self.doc, target) {
            (_, Target::Media) => {
                let leaves = self.doc.leaves();
                let mut media = leaves.iter().filter(|leaf| !leaf.envelope);
                Ok(match (media.next(), media.next()) {
                    (Some(only), None) => only.part.data.clone(),
                    _ => {
                        let media = leaves.iter().filter(|leaf| !leaf.envelope);
                        let all: Vec<&[u8]> = media.map(|leaf| &leaf.part.data[..]).collect();
                        all.concat().into()
                    }
                })
            }
            (Doc::Pdu(pdu), _) if target == Target::Pdu || self.parts.is_empty() => {
                Ok(self.input.clone().unwrap_or_else(|| pdu.write()))
            }
            (Doc::Mime(entity), Target::Mime(Style::Own)) => {
                Ok(self.input.clone().unwrap_or_else(|| entity.write()))
            }
            (Doc::Mime(entity), Target::Mime(style)) => Ok(entity.styled(style).write()),
            (_, Target::Pdu) => {
                let neutral = self.neutral();
                pdu::check(&neutral)?;
                Ok(pdu::build(&neutral).write())
            }
            (_, Target::Mime(style)) => Ok(mime::build(&self.neutral(), style).write()),
        }
    }

    fn neutral(&self) -> Neutral {
        let kind = match &self.doc {
            Doc::Pdu(pdu) => pdu.kind(),
            Doc::Mime(entity) => entity.kind(),
            _ => "multipart/mixed".to_owned(),
        };
        Neutral::new(self.headers(), self.date, &kind, &self.doc.leaves())
    }
}
