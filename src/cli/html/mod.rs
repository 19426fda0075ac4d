//! The HTML page with before and after side by side. Self-contained: no script, no request to
//! anywhere, and a policy in its head that forbids both, should anything in a message get past the
//! escaping.

pub mod batch;
pub mod bench;
mod budget;
mod chart;
pub mod load;
pub mod size;

use base64::{Engine as _, engine::general_purpose::STANDARD};

use crate::model::{Action, Limits, MediaInfo, MediaKind, Outcome, PartReport, Report};

use super::{
    previews::Pair,
    report::{self, Names},
    words,
};

const STYLE: &str = include_str!("page.css");

/// Images over this are not put into the page.
const LARGEST_PREVIEW: usize = 24 << 20;
/// Text beyond this many characters is cut.
const TEXT_REACH: usize = 2_000;

/// A figure with its name above and a note below.
fn told(name: &str, value: &str, note: &str) -> String {
    let (name, value, note) = (escape(name), escape(value), escape(note));
    format!("<div><dt>{name}</dt><dd>{value}<small>{note}</small></dd></div>")
}

/// Figures side by side.
fn figures(all: &[String]) -> String {
    format!("<section class=\"card\"><dl class=\"figures flat\">{}</dl></section>\n", all.concat())
}

/// A table, the first cell of each row its name.
fn table(title: &str, head: &[&str], rows: &[Vec<String>]) -> String {
    let cells = |tag: &str, cells: &mut dyn Iterator<Item = &str>| -> String {
        let cells: String = cells.map(|cell| format!("<{tag}>{}</{tag}>", escape(cell))).collect();
        format!("<tr>{cells}</tr>")
    };
    let rows: String =
        rows.iter().map(|row| cells("td", &mut row.iter().map(String::as_str))).collect();
    format!(
        "<section class=\"card\"><div class=\"head\"><h2>{}</h2></div><div class=\"wide\">\
         <table class=\"sums\"><thead>{}</thead><tbody>{rows}</tbody></table></div></section>\n",
        escape(title),
        cells("th", &mut head.iter().copied()),
    )
}

/// The page of one message.
pub fn page(
    title: &str,
    report: &Report,
    limits: &Limits,
    names: Names<'_>,
    pairs: &[Pair],
) -> String {
    let nothing = Pair::default();
    let parts: String = report
        .parts
        .iter()
        .enumerate()
        .map(|(index, part)| section(part, pairs.get(index).unwrap_or(&nothing)))
        .collect();
    let body = format!(
        "<header>\n<h1>{title}</h1>\n{lead}</header>\n{summary}{parts}{warnings}\
         <footer>Made by mmsfit {version}. Images are shown at one size to compare them; the \
         figures under them tell their true sizes.</footer>\n",
        title = escape(title),
        lead = lead(report),
        summary = budget::section(report, limits, names),
        warnings = warnings(report),
        version = env!("CARGO_PKG_VERSION"),
    );
    document(title, &body)
}

/// A page that needs nothing from elsewhere, and may fetch nothing.
pub fn document(title: &str, body: &str) -> String {
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; \
         img-src data:; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'\">\n\
         <title>{title} · mmsfit</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n<main>\n\
         {body}</main>\n</body>\n</html>\n",
        title = escape(title),
    )
}

fn lead(report: &Report) -> String {
    let tone = match report.outcome {
        Outcome::Unchanged => "good",
        Outcome::Minor => "changed",
        Outcome::Major => "bad",
    };
    let word = match report.outcome {
        Outcome::Unchanged => "unchanged",
        Outcome::Minor => "adapted",
        Outcome::Major => "adapted with losses",
    };
    let count = |action| report.parts.iter().filter(|part| part.action == action).count();
    let told: Vec<String> = [Action::Keep, Action::Transcode, Action::Replace, Action::Drop]
        .into_iter()
        .filter(|action| count(*action) > 0)
        .map(|action| format!("{} {}", count(action), words::action(action)))
        .collect();
    let noun = if report.parts.len() == 1 { "part" } else { "parts" };
    format!(
        "<p class=\"lead\"><span class=\"tag {tone}\">{word}</span> {} {noun}: {}.</p>\n",
        report.parts.len(),
        told.join(", ")
    )
}

fn section(part: &PartReport, pair: &Pair) -> String {
    let tone = match part.action {
        Action::Keep => "good",
        Action::Transcode => "changed",
        Action::Replace | Action::Drop => "bad",
    };
    let images = part.before.kind == MediaKind::Image;
    let after = match &part.after {
        Some(info) => figure("After", info, pair.after.as_deref(), &report::label(part)),
        None => "<figure><h3>After</h3><div class=\"stage\"><p>left out of the message</p></div>\
                 <figcaption><b>nothing</b></figcaption></figure>"
            .to_owned(),
    };
    format!(
        "<section class=\"card{low}\">\n<div class=\"head\"><h2>{number}. {name}</h2>\
         <span class=\"tag {tone}\">{action}</span></div>\n<div class=\"pair\">\n{before}\n{after}\n\
         </div>\n{why}</section>\n",
        low = if images { "" } else { " low" },
        number = u64::from(part.id.0) + 1,
        name = escape(&report::label(part)),
        action = words::done(part),
        before = figure("Before", &part.before, pair.before.as_deref(), &report::label(part)),
        why = why(part),
    )
}

fn figure(when: &str, info: &MediaInfo, data: Option<&[u8]>, label: &str) -> String {
    let mut facts = vec![info.media_type.to_string()];
    if !info.codec.is_empty() {
        facts.push(info.codec.clone());
    }
    if info.animated() {
        facts.push(format!("{} frames", info.frames));
    }
    if !info.duration.is_zero() {
        facts.push(format!("{:.1} s", info.duration.seconds()));
    }
    let size = match info.dimensions {
        Some(dimensions) => format!("{}, {} pixels", info.bytes, words::dimensions(dimensions)),
        None => info.bytes.to_string(),
    };
    format!(
        "<figure><h3>{when}</h3><div class=\"stage\">{}</div><figcaption><b>{}</b>\
         <span>{}</span></figcaption></figure>",
        preview(info, data, when, label),
        escape(&size),
        escape(&facts.join(", ")),
    )
}

/// What browsers show of a medium.
fn preview(info: &MediaInfo, data: Option<&[u8]>, when: &str, label: &str) -> String {
    let said = |text: &str| format!("<p>{}</p>", escape(text));
    let Some(data) = data else { return said("no preview") };
    match info.kind {
        MediaKind::Image => {
            let shown = matches!(
                info.media_type.as_str(),
                "image/jpeg"
                    | "image/png"
                    | "image/gif"
                    | "image/webp"
                    | "image/bmp"
                    | "image/avif"
            );
            if !shown {
                return said("browsers do not show this format");
            }
            if data.len() > LARGEST_PREVIEW {
                return said("too large for a preview");
            }
            format!(
                "<img alt=\"{}\" src=\"data:{};base64,{}\">",
                escape(&format!("{label}, {}", when.to_lowercase())),
                info.media_type,
                STANDARD.encode(data)
            )
        }
        MediaKind::Text | MediaKind::Presentation => {
            let text = String::from_utf8_lossy(data);
            let mut shown: String = text.chars().take(TEXT_REACH).collect();
            if shown.len() < text.len() {
                shown.push('…');
            }
            format!("<pre>{}</pre>", escape(&shown))
        }
        MediaKind::Audio | MediaKind::Video | MediaKind::Drm | MediaKind::Other => {
            said(words::kind(info.kind))
        }
    }
}

fn why(part: &PartReport) -> String {
    let mut items: Vec<String> =
        part.reasons.iter().map(|reason| escape(&words::reason(reason))).collect();
    if let Some(quality) = part.quality_estimate {
        items
            .push(format!("estimated likeness to the original: {quality:.0} of 100 (SSIMULACRA2)"));
    }
    if part.encodes > 0 {
        let noun = if part.encodes == 1 { "version" } else { "versions" };
        items.push(format!("{} {noun} tried in {:.0} ms", part.encodes, part.cpu_ms));
    }
    if items.is_empty() {
        return String::new();
    }
    let items: String = items.iter().map(|item| format!("<li>{item}</li>")).collect();
    format!("<ul class=\"why\">{items}</ul>\n")
}

fn warnings(report: &Report) -> String {
    if report.warnings.is_empty() {
        return String::new();
    }
    let items: String = report
        .warnings
        .iter()
        .map(|w| format!("<li>{} <code>{}</code></li>", escape(&w.message), escape(&w.code)))
        .collect();
    format!(
        "<section class=\"card\"><div class=\"head\"><h2>Warnings</h2></div>\
         <ul class=\"warn\">{items}</ul></section>\n"
    )
}

/// Text for element content and quoted attributes. Control characters and direction overrides
/// become visible: they could make a name look like another.
pub fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '\n' | '\t' => out.push(c),
            '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => out.push('\u{fffd}'),
            c if c.is_control() => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests;
