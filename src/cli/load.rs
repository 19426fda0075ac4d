//! `mmsfit load`: options in, table out.

use std::{fs, path::Path, time::Duration};

use serde::Serialize;

use crate::capacity::load::{
    Generator, LoadError, Options, Seen,
    mix::Mix,
    search::{self, Knee, Target},
    seen::Figures,
};

use super::{
    Failure,
    args::LoadArgs,
    failure::without_number,
    json,
    table::{Align, Cell, Table},
    term::{Screen, Tone},
};

/// A rate is found to a twentieth.
const KNEE_WITHIN: f64 = 0.05;
/// Of the calls at a rate that is carried.
const KNEE_ANSWERED: f64 = 0.99;

/// What was sent at one rate, and what became of it.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Step {
    /// For people: `20/s`, `4 callers`.
    what: String,
    /// Calls a second that were due.
    offered_per_second: Option<f64>,
    /// From the first call to the last answer.
    seconds: f64,
    /// How much later than due the sender was for one call in a hundred, in milliseconds.
    sender_late_ms_p99: f64,
    /// All calls.
    all: Figures,
    /// By kind of message.
    kinds: Vec<(String, Figures)>,
}

/// Everything.
#[derive(Clone, Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct Outcome {
    steps: Vec<Step>,
    /// The highest rate that is carried, and the lowest that is not, where they were sought.
    knee_per_second: Option<f64>,
    not_carried_per_second: Option<f64>,
    /// What callers who wait for their answers get, in calls a second, where it was measured.
    capacity_per_second: Option<f64>,
}

/// Sends, and tells.
pub fn run(args: &LoadArgs, screen: &Screen) -> Result<u8, Failure> {
    // A day is more than anybody waits, and keeps the arithmetic of durations safe.
    let above_zero = |name: &str, value: f64, most: f64| {
        let failed = || Failure::usage("LOAD", format!("--{name} takes a number above 0"));
        if value > 0.0 && value <= most { Ok(value) } else { Err(failed()) }
    };
    let time = Duration::from_secs_f64(above_zero("seconds", args.seconds, 86_400.0)?);
    let deadline = Duration::from_secs_f64(above_zero("deadline", args.deadline, 86_400.0)?);
    above_zero("p99", args.p99, 1e9)?;
    args.rate.iter().try_for_each(|rate| above_zero("rate", *rate, 1e6).map(drop))?;
    args.overload.iter().try_for_each(|times| above_zero("overload", *times, 1e4).map(drop))?;
    let (mix, folder) = match &args.mix {
        None => (Mix::pictures(), Path::new(".")),
        Some(path) => {
            let mix = Mix::read(path).map_err(|error| told(LoadError::Mix(error)))?;
            (mix, path.parent().unwrap_or(Path::new(".")))
        }
    };
    let kinds = mix.prepare(folder).map_err(|error| told(LoadError::Mix(error)))?;
    let token = match &args.token_file {
        None => None,
        Some(path) => {
            let text = fs::read_to_string(path).map_err(|error| Failure::read(path, &error))?;
            Some(text.trim().to_owned())
        }
    };
    let options = Options {
        target: args.target.clone(),
        kinds,
        arrivals: args.arrivals,
        connections: args.connections.into(),
        deadline,
        token,
        seed: args.seed,
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::internal("RUNTIME", error.to_string()))?;
    let outcome = runtime.block_on(async {
        let generator = Generator::connect(options).await.map_err(told)?;
        Ok::<_, Failure>(
            Run { generator, time, screen, outcome: Outcome::default() }.all(args).await,
        )
    })?;
    if args.json {
        screen.out(&format!("{}\n", json::value(&outcome)?))?;
    } else {
        screen.out(&page(&outcome, screen))?;
    }
    let bad = |step: &Step| !step.all.wrong.is_empty() || !step.all.failed.is_empty();
    Ok(if outcome.steps.iter().any(bad) { 5 } else { 0 })
}

fn told(error: LoadError) -> Failure {
    let text = without_number(&error.to_string());
    match error {
        LoadError::Mix(_) => Failure::usage("MIX", text),
        LoadError::Address(_) | LoadError::Token => Failure::usage("LOAD", text),
        LoadError::Unreachable { .. } => Failure::unavailable("UNREACHABLE", text),
    }
}

/// The steps of one command.
struct Run<'a> {
    generator: Generator,
    /// At each rate.
    time: Duration,
    screen: &'a Screen,
    outcome: Outcome,
}

impl Run<'_> {
    async fn all(mut self, args: &LoadArgs) -> Outcome {
        for rate in &args.rate {
            self.open(*rate, format!("{rate}/s")).await;
        }
        if let Some(callers) = args.callers {
            let seen = self.generator.closed(callers.into(), self.time).await;
            self.note(format!("{callers} callers"), &seen);
        }
        if args.find_knee {
            self.knee(args.p99).await;
        }
        if !args.overload.is_empty() {
            self.overload(&args.overload).await;
        }
        self.outcome
    }

    async fn open(&mut self, rate: f64, what: String) -> Seen {
        let seen = self.generator.open(rate, self.time).await;
        self.note(what, &seen);
        seen
    }

    fn note(&mut self, what: String, seen: &Seen) {
        let names = self.generator.kinds().iter().map(|kind| kind.name.clone());
        let kinds = names.zip(seen.kinds.iter().map(|kind| kind.figures(seen.seconds)));
        let step = Step {
            what,
            offered_per_second: seen.offered,
            seconds: seen.seconds,
            sender_late_ms_p99: seen.late.value_at_quantile(0.99) as f64 / 1e3,
            all: seen.all().figures(seen.seconds),
            kinds: kinds.collect(),
        };
        if self.screen.is_watched() {
            let rate = step.all.answered_per_second;
            let p99 = ms(step.all.latency_ms.p99);
            self.screen.err(&format!("{}: {rate:.1}/s answered, p99 {p99} ms\n", step.what));
        }
        self.outcome.steps.push(step);
    }

    async fn capacity(&mut self) -> f64 {
        let mut steps = Vec::new();
        let each = |callers: usize, seen: &Seen| steps.push((callers, seen.clone()));
        let capacity = search::capacity(&mut self.generator, self.time, each).await;
        for (callers, seen) in steps {
            self.note(format!("{callers} callers"), &seen);
        }
        self.outcome.capacity_per_second = Some(capacity);
        capacity
    }

    async fn knee(&mut self, p99_ms: f64) {
        let target = Target { p99_ms, answered: KNEE_ANSWERED };
        let first = self.capacity().await / 2.0;
        let mut knee = Knee::from(first.max(0.1), KNEE_WITHIN);
        while let Some(rate) = knee.next_rate() {
            let seen = self.open(rate, format!("{rate:.1}/s")).await;
            knee.learn(rate, target.is_met(&seen));
        }
        self.outcome.knee_per_second = knee.carried;
        self.outcome.not_carried_per_second = knee.not_carried;
    }

    async fn overload(&mut self, times: &[f64]) {
        let capacity = self.capacity().await;
        for times in times {
            self.open(capacity * times, format!("{times} × {capacity:.1}/s")).await;
            // One caller after the burst: how long until it is served as before.
            let seen = self.generator.closed(1, Duration::ZERO).await;
            self.note("the next call".to_owned(), &seen);
        }
    }
}

fn ms(value: Option<f64>) -> String {
    match value {
        None => "–".to_owned(),
        Some(ms) if ms < 10.0 => format!("{ms:.1}"),
        Some(ms) => format!("{ms:.0}"),
    }
}

fn page(outcome: &Outcome, screen: &Screen) -> String {
    let columns = |first: &'static str| {
        [
            (first, Align::Left),
            ("sent", Align::Right),
            ("answered", Align::Right),
            ("/s", Align::Right),
            ("p50 ms", Align::Right),
            ("p90", Align::Right),
            ("p99", Align::Right),
            ("max", Align::Right),
            ("cached", Align::Right),
            ("refused", Align::Right),
            ("p50 ms", Align::Right),
            ("bad", Align::Right),
        ]
    };
    let mut table = Table::new(&columns("rate"));
    for step in &outcome.steps {
        table.row(row(&step.what, &step.all));
    }
    let (width, paint) = (screen.width(), screen.paint(true));
    let mut out = format!("{}\n", table.render(width, paint));
    let loaded =
        outcome.steps.iter().filter(|step| step.kinds.len() > 1).max_by_key(|step| step.all.sent);
    if let Some(step) = loaded {
        let mut table = Table::new(&columns("kinds"));
        for (name, figures) in &step.kinds {
            table.row(row(name, figures));
        }
        let table = table.render(width, paint);
        out.push_str(&format!("by kind, at {}:\n{table}\n", step.what));
    }
    let mut tell = |text: String| out.push_str(&format!("{text}\n"));
    if let Some(capacity) = outcome.capacity_per_second {
        tell(format!("capacity: {capacity:.1} calls a second"));
    }
    if let Some(knee) = outcome.knee_per_second {
        let not = outcome.not_carried_per_second.unwrap_or(f64::INFINITY);
        tell(format!("knee: {knee:.1} calls a second are carried, {not:.1} are not"));
    }
    for step in &outcome.steps {
        for (what, count) in step.all.failed.iter().chain(&step.all.wrong) {
            tell(format!("{}: {count} × {what}", step.what));
        }
    }
    let late = outcome.steps.iter().map(|step| step.sender_late_ms_p99).fold(0.0, f64::max);
    if late > LATE_MS {
        let text = format!(
            "the sender itself was late: one call in a hundred by {late:.0} ms or more; it is in the times\n"
        );
        out.push_str(&paint.tone(Tone::Changed, &text));
    }
    out
}

/// A sender that is later than this had too little CPU.
const LATE_MS: f64 = 20.0;

fn row(what: &str, figures: &Figures) -> Vec<Cell> {
    let bad: u64 = figures.failed.values().chain(figures.wrong.values()).sum();
    let tone = if bad == 0 { Tone::Plain } else { Tone::Bad };
    vec![
        what.into(),
        figures.sent.to_string().into(),
        figures.answered.to_string().into(),
        format!("{:.1}", figures.answered_per_second).into(),
        ms(figures.latency_ms.p50).into(),
        ms(figures.latency_ms.p90).into(),
        ms(figures.latency_ms.p99).into(),
        ms(figures.latency_ms.max).into(),
        figures.reused.to_string().into(),
        figures.refused.to_string().into(),
        ms(figures.refusal_ms.p50).into(),
        Cell::toned(bad.to_string(), tone),
    ]
}
