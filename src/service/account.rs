//! What a call took, and the line about it in the log.

use std::time::{Duration, Instant};

use super::{
    ServiceError,
    request::{AdaptRequest, AdaptResponse, PlanResponse},
    span,
    status::INFECTED,
};
use crate::{
    model::{self, Category, ReasonCode, Report},
    pipeline::Job,
    worker::host,
};

/// CPU time of the calling thread, and of the workers that worked for it.
pub(super) fn cpu_clock() -> Duration {
    let own = cpu_time::ThreadTime::try_now().map_or(Duration::ZERO, |t| t.as_duration());
    own + host::cpu_for_this_thread()
}

/// The account of a call that is at work.
pub(super) struct Account {
    account: model::Account,
    began: Instant,
    /// CPU time that belongs to no part.
    common: Duration,
    /// Time in the queue since it was opened.
    waited: Duration,
}

impl Account {
    /// Begins now.
    pub fn open(job: &Job, carrier: &str, queued: Duration) -> Self {
        let capabilities = &job.capabilities;
        let device = [capabilities.vendor.as_str(), capabilities.model.as_str()];
        let headers = job.message.headers();
        let header = |names: [&str; 2]| {
            let known = |(name, _): &&(String, String)| {
                names.iter().any(|wanted| name.eq_ignore_ascii_case(wanted))
            };
            headers.iter().find(known).map_or_else(String::new, |(_, value)| value.clone())
        };
        let account = model::Account {
            engine_version: env!("CARGO_PKG_VERSION").into(),
            device: device.join(" ").trim().to_owned(),
            device_rule: capabilities.accept.provenance.clone(),
            carrier: carrier.to_owned(),
            message_id: header(["Message-ID", "X-Mms-Message-ID"]),
            transaction_id: header(["X-Mms-Transaction-ID", "TransactionID"]),
            cpu_ms: 0.0,
            wall_ms: 0.0,
            queue_ms: milliseconds(queued),
            reused: false,
        };
        Self { account, began: Instant::now(), common: Duration::ZERO, waited: Duration::ZERO }
    }

    /// It waited for its turn.
    pub fn wait(&mut self, time: Duration) {
        self.waited += time;
        self.account.queue_ms += milliseconds(time);
    }

    /// Nothing was encoded for it.
    pub fn reuse(&mut self) {
        self.account.reused = true;
    }

    /// Does work on this thread that belongs to no part.
    pub fn paying<T>(&mut self, work: impl FnOnce() -> T) -> T {
        let start = cpu_clock();
        let done = work();
        self.common += cpu_clock().saturating_sub(start);
        done
    }

    /// Ends it: the report has it from now on.
    pub fn close(mut self, report: &mut Report) {
        let parts: f64 = report.parts.iter().map(|part| part.cpu_ms).sum();
        self.account.cpu_ms = parts + milliseconds(self.common);
        self.account.wall_ms = milliseconds(self.began.elapsed().saturating_sub(self.waited));
        report.account = Some(self.account);
    }
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

/// The outcome in a log line.
pub(super) trait Answer {
    /// What was done, or would be.
    fn report(&self) -> &Report;
}

impl Answer for AdaptResponse {
    fn report(&self) -> &Report {
        &self.report
    }
}

impl Answer for PlanResponse {
    fn report(&self) -> &Report {
        &self.report
    }
}

/// One log line per call: who asked, the outcome, the cost. No addresses, no content.
pub(super) fn log<A: Answer>(call: &str, caller: &Caller, result: &Result<A, ServiceError>) {
    match result {
        Ok(answer) => log_answer(call, caller, answer),
        Err(error) => log_error(call, caller, error),
    }
}

/// Who asked, for the log.
#[derive(Clone, Debug)]
pub struct Caller {
    pub(super) request_id: String,
    pub(super) client: String,
}

impl Caller {
    /// The line of a call that was refused before the service worked on it.
    pub fn log_refusal(&self, call: &str, error: &ServiceError) {
        log_error(call, self, error);
    }
}

impl From<&AdaptRequest> for Caller {
    fn from(request: &AdaptRequest) -> Self {
        Self { request_id: request.request_id.clone(), client: request.client.clone() }
    }
}

/// The line of an answer.
pub(super) fn log_answer(call: &str, caller: &Caller, answer: &impl Answer) {
    let Caller { request_id, client } = caller;
    let report = answer.report();
    let account = report.account.as_ref();
    span::answered(report);
    let figure = |of: fn(&model::Account) -> f64| account.map_or(0.0, of).round();
    tracing::info!(
        call,
        request_id,
        client,
        outcome = ?report.outcome,
        device = account.map_or("", |a| a.device.as_str()),
        carrier = account.map_or("", |a| a.carrier.as_str()),
        parts = report.parts.len(),
        bytes_before = report.wire_bytes_before.get(),
        bytes_after = report.wire_bytes_after.get(),
        limit = report.limit.map_or(0, |limit| limit.bytes.get()),
        cpu_ms = figure(|a| a.cpu_ms),
        wall_ms = figure(|a| a.wall_ms),
        queue_ms = figure(|a| a.queue_ms),
        reused = account.is_some_and(|a| a.reused),
        infected = infected(report),
        "answered"
    );
}

/// The names of what a virus scanner found, the first of them.
fn infected(report: &Report) -> Option<String> {
    let reasons = report.parts.iter().flat_map(|part| &part.reasons);
    let found = reasons.filter(|reason| reason.code == ReasonCode::Infected);
    let names: Vec<&str> = found.map(|reason| reason.detail.as_str()).take(MAX_NAMES).collect();
    (!names.is_empty()).then(|| names.join(", "))
}

/// Names of signatures in one line.
const MAX_NAMES: usize = 4;

/// The line of a refusal or a failure.
pub(super) fn log_error(call: &str, caller: &Caller, error: &ServiceError) {
    let Caller { request_id, client } = caller;
    let part = error.part.map(|part| part.0);
    // An error text can quote the input: the reason says enough. That of a virus is our own, and names it.
    let infected = (error.reason == INFECTED).then_some(error.message.as_str());
    let (reason, category) = (error.reason, error.category);
    span::refused(reason);
    match category {
        Category::Internal => {
            tracing::error!(call, request_id, client, reason, ?category, part, "failed");
        }
        Category::Busy | Category::Unavailable => {
            tracing::warn!(call, request_id, client, reason, ?category, part, "refused");
        }
        _ => {
            tracing::info!(call, request_id, client, reason, ?category, part, infected, "refused");
        }
    }
}
