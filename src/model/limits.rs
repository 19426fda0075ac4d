//! The limits that a result must respect, each with who set it and what it counts.

use std::fmt;

use serde::Serialize;

use super::{Bytes, Dimensions, Interface};

/// Who set a limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
pub enum LimitSource {
    /// The device's capabilities.
    #[serde(rename = "LIMIT_SOURCE_DEVICE")]
    Device,
    /// The carrier's policy.
    #[serde(rename = "LIMIT_SOURCE_CARRIER")]
    Carrier,
    /// The request itself.
    #[serde(rename = "LIMIT_SOURCE_REQUEST")]
    Request,
    /// Neither said anything: the operator's default.
    #[serde(rename = "LIMIT_SOURCE_DEFAULT")]
    Default,
    /// What the operator lets this client have, whatever it asks for.
    #[serde(rename = "LIMIT_SOURCE_CLIENT")]
    Client,
}

/// For people, with its article.
impl fmt::Display for LimitSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Device => "the device",
            Self::Carrier => "the carrier",
            Self::Request => "the request",
            Self::Default => "the built-in default",
            Self::Client => "the operator, for this client",
        })
    }
}

/// What a byte limit is compared with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize)]
pub enum Counting {
    /// The message as serialized for the interface of the request.
    #[default]
    #[serde(rename = "COUNTING_INTERFACE")]
    Interface,
    /// The MMS encapsulation (MM1), whatever the interface.
    #[serde(rename = "COUNTING_MMS_PDU")]
    MmsPdu,
    /// MIME with base64 bodies, whatever the interface.
    #[serde(rename = "COUNTING_MIME_BASE64")]
    MimeBase64,
    /// MIME with binary bodies, whatever the interface.
    #[serde(rename = "COUNTING_MIME_BINARY")]
    MimeBinary,
    /// The media bytes alone: the sum of the parts without any framing.
    #[serde(rename = "COUNTING_MEDIA_ONLY")]
    MediaOnly,
}

/// One bound on the size of the message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct WireLimit {
    /// The bound itself, inclusive.
    pub bytes: Bytes,
    /// What is counted.
    pub counting: Counting,
    /// Who set it.
    pub source: LimitSource,
}

impl WireLimit {
    /// The most that one large medium can take by this limit, framing apart: what makes limits of
    /// several countings comparable. Base64 in lines of 76 (RFC 2045 clause 6.8) takes 78 bytes for
    /// 57; on MM4 all bodies travel so (3GPP TS 23.140 clause 8.4.4).
    pub fn room_for_media(&self, interface: Interface) -> Bytes {
        let base64 = match self.counting {
            Counting::MimeBase64 => true,
            Counting::Interface => interface == Interface::Mm4,
            Counting::MmsPdu | Counting::MimeBinary | Counting::MediaOnly => false,
        };
        if base64 { Bytes::new(self.bytes.get() / 78 * 57) } else { self.bytes }
    }
}

/// The bound on images and who set it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ImageLimit {
    /// The bounds as stated: what turns with the image is not turned yet.
    pub bounds: Dimensions,
    /// Who set it.
    pub source: LimitSource,
    /// The bounds of a device or carrier: screens are held either way, so they turn with the image.
    #[serde(skip)]
    turning: Option<Dimensions>,
    /// What a request asked for, literally; a side of [`u32::MAX`] is not limited.
    #[serde(skip)]
    literal: Option<Dimensions>,
}

impl ImageLimit {
    /// Bounds that turn with the image.
    pub const fn turning(bounds: Dimensions, source: LimitSource) -> Self {
        Self { bounds, source, turning: Some(bounds), literal: None }
    }

    /// A bound that does not turn.
    pub const fn literal(bounds: Dimensions, source: LimitSource) -> Self {
        Self { bounds, source, turning: None, literal: Some(bounds) }
    }

    /// Both of them: `other` does not turn.
    pub fn and_literal(self, other: Dimensions, source: LimitSource) -> Self {
        let bounds = self.bounds.cut_to(other);
        let source = if bounds == self.bounds { self.source } else { source };
        Self { bounds, source, literal: Some(other), ..self }
    }

    /// The bounds that turn, and those that do not: everything that decides.
    pub const fn turning_and_literal(&self) -> (Option<Dimensions>, Option<Dimensions>) {
        (self.turning, self.literal)
    }

    /// The bounds of an image of these dimensions, as shown.
    pub fn of(&self, image: Dimensions) -> Dimensions {
        let turned = self.turning.map(|bounds| bounds.turned_to(image));
        match (turned, self.literal) {
            (Some(turned), Some(literal)) => turned.cut_to(literal),
            (Some(bounds), None) | (None, Some(bounds)) => bounds,
            (None, None) => self.bounds,
        }
    }
}

/// All bounds that apply to one message. The result respects every one of them; the report names
/// the one that binds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Limits {
    /// Bounds on the message's size; each is checked against its own counting.
    pub wire: Vec<WireLimit>,
    /// The bound on images, if any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image: Option<ImageLimit>,
}
