//! AdaptMany: one job on the pool, its answers handed on as classes are done.

use std::time::{Duration, Instant};

use tokio::{runtime::Handle, sync::mpsc, time::timeout};
use tokio_stream::wrappers::ReceiverStream;
use tonic::Status;
use tracing::Instrument as _;

use super::{
    status::from_error,
    v1::{self, adapt_many_response::Result as Outcome},
};
use crate::{
    offload::Offload,
    service::{
        many::{ManyAnswer, Recipient},
        request::AdaptRequest,
    },
};

/// A caller that takes no answer for this long has left: the work holds a place on the pool.
const PATIENCE: Duration = Duration::from_secs(30);

/// What the caller gets: answers, and at the end a status if all of it failed.
pub type Item = Result<v1::AdaptManyResponse, Status>;

/// Starts the work; the answers end when every recipient has one.
pub fn run(
    offload: Offload,
    request: AdaptRequest,
    recipients: Vec<Recipient>,
    deadline: Option<Instant>,
) -> ReceiverStream<Item> {
    let (answers, receiver) = mpsc::channel(1);
    let work = async move {
        let sender = answers.clone();
        let (runtime, metrics) = (Handle::current(), offload.metrics().clone());
        let (mut request, mut recipients) = (request, recipients);
        let work = async {
            let devices = recipients.iter_mut().map(|recipient| &mut recipient.device);
            offload.fetch_profiles(devices, deadline).await;
            offload.scan(&mut request, "AdaptMany", deadline).await?;
            offload
                .run(deadline, move |service, stop| {
                    let ids: Vec<String> = recipients.iter().map(|r| r.id.clone()).collect();
                    service.adapt_many(request, &recipients, stop, &mut |answer| {
                        metrics.message(&answer.result);
                        let answer = Ok(answered(&ids, answer));
                        let taken = runtime
                            .block_on(async { timeout(PATIENCE, sender.send(answer)).await });
                        matches!(taken, Ok(Ok(())))
                    })
                })
                .await
        };
        tokio::select! {
            // Dropping it stops the work.
            () = answers.closed() => {}
            done = work => {
                if let Err(error) = done {
                    // All of it: no recipient's answer was counted for this.
                    offload.metrics().refused(&error);
                    let _ = answers.send(Err(from_error(error))).await;
                }
            }
        }
    };
    tokio::spawn(work.in_current_span());
    ReceiverStream::new(receiver)
}

fn answered(ids: &[String], answer: ManyAnswer) -> v1::AdaptManyResponse {
    let response = answer.result.and_then(v1::AdaptResponse::try_from);
    let result = match response {
        Ok(response) => Outcome::Response(response),
        Err(error) => Outcome::Error(from_error(error).into()),
    };
    let id = |index: &usize| ids.get(*index).cloned().unwrap_or_default();
    v1::AdaptManyResponse {
        recipient_ids: answer.recipients.iter().map(id).collect(),
        recipient_indices: answer.recipients.iter().map(|index| *index as u32).collect(),
        result: Some(result),
    }
}
