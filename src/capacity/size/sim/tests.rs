use super::*;

/// One kind, with these costs.
pub fn kind(work_ms: Vec<f64>, other_ms: f64, contents: u32) -> KindCosts {
    KindCosts {
        name: "photo".to_owned(),
        share: 1.0,
        contents,
        calls: 1,
        reduced_ms: work_ms.iter().map(|ms| ms / 2.0).collect(),
        work_ms,
        other_ms,
        reused_ms: None,
        sender_ms: 1.0,
        parallel: 1.0,
    }
}

pub fn costs(kinds: Vec<KindCosts>) -> Costs {
    Costs {
        version: "0".to_owned(),
        threads: 2,
        peak_memory_bytes: 100 << 20,
        core_share: 1.0,
        crowding: 1.0,
        kinds,
    }
}

pub fn machine(cores: usize) -> Machine {
    Machine { cores: cores as f64, threads: cores, with_sender: false, brown_out: false }
}

#[test]
fn a_queue_with_one_server_waits_as_theory_says() {
    // M/M/1 at 60 %: the mean time is the service time over the idle share (Kleinrock 1975, 3.2).
    // So short that no queue stands for a tenth of a second.
    let exponential = (0..400).map(|n| -(1.0 - (f64::from(n) + 0.5) / 400.0).ln());
    let costs = costs(vec![kind(exponential.collect(), 1e-6, 0)]);
    let seen = simulate(&costs, &machine(1), 600.0, 200.0, 1);
    let mean = seen.latency_ms.iter().sum::<f64>() / seen.latency_ms.len() as f64;
    assert!((mean / 2.5 - 1.0).abs() < 0.08, "{mean}");
    assert!((seen.busy - 0.6).abs() < 0.02, "{}", seen.busy);
    assert_eq!(seen.refused, 0);
}

#[test]
fn what_is_too_much_is_refused_and_the_rest_in_time() {
    let costs = costs(vec![kind(vec![50.0], 0.1, 0)]);
    let seen = simulate(&costs, &machine(2), 120.0, 60.0, 1);
    let rate = seen.answered() * 120.0;
    assert!((rate / 39.9 - 1.0).abs() < 0.05, "{rate} of 40");
    assert!(seen.quantile(0.99).is_some_and(|p99| p99 < 400.0), "{:?}", seen.quantile(0.99));
    assert_eq!(seen.sent, seen.latency_ms.len() + seen.refused);
    let with_less = Machine { brown_out: true, ..machine(2) };
    let seen = simulate(&costs, &with_less, 120.0, 60.0, 1);
    assert!(seen.answered() * 120.0 > 65.0 && seen.reduced > 1_000, "{}", seen.answered());
}

#[test]
fn cores_that_are_slower_together_carry_less() {
    let work = vec![kind(vec![50.0], 1e-6, 0)];
    let costs = Costs { crowding: 1.25, ..costs(work) };
    // Far too much: all cores are busy, and 32 calls a second are what they do in place of 40.
    let seen = simulate(&costs, &machine(2), 120.0, 60.0, 1);
    let rate = seen.answered() * 120.0;
    assert!((rate / 32.0 - 1.0).abs() < 0.03, "{rate} of 32");
    assert!(seen.busy > 0.98, "{}", seen.busy);
    // One after the other is as fast as alone.
    let seen = simulate(&costs, &machine(2), 1.0, 60.0, 1);
    assert!(seen.quantile(0.5).is_some_and(|ms| ms < 51.0), "{:?}", seen.quantile(0.5));
}

#[test]
fn what_is_the_same_is_encoded_once() {
    let costs = costs(vec![kind(vec![100.0], 0.5, 10)]);
    let seen = simulate(&costs, &machine(2), 500.0, 60.0, 1);
    assert_eq!(seen.reused, seen.sent);
    assert!(seen.busy < 0.2 && seen.refused == 0, "{}", seen.busy);
    assert_eq!(simulate(&costs, &machine(2), 500.0, 60.0, 1).latency_ms, seen.latency_ms);
}
