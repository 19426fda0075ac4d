//! The engine as a service: resolves device, carrier and limits, runs the pipeline on a pool,
//! owns the clock. Blocking: async callers come through `offload`. Shells translate to and from the types here and decide nothing.

mod account;
mod adapt;
mod class;
pub mod detect;
pub mod many;
pub mod matrix;
mod policy;
pub mod pool;
mod price;
mod refusal;
pub mod request;
mod resolve;
pub mod span;
pub mod status;

use std::sync::Arc;

use crate::{
    config::{
        Config,
        store::{Device, Store},
    },
    message::Message,
    model::{Bytes, Dimensions, Stop},
    pipeline::Engine,
    profile::{DeviceDescription, Resolution, carrier::Carrier},
    service::request::{
        AdaptRequest, AdaptResponse, Content, DeviceSummary, LimitsRequest, LimitsResponse,
        PlanResponse, ResolveRequest,
    },
    worker::host::Workers,
};

/// The kind of bytes by their content: the same for every entry point.
pub use crate::codec::sniff;
/// For those who keep what codecs said of media.
pub use crate::codec::{CodecError, DecodeLimits};
pub use crate::pipeline::{EncodedMessage, Probes};
pub use crate::worker::host::{
    Counts as WorkerCounts, StartError as WorkerError, Status as WorkerStatus,
};
pub use account::Caller;
pub use adapt::{Begun, PlannedMessage};
pub use pool::Pool;
pub use status::ServiceError;

/// The engine with its documents and pools. Cheap to clone.
#[derive(Clone)]
pub struct Service {
    config: Arc<Config>,
    pool: Arc<Pool>,
    engine: Engine,
    workers: Option<Workers>,
}

impl Service {
    /// Builds pools from a configuration.
    pub fn new(config: Config) -> Self {
        let pool = Arc::new(Pool::new(config.threads));
        let workers = adapt::workers(&config);
        let engine = adapt::engine(&config, workers.as_ref());
        Self { config: Arc::new(config), pool, engine, workers }
    }

    /// The same threads and worker processes with devices, carriers, policy, defaults and limits of
    /// another configuration. What a service is built from (threads, worker) stays as it is.
    #[must_use]
    pub fn reconfigured(&self, config: Config) -> Self {
        let engine = Engine { decode: config.decode, ..self.engine.clone() };
        let config = Arc::new(config);
        let (pool, workers) = (Arc::clone(&self.pool), self.workers.clone());
        Self { config, pool, engine, workers }
    }

    /// What is found out about media is kept in `probes`, and taken from there.
    #[must_use]
    pub fn remembering(self, probes: Arc<dyn Probes>) -> Self {
        Self { engine: Engine { probes: Some(probes), ..self.engine }, ..self }
    }

    /// Starts the worker processes, which would otherwise be started by the first part that needs
    /// them, and tells what runs; `None` where the configuration has no worker.
    ///
    /// # Errors
    /// The worker cannot be started, is of another version, or refuses to run unconfined.
    pub fn start_workers(&self) -> Result<Option<WorkerStatus>, WorkerError> {
        self.workers.as_ref().map(Workers::ready).transpose()
    }

    /// Starts the worker processes anew, from the program and with the libraries as they are now: see
    /// [`Workers::renew`]. `None` where there is no worker, or none has been started.
    ///
    /// # Errors
    /// As [`Service::start_workers`]: then the old ones stay.
    pub fn renew_workers(&self) -> Result<Option<WorkerStatus>, WorkerError> {
        self.workers.as_ref().map_or(Ok(None), Workers::renew)
    }

    /// What has become of the workers so far; starts none. `None` where there is no worker, or while
    /// one starts.
    pub fn worker_counts(&self) -> Option<WorkerCounts> {
        self.workers.as_ref().and_then(Workers::counts)
    }

    /// The configuration in force.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// Adapts one message on the calling thread (parts in parallel on the pool).
    ///
    /// # Errors
    /// A typed refusal; see [`ServiceError`].
    pub fn adapt(&self, request: AdaptRequest, stop: &Stop) -> Result<AdaptResponse, ServiceError> {
        match self.begin(request, stop)? {
            Begun::Done(answer) => Ok(*answer),
            Begun::Planned(planned) => self.finish(*planned, stop),
        }
    }

    /// The first half of [`Service::adapt`], on the calling thread: reads, probes and plans the
    /// message, in little time. What needs no encoding (a text, a message that fits) is done then.
    ///
    /// # Errors
    /// A typed refusal.
    pub fn begin(&self, request: AdaptRequest, stop: &Stop) -> Result<Begun, ServiceError> {
        let caller = Caller::from(&request);
        let begun = self.run_begin(request, stop);
        match &begun {
            Ok(Begun::Planned(_)) => {}
            Ok(Begun::Done(answer)) => account::log_answer("Adapt", &caller, answer.as_ref()),
            Err(error) => account::log_error("Adapt", &caller, error),
        }
        begun
    }

    /// The second half: encodes the parts, assembles the message.
    ///
    /// # Errors
    /// A typed refusal.
    pub fn finish(
        &self,
        planned: PlannedMessage,
        stop: &Stop,
    ) -> Result<AdaptResponse, ServiceError> {
        let caller = planned.caller().clone();
        let result = self.run_finish(&self.engine, planned, stop);
        account::log("Adapt", &caller, &result);
        result
    }

    /// [`Service::finish`] in two steps, of which the first may serve several messages: encodes the
    /// parts.
    ///
    /// # Errors
    /// A typed refusal.
    pub fn encode(
        &self,
        planned: &PlannedMessage,
        stop: &Stop,
    ) -> Result<EncodedMessage, ServiceError> {
        let encoded = self.run_encode(planned, stop);
        if let Err(error) = &encoded {
            account::log_error("Adapt", planned.caller(), error);
        }
        encoded
    }

    /// The second step: assembles the message from parts that were encoded for it, or for another of
    /// the same [`Service::identity`].
    ///
    /// # Errors
    /// A typed refusal.
    pub fn assemble(
        &self,
        planned: PlannedMessage,
        encoded: &EncodedMessage,
    ) -> Result<AdaptResponse, ServiceError> {
        let caller = planned.caller().clone();
        let result = self.run_assemble(planned, encoded);
        account::log("Adapt", &caller, &result);
        result
    }

    /// All that [`Service::encode`] depends on, written to `sink`; the version of the engine, too.
    ///
    /// # Errors
    /// The sink's.
    pub fn identity(
        &self,
        planned: &PlannedMessage,
        sink: &mut impl std::io::Write,
    ) -> std::io::Result<()> {
        planned.identity(&self.engine, sink)
    }

    /// What [`Service::adapt`] would do, and its cost; encodes nothing.
    ///
    /// # Errors
    /// A typed refusal.
    pub fn plan(&self, request: AdaptRequest, stop: &Stop) -> Result<PlanResponse, ServiceError> {
        let caller = Caller::from(&request);
        let result = self.run_plan(request, stop);
        account::log("Plan", &caller, &result);
        result
    }

    /// Any device description to capabilities.
    ///
    /// # Errors
    /// An unknown device or carrier, or in strict mode a malformed document.
    pub fn resolve(&self, request: ResolveRequest) -> Result<Resolution, ServiceError> {
        let store = self.config.store.as_ref();
        let carrier = resolve::carrier(store, request.carrier.as_deref())?;
        resolve::device(store, &request.device, carrier)
    }

    /// All devices known, by name.
    pub fn devices(&self) -> Vec<DeviceSummary> {
        let store = self.config.store.as_ref();
        store.devices().map(|device| summary(store, device)).collect()
    }

    /// All carriers known, by name.
    pub fn carriers(&self) -> Vec<Carrier> {
        self.config.store.carriers().cloned().collect()
    }

    /// Carriers of which no limit holds today: their messages go by the device's limits alone.
    pub fn carriers_without_limit(&self) -> Vec<String> {
        let today = resolve::today();
        let held = |carrier: &&Carrier| carrier.limits.iter().any(|row| row.holds(today));
        let carriers = self.config.store.carriers().filter(|carrier| !held(carrier));
        carriers.map(|carrier| carrier.name.clone()).collect()
    }

    /// The limits of a route.
    ///
    /// # Errors
    /// An unknown carrier.
    pub fn lookup_limits(&self, request: LimitsRequest) -> Result<LimitsResponse, ServiceError> {
        resolve::lookup(&self.config.store, &request)
    }

    /// A message as the engine reads it.
    ///
    /// # Errors
    /// It is malformed, or past the limits of the configuration.
    pub fn parse(&self, content: Content) -> Result<Message, ServiceError> {
        resolve::message(content, &self.config.parse)
    }

    /// The pool for CPU work.
    pub fn pool(&self) -> &Arc<Pool> {
        &self.pool
    }
}

/// A device as lists show it.
fn summary(store: &Store, device: &Device) -> DeviceSummary {
    let described =
        DeviceDescription { device_id: Some(device.id.clone()), ..DeviceDescription::default() };
    // A document of the store resolves: it was parsed when the store was loaded.
    let capabilities = crate::profile::resolve(&described, None, store).ok();
    let of = |get: fn(&crate::model::Capabilities) -> String| {
        capabilities.as_ref().map_or_else(String::new, |r| get(&r.capabilities))
    };
    DeviceSummary {
        id: device.id.clone(),
        vendor: of(|c| c.vendor.clone()),
        model: of(|c| c.model.clone()),
        max_message_bytes: capabilities
            .as_ref()
            .map_or(Bytes::ZERO, |r| r.capabilities.max_message_bytes.value),
        max_image: capabilities
            .as_ref()
            .map_or(Dimensions::at_least_one(1, 1), |r| r.capabilities.max_image.value),
        embedded: device.embedded,
    }
}
