//! Carriers: named policies with limits by sender type and interface, each row with its source.

mod file;
mod select;

use crate::{
    model::{Bytes, Category, Counting, Day, Dimensions, Fault, Interface, SenderType, WireLimit},
    policy::PolicySettings,
    profile::error::suggest,
};

/// Whose limit a row is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum LimitKind {
    /// What the carrier's gateway takes on a route, as a document or an operator says.
    Gateway,
    /// What handsets of the network allow themselves to send: an upper bound seen from the
    /// sender's side, used where no gateway row is known.
    Handset,
}

/// One limit of a carrier, for some routes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CarrierLimit {
    /// Whose limit it is.
    pub kind: LimitKind,
    /// Only for this interface; `None`: any.
    pub interface: Option<Interface>,
    /// Only for this kind of sender; `None`: any.
    pub sender: Option<SenderType>,
    /// The bound, inclusive.
    pub bytes: Bytes,
    /// What is counted.
    pub counting: Counting,
    /// Who said so: a document or a thread, by name.
    pub source: String,
    /// When, as `YYYY-MM` or `YYYY-MM-DD`.
    pub date: String,
    /// The first day on which it holds; `None`: it always did.
    pub from: Option<Day>,
    /// The last day on which it holds; `None`: until further notice.
    pub until: Option<Day>,
}

impl CarrierLimit {
    /// Whether it holds on a day.
    pub fn holds(&self, on: Day) -> bool {
        self.from.is_none_or(|from| from <= on) && self.until.is_none_or(|until| on <= until)
    }
}

/// A carrier's policy.
#[derive(Clone, Debug, PartialEq)]
pub struct Carrier {
    /// Stable name: lower case, digits and hyphens, `us-verizon`.
    pub name: String,
    /// For people.
    pub title: String,
    /// ISO 3166-1 alpha-2, lower case.
    pub country: String,
    /// `MCC-MNC` codes, `311-480`.
    pub mcc_mnc: Vec<String>,
    /// Limits; at least one.
    pub limits: Vec<CarrierLimit>,
    /// The maximum image dimensions, where the carrier sets them.
    pub max_image: Option<Dimensions>,
    /// The store document to assume for devices that say nothing usable.
    pub default_device: Option<String>,
    /// What it settings for messages of its subscribers, over what the operator of this service
    /// does.
    pub settings: PolicySettings,
}

impl Carrier {
    /// Reads a carrier file. Its form: `profiles/README.md`.
    ///
    /// # Errors
    /// What is wrong, with line and key.
    pub fn parse(name: &str, toml_text: &str) -> Result<Self, CarrierError> {
        file::parse(name, toml_text)
    }

    /// The limits that apply to a route on a day. With no sender type given, the strictest of all sender
    /// types applies. Rows for exactly this interface or sender win over general rows, gateway
    /// rows over handset rows. Several limits come out where several are equally exact; the
    /// message must respect each by its own counting.
    pub fn limits_for(
        &self,
        interface: Interface,
        sender: Option<SenderType>,
        on: Day,
    ) -> Vec<(&CarrierLimit, WireLimit)> {
        select::limits_for(&self.limits, interface, sender, on)
    }
}

/// Why a carrier file cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CarrierError {
    /// The text is no TOML, or not of this form.
    #[error("carrier {carrier}, line {line}: {message}{}", suggest(.suggestions))]
    Syntax {
        /// The carrier's name.
        carrier: String,
        /// Line, from 1.
        line: usize,
        /// What is wrong.
        message: String,
        /// Keys near a misspelt one.
        suggestions: Vec<String>,
    },
    /// A value that makes no sense.
    #[error("carrier {carrier}, line {line}: {key}: {message}")]
    Value {
        /// The carrier's name.
        carrier: String,
        /// Line, from 1.
        line: usize,
        /// The key.
        key: String,
        /// What is wrong.
        message: String,
    },
}

impl Fault for CarrierError {
    fn category(&self) -> Category {
        Category::Caller
    }

    fn reason(&self) -> &'static str {
        "CARRIER_FILE"
    }
}
