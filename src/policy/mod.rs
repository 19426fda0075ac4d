//! Policies: what may be done to a message, and what is reduced first.
//!
//! Keys are declared once ([`PolicySettings`]); files state some of them, a carrier's before the
//! operator's; the result for one message is its [`Policy`].
//!
//! Architecture invariant: imports only `model`; a new key is a row of the settings and a field of
//! the policy. (Tests fail where the schema, the example or the README lacks it.)

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
