//! The table of the promises, and of what is behind it.

use std::fmt::Write as _;

use crate::{
    Outcome, Results,
    cases::{CASES, PROMISED},
};

/// The means over the photos that a way has a result for.
fn mean(outcomes: &[Option<Outcome>], of: impl Fn(&Outcome) -> f64) -> f64 {
    let all: Vec<f64> = outcomes.iter().flatten().map(of).collect();
    all.iter().sum::<f64>() / all.len().max(1) as f64
}

fn percentile(mut values: Vec<f64>, share: f64) -> f64 {
    values.sort_by(f64::total_cmp);
    let at = (share * values.len().saturating_sub(1) as f64).round() as usize;
    values.get(at).copied().unwrap_or(f64::NAN)
}

pub fn of(results: &Results) -> String {
    let mut text = String::new();
    let asked = results["oracle"].iter().flatten().any(Option::is_some);
    let shown = |way: &&String| *way != "floor" && (asked || *way != "oracle");
    let ways: Vec<&String> = results.keys().filter(shown).collect();
    for at in PROMISED {
        let case = CASES[at];
        let _ = writeln!(text, "\n{}", case.name());
        let _ = writeln!(
            text,
            "{:24} {:>8} {:>8} {:>7} {:>7} {:>7} {:>6} {:>6} {:>8} {:>7}",
            "", "Lanczos", "area", "regret", "worst", "CPU÷", "fill", "10th", "encodes", "failed"
        );
        let oracle = &results["oracle"][at];
        let floor = &results["floor"][at];
        for way in &ways {
            let own = &results[*way][at];
            let pairs = || own.iter().zip(oracle).filter_map(|(a, b)| Some(((*a)?, (*b)?)));
            let regrets: Vec<f64> =
                pairs().map(|(own, best)| best.scores.lanczos - own.scores.lanczos).collect();
            let regret = regrets.iter().sum::<f64>() / regrets.len().max(1) as f64;
            let worst = regrets.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            let ratios: Vec<f64> = own
                .iter()
                .zip(floor)
                .filter_map(|(a, b)| Some(a.as_ref()?.cpu_ms / b.as_ref()?.cpu_ms))
                .collect();
            let fills: Vec<f64> =
                own.iter().flatten().map(|o| o.bytes as f64 / case.limit as f64).collect();
            let [regret, worst] = [format!("{regret:.2}"), format!("{worst:.1}")]
                .map(|figure| if asked { figure } else { "-".to_owned() });
            let _ = writeln!(
                text,
                "{way:24} {:8.1} {:8.1} {regret:>7} {worst:>7} {:7.2} {:6.3} {:6.3} {:8.1} {:7}",
                mean(own, |o| o.scores.lanczos),
                mean(own, |o| o.scores.area),
                percentile(ratios, 0.5),
                percentile(fills.clone(), 0.5),
                percentile(fills, 0.1),
                mean(own, |o| f64::from(o.encodes)),
                own.iter().filter(|o| o.is_none()).count()
            );
        }
    }
    let _ = writeln!(
        text,
        "\nregret: oracle − own on the Lanczos reference, mean and worst photo; CPU÷: median over"
    );
    let _ = writeln!(
        text,
        "one DCT-scaled decode, resize and encode by libjpeg-turbo of the same photo"
    );
    if !asked {
        return text;
    }
    let regret = |way: &str| {
        let all: Vec<f64> = PROMISED
            .iter()
            .map(|at| {
                mean(&results["oracle"][*at], |o| o.scores.lanczos)
                    - mean(&results[way][*at], |o| o.scores.lanczos)
            })
            .collect();
        let worst = all.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        (all.iter().sum::<f64>() / all.len() as f64, worst)
    };
    for (way, mean_wanted, worst_wanted) in
        [("FAST", 2.5, f64::INFINITY), ("BALANCED", 1.0, 1.5), ("BEST", 0.0, f64::INFINITY)]
    {
        let (mean, worst) = regret(way);
        let kept = if mean <= mean_wanted && worst <= worst_wanted { "kept" } else { "MISSED" };
        let _ = writeln!(
            text,
            "{way:9} regret over the cases: {mean:.2}, worst case {worst:.2}: {kept}"
        );
    }
    text
}
