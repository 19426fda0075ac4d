//! Which media are dropped where nothing that they could become is small enough.

use super::prepared::Prepared;
use crate::{
    model::{Action, Bytes, MediaKind, PartId},
    pipeline::job::Job,
    plan::{PartFacts, PartPlan},
    policy::LeaveOut,
};

/// Adds to `given_up` as many media as have to go so that the rest may come under the limit, in
/// the policy's order and of a kind the largest first. `over`: the smallest size that could be
/// reached, and the limit. `false` where nothing may go, or nothing is left.
pub(in crate::pipeline) fn drop_more(
    job: &Job,
    prepared: &Prepared,
    over: (Bytes, Bytes),
    given_up: &mut Vec<PartId>,
) -> bool {
    if job.policy.leave_out == LeaveOut::Never {
        return false;
    }
    let there = |part: &PartPlan, facts: &PartFacts| {
        let medium = !matches!(facts.info.kind, MediaKind::Text | MediaKind::Presentation);
        // Each only once: a part that cannot be dropped must not be asked for forever.
        let open = medium && !given_up.contains(&facts.id);
        open && matches!(part.action, Action::Keep | Action::Transcode)
    };
    let all = prepared.plan().parts().iter().zip(prepared.facts());
    let mut media: Vec<&PartFacts> =
        all.filter(|(part, facts)| there(part, facts)).map(|(_, facts)| facts).collect();
    let key = |facts: &&PartFacts| {
        let rank = job.policy.shrink_order.rank(facts.info.kind);
        (rank, std::cmp::Reverse(facts.info.bytes), std::cmp::Reverse(facts.id))
    };
    media.sort_by_key(key);
    // What one of them takes at least, on average: at least that goes with each.
    let (smallest, limit) = over;
    let each = (smallest.get() / (media.len() as u64).max(1)).max(1);
    let count = smallest.saturating_sub(limit).get().div_ceil(each).max(1);
    let before = given_up.len();
    given_up.extend(media.iter().take(count as usize).map(|facts| facts.id));
    given_up.len() > before
}
