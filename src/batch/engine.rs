//! What a run needs of the engine: [`Service`] in earnest, something simpler in tests.

use crate::{
    model::{Bytes, Stop},
    service::{
        Service, ServiceError,
        request::{AdaptRequest, AdaptResponse, LimitsRequest, ResolveRequest},
    },
};

/// What adapting one message will take.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Foreseen {
    /// The memory that it will hold at once.
    pub memory: Bytes,
    /// CPU time, in milliseconds of one core.
    pub cpu_ms: f64,
    /// The most bytes that the result can have.
    pub at_most: Bytes,
}

/// What a run needs of the engine; the tests bring their own.
pub trait Engine: Sync {
    /// What adapting will take, found out without encoding.
    ///
    /// # Errors
    /// A typed refusal.
    fn foresee(&self, request: AdaptRequest, stop: &Stop) -> Result<Foreseen, ServiceError>;

    /// Adapts one message.
    ///
    /// # Errors
    /// A typed refusal.
    fn adapt(&self, request: AdaptRequest, stop: &Stop) -> Result<AdaptResponse, ServiceError>;

    /// All that a result depends on besides the input and the request: documents, limits.
    fn circumstances(&self, request: &AdaptRequest) -> String;
}

impl Engine for Service {
    fn foresee(&self, request: AdaptRequest, stop: &Stop) -> Result<Foreseen, ServiceError> {
        self.plan(request, stop).map(|plan| Foreseen {
            memory: plan.cost_memory,
            cpu_ms: plan.cost_cpu_ms,
            at_most: plan.report.wire_bytes_after,
        })
    }

    fn adapt(&self, request: AdaptRequest, stop: &Stop) -> Result<AdaptResponse, ServiceError> {
        Self::adapt(self, request, stop)
    }

    fn circumstances(&self, request: &AdaptRequest) -> String {
        let device = self.resolve(ResolveRequest {
            device: request.device.clone(),
            carrier: request.carrier.clone(),
        });
        let limits = request.carrier.as_ref().map(|carrier| {
            self.lookup_limits(LimitsRequest {
                carrier: carrier.clone(),
                sender: request.sender,
                interface: request.interface,
            })
        });
        let config = self.config();
        format!("{device:?} {limits:?} {:?} {:?}", config.parse, config.decode)
    }
}
