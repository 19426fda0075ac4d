//! Every metric that the service has, each declared once: `docs/metrics.md` is this table, and a
//! family is registered by its row.

/// What a metric is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Only grows.
    Counter,
    /// Goes up and down.
    Gauge,
    /// Observations in buckets.
    Histogram,
}

/// What a metric is counted in. The name ends with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// A number, or a share.
    None,
    /// Seconds.
    Seconds,
    /// Bytes.
    Bytes,
}

/// One metric.
#[derive(Debug)]
pub struct Declared {
    /// Its name as Prometheus has it, with unit and `_total`.
    pub name: &'static str,
    /// What it is.
    pub kind: Kind,
    /// What it is counted in.
    pub unit: Unit,
    /// The names of its labels.
    pub labels: &'static [&'static str],
    /// What it tells; without a full stop, which the encoder adds.
    pub help: &'static str,
    /// The upper bounds of a histogram's buckets.
    pub buckets: &'static [f64],
    /// Where it is exported only under a condition: which.
    pub only: Option<&'static str>,
}

const fn declared(name: &'static str, kind: Kind, unit: Unit, help: &'static str) -> Declared {
    Declared { name, kind, unit, labels: &[], help, buckets: &[], only: None }
}

const fn counter(name: &'static str, unit: Unit, help: &'static str) -> Declared {
    declared(name, Kind::Counter, unit, help)
}

const fn gauge(name: &'static str, unit: Unit, help: &'static str) -> Declared {
    declared(name, Kind::Gauge, unit, help)
}

const fn histogram(
    name: &'static str,
    unit: Unit,
    buckets: &'static [f64],
    help: &'static str,
) -> Declared {
    Declared { buckets, ..declared(name, Kind::Histogram, unit, help) }
}

impl Declared {
    const fn by(self, labels: &'static [&'static str]) -> Self {
        Self { labels, ..self }
    }

    const fn only(self, condition: &'static str) -> Self {
        Self { only: Some(condition), ..self }
    }
}

/// A text takes one or two milliseconds, a video up to minutes.
const CALL_SECONDS: &[f64] =
    &[0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0];
/// Interactive calls wait 1.5 s at most.
const WAIT_SECONDS: &[f64] =
    &[0.0005, 0.001, 0.005, 0.01, 0.05, 0.1, 0.25, 0.5, 1.0, 1.5, 5.0, 30.0];
const FILL: &[f64] = &[0.1, 0.25, 0.5, 0.7, 0.8, 0.85, 0.9, 0.95, 0.98, 1.0];
const ENCODES: &[f64] = &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0, 12.0, 20.0];
/// A fifth of the price to five times the price.
const PRICE_ERROR: &[f64] = &[0.2, 0.33, 0.5, 0.67, 0.8, 1.0, 1.25, 1.5, 2.0, 3.0, 5.0];

pub(super) static CALLS: Declared = counter(
    "mmsfit_calls_total",
    Unit::None,
    "Calls that ended, with the code and the reason that the caller got; CANCELLED where it left first",
)
.by(&["method", "code", "reason"]);
pub(super) static CALL_DURATION: Declared = histogram(
    "mmsfit_call_duration_seconds",
    Unit::Seconds,
    CALL_SECONDS,
    "Time from the headers of a call to the last byte of its answer",
)
.by(&["method"]);
pub(super) static REQUEST_BYTES: Declared =
    counter("mmsfit_request_bytes_total", Unit::Bytes, "Bytes of request bodies").by(&["method"]);
pub(super) static RESPONSE_BYTES: Declared =
    counter("mmsfit_response_bytes_total", Unit::Bytes, "Bytes of response bodies").by(&["method"]);

pub(super) static MESSAGES: Declared = counter(
    "mmsfit_messages_total",
    Unit::None,
    "Messages answered by Adapt and AdaptStream; of AdaptMany each answer once, whoever shares it",
)
.by(&["outcome"]);
pub(super) static REFUSALS: Declared = counter(
    "mmsfit_refusals_total",
    Unit::None,
    "Messages that were not answered, by whose fault it was and why",
)
.by(&["category", "reason"]);
pub(super) static PARTS: Declared = counter(
    "mmsfit_parts_total",
    Unit::None,
    "Parts of answered messages; the reason is the one that decided, none where the part was kept",
)
.by(&["media", "action", "reason"]);
pub(super) static FILL_RATIO: Declared = histogram(
    "mmsfit_fill_ratio",
    Unit::None,
    FILL,
    "Wire bytes of the answer over the limit, of messages with a limit of which something was encoded",
);
pub(super) static ENCODES_PER_PART: Declared = histogram(
    "mmsfit_encodes_per_part",
    Unit::None,
    ENCODES,
    "Encodes tried for a part, of parts that were encoded",
)
.by(&["media"]);
pub(super) static CPU: Declared = counter(
    "mmsfit_cpu_seconds_total",
    Unit::Seconds,
    "CPU time of answered messages, workers included; message: what belongs to no part",
)
.by(&["media"]);

pub(super) static JOBS_RUNNING: Declared =
    gauge("mmsfit_jobs_running", Unit::None, "Jobs at work on the threads of a lane").by(&["lane"]);
pub(super) static JOBS_QUEUED: Declared =
    gauge("mmsfit_jobs_queued", Unit::None, "Jobs that wait for a thread of a lane").by(&["lane"]);
pub(super) static THREADS: Declared =
    gauge("mmsfit_threads", Unit::None, "Threads of a lane").by(&["lane"]);
pub(super) static WORK_MEMORY: Declared = gauge(
    "mmsfit_work_memory_bytes",
    Unit::Bytes,
    "Memory that the jobs of a lane that are at work are expected to hold",
)
.by(&["lane"]);
pub(super) static PRICE: Declared = gauge(
    "mmsfit_price_seconds",
    Unit::Seconds,
    "CPU time that the jobs of a lane are expected to take, of those waiting and those working",
)
.by(&["lane", "state"]);
pub(super) static QUEUE_WAIT: Declared = histogram(
    "mmsfit_queue_wait_seconds",
    Unit::Seconds,
    WAIT_SECONDS,
    "Time that jobs waited for a thread before they began",
)
.by(&["lane"]);
pub(super) static REFUSED_AT_DOOR: Declared = counter(
    "mmsfit_refused_at_door_total",
    Unit::None,
    "Jobs refused because they would have waited too long",
)
.by(&["lane"]);
pub(super) static EFFORT_REDUCED: Declared = counter(
    "mmsfit_effort_reduced_total",
    Unit::None,
    "Messages that got one effort less than was asked for, because the queue of the lane work stood",
);
pub(super) static PRICE_ERROR_RATIO: Declared = histogram(
    "mmsfit_price_error_ratio",
    Unit::None,
    PRICE_ERROR,
    "CPU time that a message took over what its plan said, before the door corrects such plans",
);
pub(super) static JOBS_PANICKED: Declared =
    counter("mmsfit_jobs_panicked_total", Unit::None, "Jobs that ended in a panic").by(&["lane"]);

const WITH_WORKER: &str = "where there is a worker";
pub(super) static WORKER_PROCESSES: Declared = gauge(
    "mmsfit_worker_processes",
    Unit::None,
    "Worker processes alive: the zygote that forks, and its jobs",
)
.by(&["kind"])
.only(WITH_WORKER);
pub(super) static WORKER_JOBS: Declared =
    counter("mmsfit_worker_jobs_total", Unit::None, "Worker jobs started").only(WITH_WORKER);
pub(super) static WORKER_RESTARTS: Declared = counter(
    "mmsfit_worker_restarts_total",
    Unit::None,
    "Zygotes that were replaced: they died, gave no sign of life, took no orders, or were renewed at a reload",
)
.by(&["cause"])
.only(WITH_WORKER);
pub(super) static WORKER_JOBS_LOST: Declared = counter(
    "mmsfit_worker_jobs_lost_total",
    Unit::None,
    "Worker jobs that ended other than by their caller's wish",
)
.by(&["cause"])
.only(WITH_WORKER);

const WITH_CACHE: &str = "where something is kept";
pub(super) static CACHE_REQUESTS: Declared = counter(
    "mmsfit_cache_requests_total",
    Unit::None,
    "Messages with parts to encode: hit, where another call had encoded the same, or miss",
)
.by(&["result"])
.only(WITH_CACHE);
pub(super) static CACHE: Declared =
    gauge("mmsfit_cache_bytes", Unit::Bytes, "Memory of the encoded parts that are kept")
        .only(WITH_CACHE);
pub(super) static PROBE_CACHE: Declared = counter(
    "mmsfit_probe_cache_requests_total",
    Unit::None,
    "Audio, video, HEIC and AVIF looked at: hit, where a worker had just said what the same bytes are, or miss",
)
.by(&["result"])
.only(WITH_CACHE);
const WITH_FETCH: &str = "where documents are fetched";
pub(super) static PROFILE_FETCHES: Declared = counter(
    "mmsfit_profile_fetches_total",
    Unit::None,
    "Device documents asked for by URL and not at hand: ok, or why they were not fetched",
)
.by(&["result"])
.only(WITH_FETCH);
pub(super) static PROFILE_CACHE: Declared = counter(
    "mmsfit_profile_cache_requests_total",
    Unit::None,
    "Device documents looked for where fetched ones are kept: hit, failure where only that was known, or miss",
)
.by(&["result"])
.only(WITH_FETCH);
const WITH_SCAN: &str = "where parts are scanned";
pub(super) static SCANS: Declared = counter(
    "mmsfit_scans_total",
    Unit::None,
    "Parts scanned by clamd: clean, found, kept where it had just said of the same bytes, or why it said nothing",
)
.by(&["result"])
.only(WITH_SCAN);
pub(super) static SCAN_DURATION: Declared = histogram(
    "mmsfit_scan_duration_seconds",
    Unit::Seconds,
    WAIT_SECONDS,
    "Time that clamd took for a part, from the connection to its answer",
)
.only(WITH_SCAN);
pub(super) static CONNECTIONS_REFUSED: Declared = counter(
    "mmsfit_connections_refused_total",
    Unit::None,
    "Connections that were not opened: too many were, TLS failed, or nothing came in time",
)
.by(&["cause"]);

pub(super) static SPANS: Declared = counter(
    "mmsfit_spans_total",
    Unit::None,
    "Spans of traces: delivered to the collector; dropped, the queue being full; failed, the collector not having taken them in time",
)
.by(&["result"])
.only("where traces are sent");

pub(super) static BUILD: Declared =
    gauge("mmsfit_build_info", Unit::None, "Always 1; the version is the label").by(&["version"]);
const WITH_CGROUP: &str = "in a cgroup (version 2) with a limit of memory";
pub(super) static MEMORY: Declared = gauge(
    "mmsfit_memory_used_bytes",
    Unit::Bytes,
    "Memory of the service's cgroup, workers included, without file pages that can be dropped",
)
.only(WITH_CGROUP);
pub(super) static MEMORY_LIMIT: Declared =
    gauge("mmsfit_memory_limit_bytes", Unit::Bytes, "Limit of memory of the service's cgroup")
        .only(WITH_CGROUP);
pub(super) static PROCESS_CPU: Declared = counter(
    "process_cpu_seconds_total",
    Unit::Seconds,
    "CPU time of this process, without workers",
);
pub(super) static PROCESS_MEMORY: Declared = gauge(
    "process_resident_memory_bytes",
    Unit::Bytes,
    "Resident memory of this process, without workers",
);
pub(super) static PROCESS_FDS: Declared =
    gauge("process_open_fds", Unit::None, "Open file descriptors of this process");
pub(super) static PROCESS_MAX_FDS: Declared =
    gauge("process_max_fds", Unit::None, "File descriptors that this process may open");
pub(super) static PROCESS_START: Declared = gauge(
    "process_start_time_seconds",
    Unit::Seconds,
    "When this process started, in seconds since 1970",
);

/// All of them, in the order of the documentation.
pub static ALL: &[&Declared] = &[
    &CALLS,
    &CALL_DURATION,
    &REQUEST_BYTES,
    &RESPONSE_BYTES,
    &MESSAGES,
    &REFUSALS,
    &PARTS,
    &FILL_RATIO,
    &ENCODES_PER_PART,
    &CPU,
    &JOBS_RUNNING,
    &JOBS_QUEUED,
    &THREADS,
    &WORK_MEMORY,
    &PRICE,
    &QUEUE_WAIT,
    &REFUSED_AT_DOOR,
    &EFFORT_REDUCED,
    &PRICE_ERROR_RATIO,
    &JOBS_PANICKED,
    &WORKER_PROCESSES,
    &WORKER_JOBS,
    &WORKER_RESTARTS,
    &WORKER_JOBS_LOST,
    &CACHE_REQUESTS,
    &CACHE,
    &PROBE_CACHE,
    &PROFILE_FETCHES,
    &PROFILE_CACHE,
    &SCANS,
    &SCAN_DURATION,
    &CONNECTIONS_REFUSED,
    &SPANS,
    &BUILD,
    &MEMORY,
    &MEMORY_LIMIT,
    &PROCESS_CPU,
    &PROCESS_MEMORY,
    &PROCESS_FDS,
    &PROCESS_MAX_FDS,
    &PROCESS_START,
];
