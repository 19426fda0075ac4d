//! `mmsfit batch run`: options in, summary out.

use std::path::PathBuf;

use bytes::Bytes as Buffer;

use crate::{
    batch::{self, Options, Progress, Select, Summary, write},
    model::Bytes,
    service::{Service, request::Content},
};

use super::{
    Failure,
    args::BatchRunArgs,
    foresee, html, json, request,
    safe::safe,
    table::{Align, Cell, Table},
    term::{Screen, Tone},
};

/// Some files have no result.
const PARTLY: u8 = 5;

/// Runs, and tells what became of it.
pub fn run(service: &Service, args: &BatchRunArgs, screen: &Screen) -> Result<u8, Failure> {
    let nothing = Content::Bare { data: Buffer::new(), name: String::new() };
    let options = Options {
        input: args.input.clone(),
        manifest: manifest(args),
        output: args.output.clone(),
        report: args.report.clone(),
        select: Select {
            include: args.include.clone(),
            exclude: args.exclude.clone(),
            limit: args.limit,
            shard: args.shard,
        },
        on_cannot_fit: args.on_cannot_fit.into(),
        jobs: args.jobs.map_or_else(|| service.config().threads, usize::from),
        memory: args.memory.unwrap_or_else(batch::default_memory),
        request: request::build(nothing, &args.device, &args.limits)?,
        progress: if screen.is_watched() { Progress::Bar } else { Progress::Lines },
    };
    if args.dry_run {
        return foresee::run(service, &options, args, screen);
    }
    let summary = batch::run(service, &options).map_err(|error| Failure::fault(&error))?;
    if let Some(path) = &args.html {
        let page = html::batch::page(&summary, &args.output);
        write::whole(path, page.as_bytes())
            .map_err(|error| Failure::write(&path.to_string_lossy(), &error))?;
    }
    if args.json {
        screen.out(&format!("{}\n", json::value(&summary)?))?;
    } else {
        screen.out(&table(&summary, screen))?;
    }
    Ok(if summary.is_whole() { 0 } else { PARTLY })
}

/// The list of items; `-` is standard input.
fn manifest(args: &BatchRunArgs) -> Option<PathBuf> {
    if args.stdin_manifest { Some(PathBuf::from("-")) } else { args.manifest.clone() }
}

fn table(summary: &Summary, screen: &Screen) -> String {
    let mut table = Table::new(&[("files", Align::Right), ("", Align::Left)]);
    for (count, what, tone) in [
        (summary.done, "adapted", Tone::Good),
        (summary.unchanged, "unchanged: they fit as they are", Tone::Good),
        (summary.same, "of these with the content of another: encoded once", Tone::Faint),
        (summary.skipped, "skipped: done by an earlier run", Tone::Faint),
        (summary.unsupported, "neither message nor medium: not copied", Tone::Faint),
        (summary.refused, "refused: cannot be made to fit, or must not be changed", Tone::Bad),
        (summary.kept, "kept as they are: they cannot be made to fit", Tone::Changed),
        (summary.dropped, "left out: they cannot be made to fit", Tone::Changed),
        (summary.failed, "failed", Tone::Bad),
        (summary.not_reached, "not reached: the run was stopped", Tone::Changed),
    ] {
        if count > 0 {
            table.row(vec![Cell::toned(count.to_string(), tone), what.into()]);
        }
    }
    table.row(vec![Cell::toned(summary.files.to_string(), Tone::Strong), "in all".into()]);
    let seconds = summary.wall_ms / 1e3;
    let worked = summary.done + summary.unchanged;
    format!(
        "{}\n{} → {} in {seconds:.1} s ({:.1} files/s, {:.1} s of CPU)\nreport: {}\n",
        table.render(screen.width(), screen.paint(true)),
        Bytes::new(summary.bytes_before),
        Bytes::new(summary.bytes_after),
        worked as f64 / seconds.max(1e-6),
        summary.cpu_ms / 1e3,
        safe(&summary.report),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_summary_names_only_what_happened() {
        let summary =
            Summary { files: 3, done: 2, failed: 1, wall_ms: 1_000.0, ..Summary::default() };
        let text = table(&summary, &Screen::plain(80));
        assert!(text.contains("2  adapted") && text.contains("1  failed"), "{text}");
        assert!(!text.contains("skipped"), "{text}");
    }
}
