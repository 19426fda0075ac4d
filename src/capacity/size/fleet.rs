//! Many instances behind something that spreads calls: what the way of spreading makes of the times.
//!
//! An instance is as many servers as it has cores, before which calls wait in order; what it refuses is
//! left out, since a fleet is planned so that it refuses nothing. Of the whole only the balance is looked
//! at: `sim` has the single instance in detail.

use std::{
    cmp::Reverse,
    collections::{BTreeSet, BinaryHeap},
};

use serde::Serialize;

use crate::capacity::costs::Costs;

/// Calls that are simulated, for each instance and in all at the least and at the most.
const CALLS: (f64, f64, f64) = (2_000.0, 200_000.0, 3_000_000.0);

/// How calls are spread.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Balance {
    /// One after the other.
    RoundRobin,
    /// The better of two that are drawn at random, by calls that are not answered yet.
    TwoChoices,
    /// The one with the fewest such calls.
    LeastOutstanding,
    /// The one with the least to do, by the price of each call.
    LeastPrice,
}

impl Balance {
    /// All of them.
    pub const ALL: [Self; 4] =
        [Self::RoundRobin, Self::TwoChoices, Self::LeastOutstanding, Self::LeastPrice];

    /// For people.
    pub fn in_words(self) -> &'static str {
        match self {
            Self::RoundRobin => "round robin",
            Self::TwoChoices => "the better of two",
            Self::LeastOutstanding => "the fewest calls",
            Self::LeastPrice => "the least price",
        }
    }
}

/// What goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Trouble {
    /// Nothing.
    None,
    /// One of a hundred instances, one at least, takes three times as long.
    Slow,
    /// A third of the instances is gone, and the others have its calls.
    ZoneLost,
}

impl Trouble {
    /// All of it.
    pub const ALL: [Self; 3] = [Self::None, Self::Slow, Self::ZoneLost];
}

/// What the times are.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Times {
    /// Half of the calls.
    pub p50_ms: f64,
    /// 99 of a hundred.
    pub p99_ms: f64,
    /// 999 of a thousand.
    pub p999_ms: f64,
}

/// The fleet.
#[derive(Clone, Copy, Debug)]
pub struct Fleet {
    /// Instances, at least 1.
    pub instances: usize,
    /// Cores of each.
    pub cores: usize,
    /// Of all cores, what is busy while nothing is wrong: above 0, below 1.
    pub busy: f64,
}

struct Node {
    /// When each core is free.
    free: BinaryHeap<Reverse<u64>>,
    outstanding: u64,
    price: u64,
    slow: bool,
}

/// A number that orders as time does: microseconds.
fn micros(ms: f64) -> u64 {
    (ms * 1e3) as u64
}

/// The times of a fleet under a way of spreading and a trouble.
pub fn times(costs: &Costs, fleet: &Fleet, balance: Balance, trouble: Trouble, seed: u64) -> Times {
    let there = match trouble {
        Trouble::ZoneLost => (fleet.instances * 2).div_ceil(3).max(1),
        Trouble::None | Trouble::Slow => fleet.instances.max(1),
    };
    let slow = if trouble == Trouble::Slow { (there / 100).max(1) } else { 0 };
    let mut nodes: Vec<Node> = (0..there)
        .map(|number| Node {
            free: (0..fleet.cores.max(1)).map(|_| Reverse(0)).collect(),
            outstanding: 0,
            price: 0,
            slow: number < slow,
        })
        .collect();
    let mut random = fastrand::Rng::with_seed(seed);
    let work = Work::of(costs);
    let rate = fleet.busy * (fleet.instances.max(1) * fleet.cores.max(1)) as f64 / work.mean;
    let calls = (CALLS.0 * there as f64).clamp(CALLS.1, CALLS.2) as usize;
    let warm = calls / 5;
    let mut ends: BinaryHeap<Reverse<(u64, usize, u64)>> = BinaryHeap::new();
    let mut ranks = Ranks::new(balance, &nodes);
    let (mut now, mut seen) = (0.0, Vec::with_capacity(calls - warm));
    for number in 0..calls {
        now -= (1.0 - random.f64()).ln() / rate;
        let at = micros(now);
        while let Some(Reverse((end, node, price))) = ends.peek().copied() {
            if end > at {
                break;
            }
            ends.pop();
            ranks.change(&mut nodes, node, |of| {
                of.outstanding -= 1;
                of.price -= price;
            });
        }
        let (price, cost) = work.draw(&mut random);
        let chosen = ranks.choose(&nodes, number, &mut random);
        let Some(node) = nodes.get_mut(chosen) else { continue };
        let cost = if node.slow { cost * 3.0 } else { cost };
        let Reverse(free) = node.free.pop().unwrap_or(Reverse(0));
        let end = free.max(at) + micros(cost);
        node.free.push(Reverse(end));
        ranks.change(&mut nodes, chosen, |of| {
            of.outstanding += 1;
            of.price += micros(price);
        });
        ends.push(Reverse((end, chosen, micros(price))));
        if number >= warm {
            seen.push(end - at);
        }
    }
    seen.sort_unstable();
    let at = |share: f64| {
        let place = ((seen.len() as f64 * share).ceil() as usize).saturating_sub(1);
        seen.get(place).map_or(0.0, |us| *us as f64 / 1e3)
    };
    Times { p50_ms: at(0.5), p99_ms: at(0.99), p999_ms: at(0.999) }
}

/// What calls cost, as they come.
struct Work<'a> {
    costs: &'a Costs,
    shares: f64,
    mean: f64,
}

impl<'a> Work<'a> {
    fn of(costs: &'a Costs) -> Self {
        let shares = costs.kinds.iter().map(|kind| kind.share).sum();
        Self { costs, shares, mean: costs.mean_ms().max(1e-3) }
    }

    /// What a call is expected to cost, and what it costs, in milliseconds.
    fn draw(&self, random: &mut fastrand::Rng) -> (f64, f64) {
        let mut left = random.f64() * self.shares;
        let found = self.costs.kinds.iter().find(|kind| {
            left -= kind.share;
            left < 0.0
        });
        let Some(kind) = found.or(self.costs.kinds.last()) else { return (0.0, 0.0) };
        let work = match kind.work_ms.len() {
            0 => 0.0,
            count => kind.work_ms.get(random.usize(..count)).copied().unwrap_or(0.0),
        };
        (kind.work_mean(false) + kind.other_ms, work + kind.other_ms)
    }
}

/// The order of the instances by what is asked of it.
struct Ranks {
    balance: Balance,
    order: BTreeSet<(u64, usize)>,
}

impl Ranks {
    fn new(balance: Balance, nodes: &[Node]) -> Self {
        let ranked = matches!(balance, Balance::LeastOutstanding | Balance::LeastPrice);
        let order =
            if ranked { (0..nodes.len()).map(|node| (0, node)).collect() } else { BTreeSet::new() };
        Self { balance, order }
    }

    fn rank(&self, node: &Node) -> u64 {
        if self.balance == Balance::LeastPrice { node.price } else { node.outstanding }
    }

    fn change(&mut self, nodes: &mut [Node], number: usize, how: impl FnOnce(&mut Node)) {
        let Some(node) = nodes.get_mut(number) else { return };
        let before = self.rank(node);
        how(node);
        let after = self.rank(node);
        if self.order.remove(&(before, number)) {
            self.order.insert((after, number));
        }
    }

    fn choose(&self, nodes: &[Node], number: usize, random: &mut fastrand::Rng) -> usize {
        match self.balance {
            Balance::RoundRobin => number % nodes.len(),
            Balance::TwoChoices => {
                let [one, two] = [random.usize(..nodes.len()), random.usize(..nodes.len())];
                let outstanding = |at: usize| nodes.get(at).map_or(0, |node| node.outstanding);
                if outstanding(two) < outstanding(one) { two } else { one }
            }
            Balance::LeastOutstanding | Balance::LeastPrice => {
                // Of equals any: the first would have all that is short.
                let least = self.order.first().map_or(0, |(rank, _)| *rank);
                let from = (least, random.usize(..nodes.len()));
                let next = self.order.range(from..=(least, usize::MAX)).next();
                next.or(self.order.first()).map_or(0, |(_, node)| *node)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::sim::tests::{costs, kind},
        *,
    };

    #[test]
    fn who_looks_before_choosing_waits_less() {
        let costs = costs(vec![kind(vec![2.0, 2.0, 2.0, 2.0, 200.0], 0.5, 0)]);
        let fleet = Fleet { instances: 20, cores: 2, busy: 0.7 };
        let p99 = |balance, trouble| times(&costs, &fleet, balance, trouble, 1).p99_ms;
        let calm = Balance::ALL.map(|balance| p99(balance, Trouble::None));
        assert!(calm[0] > calm[1] && calm[1] > calm[2], "{calm:?}");
        let slow = Balance::ALL.map(|balance| p99(balance, Trouble::Slow));
        assert!(slow[0] > 2.0 * slow[2], "{slow:?}");
        // Two thirds of the cores for all of the calls: more than they can do.
        let lost = p99(Balance::LeastOutstanding, Trouble::ZoneLost);
        assert!(lost > 5.0 * calm[2], "{lost} {calm:?}");
        assert_eq!(p99(Balance::TwoChoices, Trouble::None), calm[1], "the same for the same seed");
    }

    #[test]
    fn one_instance_alone_is_a_queue() {
        // M/D/1 at 50 %: the wait is half of a service on the average (Kleinrock 1975, 5.7).
        let costs = costs(vec![kind(vec![10.0], 1e-6, 0)]);
        let fleet = Fleet { instances: 1, cores: 1, busy: 0.5 };
        let seen = times(&costs, &fleet, Balance::RoundRobin, Trouble::None, 1);
        assert!((10.0..11.0).contains(&seen.p50_ms), "{seen:?}");
        assert!((35.0..50.0).contains(&seen.p99_ms), "{seen:?}");
    }
}
