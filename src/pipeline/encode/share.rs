//! Sharing the bytes among the parts, by what is known of each part's weight.

use super::{message::Encoder, part::PartEncoding};
use crate::{
    fit::Task,
    model::{Bytes, PartId},
    plan::{self, Constraint, Demand},
    quality::{AUDIO_SHARE, FLOORS_SHARE, HEAVIEST, VIDEO_SHARE},
};

impl Encoder<'_> {
    /// Deals the room by what is known of each part's weight.
    pub fn share(&mut self) {
        let constraints = self.draft.constraints();
        let demands = demands(&self.parts, plan::room(constraints));
        let budgets = plan::allocate(constraints, &demands);
        set_budgets(&mut self.parts, &budgets);
    }

    /// Audio and video are settled: what they left goes to the images.
    pub fn share_rest(&mut self) {
        let settled: Vec<(PartId, Bytes)> = self
            .parts
            .iter()
            .filter(|part| !part.search.size_is_unpredictable())
            // Nothing fitted: its share is kept back for it.
            .map(|part| (part.id, if part.best.is_none() { part.budget } else { part.best.size() }))
            .collect();
        let rest = without(self.draft.constraints(), &settled);
        let room = plan::room(&rest);
        let images = self.parts.iter().filter(|part| part.search.size_is_unpredictable());
        let demands: Vec<Demand> = images.map(|part| demand(part, room)).collect();
        set_budgets(&mut self.parts, &plan::allocate(&rest, &demands));
    }
}

fn set_budgets(parts: &mut [PartEncoding], budgets: &[(PartId, Bytes)]) {
    for part in parts {
        if let Some((_, budget)) = budgets.iter().find(|(id, _)| *id == part.id) {
            part.set_budget(*budget);
        }
    }
}

/// The constraints with some parts counted as fixed.
pub(super) fn without(constraints: &[Constraint], settled: &[(PartId, Bytes)]) -> Vec<Constraint> {
    constraints.iter().map(|c| Constraint { fixed: c.wire(settled), ..c.clone() }).collect()
}

/// The demands of all parts.
fn demands(parts: &[PartEncoding], room: Bytes) -> Vec<Demand> {
    let mut demands: Vec<Demand> = parts.iter().map(|part| demand(part, room)).collect();
    let images: Vec<f64> = parts
        .iter()
        .zip(&demands)
        .filter(|(part, _)| matches!(part.task, Task::Image(_)))
        .map(|(part, demand)| demand.weight / part.weight)
        .collect();
    if images.is_empty() {
        return demands;
    }
    let mean = images.iter().sum::<f64>() / images.len() as f64;
    let floors: f64 = parts.iter().map(|part| part.task.floor().get() as f64).sum();
    let holds = floors <= room.get() as f64 * FLOORS_SHARE;
    for (part, demand) in parts.iter().zip(&mut demands) {
        let share = match part.task {
            Task::Image(_) => continue,
            Task::Audio(_) => AUDIO_SHARE,
            Task::Video(_) => VIDEO_SHARE,
        };
        // More than a fair quality takes is better spent on the images.
        let fair = Bytes::new((demand.weight / part.weight) as u64);
        demand.ceiling = demand.ceiling.into_iter().chain([fair.max(part.task.floor())]).min();
        demand.weight = mean * share * part.weight;
        if holds {
            demand.floor = part.task.floor();
        }
    }
    demands
}

/// The demand of a part.
pub(super) fn demand(part: &PartEncoding, room: Bytes) -> Demand {
    let weight = match part.task {
        Task::Image(_) => part.demand(),
        Task::Audio(_) => part.demand().min(room.get() as f64),
        Task::Video(_) => part.demand().min(room.get() as f64 * HEAVIEST),
    } * part.weight;
    Demand { id: part.id, weight, ceiling: ceiling(part), floor: Bytes::ZERO }
}

/// The size beyond which a part gains nothing. A drawing that must be changed may outgrow its
/// original.
pub(super) fn ceiling(part: &PartEncoding) -> Option<Bytes> {
    let drawing = matches!(&part.task, Task::Image(task) if task.lossless_source);
    let own = part.task.ceiling().filter(|_| part.keeps_ceiling || !drawing);
    own.into_iter().chain(part.task.useful()).min()
}
