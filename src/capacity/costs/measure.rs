//! One caller after the other against a service of its own: what its answers say that they cost, what
//! the service took beside that, and what the sender took.

use std::{
    path::PathBuf,
    sync::Arc,
    time::{Duration, Instant},
};

use cpu_time::ProcessTime;
use tokio::task::JoinSet;
use tonic::Status;

use super::{Costs, KindCosts, process::Served};
use crate::{
    capacity::load::{LoadError, call::Caller, mix::Prepared},
    grpc::v1,
};

/// What to measure, and for how long.
#[derive(Clone, Debug)]
pub struct Options {
    /// At least one.
    pub kinds: Vec<Prepared>,
    /// The executable that serves.
    pub program: PathBuf,
    /// Its configuration; none: the default.
    pub config: Option<PathBuf>,
    /// For each kind and each effort, in all rounds together.
    pub time: Duration,
    /// Threads of the service.
    pub threads: usize,
}

/// Why there are no costs.
#[derive(Debug, thiserror::Error)]
pub enum CostError {
    /// The service.
    #[error("the service cannot be started: {0}")]
    Start(#[from] std::io::Error),
    /// The connection.
    #[error("cannot reach the service: {0}")]
    Connect(#[from] LoadError),
    /// A message of the mix.
    #[error("{kind}: {status}")]
    Refused {
        /// Which.
        kind: String,
        /// Why.
        status: Box<Status>,
    },
}

/// Rounds in which each kind has its turn: what the machine does beside is spread over all.
const ROUNDS: u32 = 3;
/// What one message may take at most.
const PATIENCE: Duration = Duration::from_secs(120);
/// Values that stand for a distribution.
const VALUES: usize = 40;

/// What was seen of one kind at one effort.
#[derive(Default)]
struct Seen {
    work_ms: Vec<f64>,
    wall_ms: f64,
    service: Duration,
    sender: Duration,
    clock: Duration,
}

/// Measures all kinds, a round after the other; `done` hears of each.
///
/// # Errors
/// No service, or a message that it refuses.
pub async fn measure(
    options: &Options,
    mut done: impl FnMut(&str, f64),
) -> Result<Costs, CostError> {
    // Each call does its own work, at the effort that it asks for.
    let environment = [
        ("MMSFIT_CACHE_BYTES", "0".to_owned()),
        ("MMSFIT_SERVER_BROWN_OUT", "false".to_owned()),
        ("MMSFIT_THREADS", options.threads.to_string()),
    ];
    let served = Served::start(&options.program, options.config.as_deref(), &environment)?;
    let caller = Caller::connect(served.address(), PATIENCE).await?;
    let mut crowd = Vec::new();
    for _ in 0..options.threads {
        crowd.push(Arc::new(Caller::connect(served.address(), PATIENCE).await?));
    }
    let mut number = 1 << 50;
    let mut peak = 0;
    let mut seen: Vec<[Seen; 2]> = options.kinds.iter().map(|_| Default::default()).collect();
    let mut crowded: Vec<Vec<f64>> = vec![Vec::new(); options.kinds.len()];
    for round in 0..=ROUNDS {
        for (kind, seen) in options.kinds.iter().zip(&mut seen) {
            for (effort, seen) in
                [v1::Effort::Balanced, v1::Effort::Fast].into_iter().zip(&mut *seen)
            {
                // The first round pays for page faults and lazy tables: it is not counted.
                let time = if round == 0 { Duration::ZERO } else { options.time / ROUNDS };
                let turn = turn((&served, &caller), kind, effort, time, &mut number).await?;
                peak = peak.max(served.memory());
                if round > 0 {
                    seen.add(turn);
                }
            }
            if round > 0 {
                done(&kind.name, mean(&seen[0].work_ms));
            }
        }
    }
    for (kind, (seen, crowded)) in options.kinds.iter().zip(seen.iter().zip(&mut crowded)) {
        if crowd.len() > 1 && mean(&seen[0].work_ms) > ENCODES_MS {
            *crowded = together(&crowd, kind, options.time, &mut number).await?;
        }
    }
    let mut reused = vec![None; options.kinds.len()];
    if options.kinds.iter().any(|kind| kind.contents() > 0) {
        drop(served);
        // As it was, but with its cache.
        let served = Served::start(&options.program, options.config.as_deref(), &environment[1..])?;
        let caller = Caller::connect(served.address(), PATIENCE).await?;
        for (kind, reused) in options.kinds.iter().zip(&mut reused) {
            if kind.contents() > 0 {
                *reused = Some(again((&served, &caller), kind, options.time).await?);
            }
        }
    }
    let crowding = rounded(crowding(&options.kinds, &seen, &crowded));
    let core_share = rounded(seen.iter().map(|[seen, _]| seen.core_share()).fold(1.0, f64::min));
    let kinds = options.kinds.iter().zip(seen).zip(reused);
    let kinds = kinds.map(|((kind, seen), reused)| costs(kind, seen, reused)).collect();
    let version = env!("CARGO_PKG_VERSION").to_owned();
    let (threads, peak_memory_bytes) = (options.threads, peak);
    Ok(Costs { version, threads, peak_memory_bytes, core_share, crowding, kinds })
}

/// Calls one after the other for `time`, one at least.
async fn turn(
    (served, caller): (&Served, &Caller),
    kind: &Prepared,
    effort: v1::Effort,
    time: Duration,
    number: &mut u64,
) -> Result<Seen, CostError> {
    let mut seen = Seen::default();
    let messages = Caller::prepare(kind, effort);
    let (service, sender, clock) = (served.cpu(), ProcessTime::now(), Instant::now());
    while seen.work_ms.is_empty() || clock.elapsed() < time {
        *number += 1;
        let answer = caller.call(&messages, *number).await.map_err(|status| {
            CostError::Refused { kind: kind.name.clone(), status: Box::new(status) }
        })?;
        let account = answer.report.and_then(|report| report.account);
        let account = account.unwrap_or_default();
        seen.work_ms.push(account.cpu_ms);
        seen.wall_ms += account.wall_ms;
    }
    // A job's process is waited for a moment after its answer.
    tokio::time::sleep(Duration::from_millis(5)).await;
    seen.clock = clock.elapsed();
    (seen.service, seen.sender) = (served.cpu().saturating_sub(service), sender.elapsed());
    Ok(seen)
}

/// What a call costs the service that asks what was asked before, in milliseconds.
async fn again(
    (served, caller): (&Served, &Caller),
    kind: &Prepared,
    time: Duration,
) -> Result<f64, CostError> {
    let refused = |status| CostError::Refused { kind: kind.name.clone(), status: Box::new(status) };
    let messages = Caller::prepare(kind, v1::Effort::Balanced);
    // The first is encoded, and the second pays for what is used for the first time.
    for _ in 0..2 {
        caller.call(&messages, 0).await.map_err(refused)?;
    }
    let (service, clock, mut calls) = (served.cpu(), Instant::now(), 0_u32);
    while calls == 0 || clock.elapsed() < time {
        caller.call(&messages, 0).await.map_err(refused)?;
        calls += 1;
    }
    let used = served.cpu().saturating_sub(service);
    // Ticks are coarse.
    Ok(rounded((used.as_secs_f64() * 1e3 / f64::from(calls)).max(0.02)))
}

/// As many callers as threads for `time`: what the work of each call cost.
async fn together(
    crowd: &[Arc<Caller>],
    kind: &Prepared,
    time: Duration,
    number: &mut u64,
) -> Result<Vec<f64>, CostError> {
    let (messages, clock) = (Caller::prepare(kind, v1::Effort::Balanced), Instant::now());
    let mut calling = JoinSet::new();
    for caller in crowd {
        // Nobody sends so many in the time that there is.
        *number += 1 << 32;
        let (caller, messages, first) = (Arc::clone(caller), messages.clone(), *number);
        calling.spawn(async move {
            let mut work_ms = Vec::new();
            while work_ms.is_empty() || clock.elapsed() < time {
                let answer = caller.call(&messages, first + work_ms.len() as u64).await?;
                let account = answer.report.and_then(|report| report.account);
                work_ms.push(account.unwrap_or_default().cpu_ms);
            }
            Ok::<_, Status>(work_ms)
        });
    }
    let mut all = Vec::new();
    for done in calling.join_all().await {
        all.extend(done.map_err(|status| CostError::Refused {
            kind: kind.name.clone(),
            status: Box::new(status),
        })?);
    }
    Ok(all)
}

/// CPU time together over that alone, each kind by its share of all work.
fn crowding(kinds: &[Prepared], alone: &[[Seen; 2]], together: &[Vec<f64>]) -> f64 {
    let (mut one, mut many) = (0.0, 0.0);
    for (kind, (alone, together)) in kinds.iter().zip(alone.iter().zip(together)) {
        if !together.is_empty() {
            one += kind.share * mean(&alone[0].work_ms);
            many += kind.share * mean(together);
        }
    }
    if one > 0.0 { (many / one).max(1.0) } else { 1.0 }
}

impl Seen {
    fn add(&mut self, other: Self) {
        self.work_ms.extend(other.work_ms);
        self.wall_ms += other.wall_ms;
        self.service += other.service;
        self.sender += other.sender;
        self.clock += other.clock;
    }

    /// Of one core, by the clock: what a caller alone, whose work is on one thread, should get all of.
    fn core_share(&self) -> f64 {
        let used = self.service + self.sender;
        used.as_secs_f64() / self.clock.as_secs_f64().max(1e-9)
    }
}

fn costs(kind: &Prepared, [full, reduced]: [Seen; 2], reused_ms: Option<f64>) -> KindCosts {
    let calls = full.work_ms.len();
    let each = |time: Duration| time.as_secs_f64() * 1e3 / calls.max(1) as f64;
    let accounted = mean(&full.work_ms);
    // Ticks are coarse: what is left of the service's time is never less than nothing.
    let other_ms = (each(full.service) - accounted).max(0.02);
    let parallel = full.work_ms.iter().sum::<f64>() / full.wall_ms.max(1e-9);
    // A millisecond is planned and passed on, not encoded.
    let encoded = accounted > ENCODES_MS;
    KindCosts {
        name: kind.name.clone(),
        share: kind.share,
        contents: kind.contents(),
        calls: calls as u64,
        other_ms: rounded(if encoded { other_ms } else { other_ms + accounted }),
        work_ms: if encoded { values(full.work_ms) } else { Vec::new() },
        reduced_ms: if encoded { values(reduced.work_ms) } else { Vec::new() },
        reused_ms,
        sender_ms: rounded(each(full.sender)),
        parallel: rounded(parallel.clamp(1.0, 64.0)),
    }
}

/// Less than this is not encoded, whatever it is.
const ENCODES_MS: f64 = 1.0;

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len().max(1) as f64
}

/// To a ten-thousandth: what is measured is not known better, and a file of costs that is read gives the
/// very numbers that were written.
fn rounded(value: f64) -> f64 {
    (value * 1e4).round() / 1e4
}

/// So many equally likely values, in rising order.
fn values(mut all: Vec<f64>) -> Vec<f64> {
    all.sort_by(f64::total_cmp);
    let count = all.len().clamp(1, VALUES);
    // Means of equal shares, so that the mean of the whole is kept.
    let share = |number: usize| {
        let (from, to) = (number * all.len() / count, (number + 1) * all.len() / count);
        rounded(mean(all.get(from..to.max(from + 1)).unwrap_or_default()))
    };
    (0..count).map(share).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_distribution_keeps_its_mean_and_its_order() {
        let many: Vec<f64> = (0..1000).map(|n| f64::from(n * 7919 % 1000)).collect();
        let few = values(many.clone());
        assert_eq!(few.len(), VALUES);
        assert!(few.is_sorted() && (mean(&few) - mean(&many)).abs() < 1e-3);
        assert_eq!(values(vec![3.0, 1.0]), [1.0, 3.0]);
    }
}
