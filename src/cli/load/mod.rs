//! `mmsfit load`: options in, table out.

mod live;
mod table;

use std::{
    fs,
    io::{self, BufWriter, Write as _},
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use crate::capacity::load::{
    Generator, LoadError, Options, Security, Seen,
    admin::Admin,
    mix::Mix,
    search::{self, Knee, Target},
    told::{Step, Told},
    trace::Trace,
};

use self::live::Live;
use super::{Failure, args::LoadArgs, failure::without_number, html, json, term::Screen};

/// A rate is found to a twentieth.
const KNEE_WITHIN: f64 = 0.05;
/// Of the calls at a rate that is carried.
const KNEE_ANSWERED: f64 = 0.99;
/// Of a file that is merged: more is no run of a day.
const LARGEST_RUN: u64 = 1 << 30;

/// Sends, and tells.
pub fn run(args: &LoadArgs, screen: &Screen) -> Result<u8, Failure> {
    let told = if args.merge.is_empty() { send(args, screen)? } else { merged(&args.merge)? };
    if let Some(path) = &args.hdr {
        write(path, |to| told.write_log(to))?;
    }
    if let Some(path) = &args.html {
        let page = html::load::page(&told);
        write(path, |to| to.write_all(page.as_bytes()))?;
    }
    if args.json {
        screen.out(&format!("{}\n", json::value(&told)?))?;
    } else {
        screen.out(&table::page(&told, screen))?;
    }
    let is_bad = told.steps.iter().any(|step| step.all.counts.bad() > 0);
    Ok(if is_bad { 5 } else { 0 })
}

fn write(
    path: &Path,
    with: impl FnOnce(&mut BufWriter<fs::File>) -> io::Result<()>,
) -> Result<(), Failure> {
    let written = fs::File::create(path).and_then(|file| {
        let mut to = BufWriter::new(file);
        with(&mut to)?;
        to.flush()
    });
    written.map_err(|error| Failure::write(&path.display().to_string(), &error))
}

fn merged(paths: &[PathBuf]) -> Result<Told, Failure> {
    let read = |path: &PathBuf| {
        let failed = |error: io::Error| Failure::read(path, &error);
        if fs::metadata(path).map_err(failed)?.len() > LARGEST_RUN {
            let what = format!("{} is too large", path.display());
            return Err(Failure::input("RUN_TOO_LARGE", what));
        }
        let text = fs::read_to_string(path).map_err(failed)?;
        serde_json::from_str(&text).map_err(|error| {
            let what = "is no output of `mmsfit load --json`";
            Failure::input("NOT_A_RUN", format!("{} {what}: {error}", path.display()))
        })
    };
    let runs: Vec<Told> = paths.iter().map(read).collect::<Result<_, _>>()?;
    Told::merged(&runs).map_err(|error| Failure::input("MERGE", without_number(&error.to_string())))
}

fn send(args: &LoadArgs, screen: &Screen) -> Result<Told, Failure> {
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
    let security = Security {
        roots: args.ca.clone(),
        own: args.cert.clone().zip(args.key.clone()),
        server_name: args.server_name.clone(),
    };
    let options = Options {
        target: args.target.clone(),
        security,
        kinds,
        arrivals: args.arrivals,
        connections: args.connections.into(),
        deadline,
        token,
        seed: args.seed,
    };
    // One thread takes the least for each call: nothing is handed from core to core.
    let mut runtime = match args.threads {
        1 => tokio::runtime::Builder::new_current_thread(),
        _ => tokio::runtime::Builder::new_multi_thread(),
    };
    let runtime = runtime
        .worker_threads(args.threads.into())
        .enable_all()
        .build()
        .map_err(|error| Failure::internal("RUNTIME", error.to_string()))?;
    let live = Live::new(*screen);
    let told = runtime.block_on(async {
        let mut generator = Generator::connect(options).await.map_err(told)?;
        let trace = args.replay.as_ref().map(|path| generator.trace(path)).transpose();
        let trace = trace.map_err(told)?;
        let admin = match &args.admin {
            None => None,
            Some(url) => Some(Admin::watch(url).await.map_err(told)?),
        };
        generator.watch(live.watch());
        let told = Told::default();
        let run = Run { generator, time, live: &live, admin, began: Instant::now(), told };
        Ok::<_, Failure>(run.all(args, trace).await)
    });
    live.finish();
    told
}

fn told(error: LoadError) -> Failure {
    let text = without_number(&error.to_string());
    match &error {
        LoadError::Mix(_) => Failure::usage("MIX", text),
        LoadError::Trace(_) => Failure::usage("TRACE", text),
        LoadError::Address(_)
        | LoadError::NotSecured
        | LoadError::ServerName(_)
        | LoadError::Token => Failure::usage("LOAD", text),
        LoadError::Read { .. } | LoadError::Pem { .. } => Failure::usage("CERTIFICATE", text),
        LoadError::NoRoots | LoadError::Tls(_) => Failure::internal("TLS", text),
        LoadError::Unreachable { .. } => Failure::unavailable("UNREACHABLE", text),
    }
}

/// The steps of one command.
struct Run<'a> {
    generator: Generator,
    /// At each rate.
    time: Duration,
    live: &'a Live,
    admin: Option<Admin>,
    /// Of the step that is under way.
    began: Instant,
    told: Told,
}

impl Run<'_> {
    async fn all(mut self, args: &LoadArgs, trace: Option<Trace>) -> Told {
        for rate in &args.rate {
            self.open(*rate, format!("{rate}/s")).await;
        }
        if let Some(ramp) = args.ramp {
            let what = format!("{} to {}/s", ramp.from, ramp.to);
            self.begins(&what);
            let seen = self.generator.ramp(ramp).await;
            self.note(what, &seen);
        }
        if let Some(trace) = trace {
            let what = "as in the trace".to_owned();
            self.begins(&what);
            let seen = self.generator.replay(&trace).await;
            self.note(what, &seen);
        }
        if let Some(callers) = args.callers {
            self.closed(callers.into(), format!("{callers} callers"), self.time).await;
        }
        if args.find_knee {
            self.knee(args.p99).await;
        }
        if !args.overload.is_empty() {
            self.overload(&args.overload).await;
        }
        self.told
    }

    fn begins(&mut self, what: &str) {
        self.live.begins(what);
        self.began = Instant::now();
    }

    async fn open(&mut self, rate: f64, what: String) -> Seen {
        self.begins(&what);
        let seen = self.generator.open(rate, self.time).await;
        self.note(what, &seen);
        seen
    }

    async fn closed(&mut self, callers: usize, what: String, time: Duration) {
        self.begins(&what);
        let seen = self.generator.closed(callers, time).await;
        self.note(what, &seen);
    }

    fn note(&mut self, what: String, seen: &Seen) {
        let mut step = Step::new(what, seen, &self.generator);
        step.service_cpu =
            self.admin.as_ref().map_or_else(Vec::new, |admin| admin.used(self.began));
        let rate = step.all.answered_per_second;
        let p99 = ms(step.all.latency_ms.p99);
        self.live.ends(format!("{}: {rate:.1}/s answered, p99 {p99} ms", step.what));
        self.told.steps.push(step);
    }

    async fn capacity(&mut self) -> f64 {
        self.begins("capacity");
        let mut steps = Vec::new();
        let each = |callers: usize, seen: &Seen| steps.push((callers, seen.clone()));
        let capacity = search::capacity(&mut self.generator, self.time, each).await;
        for (callers, seen) in steps {
            self.note(format!("{callers} callers"), &seen);
        }
        self.told.capacity_per_second = Some(capacity);
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
        self.told.knee_per_second = knee.carried;
        self.told.not_carried_per_second = knee.not_carried;
    }

    async fn overload(&mut self, times: &[f64]) {
        let capacity = self.capacity().await;
        for times in times {
            self.open(capacity * times, format!("{times} × {capacity:.1}/s")).await;
            // One caller after the burst: how long until it is served as before.
            self.closed(1, "the next call".to_owned(), Duration::ZERO).await;
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
