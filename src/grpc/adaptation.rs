//! AdaptationService.

use std::time::Instant;

use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status, Streaming};

use super::{
    clients::{asked, client},
    deadline::deadline,
    many,
    status::from_error,
    stream::{self, Item},
    v1::{self, adaptation_service_server::AdaptationService},
};
use crate::{
    offload::{Offload, Priority},
    service::{many::Recipient, request::AdaptRequest},
};

/// AdaptationService over a [`Service`](crate::service::Service).
#[derive(Clone)]
pub struct Adaptation {
    offload: Offload,
}

impl Adaptation {
    /// Over the service behind `offload`.
    pub fn new(offload: Offload) -> Self {
        Self { offload }
    }
}

#[tonic::async_trait]
impl AdaptationService for Adaptation {
    async fn adapt(
        &self,
        request: Request<v1::AdaptRequest>,
    ) -> Result<Response<v1::AdaptResponse>, Status> {
        let (deadline, client) = (deadline(&request), client(&request));
        let request = asked(AdaptRequest::try_from(request.into_inner())?, client)?;
        self.offload
            .adapt(request, Priority::Interactive, deadline)
            .await
            .and_then(v1::AdaptResponse::try_from)
            .map(Response::new)
            .map_err(from_error)
    }

    async fn plan(
        &self,
        request: Request<v1::PlanRequest>,
    ) -> Result<Response<v1::PlanResponse>, Status> {
        let (deadline, client) = (deadline(&request), client(&request));
        let mut request = asked(AdaptRequest::try_from(request.into_inner())?, client)?;
        self.offload.fetch_profiles([&mut request.device], deadline).await;
        let asked = Instant::now();
        self.offload
            .quick(deadline, move |service, stop| {
                let queued = asked.elapsed();
                service.plan(AdaptRequest { queued, ..request }, stop)
            })
            .await
            .map(|plan| Response::new(plan.into()))
            .map_err(from_error)
    }

    type AdaptStreamStream = ReceiverStream<Item>;

    async fn adapt_stream(
        &self,
        request: Request<Streaming<v1::AdaptStreamRequest>>,
    ) -> Result<Response<Self::AdaptStreamStream>, Status> {
        let (deadline, client) = (deadline(&request), client(&request));
        let caller = stream::Caller { client, deadline };
        let answers = stream::run(self.offload.clone(), request.into_inner(), caller);
        Ok(Response::new(answers))
    }

    type AdaptManyStream = ReceiverStream<many::Item>;

    async fn adapt_many(
        &self,
        request: Request<v1::AdaptManyRequest>,
    ) -> Result<Response<Self::AdaptManyStream>, Status> {
        let (deadline, client) = (deadline(&request), client(&request));
        let (request, recipients): (AdaptRequest, Vec<Recipient>) =
            request.into_inner().try_into()?;
        if let Some(client) = &client {
            let mut carriers = recipients.iter().map(|recipient| recipient.carrier.as_deref());
            carriers.try_for_each(|carrier| client.check_carrier(carrier))?;
        }
        let request = asked(request, client)?;
        let answers = many::run(self.offload.clone(), request, recipients, deadline);
        Ok(Response::new(answers))
    }
}
