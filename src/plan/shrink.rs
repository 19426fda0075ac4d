//! Which kept part shrinks when the message is over, and what transcoded parts weigh.

use super::{
    Constraint, Demand, Input, PartFacts, PartPlan, Target, av,
    budget::room,
    image::{formats, transcode},
};
use crate::{
    model::{Action, Bytes, Dimensions, MediaKind, PartId, Reason, ReasonCode},
    policy::{Fallback, LeaveOut},
    quality,
};

/// The demands of the transcoded parts, guessed from their pixels, duration and rates.
pub(super) fn demands(
    parts: &[PartPlan],
    facts: &[PartFacts],
    constraints: &[Constraint],
    input: &Input<'_>,
) -> Vec<Demand> {
    let room = room(constraints);
    parts
        .iter()
        .zip(facts)
        .filter(|(part, _)| part.is_fitted())
        .map(|(part, facts)| Demand {
            id: part.id,
            weight: weight(facts, part.target.as_ref(), room)
                * input.policy.weights.of(facts.info.kind),
            ceiling: part.original_acceptable.then_some(facts.info.bytes),
            floor: Bytes::ZERO,
        })
        .collect()
}

fn weight(facts: &PartFacts, target: Option<&Target>, room: Bytes) -> f64 {
    let av = target.and_then(|target| av::weight(facts, target, room));
    av.unwrap_or_else(|| image_weight(facts, target.and_then(Target::image).map(|t| t.bounds)))
}

fn image_weight(facts: &PartFacts, bounds: Option<Dimensions>) -> f64 {
    // The frames of an animation; a video's count as one, its image is a still.
    let frames = if facts.info.kind == MediaKind::Image { facts.info.frames } else { 1 };
    let shown = |source: Dimensions| bounds.map_or(source, |bounds| source.shrunk_into(bounds));
    facts
        .info
        .dimensions
        .map_or(1.0, |source| quality::image::fair_bytes(shown(source).pixels(), frames))
}

/// A kept part that could shrink.
struct Candidate {
    index: usize,
    bytes: Bytes,
    kind: MediaKind,
    /// Its bytes over its demand.
    density: f64,
}

/// With this many times the bytes of a fair quality no part is short.
const PLENTY: f64 = 3.0;

impl Candidate {
    /// Whether it has more than its part while others get `fair` bytes per guessed demand. Of
    /// equal images each gets the same, within [`WORTH_TAKING`]. Audio and video keep up to twice
    /// as much, the more the less the others lack: a second generation costs them more than an
    /// image. The bound rises steadily with `fair`: no step of the limit makes an image worse.
    fn is_rich(&self, poorest: &Share) -> bool {
        let fair = poorest.fair;
        let bound = match self.kind {
            MediaKind::Image => fair,
            _ => 2.0 * fair * fair.max(1.0).powi(2),
        };
        let bytes = self.bytes.get() as f64;
        let excess = bytes - bytes / self.density * fair;
        fair < PLENTY && self.density > bound && excess > poorest.bytes * WORTH_TAKING
    }
}

/// A part that could free less than this share of the poorest's own bytes is left alone: an icon
/// saves no photo.
const WORTH_TAKING: f64 = 0.05;

/// What a transcoded part gets.
struct Share {
    /// Bytes per byte of its demand.
    fair: f64,
    bytes: f64,
    kind: MediaKind,
}

/// The index of the kept part that should be transcoded next because the message is over, or
/// because the others would be short; `None` if all is well or nothing can shrink.
pub(super) fn next(
    parts: &[PartPlan],
    facts: &[PartFacts],
    constraints: &[Constraint],
    shares: &[(PartId, Bytes)],
    input: &Input<'_>,
) -> Option<usize> {
    if input.policy.forbids_all() {
        return None;
    }
    let excess =
        constraints.iter().map(|c| c.fixed.saturating_sub(c.limit.bytes)).max().unwrap_or_default();
    let over = excess > Bytes::ZERO;
    let room = room(constraints);
    let share = |(id, n): &(PartId, Bytes)| {
        let facts = facts.iter().find(|f| f.id == *id)?;
        let target = parts.iter().find(|p| p.id == *id)?.target.as_ref();
        let bytes = n.get() as f64;
        let fair = bytes / weight(facts, target, room).max(1.0);
        Some(Share { fair, bytes, kind: facts.info.kind })
    };
    let poorest = shares.iter().filter_map(share).min_by(|a, b| a.fair.total_cmp(&b.fair));
    let rank = |kind| input.policy.shrink_order.rank(kind);
    // Kinds that shrink first take nothing from those that shrink later.
    let rich = |c: &Candidate| {
        poorest.as_ref().is_some_and(|p| rank(c.kind) <= rank(p.kind) && c.is_rich(p))
    };
    let candidates: Vec<Candidate> = parts
        .iter()
        .zip(facts)
        .enumerate()
        .filter(|(_, (part, facts))| part.action == Action::Keep && facts.problem.is_none())
        .filter_map(|(index, (part, facts))| candidate(index, part, facts, input, room))
        .filter(|c| over || rich(c))
        .collect();
    // The kinds that the policy names shrink before the others.
    let first = candidates.iter().map(|c| rank(c.kind)).min();
    let candidates: Vec<Candidate> =
        candidates.into_iter().filter(|c| Some(rank(c.kind)) == first).collect();
    // An image that could make up for all of it with half its bytes goes before audio and video:
    // their second generation costs more, in quality and in work.
    let enough = |c: &&Candidate| {
        c.kind == MediaKind::Image && c.bytes.get() >= excess.get().saturating_mul(2)
    };
    let largest = |a: &&Candidate, b: &&Candidate| {
        // The largest goes first; between equals the one later in the message.
        a.bytes.cmp(&b.bytes).then(a.index.cmp(&b.index))
    };
    let image = candidates.iter().filter(enough).max_by(largest);
    let medium = image.or_else(|| candidates.iter().max_by(largest)).map(|c| c.index);
    let photo = over && input.policy.allows(MediaKind::Text, Fallback::Photo);
    medium.or_else(|| if photo { card(parts, facts) } else { None })
}

/// Whether a kept image may become another.
fn images(facts: &PartFacts, input: &Input<'_>) -> bool {
    facts.makes.image
        && !formats(input).is_empty()
        && input.policy.allows(MediaKind::Image, Fallback::Format)
}

/// The medium that is dropped whole because nothing can shrink any more: the largest of the kind
/// that the policy names first. Text and presentation never are.
pub(super) fn whole(parts: &[PartPlan], input: &Input<'_>) -> Option<usize> {
    if input.policy.leave_out == LeaveOut::Never || input.policy.forbids_all() {
        return None;
    }
    let all = parts.iter().zip(input.parts).enumerate();
    let media = all.filter(|(_, (part, facts))| {
        part.action == Action::Keep
            && !matches!(facts.info.kind, MediaKind::Text | MediaKind::Presentation)
            && facts.info.bytes > Bytes::ZERO
    });
    let key = |(index, (_, facts)): &(usize, (&PartPlan, &PartFacts))| {
        let rank = input.policy.shrink_order.rank(facts.info.kind);
        (std::cmp::Reverse(rank), facts.info.bytes, *index)
    };
    media.max_by_key(key).map(|(index, _)| index)
}

/// The vCard whose image inside is the largest: leaving it out is the last resort.
fn card(parts: &[PartPlan], facts: &[PartFacts]) -> Option<usize> {
    let open = |(index, (part, facts)): (usize, (&PartPlan, &PartFacts))| {
        let free = part.action == Action::Keep && !part.without_photo && facts.spare > Bytes::ZERO;
        free.then_some((facts.spare, index))
    };
    let all = parts.iter().zip(facts).enumerate().filter_map(open);
    all.max().map(|(_, index)| index)
}

fn candidate(
    index: usize,
    part: &PartPlan,
    facts: &PartFacts,
    input: &Input<'_>,
    room: Bytes,
) -> Option<Candidate> {
    // Sealed, protected or never cut: kept for more than its size.
    let free = |r: &Reason| {
        !matches!(
            r.code,
            ReasonCode::NeverCut | ReasonCode::Protected | ReasonCode::AdaptationNotAllowed
        )
    };
    if !part.reasons.iter().all(free) {
        return None;
    }
    let bytes = facts.info.bytes;
    let kind = facts.info.kind;
    let weight = match kind {
        MediaKind::Image if images(facts, input) => image_weight(facts, None),
        MediaKind::Audio | MediaKind::Video => {
            let target = av::target(facts, input, av::padded(&facts.info))?;
            weight(facts, Some(&target), room.max(bytes))
        }
        _ => return None,
    };
    Some(Candidate { index, bytes, kind, density: bytes.get() as f64 / weight.max(1.0) })
}

/// Makes a kept part a transcoded one, because of the limit.
pub(super) fn shrink(
    part: &mut PartPlan,
    facts: &PartFacts,
    input: &Input<'_>,
    constraints: &[Constraint],
) {
    part.reasons.retain(|r| r.code != ReasonCode::Fits && r.code != ReasonCode::DeclaredTypeWrong);
    let worst = constraints.iter().max_by_key(|c| c.fixed.saturating_sub(c.limit.bytes));
    let detail = worst.map_or(String::new(), |c| {
        format!("the limit of {} is set by {}", c.limit.bytes, c.limit.source)
    });
    part.reasons.push(Reason::new(ReasonCode::OverMessageLimit, detail));
    if facts.info.kind == MediaKind::Text {
        return pare(part, facts);
    }
    part.redeclare = None;
    part.reasons.retain(|r| r.code != ReasonCode::MetadataStripped);
    if facts.info.kind == MediaKind::Image {
        transcode(part, facts, input);
    } else {
        av::transcode(part, facts, input, av::padded(&facts.info));
    }
}

/// A vCard goes without the image inside.
fn pare(part: &mut PartPlan, facts: &PartFacts) {
    part.without_photo = true;
    let detail = format!("{} saved", facts.spare);
    part.reasons.push(Reason::new(ReasonCode::PhotoLeftOut, detail));
    part.reasons.retain(|r| r.code != ReasonCode::NeverCut);
}
