//! Left-over bytes of some parts go to those that can use them.

use super::{
    message::Encoder,
    part::{Best, PartEncoding},
    share::{ceiling, demand, without},
};
use crate::{
    model::{Bytes, ImageCoding},
    pipeline::context::Context,
    plan::{self, Demand},
};

/// A part's budget grows by at least this share, or it is not worth another encode.
const WORTH_ANOTHER: f64 = 1.04;

/// Likewise for audio and video, whose encodes are expensive.
const WORTH_ANOTHER_VIDEO: f64 = 1.2;

/// Equal photos differ by at most this much after left-over bytes are dealt.
const BEST_FED: f64 = 1.03;

impl Encoder<'_> {
    /// Spends what is left over: first on the photos, which turn any number of bytes into quality,
    /// in proportion; what then remains on the rest, one by one.
    pub fn spend_leftover(&mut self) {
        if !self.has_several() || self.context.stop.check().is_err() {
            return;
        }
        self.spend_on_photos();
        // What then remains is too little to be dealt: the worst fed first, and no photo past the
        // best fed, so that the order of the parts decides nothing.
        let fed = |part: &PartEncoding| {
            let weight = part.demand() * part.weight;
            (part.best.size().get() as f64 / weight.max(1.0), weight)
        };
        let photos = self.parts.iter().filter(|part| is_photo(part));
        let best = photos.map(|part| fed(part).0).fold(0.0, f64::max);
        let parts = self.parts.iter().enumerate();
        let mut order: Vec<(bool, f64, usize)> =
            parts.map(|(at, part)| (is_photo(part), fed(part).0, at)).collect();
        order.sort_by(|a, b| a.0.cmp(&b.0).then(a.1.total_cmp(&b.1)).then(a.2.cmp(&b.2)));
        for (photo, _, at) in order {
            let room = self.spare(at);
            let part = &mut self.parts[at];
            let most = Bytes::new((best * BEST_FED * fed(part).1) as u64);
            let room = if photo { room.min(most) } else { room };
            let room = ceiling(part).map_or(room, |ceiling| room.min(ceiling));
            try_for_more(&self.context, part, room);
        }
    }

    fn spend_on_photos(&mut self) {
        let photos: Vec<usize> =
            (0..self.parts.len()).filter(|at| is_photo(&self.parts[*at])).collect();
        let mut settled = self.sizes();
        settled.retain(|(id, _)| photos.iter().all(|at| self.parts[*at].id != *id));
        let rest = without(self.draft.constraints(), &settled);
        let left = plan::room(&rest);
        let demands: Vec<Demand> = photos.iter().map(|at| demand(&self.parts[*at], left)).collect();
        for (at, (_, budget)) in photos.into_iter().zip(plan::allocate(&rest, &demands)) {
            // Another photo may hold more than its new share: only bytes that are really free may
            // be taken.
            let room = self.spare(at);
            try_for_more(&self.context, &mut self.parts[at], budget.min(room));
        }
    }

    /// The most that part `at` may take beside the others as they are.
    fn spare(&self, at: usize) -> Bytes {
        plan::spare(self.draft.constraints(), &self.sizes(), self.parts[at].id)
    }
}

fn is_photo(part: &PartEncoding) -> bool {
    let jpeg =
        part.image_recipe().is_some_and(|recipe| matches!(recipe.coding, ImageCoding::Jpeg { .. }));
    jpeg && !part.search.saturated()
}

/// Goes on with a bigger budget, if it is enough bigger. What was in hand stays in hand, whatever
/// comes of trying for more.
fn try_for_more(context: &Context<'_>, part: &mut PartEncoding, budget: Bytes) {
    let worth =
        if part.search.size_is_unpredictable() { WORTH_ANOTHER } else { WORTH_ANOTHER_VIDEO };
    if (budget.get() as f64) < part.best.size().get() as f64 * worth
        || budget <= part.budget
        || part.search.saturated()
    {
        return;
    }
    let before = part.best.clone();
    part.set_budget(budget);
    part.advance(context, u32::MAX);
    if !matches!(part.best, Best::Encoded { .. }) {
        part.best = before;
        part.failed = None;
    }
}
