//! One instance of the service, simulated call by call: transport and planning beside what encodes, cores
//! that all of it shares, the door with its queue, effort that falls, and the cache.
//!
//! What runs at once shares the cores evenly (processor sharing), as a kernel does with threads of one
//! priority; what encodes never has more of them than the service has threads.

use std::collections::{BTreeMap, HashMap, VecDeque};

use super::queue::Door;
use crate::{
    capacity::{
        costs::{Costs, KindCosts},
        load::arrivals::{Arrivals, Shape, Times},
    },
    offload::MAX_QUEUED_PER_THREAD,
};

/// Part of a call's other costs that comes before what encodes: the body is received and hashed, the
/// message read and planned; the answer is shorter than the message. A guess: it moves when a call costs, not
/// what it costs.
const BEFORE: f64 = 0.8;
/// Calls that are simulated at most.
const MOST_CALLS: usize = 1_000_000;

/// What one instance runs on.
#[derive(Clone, Copy, Debug)]
pub struct Machine {
    /// Cores that it may use.
    pub cores: f64,
    /// Its threads.
    pub threads: usize,
    /// The sender works on the same cores.
    pub with_sender: bool,
    /// Effort falls under pressure.
    pub brown_out: bool,
}

/// What became of the calls.
#[derive(Clone, Debug, Default)]
pub struct Simulated {
    /// All that came.
    pub sent: usize,
    /// Milliseconds of the answered, in rising order.
    pub latency_ms: Vec<f64>,
    /// Refused at the door.
    pub refused: usize,
    /// Answered from the cache.
    pub reused: usize,
    /// Answered with less effort.
    pub reduced: usize,
    /// Of the cores' time, what was used.
    pub busy: f64,
}

impl Simulated {
    /// The time within which a share of the answered was answered.
    pub fn quantile(&self, share: f64) -> Option<f64> {
        let at = (self.latency_ms.len() as f64 * share).ceil() as usize;
        self.latency_ms.get(at.saturating_sub(1)).copied()
    }

    /// Of all that came, the answered.
    pub fn answered(&self) -> f64 {
        self.latency_ms.len() as f64 / self.sent.max(1) as f64
    }
}

/// What a call is at.
#[derive(Clone, Copy, PartialEq)]
enum Phase {
    Before,
    Work,
    After,
}

struct Call {
    kind: usize,
    content: u64,
    came: f64,
    phase: Phase,
    /// Milliseconds of CPU that are left of the phase, and cores that it can use.
    left: f64,
    parallel: f64,
    price: f64,
    planned: f64,
    began: f64,
    reduced: bool,
}

/// `rate` calls a second for so many seconds; the first tenth fills queues and cache, and is not counted.
pub fn simulate(costs: &Costs, machine: &Machine, rate: f64, seconds: f64, seed: u64) -> Simulated {
    simulate_until(costs, machine, rate, seconds, (seed, 1.0))
}

/// The same, but no further than until so much of it is refused: what is then answered says nothing of
/// times, and takes the longest to find out.
pub fn simulate_until(
    costs: &Costs,
    machine: &Machine,
    rate: f64,
    seconds: f64,
    (seed, refused): (u64, f64),
) -> Simulated {
    let times = Times::new(Arrivals::Poisson, Shape::Constant(rate.max(1e-6)), seed);
    let times: Vec<f64> = times
        .map(|time| time.as_secs_f64() * 1e3)
        .take_while(|ms| *ms < seconds * 1e3)
        .take(MOST_CALLS)
        .collect();
    Run::new(costs, machine, seed).all(&times, (refused * times.len() as f64) as usize)
}

/// Parts that are kept (`None`), or at work, with those who wait for them.
type Kept = Option<Vec<(usize, Call)>>;

struct Run<'a> {
    costs: &'a Costs,
    machine: &'a Machine,
    random: fastrand::Rng,
    shares: f64,
    now: f64,
    door: Door,
    /// Those that use CPU time, by number.
    active: BTreeMap<usize, Call>,
    queue: VecDeque<(usize, Call)>,
    /// By kind and content: kept, or at work for those who wait for it.
    cache: HashMap<(usize, u64), Kept>,
    /// Calls that are not planned yet.
    before: usize,
    seen: Simulated,
    counted_from: f64,
    used: f64,
}

impl<'a> Run<'a> {
    fn new(costs: &'a Costs, machine: &'a Machine, seed: u64) -> Self {
        Self {
            costs,
            machine,
            random: fastrand::Rng::with_seed(seed ^ 0x5eed),
            shares: costs.kinds.iter().map(|kind| kind.share).sum(),
            now: 0.0,
            door: Door::new(machine.threads),
            active: BTreeMap::new(),
            queue: VecDeque::new(),
            cache: HashMap::new(),
            before: 0,
            seen: Simulated::default(),
            counted_from: 0.0,
            used: 0.0,
        }
    }

    fn all(mut self, times: &[f64], most_refused: usize) -> Simulated {
        self.counted_from = times.last().copied().unwrap_or(0.0) / 10.0;
        for (number, time) in times.iter().enumerate() {
            self.advance(*time);
            self.come(number);
            if self.seen.refused > most_refused {
                break;
            }
        }
        self.advance(f64::INFINITY);
        self.seen.latency_ms.sort_by(f64::total_cmp);
        self.seen.busy = self.used / (self.now.max(1e-9) * self.machine.cores);
        self.seen
    }

    /// Milliseconds of CPU, as they cost one call alone, that each active call gets in a millisecond, by
    /// number; and how many milliseconds of the cores each of them takes.
    fn rates(&self) -> (Vec<(usize, f64)>, f64) {
        let work: f64 =
            self.active.values().filter(|call| call.phase == Phase::Work).map(|c| c.parallel).sum();
        let fits = (self.machine.threads as f64 / work.max(1e-9)).min(1.0);
        let wish = |call: &Call| match call.phase {
            Phase::Work => call.parallel * fits,
            Phase::Before | Phase::After => 1.0,
        };
        let all: f64 = self.active.values().map(wish).sum();
        let share = (self.machine.cores / all.max(1e-9)).min(1.0);
        // None beside one that is busy, all of it where all cores are.
        let beside = (all.min(self.machine.cores) - 1.0) / (self.machine.cores - 1.0).max(1e-9);
        let slower = 1.0 + (self.costs.crowding - 1.0) * beside.clamp(0.0, 1.0);
        let rates = self.active.iter();
        (rates.map(|(number, call)| (*number, wish(call) * share / slower)).collect(), slower)
    }

    /// Works until `time`, or until nothing is left.
    fn advance(&mut self, time: f64) {
        loop {
            let (rates, slower) = self.rates();
            let ends = rates.iter().map(|(number, rate)| {
                let left = self.active.get(number).map_or(0.0, |call| call.left);
                (left / rate.max(1e-12), *number)
            });
            let first = ends.min_by(|a, b| a.0.total_cmp(&b.0));
            let step = first.map_or(f64::INFINITY, |(step, _)| step).min(time - self.now);
            if !step.is_finite() {
                return;
            }
            for (number, rate) in &rates {
                if let Some(call) = self.active.get_mut(number) {
                    call.left -= rate * step;
                    self.used += rate * step * slower;
                }
            }
            self.now += step;
            match first {
                Some((end, number)) if end <= step => self.end(number),
                _ => {
                    self.now = time;
                    return;
                }
            }
        }
    }

    fn kind(&self, kind: usize) -> &'a KindCosts {
        &self.costs.kinds[kind]
    }

    /// A call comes.
    fn come(&mut self, number: usize) {
        let mut left = self.random.f64() * self.shares;
        let found = self.costs.kinds.iter().position(|kind| {
            left -= kind.share;
            left < 0.0
        });
        let at = found.unwrap_or(self.costs.kinds.len() - 1);
        let kind = self.kind(at);
        let contents = u64::from(kind.contents);
        let content = if contents == 0 { number as u64 } else { self.random.u64(..contents) };
        let reduced = self.machine.brown_out && self.door.is_standing(self.now);
        let call = Call {
            kind: at,
            content,
            came: self.now,
            phase: Phase::Before,
            left: self.before(kind),
            parallel: 1.0,
            price: 0.0,
            planned: 0.0,
            began: 0.0,
            reduced: reduced && !kind.reduced_ms.is_empty(),
        };
        if self.now >= self.counted_from {
            self.seen.sent += 1;
            self.seen.refused += usize::from(self.before >= self.most_before());
        }
        if self.before < self.most_before() {
            self.before += 1;
            self.active.insert(number, call);
        }
    }

    /// So many may be read and planned, or wait for it.
    fn most_before(&self) -> usize {
        self.machine.threads * (MAX_QUEUED_PER_THREAD + 1)
    }

    fn other(&self, kind: &KindCosts, reused: bool) -> f64 {
        let service = kind.reused_ms.filter(|_| reused).unwrap_or(kind.other_ms);
        service + if self.machine.with_sender { kind.sender_ms } else { 0.0 }
    }

    /// The same for those that will be encoded and those that will not: nobody knows yet.
    fn before(&self, kind: &KindCosts) -> f64 {
        BEFORE * self.other(kind, true).min(self.other(kind, false))
    }

    /// A phase of a call ends.
    fn end(&mut self, number: usize) {
        let Some(call) = self.active.remove(&number) else { return };
        match call.phase {
            Phase::Before => {
                self.before -= 1;
                self.planned(number, call);
            }
            Phase::Work => {
                self.door.end(call.price, call.planned, self.now - call.began);
                let key = (call.kind, call.content);
                let waited = self.cache.get_mut(&key).and_then(Option::take).unwrap_or_default();
                for (number, follower) in waited {
                    self.reuse(number, follower);
                }
                self.after(number, call, false);
                while self.door.running < self.machine.threads {
                    let Some((number, call)) = self.queue.pop_front() else { break };
                    self.door.leave_queue(call.price);
                    self.work(number, call);
                }
            }
            Phase::After => {
                if call.came >= self.counted_from {
                    self.seen.reduced += usize::from(call.reduced);
                    self.seen.latency_ms.push(self.now - call.came);
                }
            }
        }
    }

    /// It was read and planned: passed on, had from the cache, or encoded.
    fn planned(&mut self, number: usize, mut call: Call) {
        let kind = self.kind(call.kind);
        if kind.work_ms.is_empty() {
            return self.after(number, call, false);
        }
        let key = (call.kind, call.content);
        if kind.contents > 0 {
            match self.cache.get_mut(&key) {
                Some(None) => return self.reuse(number, call),
                Some(Some(followers)) => return followers.push((number, call)),
                None => {}
            }
        }
        call.planned = kind.work_mean(call.reduced);
        call.price = self.door.price(call.planned);
        match self.door.ask(self.now, call.price) {
            None => {
                if call.came >= self.counted_from {
                    self.seen.refused += 1;
                }
            }
            Some(at_once) => {
                if kind.contents > 0 {
                    self.cache.insert(key, Some(Vec::new()));
                }
                if at_once { self.work(number, call) } else { self.queue.push_back((number, call)) }
            }
        }
    }

    fn work(&mut self, number: usize, mut call: Call) {
        let kind = self.kind(call.kind);
        let values = if call.reduced { &kind.reduced_ms } else { &kind.work_ms };
        call.left = values.get(self.random.usize(..values.len().max(1))).copied().unwrap_or(0.0);
        call.parallel = kind.parallel.min(self.machine.threads as f64);
        (call.phase, call.began) = (Phase::Work, self.now);
        self.active.insert(number, call);
    }

    fn reuse(&mut self, number: usize, call: Call) {
        if call.came >= self.counted_from {
            self.seen.reused += 1;
        }
        self.after(number, call, true);
    }

    fn after(&mut self, number: usize, mut call: Call, reused: bool) {
        let kind = self.kind(call.kind);
        call.left = self.other(kind, reused) - self.before(kind);
        (call.phase, call.parallel) = (Phase::After, 1.0);
        self.active.insert(number, call);
    }
}

#[cfg(test)]
pub(super) mod tests;
