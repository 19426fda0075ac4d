//! `mmsfit plan --matrix`: one message against all carriers and classes of devices.

use serde_json::json;

use crate::{
    model::{Outcome, Stop},
    service::{
        Service,
        matrix::{Cell as Fate, Row},
        request::AdaptRequest,
    },
};

use super::{
    Failure,
    args::PlanArgs,
    html, json, output, request,
    table::{Align, Cell, Table},
    term::{Screen, Tone},
    words,
};

/// Devices typical of their kind, from the poorest to the richest, with their column headings.
const DEVICES: [(&str, &str); 8] = [
    ("class-image-basic", "image-basic"),
    ("class-image-rich", "image-rich"),
    ("class-video-basic", "video-basic"),
    ("class-video-rich", "video-rich"),
    ("class-megapixel", "megapixel"),
    ("generic-feature-phone", "feature phone"),
    ("generic-android", "Android"),
    ("generic-ios", "iPhone"),
];

/// Plans for all, and shows it as a table, JSON or a page.
pub fn run(
    service: &Service,
    args: &PlanArgs,
    asked: &AdaptRequest,
    title: &str,
    screen: &Screen,
) -> Result<u8, Failure> {
    let carriers: Vec<String> = match &args.limits.carrier {
        Some(one) => vec![one.clone()],
        None => service.carriers().into_iter().map(|carrier| carrier.name).collect(),
    };
    let class = args.device.class.map(request::class_device);
    let one = class.as_ref().or(args.device.device.as_ref());
    let (devices, heads): (Vec<String>, Vec<&'static str>) = match one {
        Some(one) => (vec![one.clone()], vec!["device"]),
        None => DEVICES.iter().map(|(id, head)| ((*id).to_owned(), *head)).unzip(),
    };
    let rows = service
        .matrix(asked, &carriers, &devices, &Stop::never())
        .map_err(|error| Failure::from(error).about(title))?;
    if let Some(path) = &args.html {
        output::write_file(path, page(title, &heads, &rows).as_bytes())?;
    }
    if args.json {
        let value = json!({ "file": title, "devices": devices, "rows": json::value(&rows)? });
        screen.out(&format!("{value}\n"))?;
        return Ok(0);
    }
    let columns = std::iter::once("carrier").chain(heads).map(|head| (head, Align::Left));
    let mut table = Table::new(&columns.collect::<Vec<_>>());
    for row in &rows {
        let name = Cell::from(row.carrier.as_str());
        let cells = row.cells.iter().map(|fate| Cell::toned(short(fate), tone(fate)));
        table.row(std::iter::once(name).chain(cells).collect());
    }
    let body = table.render(screen.width(), screen.paint(true));
    screen.out(&format!(
        "{body}\nas is: not a byte changes; fits: smaller or in another format; loses: a medium is \
         left out or becomes another; refused: cannot be made to fit\n"
    ))?;
    Ok(0)
}

/// The outcome in a word or two.
fn short(fate: &Fate) -> String {
    match fate.outcome {
        Some(Outcome::Unchanged) => "as is".into(),
        Some(Outcome::Minor) => "fits".into(),
        Some(Outcome::Major) => format!("loses {}", fate.replaced + fate.dropped),
        None => "refused".into(),
    }
}

fn tone(fate: &Fate) -> Tone {
    match fate.outcome {
        Some(Outcome::Unchanged) => Tone::Good,
        Some(Outcome::Minor) => Tone::Changed,
        Some(Outcome::Major) | None => Tone::Bad,
    }
}

/// The reasons, for people.
fn why(fate: &Fate) -> String {
    let mut lines: Vec<String> =
        fate.reasons.iter().map(|code| words::reason(&(*code).into())).collect();
    if let Some(limit) = fate.limit_bytes {
        lines.push(format!("limit {limit}"));
    }
    lines.extend(fate.refusal.map(str::to_owned));
    lines.join("; ")
}

fn page(title: &str, heads: &[&str], rows: &[Row]) -> String {
    let escape = html::escape;
    let head: String = heads.iter().map(|head| format!("<th>{}</th>", escape(head))).collect();
    let cell = |fate: &Fate| {
        let class = match tone(fate) {
            Tone::Good => "good",
            Tone::Changed => "changed",
            _ => "bad",
        };
        let (why, word) = (why(fate), short(fate));
        format!("<td class=\"{class}\" title=\"{}\">{}</td>", escape(&why), escape(&word))
    };
    let body: String = rows
        .iter()
        .map(|row| {
            let cells: String = row.cells.iter().map(cell).collect();
            let (title, name) = (escape(&row.title), escape(&row.carrier));
            format!("<tr><th title=\"{title}\">{name}</th>{cells}</tr>\n")
        })
        .collect();
    html::document(
        title,
        &format!(
            "<header><h1>{}</h1><p>All carriers and classes of devices. Point at a cell for its \
             reasons.</p></header>\n<table class=\"matrix\">\n<thead><tr><th>carrier</th>{head}</tr>\
             </thead>\n<tbody>\n{body}</tbody>\n</table>\n",
            escape(title)
        ),
    )
}
