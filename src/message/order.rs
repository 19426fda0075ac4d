//! Parts in another order, for every form alike.

use std::ops::Range;

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
