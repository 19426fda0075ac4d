//! What to do with each part of a message: keep, transcode, replace or drop, with targets and
//! budgets. Decides from facts; never touches a byte of media.
//!
//! Architecture invariant: imports only `model` and `quality`; a [`Plan`] comes out of [`plan`] alone, and its
//! budgets with the fixed bytes never pass a limit.

mod alternatives;
mod av;
mod budget;
mod decide;
mod device;
mod empty;
mod image;
mod label;
mod notice;
mod presentation;
mod problem;
mod shrink;
mod target;
mod text;
mod verdict;

#[cfg(test)]
mod tests;

use crate::{
    model::{
        AcceptList, Action, Bytes, Capabilities, Category, Dimensions, Fault, Framing, Limits,
        MediaInfo, MediaType, PartId, Reason, ReasonCode, WireLimit,
    },
    policy::{Fallback, Policy},
};

pub use budget::{Demand, allocate, room, spare};
pub use empty::{drop_last_notice, replace_all_with_notices, shows_nothing};
pub use notice::{Cause, Missing};
pub use presentation::shows_presentation;
pub use problem::Problem;
pub use target::{AudioTarget, ImageTarget, Makes, Target, VideoTarget};
pub use text::{Recode, TextFacts};

/// What is known of one part before planning.
#[derive(Clone, Debug, PartialEq)]
pub struct PartFacts {
    /// Which part.
    pub id: PartId,
    /// The type that it was declared with.
    pub declared: MediaType,
    /// The spelling of that type: `image/jpg`.
    pub spelling: String,
    /// The type by content, as far as it is known.
    pub info: MediaInfo,
    /// Why it cannot be decoded, if it cannot.
    pub problem: Option<Problem>,
    /// What a codec can make of it.
    pub makes: Makes,
    /// For plain texts: their charset.
    pub text: Option<TextFacts>,
    /// Its metadata can be taken out, bit for bit the same otherwise.
    pub strippable: bool,
    /// Bytes of images inside a vCard, which may be left out.
    pub spare: Bytes,
    /// Of a presentation: the size of its layout in pixels, where it states one.
    pub layout: Option<Dimensions>,
    /// Where it is one of several versions of the same: which choice, and which version.
    pub alternative: Option<(u32, u32)>,
    /// Must pass untouched: a signed or encrypted container, a nested message.
    pub opaque: bool,
}

impl PartFacts {
    /// The signature that a virus scanner found in it: it goes to nobody.
    pub fn infection(&self) -> Option<&str> {
        self.problem.as_ref()?.infection()
    }

    /// Whether a codec looked into the part, with whatever result.
    fn is_readable(&self) -> bool {
        let makes = self.makes;
        self.problem.is_some() || makes.image || makes.audio || makes.video
    }
}

/// All that planning needs.
#[derive(Clone, Copy, Debug)]
pub struct Input<'a> {
    /// The parts in order.
    pub parts: &'a [PartFacts],
    /// What the device takes.
    pub capabilities: &'a Capabilities,
    /// All limits.
    pub limits: &'a Limits,
    /// The policy.
    pub policy: &'a Policy,
    /// Parts of which no version was small enough: they are dropped whole.
    pub given_up: &'a [PartId],
}

/// What one part becomes.
#[derive(Clone, Debug, PartialEq)]
pub struct PartPlan {
    /// Which part.
    pub id: PartId,
    /// What is done.
    pub action: Action,
    /// Why, the deciding reason first.
    pub reasons: Vec<Reason>,
    /// The type to declare where the declared one is wrong and the bytes stay.
    pub redeclare: Option<MediaType>,
    /// The charset to declare for a text, and perhaps to write it in.
    pub recode: Option<Recode>,
    /// If it stays, it stays without its metadata.
    pub strip: bool,
    /// A vCard stays without the image inside.
    pub without_photo: bool,
    /// A presentation's layout is brought into this screen.
    pub layout: Option<Dimensions>,
    /// A notice replaces it, and says that this is missing.
    pub notice: Option<Missing>,
    /// For [`Action::Transcode`] of media: into what.
    pub target: Option<Target>,
    /// For [`Action::Transcode`] of media: bytes allowed for a start.
    pub budget: Option<Bytes>,
    /// Whether the original would do if it were small enough: then it caps the result.
    pub original_acceptable: bool,
}

impl PartPlan {
    /// Takes the last steps of its ladder: a notice, or nothing.
    ///
    /// # Errors
    /// The policy has no such step.
    pub fn fall_back(&mut self, facts: &PartFacts, policy: &Policy) -> Result<(), PlanError> {
        let kind = facts.info.kind;
        if policy.notices(kind) {
            self.replace_with_notice(&facts.info);
        } else if policy.allows(kind, Fallback::Drop) {
            self.drop_without_notice();
        } else {
            let why = self.reasons.first().map_or_else(String::new, |reason| reason.to_string());
            return Err(PlanError::NoStep { part: self.id, detail: why });
        }
        Ok(())
    }

    /// Another version of the same content stays: nothing is missing.
    pub fn is_spare_version(&self) -> bool {
        self.reasons.first().is_some_and(|reason| reason.code == ReasonCode::Alternative)
    }

    /// Whether it may go without a notice.
    fn may_drop(&self, facts: &[PartFacts], policy: &Policy) -> bool {
        facts
            .iter()
            .find(|facts| facts.id == self.id)
            .is_some_and(|facts| policy.allows(facts.info.kind, Fallback::Drop))
    }

    /// A notice takes the place of a part that is left out.
    pub fn replace_with_notice(&mut self, info: &MediaInfo) {
        self.action = Action::Replace;
        self.notice = Some(Missing {
            kind: info.kind,
            media_type: info.media_type.clone(),
            bytes: info.bytes,
            cause: Cause::of(&self.reasons),
        });
    }

    /// No notice either.
    pub fn drop_without_notice(&mut self) {
        self.action = Action::Drop;
        self.notice = None;
    }

    /// Whether not one byte of it changes.
    pub fn changes_nothing(&self) -> bool {
        self.action == Action::Keep
            && self.redeclare.is_none()
            && self.recode.is_none()
            && !self.strip
            && !self.without_photo
            && self.layout.is_none()
    }

    /// Whether it goes through a codec: its bytes are not known before.
    pub fn is_fitted(&self) -> bool {
        self.action == Action::Transcode && self.recode.is_none()
    }

    /// Cancels a transcode that was planned only because of the limit.
    pub fn keep_after_all(&mut self, facts: &PartFacts, accept: &AcceptList) {
        self.action = Action::Keep;
        self.target = None;
        self.budget = None;
        self.reasons = vec![Reason::new(ReasonCode::Fits, "the original fits after all")];
        if self.strip {
            self.reasons.push(ReasonCode::MetadataStripped.into());
        }
        self.redeclare = label::is_wrong(facts, accept).then(|| facts.info.media_type.clone());
    }
}

/// One limit with all that is needed to check it: what is fixed, and what each transcoded part's
/// bytes cost.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Constraint {
    /// The limit.
    pub limit: WireLimit,
    /// Wire bytes with every transcoded part empty.
    pub fixed: Bytes,
    /// Framing of each transcoded part, in the order of the plan.
    pub framings: Vec<(PartId, Framing)>,
}

impl Constraint {
    /// Wire bytes with the transcoded parts at these sizes.
    pub fn wire(&self, sizes: &[(PartId, Bytes)]) -> Bytes {
        let extra = self.framings.iter().map(|(id, framing)| {
            let size = sizes.iter().find(|(i, _)| i == id).map_or(Bytes::ZERO, |(_, n)| *n);
            framing.wire(size).saturating_sub(framing.wire(Bytes::ZERO))
        });
        self.fixed + extra.sum()
    }

    /// Bytes left for the transcoded parts' payloads on the wire; `None` if the fixed bytes alone
    /// are over.
    fn room(&self) -> Option<Bytes> {
        self.limit.bytes.checked_sub(self.fixed)
    }
}

/// What to do with a message. Only [`plan`] makes one.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    parts: Vec<PartPlan>,
    constraints: Vec<Constraint>,
}

impl Plan {
    /// The parts in order.
    pub fn parts(&self) -> &[PartPlan] {
        &self.parts
    }

    /// The limits.
    pub fn constraints(&self) -> &[Constraint] {
        &self.constraints
    }

    /// A video becomes its poster image, for this reason.
    pub fn take_poster(&mut self, id: PartId, reason: Reason) {
        let Some(part) = self.parts.get_mut(id.index()) else { return };
        if let Some(Target::Video(VideoTarget { poster: Some(poster), .. })) = &part.target {
            part.target = Some(Target::Image(poster.clone()));
            part.reasons.push(reason);
        }
    }

    /// Whether not one byte changes.
    pub fn changes_nothing(&self) -> bool {
        self.parts.iter().all(PartPlan::changes_nothing)
    }
}

/// The bytes of the message around the parts that are transcoded, by every limit's counting.
/// Given the parts as planned so far; one entry a limit, in order.
pub type Overheads<'a> = dyn Fn(&[PartPlan]) -> Vec<Constraint> + 'a;

/// Why there is no plan.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// The parts that cannot be changed are over the limit by themselves.
    #[error("cannot fit: {fixed} bytes cannot be reduced, the limit is {limit} bytes",
        fixed = fixed.get(), limit = limit.bytes.get())]
    FixedOverLimit {
        /// Wire bytes that stay.
        fixed: Bytes,
        /// The limit.
        limit: WireLimit,
    },
    /// It would have to be adapted, and that is forbidden.
    #[error("adaptation is not allowed, and the message has {size} bytes, the limit is {limit}",
        size = size.get(), limit = limit.bytes.get())]
    NotAllowed {
        /// Wire bytes of the message.
        size: Bytes,
        /// The limit.
        limit: WireLimit,
    },
    /// Nothing would be left to show, and the policy wants such messages refused.
    #[error("nothing of the message can be shown: {detail}")]
    NothingLeft {
        /// The first part that is left out.
        part: PartId,
        /// Why.
        detail: String,
    },
    /// A part would have to be changed in a way that the policy does not allow.
    #[error("the policy does not allow what would have to be done: {detail}")]
    NoStep {
        /// Which part.
        part: PartId,
        /// Why it cannot stay as it is.
        detail: String,
    },
}

impl Fault for PlanError {
    fn category(&self) -> Category {
        match self {
            Self::FixedOverLimit { .. } | Self::NothingLeft { .. } => Category::CannotFit,
            Self::NotAllowed { .. } | Self::NoStep { .. } => Category::NotAllowed,
        }
    }

    fn reason(&self) -> &'static str {
        match self {
            Self::FixedOverLimit { .. } => "CANNOT_FIT",
            Self::NothingLeft { .. } => "NOTHING_TO_SHOW",
            Self::NotAllowed { .. } => "ADAPTATION_NOT_ALLOWED",
            Self::NoStep { .. } => "NO_STEP_ALLOWED",
        }
    }
}

/// Plans a message.
///
/// First every part is judged alone (type, bounds, coding). Then the parts that could stay are
/// weighed against the limits: as long as the message is over, those that take more than their
/// share are transcoded too.
///
/// # Errors
/// [`PlanError`], where no choice of actions can fit.
pub fn plan(input: Input<'_>, overheads: &Overheads<'_>) -> Result<Plan, PlanError> {
    let mut parts: Vec<PartPlan> =
        input.parts.iter().map(|facts| decide::alone(facts, &input)).collect();
    for (part, facts) in parts.iter_mut().zip(input.parts) {
        if part.action == Action::Drop {
            part.fall_back(facts, input.policy)?;
        }
    }
    alternatives::choose(&mut parts, &input);
    replace_all_with_notices(&mut parts, input.parts, input.policy)?;
    loop {
        let constraints = overheads(&parts);
        let over = constraints.iter().find(|c| c.fixed > c.limit.bytes).cloned();
        let demands = shrink::demands(&parts, input.parts, &constraints, &input);
        let shares = allocate(&constraints, &demands);
        match shrink::next(&parts, input.parts, &constraints, &shares, &input) {
            Some(index) => {
                shrink::shrink(&mut parts[index], &input.parts[index], &input, &constraints)
            }
            None => {
                if let Some(worst) = over {
                    drop_next(&mut parts, &input, worst)?;
                    continue;
                }
                for part in parts.iter_mut().filter(|p| p.is_fitted()) {
                    part.budget = shares.iter().find(|(id, _)| *id == part.id).map(|(_, n)| *n);
                }
                return Ok(Plan { parts, constraints });
            }
        }
    }
}

/// Nothing can shrink any more: something has to be dropped.
fn drop_next(
    parts: &mut [PartPlan],
    input: &Input<'_>,
    worst: Constraint,
) -> Result<(), PlanError> {
    // Notices are dropped first.
    if drop_last_notice(parts, input.parts, input.policy) {
        return Ok(());
    }
    let Some(index) = shrink::whole(parts, input) else { return Err(refusal(input, worst)) };
    let facts = &input.parts[index];
    verdict::drop_over_limit(&mut parts[index], &worst.limit);
    parts[index].fall_back(facts, input.policy)?;
    replace_all_with_notices(parts, input.parts, input.policy)
}

fn refusal(input: &Input<'_>, worst: Constraint) -> PlanError {
    if input.policy.forbids_all() {
        PlanError::NotAllowed { size: worst.fixed, limit: worst.limit }
    } else {
        PlanError::FixedOverLimit { fixed: worst.fixed, limit: worst.limit }
    }
}
