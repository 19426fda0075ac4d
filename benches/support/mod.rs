//! A small runner for benchmarks on a busy machine: cases take turns, so that a disturbance hits
//! all alike; CPU time, not wall time; minimum and median; ratios to a named floor.

#![allow(dead_code, reason = "each bench uses a part of it")]

pub mod message;
pub mod photo;

use cpu_time::ProcessTime;

/// One thing to measure. It returns a number (bytes out, say) so that nothing is optimised away.
pub struct Case<'a> {
    name: String,
    repeats: u32,
    work: Box<dyn FnMut() -> Result<u64, String> + 'a>,
}

impl<'a> Case<'a> {
    /// A case; `work` fails with a reason where it does not apply.
    pub fn new(name: impl Into<String>, work: impl FnMut() -> Result<u64, String> + 'a) -> Self {
        Self { name: name.into(), repeats: 1, work: Box::new(work) }
    }

    /// A case that is too short for the clock: done this many times at once, and counted once.
    pub fn repeated(self, repeats: u32) -> Self {
        Self { repeats: repeats.max(1), ..self }
    }
}

/// Milliseconds of CPU that `work` takes, all threads of the process added up: `jpeg-decoder`
/// runs its inverse transforms on helper threads that a thread's clock would not see.
fn cpu_ms(case: &mut Case<'_>) -> Result<(f64, u64), String> {
    let start = ProcessTime::now();
    let mut value = 0;
    for _ in 0..case.repeats {
        value = (case.work)()?;
    }
    Ok((start.elapsed().as_secs_f64() * 1e3 / f64::from(case.repeats), value))
}

/// Milliseconds with as many digits as mean something.
fn ms(value: f64) -> String {
    if value < 1.0 { format!("{value:.5}") } else { format!("{value:.2}") }
}

/// Runs all cases `rounds` times in turn and prints a table; `floor` names the case that the
/// ratios are to.
pub fn run(title: &str, floor: &str, rounds: usize, mut cases: Vec<Case<'_>>) {
    let mut times: Vec<Vec<f64>> = vec![Vec::new(); cases.len()];
    let mut values: Vec<Result<u64, String>> = vec![Err("not run".into()); cases.len()];
    // The first round warms caches and tables and is not counted.
    for round in 0..=rounds {
        for (at, case) in cases.iter_mut().enumerate() {
            match cpu_ms(case) {
                Ok((ms, value)) => {
                    values[at] = Ok(value);
                    if round > 0 {
                        times[at].push(ms);
                    }
                }
                Err(reason) => values[at] = Err(reason),
            }
        }
    }
    for list in &mut times {
        list.sort_by(f64::total_cmp);
    }
    let floor_at = cases.iter().position(|case| case.name == floor);
    let floor_ms = floor_at.and_then(|at| times[at].first().copied());
    println!("\n{title}: {rounds} rounds in turn, ratio of minima to `{floor}`");
    println!("{:<44} {:>9} {:>9} {:>7} {:>10}", "case", "min ms", "median", "ratio", "value");
    for ((case, list), value) in cases.iter().zip(&times).zip(&values) {
        match (list.first(), value) {
            (Some(min), Ok(value)) => {
                let median = list[list.len() / 2];
                let ratio = floor_ms.map_or(f64::NAN, |floor| min / floor);
                let (min, median) = (ms(*min), ms(median));
                println!("{:<44} {min:>9} {median:>9} {ratio:>7.2} {value:>10}", case.name);
            }
            (_, Err(reason)) => println!("{:<44} skipped: {reason}", case.name),
            (None, Ok(_)) => println!("{:<44} not measured", case.name),
        }
    }
}
