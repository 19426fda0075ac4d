//! What a notice says about the part that it replaces.

use crate::model::{Bytes, MediaKind, MediaType, Reason, ReasonCode};

/// What a notice names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Missing {
    /// Its kind.
    pub kind: MediaKind,
    /// Its type.
    pub media_type: MediaType,
    /// Its size.
    pub bytes: Bytes,
    /// Why it is missing.
    pub cause: Cause,
}

/// Why a notice replaces a part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// The device does not show such media.
    NotShown,
    /// No version of it is small enough.
    TooLarge,
    /// It could not be made into what the device shows.
    NotConverted,
}

impl Cause {
    /// By the deciding reason.
    pub(super) fn of(reasons: &[Reason]) -> Self {
        match reasons.first().map(|reason| reason.code) {
            Some(ReasonCode::OverMessageLimit | ReasonCode::CannotFit) => Self::TooLarge,
            Some(
                ReasonCode::Malformed
                | ReasonCode::SafetyLimit
                | ReasonCode::DecoderMissing
                | ReasonCode::OurFault
                | ReasonCode::Poison
                | ReasonCode::Infected,
            ) => Self::NotConverted,
            _ => Self::NotShown,
        }
    }
}
