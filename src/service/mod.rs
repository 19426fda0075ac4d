//! The engine as a service: resolves device, carrier and limits, runs the pipeline on a pool,
//! owns the clock. Shells translate to and from the types here and decide nothing.

pub mod pool;
pub mod request;
pub mod status;

use std::{sync::Arc, time::Instant};

use crate::{
    config::Config,
    model::Stop,
    profile::{Resolution, carrier::Carrier},
    service::request::{
        AdaptRequest, AdaptResponse, DeviceSummary, LimitsRequest, LimitsResponse, PlanResponse,
        ResolveRequest,
    },
};

pub use pool::{Load, Pool};
pub use status::ServiceError;

/// The engine with its documents and pools. Cheap to clone.
#[derive(Clone)]
pub struct Service {
    config: Arc<Config>,
    pool: Arc<Pool>,
}

impl Service {
    /// Builds pools from a configuration.
    pub fn new(config: Config) -> Self {
        let pool = Arc::new(Pool::new(config.threads));
        Self { config: Arc::new(config), pool }
    }

    /// The configuration in force.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// Adapts one message on the calling thread (parts in parallel on the pool).
    ///
    /// # Errors
    /// A typed refusal; see [`ServiceError`].
    pub fn adapt(
        &self,
        _request: AdaptRequest,
        _stop: &Stop,
    ) -> Result<AdaptResponse, ServiceError> {
        Err(ServiceError::unimplemented("adapt"))
    }

    /// What [`Service::adapt`] would do, and its cost; encodes nothing.
    ///
    /// # Errors
    /// A typed refusal.
    pub fn plan(&self, _request: AdaptRequest, _stop: &Stop) -> Result<PlanResponse, ServiceError> {
        Err(ServiceError::unimplemented("plan"))
    }

    /// Any device description to capabilities.
    ///
    /// # Errors
    /// An unknown device or carrier, or in strict mode a malformed document.
    pub fn resolve(&self, _request: ResolveRequest) -> Result<Resolution, ServiceError> {
        Err(ServiceError::unimplemented("resolve"))
    }

    /// All devices known, by name.
    pub fn devices(&self) -> Vec<DeviceSummary> {
        Vec::new()
    }

    /// All carriers known, by name.
    pub fn carriers(&self) -> Vec<Carrier> {
        Vec::new()
    }

    /// The limits of a route.
    ///
    /// # Errors
    /// An unknown carrier.
    pub fn lookup_limits(&self, _request: LimitsRequest) -> Result<LimitsResponse, ServiceError> {
        Err(ServiceError::unimplemented("lookup_limits"))
    }

    /// The pool for CPU work.
    pub fn pool(&self) -> &Pool {
        &self.pool
    }

    /// Runs CPU work off the async threads: the one door out of tokio. No more jobs are at work
    /// than there are threads; some more wait, in order.
    ///
    /// If the returned future is dropped, `stop` is set to cancelled and the work ends at its next
    /// poll. A while before `deadline`, `stop` is set to deadline: what the work then returns in
    /// time is the answer. Panics are caught.
    ///
    /// # Errors
    /// What `work` returns; `Busy` with a hint when to try again, if too many wait; `Deadline`;
    /// `Internal` if the work panicked.
    pub async fn offload<T, F>(
        &self,
        stop: Stop,
        deadline: Option<Instant>,
        work: F,
    ) -> Result<T, ServiceError>
    where
        T: Send + 'static,
        F: FnOnce(&Self, &Stop) -> Result<T, ServiceError> + Send + 'static,
    {
        let service = self.clone();
        self.pool.run(stop, deadline, move |stop| work(&service, stop)).await
    }
}
