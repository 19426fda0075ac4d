//! `mmsfit bench`: options in, table out.

use std::time::Duration;

use crate::{
    batch::detect::{self, Kind},
    capacity::bench::{self, Options, Results},
    service::{Service, request::Content},
};

use super::{
    Failure,
    args::BenchArgs,
    failure::without_number,
    json,
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
    if args.json {
        screen.out(&format!("{}\n", json::value(&results)?))?;
    } else {
        screen.out(&table(&results, screen))?;
    }
    Ok(0)
}

fn judge(data: bytes::Bytes, name: String) -> Option<Content> {
    match detect::kind(&data) {
        Kind::Pdu => Some(Content::MmsPdu(data)),
        Kind::Mime => Some(Content::Mime(data)),
        kind if kind.is_playable() => Some(Content::Bare { data, name }),
        _ => None,
    }
}

fn table(results: &Results, screen: &Screen) -> String {
    let mut table = Table::new(&[
        ("source", Align::Left),
        ("size", Align::Right),
        ("target", Align::Left),
        ("out", Align::Right),
        ("CPU ms", Align::Right),
        ("/s, 1 core", Align::Right),
        ("/s, all", Align::Right),
        ("scaling", Align::Right),
    ]);
    for case in &results.cases {
        let tone = if case.scaling >= 0.95 { Tone::Good } else { Tone::Changed };
        table.row(vec![
            case.source.as_str().into(),
            case.source_bytes.to_string().into(),
            case.target.as_str().into(),
            case.wire_bytes.to_string().into(),
            format!("{:.1}", case.cpu_ms).into(),
            format!("{:.1}", case.per_core_per_second).into(),
            format!("{:.1}", case.all_cores_per_second).into(),
            Cell::toned(format!("{:.2}", case.scaling), tone),
        ]);
    }
    let peak =
        results.peak_memory_bytes.map_or_else(|| "unknown".to_owned(), |peak| peak.to_string());
    format!(
        "{}\n{} threads, mmsfit {}; peak memory of the whole run {peak}\n",
        table.render(screen.width(), screen.paint(true)),
        results.threads,
        results.version,
    )
}
