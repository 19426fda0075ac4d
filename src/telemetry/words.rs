//! The words that labels are made of: small sets, each said here once.

use std::borrow::Cow;

use super::family::Value;
use crate::model::{Action, Category, MediaKind, Outcome, ReasonCode};

/// Threads, and the door before them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lane {
    /// For what encodes.
    Work,
    /// For what encodes nothing.
    Quick,
}

impl Lane {
    pub(super) const ALL: [Self; 2] = [Self::Work, Self::Quick];

    /// Its word.
    pub fn name(self) -> &'static str {
        match self {
            Self::Work => "work",
            Self::Quick => "quick",
        }
    }

    pub(super) fn label(self) -> Value {
        Cow::Borrowed(self.name())
    }
}

/// Why a connection was not opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// Too many are open, in all or of that peer.
    TooMany,
    /// The handshake failed.
    Handshake,
    /// Nothing came, or the handshake did not end, in time.
    Silent,
}

impl Refused {
    pub(super) const ALL: [Self; 3] = [Self::TooMany, Self::Handshake, Self::Silent];

    pub(super) fn label(self) -> &'static str {
        match self {
            Self::TooMany => "too_many",
            Self::Handshake => "handshake",
            Self::Silent => "silent",
        }
    }
}

/// What the caches of fetched documents had.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sought {
    /// The document.
    Hit,
    /// That it could not be fetched a while ago.
    Failure,
    /// Nothing.
    Miss,
}

impl Sought {
    pub(super) const ALL: [Self; 3] = [Self::Hit, Self::Failure, Self::Miss];

    pub(super) fn label(self) -> &'static str {
        match self {
            Self::Hit => "hit",
            Self::Failure => "failure",
            Self::Miss => "miss",
        }
    }
}

/// A reason that came over the wire of our own layers is one of ours, in capitals. Whatever else it
/// might be is no label.
pub(super) fn bounded(reason: Value) -> Value {
    let ours = |c: u8| c.is_ascii_uppercase() || c.is_ascii_digit() || c == b'_';
    let known = reason == "none" || (reason.len() <= 40 && reason.bytes().all(ours));
    if known && !reason.is_empty() { reason } else { "other".into() }
}

pub(super) fn outcome(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Unchanged => "unchanged",
        Outcome::Minor => "minor",
        Outcome::Major => "major",
    }
}

pub(super) fn action(action: Action) -> &'static str {
    match action {
        Action::Keep => "keep",
        Action::Transcode => "transcode",
        Action::Replace => "replace",
        Action::Drop => "drop",
    }
}

pub(super) fn media(kind: MediaKind) -> &'static str {
    match kind {
        MediaKind::Image => "image",
        MediaKind::Audio => "audio",
        MediaKind::Video => "video",
        MediaKind::Text => "text",
        MediaKind::Presentation | MediaKind::Drm | MediaKind::Other => "other",
    }
}

pub(super) fn category(category: Category) -> &'static str {
    match category {
        Category::Caller => "caller",
        Category::Input => "input",
        Category::Unsupported => "unsupported",
        Category::TooLarge => "too_large",
        Category::CannotFit => "cannot_fit",
        Category::NotAllowed => "not_allowed",
        Category::Busy => "busy",
        Category::Unavailable => "unavailable",
        Category::Deadline => "deadline",
        Category::Cancelled => "cancelled",
        Category::Internal => "internal",
    }
}

/// A reason as JSON reports have it: `OVER_IMAGE_LIMIT`.
pub(super) fn reason_code(code: ReasonCode) -> Value {
    let name = serde_json::to_value(code).ok();
    let name = name.as_ref().and_then(serde_json::Value::as_str).unwrap_or("OTHER");
    name.strip_prefix("REASON_CODE_").unwrap_or(name).to_owned().into()
}
