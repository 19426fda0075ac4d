//! What the service counts of itself, and the port on which it tells. Nothing is global: the door
//! `offload` owns a [`Metrics`], through which all calls go.
//!
//! Labels are words of small sets: no number of a phone, no name, no identifier is ever one.
//!
//! Long because each thing that is counted has a method that says when.

pub mod admin;
mod family;
mod guard;
mod process;
pub mod table;
#[cfg(test)]
mod tests;
mod text;
pub mod traces;
mod words;

use std::{borrow::Cow, fmt, slice, sync::Arc, time::Duration};

use prometheus_client::{encoding, registry::Registry};

use self::{
    family::{Counters, Gauges, Histograms, Value},
    process::Process,
    words::{action, bounded, category, media, outcome, reason_code},
};
pub use self::{
    text::Format,
    words::{Lane, Refused, Sought},
};
use crate::{
    model::{Action, Bytes, Outcome, PartReport, Report},
    service::{ServiceError, WorkerCounts, request::AdaptResponse},
};

/// All metrics of one service. Cheap to clone.
#[derive(Clone)]
pub struct Metrics(Arc<Inner>);

struct Inner {
    registry: Registry,
    calls: Counters<u64>,
    call_duration: Histograms,
    request_bytes: Counters<u64>,
    response_bytes: Counters<u64>,
    messages: Counters<u64>,
    refusals: Counters<u64>,
    parts: Counters<u64>,
    fill: Histograms,
    encodes: Histograms,
    cpu: Counters<f64>,
    running: Gauges,
    queued: Gauges,
    threads: Gauges,
    work_memory: Gauges,
    price: Gauges,
    queue_wait: Histograms,
    refused_at_door: Counters<u64>,
    effort_reduced: Counters<u64>,
    price_error: Histograms,
    panicked: Counters<u64>,
    worker_processes: Gauges,
    worker_jobs: Counters<u64>,
    worker_restarts: Counters<u64>,
    worker_jobs_lost: Counters<u64>,
    cache_requests: Counters<u64>,
    cache: Gauges,
    probe_cache: Counters<u64>,
    profile_fetches: Counters<u64>,
    profile_cache: Counters<u64>,
    scans: Counters<u64>,
    scan_duration: Histograms,
    connections_refused: Counters<u64>,
    spans: Counters<u64>,
    memory: Gauges,
    memory_limit: Gauges,
    process_cpu: Counters<f64>,
    process_memory: Gauges,
    process_fds: Gauges,
    process_max_fds: Gauges,
    process_start: Gauges,
}

/// A call that has ended, as the caller saw it.
#[derive(Clone, Debug)]
pub struct Call {
    /// One of the methods of the service, or `other`.
    pub method: &'static str,
    /// The canonical name of the gRPC code.
    pub code: &'static str,
    /// The reason of its error; `none` where it had none.
    pub reason: Cow<'static, str>,
    /// From its headers to the last byte of its answer.
    pub took: Duration,
    /// Bytes of its request.
    pub request: Bytes,
    /// Bytes of its answer.
    pub response: Bytes,
}

/// How full a lane is.
#[derive(Clone, Copy, Debug)]
pub struct Saturation {
    /// Its threads.
    pub threads: usize,
    /// Jobs at work.
    pub running: usize,
    /// Jobs that wait.
    pub queued: usize,
    /// What those that wait are expected to take.
    pub waiting: Duration,
    /// What those at work are expected to take.
    pub working: Duration,
    /// What those at work are expected to hold.
    pub memory: Bytes,
}

impl Metrics {
    /// All at zero.
    pub fn new() -> Self {
        let mut registry = Registry::default();
        let r = &mut registry;
        let inner = Inner {
            calls: Counters::new(r, &table::CALLS),
            call_duration: Histograms::new(r, &table::CALL_DURATION),
            request_bytes: Counters::new(r, &table::REQUEST_BYTES),
            response_bytes: Counters::new(r, &table::RESPONSE_BYTES),
            messages: Counters::new(r, &table::MESSAGES),
            refusals: Counters::new(r, &table::REFUSALS),
            parts: Counters::new(r, &table::PARTS),
            fill: Histograms::new(r, &table::FILL_RATIO),
            encodes: Histograms::new(r, &table::ENCODES_PER_PART),
            cpu: Counters::new(r, &table::CPU),
            running: Gauges::new(r, &table::JOBS_RUNNING),
            queued: Gauges::new(r, &table::JOBS_QUEUED),
            threads: Gauges::new(r, &table::THREADS),
            work_memory: Gauges::new(r, &table::WORK_MEMORY),
            price: Gauges::new(r, &table::PRICE),
            queue_wait: Histograms::new(r, &table::QUEUE_WAIT),
            refused_at_door: Counters::new(r, &table::REFUSED_AT_DOOR),
            effort_reduced: Counters::new(r, &table::EFFORT_REDUCED),
            price_error: Histograms::new(r, &table::PRICE_ERROR_RATIO),
            panicked: Counters::new(r, &table::JOBS_PANICKED),
            worker_processes: Gauges::new(r, &table::WORKER_PROCESSES),
            worker_jobs: Counters::new(r, &table::WORKER_JOBS),
            worker_restarts: Counters::new(r, &table::WORKER_RESTARTS),
            worker_jobs_lost: Counters::new(r, &table::WORKER_JOBS_LOST),
            cache_requests: Counters::new(r, &table::CACHE_REQUESTS),
            cache: Gauges::new(r, &table::CACHE),
            probe_cache: Counters::new(r, &table::PROBE_CACHE),
            profile_fetches: Counters::new(r, &table::PROFILE_FETCHES),
            profile_cache: Counters::new(r, &table::PROFILE_CACHE),
            scans: Counters::new(r, &table::SCANS),
            scan_duration: Histograms::new(r, &table::SCAN_DURATION),
            connections_refused: Counters::new(r, &table::CONNECTIONS_REFUSED),
            spans: Counters::new(r, &table::SPANS),
            memory: Gauges::new(r, &table::MEMORY),
            memory_limit: Gauges::new(r, &table::MEMORY_LIMIT),
            process_cpu: Counters::new(r, &table::PROCESS_CPU),
            process_memory: Gauges::new(r, &table::PROCESS_MEMORY),
            process_fds: Gauges::new(r, &table::PROCESS_FDS),
            process_max_fds: Gauges::new(r, &table::PROCESS_MAX_FDS),
            process_start: Gauges::new(r, &table::PROCESS_START),
            registry: {
                Gauges::new(r, &table::BUILD).set(&[env!("CARGO_PKG_VERSION").into()], 1.0);
                registry
            },
        };
        inner.open();
        Self(Arc::new(inner))
    }

    /// A call has ended.
    pub fn call(&self, call: Call) {
        let (of, method) = (&self.0, Value::from(call.method));
        let reason = bounded(call.reason);
        of.calls.add(&[method.clone(), call.code.into(), reason], 1);
        of.request_bytes.add(slice::from_ref(&method), call.request.get());
        of.response_bytes.add(slice::from_ref(&method), call.response.get());
        of.call_duration.observe(&[method], call.took.as_secs_f64());
    }

    /// A message was answered or refused.
    pub fn message(&self, result: &Result<AdaptResponse, ServiceError>) {
        match result {
            Ok(answer) => self.0.answered(&answer.report),
            Err(error) => self.refused(error),
        }
    }

    /// A message was refused.
    pub fn refused(&self, error: &ServiceError) {
        self.0.refusals.add(&[category(error.category).into(), error.reason.into()], 1);
    }

    /// What a message's plan said that it would take, and what it took.
    pub fn price(&self, price: Duration, cost: Duration) {
        // As the door learns it: below a millisecond a share says nothing.
        let ratio = cost.as_secs_f64() / price.as_secs_f64().max(1e-3);
        self.0.price_error.observe(&[], ratio);
    }

    /// A job waited for a thread of a lane, and has it.
    pub fn waited(&self, lane: Lane, time: Duration) {
        self.0.queue_wait.observe(&[lane.label()], time.as_secs_f64());
    }

    /// A job was refused at the door of a lane.
    pub fn refused_at_door(&self, lane: Lane) {
        self.0.refused_at_door.add(&[lane.label()], 1);
    }

    /// A message got less effort than was asked for.
    pub fn effort_reduced(&self) {
        self.0.effort_reduced.add(&[], 1);
    }

    /// A job panicked.
    pub fn panicked(&self, lane: Lane) {
        self.0.panicked.add(&[lane.label()], 1);
    }

    /// How full a lane is now.
    pub fn saturation(&self, lane: Lane, now: Saturation) {
        let (of, name) = (&self.0, lane.label());
        let lane = slice::from_ref(&name);
        of.threads.set(lane, now.threads as f64);
        of.running.set(lane, now.running as f64);
        of.queued.set(lane, now.queued as f64);
        of.work_memory.set(lane, now.memory.get() as f64);
        of.price.set(&[name.clone(), "waiting".into()], now.waiting.as_secs_f64());
        of.price.set(&[name.clone(), "working".into()], now.working.as_secs_f64());
    }

    /// What has become of the workers so far.
    pub fn workers(&self, now: &WorkerCounts) {
        let of = &self.0;
        of.worker_processes.set(&["zygote".into()], f64::from(u8::from(now.zygote_alive)));
        of.worker_processes.set(&["job".into()], now.jobs_alive as f64);
        of.worker_jobs.set(&[], now.jobs_started);
        for (cause, count) in &now.restarts {
            of.worker_restarts.set(&[(*cause).into()], *count);
        }
        for (cause, count) in &now.jobs_lost {
            of.worker_jobs_lost.set(&[(*cause).into()], *count);
        }
    }

    /// What the cache of encoded parts has done so far, and holds now.
    pub fn cache(&self, hits: u64, misses: u64, held: Bytes) {
        let of = &self.0;
        of.cache_requests.set(&["hit".into()], hits);
        of.cache_requests.set(&["miss".into()], misses);
        of.cache.set(&[], held.get() as f64);
    }

    /// What is kept of what workers said of media has been of use so often, or not.
    pub fn probe_cache(&self, hits: u64, misses: u64) {
        self.0.probe_cache.set(&["hit".into()], hits);
        self.0.probe_cache.set(&["miss".into()], misses);
    }

    /// Documents are fetched: what is counted of that is there from the start.
    pub fn profile_fetching(&self) {
        self.0.profile_fetches.add(&["ok".into()], 0);
        for sought in Sought::ALL {
            self.0.profile_cache.add(&[sought.label().into()], 0);
        }
    }

    /// A document was fetched, or not: `ok`, or a word why.
    pub fn profile_fetched(&self, result: &'static str) {
        self.0.profile_fetches.add(&[result.into()], 1);
    }

    /// A document was looked for where fetched ones are kept.
    pub fn profile_sought(&self, sought: Sought) {
        self.0.profile_cache.add(&[sought.label().into()], 1);
    }

    /// Parts are scanned: what is counted of that is there from the start.
    pub fn scanning(&self) {
        for result in ["clean", "found", "kept"] {
            self.0.scans.add(&[result.into()], 0);
        }
        self.0.scan_duration.open(&[]);
    }

    /// A part was scanned, or not: `clean`, `found`, `kept`, or a word why.
    pub fn scanned(&self, result: &'static str) {
        self.0.scans.add(&[result.into()], 1);
    }

    /// The scanner took so long for a part.
    pub fn scan_took(&self, time: Duration) {
        self.0.scan_duration.observe(&[], time.as_secs_f64());
    }

    /// A connection was not opened.
    pub fn connection_refused(&self, cause: Refused) {
        self.0.connections_refused.add(&[cause.label().into()], 1);
    }

    /// What has become of the spans of traces so far.
    pub fn spans(&self, now: traces::Counts) {
        let of = &self.0.spans;
        of.set(&["delivered".into()], now.delivered);
        of.set(&["dropped".into()], now.dropped);
        of.set(&["failed".into()], now.failed);
    }

    /// All of it as text, with what is known of the process now.
    pub fn text(&self, format: Format) -> String {
        self.0.look_at_the_process();
        let mut open = String::new();
        // Writing into a string does not fail.
        let _ = encoding::text::encode(&mut open, &self.0.registry);
        match format {
            Format::OpenMetrics => open,
            Format::Prometheus => text::older(&open),
        }
    }
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Metrics").finish_non_exhaustive()
    }
}

impl Inner {
    /// Series that are there from the start: a rate needs a zero to begin from.
    fn open(&self) {
        for lane in Lane::ALL.map(Lane::label) {
            self.queue_wait.open(slice::from_ref(&lane));
            self.refused_at_door.add(slice::from_ref(&lane), 0);
            self.panicked.add(&[lane], 0);
        }
        for cause in Refused::ALL {
            self.connections_refused.add(&[cause.label().into()], 0);
        }
        for of in [Outcome::Unchanged, Outcome::Minor, Outcome::Major] {
            self.messages.add(&[outcome(of).into()], 0);
        }
        for media in ["image", "audio", "video", "text", "other", "message"] {
            self.cpu.add(&[media.into()], 0.0);
        }
        self.fill.open(&[]);
        self.effort_reduced.add(&[], 0);
        self.price_error.open(&[]);
    }

    fn answered(&self, report: &Report) {
        self.messages.add(&[outcome(report.outcome).into()], 1);
        let mut parts_ms = 0.0;
        for part in &report.parts {
            self.part(part);
            parts_ms += part.cpu_ms;
        }
        if let Some(account) = &report.account {
            let common = (account.cpu_ms - parts_ms).max(0.0);
            self.cpu.add(&["message".into()], common / 1e3);
        }
        let encoded = report.parts.iter().any(|part| part.encodes > 0);
        if let Some(limit) = report.limit.as_ref().filter(|limit| encoded && limit.bytes.get() > 0)
        {
            let fill = report.wire_bytes_after.get() as f64 / limit.bytes.get() as f64;
            self.fill.observe(&[], fill);
        }
    }

    fn part(&self, part: &PartReport) {
        let media: Value = media(part.before.media_type.kind()).into();
        let why = part.reasons.first().filter(|_| part.action != Action::Keep);
        let why = why.map_or(Value::from("none"), |reason| reason_code(reason.code));
        self.parts.add(&[media.clone(), action(part.action).into(), why], 1);
        self.cpu.add(slice::from_ref(&media), part.cpu_ms.max(0.0) / 1e3);
        if part.encodes > 0 {
            self.encodes.observe(&[media], f64::from(part.encodes));
        }
    }

    fn look_at_the_process(&self) {
        let now = Process::now();
        for (gauge, value) in [
            (&self.process_memory, now.resident),
            (&self.process_fds, now.open_fds),
            (&self.process_max_fds, now.max_fds),
            (&self.process_start, now.started),
            (&self.memory, now.memory.map(|(used, _)| used)),
            (&self.memory_limit, now.memory.map(|(_, limit)| limit)),
        ] {
            if let Some(value) = value {
                gauge.set(&[], value);
            }
        }
        if let Some(seconds) = now.cpu_seconds {
            self.process_cpu.set(&[], seconds);
        }
    }
}
