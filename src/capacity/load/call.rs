//! One call, and whether its answer is what it should be.

use std::time::{Duration, Instant};

use tonic::{Code, Request, Status, metadata::AsciiMetadataValue, transport::Channel};

use super::{mix::Prepared, seen::Outcome};
use crate::{
    grpc::v1::{
        self, adapt_request, adapt_response, adaptation_service_client::AdaptationServiceClient,
    },
    model::Dimensions,
};

/// How calls are made.
#[derive(Clone, Debug)]
pub struct Terms {
    /// What a caller gives a call.
    pub deadline: Duration,
    /// `Bearer …`, where the service asks who calls.
    pub authorization: Option<AsciiMetadataValue>,
}

/// What is sent for a message of this kind.
pub fn request(kind: &Prepared, number: u64, pick: usize) -> v1::AdaptRequest {
    let side = |of: fn(Dimensions) -> u32| kind.max_image.map(of);
    let limits = v1::LimitOverrides {
        max_message_bytes: kind.max_bytes.and_then(|bytes| u32::try_from(bytes.get()).ok()),
        max_image_width: side(Dimensions::width),
        max_image_height: side(Dimensions::height),
        replace: false,
    };
    let device = v1::DeviceDescription { device_id: kind.device.clone(), ..Default::default() };
    v1::AdaptRequest {
        content: Some(adapt_request::Content::MmsPdu(kind.message(number, pick))),
        device: (!kind.device.is_empty()).then_some(device),
        carrier: kind.carrier.clone(),
        limits: Some(limits),
        ..Default::default()
    }
}

/// Calls, and tells what became of it and how long it took.
pub async fn send(
    mut client: AdaptationServiceClient<Channel>,
    terms: &Terms,
    message: v1::AdaptRequest,
) -> (Outcome, Duration) {
    let limit = message.limits.and_then(|limits| limits.max_message_bytes);
    let mut request = Request::new(message);
    request.set_timeout(terms.deadline);
    if let Some(value) = &terms.authorization {
        request.metadata_mut().insert("authorization", value.clone());
    }
    let sent = Instant::now();
    let answer = client.adapt(request).await;
    let took = sent.elapsed();
    let outcome = match answer {
        Ok(answer) => judge(answer.get_ref(), limit),
        Err(status) => refusal(&status),
    };
    (outcome, took)
}

fn refusal(status: &Status) -> Outcome {
    match status.code() {
        Code::ResourceExhausted => Outcome::Refused,
        Code::FailedPrecondition => Outcome::CannotFit,
        code => Outcome::Failed(format!("{code:?}")),
    }
}

/// Holds an answer against what was asked and against itself.
fn judge(answer: &v1::AdaptResponse, asked: Option<u32>) -> Outcome {
    let wrong = |what: &str| Outcome::Wrong(what.to_owned());
    let Some(adapt_response::Content::MmsPdu(message)) = &answer.content else {
        return wrong("not the form that was sent");
    };
    let Some(report) = &answer.report else { return wrong("no report") };
    let bytes = message.len() as u64;
    let in_force = report.limit.as_ref().map(|limit| limit.bytes);
    if asked.into_iter().chain(in_force).any(|limit| bytes > u64::from(limit)) {
        return wrong("over the limit");
    }
    if u64::from(report.wire_bytes_after) != bytes {
        return wrong("not as many bytes as the report says");
    }
    // X-Mms-Message-Type (OMA-TS-MMS_ENC §7.3.30) comes first.
    if message.first() != Some(&0x8c) {
        return wrong("no MMS PDU");
    }
    Outcome::Answered {
        reused: report.account.as_ref().is_some_and(|account| account.reused),
        unchanged: report.outcome() == v1::Outcome::Unchanged,
        reduced: report.warnings.iter().any(|warning| warning.code == "EFFORT_REDUCED"),
    }
}
