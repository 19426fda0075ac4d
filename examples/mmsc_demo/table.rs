//! The table on the terminal.

use std::fmt::Write as _;

use mmsfit::grpc::v1::{Action, DeviceSummary, MediaInfo, MediaKind, Outcome, PartReport, Report};

use super::{Answer, Fitted, Sample};

/// One block a sample: what it was, then a line for each handset.
pub fn render(samples: &[Sample], handsets: &[DeviceSummary], answers: &[Vec<Answer>]) -> String {
    let mut text = String::new();
    let width = handsets.iter().map(|handset| title(handset).chars().count()).max().unwrap_or(0);
    for (sample, row) in samples.iter().zip(answers) {
        let _ = writeln!(text, "\n{}  ({})", sample.name, bytes(sample.bytes.len() as u64));
        for (handset, answer) in handsets.iter().zip(row) {
            let _ = write!(text, "  {:width$}  ", title(handset));
            let _ = match &answer.result {
                Ok(fitted) => writeln!(text, "{}", line(fitted, answer.took.as_millis())),
                Err(status) => writeln!(text, "refused: {:?}: {}", status.code(), status.message()),
            };
            if let Ok(fitted) = &answer.result {
                for part in fitted.report.parts.iter().filter(|part| is_shown(part)) {
                    let _ = writeln!(text, "  {:width$}    {}", "", part_line(part));
                }
            }
        }
    }
    text.push('\n');
    text
}

/// `Nokia 7650 (30.0 kB, 640x480)`
pub fn title(handset: &DeviceSummary) -> String {
    let name = match (handset.vendor.as_str(), handset.model.as_str()) {
        ("", "") => handset.id.clone(),
        (vendor, model) if model.starts_with(vendor) => model.to_owned(),
        (vendor, model) => format!("{vendor} {model}"),
    };
    let bounds = handset.max_image.as_ref();
    let bounds = bounds.map(|size| format!(", {}x{}", size.width, size.height)).unwrap_or_default();
    format!("{name} ({}{bounds})", bytes(u64::from(handset.max_message_bytes)))
}

fn line(fitted: &Fitted, milliseconds: u128) -> String {
    let report = &fitted.report;
    let sizes = format!(
        "{:>9} -> {:>9}",
        bytes(u64::from(report.wire_bytes_before)),
        bytes(u64::from(report.wire_bytes_after))
    );
    let fill = fill(report).map(|fill| format!("{:5.1} % of the limit", 100.0 * fill));
    format!(
        "{sizes}  {:>19}  {:9}  {milliseconds:>5} ms",
        fill.unwrap_or_default(),
        outcome(report)
    )
}

/// Wire bytes over limit, where there is a limit.
pub fn fill(report: &Report) -> Option<f64> {
    let limit = report.limit.as_ref()?.bytes;
    (limit > 0).then(|| f64::from(report.wire_bytes_after) / f64::from(limit))
}

/// `minor`
pub fn outcome(report: &Report) -> &'static str {
    match report.outcome() {
        Outcome::Unspecified => "unknown",
        Outcome::Unchanged => "unchanged",
        Outcome::Minor => "minor",
        Outcome::Major => "major",
    }
}

/// Whether a part says something to a person: not the presentation that stays.
fn is_shown(part: &PartReport) -> bool {
    let presentation =
        part.before.as_ref().is_some_and(|info| info.kind() == MediaKind::Presentation);
    !(presentation && part.action() == Action::Keep)
}

/// `transcode  image/jpeg 4032x3024 4.70 MB -> image/jpeg 640x480 28.9 kB  3 encodes, quality 74`
pub fn part_line(part: &PartReport) -> String {
    let mut text =
        format!("{:9}  {}", action(part), part.before.as_ref().map(medium).unwrap_or_default());
    if part.action() != Action::Keep {
        let after = part.after.as_ref().map_or_else(|| "nothing".to_owned(), medium);
        let _ = write!(text, " -> {after}");
    }
    if part.encodes > 0 {
        let _ =
            write!(text, "  {} encode{}", part.encodes, if part.encodes == 1 { "" } else { "s" });
    }
    if let Some(quality) = part.quality_estimate {
        let _ = write!(text, ", quality {quality:.0}");
    }
    text
}

fn action(part: &PartReport) -> &'static str {
    match part.action() {
        Action::Unspecified => "unknown",
        Action::Keep => "keep",
        Action::Transcode => "transcode",
        Action::Replace => "replace",
        Action::Drop => "drop",
    }
}

/// `image/jpeg 640x480 28.9 kB`
pub fn medium(info: &MediaInfo) -> String {
    let mut text = info.media_type.clone();
    if let Some(size) = &info.dimensions {
        let _ = write!(text, " {}x{}", size.width, size.height);
    }
    if info.frames > 1 {
        let _ = write!(text, " {} frames", info.frames);
    }
    let _ = write!(text, " {}", bytes(u64::from(info.bytes)));
    text
}

/// Three digits and a decimal unit.
pub fn bytes(count: u64) -> String {
    let value = count as f64;
    match count {
        0..1_000 => format!("{count} B"),
        1_000..1_000_000 => format!("{:.1} kB", value / 1e3),
        _ => format!("{:.2} MB", value / 1e6),
    }
}
