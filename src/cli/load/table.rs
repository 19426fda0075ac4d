//! The table of `mmsfit load`.

use crate::{
    capacity::load::{seen::Figures, told::Told},
    cli::{
        table::{Align, Cell, Table},
        term::{Screen, Tone},
    },
};

use super::ms;

/// A row for each step, and what was found.
pub fn page(outcome: &Told, screen: &Screen) -> String {
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
    let loaded = outcome
        .steps
        .iter()
        .filter(|step| step.kinds.len() > 1)
        .max_by_key(|step| step.all.counts.sent);
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
        for (what, count) in step.all.counts.failed.iter().chain(&step.all.counts.wrong) {
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
    let bad = figures.counts.bad();
    let tone = if bad == 0 { Tone::Plain } else { Tone::Bad };
    vec![
        what.into(),
        figures.counts.sent.to_string().into(),
        figures.answered.to_string().into(),
        format!("{:.1}", figures.answered_per_second).into(),
        ms(figures.latency_ms.p50).into(),
        ms(figures.latency_ms.p90).into(),
        ms(figures.latency_ms.p99).into(),
        ms(figures.latency_ms.max).into(),
        figures.counts.reused.to_string().into(),
        figures.refused.to_string().into(),
        ms(figures.refusal_ms.p50).into(),
        Cell::toned(bad.to_string(), tone),
    ]
}
