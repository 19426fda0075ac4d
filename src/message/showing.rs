//! What a presentation says of how parts are shown: their order, for every form alike, and the
//! size of the layout.

use std::ops::Range;

use super::{Doc, Message, edits::Change, smil};
use crate::model::{Dimensions, PartId};

impl Message {
    /// All parts in the order in which the presentation shows them, itself first and what it does
    /// not show last; parts of inner multiparts stay together. In the order of the message where
    /// there is no presentation.
    pub fn showing_order(&self) -> Vec<PartId> {
        self.permuted().1.into_iter().map(|at| PartId(at as u32)).collect()
    }

    /// The size in pixels of the layout of a part that is a presentation, where it states one.
    pub fn layout_size(&self, part: PartId) -> Option<Dimensions> {
        let leaves = self.doc.leaves();
        let leaf = leaves.get(part.index()).filter(|leaf| leaf.is_presentation())?;
        smil::layout_size(&leaf.part.data)
    }

    fn permuted(&self) -> (Doc, Vec<usize>) {
        let leaves = self.doc.leaves();
        let Some(presentation) = self.presentation else {
            return (self.doc.clone(), (0..leaves.len()).collect());
        };
        let ranks = smil::ranks(presentation.index(), &leaves);
        let mut doc = self.doc.clone();
        let order = match &mut doc {
            Doc::Pdu(pdu) => pdu.reorder(&ranks),
            Doc::Mime(entity) => entity.reorder(&ranks),
            Doc::Parts { leaves, .. } => sort(leaves, |_| 1, |_, _| None, 0, &ranks),
            Doc::Bare(_) => vec![0],
        };
        (doc, order)
    }

    /// The document in the order of its presentation, and the changes with it.
    pub(super) fn in_showing_order(&self, changes: Vec<Change>) -> (Doc, Vec<Change>) {
        let (doc, order) = self.permuted();
        let changes = order.iter().map(|at| changes[*at].clone()).collect();
        (doc, changes)
    }
}

/// Sorts siblings by the rank of the first of their leaves that is shown, the presentation's own
/// being 0; stable. Multiparts inside stay together. `inner` sorts a sibling's own children and
/// gives their order. Returns the old indices of all leaves in their new order.
///
/// Only the siblings among which the presentation stands are sorted: what stands around that
/// multipart has a place of its own.
pub(super) fn sort<T>(
    siblings: &mut [T],
    count: impl Fn(&T) -> usize,
    inner: impl Fn(&mut T, usize) -> Option<Vec<usize>>,
    first: usize,
    ranks: &[usize],
) -> Vec<usize>
where
    T: Clone,
{
    let mut placed: Vec<(Range<usize>, T)> = Vec::with_capacity(siblings.len());
    let mut at = first;
    for sibling in siblings.iter() {
        let end = at + count(sibling);
        placed.push((at..end, sibling.clone()));
        at = end;
    }
    let rank = |leaves: &Range<usize>| ranks[leaves.clone()].iter().min().copied();
    let here = placed.iter().any(|(leaves, _)| leaves.len() == 1 && rank(leaves) == Some(0));
    if here {
        placed.sort_by_key(|(leaves, _)| rank(leaves).unwrap_or(usize::MAX));
    }
    let mut order = Vec::with_capacity(at - first);
    for (slot, (leaves, mut sibling)) in siblings.iter_mut().zip(placed) {
        let inside = if here { None } else { inner(&mut sibling, leaves.start) };
        order.extend(inside.unwrap_or_else(|| leaves.collect()));
        *slot = sibling;
    }
    order
}
