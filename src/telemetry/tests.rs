use std::{collections::BTreeSet, fmt::Write as _, fs, path::Path, time::Duration};

use super::{
    table::{ALL, Kind, Unit},
    *,
};
use crate::model::{ReasonCode, StopCause};

fn busy() -> Metrics {
    let metrics = Metrics::new();
    metrics.call(Call {
        method: "Adapt",
        code: "OK",
        reason: "none".into(),
        took: Duration::from_millis(30),
        request: Bytes::new(100),
        response: Bytes::new(50),
    });
    metrics.message(&Err(ServiceError::stopped(StopCause::Deadline)));
    metrics.price(Duration::from_millis(100), Duration::from_millis(150));
    let time = Duration::from_millis(1_500);
    let memory = Bytes::new(64 << 20);
    let now =
        Saturation { threads: 2, running: 1, queued: 3, waiting: time, working: time, memory };
    metrics.saturation(Lane::Work, now);
    metrics.waited(Lane::Quick, Duration::ZERO);
    metrics.refused_at_door(Lane::Work);
    metrics.panicked(Lane::Work);
    metrics.cache(19, 1, Bytes::new(50_000));
    metrics.probe_cache(7, 2);
    metrics.profile_fetching();
    metrics.profile_fetched("timed_out");
    metrics.profile_sought(Sought::Hit);
    metrics.scanning();
    metrics.scanned("clean");
    metrics.scan_took(Duration::from_millis(3));
    metrics.connection_refused(Refused::TooMany);
    metrics.spans(traces::Counts { delivered: 7, dropped: 2, failed: 1 });
    metrics.workers(&WorkerCounts {
        zygote_alive: true,
        jobs_alive: 2,
        jobs_started: 9,
        restarts: vec![("died", 1)],
        jobs_lost: vec![("crashed", 4)],
    });
    metrics
}

#[test]
fn what_is_told_is_what_was_counted() {
    let text = busy().text(Format::Prometheus);
    for line in [
        "mmsfit_calls_total{method=\"Adapt\",code=\"OK\",reason=\"none\"} 1",
        "mmsfit_call_duration_seconds_bucket{le=\"0.05\",method=\"Adapt\"} 1",
        "mmsfit_request_bytes_total{method=\"Adapt\"} 100",
        "mmsfit_refusals_total{category=\"deadline\",reason=\"DEADLINE_EXCEEDED\"} 1",
        "mmsfit_price_error_ratio_bucket{le=\"1.5\"} 1",
        "mmsfit_price_seconds{lane=\"work\",state=\"waiting\"} 1.5",
        "mmsfit_jobs_queued{lane=\"work\"} 3.0",
        "mmsfit_queue_wait_seconds_count{lane=\"quick\"} 1",
        "mmsfit_jobs_panicked_total{lane=\"work\"} 1",
        "mmsfit_jobs_panicked_total{lane=\"quick\"} 0",
        "mmsfit_worker_processes{kind=\"job\"} 2.0",
        "mmsfit_worker_jobs_lost_total{cause=\"crashed\"} 4",
        "mmsfit_worker_jobs_total 9",
        "mmsfit_cache_requests_total{result=\"hit\"} 19",
        "mmsfit_cache_bytes 50000.0",
        "mmsfit_probe_cache_requests_total{result=\"hit\"} 7",
        "mmsfit_profile_fetches_total{result=\"ok\"} 0",
        "mmsfit_profile_fetches_total{result=\"timed_out\"} 1",
        "mmsfit_profile_cache_requests_total{result=\"hit\"} 1",
        "mmsfit_profile_cache_requests_total{result=\"miss\"} 0",
        "mmsfit_scans_total{result=\"clean\"} 1",
        "mmsfit_scans_total{result=\"found\"} 0",
        "mmsfit_scan_duration_seconds_bucket{le=\"0.005\"} 1",
        "mmsfit_connections_refused_total{cause=\"too_many\"} 1",
        "mmsfit_spans_total{result=\"dropped\"} 2",
    ] {
        assert!(text.lines().any(|told| told == line), "{line} is not in\n{text}");
    }
    let open = busy().text(Format::OpenMetrics);
    assert!(open.ends_with("# EOF\n") && open.contains("# UNIT mmsfit_cpu_seconds seconds\n"));
    assert!(open.contains("# TYPE mmsfit_calls counter\n"), "{open}");
}

#[test]
fn no_label_is_made_of_what_somebody_sent() {
    assert_eq!(bounded("CANNOT_FIT".into()), "CANNOT_FIT");
    assert_eq!(bounded("none".into()), "none");
    for sent in ["", "+15551234", "who am i", "A".repeat(41).as_str()] {
        assert_eq!(bounded(sent.to_owned().into()), "other", "{sent}");
    }
    assert_eq!(reason_code(ReasonCode::OverImageLimit), "OVER_IMAGE_LIMIT");
}

/// The types in a text, by name.
fn types(text: &str) -> BTreeSet<(&str, &str)> {
    let types = text.lines().filter_map(|line| line.strip_prefix("# TYPE "));
    types.filter_map(|line| line.split_once(' ')).collect()
}

fn kind(kind: Kind) -> &'static str {
    match kind {
        Kind::Counter => "counter",
        Kind::Gauge => "gauge",
        Kind::Histogram => "histogram",
    }
}

#[test]
fn each_family_is_a_row_of_the_table_and_each_row_a_family() {
    let metrics = busy();
    // Families that only some reports or machines fill.
    let of = &metrics.0;
    of.parts.add(&["image".into(), "keep".into(), "none".into()], 1);
    of.encodes.observe(&["image".into()], 1.0);
    of.memory.set(&[], 1.0);
    of.memory_limit.set(&[], 2.0);
    let text = metrics.text(Format::Prometheus);
    let declared = ALL.iter().map(|row| (row.name, kind(row.kind))).collect();
    assert_eq!(types(&text), declared);
    for row in ALL {
        let unit = match row.unit {
            Unit::None => "",
            Unit::Seconds => "_seconds",
            Unit::Bytes => "_bytes",
        };
        let bare = row.name.strip_suffix("_total").unwrap_or(row.name);
        assert!(bare.ends_with(unit), "{}", row.name);
        assert_eq!(row.name.ends_with("_total"), row.kind == Kind::Counter, "{}", row.name);
        assert_eq!(row.buckets.is_empty(), row.kind != Kind::Histogram, "{}", row.name);
        assert!(row.buckets.is_sorted() && !row.help.ends_with('.'), "{}", row.name);
    }
}

/// `docs/metrics.md` is the table. `MMSFIT_BLESS=1` writes it.
#[test]
fn the_documentation_is_the_table() {
    let mut text = String::from(
        "# What the service counts\n\n\
        Told at `/metrics` of the admin port (`admin_listen`), as OpenMetrics where the `Accept` header asks for it and\n\
        else in the older text format, which names the same. Made from [`src/telemetry/table.rs`](../src/telemetry/table.rs)\n\
        by a test. Labels are words of small sets: never a number, a name, an address or an identifier.\n\n\
        | name | kind | labels | what it tells |\n|---|---|---|---|\n",
    );
    for row in ALL {
        let labels: Vec<String> = row.labels.iter().map(|label| format!("`{label}`")).collect();
        let only = row.only.map_or_else(String::new, |only| format!(" (only {only})"));
        let (name, kind, labels) = (row.name, kind(row.kind), labels.join(", "));
        let _ = writeln!(text, "| `{name}` | {kind} | {labels} | {}{only} |", row.help);
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/metrics.md");
    if std::env::var_os("MMSFIT_BLESS").is_some() {
        fs::write(&path, &text).expect("docs can be written");
    }
    let written = fs::read_to_string(&path).unwrap_or_default();
    assert!(written == text, "docs/metrics.md is not the table: MMSFIT_BLESS=1 writes it");
}
