//! Answers for the wire.

use super::{count, enums::number};
use crate::{
    grpc::v1,
    message::PartData,
    model::Day,
    profile::{
        Resolution,
        carrier::{Carrier, CarrierLimit},
    },
    service::{
        ServiceError,
        request::{
            AdaptResponse, Content, DeviceSummary, LimitsResponse, PlanResponse, RouteLimit,
        },
    },
};

/// Fails only where the service answers with a bare file, which cannot be requested here.
impl TryFrom<AdaptResponse> for v1::AdaptResponse {
    type Error = ServiceError;

    fn try_from(response: AdaptResponse) -> Result<Self, ServiceError> {
        use v1::adapt_response::Content as Wire;

        let content = match response.content {
            Content::MmsPdu(bytes) => Wire::MmsPdu(bytes),
            Content::Mime(bytes) => Wire::Mime(bytes),
            Content::Parts { headers, parts } => Wire::Message(v1::Message {
                headers: headers
                    .into_iter()
                    .map(|(name, value)| v1::Header { name, value })
                    .collect(),
                parts: parts.into_iter().map(Into::into).collect(),
            }),
            Content::Bare { .. } => {
                return Err(ServiceError::internal("BARE_ANSWER", "the answer is a bare file"));
            }
        };
        Ok(Self {
            request_id: response.request_id,
            content: Some(content),
            report: Some(response.report.into()),
        })
    }
}

impl From<PartData> for v1::Part {
    fn from(part: PartData) -> Self {
        Self {
            content_type: part.content_type,
            content_id: part.content_id,
            content_location: part.content_location,
            name: part.name,
            data: part.data,
        }
    }
}

impl From<PlanResponse> for v1::PlanResponse {
    fn from(plan: PlanResponse) -> Self {
        Self {
            request_id: plan.request_id,
            report: Some(plan.report.into()),
            limits: Some(plan.limits.into()),
            cost_cpu_ms: plan.cost_cpu_ms,
            cost_memory_bytes: count(plan.cost_memory),
        }
    }
}

impl From<Resolution> for v1::ResolveResponse {
    fn from(resolution: Resolution) -> Self {
        Self {
            capabilities: Some(resolution.capabilities.into()),
            repairs: resolution.repairs.into_iter().map(Into::into).collect(),
        }
    }
}

impl From<DeviceSummary> for v1::DeviceSummary {
    fn from(device: DeviceSummary) -> Self {
        Self {
            id: device.id,
            vendor: device.vendor,
            model: device.model,
            max_message_bytes: count(device.max_message_bytes),
            max_image: Some(device.max_image.into()),
            embedded: device.embedded,
        }
    }
}

impl From<Carrier> for v1::Carrier {
    fn from(carrier: Carrier) -> Self {
        Self {
            name: carrier.name,
            title: carrier.title,
            country: carrier.country,
            mcc_mnc: carrier.mcc_mnc,
            limits: carrier.limits.into_iter().map(Into::into).collect(),
            max_image: carrier.max_image.map(Into::into),
            default_device: carrier.default_device.unwrap_or_default(),
            policy: carrier.settings.stated.into_iter().collect(),
        }
    }
}

impl From<CarrierLimit> for v1::CarrierLimit {
    fn from(limit: CarrierLimit) -> Self {
        Self {
            kind: number(limit.kind),
            interface: limit.interface.map(number).unwrap_or_default(),
            sender_type: limit.sender.map(number).unwrap_or_default(),
            bytes: count(limit.bytes),
            counting: number(limit.counting),
            source: limit.source,
            date: limit.date,
            valid_from: day(limit.from),
            valid_until: day(limit.until),
        }
    }
}

impl From<LimitsResponse> for v1::LookupLimitsResponse {
    fn from(limits: LimitsResponse) -> Self {
        Self {
            carrier: limits.carrier,
            title: limits.title,
            limits: limits.limits.into_iter().map(Into::into).collect(),
            image: limits.image.map(Into::into),
            policy: limits.policy.into_iter().collect(),
        }
    }
}

/// As `YYYY-MM-DD`; empty for none.
fn day(day: Option<Day>) -> String {
    day.map_or_else(String::new, |day| day.to_string())
}

impl From<RouteLimit> for v1::RouteLimit {
    fn from(route: RouteLimit) -> Self {
        Self {
            interface: number(route.interface),
            sender_type: route.sender.map(number).unwrap_or_default(),
            limit: Some(route.limit.into()),
            source: route.source,
            date: route.date,
            valid_from: day(route.from),
            valid_until: day(route.until),
            binds: route.binds,
        }
    }
}
