//! The product, as a caller has it.

use cpu_time::ProcessTime;
use mmsfit::{
    config::Config,
    model::{Bytes, Effort, Stop},
    service::{
        Service,
        request::{AdaptRequest, Content, LimitOverrides},
    },
};

use crate::{Outcome, cases::Case, photos::Photo, score::Judge};

/// A service of one thread for each effort. Without the ceiling, every byte is spent.
pub fn services(ceiling: bool) -> Vec<(&'static str, (Effort, Service))> {
    let efforts = [("FAST", Effort::Fast), ("BALANCED", Effort::Balanced), ("BEST", Effort::Best)];
    let of = |effort| {
        let mut config = Config { threads: 1, ..Config::default() };
        if !ceiling {
            config.policy.image_ceiling = Some(100);
        }
        (effort, Service::new(config))
    };
    efforts.into_iter().map(|(name, effort)| (name, of(effort))).collect()
}

pub fn fit(
    (effort, service): &(Effort, Service),
    photo: &Photo,
    case: &Case,
    judge: &Judge,
) -> Option<Outcome> {
    let content = Content::Bare { data: photo.file.clone(), name: photo.name.clone() };
    let mut request = AdaptRequest::new(content);
    request.effort = *effort;
    request.limits = LimitOverrides {
        max_message_bytes: Some(Bytes::new(case.limit)),
        max_image_width: Some(case.bounds.0),
        max_image_height: Some(case.bounds.1),
        image_turns: true,
        replace: true,
        client_max_bytes: None,
    };
    let began = ProcessTime::now();
    let answer = service.adapt(request, &Stop::never()).ok()?;
    let cpu_ms = began.elapsed().as_secs_f64() * 1e3;
    let Content::Bare { data, .. } = answer.content else { return None };
    let encodes = answer.report.parts.first()?.encodes;
    let bytes = data.len() as u64;
    (bytes <= case.limit)
        .then(|| judge.score(&data).map(|scores| Outcome { scores, bytes, cpu_ms, encodes }))
        .flatten()
}
