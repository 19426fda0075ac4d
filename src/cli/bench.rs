//! `mmsfit bench`: options in, table out.

use std::{fs, path::Path, time::Duration};

use crate::{
    batch::write,
    capacity::bench::{self, Earlier, Options, Results},
    service::{
        Service,
        detect::{self, Kind},
        request::Content,
    },
};

use super::{
    Failure,
    args::BenchArgs,
    failure::without_number,
    html, json,
    table::{Align, Cell, Table},
    term::{Screen, Tone},
};

/// Measures, and tells.
pub fn run(service: &Service, args: &BenchArgs, screen: &Screen) -> Result<u8, Failure> {
    // A day is more than anybody waits, and keeps the arithmetic of durations safe.
    if !(args.seconds > 0.0 && args.seconds <= 86_400.0) {
        return Err(Failure::usage("SECONDS", "--seconds takes a number above 0"));
    }
    let sources = match &args.samples {
        Some(folder) => bench::from_folder(folder, judge),
        None => bench::generated(),
    };
    let sources =
        sources.map_err(|error| Failure::input("SAMPLES", without_number(&error.to_string())))?;
    if sources.is_empty() {
        return Err(Failure::input("SAMPLES", "the folder holds neither messages nor media"));
    }
    let earlier = args.compare.as_deref().map(read).transpose()?;
    let options = Options {
        sources,
        time: Duration::from_secs_f64(args.seconds),
        threads: args.threads.map_or_else(|| service.config().threads, usize::from),
        effort: args.effort.into(),
    };
    let watched = screen.is_watched();
    let results = bench::run(service, &options, |case| {
        if watched {
            screen.err(&format!("{} → {}: {:.1} ms\n", case.source, case.target, case.cpu_ms));
        }
    })
    .map_err(|refused| Failure::from(*refused.error).about(&refused.source))?;
    if let Some(path) = &args.html {
        let page = html::bench::page(&results, earlier.as_ref(), least_share(&results));
        write::whole(path, page.as_bytes())
            .map_err(|error| Failure::write(&path.to_string_lossy(), &error))?;
    }
    if args.json {
        screen.out(&format!("{}\n", json::value(&results)?))?;
    } else {
        screen.out(&table(&results, earlier.as_ref(), screen))?;
    }
    Ok(0)
}

/// What an earlier run has printed.
fn read(path: &Path) -> Result<Earlier, Failure> {
    let text = fs::read_to_string(path).map_err(|error| Failure::read(path, &error))?;
    serde_json::from_str(&text).map_err(|error| {
        Failure::usage("BENCH", format!("no results of mmsfit bench --json: {error}"))
            .about(&path.to_string_lossy())
    })
}

fn judge(data: bytes::Bytes, name: String) -> Option<Content> {
    match detect::kind(&data) {
        Kind::Pdu => Some(Content::MmsPdu(data)),
        Kind::Mime => Some(Content::Mime(data)),
        kind if kind.is_playable() => Some(Content::Bare { data, name }),
        _ => None,
    }
}

fn table(results: &Results, earlier: Option<&Earlier>, screen: &Screen) -> String {
    let mut columns = vec![
        ("source", Align::Left),
        ("size", Align::Right),
        ("target", Align::Left),
        ("out", Align::Right),
        ("CPU ms", Align::Right),
        ("p95", Align::Right),
        ("p99", Align::Right),
        ("/s, 1 core", Align::Right),
        ("/s, all", Align::Right),
        ("scaling", Align::Right),
    ];
    if earlier.is_some() {
        columns.push(("× before", Align::Right));
    }
    let mut table = Table::new(&columns);
    let mut ratios = Vec::new();
    for case in &results.cases {
        let tone = if case.scaling >= 0.95 { Tone::Good } else { Tone::Changed };
        let mut row = vec![
            case.source.as_str().into(),
            case.source_bytes.to_string().into(),
            case.target.as_str().into(),
            case.wire_bytes.to_string().into(),
            format!("{:.1}", case.cpu_ms).into(),
            format!("{:.1}", case.cpu_ms_p95).into(),
            format!("{:.1}", case.cpu_ms_p99).into(),
            format!("{:.1}", case.per_core_per_second).into(),
            format!("{:.1}", case.all_cores_per_second).into(),
            Cell::toned(format!("{:.2}", case.scaling), tone),
        ];
        if let Some(earlier) = earlier {
            let over = earlier.over(case);
            ratios.extend(over);
            row.push(over.map_or("new".to_owned(), |over| format!("{over:.2}")).into());
        }
        table.row(row);
    }
    let peak =
        results.peak_memory_bytes.map_or_else(|| "unknown".to_owned(), |peak| peak.to_string());
    let mut out = format!(
        "{}\n{} threads, mmsfit {}; peak memory of the whole run {peak}\n",
        table.render(screen.width(), screen.paint(true)),
        results.threads,
        results.version,
    );
    if !ratios.is_empty() {
        let mean = ratios.iter().map(|ratio| ratio.ln()).sum::<f64>() / ratios.len() as f64;
        out.push_str(&format!("CPU time over what it was, geometric mean: {:.2}\n", mean.exp()));
    }
    if let Some(share) = least_share(results).filter(|share| *share < FREE_CORE) {
        let text = format!(
            "the machine had other work: one thread got as little as {:.0} % of a core, so the \
             rates are too low; the CPU times hold\n",
            100.0 * share
        );
        out.push_str(&screen.paint(true).tone(Tone::Changed, &text));
    }
    out
}

/// A thread that got less of a core than this had to share it.
const FREE_CORE: f64 = 0.9;

/// The least part of a core that the run on one thread got, over the cases in which waiting for
/// other threads does not matter.
fn least_share(results: &Results) -> Option<f64> {
    let counted = results.cases.iter().filter(|case| case.cpu_ms >= 5.0);
    counted.map(|case| case.cpu_ms * case.per_core_per_second / 1e3).reduce(f64::min)
}

#[cfg(test)]
mod tests {
    use crate::model::{Bytes, Effort};

    use super::*;

    #[test]
    fn a_busy_machine_is_told() {
        let case = |cpu_ms, per_core_per_second| bench::Case {
            source: "photo".to_owned(),
            source_bytes: Bytes::new(1),
            target: "bounds".to_owned(),
            wire_bytes: Bytes::new(1),
            messages: 1,
            cpu_ms,
            cpu_ms_p95: cpu_ms,
            cpu_ms_p99: cpu_ms,
            per_core_per_second,
            all_cores_per_second: 1.0,
            scaling: 1.0,
        };
        let mut results = Results {
            version: "0",
            threads: 2,
            effort: Effort::Balanced,
            peak_memory_bytes: None,
            cases: vec![case(10.0, 99.0), case(0.1, 50.0)],
        };
        let screen = Screen::plain(120);
        assert!(!table(&results, None, &screen).contains("other work"));
        results.cases.push(case(20.0, 20.0));
        assert!(table(&results, None, &screen).contains("as little as 40 % of a core"));
        let was = r#"{"cases":[{"source":"photo","target":"bounds","cpuMs":5.0},{"source":"x","target":"y","cpuMs":1}]}"#;
        let was = serde_json::from_str(was).expect("results");
        results.cases.truncate(1);
        let told = table(&results, Some(&was), &screen);
        assert!(told.contains("2.00") && told.contains("geometric mean: 2.00"), "{told}");
    }
}
