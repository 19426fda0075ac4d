//! Messages as they travel: MMS PDUs, MIME, structured parts and bare media, parsed without
//! loss and assembled exactly. Bytes only: knows no device, no limit, no codec.
//!
//! Architecture invariant: imports only `model`; what is not changed is emitted byte for byte.

use bytes::Bytes as Buffer;

use crate::model::{Bytes, Category, Counting, Fault, Framing, Interface, MediaType, PartId};

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
    /// The `charset` parameter as an IANA name, lower case, where given.
    pub charset: Option<String>,
    /// Content-ID without brackets.
    pub content_id: Option<String>,
    /// Content-Location.
    pub content_location: Option<String>,
    /// The name shown to people: `name` parameter, else `filename`, else Content-Location.
    pub name: Option<String>,
    /// Whether it must pass untouched (signed or encrypted containers, message/rfc822 ...).
    pub opaque: bool,
    /// The media bytes.
    pub data: Buffer,
}

/// What to do to one part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Edit {
    /// Leave it, header and data, byte for byte.
    Keep,
    /// Declare it anew as `content_type` (spelt as it is to be written), leave its data.
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

/// Why a message could not be read or written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MessageError {
    /// The bytes break the form's rules.
    #[error("malformed message at byte {offset}: {detail}")]
    Malformed {
        /// Where.
        offset: usize,
        /// What is wrong.
        detail: String,
    },
}

impl Fault for MessageError {
    fn category(&self) -> Category {
        match self {
            Self::Malformed { .. } => Category::Input,
        }
    }

    fn reason(&self) -> &'static str {
        match self {
            Self::Malformed { .. } => "MESSAGE_MALFORMED",
        }
    }
}

/// A parsed message.
#[derive(Clone, Debug)]
pub struct Message {
    form: Form,
    parts: Vec<Part>,
}

impl Message {
    /// Reads an MMS PDU. Types without a body, or whose body is not adapted, have no parts.
    ///
    /// # Errors
    /// Malformed bytes, or a [`ParseLimits`] reached.
    pub fn parse_pdu(_bytes: Buffer, _limits: &ParseLimits) -> Result<Self, MessageError> {
        Err(MessageError::Malformed { offset: 0, detail: "not yet".into() })
    }

    /// Reads a MIME entity with its headers.
    ///
    /// # Errors
    /// Malformed bytes, or a [`ParseLimits`] reached.
    pub fn parse_mime(_bytes: Buffer, _limits: &ParseLimits) -> Result<Self, MessageError> {
        Err(MessageError::Malformed { offset: 0, detail: "not yet".into() })
    }

    /// Builds a message around parts. `headers` are message headers by name (`Subject`, `To`).
    ///
    /// # Errors
    /// No parts, or a [`ParseLimits`] reached.
    pub fn from_parts(
        _headers: Vec<(String, String)>,
        _parts: Vec<PartData>,
        _limits: &ParseLimits,
    ) -> Result<Self, MessageError> {
        Err(MessageError::Malformed { offset: 0, detail: "not yet".into() })
    }

    /// One media file as a message of its own.
    pub fn bare(data: Buffer, name: Option<&str>) -> Self {
        let part = Part {
            declared: MediaType::OCTETS,
            charset: None,
            content_id: None,
            content_location: None,
            name: name.map(str::to_owned),
            opaque: false,
            data,
        };
        Self { form: Form::Bare, parts: vec![part] }
    }

    /// The form it came in.
    pub fn form(&self) -> Form {
        self.form
    }

    /// The leaves in order; a [`PartId`] is an index here.
    pub fn parts(&self) -> &[Part] {
        &self.parts
    }

    /// The interface that its form suggests.
    pub fn default_interface(&self) -> Interface {
        Interface::Mm1
    }

    /// Whether its originator forbade adaptation (X-Mms-Adaptation-Allowed: No, MM7
    /// allowAdaptations="false").
    pub fn adaptation_forbidden(&self) -> bool {
        false
    }

    /// A new message with `edits` applied, one for each part in order. References stay whole.
    ///
    /// # Errors
    /// The number of edits differs from the number of parts.
    pub fn rewrite(&self, _edits: &[Edit]) -> Result<Self, MessageError> {
        Ok(self.clone())
    }

    /// The bytes of the message in `form`; in its own form and unedited, the input itself.
    ///
    /// # Errors
    /// The form cannot hold the message (several parts in [`Form::Bare`]).
    pub fn serialize(&self, _form: Form) -> Result<Buffer, MessageError> {
        Ok(self.parts[0].data.clone())
    }

    /// Exactly the bytes that `counting` counts when the message travels over `interface`.
    pub fn wire_size(&self, _counting: Counting, _interface: Interface) -> Bytes {
        Bytes::ZERO
    }

    /// What a replaced part's bytes cost: for every `data`, `wire_size` of the message in which
    /// `part` is replaced equals `wire_size` with empty data + `framing.wire(data)` -
    /// `framing.wire(0)`.
    pub fn framing(&self, _part: PartId, _counting: Counting, _interface: Interface) -> Framing {
        Framing::Identity
    }
}
