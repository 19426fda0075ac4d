//! From what carrier and operator wish to the policy of one message.

use std::borrow::Cow;

use crate::{
    config::Config,
    model::{Adaptation, Language, LeaveOut, LimitSource, Limits, Margin, Tongue, Wishes},
    plan::Policy,
    profile::carrier::Carrier,
};

/// What the carrier wishes, and where it says nothing, the operator.
pub(super) fn wishes<'a>(config: &'a Config, carrier: Option<&Carrier>) -> Cow<'a, Wishes> {
    match carrier.filter(|carrier| !carrier.wishes.stated.is_empty()) {
        Some(carrier) => Cow::Owned(carrier.wishes.over(&config.policy)),
        None => Cow::Borrowed(&config.policy),
    }
}

/// Wishes as the policy of one message. A bare file is all that there is: nothing stands for it,
/// and it is not given up.
pub(super) fn policy(
    wishes: &Wishes,
    carrier: Option<&Carrier>,
    forbidden: bool,
    bare: bool,
) -> Policy {
    let language = match wishes.language.unwrap_or_default() {
        Tongue::Fixed(language) => language,
        Tongue::Auto => carrier.map_or(Language::English, |c| Language::of_country(&c.country)),
    };
    let adaptation = wishes.adaptation.unwrap_or_default();
    Policy {
        background: wishes.background.map_or([255; 3], |color| color.0),
        adaptation: if forbidden { Adaptation::Never } else { adaptation },
        trim: wishes.trim.unwrap_or_default(),
        sanitize: wishes.sanitize.unwrap_or_default(),
        ladders: wishes.ladders(),
        yielding: wishes.yielding.unwrap_or_default(),
        leave_out: if bare { LeaveOut::Never } else { wishes.leave_out.unwrap_or_default() },
        empty: wishes.empty.unwrap_or_default(),
        floors: wishes.floors(),
        ceilings: wishes.ceilings(),
        weights: wishes.weights(),
        notices: !bare,
        language,
        sentence: wishes.sentence(language).map(Into::into),
    }
}

/// Limits with room left under them. What a request states is meant to the byte.
pub(super) fn with_margin(mut limits: Limits, margin: Margin) -> Limits {
    for limit in limits.wire.iter_mut().filter(|limit| limit.source != LimitSource::Request) {
        limit.bytes = margin.within(limit.bytes);
    }
    limits
}
