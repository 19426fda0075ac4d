//! `mmsfit batch run --dry-run`: what a run would come to.

use serde_json::{Value, json};

use crate::{
    batch::{self, Class, Estimate, Forecast, Options, Sample, Share},
    model::Bytes,
    service::Service,
};

use super::{
    Failure,
    args::BatchRunArgs,
    json,
    table::{Align, Cell, Table},
    term::{Screen, Tone},
};

/// The run was stopped before its end.
const PARTLY: u8 = 5;

/// Plans, and tells what would come out.
pub fn run(
    service: &Service,
    options: &Options,
    args: &BatchRunArgs,
    screen: &Screen,
) -> Result<u8, Failure> {
    let size = usize::try_from(args.sample).unwrap_or(usize::MAX);
    let sample = Sample { size, seed: args.seed };
    let forecast =
        batch::forecast(service, options, sample).map_err(|error| Failure::fault(&error))?;
    let price = args.cost_per_cpu_hour;
    if args.json {
        screen.out(&format!("{}\n", as_json(&forecast, price)?))?;
    } else {
        screen.out(&table(&forecast, price, screen))?;
    }
    Ok(if forecast.interrupted { PARTLY } else { 0 })
}

fn as_json(forecast: &Forecast, price: Option<f64>) -> Result<Value, Failure> {
    let mut value = json::value(forecast)?;
    if let (Value::Object(fields), Some(price)) = (&mut value, price) {
        fields.insert("costPerCpuHour".to_owned(), json!(price));
        let cost = json::value(&forecast.total.cpu_hours.times(price))?;
        fields.insert("cost".to_owned(), cost);
    }
    Ok(value)
}

fn table(forecast: &Forecast, price: Option<f64>, screen: &Screen) -> String {
    let mut columns = vec![
        ("kind", Align::Left),
        ("files", Align::Right),
        ("bytes", Align::Right),
        ("at most after", Align::Right),
        ("CPU hours", Align::Right),
    ];
    if price.is_some() {
        columns.push(("cost", Align::Right));
    }
    let mut table = Table::new(&columns);
    for of in &forecast.kinds {
        table.row(cells(words(of.kind), &of.share, price));
    }
    let mut total = cells("in all", &forecast.total, price);
    if let Some(first) = total.first_mut() {
        *first = Cell::toned("in all", Tone::Strong);
    }
    table.row(total);
    let body = table.render(screen.width(), screen.paint(true));
    format!("{body}\n{}\n", basis(forecast))
}

/// What the figures rest on.
fn basis(forecast: &Forecast) -> String {
    let Forecast { files, sampled, seed, interrupted, .. } = forecast;
    let stopped = if *interrupted { "stopped: " } else { "" };
    if sampled == files {
        return format!("{stopped}all {files} files planned; nothing was encoded or written");
    }
    format!(
        "{stopped}{sampled} of {files} files planned, drawn with seed {seed}, and scaled up; after ± \
         stands the standard error; nothing was encoded or written"
    )
}

fn cells(name: &str, share: &Share, price: Option<f64>) -> Vec<Cell> {
    let bytes = |n: f64| Bytes::new(n.max(0.0) as u64).to_string();
    let mut cells = vec![
        name.into(),
        with_error(share.files, |n| format!("{n:.0}")).into(),
        with_error(share.bytes_before, bytes).into(),
        with_error(share.bytes_after, bytes).into(),
        with_error(share.cpu_hours, short).into(),
    ];
    if let Some(price) = price {
        cells.push(with_error(share.cpu_hours.times(price), short).into());
    }
    cells
}

/// Three digits or more.
fn short(value: f64) -> String {
    match value.abs() {
        0.0 => "0".to_owned(),
        n if n >= 100.0 => format!("{value:.0}"),
        n if n >= 1.0 => format!("{value:.2}"),
        n if n >= 0.001 => format!("{value:.4}"),
        _ => format!("{value:.1e}"),
    }
}

fn with_error(estimate: Estimate, show: impl Fn(f64) -> String) -> String {
    match estimate.standard_error {
        Some(0.0) => show(estimate.value),
        Some(error) => format!("{} ± {}", show(estimate.value), show(error)),
        None => format!("{} ± ?", show(estimate.value)),
    }
}

fn words(class: Class) -> &'static str {
    match class {
        Class::Messages => "messages",
        Class::Images => "images",
        Class::Audio => "audio",
        Class::Video => "video",
        Class::Refused => "cannot fit",
        Class::Unsupported => "neither message nor medium",
        Class::Failed => "unreadable",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn forecast(sampled: usize, standard_error: f64) -> Forecast {
        let files = Estimate { value: 5000.0, standard_error: Some(standard_error) };
        let hours = Estimate { value: 10.0, standard_error: Some(standard_error) };
        let none = Estimate { value: 0.0, standard_error: Some(0.0) };
        let share = Share { files, bytes_before: none, bytes_after: none, cpu_hours: hours };
        Forecast {
            files: 5000,
            sampled,
            seed: 7,
            interrupted: false,
            kinds: vec![batch::OfKind { kind: Class::Images, share }],
            total: share,
        }
    }

    #[test]
    fn a_sample_says_so_and_a_whole_has_no_error() {
        let screen = Screen::plain(120);
        let text = table(&forecast(1000, 2.0), Some(0.5), &screen);
        assert!(text.contains("10.00 ± 2.00") && text.contains("5.00 ± 1.00"), "{text}");
        assert!(text.contains("1000 of 5000 files planned, drawn with seed 7"), "{text}");
        let text = table(&forecast(5000, 0.0), None, &screen);
        assert!(!text.contains('±') && text.contains("all 5000 files"), "{text}");
        assert!(!text.contains("cost"), "{text}");
    }

    #[test]
    fn the_cost_is_in_the_json() {
        let value = as_json(&forecast(1000, 2.0), Some(0.5)).unwrap();
        assert_eq!(value["cost"]["value"], 5.0);
        assert_eq!(value["kinds"][0]["kind"], "images");
        assert_eq!(value["total"]["cpuHours"]["standardError"], 2.0);
        assert!(as_json(&forecast(1, 0.0), None).unwrap().get("cost").is_none());
    }
}
