//! One message through the engine: resolve, prepare, execute, answer.

use std::{
    io::{self, Write},
    time::Duration,
};

use super::{
    Service, ServiceError,
    account::{Account, Caller, cpu_clock},
    policy,
    price::{self, Price},
    refusal::refusal,
    resolve::{self, Route, today},
};
use crate::{
    codec::{Codec, CodecSet, audio::AudioCodec, image::ImageCodec},
    config::Config,
    message::{Form, Message},
    model::{
        Bytes, Capabilities, Effort, Interface, Limits, PartId, Repair, RepairCode, Report, Stop,
        Warning,
    },
    pipeline::{Adapted, EncodedMessage, Engine, Job, PipelineError, Prepared},
    plan::PartPlan,
    policy::Policy,
    profile::{Resolution, carrier::Carrier},
    service::request::{AdaptRequest, AdaptResponse, PlanResponse, ReportLevel},
    worker::host::{Settings, Workers},
};

/// A request, resolved.
pub(super) struct Resolved {
    pub job: Job,
    carrier: String,
    output: Form,
    warnings: Vec<Warning>,
}

fn resolved(config: &Config, request: &mut AdaptRequest) -> Result<Resolved, ServiceError> {
    // An unknown device or carrier is reported before the message is read.
    let recipient = recipient(config, request)?;
    let content = std::mem::replace(
        &mut request.content,
        crate::service::request::Content::Parts { headers: Vec::new(), parts: Vec::new() },
    );
    let message = resolve::message(content, &config.parse)?;
    Ok(terms(config, &message, recipient, request).on(message))
}

/// All that a message is adapted by.
pub(super) struct EffectiveSettings {
    pub interface: Interface,
    pub capabilities: Capabilities,
    pub limits: Limits,
    pub policy: Policy,
    carrier: String,
    effort: Effort,
    pub output: Form,
    infected: Vec<(PartId, String)>,
    warnings: Vec<Warning>,
}

impl EffectiveSettings {
    pub fn on(self, message: Message) -> Resolved {
        let Self { interface, capabilities, limits, policy, effort, infected, .. } = self;
        let Self { carrier, output, warnings, .. } = self;
        let job = Job { message, interface, capabilities, limits, policy, effort, infected };
        Resolved { job, carrier, output, warnings }
    }
}

/// The recipient of a message.
pub(super) type Recipient<'a> = (Option<&'a Carrier>, Resolution);

/// The carrier and the device of a request.
pub(super) fn recipient<'a>(
    config: &'a Config,
    request: &AdaptRequest,
) -> Result<Recipient<'a>, ServiceError> {
    let store = config.store.as_ref();
    let carrier = resolve::carrier(store, request.carrier.as_deref())?;
    Ok((carrier, resolve::device(store, &request.device, carrier)?))
}

/// What holds for a message on its way to a recipient.
pub(super) fn terms(
    config: &Config,
    message: &Message,
    (carrier, Resolution { mut capabilities, repairs }): Recipient<'_>,
    request: &AdaptRequest,
) -> EffectiveSettings {
    let output = request.output_form.unwrap_or(message.form());
    let interface = request.interface.unwrap_or_else(|| resolve::interface_of(output, message));
    let settings = policy::settings(config, carrier);
    let route = Route { interface, sender: request.sender, on: today() };
    let limits = resolve::limits(&capabilities, carrier, &request.limits, route);
    let limits = policy::with_margin(limits, settings.margin.unwrap_or_default());
    if settings.allow.is_some() || settings.refuse.is_some() {
        let listed = |types: &Option<Vec<String>>| types.clone().unwrap_or_default();
        let accept = &mut capabilities.accept.value;
        *accept = accept.narrowed(listed(&settings.allow), listed(&settings.refuse));
    }
    // What the originator or the device forbids is honoured.
    let forbidden = message.adaptation_forbidden() || capabilities.suppress_adaptation.value;
    let bare = message.form() == Form::Bare;
    let country = carrier.map(|carrier| carrier.country.as_str());
    let policy = Policy::of(&settings, country);
    let policy = if forbidden { policy.forbidding() } else { policy };
    let policy = if bare { policy.of_bare() } else { policy };
    let mut warnings = Vec::new();
    let of = |code| move |repair: &Repair| repair.code == code;
    let (not_fetched, repairs): (Vec<Repair>, Vec<Repair>) =
        repairs.into_iter().partition(of(RepairCode::NotFetched));
    warnings.extend(not_fetched.into_iter().map(|repair| Warning {
        code: "PROFILE_NOT_FETCHED".into(),
        message: format!(
            "the document of {} could not be fetched, the next best description of the device \
             counts: {}",
            repair.attribute, repair.raw
        ),
    }));
    let (fell_back, mended): (Vec<Repair>, Vec<Repair>) =
        repairs.into_iter().partition(of(RepairCode::FellBack));
    // The caller described a device, and another description decides.
    warnings.extend(fell_back.into_iter().map(|repair| Warning {
        code: "PROFILE_FELL_BACK".into(),
        message: format!(
            "{} was not usable, the next best description of the device counts: {}",
            repair.attribute, repair.raw
        ),
    }));
    if !mended.is_empty() {
        let noun = if mended.len() == 1 { "mistake" } else { "mistakes" };
        warnings.push(Warning {
            code: "PROFILE_REPAIRED".into(),
            message: format!("{} {noun} of the device description repaired", mended.len()),
        });
    }
    if let Some(why) = &request.scanned.not_scanned {
        warnings.push(Warning { code: "NOT_SCANNED".into(), message: why.clone() });
    }
    let carrier = carrier.map_or_else(String::new, |carrier| carrier.name.clone());
    let (effort, infected) = (request.effort, request.scanned.infected.clone());
    EffectiveSettings {
        interface,
        capabilities,
        limits,
        policy,
        carrier,
        effort,
        output,
        infected,
        warnings,
    }
}

/// Adds what the shells' callers asked to see.
fn complete(mut report: Report, resolved: &Resolved, level: ReportLevel) -> Report {
    report.warnings.splice(0..0, resolved.warnings.iter().cloned());
    if level == ReportLevel::Full {
        report.capabilities = Some(resolved.job.capabilities.clone());
    }
    report
}

/// A message that was read, probed and planned: what is left is to encode its parts.
pub struct PlannedMessage {
    resolved: Resolved,
    prepared: Prepared,
    account: Account,
    caller: Caller,
    level: ReportLevel,
    price: Price,
}

/// What [`Service::begin`] came to.
pub enum Begun {
    /// Nothing had to be encoded: this is the answer.
    Done(Box<AdaptResponse>),
    /// Parts have to be encoded: [`Service::finish`].
    Planned(Box<PlannedMessage>),
}

impl PlannedMessage {
    fn of(
        engine: &Engine,
        resolved: Resolved,
        request: &AdaptRequest,
        stop: &Stop,
    ) -> Result<Self, ServiceError> {
        let mut account = Account::open(&resolved.job, &resolved.carrier, request.queued);
        let prepared = account.paying(|| engine.prepare(&resolved.job, stop));
        let prepared = prepared.map_err(|error| refusal(&error, &resolved.job))?;
        let recipes = engine.first_recipes(&resolved.job, &prepared);
        Ok(Self {
            price: price::of(&prepared, &recipes),
            resolved,
            prepared,
            account,
            caller: request.into(),
            level: request.report_level,
        })
    }

    fn encodes_nothing(&self) -> bool {
        !self.prepared.plan().parts().iter().any(PartPlan::is_fitted)
    }

    /// What encoding is expected to take: CPU time, in milliseconds.
    pub fn cpu_ms(&self) -> f64 {
        self.price.cpu_ms
    }

    /// What it is expected to hold at once.
    pub fn memory(&self) -> Bytes {
        self.price.memory
    }

    /// It waited for its turn: the report tells so.
    pub fn wait(&mut self, time: Duration) {
        self.account.wait(time);
    }

    /// Its parts are those of a message that was encoded before: the report tells so.
    pub fn reuse(&mut self) {
        self.account.reuse();
    }

    /// All that encoding it depends on.
    pub(super) fn identity(&self, engine: &Engine, sink: &mut impl Write) -> io::Result<()> {
        writeln!(sink, "mmsfit {}", env!("CARGO_PKG_VERSION"))?;
        engine.identity(&self.resolved.job, &self.prepared, sink)
    }

    /// The answer, and what it took.
    fn answer(
        self,
        adapted: Result<Adapted, PipelineError>,
    ) -> Result<AdaptResponse, ServiceError> {
        let Self { resolved, account, caller, level, .. } = self;
        let adapted = adapted.map_err(|error| refusal(&error, &resolved.job))?;
        let mut report = complete(adapted.report, &resolved, level);
        account.close(&mut report);
        let content = resolve::content(&adapted.message, resolved.output, resolved.job.interface)?;
        let request_id = caller.request_id;
        Ok(AdaptResponse { request_id, content, report, limits: resolved.job.limits })
    }

    /// Who asked, by the name that the operator gave them.
    pub fn client(&self) -> &str {
        &self.caller.client
    }

    /// Who asked.
    pub fn caller(&self) -> &Caller {
        &self.caller
    }
}

impl Service {
    pub(super) fn run_begin(
        &self,
        mut request: AdaptRequest,
        stop: &Stop,
    ) -> Result<Begun, ServiceError> {
        let resolved = resolved(&self.config, &mut request)?;
        let mut planned = PlannedMessage::of(&self.engine, resolved, &request, stop)?;
        if planned.encodes_nothing() {
            return Ok(Begun::Done(Box::new(self.run_finish(&self.engine, planned, stop)?)));
        }
        if let Some(asked) = request.reduced_from {
            let done = request.effort;
            planned.resolved.warnings.push(Warning {
                code: "EFFORT_REDUCED".into(),
                message: format!(
                    "under pressure: encoded with effort {done:?} instead of {asked:?}"
                ),
            });
        }
        Ok(Begun::Planned(Box::new(planned)))
    }

    /// Does the work of a resolved request with an engine.
    pub(super) fn adapt_resolved(
        &self,
        engine: &Engine,
        resolved: Resolved,
        request: &AdaptRequest,
        stop: &Stop,
    ) -> Result<AdaptResponse, ServiceError> {
        self.run_finish(engine, PlannedMessage::of(engine, resolved, request, stop)?, stop)
    }

    pub(super) fn run_finish(
        &self,
        engine: &Engine,
        planned: PlannedMessage,
        stop: &Stop,
    ) -> Result<AdaptResponse, ServiceError> {
        // What encodes nothing needs no thread of the pool, and does not wait for one.
        let alone = planned.encodes_nothing();
        let work = || engine.execute(&planned.resolved.job, &planned.prepared, stop);
        let adapted = if alone { work() } else { self.pool.install(work) };
        planned.answer(adapted)
    }

    pub(super) fn run_encode(
        &self,
        planned: &PlannedMessage,
        stop: &Stop,
    ) -> Result<EncodedMessage, ServiceError> {
        let PlannedMessage { resolved, prepared, .. } = planned;
        let encoded = self.pool.install(|| self.engine.encode(&resolved.job, prepared, stop));
        encoded.map_err(|error| refusal(&error, &resolved.job))
    }

    pub(super) fn run_assemble(
        &self,
        planned: PlannedMessage,
        encoded: &EncodedMessage,
    ) -> Result<AdaptResponse, ServiceError> {
        let adapted = self.engine.assemble(&planned.resolved.job, encoded);
        planned.answer(adapted)
    }

    pub(super) fn run_plan(
        &self,
        mut request: AdaptRequest,
        stop: &Stop,
    ) -> Result<PlanResponse, ServiceError> {
        stop.check().map_err(ServiceError::stopped)?;
        let resolved = resolved(&self.config, &mut request)?;
        self.plan_resolved(&self.engine, resolved, &request, stop)
    }

    /// Plans a resolved request with an engine.
    pub(super) fn plan_resolved(
        &self,
        engine: &Engine,
        resolved: Resolved,
        request: &AdaptRequest,
        stop: &Stop,
    ) -> Result<PlanResponse, ServiceError> {
        let mut account = Account::open(&resolved.job, &resolved.carrier, request.queued);
        let prepared = account.paying(|| engine.prepare(&resolved.job, stop));
        let prepared = prepared.map_err(|error| refusal(&error, &resolved.job))?;
        let report = engine.foresee(&resolved.job, &prepared);
        let mut report = complete(report, &resolved, request.report_level);
        account.close(&mut report);
        let recipes = engine.first_recipes(&resolved.job, &prepared);
        let price = price::of(&prepared, &recipes);
        Ok(PlanResponse {
            request_id: request.request_id.clone(),
            report,
            limits: resolved.job.limits,
            cost_cpu_ms: price.cpu_ms,
            cost_memory: price.memory,
        })
    }
}

/// The workers of a configuration, where there are any. None is started yet.
pub(super) fn workers(config: &Config) -> Option<Workers> {
    let from = &config.worker;
    let mut settings = Settings::new(from.found()?);
    settings.limits.memory_bytes = from.max_memory.get();
    settings.limits.cpu_seconds = from.max_cpu_seconds as u64;
    settings.call_time = Duration::from_secs(from.max_call_seconds as u64);
    settings.max_jobs = from.max_jobs;
    settings.faults = from.faults;
    Some(Workers::new(settings))
}

/// The engine of a configuration.
pub(super) fn engine(config: &Config, workers: Option<&Workers>) -> Engine {
    let mut codecs: Vec<Box<dyn Codec>> = vec![Box::new(ImageCodec)];
    if let Some(workers) = workers {
        codecs.push(Box::new(workers.codec()));
    }
    // After the workers, which can encode audio: without them it is at least probed.
    codecs.push(Box::new(AudioCodec));
    Engine {
        codecs: std::sync::Arc::new(CodecSet::new(codecs)),
        decode: config.decode,
        cpu_clock,
        sessions: None,
        probes: None,
    }
}
