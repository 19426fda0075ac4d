//! From what is asked to how many instances: the rate that one carries, by simulation, and what follows
//! from it.

use serde::Serialize;

use super::sim::{Machine, Simulated, simulate_until};
use crate::capacity::{costs::Costs, load::search::Knee};

/// A rate is found to this share of it.
const WITHIN: f64 = 0.02;
/// Of the calls at a rate that is carried; `mmsfit load --find-knee` asks the same.
pub const ANSWERED: f64 = 0.99;
/// Of the calls at a rate: where more are refused, it is not carried, by far.
const REFUSED: f64 = 0.03;
/// Calls that are simulated at each rate, at the least where the rate is so low that seconds are many, and
/// at the most where it is high; and seconds, which queues need to become what they are.
const CALLS: (f64, f64) = (12_000.0, 30_000.0);
const SECONDS: (f64, f64) = (30.0, 1_200.0);
/// What an instance holds beside what was measured with one caller: a guess.
const MEMORY_HEADROOM: f64 = 1.25;

/// What is asked of the network.
#[derive(Clone, Debug)]
pub struct Demand {
    /// Calls a second in each hour of a day; one value: the same all day.
    pub hours: Vec<f64>,
    /// What 99 of a hundred answers may take, in milliseconds.
    pub p99_ms: f64,
    /// Of the rate that an instance carries, what it is to get.
    pub used: f64,
    /// Zones over which instances are spread, one of which may be lost; 1: none may.
    pub zones: u32,
    /// What all is multiplied with.
    pub growth: Growth,
    /// What a core costs an hour.
    pub core_hour: f64,
}

/// What will be more.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Growth {
    /// Each year's rate over that of the year before.
    pub yearly: f64,
    /// Years ahead.
    pub years: f64,
}

/// How many, how much, and why.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Answer {
    /// Calls a second that one instance carries at the p99 asked for.
    pub knee_per_second: f64,
    /// Of its cores, what is busy at that rate.
    pub busy_at_knee: f64,
    /// The p99 at the rate that it is to get, in milliseconds.
    pub p99_ms: Option<f64>,
    /// The share of calls that are answered from the cache at that rate.
    pub cache_hits: f64,
    /// The busiest hour, in calls a second, growth included.
    pub peak_per_second: f64,
    /// Instances for the busiest hour, with a zone lost.
    pub instances: u64,
    /// Their cores and bytes of memory.
    pub cores: f64,
    /// Of all instances.
    pub memory_bytes: u64,
    /// Messages of a day.
    pub messages_per_day: f64,
    /// Of a million messages, with as many instances as the busiest hour needs all day, and with as many
    /// as each hour needs.
    pub cost_per_million: f64,
    /// With as many as each hour needs.
    pub cost_per_million_scaled: f64,
    /// What changes the cores that are needed, by how much: 0.1 is a tenth more.
    pub sensitivity: Vec<(String, f64)>,
}

/// The highest rate at which nearly all calls are answered in time.
pub fn knee(costs: &Costs, machine: &Machine, p99_ms: f64, seed: u64) -> Option<(f64, Simulated)> {
    let guess = 500.0 * machine.cores / costs.mean_ms().max(1e-3);
    let (mut knee, mut best) = (Knee::from(guess, WITHIN), None);
    while let Some(rate) = knee.next_rate() {
        let seen = at(costs, machine, rate, seed);
        let carried =
            seen.answered() >= ANSWERED && seen.quantile(0.99).is_some_and(|p99| p99 <= p99_ms);
        knee.learn(rate, carried);
        if carried && knee.carried == Some(rate) {
            best = Some((rate, seen));
        }
        // A mix that costs nothing has no knee.
        if rate > 1e7 {
            return None;
        }
    }
    best
}

/// What becomes of so many calls a second, over enough of them.
pub fn at(costs: &Costs, machine: &Machine, rate: f64, seed: u64) -> Simulated {
    let rate = rate.max(1e-6);
    let seconds = (CALLS.0 / rate).clamp(SECONDS.0.min(CALLS.1 / rate), SECONDS.1);
    simulate_until(costs, machine, rate, seconds, (seed, REFUSED))
}

/// The answer; `None`: not even an unloaded instance answers in time.
pub fn plan(costs: &Costs, machine: &Machine, demand: &Demand, seed: u64) -> Option<Answer> {
    let (rate, full) = knee(costs, machine, demand.p99_ms, seed)?;
    let usual = at(costs, machine, rate * demand.used, seed);
    let growth = demand.growth.yearly.powf(demand.growth.years);
    let hours: Vec<f64> = demand.hours.iter().map(|hour| hour * growth).collect();
    let peak = hours.iter().copied().fold(0.0, f64::max);
    let instances = instances(peak, rate * demand.used, demand.zones);
    let cores = instances as f64 * machine.cores;
    let per_hour = 24.0 / hours.len().max(1) as f64;
    let messages = hours.iter().sum::<f64>() * 3_600.0 * per_hour;
    let scaled: f64 = hours
        .iter()
        .map(|hour| self::instances(*hour, rate * demand.used, demand.zones) as f64 * machine.cores)
        .sum();
    let million = |core_hours: f64| core_hours * demand.core_hour / messages.max(1e-9) * 1e6;
    let memory = costs.peak_memory_bytes as f64 / costs.threads.max(1) as f64;
    let memory = memory * machine.threads as f64 * MEMORY_HEADROOM;
    Some(Answer {
        knee_per_second: rate,
        busy_at_knee: full.busy,
        p99_ms: usual.quantile(0.99),
        cache_hits: usual.reused as f64 / usual.latency_ms.len().max(1) as f64,
        peak_per_second: peak,
        instances,
        cores,
        memory_bytes: (memory * instances as f64) as u64,
        messages_per_day: messages,
        cost_per_million: million(cores * 24.0),
        cost_per_million_scaled: million(scaled * per_hour),
        sensitivity: sensitivity(costs, machine, demand, rate, seed),
    })
}

/// So many that those of all zones but one carry the rate, as evenly as there are zones.
fn instances(rate: f64, each: f64, zones: u32) -> u64 {
    let needed = (rate / each.max(1e-9)).ceil().max(1.0) as u64;
    match u64::from(zones) {
        0 | 1 => needed,
        zones => needed.div_ceil(zones - 1) * zones,
    }
}

/// What if: each changed alone.
fn sensitivity(
    costs: &Costs,
    machine: &Machine,
    demand: &Demand,
    rate: f64,
    seed: u64,
) -> Vec<(String, f64)> {
    let mut found = Vec::new();
    let mut what_if = |name: String, costs: &Costs, p99_ms: f64| {
        if let Some((other, _)) = knee(costs, machine, p99_ms, seed) {
            found.push((name, rate / other - 1.0));
        }
    };
    for (at, kind) in costs.kinds.iter().enumerate() {
        let mut other = costs.clone();
        other.kinds[at].share *= 1.25;
        what_if(format!("a quarter more of {}", kind.name), &other, demand.p99_ms);
    }
    let mut dearer = costs.clone();
    dearer.kinds.iter_mut().flat_map(|kind| &mut kind.work_ms).for_each(|ms| *ms *= 1.2);
    what_if("encoding costs a fifth more".to_owned(), &dearer, demand.p99_ms);
    let mut faster = costs.clone();
    faster.kinds.iter_mut().for_each(|kind| kind.work_ms = kind.reduced_ms.clone());
    what_if("one effort less".to_owned(), &faster, demand.p99_ms);
    if costs.kinds.iter().any(|kind| kind.contents > 0) {
        let mut cold = costs.clone();
        cold.kinds.iter_mut().for_each(|kind| kind.contents = 0);
        what_if("no cache".to_owned(), &cold, demand.p99_ms);
    }
    what_if("twice the p99".to_owned(), costs, demand.p99_ms * 2.0);
    found.sort_by(|a, b| b.1.abs().total_cmp(&a.1.abs()));
    found
}

#[cfg(test)]
mod tests {
    use super::{
        super::sim::tests::{costs, kind, machine},
        *,
    };

    fn demand() -> Demand {
        Demand {
            hours: vec![1_000.0],
            p99_ms: 400.0,
            used: 0.7,
            zones: 1,
            growth: Growth { yearly: 1.0, years: 0.0 },
            core_hour: 0.05,
        }
    }

    #[test]
    fn twice_the_rate_takes_twice_the_cores_and_a_zone_its_share() {
        let costs = costs(vec![kind(vec![20.0, 30.0, 40.0], 1.0, 0)]);
        let of = |demand: &Demand| plan(&costs, &machine(4), demand, 1).expect("it is carried");
        let one = of(&demand());
        // 31 ms a call on four cores: 129 a second at most.
        assert!((80.0..129.1).contains(&one.knee_per_second), "{one:?}");
        assert!(one.p99_ms.is_some_and(|p99| p99 < 400.0), "{one:?}");
        let two = of(&Demand { hours: vec![2_000.0], ..demand() });
        assert!((two.cores / one.cores - 2.0).abs() < 0.2, "{} {}", one.cores, two.cores);
        let spread = of(&Demand { zones: 3, ..demand() });
        assert!((spread.cores / one.cores - 1.5).abs() < 0.2 && spread.instances % 3 == 0);
        let grown = of(&Demand { growth: Growth { yearly: 1.2, years: 2.0 }, ..demand() });
        assert!((grown.peak_per_second - 1_440.0).abs() < 1.0);
        let mut hours = vec![100.0; 23];
        hours.push(1_000.0);
        let day = of(&Demand { hours, ..demand() });
        assert_eq!(day.instances, one.instances);
        assert!(day.cost_per_million_scaled < day.cost_per_million / 3.0, "{day:?}");
        let more = one.sensitivity.iter().find(|(name, _)| name.contains("fifth")).expect("asked");
        assert!((0.1..0.3).contains(&more.1), "{:?}", one.sensitivity);
    }

    #[test]
    fn what_cannot_be_in_time_has_no_answer() {
        let costs = costs(vec![kind(vec![900.0], 1.0, 0)]);
        assert_eq!(plan(&costs, &machine(2), &demand(), 1), None);
    }
}
