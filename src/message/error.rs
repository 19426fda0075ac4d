//! Why a message could not be read or written, and whose fault that is.

use crate::model::{Category, Fault, PartId};

use super::Form;

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
    /// One part breaks the form's rules.
    #[error("malformed part {} at byte {offset}: {detail}", part.0)]
    MalformedPart {
        /// Which part.
        part: PartId,
        /// Where.
        offset: usize,
        /// What is wrong.
        detail: String,
    },
    /// The bytes end inside this part.
    #[error("message ends inside part {}", part.0)]
    Truncated {
        /// Which part.
        part: PartId,
    },
    /// The bytes are no message of this form at all.
    #[error("not a message: {detail}")]
    NotAMessage {
        /// What was expected.
        detail: String,
    },
    /// An MM7 SOAP envelope without attachments, asked for as a PDU.
    #[error("a SOAP envelope without MIME attachments carries no media")]
    BareSoap,
    /// More leaves than [`super::ParseLimits::max_parts`].
    #[error("message has more than {limit} parts")]
    TooManyParts {
        /// The limit.
        limit: usize,
    },
    /// Deeper than [`super::ParseLimits::max_nesting`].
    #[error("multiparts are nested more than {limit} deep")]
    NestedTooDeep {
        /// The limit.
        limit: usize,
    },
    /// A header block longer than [`super::ParseLimits::max_header_bytes`].
    #[error("header block is longer than {limit} bytes")]
    HeaderTooLarge {
        /// The limit.
        limit: usize,
        /// Whose headers; none for the message's own.
        part: Option<PartId>,
    },
    /// A message built around no parts.
    #[error("message has no parts")]
    NoParts,
    /// The number of edits differs from the number of parts.
    #[error("{got} edits for {expected} parts")]
    EditCount {
        /// Parts of the message.
        expected: usize,
        /// Edits given.
        got: usize,
    },
    /// An edit of a part that must never change (the SOAP envelope).
    #[error("part {} is the envelope of the message and cannot be edited", part.0)]
    Untouchable {
        /// Which part.
        part: PartId,
    },
    /// The form cannot hold the message.
    #[error("form {form:?} cannot hold this message: {detail}")]
    CannotHold {
        /// The form asked for.
        form: Form,
        /// Why not.
        detail: String,
    },
}

impl MessageError {
    /// The part it is about, where it is about one.
    pub fn part(&self) -> Option<PartId> {
        match self {
            Self::MalformedPart { part, .. }
            | Self::Truncated { part }
            | Self::Untouchable { part } => Some(*part),
            Self::HeaderTooLarge { part, .. } => *part,
            _ => None,
        }
    }

    pub(super) fn malformed(offset: usize, detail: impl Into<String>) -> Self {
        Self::Malformed { offset, detail: detail.into() }
    }
}

impl Fault for MessageError {
    fn category(&self) -> Category {
        match self {
            Self::Malformed { .. }
            | Self::MalformedPart { .. }
            | Self::Truncated { .. }
            | Self::NotAMessage { .. }
            | Self::NoParts => Category::Input,
            Self::BareSoap => Category::Unsupported,
            Self::TooManyParts { .. }
            | Self::NestedTooDeep { .. }
            | Self::HeaderTooLarge { .. } => Category::TooLarge,
            Self::EditCount { .. } | Self::Untouchable { .. } => Category::Internal,
            Self::CannotHold { .. } => Category::Caller,
        }
    }

    fn reason(&self) -> &'static str {
        match self {
            Self::Malformed { .. } | Self::MalformedPart { .. } => "MESSAGE_MALFORMED",
            Self::Truncated { .. } => "MESSAGE_TRUNCATED",
            Self::NotAMessage { .. } => "MESSAGE_NOT_A_MESSAGE",
            Self::BareSoap => "MESSAGE_BARE_SOAP",
            Self::TooManyParts { .. } => "MESSAGE_TOO_MANY_PARTS",
            Self::NestedTooDeep { .. } => "MESSAGE_NESTED_TOO_DEEP",
            Self::HeaderTooLarge { .. } => "MESSAGE_HEADER_TOO_LARGE",
            Self::NoParts => "MESSAGE_NO_PARTS",
            Self::EditCount { .. } => "MESSAGE_EDIT_COUNT",
            Self::Untouchable { .. } => "MESSAGE_PART_UNTOUCHABLE",
            Self::CannotHold { .. } => "MESSAGE_FORM_CANNOT_HOLD",
        }
    }
}
