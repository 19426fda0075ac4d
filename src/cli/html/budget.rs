//! The figures of the whole message, and its bytes as bars: before, after, and the limit.

use crate::{
    cli::report::{self as table, Names},
    model::{Bytes, Limits, Report},
};

use super::escape;

/// Colours that repeat.
const COLORS: usize = 6;

/// The card under the title.
pub fn section(report: &Report, limits: &Limits, names: Names<'_>) -> String {
    let (before, after) = (report.wire_bytes_before, report.wire_bytes_after);
    let limit = report.limit.as_ref();
    let mut figures = figure("Before", &before.to_string(), "on the wire");
    figures.push_str(&figure("After", &after.to_string(), &saved(before, after)));
    if let Some(limit) = limit {
        figures.push_str(&figure(
            "Limit",
            &limit.bytes.to_string(),
            &table::limit_words(limit, names),
        ));
        let fill = table::fill(after, limit.bytes);
        figures.push_str(&figure("Limit used", &format!("{fill:.1} %"), "of the bytes allowed"));
    }
    let cpu: f64 = report.parts.iter().map(|part| part.cpu_ms).sum();
    if cpu >= 0.5 {
        figures.push_str(&figure("Work", &format!("{cpu:.0} ms"), "of one processor core"));
    }

    let sizes = |old: bool| -> Vec<Bytes> {
        let size = |part: &crate::model::PartReport| {
            if old {
                part.before.bytes
            } else {
                part.after.as_ref().map_or(Bytes::ZERO, |info| info.bytes)
            }
        };
        report.parts.iter().map(size).collect()
    };
    let bound = limit.map(|limit| limit.bytes);
    let scale = [Some(before), Some(after), bound].into_iter().flatten().max().unwrap_or(before);
    let mut bars = bar("before", &sizes(true), before, scale);
    bars.push_str(&bar("after", &sizes(false), after, scale));
    // A message far over its limit makes the bar of the result a sliver: show it again, enlarged.
    if let Some(bound) = bound
        && bound.get().saturating_mul(4) < scale.get()
    {
        bars.push_str(&bar("enlarged", &sizes(false), after, bound.max(after)));
    }
    format!(
        "<section class=\"card\">\n<dl class=\"figures\">{figures}</dl>\n{boxed}<h3>Where the bytes go{}</h3>\n\
         {bars}{}</section>\n",
        if bound.is_some_and(|bound| bound.get().saturating_mul(4) < scale.get()) {
            "; the last bar is as long as the limit"
        } else if bound == Some(scale) {
            "; the bars are as long as the limit"
        } else {
            ""
        },
        legend(report),
        boxed = table::bounds_words(report, limits, names)
            .map(|text| format!("<p class=\"aside\">{}</p>\n", escape(&text)))
            .unwrap_or_default(),
    )
}

fn figure(term: &str, value: &str, note: &str) -> String {
    format!(
        "<div><dt>{}</dt><dd>{}<small>{}</small></dd></div>",
        escape(term),
        escape(value),
        escape(note)
    )
}

fn saved(before: Bytes, after: Bytes) -> String {
    if before == Bytes::ZERO || after == before {
        return "as before".to_owned();
    }
    let change = 100.0 * (1.0 - after.get() as f64 / before.get() as f64);
    if change >= 0.0 { format!("{change:.0} % less") } else { format!("{:.0} % more", -change) }
}

/// One bar; `whole` is its wire size, what the parts leave of it is overhead.
fn bar(label: &str, parts: &[Bytes], whole: Bytes, scale: Bytes) -> String {
    let percent = |bytes: Bytes| {
        if scale == Bytes::ZERO {
            0.0
        } else {
            (bytes.get() as f64 * 100.0 / scale.get() as f64).min(100.0)
        }
    };
    let piece = |class: &str, bytes: Bytes| {
        if bytes == Bytes::ZERO {
            return String::new();
        }
        format!(
            "<i class=\"{class}\" style=\"width:{:.3}%\" title=\"{bytes}\"></i>",
            percent(bytes)
        )
    };
    let mut pieces: String = parts
        .iter()
        .enumerate()
        .map(|(index, bytes)| piece(&format!("k{}", index % COLORS), *bytes))
        .collect();
    let media: Bytes = parts.iter().copied().sum();
    pieces.push_str(&piece("ko", whole.saturating_sub(media)));
    format!(
        "<div class=\"row\"><b>{}</b><div class=\"bar\">{pieces}</div><span>{whole}</span></div>\n",
        escape(label)
    )
}

fn legend(report: &Report) -> String {
    let mut items: String = report
        .parts
        .iter()
        .enumerate()
        .map(|(index, part)| {
            let name = escape(&table::label(part));
            format!("<li><i class=\"k{}\"></i>{}. {name}</li>", index % COLORS, index + 1)
        })
        .collect();
    items.push_str("<li><i class=\"ko\"></i>headers and encoding</li>");
    format!("<ul class=\"legend\">{items}</ul>\n")
}
