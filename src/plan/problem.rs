//! Why a part cannot be used.

use crate::model::Category;

/// Why a part's medium could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Whose fault.
    pub category: Category,
    /// Stable reason.
    pub reason: &'static str,
    /// For people.
    pub detail: String,
}

/// The reason of what a virus scanner found.
const INFECTED: &str = "INFECTED";

impl Problem {
    /// A virus scanner found something: the name of its signature.
    pub fn infected(signature: impl Into<String>) -> Self {
        Self { category: Category::NotAllowed, reason: INFECTED, detail: signature.into() }
    }

    /// The signature that a virus scanner found.
    pub fn infection(&self) -> Option<&str> {
        (self.reason == INFECTED).then_some(self.detail.as_str())
    }
}
