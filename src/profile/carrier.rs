//! Carriers: named policies with limits by sender type and interface, each row with its source.

use serde::Deserialize;

use crate::model::{Bytes, Counting, Dimensions, Interface, SenderType, WireLimit};

/// One limit of a carrier, for some routes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CarrierLimit {
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
}

/// A carrier's policy.
#[derive(Clone, Debug, PartialEq, Eq)]
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
    /// The box for pictures, where the carrier sets one.
    pub max_image: Option<Dimensions>,
    /// The store document to assume for devices that say nothing usable.
    pub default_device: Option<String>,
}

impl Carrier {
    /// The limits that apply to a route. With no sender type given, the strictest of all sender
    /// types applies. Rows for exactly this interface or sender win over general rows.
    pub fn limits_for(
        &self,
        _interface: Interface,
        _sender: Option<SenderType>,
    ) -> Vec<(&CarrierLimit, WireLimit)> {
        Vec::new()
    }
}

/// Just so that serde is at hand here; the file's form is this room's own.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct _File {}
