//! What is reckoned for this machine beside what it does: the knee, and the p99 at 70 % of it, with
//! service and sender on the same cores.

use std::time::Duration;

use serde::Serialize;

use super::{Measured, failed, kinds};
use crate::{
    capacity::{
        costs::{CostError, Costs, Served},
        load::{
            Generator, Options, Security,
            arrivals::Arrivals,
            search::{Knee, Target},
        },
        size::{
            Machine,
            plan::{ANSWERED, at, knee},
        },
    },
    cli::{
        Failure, json,
        table::{Align, Table},
    },
};

/// Rates are sought to this share.
const WITHIN: f64 = 0.03;
/// Of the knee, where the p99 is compared.
const USUAL: f64 = 0.7;
/// Calls at each rate, and at the usual one: of fewer, one in a hundred is chance.
const STEP: f64 = 600.0;
const LONG: f64 = 1_500.0;

/// Time for so many calls.
fn time(calls: f64, rate: f64) -> Duration {
    Duration::from_secs_f64((calls / rate.max(1e-3)).clamp(12.0, 120.0))
}

/// Two figures of the same thing.
#[derive(Debug, Serialize)]
struct Pair {
    reckoned: f64,
    measured: f64,
}

impl Pair {
    fn over(&self) -> f64 {
        self.reckoned / self.measured.max(1e-9) - 1.0
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Told<'a> {
    costs: &'a Costs,
    knee_per_second: Pair,
    p99_ms_at_70_percent: Pair,
}

pub fn run(of: &Measured<'_>) -> Result<u8, Failure> {
    let costs = of.costs()?;
    let threads = of.service.config().threads;
    let machine = Machine { cores: threads as f64, threads, with_sender: true, brown_out: true };
    let (reckoned, _) = knee(&costs, &machine, of.args.p99, of.args.seed).ok_or_else(|| {
        Failure::usage("SIZE", format!("this machine never answers within {} ms", of.args.p99))
    })?;
    let (measured, p99) = of.runtime()?.block_on(load(of, reckoned))?;
    let usual = at(&costs, &machine, USUAL * measured, of.args.seed);
    let told = Told {
        knee_per_second: Pair { reckoned, measured },
        p99_ms_at_70_percent: Pair { reckoned: usual.quantile(0.99).unwrap_or(0.0), measured: p99 },
        costs: &costs,
    };
    let screen = of.screen;
    if of.args.json {
        screen.out(&format!("{}\n", json::value(&told)?))?;
        return Ok(0);
    }
    let mut table = Table::new(&[
        ("", Align::Left),
        ("reckoned", Align::Right),
        ("measured", Align::Right),
        ("off by", Align::Right),
    ]);
    for (name, pair) in [
        ("knee, calls a second", &told.knee_per_second),
        ("p99 at 70 % of it, ms", &told.p99_ms_at_70_percent),
    ] {
        table.row(vec![
            name.into(),
            format!("{:.1}", pair.reckoned).into(),
            format!("{:.1}", pair.measured).into(),
            format!("{:+.0} %", 100.0 * pair.over()).into(),
        ]);
    }
    let table = table.render(screen.width(), screen.paint(true));
    screen.out(&format!("{}\n{table}\n", kinds(&costs, screen)))?;
    Ok(0)
}

/// The knee of a real service, and its p99 below it.
async fn load(of: &Measured<'_>, first: f64) -> Result<(f64, f64), Failure> {
    let environment = [("MMSFIT_THREADS", of.service.config().threads.to_string())];
    let served = Served::start(&of.program()?, of.config, &environment)
        .map_err(|error| failed(CostError::Start(error)))?;
    let options = Options {
        target: served.address().to_owned(),
        security: Security::default(),
        kinds: of.kinds()?,
        arrivals: Arrivals::Poisson,
        connections: 2,
        deadline: Duration::from_secs(30),
        token: None,
        seed: of.args.seed,
    };
    let failed =
        |error: crate::capacity::load::LoadError| Failure::internal("LOAD", error.to_string());
    let mut generator = Generator::connect(options).await.map_err(failed)?;
    // What is cold at first is no part of it.
    generator.open(first * USUAL, Duration::from_secs(4)).await;
    let target = Target { p99_ms: of.args.p99, answered: ANSWERED };
    let mut knee = Knee::from(first, WITHIN);
    while let Some(rate) = knee.next_rate() {
        let seen = generator.open(rate, time(STEP, rate)).await;
        let carried = target.is_met(&seen);
        if of.screen.is_watched() {
            let p99 = seen.all().figures(seen.seconds).latency_ms.p99.unwrap_or(0.0);
            of.screen.err(&format!(
                "{rate:.1}/s: p99 {p99:.0} ms{}\n",
                if carried { "" } else { ", too much" }
            ));
        }
        knee.learn(rate, carried);
    }
    let measured = knee.carried.unwrap_or(0.0);
    let usual = USUAL * measured;
    let seen = generator.open(usual, time(LONG, usual)).await;
    let p99 = seen.all().figures(seen.seconds).latency_ms.p99.unwrap_or(0.0);
    Ok((measured, p99))
}
