//! Sharing a limit among the parts that can shrink.

use super::Constraint;
use crate::model::{Bytes, PartId};

/// The bytes that one transcoded part asks for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Demand {
    /// Which part.
    pub id: PartId,
    /// Bytes at a common reference quality, measured or guessed: images whose bytes are in
    /// proportion to it come out alike, and the next byte gains about the same everywhere.
    pub weight: f64,
    /// More than this gains nothing.
    pub ceiling: Option<Bytes>,
    /// With less than this it falls back. Where all floors together are over the limit, none
    /// counts.
    pub floor: Bytes,
}

/// Budgets in media bytes, one per demand: shares in proportion to the weights; what one does
/// not need goes to the others (water filling). Together with the fixed bytes they respect every
/// constraint; where the fixed bytes alone are over, all budgets are zero.
pub fn allocate(constraints: &[Constraint], demands: &[Demand]) -> Vec<(PartId, Bytes)> {
    let mut budgets: Vec<(PartId, Bytes)> = demands
        .iter()
        .map(|d| (d.id, d.ceiling.unwrap_or(Bytes::new(u64::from(u32::MAX)))))
        .collect();
    for constraint in constraints {
        for (slot, (id, wire)) in budgets.iter_mut().zip(shares(constraint, demands)) {
            let framing = framing(constraint, id);
            let empty = framing.wire(Bytes::ZERO);
            slot.1 = slot.1.min(framing.payload(wire + empty));
        }
    }
    budgets
}

/// Wire bytes of one constraint for each demand.
fn shares(constraint: &Constraint, demands: &[Demand]) -> Vec<(PartId, Bytes)> {
    let mut left = constraint.room().unwrap_or(Bytes::ZERO).get() as f64;
    let mut open: Vec<usize> = (0..demands.len()).collect();
    let mut given = vec![0.0f64; demands.len()];
    let wire = |i: usize, n: Bytes| {
        let framing = framing(constraint, demands[i].id);
        framing.wire(n).saturating_sub(framing.wire(Bytes::ZERO)).get() as f64
    };
    let floors: f64 = open.iter().map(|i| wire(*i, demands[*i].floor)).sum();
    let holds = floors <= left;
    loop {
        let total: f64 = open.iter().map(|i| demands[*i].weight.max(1.0)).sum();
        let bound = open.iter().enumerate().find_map(|(at, i)| {
            let share = left * demands[*i].weight.max(1.0) / total;
            let floor = wire(*i, demands[*i].floor);
            if holds && share < floor {
                return Some((at, floor));
            }
            let ceiling = demands[*i].ceiling.map(|n| wire(*i, n));
            ceiling.filter(|ceiling| *ceiling <= share).map(|ceiling| (at, ceiling))
        });
        match bound {
            Some((at, bytes)) => {
                given[open.remove(at)] = bytes;
                left = (left - bytes).max(0.0);
            }
            None => {
                for i in open {
                    given[i] = left * demands[i].weight.max(1.0) / total;
                }
                break;
            }
        }
    }
    demands.iter().zip(given).map(|(d, n)| (d.id, Bytes::new(n.max(0.0) as u64))).collect()
}

fn framing(constraint: &Constraint, id: PartId) -> crate::model::Framing {
    constraint
        .framings
        .iter()
        .find(|(i, _)| *i == id)
        .map_or(crate::model::Framing::Identity, |(_, framing)| *framing)
}

/// What the limits leave for all that is transcoded.
pub fn room(constraints: &[Constraint]) -> Bytes {
    constraints.iter().map(|c| c.limit.bytes.saturating_sub(c.fixed)).min().unwrap_or_default()
}

/// The most that `id` may take, with all other transcoded parts at `sizes`.
pub fn spare(constraints: &[Constraint], sizes: &[(PartId, Bytes)], id: PartId) -> Bytes {
    let others: Vec<(PartId, Bytes)> = sizes.iter().copied().filter(|(i, _)| *i != id).collect();
    constraints
        .iter()
        .map(|constraint| {
            let framing = framing(constraint, id);
            let room = constraint.limit.bytes.checked_sub(constraint.wire(&others));
            room.map_or(Bytes::ZERO, |room| framing.payload(room + framing.wire(Bytes::ZERO)))
        })
        .min()
        .unwrap_or(Bytes::new(u64::from(u32::MAX)))
}
