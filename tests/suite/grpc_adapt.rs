//! Adapt, Plan, AdaptStream and Resolve with the real engine behind a real connection.

use mmsfit::grpc::v1::{
    self, adapt_request::Content, adapt_response::Content as Answer,
    adapt_stream_response::Result as Outcome, adaptation_service_client::AdaptationServiceClient,
    profile_service_client::ProfileServiceClient,
};
use tokio_stream::StreamExt as _;
use tonic::{Code, transport::Channel};
use tonic_types::StatusExt as _;

use crate::support::photos::{IMAGE_JPEG, TEXT_PLAIN, pdu, photo};
use crate::support::server::{Running, service};

const LIMIT: u32 = 60_000;

fn request(id: &str, pdu: Vec<u8>, max_message_bytes: u32) -> v1::AdaptRequest {
    v1::AdaptRequest {
        request_id: id.into(),
        content: Some(Content::MmsPdu(pdu.into())),
        limits: Some(v1::LimitOverrides {
            max_message_bytes: Some(max_message_bytes),
            max_image_width: Some(640),
            max_image_height: Some(480),
            replace: false,
        }),
        ..Default::default()
    }
}

fn photo_message() -> Vec<u8> {
    pdu(&[(TEXT_PLAIN, "hello.txt", b"hello"), (IMAGE_JPEG, "photo.jpg", &photo(1600, 1200))])
}

async fn client(server: &Running) -> AdaptationServiceClient<Channel> {
    AdaptationServiceClient::new(server.channel().await)
}

fn answered_pdu(response: &v1::AdaptResponse) -> &[u8] {
    match &response.content {
        Some(Answer::MmsPdu(bytes)) => bytes,
        other => panic!("a PDU came and no PDU goes: {other:?}"),
    }
}

#[tokio::test]
async fn a_photo_is_made_to_fit_and_the_report_tells_the_truth() {
    let server = Running::start(service(2)).await;
    let sent = photo_message();
    let came = u32::try_from(sent.len()).expect("small");
    let response = client(&server)
        .await
        .adapt(request("r1", sent, LIMIT))
        .await
        .expect("it fits")
        .into_inner();
    assert_eq!(response.request_id, "r1");
    let got = answered_pdu(&response);
    let report = response.report.as_ref().expect("always there");
    assert!(got.len() <= LIMIT as usize, "{} bytes", got.len());
    assert_eq!(report.wire_bytes_after as usize, got.len());
    assert_eq!(report.wire_bytes_before, came);
    assert_eq!(report.outcome(), v1::Outcome::Minor);
    let limit = report.limit.as_ref().expect("the request set one");
    assert_eq!((limit.bytes, limit.source()), (LIMIT, v1::LimitSource::Request));
    let [text, photo] = report.parts.as_slice() else { panic!("two parts: {report:?}") };
    assert_eq!((text.part_index, text.action()), (0, v1::Action::Keep));
    assert_eq!((photo.part_index, photo.action()), (1, v1::Action::Transcode));
    let after = photo.after.as_ref().expect("not dropped");
    let shown = after.dimensions.as_ref().expect("an image");
    assert!(shown.width <= 640 && shown.height <= 480, "{shown:?}");
    assert!(after.bytes < LIMIT && photo.encodes >= 1 && !photo.reasons.is_empty());
    assert!(report.capabilities.is_none(), "only on demand");
}

#[tokio::test]
async fn what_fits_passes_bit_for_bit() {
    let server = Running::start(service(1)).await;
    let sent = pdu(&[(IMAGE_JPEG, "photo.jpg", &photo(160, 120))]);
    let mut asked = request("same", sent.clone(), 300_000);
    asked.report_level = v1::ReportLevel::Full.into();
    let response = client(&server).await.adapt(asked).await.expect("it fits").into_inner();
    assert_eq!(answered_pdu(&response), sent);
    let report = response.report.expect("always there");
    assert_eq!(report.outcome(), v1::Outcome::Unchanged);
    assert!(report.capabilities.is_some(), "asked for");
}

#[tokio::test]
async fn the_form_asked_for_comes_back() {
    let server = Running::start(service(1)).await;
    let mut asked = request("parts", photo_message(), LIMIT);
    asked.output_form = v1::Form::Message.into();
    let response = client(&server).await.adapt(asked).await.expect("it fits").into_inner();
    let Some(Answer::Message(message)) = response.content else { panic!("parts were asked for") };
    assert_eq!(message.parts.len(), 2);
    assert!(message.parts[1].content_type.starts_with("image/jpeg"));
    assert!(message.parts[1].data.starts_with(&[0xff, 0xd8]));
}

#[tokio::test]
async fn what_cannot_fit_is_refused_with_the_smallest_size() {
    let server = Running::start(service(1)).await;
    let text = vec![b'a'; 20_000];
    let sent = pdu(&[(TEXT_PLAIN, "long.txt", &text)]);
    let status = client(&server).await.adapt(request("r", sent, 10_000)).await.expect_err("text");
    assert_eq!(status.code(), Code::FailedPrecondition, "{status:?}");
    let details = status.get_error_details();
    let metadata = &details.error_info().expect("always there").metadata;
    let number = |key: &str| metadata[key].parse::<u64>().expect("a number");
    assert_eq!(number("limit_bytes"), 10_000);
    assert!(number("smallest_reachable_bytes") >= 20_000);
}

#[tokio::test]
async fn a_device_that_forbids_adaptation_is_obeyed() {
    let server = Running::start(service(1)).await;
    let forbidding = |max_message_bytes| {
        let mut asked = request("no", photo_message(), max_message_bytes);
        asked.device = Some(v1::DeviceDescription {
            capabilities: Some(v1::InlineCapabilities {
                suppress_adaptation: Some(true),
                ..Default::default()
            }),
            ..Default::default()
        });
        asked
    };
    let mut client = client(&server).await;
    let status = client.adapt(forbidding(LIMIT)).await.expect_err("too large as it is");
    assert_eq!(status.code(), Code::FailedPrecondition, "{status:?}");
    let details = status.get_error_details();
    let info = details.error_info().expect("always there");
    assert_eq!(info.reason, "ADAPTATION_NOT_ALLOWED");
    assert_eq!(info.metadata["limit_bytes"], LIMIT.to_string());
    let came = photo_message().len();
    assert_eq!(info.metadata["smallest_reachable_bytes"], came.to_string());

    // Larger than the maximum image dimensions, yet within the byte limit: it passes as it is.
    let response = client.adapt(forbidding(1_000_000)).await.expect("it may pass").into_inner();
    assert_eq!(answered_pdu(&response), photo_message());
    let report = response.report.expect("always there");
    assert_eq!(report.parts[1].reasons[0].code(), v1::ReasonCode::AdaptationNotAllowed);
}

#[tokio::test]
async fn what_is_counted_follows_the_interface() {
    let server = Running::start(service(1)).await;
    let mut asked = request("mm4", photo_message(), LIMIT);
    asked.interface = v1::Interface::Mm4.into();
    let response = client(&server).await.adapt(asked).await.expect("it fits").into_inner();
    let report = response.report.as_ref().expect("always there");
    // Base64 takes a third more than the binary PDU that is answered.
    assert!(report.wire_bytes_after <= LIMIT);
    assert!(answered_pdu(&response).len() < LIMIT as usize * 77 / 100);
}

#[tokio::test]
async fn a_default_yields_to_what_the_request_states() {
    let server = Running::start(service(1)).await;
    let mut client = client(&server).await;
    let mut asked = request("default", photo_message(), LIMIT);
    asked.limits = None;
    let report = client.adapt(asked).await.expect("it fits").into_inner().report;
    let limit = report.expect("always there").limit.expect("a default");
    assert_eq!(limit.source(), v1::LimitSource::Default);
    let wider = limit.bytes.saturating_mul(3);
    let report = client.adapt(request("wider", photo_message(), wider)).await;
    let report = report.expect("it fits").into_inner().report.expect("always there");
    let limit = report.limit.expect("the request's");
    assert_eq!((limit.bytes, limit.source()), (wider, v1::LimitSource::Request));
}

#[tokio::test]
async fn a_malformed_message_is_the_callers_fault() {
    let server = Running::start(service(1)).await;
    let mut sent = photo_message();
    sent.truncate(200);
    let status = client(&server).await.adapt(request("r", sent, LIMIT)).await.expect_err("cut");
    assert_eq!(status.code(), Code::InvalidArgument, "{status:?}");
}

#[tokio::test]
async fn a_plan_tells_what_adapt_does() {
    let server = Running::start(service(1)).await;
    let asked = v1::PlanRequest { request: Some(request("plan", photo_message(), LIMIT)) };
    let plan = client(&server).await.plan(asked).await.expect("a plan").into_inner();
    assert_eq!(plan.request_id, "plan");
    let report = plan.report.expect("always there");
    assert!(report.wire_bytes_after <= LIMIT);
    assert_eq!(report.parts[1].action(), v1::Action::Transcode);
    assert!(report.parts[1].budget_bytes.is_some_and(|budget| budget < LIMIT));
    assert!(plan.cost_cpu_ms > 0.0 && plan.cost_memory_bytes > 0);
    assert!(plan.limits.expect("always there").wire.iter().any(|limit| limit.bytes == LIMIT));
}

#[tokio::test]
async fn a_stream_adapts_each_message() {
    let server = Running::start(service(2)).await;
    let message = photo_message();
    let items: Vec<_> = (0..8)
        .map(|i| {
            let request = Some(request(&format!("r{i}"), message.clone(), LIMIT));
            v1::AdaptStreamRequest { request }
        })
        .collect();
    let answers = client(&server).await.adapt_stream(tokio_stream::iter(items)).await;
    let answers: Vec<_> = answers.expect("it starts").into_inner().collect().await;
    let mut pdus = Vec::new();
    for answer in answers {
        let answer = answer.expect("the stream lives");
        assert_eq!(answer.request_id, format!("r{}", answer.index));
        let Some(Outcome::Response(response)) = answer.result else { panic!("{answer:?}") };
        pdus.push(answered_pdu(&response).to_vec());
    }
    assert_eq!(pdus.len(), 8);
    assert!(pdus.windows(2).all(|pair| pair[0] == pair[1]), "same input, same bytes");
}

#[tokio::test]
async fn devices_resolve_by_name_and_unknown_ones_are_refused() {
    let server = Running::start(service(1)).await;
    let mut client = ProfileServiceClient::new(server.channel().await);
    let devices = client.list_devices(v1::ListDevicesRequest {}).await.expect("a list");
    let first = devices.into_inner().devices.swap_remove(0);
    let ask = |device_id: &str| v1::ResolveRequest {
        device: Some(v1::DeviceDescription { device_id: device_id.into(), ..Default::default() }),
        carrier: String::new(),
    };
    let resolved = client.resolve(ask(&first.id)).await.expect("listed").into_inner();
    let capabilities = resolved.capabilities.expect("always there");
    let size = capabilities.max_message_bytes.expect("always there");
    assert_eq!(size.value, first.max_message_bytes);
    assert_eq!(size.provenance.expect("always there").source(), v1::Source::DeviceId);

    let status = client.resolve(ask("no-such-phone")).await.expect_err("unknown");
    assert_eq!(status.code(), Code::InvalidArgument, "{status:?}");
    let details = status.get_error_details();
    let violations = &details.bad_request().expect("a field is at fault").field_violations;
    assert_eq!(violations[0].field, "device.device_id");
}

#[tokio::test]
async fn one_message_for_many_recipients_is_answered_class_by_class() {
    let server = Running::start(service(2)).await;
    let recipient = |n: usize| v1::Recipient {
        recipient_id: format!("r{n}"),
        device: Some(v1::DeviceDescription {
            device_id: ["nokia-6600", "google-pixel-8", "no-such-phone"][n % 3].into(),
            ..Default::default()
        }),
        carrier: String::new(),
    };
    let request = v1::AdaptManyRequest {
        request: Some(v1::AdaptRequest { limits: None, ..request("m", photo_message(), 0) }),
        recipients: (0..9).map(recipient).collect(),
    };
    let mut client = client(&server).await;
    let mut answers = client.adapt_many(request.clone()).await.expect("it starts").into_inner();
    let (mut seen, mut count) = (Vec::new(), 0);
    while let Some(answer) = answers.next().await {
        use v1::adapt_many_response::Result as Many;
        let answer = answer.expect("no answer fails the stream");
        let names: Vec<String> =
            answer.recipient_indices.iter().map(|index| format!("r{index}")).collect();
        assert_eq!(names, answer.recipient_ids);
        match answer.result.expect("one or the other") {
            Many::Response(response) => {
                assert_eq!(response.request_id, "m");
                assert!(!answered_pdu(&response).is_empty());
                assert_eq!(names.len(), 3);
            }
            Many::Error(status) => assert_eq!(status.code, Code::InvalidArgument as i32),
        }
        seen.extend(answer.recipient_indices);
        count += 1;
    }
    seen.sort_unstable();
    assert_eq!(seen, (0..9).collect::<Vec<u32>>());
    // Two classes, and three who are unknown, each told so.
    assert_eq!(count, 5);
    let nobody = v1::AdaptManyRequest { recipients: Vec::new(), ..request };
    let refused = client.adapt_many(nobody).await.expect_err("nobody");
    assert_eq!(refused.code(), Code::InvalidArgument);
    let bad = refused.get_details_bad_request().expect("details");
    assert_eq!(bad.field_violations[0].field, "recipients");
}
