//! `mmsfit size`: options in, table out.

mod fleet;
mod validate;

use std::{fs, path::Path, time::Duration};

use serde::Serialize;

use crate::{
    batch::write,
    capacity::{
        costs::{self, CostError, Costs},
        load::mix::{Mix, Prepared},
        size::{Answer, Demand, Growth, Machine, plan},
    },
    model::Bytes,
    service::{Service, ServiceError},
};

use super::{
    Failure,
    args::SizeArgs,
    failure::without_number,
    html, json,
    table::{Align, Table},
    term::Screen,
};

/// All that is told.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Told<'a> {
    costs: &'a Costs,
    answer: Answer,
}

/// Measures or reads costs, reckons, and tells.
pub fn run(
    service: &Service,
    config: Option<&Path>,
    args: &SizeArgs,
    screen: &Screen,
) -> Result<u8, Failure> {
    check(args)?;
    let measured = Measured { service, config, args, screen };
    if args.validate {
        return validate::run(&measured);
    }
    let costs = measured.costs()?;
    if let Some(instances) = args.fleet {
        return fleet::run(&costs, instances, args, screen);
    }
    let cores = f64::from(args.cores);
    let machine =
        Machine { cores, threads: args.cores.into(), with_sender: false, brown_out: true };
    let demand = Demand {
        hours: hours(args)?,
        p99_ms: args.p99,
        used: args.used,
        zones: args.zones,
        growth: Growth { yearly: args.growth, years: args.years },
        core_hour: args.cost_per_core_hour,
    };
    let answer = plan::plan(&costs, &machine, &demand, args.seed).ok_or_else(|| {
        let why = format!("no rate is so low that an instance answers within {} ms", args.p99);
        Failure::from(ServiceError {
            category: crate::model::Category::CannotFit,
            field: None,
            ..ServiceError::caller("TOO_SLOW", "", why)
        })
    })?;
    if let Some(path) = &args.html {
        let page = drawn(&costs, &machine, &demand, &answer, args);
        write::whole(path, page.as_bytes())
            .map_err(|error| Failure::write(&path.to_string_lossy(), &error))?;
    }
    if args.json {
        screen.out(&format!("{}\n", json::value(&Told { costs: &costs, answer })?))?;
    } else {
        screen.out(&page(&costs, &answer, args, screen))?;
    }
    Ok(0)
}

fn check(args: &SizeArgs) -> Result<(), Failure> {
    for (name, value, most) in [
        ("seconds", args.seconds, 3_600.0),
        ("p99", args.p99, 1e9),
        ("growth", args.growth, 1e3),
        ("used", args.used, 1.0),
        ("rate", args.rate.unwrap_or(1.0), 1e9),
    ] {
        if !(value > 0.0 && value <= most) {
            return Err(Failure::usage("SIZE", format!("--{name} is above 0 and at most {most}")));
        }
    }
    let fair = |value: f64, most: f64| (0.0..=most).contains(&value);
    if fair(args.years, 50.0) && fair(args.cost_per_core_hour, 1e9) {
        return Ok(());
    }
    Err(Failure::usage("SIZE", "--years and --cost-per-core-hour are numbers from 0"))
}

/// Calls a second in each hour.
fn hours(args: &SizeArgs) -> Result<Vec<f64>, Failure> {
    let Some(path) = &args.day else { return Ok(vec![args.rate.unwrap_or(1.0)]) };
    let text = fs::read_to_string(path).map_err(|error| Failure::read(path, &error))?;
    let hours: Vec<f64> =
        text.split_whitespace().map(|word| word.parse().unwrap_or(-1.0)).collect();
    let sound =
        hours.iter().all(|rate| (0.0..1e9).contains(rate)) && hours.iter().any(|rate| *rate > 0.0);
    if hours.len() == 24 && sound {
        return Ok(hours);
    }
    let why = format!("{}: a day has 24 numbers, calls a second in each hour", path.display());
    Err(Failure::usage("SIZE", why))
}

/// Where costs come from.
struct Measured<'a> {
    service: &'a Service,
    config: Option<&'a Path>,
    args: &'a SizeArgs,
    screen: &'a Screen,
}

impl Measured<'_> {
    /// Read, or measured and perhaps kept.
    fn costs(&self) -> Result<Costs, Failure> {
        if let Some(path) = &self.args.costs {
            let text = fs::read_to_string(path).map_err(|error| Failure::read(path, &error))?;
            let costs: Costs = serde_json::from_str(&text).map_err(|error| {
                Failure::usage("COSTS", error.to_string()).about(&path.to_string_lossy())
            })?;
            return match costs.fault() {
                Some(why) => Err(Failure::usage("COSTS", why).about(&path.to_string_lossy())),
                None => Ok(costs),
            };
        }
        let options = costs::Options {
            kinds: self.kinds()?,
            program: self.program()?,
            config: self.config.map(Path::to_owned),
            time: Duration::from_secs_f64(self.args.seconds),
            threads: self.service.config().threads,
        };
        let told = |name: &str, ms: f64| {
            if self.screen.is_watched() {
                self.screen.err(&format!("{name}: {ms:.1} ms\n"));
            }
        };
        let costs = self.runtime()?.block_on(costs::measure(&options, told)).map_err(failed)?;
        if let Some(path) = &self.args.save_costs {
            write::whole(path, format!("{}\n", json::value(&costs)?).as_bytes())
                .map_err(|error| Failure::write(&path.to_string_lossy(), &error))?;
        }
        Ok(costs)
    }

    fn kinds(&self) -> Result<Vec<Prepared>, Failure> {
        let wrong = |error: crate::capacity::load::mix::MixError| {
            Failure::usage("MIX", without_number(&error.to_string()))
        };
        let (mix, folder) = match &self.args.mix {
            None => (Mix::pictures(), Path::new(".")),
            Some(path) => {
                (Mix::read(path).map_err(wrong)?, path.parent().unwrap_or(Path::new(".")))
            }
        };
        mix.prepare(folder).map_err(wrong)
    }

    /// The service that is measured is this very program.
    fn program(&self) -> Result<std::path::PathBuf, Failure> {
        std::env::current_exe().map_err(|error| Failure::internal("PROGRAM", error.to_string()))
    }

    fn runtime(&self) -> Result<tokio::runtime::Runtime, Failure> {
        tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .build()
            .map_err(|error| Failure::internal("RUNTIME", error.to_string()))
    }
}

fn failed(error: CostError) -> Failure {
    let text = without_number(&error.to_string());
    match error {
        CostError::Start(_) => Failure::internal("SERVE", text),
        CostError::Connect(_) => Failure::unavailable("UNREACHABLE", text),
        CostError::Refused { .. } => Failure::input("MIX_REFUSED", text),
    }
}

/// The costs of each kind.
fn kinds(costs: &Costs, screen: &Screen) -> String {
    let mut table = Table::new(&[
        ("message", Align::Left),
        ("share", Align::Right),
        ("encode ms", Align::Right),
        ("with less effort", Align::Right),
        ("else ms", Align::Right),
        ("threads", Align::Right),
        ("calls", Align::Right),
    ]);
    let all: f64 = costs.kinds.iter().map(|kind| kind.share).sum();
    for kind in &costs.kinds {
        table.row(vec![
            kind.name.as_str().into(),
            format!("{:.0} %", 100.0 * kind.share / all).into(),
            format!("{:.1}", kind.work_mean(false)).into(),
            format!("{:.1}", kind.work_mean(true)).into(),
            format!("{:.2}", kind.other_ms).into(),
            format!("{:.1}", kind.parallel).into(),
            kind.calls.to_string().into(),
        ]);
    }
    let mut out = format!("{}\n", table.render(screen.width(), screen.paint(true)));
    if costs.core_share < 0.85 {
        out.push_str(&format!(
            "the machine had other work: a caller alone got {:.0} % of a core\n",
            100.0 * costs.core_share
        ));
    }
    out
}

/// Rates at which times are reckoned for the page, of what an instance carries.
const DRAWN: [f64; 11] = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.1];

/// The page for browsers.
fn drawn(
    costs: &Costs,
    machine: &Machine,
    demand: &Demand,
    answer: &Answer,
    args: &SizeArgs,
) -> String {
    let rates = DRAWN.map(|share| {
        let rate = share * answer.knee_per_second;
        let seen = plan::at(costs, machine, rate, args.seed);
        let (p50_ms, p99_ms) = (seen.quantile(0.5), seen.quantile(0.99));
        html::size::At { rate, p50_ms, p99_ms }
    });
    let growth = demand.growth.yearly.powf(demand.growth.years);
    let hours: Vec<f64> = demand.hours.iter().map(|hour| hour * growth).collect();
    let drawn = html::size::Drawn {
        rates: &rates,
        hours: &hours,
        p99_ms: demand.p99_ms,
        used: demand.used,
        cores: machine.cores,
    };
    html::size::page(costs, answer, &drawn)
}

fn page(costs: &Costs, answer: &Answer, args: &SizeArgs, screen: &Screen) -> String {
    let mut table = Table::new(&[("", Align::Left), ("", Align::Right)]);
    let mut row = |name: &str, value: String| table.row(vec![name.into(), value.into()]);
    row("an instance carries, calls a second", format!("{:.1}", answer.knee_per_second));
    row("its cores are then busy", format!("{:.0} %", 100.0 * answer.busy_at_knee));
    row(
        "p99 at what it is to get, ms",
        answer.p99_ms.map_or("–".to_owned(), |ms| format!("{ms:.0}")),
    );
    row("answered from the cache", format!("{:.0} %", 100.0 * answer.cache_hits));
    row("the busiest hour, calls a second", format!("{:.0}", answer.peak_per_second));
    row("messages a day", format!("{:.3e}", answer.messages_per_day));
    row("instances", answer.instances.to_string());
    row("cores", format!("{:.0}", answer.cores));
    row("memory", Bytes::new(answer.memory_bytes).to_string());
    if args.cost_per_core_hour > 0.0 {
        row("a million messages cost", format!("{:.2}", answer.cost_per_million));
        row("the same, instances by the hour", format!("{:.2}", answer.cost_per_million_scaled));
    }
    let mut out =
        format!("{}\n{}\n", kinds(costs, screen), table.render(screen.width(), screen.paint(true)));
    let mut table = Table::new(&[("what if", Align::Left), ("cores", Align::Right)]);
    for (name, change) in &answer.sensitivity {
        table.row(vec![name.as_str().into(), format!("{:+.0} %", 100.0 * change).into()]);
    }
    out.push_str(&format!("{}\n", table.render(screen.width(), screen.paint(true))));
    out
}
