//! The report: what was done to each part, and why.

use super::{class, reasons};
use crate::{
    message::{Edit, Form, Message},
    model::{
        Action, Bytes, ContentClass, Counting, Interface, MediaInfo, MediaKind, Outcome, PartId,
        PartReport, Reason, ReasonCode, Report, Warning,
    },
    pipeline::{
        draft,
        encode::{Encoded, PartOutcome},
        examine::Examined,
        job::Job,
    },
    plan::{PartFacts, PartPlan, Plan, Target},
};

/// Nothing changed.
pub(in crate::pipeline) fn unchanged(job: &Job, examined: &Examined, plan: &Plan) -> Report {
    let parts = examined.facts.iter().zip(plan.parts());
    let parts = parts.map(|(facts, part)| planned(job, examined, facts, part)).collect();
    whole(job, parts, Outcome::Unchanged, &job.message, Vec::new())
}

/// What would be done.
pub(in crate::pipeline) fn foreseen(job: &Job, examined: &Examined, plan: &Plan) -> Report {
    let planned_parts = plan.parts();
    let mut parts: Vec<PartReport> = examined
        .facts
        .iter()
        .zip(planned_parts)
        .map(|(facts, part)| planned(job, examined, facts, part))
        .collect();
    follow(job, examined, planned_parts, &mut parts);
    let outcome = outcome(planned_parts).max(lost(&parts));
    let mut report = whole(job, parts, outcome, &job.message, Vec::new());
    let sizes: Vec<_> = planned_parts.iter().filter_map(|p| Some((p.id, p.budget?))).collect();
    let constraint = plan.constraints().iter().find(|c| Some(c.limit) == report.limit);
    if let Some(constraint) = constraint {
        report.wire_bytes_after = constraint.wire(&sizes);
    }
    // What comes out is not known yet.
    report.content_class_after = None;
    report
}

/// A presentation that will have to follow what becomes of the parts is no part that is kept.
fn follow(job: &Job, examined: &Examined, planned: &[PartPlan], parts: &mut [PartReport]) {
    let Some(id) = job.message.presentation() else { return };
    if parts[id.index()].action != Action::Keep || planned.iter().all(PartPlan::changes_nothing) {
        return;
    }
    let accept = &job.capabilities.accept;
    let edits = planned.iter().zip(&examined.facts).map(|(part, facts)| {
        let types = part.target.as_ref().map(Target::media_types).unwrap_or_default();
        match types.first() {
            None => draft::edit(job, examined, part),
            // Most often it stays what it is, and keeps its name.
            Some(_) if types.contains(&facts.info.media_type) => Edit::Keep,
            Some(likely) => {
                let content_type = accept.spelling_of(likely);
                Edit::Replace { content_type, data: Default::default() }
            }
        }
    });
    let showing = draft::presentation(&examined.facts, planned, &[]);
    let Ok(draft) = job.message.rewrite_as(&edits.collect::<Vec<_>>(), &showing) else { return };
    // Parts may have gone, and the order may be another: it is the presentation all the same.
    let drafted = draft.presentation().map(|at| &draft.parts()[at.index()].data);
    if drafted.is_some_and(|data| *data != job.message.parts()[id.index()].data) {
        parts[id.index()].action = Action::Transcode;
        parts[id.index()].reasons.push(ReasonCode::FollowsParts.into());
    }
}

/// What was done.
pub(in crate::pipeline) fn finished(
    job: &Job,
    examined: &Examined,
    encoded: &Encoded,
    message: &Message,
) -> Report {
    let mut warnings = Vec::new();
    let all = examined.facts.iter().zip(&encoded.parts).zip(&encoded.outcomes);
    let parts: Vec<PartReport> = all
        .map(|((facts, part), outcome)| {
            let mut report = planned(job, examined, facts, part);
            match outcome {
                PartOutcome::Kept | PartOutcome::Rewritten => {}
                PartOutcome::Dropped { cpu } => report.cpu_ms = cpu.as_secs_f64() * 1e3,
                PartOutcome::Encoded(result) => {
                    let info = result.verified.info.clone();
                    report.cpu_ms = result.cpu.as_secs_f64() * 1e3;
                    report.encodes = result.encodes;
                    report.quality_estimate = result.verified.quality;
                    report.budget_bytes = Some(result.budget);
                    report.reasons.extend(reasons::of(facts, part, result));
                    if info.kind != facts.info.kind {
                        report.action = Action::Replace;
                    }
                    report.after = Some(info);
                }
            }
            report
        })
        .collect();
    if encoded.parts.iter().all(|p| p.action == Action::Drop) {
        warnings.push(Warning {
            code: "EMPTY".into(),
            message: "no part of the message could be shown".into(),
        });
    }
    let signed = job.message.signatures();
    if !signed.is_empty() && message.signatures().is_empty() {
        let (names, verb) = (signed.join(", "), if signed.len() == 1 { "is" } else { "are" });
        warnings.push(Warning {
            code: "SIGNATURE_REMOVED".into(),
            message: format!("{names} {verb} not true of a changed message and went"),
        });
    }
    let outcome = outcome(&encoded.parts).max(lost(&parts));
    let mut report = whole(job, parts, outcome, message, warnings);
    as_it_went_out(job, message, &mut report.parts);
    report
}

/// Names as they went out; and where other bytes went out than came in, that is told.
fn as_it_went_out(job: &Job, message: &Message, parts: &mut [PartReport]) {
    let gone = |id: PartId| parts[id.index()].action == Action::Drop;
    let mut order: Vec<PartId> = parts.iter().map(|part| part.id).collect();
    if job.message.presentation().is_some_and(gone) {
        order = job.message.showing_order();
    }
    order.retain(|id| !gone(*id));
    for (id, out) in order.into_iter().zip(message.parts()) {
        let part = &mut parts[id.index()];
        if let Some(name) = &out.name {
            part.name.clone_from(name);
        }
        let untouched = out.data == job.message.parts()[id.index()].data;
        if part.action == Action::Keep && !untouched {
            part.action = Action::Transcode;
            if let Some(after) = &mut part.after {
                after.bytes = Bytes::of(&out.data);
            }
            if part.before.kind == MediaKind::Presentation {
                part.reasons.push(ReasonCode::FollowsParts.into());
            }
        }
    }
}

/// The class by the size of the PDU, which is what classes limit. A bare file has none.
fn class_of<'a>(
    message: &Message,
    parts: impl Iterator<Item = &'a MediaInfo>,
) -> Option<ContentClass> {
    if message.form() == Form::Bare {
        return None;
    }
    class::of(parts, message.wire_size(Counting::MmsPdu, Interface::Mm1))
}

fn outcome(parts: &[PartPlan]) -> Outcome {
    let of = |part: &PartPlan| match part.action {
        Action::Keep if part.changes_nothing() => Outcome::Unchanged,
        Action::Keep | Action::Transcode => Outcome::Minor,
        Action::Drop if part.is_spare_version() => Outcome::Minor,
        Action::Replace | Action::Drop => Outcome::Major,
    };
    parts.iter().map(of).max().unwrap_or(Outcome::Unchanged)
}

/// Major, where a medium was lost or became another (the conformance document's adaptation
/// classes).
fn lost(parts: &[PartReport]) -> Outcome {
    if parts.iter().any(is_major) { Outcome::Major } else { Outcome::Unchanged }
}

/// Whether a medium was lost or became another.
pub(super) fn is_major(part: &PartReport) -> bool {
    use ReasonCode as R;
    let medium = |r: &Reason| {
        matches!(
            r.code,
            R::AnimationLost
                | R::VideoLost
                | R::AudioLost
                | R::AnimationAsVideo
                | R::PhotoLeftOut
                | R::Shortened
                | R::BarelyShown
        )
    };
    let spare = part.reasons.first().is_some_and(|r| r.code == R::Alternative);
    matches!(part.action, Action::Replace | Action::Drop) && !spare
        || part.reasons.iter().any(medium)
}

fn planned(job: &Job, examined: &Examined, facts: &PartFacts, part: &PartPlan) -> PartReport {
    let origin = &job.message.parts()[part.id.index()];
    PartReport {
        id: part.id,
        content_id: origin.content_id.clone().unwrap_or_default(),
        name: origin.name.clone().unwrap_or_default(),
        action: match &part.target {
            Some(target) if target.kind() != facts.info.kind => Action::Replace,
            _ => part.action,
        },
        reasons: draft::reasons(examined, part),
        before: facts.info.clone(),
        after: draft::after(job, examined, part),
        budget_bytes: part.budget,
        encodes: 0,
        quality_estimate: None,
        cpu_ms: 0.0,
    }
}

fn whole(
    job: &Job,
    parts: Vec<PartReport>,
    outcome: Outcome,
    message: &Message,
    mut warnings: Vec<Warning>,
) -> Report {
    for part in parts.iter().filter(|part| part.before.truncated) {
        let which = if part.name.is_empty() { String::new() } else { format!(" ({})", part.name) };
        let number = part.id.index() + 1;
        warnings.push(Warning {
            code: "TRUNCATED".into(),
            message: format!("part {number}{which} is damaged: the file ends before its own end"),
        });
    }
    let measure = |message: &Message| -> Vec<Bytes> {
        let limits = job.limits.wire.iter();
        limits.map(|limit| message.wire_size(limit.counting, job.interface)).collect()
    };
    let before = measure(&job.message);
    let after = if outcome == Outcome::Unchanged { before.clone() } else { measure(message) };
    let binding = draft::binding(job, &after);
    let class_before = class_of(&job.message, parts.iter().map(|part| &part.before));
    let class_after = if outcome == Outcome::Unchanged {
        class_before
    } else {
        class_of(message, parts.iter().filter_map(|part| part.after.as_ref()))
    };
    let natural = |message: &Message| message.wire_size(Default::default(), job.interface);
    Report {
        outcome,
        limit: binding.map(|i| job.limits.wire[i]),
        wire_bytes_before: binding.map_or_else(|| natural(&job.message), |i| before[i]),
        wire_bytes_after: binding.map_or_else(|| natural(message), |i| after[i]),
        content_class_before: class_before,
        content_class_after: class_after,
        parts,
        warnings,
        capabilities: None,
        account: None,
    }
}
