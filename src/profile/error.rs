//! Why a description could not be used.

use crate::model::{Category, Fault, RepairCode};

/// Why a description could not be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProfileError {
    /// The document is no device profile (an HTML page, binary junk).
    #[error("not a device profile: {0}")]
    NotAProfile(String),
    /// The document is WBXML (`application/vnd.wap.uaprof` in binary form).
    #[error("a binary profile (WBXML): send the document as XML text")]
    BinaryProfile,
    /// Strict mode: the first malformation found.
    #[error("malformed profile: {code:?}{}: `{raw}`", at(.attribute))]
    Malformed {
        /// What kind.
        code: RepairCode,
        /// The attribute or component; empty for the whole document.
        attribute: String,
        /// The raw value.
        raw: String,
    },
    /// No document of that name in the store.
    #[error("unknown device `{id}`{}", suggest(.suggestions))]
    UnknownDevice {
        /// The name asked for.
        id: String,
        /// Names that are near it.
        suggestions: Vec<String>,
    },
}

fn at(attribute: &str) -> String {
    if attribute.is_empty() { String::new() } else { format!(" at {attribute}") }
}

pub(super) fn suggest(names: &[String]) -> String {
    if names.is_empty() {
        return String::new();
    }
    let list: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    format!("; did you mean {}?", list.join(" or "))
}

impl Fault for ProfileError {
    fn category(&self) -> Category {
        match self {
            Self::NotAProfile(_) | Self::Malformed { .. } => Category::Input,
            Self::BinaryProfile => Category::Unsupported,
            Self::UnknownDevice { .. } => Category::Caller,
        }
    }

    fn reason(&self) -> &'static str {
        match self {
            Self::NotAProfile(_) => "NOT_A_PROFILE",
            Self::BinaryProfile => "BINARY_PROFILE",
            Self::Malformed { .. } => "MALFORMED_PROFILE",
            Self::UnknownDevice { .. } => "UNKNOWN_DEVICE",
        }
    }
}
