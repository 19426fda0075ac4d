//! ProfileService.

use tonic::{Request, Response, Status};

use super::{
    deadline::deadline,
    status::from_error,
    v1::{self, profile_service_server::ProfileService},
};
use crate::{
    offload::Offload,
    service::request::{LimitsRequest, ResolveRequest},
};

/// ProfileService over a [`Service`](crate::service::Service).
#[derive(Clone)]
pub struct Profiles {
    offload: Offload,
}

impl Profiles {
    /// Over the service behind `offload`.
    pub fn new(offload: Offload) -> Self {
        Self { offload }
    }
}

#[tonic::async_trait]
impl ProfileService for Profiles {
    async fn resolve(
        &self,
        request: Request<v1::ResolveRequest>,
    ) -> Result<Response<v1::ResolveResponse>, Status> {
        let deadline = deadline(&request);
        let mut request = ResolveRequest::try_from(request.into_inner())?;
        self.offload.fetch_profiles([&mut request.device], deadline).await;
        self.offload
            .quick(deadline, move |service, _| service.resolve(request))
            .await
            .map(|resolution| Response::new(resolution.into()))
            .map_err(from_error)
    }

    async fn list_devices(
        &self,
        request: Request<v1::ListDevicesRequest>,
    ) -> Result<Response<v1::ListDevicesResponse>, Status> {
        // Off the async threads: it reads every document of the store.
        let devices = self
            .offload
            .quick(deadline(&request), |service, _| Ok(service.devices()))
            .await
            .map_err(from_error)?;
        let devices = devices.into_iter().map(Into::into).collect();
        Ok(Response::new(v1::ListDevicesResponse { devices }))
    }

    async fn list_carriers(
        &self,
        _request: Request<v1::ListCarriersRequest>,
    ) -> Result<Response<v1::ListCarriersResponse>, Status> {
        let carriers = self.offload.service().carriers().into_iter().map(Into::into).collect();
        Ok(Response::new(v1::ListCarriersResponse { carriers }))
    }

    async fn lookup_limits(
        &self,
        request: Request<v1::LookupLimitsRequest>,
    ) -> Result<Response<v1::LookupLimitsResponse>, Status> {
        let request = LimitsRequest::try_from(request.into_inner())?;
        self.offload
            .service()
            .lookup_limits(request)
            .map(|limits| Response::new(limits.into()))
            .map_err(from_error)
    }
}
