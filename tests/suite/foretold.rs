//! What Plan foretells against what Adapt does, over real input: the action of every part, the
//! upper bound, refusals, and the price.
//!
//! The whole, with the table: `MMSFIT_ALL=1 scripts/test.sh --test suite foretold::`; else every
//! thirty-first, by a fixed seed.

use std::collections::BTreeMap;

use mmsfit::{
    config::Config,
    message::PartData,
    model::{Action, Bytes, Stop},
    profile::DeviceDescription,
    service::request::{AdaptRequest, Content, LimitOverrides},
};

use crate::support::{self, everything, offset, percentile};

const DEVICES: [&str; 6] = [
    "generic-android",
    "generic-feature-phone",
    "generic-ios",
    "nokia-6230",
    "nokia-6600",
    "samsung-galaxy-s5",
];
const LIMITS: [u64; 4] = [30_000, 100_000, 300_000, 1_000_000];
const SAMPLE: usize = 31;

/// One trial: what differed, and the price foretold against what was paid.
#[derive(Default)]
struct Trial {
    parts: usize,
    other_action: Vec<String>,
    refused: Option<String>,
    over: Option<String>,
    price: Option<(String, f64)>,
}

fn contents() -> Vec<(String, Content)> {
    let mut all = Vec::new();
    for (name, bytes) in support::corpus("pdu") {
        if bytes.first() == Some(&0x8c) {
            all.push((name, Content::MmsPdu(bytes)));
        }
    }
    for folder in ["image", "audio", "video"] {
        for (name, data) in support::corpus(folder) {
            let part = PartData { name: name.clone(), data, ..PartData::default() };
            all.push((name, Content::Parts { headers: Vec::new(), parts: vec![part] }));
        }
    }
    all
}

#[test]
fn a_plan_is_kept() {
    let Some(service) = support::with_workers(Config { threads: 2, ..Config::default() }) else {
        return;
    };
    let mut trials = Vec::new();
    for (at, (name, content)) in contents().into_iter().enumerate() {
        for (d, device) in DEVICES.iter().enumerate() {
            for (l, limit) in LIMITS.iter().enumerate() {
                let chosen =
                    (at * 24 + d * 4 + l + offset("foretold", SAMPLE)).is_multiple_of(SAMPLE);
                if everything() || chosen {
                    trials.push((
                        format!("{name} {device} {limit}"),
                        content.clone(),
                        *device,
                        *limit,
                    ));
                }
            }
        }
    }
    if trials.is_empty() {
        return;
    }
    let run = |(what, content, device, limit): &(String, Content, &str, u64)| -> Trial {
        let mut request = AdaptRequest::new(content.clone());
        request.device =
            DeviceDescription { device_id: Some((*device).into()), ..Default::default() };
        request.limits = LimitOverrides {
            max_message_bytes: Some(Bytes::new(*limit)),
            ..LimitOverrides::default()
        };
        let mut trial = Trial::default();
        let Ok(plan) = service.plan(request.clone(), &Stop::never()) else { return trial };
        let done = match service.adapt(request, &Stop::never()) {
            Ok(done) => done,
            Err(error) => {
                trial.refused = Some(format!("{what}: {error}"));
                return trial;
            }
        };
        for (planned, part) in plan.report.parts.iter().zip(&done.report.parts) {
            trial.parts += 1;
            if planned.action != part.action {
                trial.other_action.push(format!(
                    "{what}: {:?} became {:?} ({:?})",
                    planned.action, part.action, part.reasons
                ));
            }
        }
        let (most, is) = (plan.report.wire_bytes_after, done.report.wire_bytes_after);
        if is > most {
            trial.over = Some(format!("{what}: {is} of {most}"));
        }
        let changed = done.report.parts.iter().filter(|part| part.action == Action::Transcode);
        let kinds: Vec<_> = changed.map(|part| format!("{:?}", part.before.kind)).collect();
        let paid = done.report.account.as_ref().map_or(0.0, |account| account.cpu_ms);
        if let ([kind], true) = (&kinds[..], paid > 2.0) {
            trial.price = Some((kind.clone(), plan.cost_cpu_ms / paid));
            let part = done.report.parts.iter().find(|part| part.action == Action::Transcode);
            if let Some(part) = part {
                let pixels =
                    |info: &mmsfit::model::MediaInfo| info.dimensions.map_or(0, |d| d.pixels());
                let (before, after) = (&part.before, part.after.as_ref());
                println!(
                    "price,{kind},{},{},{},{},{},{},{},{},{:.1},{paid:.1}",
                    before.media_type,
                    pixels(before),
                    before.frames,
                    before.duration.get(),
                    before.bytes.get(),
                    after.map_or(0, pixels),
                    after.map_or(String::new(), |info| info.codec.clone()),
                    part.encodes,
                    plan.cost_cpu_ms
                );
            }
        }
        trial
    };
    let done = support::parallel(&trials, run);
    let parts: usize = done.iter().map(|trial| trial.parts).sum();
    let other: Vec<&String> = done.iter().flat_map(|trial| &trial.other_action).collect();
    let refused: Vec<&String> = done.iter().filter_map(|trial| trial.refused.as_ref()).collect();
    let over: Vec<&String> = done.iter().filter_map(|trial| trial.over.as_ref()).collect();
    println!(
        "{} trials, {parts} parts: {} other actions, {} refused though planned, {} over",
        done.len(),
        other.len(),
        refused.len(),
        over.len()
    );
    for line in other.iter().chain(&refused).chain(&over) {
        println!("    {line}");
    }
    let mut prices: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
    for (kind, ratio) in done.iter().filter_map(|trial| trial.price.as_ref()) {
        prices.entry(kind).or_default().push(*ratio);
    }
    for (kind, ratios) in &mut prices {
        ratios.sort_by(f64::total_cmp);
        let at = |share| percentile(ratios, share).unwrap_or(f64::NAN);
        println!(
            "    price of {kind}: {:.2} to {:.2}, median {:.2}, {} of them",
            at(0.1),
            at(0.9),
            at(0.5),
            ratios.len()
        );
    }
    assert!(other.len() as f64 <= 0.02 * parts as f64, "{other:#?}");
    assert!(refused.len() as f64 <= 0.01 * done.len() as f64, "{refused:#?}");
    assert!(over.len() as f64 <= 0.01 * done.len() as f64, "{over:#?}");
}
