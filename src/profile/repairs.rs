//! What was repaired, collected while reading: bounded, one entry for each kind and attribute.

use crate::model::{Repair, RepairCode};

/// Entries kept; a document with more kinds of mistakes than this tells nothing new.
const MAX_REPAIRS: usize = 128;
/// Characters of a raw value that are kept.
const MAX_RAW: usize = 80;

/// The repairs of one document or one resolution, in the order found.
#[derive(Clone, Debug, Default)]
pub(crate) struct Repairs(Vec<Repair>);

impl Repairs {
    /// Notes a repair, unless the same kind was noted for the same attribute.
    pub(crate) fn add(&mut self, code: RepairCode, attribute: &str, raw: &str) {
        let known = self.0.iter().any(|r| r.code == code && r.attribute == attribute);
        if known || self.0.len() >= MAX_REPAIRS {
            return;
        }
        self.0.push(Repair {
            code,
            attribute: attribute.to_owned(),
            raw: raw.trim().chars().take(MAX_RAW).collect(),
        });
    }

    /// Notes what another document needed.
    pub(crate) fn extend(&mut self, repairs: &[Repair]) {
        for repair in repairs {
            self.add(repair.code, &repair.attribute, &repair.raw);
        }
    }

    /// The list.
    pub(crate) fn into_vec(self) -> Vec<Repair> {
        self.0
    }
}

/// Whether a strict reader refuses a document for it. Upper case, blanks and parameters in list
/// items and internal entities are legal; what follows from missing claims is no mistake.
pub(crate) fn is_malformation(code: RepairCode) -> bool {
    !matches!(
        code,
        RepairCode::ItemForm
            | RepairCode::EntityExpanded
            | RepairCode::FellBack
            | RepairCode::NotFetched
    )
}
