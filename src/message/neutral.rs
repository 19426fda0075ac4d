//! A message without a form: what conversions between forms start from.

use super::{
    PresentationUpdate,
    edits::{self, Change},
    leaf::Leaf,
    names::{self, Taken},
};
use crate::model::MediaKind;

/// Headers and leaves, the presentation first.
#[derive(Debug)]
pub(super) struct Neutral {
    /// Message headers by their MIME names.
    pub headers: Vec<(String, String)>,
    /// Seconds since 1970 at which it came, for a message that tells no date.
    pub date: Option<u64>,
    /// `multipart/related`, `/mixed` or `/alternative`.
    pub kind: &'static str,
    /// Leaves whose names are safe to write.
    pub leaves: Vec<Leaf>,
}

impl Neutral {
    /// `kind` is the folded type of the multipart that the leaves come from.
    pub fn new(
        headers: Vec<(String, String)>,
        date: Option<u64>,
        kind: &str,
        leaves: &[&Leaf],
    ) -> Self {
        let media: Vec<&Leaf> = leaves.iter().copied().filter(|leaf| !leaf.envelope).collect();
        let mut leaves = safe_names(&media);
        let root = leaves
            .iter()
            .position(|leaf| leaf.part.declared.kind() == MediaKind::Presentation)
            .or_else(|| leaves.iter().position(Leaf::is_presentation));
        if let Some(at) = root {
            leaves[..=at].rotate_right(1);
        }
        let kind = match (root, kind) {
            (Some(_), _) => "multipart/related",
            (None, "multipart/alternative") => "multipart/alternative",
            _ => "multipart/mixed",
        };
        Self { headers, date, kind, leaves }
    }

    /// The presentation.
    pub fn root(&self) -> Option<&Leaf> {
        self.leaves.first().filter(|_| self.kind == "multipart/related")
    }
}

/// Names that lead out of a directory are made safe, and presentations follow them.
fn safe_names(leaves: &[&Leaf]) -> Vec<Leaf> {
    let mut taken = Taken::default();
    let unsafe_name = |label: &String| names::safe(label) != *label;
    for label in leaves.iter().flat_map(|leaf| leaf.labels()).filter(|l| !unsafe_name(l)) {
        taken.add(label);
    }
    let mut changes = vec![Change::default(); leaves.len()];
    for (leaf, change) in leaves.iter().zip(&mut changes) {
        for label in leaf.labels().filter(|label| unsafe_name(label)) {
            if change.rename(label).is_none() {
                let fresh = taken.claim(names::safe(label));
                change.names.push((label.clone(), fresh));
            }
        }
    }
    if changes.iter().all(Change::is_none) {
        return leaves.iter().copied().cloned().collect();
    }
    edits::mend_presentations(leaves, &mut changes, &PresentationUpdate::default());
    leaves.iter().zip(&changes).map(|(leaf, change)| change.apply(leaf)).collect()
}
