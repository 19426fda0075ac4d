//! The page of a batch run: sums, distributions, reasons, and what stands out, with small pictures of
//! the worst. Self-contained, as the page of a message.

use std::{fs, path::Path};

use base64::{Engine as _, engine::general_purpose::STANDARD};

use super::{document, escape};
use crate::{
    batch::{BARS, Highlights, Named, Summary},
    model::Bytes,
    service::detect::{self, Kind},
};

/// Results over this are not put into the page.
const LARGEST_PICTURE: u64 = 512 << 10;
/// Reasons that are shown.
const REASONS: usize = 16;

/// The page of a run whose results lie below `output`.
pub fn page(summary: &Summary, output: &Path) -> String {
    let seen = &summary.highlights;
    let title = format!("Batch run into {}", output.display());
    let body = format!(
        "<header>\n<h1>{}</h1>\n<p class=\"lead\">{}</p></header>\n{}{}{}{}{}{}\
         <footer>Made by mmsfit {}.</footer>\n",
        escape(&title),
        lead(summary),
        figures(summary),
        kinds(seen),
        spread(seen),
        counted("Why parts were changed", &reasons(seen), "changed"),
        counted("Without a result", &failures(seen), "bad"),
        standing_out(seen, output),
        env!("CARGO_PKG_VERSION"),
    );
    document(&title, &body)
}

fn lead(summary: &Summary) -> String {
    let (tone, word) = match summary {
        Summary { interrupted: true, .. } => ("changed", "stopped before its end"),
        summary if summary.is_whole() => ("good", "complete"),
        _ => ("bad", "complete, with failures"),
    };
    format!("<span class=\"tag {tone}\">{word}</span> {} items.", summary.files)
}

fn figures(summary: &Summary) -> String {
    let saved = summary.bytes_before.saturating_sub(summary.bytes_after);
    let share = 100.0 * saved as f64 / summary.bytes_before.max(1) as f64;
    let figure = |name: &str, value: String, note: String| {
        format!("<div><dt>{name}</dt><dd>{value}<small>{note}</small></dd></div>")
    };
    let worked = summary.done + summary.unchanged;
    let seconds = (summary.wall_ms / 1e3).max(1e-3);
    let figures = [
        figure(
            "adapted",
            summary.done.to_string(),
            format!("{} unchanged, {} skipped", summary.unchanged, summary.skipped),
        ),
        figure(
            "without a result",
            (summary.failed + summary.refused + summary.dropped).to_string(),
            format!(
                "{} failed, {} refused, {} left out",
                summary.failed, summary.refused, summary.dropped
            ),
        ),
        figure(
            "bytes",
            Bytes::new(summary.bytes_after).to_string(),
            format!("of {}: {share:.0} % saved", Bytes::new(summary.bytes_before)),
        ),
        figure(
            "time",
            format!("{seconds:.1} s"),
            format!("{:.1} items/s, {:.1} s of CPU", worked as f64 / seconds, summary.cpu_ms / 1e3),
        ),
    ];
    format!("<section class=\"card\"><dl class=\"figures\">{}</dl></section>\n", figures.concat())
}

fn kinds(seen: &Highlights) -> String {
    if seen.kinds.is_empty() {
        return String::new();
    }
    let most = seen.kinds.values().map(|sums| sums.before).max().unwrap_or(1).max(1);
    let row = |(kind, sums): (&String, &crate::batch::Sums)| {
        let width = |bytes: u64| 100.0 * bytes as f64 / most as f64;
        format!(
            "<div class=\"row wide\"><b>{}</b><div><div class=\"bar\"><i class=\"ko\" style=\"width:{:.2}%\"></i></div>\
             <div class=\"bar\"><i class=\"k0\" style=\"width:{:.2}%\"></i></div></div><span>{} → {}<br>{} items, {:.1} s CPU</span></div>",
            escape(kind),
            width(sums.before),
            width(sums.after),
            Bytes::new(sums.before),
            Bytes::new(sums.after),
            sums.items,
            sums.cpu_ms / 1e3,
        )
    };
    let rows: String = seen.kinds.iter().map(row).collect();
    format!(
        "<section class=\"card\"><div class=\"head\"><h2>Bytes before and after</h2></div>{rows}</section>\n"
    )
}

/// Two distributions, as bars that stand.
fn spread(seen: &Highlights) -> String {
    let plot = |title: &str, bars: &[u64; BARS], low: &str, high: &str| {
        let (sum, most) = (bars.iter().sum::<u64>(), bars.iter().copied().max().unwrap_or(0));
        if sum == 0 {
            return String::new();
        }
        let bars: String = bars
            .iter()
            .enumerate()
            .map(|(number, count)| {
                let height = 100.0 * *count as f64 / most.max(1) as f64;
                let from = number * 100 / BARS;
                format!(
                    "<i style=\"height:{height:.1}%\" title=\"{from} to {} %: {count}\"></i>",
                    from + 100 / BARS
                )
            })
            .collect();
        format!(
            "<figure><h3>{title}</h3><div class=\"plot\">{bars}</div>\
             <figcaption class=\"ends\"><span>{low}</span><span>{high}</span></figcaption></figure>"
        )
    };
    let plots = [
        plot("Bytes after, of those before", &seen.ratio, "0 %", "95 % and more"),
        plot("Estimated likeness to the original (SSIMULACRA2)", &seen.quality, "0", "100"),
    ];
    if plots.iter().all(String::is_empty) {
        return String::new();
    }
    format!("<section class=\"card\"><div class=\"pair\">{}</div></section>\n", plots.concat())
}

fn reasons(seen: &Highlights) -> Vec<(String, u64)> {
    let word =
        |code: &str| code.trim_start_matches("REASON_CODE_").replace('_', " ").to_lowercase();
    seen.reasons.iter().map(|(code, count)| (word(code), *count)).collect()
}

fn failures(seen: &Highlights) -> Vec<(String, u64)> {
    let told = |((status, reason), count): (&(String, String), &u64)| {
        (format!("{status}: {reason}"), *count)
    };
    seen.failures.iter().map(told).collect()
}

fn counted(title: &str, counts: &[(String, u64)], tone: &str) -> String {
    let mut counts = counts.to_vec();
    counts.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    let Some((_, most)) = counts.first().cloned() else { return String::new() };
    let rows: String = counts
        .iter()
        .take(REASONS)
        .map(|(name, count)| {
            format!(
                "<div class=\"row wide\"><b>{}</b><div class=\"bar thin\"><i class=\"fill {tone}\" style=\"width:{:.2}%\"></i></div>\
                 <span>{count}</span></div>",
                escape(name),
                100.0 * *count as f64 / most.max(1) as f64
            )
        })
        .collect();
    format!("<section class=\"card\"><div class=\"head\"><h2>{title}</h2></div>{rows}</section>\n")
}

fn standing_out(seen: &Highlights, output: &Path) -> String {
    let name = |named: &Named| match named.part {
        Some(part) => format!("{}, part {part}", escape(&named.path)),
        None => escape(&named.path),
    };
    let slowest: String = seen
        .slowest()
        .iter()
        .map(|named| format!("<li>{} <code>{:.0} ms</code></li>", name(named), named.figure))
        .collect();
    let worst: String = seen
        .worst()
        .iter()
        .map(|named| {
            format!(
                "<figure><div class=\"stage small\">{}</div><figcaption><b>{:.0}</b><span>{}</span></figcaption></figure>",
                picture(named, output),
                -named.figure,
                name(named)
            )
        })
        .collect();
    let mut out = String::new();
    if !worst.is_empty() {
        out.push_str(&format!(
            "<section class=\"card\"><div class=\"head\"><h2>The least like their originals</h2></div>\
             <div class=\"many\">{worst}</div></section>\n"
        ));
    }
    if !slowest.is_empty() {
        out.push_str(&format!(
            "<section class=\"card\"><div class=\"head\"><h2>The slowest</h2></div><ul class=\"why flat\">{slowest}</ul></section>\n"
        ));
    }
    out
}

/// The result itself, where it is an image alone that browsers show.
fn picture(named: &Named, output: &Path) -> String {
    let none = || "<p>in a message</p>".to_owned();
    let Some(path) = named.output.as_ref().and_then(|path| path.path()) else { return none() };
    let path = output.join(path);
    let small = fs::metadata(&path).is_ok_and(|meta| meta.len() <= LARGEST_PICTURE);
    let Some(data) = small.then(|| fs::read(&path).ok()).flatten() else { return none() };
    match detect::kind(&data) {
        Kind::Medium(kind) if matches!(kind.as_str(), "image/jpeg" | "image/png" | "image/gif") => {
            format!("<img alt=\"\" src=\"data:{kind};base64,{}\">", STANDARD.encode(&data))
        }
        _ => none(),
    }
}
