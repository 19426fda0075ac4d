//! One message through both lanes: planned on the quick one, encoded on the other, unless somebody else
//! had the same encoded.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use tokio::time::timeout_at;

use super::{
    Offload, Priority,
    door::{MAX_WAIT, Ticket},
    results::{self, Key, Results, Unkept},
};
use crate::{
    model::StopCause,
    service::{
        Begun, EncodedMessage, PlannedMessage, ServiceError,
        request::{AdaptRequest, AdaptResponse},
    },
};

/// How a call is to be treated.
#[derive(Clone, Copy)]
struct Call {
    priority: Priority,
    deadline: Option<Instant>,
}

impl Offload {
    /// Adapts one message: planned on the quick lane, encoded, where it has to be, on the other.
    ///
    /// # Errors
    /// As [`Offload::run`]; `Busy`, too, where an interactive call would wait too long.
    pub async fn adapt(
        &self,
        request: AdaptRequest,
        priority: Priority,
        deadline: Option<Instant>,
    ) -> Result<AdaptResponse, ServiceError> {
        let result = self.adapt_uncounted(request, priority, deadline).await;
        self.metrics.message(&result);
        result
    }

    async fn adapt_uncounted(
        &self,
        mut request: AdaptRequest,
        priority: Priority,
        deadline: Option<Instant>,
    ) -> Result<AdaptResponse, ServiceError> {
        self.fetch_profiles([&mut request.device], deadline).await;
        // Before the cache is asked, too: what was encoded of the same bytes yesterday may be known today.
        self.scan(&mut request, "Adapt", deadline).await?;
        let asked = Instant::now();
        let results = self.results.clone();
        // Effort falls before calls are refused.
        let request = if self.brown_out && self.work.is_standing() {
            let request = request.with_less_effort();
            if request.reduced_from.is_some() {
                self.metrics.effort_reduced();
            }
            request
        } else {
            request
        };
        let begun = self.quick(deadline, move |service, stop| {
            let begun = service.begin(AdaptRequest { queued: asked.elapsed(), ..request }, stop)?;
            let key = match (&begun, results) {
                (Begun::Planned(planned), Some(results)) => {
                    Some((results::key(service, planned)?, results))
                }
                _ => None,
            };
            Ok((begun, key))
        });
        let call = Call { priority, deadline };
        match begun.await? {
            (Begun::Done(answer), _) => Ok(*answer),
            (Begun::Planned(planned), None) => Ok(self.encode(*planned, call).await?.0),
            (Begun::Planned(planned), Some((key, results))) => {
                self.encode_once(*planned, key, &results, call).await
            }
        }
    }

    /// Encodes, unless that was done, or is being done, for another call that asks the same.
    async fn encode_once(
        &self,
        planned: PlannedMessage,
        key: Key,
        results: &Results,
        call: Call,
    ) -> Result<AdaptResponse, ServiceError> {
        let caller = planned.caller().clone();
        // Taken by the one who encodes, who then has its answer at once.
        let (mut own, mut answer) = (Some(planned), None);
        let shared = results.get(key, async {
            let planned = own.take().ok_or(Unkept)?;
            let (response, encoded) = match self.encode(planned, call).await {
                Ok((response, encoded)) => (Ok(response), encoded),
                Err(error) => (Err(error), None),
            };
            answer = Some(response);
            encoded.ok_or(Unkept)
        });
        let shared = match call.deadline {
            None => shared.await,
            Some(deadline) => timeout_at(deadline.into(), shared).await.map_err(|_| {
                let error = ServiceError::stopped(StopCause::Deadline);
                caller.log_refusal("Adapt", &error);
                error
            })?,
        };
        match (answer, own, shared) {
            (Some(answer), ..) => answer,
            (None, Some(planned), Ok(encoded)) => self.reuse(planned, encoded, call).await,
            // What the other call came to is no answer to this one.
            (None, Some(planned), Err(Unkept)) => Ok(self.encode(planned, call).await?.0),
            (None, None, _) => Err(ServiceError::internal("JOB_LOST", "the job was lost")),
        }
    }

    /// Encodes on the work lane. What it came to is told, too, if another attempt would come to the
    /// same.
    async fn encode(
        &self,
        mut planned: PlannedMessage,
        Call { priority, deadline }: Call,
    ) -> Result<(AdaptResponse, Option<Arc<EncodedMessage>>), ServiceError> {
        let price = Duration::from_secs_f64(planned.cpu_ms().clamp(0.0, 3.6e6) / 1e3);
        let max_wait = (priority == Priority::Interactive).then_some(MAX_WAIT);
        let client = planned.client().into();
        let memory = planned.memory();
        let ticket = Ticket { client, price: Some(price), memory, max_wait };
        let asked = Instant::now();
        let (caller, begun) = (planned.caller().clone(), Arc::new(AtomicBool::new(false)));
        let at_work = Arc::clone(&begun);
        let done = self.pass(self.work_lane(), ticket, deadline, move |service, stop| {
            at_work.store(true, Ordering::Relaxed);
            planned.wait(asked.elapsed());
            let began = Instant::now();
            let encoded = service.encode(&planned, stop)?;
            let repeatable = encoded.is_repeatable() && stop.check().is_ok();
            let answer = service.assemble(planned, &encoded)?;
            Ok((answer, repeatable.then(|| Arc::new(encoded)), began.elapsed()))
        });
        let (answer, encoded, took) = done.await.inspect_err(|error| {
            // What becomes of it at work the service logs.
            if !begun.load(Ordering::Relaxed) {
                caller.log_refusal("Adapt", error);
            }
        })?;
        let cost = answer.report.account.as_ref().map_or(0.0, |account| account.cpu_ms);
        let cost = Duration::from_secs_f64(cost.clamp(0.0, 3.6e6) / 1e3);
        // By the clock: what others do on the same machine makes a queue slower, too.
        self.work.learn(price, took);
        self.metrics.price(price, cost);
        Ok((answer, encoded))
    }

    /// Puts parts that were encoded before into a message of its own.
    async fn reuse(
        &self,
        mut planned: PlannedMessage,
        encoded: Arc<EncodedMessage>,
        call: Call,
    ) -> Result<AdaptResponse, ServiceError> {
        let assembled = self.quick(call.deadline, move |service, _| {
            planned.reuse();
            service.assemble(planned, &encoded.at_no_cost())
        });
        assembled.await
    }
}
