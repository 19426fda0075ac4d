//! What goes into a message and comes out of it.

use bytes::Bytes as Buffer;

use crate::model::{Dimensions, MediaType, Millis, PartId};

/// The form of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Form {
    /// MMS encapsulation (OMA-MMS-ENC): M-Send.req, M-Retrieve.conf and the others.
    MmsPdu,
    /// RFC 2045 ff. with headers: multipart/related, /mixed, a single part, or MM7 SOAP with
    /// attachments.
    Mime,
    /// A list of parts and headers, as structured requests carry them.
    Parts,
    /// One media file alone.
    Bare,
}

/// A part as structured requests give it and get it back.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PartData {
    /// Declared media type, with parameters if any (`text/plain; charset=utf-8`); may be empty.
    pub content_type: String,
    /// Content-ID without brackets; may be empty.
    pub content_id: String,
    /// Content-Location; may be empty.
    pub content_location: String,
    /// File name; may be empty.
    pub name: String,
    /// The media bytes.
    pub data: Buffer,
}

/// One leaf of a message, decoded from its transfer encoding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// The declared type, folded; `application/octet-stream` where none is declared.
    pub declared: MediaType,
    /// The declared type as it is spelt, in lower case: `image/jpg`.
    pub spelling: String,
    /// The `charset` parameter as an IANA name, lower case, where given.
    pub charset: Option<String>,
    /// Content-ID without brackets.
    pub content_id: Option<String>,
    /// Content-Location.
    pub content_location: Option<String>,
    /// The name shown to people: `name` parameter, else `filename`, else Content-Location.
    pub name: Option<String>,
    /// Where it stands in a choice between versions of one content.
    pub alternative: Option<Alternative>,
    /// Whether it must pass untouched (signed or encrypted containers, message/rfc822 ...).
    pub opaque: bool,
    /// The media bytes.
    pub data: Buffer,
}

/// A place in a `multipart/alternative` (RFC 2046 clause 5.1.4), whose versions all begin with a
/// text: broken senders call anything by that name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Alternative {
    /// Which multipart, the outermost: numbered in the message.
    pub group: u32,
    /// Which of its versions, from 0: the later, the richer.
    pub version: u32,
}

/// What to do to one part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Edit {
    /// Leave it, header and data, byte for byte.
    Keep,
    /// Declare it anew as `content_type` (spelt as it is to be written), leave its data. Names and
    /// references follow where the type is another, as below.
    Redeclare {
        /// The media type as it is to be written.
        content_type: String,
    },
    /// New data of a new type. Names, Content-Location and every SMIL `src` that used them get
    /// the extension of the new type; Content-ID stays.
    Replace {
        /// The media type as it is to be written.
        content_type: String,
        /// The new media bytes.
        data: Buffer,
    },
    /// Leave it out, and the SMIL elements that refer to it.
    Drop,
}

/// How the parts are shown from now on, as far as their presentation must follow.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PresentationUpdate {
    /// The screen, in pixels, which the layout must not exceed; `None`: it stays as it is.
    pub screen: Option<Dimensions>,
    /// All parts that play for a time.
    pub played: Vec<PlayTime>,
}

/// For how long a part plays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PlayTime {
    /// Which part.
    pub part: PartId,
    /// Before; 0 where that is not known.
    pub before: Millis,
    /// From now on.
    pub after: NewDuration,
}

/// For how long a part plays from now on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NewDuration {
    /// For this long.
    Plays(Millis),
    /// It does not play: it is a still, a text, or gone.
    Still,
    /// Not decided yet: the presentation is as long as it may become at most.
    Open,
}

/// How deep and how wide a message may be (mms-pdu.md §6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ParseLimits {
    /// Leaves of a message. Default: 100.
    pub max_parts: usize,
    /// Multiparts inside multiparts. Default: 3.
    pub max_nesting: usize,
    /// Bytes of one header block. Default: 64 KiB.
    pub max_header_bytes: usize,
    /// Take a truncated last part as far as it goes instead of refusing. Default: false.
    pub lenient: bool,
}

impl Default for ParseLimits {
    fn default() -> Self {
        Self { max_parts: 100, max_nesting: 3, max_header_bytes: 64 << 10, lenient: false }
    }
}

/// A rule of MMS SMIL (OMA-MMS-CONF clause 8; mms-conformance.md §3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Rule {
    /// A tag is never closed, or closes nothing.
    NotWellFormed,
    /// An element that is not of MMS SMIL.
    UnknownElement,
    /// An element where it does not belong.
    Misplaced,
    /// A region has other attributes than id, left, top, width, height and fit.
    RegionAttribute,
    /// Regions are called `Image` and `Text`.
    RegionName,
    /// A medium is put into a region that is not there.
    RegionMissing,
    /// More than one text, image or video, or audio on a slide; audio beside a video.
    CrowdedSlide,
    /// A slide without anything to show.
    EmptySlide,
    /// A duration that is no clock value, or none where there must be one.
    Duration,
    /// A medium without a reference, or one to what is not there.
    DanglingReference,
    /// A part that no slide shows.
    NotShown,
}

/// Where a presentation breaks a rule.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Violation {
    /// The rule.
    pub rule: Rule,
    /// The line of the presentation, from 1; 0 where it is about a part.
    pub line: usize,
    /// What is wrong, for people.
    pub detail: String,
}
