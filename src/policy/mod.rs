//! The operator's language: what may be done to a message, and what is given up first.
//!
//! Keys are declared once ([`PolicySettings`]); files state some of them, a carrier's before the
//! operator's; what comes of that for one message is its [`Policy`].
//!
//! Architecture invariant: imports only `model`; a new key is a row of the settings and a field of
//! the policy. (Tests name the schema, the example and the README where they are forgotten.)

pub(crate) mod file;
mod floors;
mod ladder;
mod preference;
mod resolved;
mod settings;

pub use floors::{Ceilings, Floors, Margin, Weights};
pub use ladder::{Fallback, Ladder, Ladders, ShrinkOrder};
pub use preference::{Color, Language, Notice, Sanitize, Trim};
pub use resolved::Policy;
pub use settings::{Adaptation, Empty, LanguageChoice, LeaveOut, PolicySettings, SettingError};
