//! multipart/alternative: of several versions of the same content one is kept.

use super::{Input, PartPlan};
use crate::model::{MediaKind, Reason, ReasonCode};

/// Of each choice the richest version stays whose text the device shows; where it shows none, the
/// first, which is the plainest (RFC 2046 clause 5.1.4). The others are dropped without loss.
pub(super) fn choose(parts: &mut [PartPlan], input: &Input<'_>) {
    if input.policy.forbids_all() {
        return;
    }
    let places = || input.parts.iter().filter_map(|facts| facts.alternative);
    let mut groups: Vec<u32> = places().map(|(group, _)| group).collect();
    groups.dedup();
    for group in groups {
        let Some(chosen) = richest(group, input) else { continue };
        for (part, facts) in parts.iter_mut().zip(input.parts) {
            if facts.alternative.is_some_and(|(g, version)| g == group && version != chosen) {
                if facts.infection().is_none() {
                    part.reasons = vec![Reason::from(ReasonCode::Alternative)];
                }
                (part.target, part.recode, part.redeclare) = (None, None, None);
                part.drop_without_notice();
            }
        }
    }
}

fn richest(group: u32, input: &Input<'_>) -> Option<u32> {
    let mut versions: Vec<u32> = input
        .parts
        .iter()
        .filter_map(|f| f.alternative)
        .filter(|a| a.0 == group)
        .map(|a| a.1)
        .collect();
    versions.dedup();
    let shown = |version: &u32| {
        let first = input.parts.iter().find(|facts| facts.alternative == Some((group, *version)));
        first.is_some_and(|facts| {
            let kind = &facts.info.media_type;
            facts.infection().is_none()
                && facts.info.kind == MediaKind::Text
                && (kind.as_str() == "text/plain" || input.capabilities.accept.accepts(kind))
        })
    };
    versions.iter().rev().copied().find(|version| shown(version)).or(versions.first().copied())
}
