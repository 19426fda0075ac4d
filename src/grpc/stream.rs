//! AdaptStream: reads items, keeps a bounded number of them at work, answers as they finish.
//!
//! Backpressure both ways: nothing is read while all places are taken, and a place is free only
//! when its answer has been handed on. Dropping stops the work: the answers' receiver ends the
//! driver, the driver's set aborts its tasks, a task's future sets the flag of its work.

use std::{future::pending, sync::Arc, time::Instant};

use tokio::{
    sync::mpsc,
    task::JoinSet,
    time::{sleep_until, timeout_at},
};
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Status, Streaming};
use tracing::Instrument as _;

use super::{
    clients::{Client, asked},
    status::{from_error, typed},
    v1::{self, adapt_stream_response::Result as Outcome},
};
use crate::{
    model::StopCause,
    offload::{Offload, Priority},
    service::{ServiceError, request::AdaptRequest, span},
};

/// What the caller gets: answers, and at the end a status if the stream itself failed.
pub type Item = Result<v1::AdaptStreamResponse, Status>;

/// Items at work for each thread of the pool: one at work, one ready to follow.
const ITEMS_PER_THREAD: usize = 2;

/// Whose items they are, and until when.
#[derive(Clone)]
pub(super) struct Caller {
    pub client: Option<Arc<Client>>,
    pub deadline: Option<Instant>,
}

/// Starts to read `items`; the answers end when the items do, or with the stream's failure.
pub(super) fn run(
    offload: Offload,
    items: Streaming<v1::AdaptStreamRequest>,
    caller: Caller,
) -> ReceiverStream<Item> {
    let (answers, receiver) = mpsc::channel(1);
    let driver = async move {
        let driver = Driver { offload, items, caller, answers, work: JoinSet::new() };
        driver.run().await;
    };
    tokio::spawn(driver.in_current_span());
    ReceiverStream::new(receiver)
}

struct Driver {
    offload: Offload,
    items: Streaming<v1::AdaptStreamRequest>,
    caller: Caller,
    answers: mpsc::Sender<Item>,
    work: JoinSet<v1::AdaptStreamResponse>,
}

impl Driver {
    async fn run(mut self) {
        let places = self.offload.service().pool().size().saturating_mul(ITEMS_PER_THREAD);
        let mut next: u32 = 0;
        let mut open = true;
        // A failure of the stream is told last, after the answers to what came before it.
        let mut failure = None;
        while open || !self.work.is_empty() {
            tokio::select! {
                biased;
                () = self.answers.closed() => return,
                () = until(self.caller.deadline) => return self.expire().await,
                Some(done) = self.work.join_next(), if !self.work.is_empty() => {
                    let answer = done.map_err(|_| {
                        from_error(ServiceError::internal("JOB_LOST", "the job was lost"))
                    });
                    if !self.answer(answer).await {
                        return;
                    }
                }
                item = self.items.message(), if open && self.work.len() < places => match item {
                    Ok(Some(item)) => {
                        self.start(next, item);
                        next = next.saturating_add(1);
                    }
                    Ok(None) => open = false,
                    Err(status) => {
                        open = false;
                        failure = Some(typed(status, self.offload.service().config().max_request_bytes));
                    }
                },
            }
        }
        if let Some(status) = failure {
            self.answer(Err(status)).await;
        }
    }

    /// Puts an item to work.
    fn start(&mut self, index: u32, item: v1::AdaptStreamRequest) {
        let (offload, caller) = (self.offload.clone(), self.caller.clone());
        let work = async move {
            let request_id =
                item.request.as_ref().map(|r| r.request_id.clone()).unwrap_or_default();
            let result = match adapt(&offload, item, caller).await {
                Ok(response) => Outcome::Response(response),
                Err(status) => Outcome::Error(status.into()),
            };
            v1::AdaptStreamResponse { index, request_id, result: Some(result) }
        };
        self.work.spawn(work.instrument(span::message()));
    }

    /// Hands an answer on; waits while the caller does not read. False if the caller has left, or
    /// if the deadline came first.
    async fn answer(&self, answer: Item) -> bool {
        match self.caller.deadline {
            None => self.answers.send(answer).await.is_ok(),
            Some(deadline) => {
                matches!(timeout_at(deadline.into(), self.answers.send(answer)).await, Ok(Ok(())))
            }
        }
    }

    /// Ends the stream at its deadline; what is still at work stops.
    async fn expire(self) {
        let status = from_error(ServiceError::stopped(StopCause::Deadline));
        drop(self.work);
        // A caller that does not read at its own deadline has left.
        let _ = self.answers.try_send(Err(status));
    }
}

/// Adapts one item.
async fn adapt(
    offload: &Offload,
    item: v1::AdaptStreamRequest,
    caller: Caller,
) -> Result<v1::AdaptResponse, Status> {
    let request = asked(AdaptRequest::try_from(item)?, caller.client)?;
    offload
        .adapt(request, Priority::Bulk, caller.deadline)
        .await
        .and_then(v1::AdaptResponse::try_from)
        .map_err(from_error)
}

/// Never, without a deadline.
async fn until(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => sleep_until(deadline.into()).await,
        None => pending().await,
    }
}
