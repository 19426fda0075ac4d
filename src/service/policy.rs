//! Whose policy holds for a message.

use std::borrow::Cow;

use crate::{
    config::Config,
    model::{LimitSource, Limits},
    policy::{Margin, PolicySettings},
    profile::carrier::Carrier,
};

/// What the carrier settings, and where it says nothing, the operator.
pub(super) fn settings<'a>(
    config: &'a Config,
    carrier: Option<&Carrier>,
) -> Cow<'a, PolicySettings> {
    match carrier.filter(|carrier| !carrier.settings.stated.is_empty()) {
        Some(carrier) => Cow::Owned(carrier.settings.over(&config.policy)),
        None => Cow::Borrowed(&config.policy),
    }
}

/// Limits with room left under them. What a request states is meant to the byte.
pub(super) fn with_margin(mut limits: Limits, margin: Margin) -> Limits {
    for limit in limits.wire.iter_mut().filter(|limit| limit.source != LimitSource::Request) {
        limit.bytes = margin.within(limit.bytes);
    }
    limits
}
