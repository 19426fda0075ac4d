//! A report as a table for people.

use crate::model::{
    Action, Bytes, ContentClass, ImageLimit, LimitSource, Limits, MediaInfo, MediaKind, Outcome,
    PartReport, Report, WireLimit,
};

use super::{
    safe::safe,
    table::{Align, Cell, Table},
    term::{Paint, Tone},
    words,
};

/// Whether it happened or would happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tense {
    /// `adapt`.
    Done,
    /// `plan`: sizes after are bounds.
    Planned,
}

/// Who may have set a limit, as the caller named them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Names<'a> {
    /// The device; empty: not named.
    pub device: &'a str,
    /// The carrier; empty: not named.
    pub carrier: &'a str,
}

/// `set by the device nokia-6600, counting the message on the wire`
pub fn limit_words(limit: &WireLimit, names: Names<'_>) -> String {
    format!("{}, counting {}", set_by(limit.source, names), words::counting(limit.counting))
}

/// `images at most 640×480 (set by the device nokia-6600)`, where there are images that it
/// could matter for.
pub fn bounds_words(report: &Report, limits: &Limits, names: Names<'_>) -> Option<String> {
    let image = limits.image.as_ref()?;
    let changed =
        |part: &PartReport| part.before.kind == MediaKind::Image && part.action != Action::Keep;
    report.parts.iter().any(changed).then(|| {
        let ImageLimit { bounds, source, .. } = image;
        format!("images at most {} ({})", words::dimensions(*bounds), set_by(*source, names))
    })
}

fn set_by(source: LimitSource, names: Names<'_>) -> String {
    let who = match source {
        LimitSource::Device => names.device,
        LimitSource::Carrier => names.carrier,
        LimitSource::Request | LimitSource::Default | LimitSource::Client => "",
    };
    let gap = if who.is_empty() { "" } else { " " };
    format!("{}{gap}{}", words::limit_source(source), safe(who))
}

/// The table, the totals and the warnings.
pub fn render(
    report: &Report,
    limits: &Limits,
    tense: Tense,
    names: Names<'_>,
    width: usize,
    paint: Paint,
) -> String {
    let mut table = Table::new(&[
        ("#", Align::Right),
        ("part", Align::Left),
        ("type", Align::Left),
        ("size", Align::Right),
        ("pixels", Align::Left),
        ("action", Align::Left),
    ]);
    for part in &report.parts {
        let (cells, notes) = row(part, tense);
        table.noted(cells, notes);
    }
    let mut out = table.render(width, paint);
    out.push('\n');
    out.push_str(&totals(report, tense, names));
    if let Some(text) = bounds_words(report, limits, names) {
        out.push_str(&format!("{text}\n"));
    }
    out.push_str(&format!("{}\n", verdict(report.outcome, tense, paint)));
    if let Some(text) = class_words(report) {
        out.push_str(&format!("{text}\n"));
    }
    for warning in &report.warnings {
        let text = format!("warning: {} ({})", safe(&warning.message), safe(&warning.code));
        out.push_str(&paint.tone(Tone::Changed, &text));
        out.push('\n');
    }
    out
}

fn row(part: &PartReport, tense: Tense) -> (Vec<Cell>, Vec<String>) {
    let after = part.after.as_ref();
    let size = match (after, tense, part.action) {
        (Some(info), Tense::Done, _) | (Some(info), Tense::Planned, Action::Keep) => {
            change(&part.before, info, |info| info.bytes.to_string())
        }
        (_, Tense::Planned, Action::Transcode | Action::Replace) => match part.budget_bytes {
            Some(budget) => format!("{} → ≤ {budget}", part.before.bytes),
            None => part.before.bytes.to_string(),
        },
        _ => part.before.bytes.to_string(),
    };
    let media_type = match after {
        Some(info) => change(&part.before, info, short_type),
        None => short_type(&part.before),
    };
    let pixels = match after {
        Some(info) => change(&part.before, info, pixels),
        None => pixels(&part.before),
    };
    let (verb, tone) = (
        match tense {
            Tense::Done => words::done(part),
            Tense::Planned => words::intent(part.action),
        },
        match part.action {
            Action::Keep => Tone::Good,
            Action::Transcode => Tone::Changed,
            Action::Replace | Action::Drop => Tone::Bad,
        },
    );
    let cells = vec![
        Cell::toned((u64::from(part.id.0) + 1).to_string(), Tone::Faint),
        label(part).into(),
        media_type.into(),
        size.into(),
        pixels.into(),
        Cell::toned(verb, tone),
    ];
    (cells, part.reasons.iter().map(words::reason).collect())
}

/// The name of a part, or what it is where it has none.
pub fn label(part: &PartReport) -> String {
    if part.name.is_empty() { words::kind(part.before.kind).to_owned() } else { part.name.clone() }
}

/// `before → after`, or one of them where they do not differ.
fn change(before: &MediaInfo, after: &MediaInfo, show: impl Fn(&MediaInfo) -> String) -> String {
    let (before, after) = (show(before), show(after));
    match (before.is_empty(), before == after) {
        (_, true) | (true, _) => after,
        (false, false) => format!("{before} → {after}"),
    }
}

/// `jpeg` for images, the whole type for others.
fn short_type(info: &MediaInfo) -> String {
    let name = info.media_type.as_str();
    let name = name.strip_prefix("image/").unwrap_or(name);
    if info.animated() { format!("{name} ({} frames)", info.frames) } else { name.to_owned() }
}

fn pixels(info: &MediaInfo) -> String {
    info.dimensions.map(words::dimensions).unwrap_or_default()
}

/// How full the limit is, in percent.
pub fn fill(after: Bytes, limit: Bytes) -> f64 {
    if limit == Bytes::ZERO { 100.0 } else { after.get() as f64 * 100.0 / limit.get() as f64 }
}

fn totals(report: &Report, tense: Tense, names: Names<'_>) -> String {
    let (before, after) = (report.wire_bytes_before, report.wire_bytes_after);
    let bound = if tense == Tense::Planned { "≤ " } else { "" };
    let mut line = format!("on the wire {before} → {bound}{after}");
    if let Some(limit) = &report.limit {
        line.push_str(&format!(", limit {} ({})", limit.bytes, limit_words(limit, names)));
        if tense == Tense::Done {
            line.push_str(&format!(", {:.1} % filled", fill(after, limit.bytes)));
        }
    } else {
        line.push_str(", no limit");
    }
    format!("{line}\n")
}

/// The content class, and what becomes of it.
fn class_words(report: &Report) -> Option<String> {
    let name = |class: Option<ContentClass>| class.map_or("none", ContentClass::name);
    let (before, after) = (report.content_class_before, report.content_class_after);
    match (before, after) {
        (None, None) => None,
        (_, Some(_)) if before != after => {
            Some(format!("content class {} → {}", name(before), name(after)))
        }
        _ => Some(format!("content class {}", name(before))),
    }
}

fn verdict(outcome: Outcome, tense: Tense, paint: Paint) -> String {
    let tone = match outcome {
        Outcome::Unchanged => Tone::Good,
        Outcome::Minor => Tone::Changed,
        Outcome::Major => Tone::Bad,
    };
    let would = if tense == Tense::Planned { "would be " } else { "" };
    paint.tone(tone, &format!("{would}{}", words::outcome(outcome)))
}

#[cfg(test)]
pub mod tests {
    use crate::model::{
        ContentClass, Counting, Dimensions, MediaType, PartId, Reason, ReasonCode, Warning,
    };

    use super::*;

    pub fn sample() -> Report {
        let image = |media_type, bytes, w, h| MediaInfo {
            dimensions: Dimensions::new(w, h),
            frames: 1,
            ..MediaInfo::opaque(media_type, Bytes::new(bytes))
        };
        let part = |id, name: &str, action, reasons, before: MediaInfo, after| PartReport {
            id: PartId(id),
            content_id: String::new(),
            name: name.into(),
            action,
            reasons,
            before,
            after,
            budget_bytes: Some(Bytes::new(99_000)),
            encodes: 3,
            quality_estimate: Some(74.2),
            cpu_ms: 31.5,
        };
        let text = MediaInfo::opaque(MediaType::TEXT, Bytes::new(12));
        Report {
            outcome: Outcome::Major,
            limit: Some(WireLimit {
                bytes: Bytes::new(100_000),
                counting: Counting::Interface,
                source: LimitSource::Carrier,
            }),
            wire_bytes_before: Bytes::new(3_100_000),
            wire_bytes_after: Bytes::new(99_200),
            parts: vec![
                part(
                    0,
                    "Föto <1>.jpg",
                    Action::Transcode,
                    vec![Reason::new(ReasonCode::OverImageLimit, "4032x3024 > 640x480")],
                    image(MediaType::PNG, 3_000_000, 4032, 3024),
                    Some(image(MediaType::JPEG, 98_500, 640, 480)),
                ),
                part(
                    1,
                    "",
                    Action::Keep,
                    vec![ReasonCode::NeverCut.into()],
                    text.clone(),
                    Some(text),
                ),
                part(
                    2,
                    "clip\x1b[2J.3gp",
                    Action::Drop,
                    vec![ReasonCode::DecoderMissing.into()],
                    MediaInfo::opaque(MediaType::fold("video/3gpp"), Bytes::new(90_000)),
                    None,
                ),
            ],
            warnings: vec![Warning { code: "X".into(), message: "mind this".into() }],
            capabilities: None,
            account: None,
            content_class_before: None,
            content_class_after: Some(ContentClass::ImageRich),
        }
    }

    fn boxed() -> Limits {
        let bounds = Dimensions::new(640, 480).unwrap();
        let image = Some(ImageLimit::turning(bounds, LimitSource::Device));
        Limits { image, ..Limits::default() }
    }

    #[test]
    fn the_table_tells_before_and_after_and_why() {
        let names = Names { device: "nokia-6600", carrier: "us\x1bx" };
        let text = render(&sample(), &boxed(), Tense::Done, names, 120, Paint::NONE);
        for wanted in [
            "Föto <1>.jpg",
            "png → jpeg",
            "3.00 MB → 98.5 kB",
            "4032×3024 → 640×480",
            "re-encoded",
            "larger than the image size allowed (4032x3024 > 640x480)",
            "left out",
            "on the wire 3.10 MB → 99.2 kB, limit 100.0 kB (set by the carrier us\u{fffd}x, counting",
            "99.2 % filled",
            "images at most 640×480 (set by the device nokia-6600)",
            "warning: mind this (X)",
        ] {
            assert!(text.contains(wanted), "{wanted}\n{text}");
        }
        assert!(!text.contains('\x1b'));
    }

    #[test]
    fn plans_speak_of_bounds() {
        let text = render(&sample(), &boxed(), Tense::Planned, Names::default(), 120, Paint::NONE);
        assert!(text.contains("3.00 MB → ≤ 99.0 kB"), "{text}");
        assert!(text.contains("re-encode\n"), "{text}");
    }
}
