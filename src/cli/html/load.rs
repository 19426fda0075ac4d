//! The page of a run of the load generator: sums, and curves over time. Self-contained, as the page of
//! a message.

use super::{
    chart::{Chart, Curve},
    document, escape,
};
use crate::capacity::load::{
    seen::Quantiles,
    timeline::Second,
    told::{Step, Told},
};

/// Steps that are rows of the table; a search has fewer.
const ROWS: usize = 200;

/// The page.
pub fn page(told: &Told) -> String {
    let base = told.steps.iter().map(|step| step.began_unix_seconds).fold(f64::INFINITY, f64::min);
    let marks: Vec<(f64, String)> =
        told.steps.iter().map(|step| (step.began_unix_seconds - base, step.what.clone())).collect();
    let until = told
        .steps
        .iter()
        .map(|step| step.began_unix_seconds - base + step.seconds)
        .fold(0.0, f64::max);
    let over_time = |of: &dyn Fn(&Second) -> Option<f64>| {
        let mut points = Vec::new();
        for step in &told.steps {
            let began = step.began_unix_seconds - base;
            // In the middle of its second.
            let point = |s: &Second| (began + s.at + s.seconds / 2.0, of(s));
            points.extend(step.timeline.iter().map(point));
            // Steps are not joined.
            points.push((began + step.seconds, None));
        }
        points
    };
    let latency = |name, color, of: fn(&Quantiles) -> Option<f64>| Curve {
        name,
        color,
        points: over_time(&move |second| of(&second.latency_ms)),
    };
    // A last piece of a second has no rate worth a point.
    let rate = |count: u64, second: &Second| {
        (second.seconds >= 0.5).then(|| count as f64 / second.seconds)
    };
    let mut rates = vec![
        Curve { name: "sent", color: "ko", points: over_time(&|s| rate(s.sent, s)) },
        Curve { name: "answered", color: "k0", points: over_time(&|s| rate(s.answered, s)) },
    ];
    type Count = fn(&Second) -> u64;
    for (name, color, of) in
        [("refused", "changed", (|s| s.refused) as Count), ("bad", "bad", |s| s.bad)]
    {
        if told.steps.iter().flat_map(|step| &step.timeline).any(|second| of(second) > 0) {
            rates.push(Curve { name, color, points: over_time(&|s| rate(of(s), s)) });
        }
    }
    let mut cpu = Vec::new();
    for step in &told.steps {
        let began = step.began_unix_seconds - base;
        cpu.extend(step.service_cpu.iter().map(|used| (began + used.at, Some(used.cores))));
        cpu.push((began + step.seconds, None));
    }
    let chart = |title, unit, is_log, curves| {
        Chart { title, unit, is_log, across: "s", until, marks: &marks, curves }.card()
    };
    let curves = vec![
        latency("max", "ko", |q| q.max),
        latency("p99", "k4", |q| q.p99),
        latency("p90", "k2", |q| q.p90),
        latency("p50", "k0", |q| q.p50),
    ];
    let service = vec![Curve { name: "service", color: "k1", points: cpu }];
    let body = format!(
        "<header>\n<h1>Load</h1>\n<p class=\"lead\">{}</p></header>\n{}{}{}{}{}\
         <footer>Made by mmsfit {}. Times count from when calls were due; a call belongs to the second \
         in which it was answered.</footer>\n",
        lead(told),
        figures(told),
        chart("Latency", "ms, answered calls", true, curves),
        chart("Calls", "a second", false, rates),
        chart("CPU of the service", "cores, without worker processes", false, service),
        table(told),
        env!("CARGO_PKG_VERSION"),
    );
    document("Load", &body)
}

fn lead(told: &Told) -> String {
    let bad: u64 = told.steps.iter().map(|step| step.all.counts.bad()).sum();
    let refused: u64 = told.steps.iter().map(|step| step.all.refused).sum();
    let (tone, word) = match (bad, refused) {
        (0, 0) => ("good", "all answered"),
        (0, _) => ("changed", "some refused"),
        _ => ("bad", "some failed"),
    };
    let steps: Vec<String> = told.steps.iter().take(8).map(|step| escape(&step.what)).collect();
    let more = if told.steps.len() > 8 { ", …" } else { "" };
    format!("<span class=\"tag {tone}\">{word}</span> {}{more}", steps.join(", "))
}

fn figures(told: &Told) -> String {
    let figure = |name: &str, value: String, note: String| {
        format!("<div><dt>{name}</dt><dd>{value}<small>{}</small></dd></div>", escape(&note))
    };
    let sum = |of: fn(&Step) -> u64| told.steps.iter().map(of).sum::<u64>();
    let (sent, answered) = (sum(|step| step.all.counts.sent), sum(|step| step.all.answered));
    let (refused, bad) = (sum(|step| step.all.refused), sum(|step| step.all.counts.bad()));
    let seconds: f64 = told.steps.iter().map(|step| step.seconds).sum();
    let worst = told
        .steps
        .iter()
        .filter_map(|step| Some((step.all.latency_ms.p99?, step)))
        .max_by(|a, b| a.0.total_cmp(&b.0));
    let mut out = figure("Sent", sent.to_string(), format!("in {seconds:.1} s"));
    let share = 100.0 * answered as f64 / sent.max(1) as f64;
    out.push_str(&figure("Answered", answered.to_string(), format!("{share:.1} % of them")));
    if let Some((p99, step)) = worst {
        let note = format!("at {}, the slowest", step.what);
        out.push_str(&figure("p99", format!("{} ms", ms(Some(p99))), note));
    }
    out.push_str(&figure("Refused", refused.to_string(), format!("{bad} failed or wrong")));
    if let Some(knee) = told.knee_per_second {
        out.push_str(&figure(
            "Knee",
            format!("{knee:.1}/s"),
            "the most that is carried".to_owned(),
        ));
    }
    format!("<section class=\"card\"><dl class=\"figures flat\">{out}</dl></section>\n")
}

fn table(told: &Told) -> String {
    let row = |what: &str, figures: &crate::capacity::load::seen::Figures, class: &str| {
        let q = &figures.latency_ms;
        format!(
            "<tr{class}><td>{}</td><td>{}</td><td>{}</td><td>{:.1}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>",
            escape(what),
            figures.counts.sent,
            figures.answered,
            figures.answered_per_second,
            ms(q.p50),
            ms(q.p90),
            ms(q.p99),
            ms(q.max),
            figures.refused,
            figures.counts.bad()
        )
    };
    let rows: String = told
        .steps
        .iter()
        .take(ROWS)
        .map(|step| {
            let mut rows = row(&step.what, &step.all, "");
            if step.kinds.len() > 1 {
                let kinds = step.kinds.iter().take(ROWS);
                rows.extend(kinds.map(|(name, figures)| row(name, figures, " class=\"kind\"")));
            }
            rows
        })
        .collect();
    format!(
        "<section class=\"card\"><div class=\"head\"><h2>Step by step</h2></div><div class=\"wide\"><table class=\"sums\">\
         <thead><tr><th>rate</th><th>sent</th><th>answered</th><th>/s</th><th>p50 ms</th><th>p90</th><th>p99</th><th>max</th><th>refused</th><th>bad</th></tr></thead>\
         <tbody>{rows}</tbody></table></div></section>\n"
    )
}

fn ms(value: Option<f64>) -> String {
    match value {
        None => "–".to_owned(),
        Some(ms) if ms < 10.0 => format!("{ms:.1}"),
        Some(ms) => format!("{ms:.0}"),
    }
}
