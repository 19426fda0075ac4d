//! The limits that a result must respect, each with who set it and what it counts.

use serde::Serialize;

use super::{Bytes, Dimensions};

/// Who set a limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum LimitSource {
    /// The device's capabilities.
    Device,
    /// The carrier's policy.
    Carrier,
    /// The request itself.
    Request,
    /// Neither said anything: the operator's default.
    Default,
}

/// What a byte limit is compared with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Counting {
    /// The message as serialized for the interface of the request.
    #[default]
    Interface,
    /// The MMS encapsulation (MM1), whatever the interface.
    MmsPdu,
    /// MIME with base64 bodies, whatever the interface.
    MimeBase64,
    /// MIME with binary bodies, whatever the interface.
    MimeBinary,
    /// The media bytes alone: the sum of the parts without any framing.
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

/// The bound on pictures and who set it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ImageLimit {
    /// The box; it turns with the picture.
    pub bounds: Dimensions,
    /// Who set it.
    pub source: LimitSource,
}

/// All bounds that apply to one message. The result respects every one of them; the report names
/// the one that binds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Limits {
    /// Bounds on the message's size; each is checked against its own counting.
    pub wire: Vec<WireLimit>,
    /// The bound on pictures, if any.
    pub image: Option<ImageLimit>,
}
