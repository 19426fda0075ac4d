//! The server as callers see it, on a real connection: health, reflection, typed refusals,
//! deadlines, cancellation, streams. What needs the engine itself is in `grpc_adapt.rs`.
//!
//! Long because all of them share how threads are held.

use std::{
    sync::{LazyLock, mpsc},
    time::Duration,
};

use bytes::Bytes as Buffer;
use mmsfit::{
    grpc::v1::{
        self, adapt_request::Content, adapt_stream_response::Result as Outcome,
        adaptation_service_client::AdaptationServiceClient,
        profile_service_client::ProfileServiceClient,
    },
    model::Stop,
    offload::{Load, Offload},
    service::{Service, ServiceError},
};
use tokio::task::JoinHandle;
use tokio_stream::{StreamExt as _, wrappers::ReceiverStream};
use tonic::{Code, Request, transport::Channel};
use tonic_health::pb::{HealthCheckRequest, health_client::HealthClient};
use tonic_types::StatusExt as _;

use crate::support::{
    photos::{IMAGE_JPEG, pdu, photo},
    server::{Running, eventually, service},
};

/// Bytes that are no message, whatever the engine can read: they reach it and fail there.
fn junk(request_id: &str) -> v1::AdaptRequest {
    v1::AdaptRequest {
        request_id: request_id.into(),
        content: Some(Content::MmsPdu(Buffer::from_static(b"\xff\xff\xff"))),
        ..Default::default()
    }
}

fn item(request_id: &str) -> v1::AdaptStreamRequest {
    v1::AdaptStreamRequest { request: Some(junk(request_id)) }
}

/// An image that has to be encoded: it waits where threads are held.
fn heavy(request_id: &str) -> v1::AdaptRequest {
    static MESSAGE: LazyLock<Buffer> =
        LazyLock::new(|| pdu(&[(IMAGE_JPEG, "a.jpg", &photo(32, 24)[..])]).into());
    let limits = v1::LimitOverrides {
        max_message_bytes: Some(8_000),
        max_image_width: Some(16),
        max_image_height: Some(12),
        replace: false,
    };
    v1::AdaptRequest {
        request_id: request_id.into(),
        content: Some(Content::MmsPdu(MESSAGE.clone())),
        limits: Some(limits),
        ..Default::default()
    }
}

fn heavy_item(request_id: &str) -> v1::AdaptStreamRequest {
    v1::AdaptStreamRequest { request: Some(heavy(request_id)) }
}

/// Holds every thread of the pool until dropped.
struct Hold {
    _release: Vec<mpsc::Sender<()>>,
    jobs: Vec<JoinHandle<Result<(), ServiceError>>>,
}

impl Hold {
    async fn all_threads_of(offload: &Offload) -> Self {
        let mut hold = Self { _release: Vec::new(), jobs: Vec::new() };
        for _ in 0..offload.service().pool().size() {
            let (release, released) = mpsc::channel::<()>();
            let offload = offload.clone();
            hold.jobs.push(tokio::spawn(async move {
                let wait = move |_: &Service, _: &Stop| {
                    let _ = released.recv();
                    Ok(())
                };
                offload.run(None, wait).await
            }));
            hold._release.push(release);
        }
        eventually("all threads are held", || {
            offload.load().running == offload.service().pool().size()
        })
        .await;
        hold
    }

    async fn release(self) {
        drop(self._release);
        for job in self.jobs {
            job.await.expect("no panic").expect("held to the end");
        }
    }
}

async fn adaptation(server: &Running) -> AdaptationServiceClient<Channel> {
    AdaptationServiceClient::new(server.channel().await)
}

async fn health(channel: &Channel, service: &str) -> Result<i32, Code> {
    let request = HealthCheckRequest { service: service.into() };
    let answer = HealthClient::new(channel.clone()).check(request).await;
    answer.map(|a| a.into_inner().status).map_err(|status| status.code())
}

#[tokio::test]
async fn health_serves_all_names() {
    const SERVING: i32 = 1;
    let server = Running::start(service(1)).await;
    let channel = server.channel().await;
    for name in ["", "mmsfit.v1.AdaptationService", "mmsfit.v1.ProfileService"] {
        assert_eq!(health(&channel, name).await, Ok(SERVING), "{name:?}");
    }
    assert_eq!(health(&channel, "mmsfit.v1.Other").await, Err(Code::NotFound));
}

#[tokio::test]
async fn reflection_lists_and_describes_in_both_versions() {
    use tonic_reflection::pb::{v1, v1alpha};

    let server = Running::start(service(1)).await;
    let wanted =
        ["grpc.health.v1.Health", "mmsfit.v1.AdaptationService", "mmsfit.v1.ProfileService"];
    macro_rules! check {
        ($version:ident) => {{
            use $version::{
                ServerReflectionRequest as Ask, server_reflection_client::ServerReflectionClient,
                server_reflection_request::MessageRequest,
                server_reflection_response::MessageResponse,
            };
            let ask = |request| Ask { host: String::new(), message_request: Some(request) };
            let asks = tokio_stream::iter([
                ask(MessageRequest::ListServices(String::new())),
                ask(MessageRequest::FileContainingSymbol("mmsfit.v1.AdaptationService".into())),
            ]);
            let mut client = ServerReflectionClient::new(server.channel().await);
            let mut answers =
                client.server_reflection_info(asks).await.expect("reflection is on").into_inner();
            let first = answers.message().await.expect("no error").expect("an answer");
            let Some(MessageResponse::ListServicesResponse(list)) = first.message_response else {
                panic!("no list: {first:?}");
            };
            let names: Vec<_> = list.service.iter().map(|s| s.name.as_str()).collect();
            assert!(wanted.iter().all(|name| names.contains(name)), "{names:?}");
            let second = answers.message().await.expect("no error").expect("an answer");
            let found = second.message_response;
            assert!(matches!(found, Some(MessageResponse::FileDescriptorResponse(_))), "{found:?}");
        }};
    }
    check!(v1);
    check!(v1alpha);
}

#[tokio::test]
async fn a_bad_request_names_its_fields() {
    let server = Running::start(service(1)).await;
    let mut request = junk("r");
    request.content = None;
    request.limits = Some(v1::LimitOverrides { max_image_width: Some(0), ..Default::default() });
    let status = adaptation(&server).await.adapt(request).await.expect_err("refused");
    assert_eq!(status.code(), Code::InvalidArgument);
    let details = status.get_error_details();
    let info = details.error_info().expect("always there");
    assert_eq!((info.domain.as_str(), info.reason.as_str()), ("mmsfit", "BAD_REQUEST"));
    let violations = &details.bad_request().expect("fields are at fault").field_violations;
    let fields: Vec<_> = violations.iter().map(|v| v.field.as_str()).collect();
    assert_eq!(fields, ["content", "limits.max_image_width"]);
}

#[tokio::test]
async fn errors_of_the_engine_are_typed() {
    let server = Running::start(service(1)).await;
    let status = adaptation(&server).await.adapt(junk("r")).await.expect_err("junk");
    let details = status.get_error_details();
    let info = details.error_info().expect("always there");
    assert_eq!(info.domain, "mmsfit");
    assert!(!info.reason.is_empty());
}

#[tokio::test]
async fn an_oversize_request_is_refused_by_type() {
    let server = Running::start(service(1)).await;
    let cap = server.offload.service().config().max_request_bytes;
    let mut client = adaptation(&server).await.max_encoding_message_size(usize::MAX);

    let mut request = junk("large");
    request.content = Some(Content::MmsPdu(vec![0xff; cap.as_usize() + 1].into()));
    let status = client.adapt(request.clone()).await.expect_err("too large");
    let typed = |status: &tonic::Status| {
        assert_eq!(status.code(), Code::ResourceExhausted, "{status:?}");
        let details = status.get_error_details();
        let info = details.error_info().expect("always there").clone();
        assert_eq!(info.reason, "REQUEST_TOO_LARGE");
        assert_eq!(info.metadata["limit_bytes"], cap.get().to_string());
        assert!(details.retry_info().is_none(), "trying again does not help");
    };
    typed(&status);

    // In a stream, what came before is answered first.
    let items = [item("fine"), v1::AdaptStreamRequest { request: Some(request) }];
    let mut answers =
        client.adapt_stream(tokio_stream::iter(items)).await.expect("it starts").into_inner();
    let first = answers.message().await.expect("no error yet").expect("an answer");
    assert_eq!(first.request_id, "fine");
    typed(&answers.message().await.expect_err("the stream ends"));

    // A request that just fits reaches the engine.
    let mut request = junk("fits");
    request.content = Some(Content::MmsPdu(vec![0xff; cap.as_usize() - 64].into()));
    let status = client.adapt(request).await.expect_err("junk");
    assert_ne!(status.code(), Code::ResourceExhausted, "{status:?}");
}

#[tokio::test]
async fn deadlines_are_kept_and_typed() {
    let server = Running::start(service(1)).await;
    let hold = Hold::all_threads_of(&server.offload).await;
    let mut request = Request::new(heavy("late"));
    // By hand: the client's own clock would otherwise end the call as well.
    request.metadata_mut().insert("grpc-timeout", "500m".parse().expect("ascii"));
    let status = adaptation(&server).await.adapt(request).await.expect_err("no thread is free");
    assert_eq!(status.code(), Code::DeadlineExceeded);
    let details = status.get_error_details();
    assert_eq!(
        details.error_info().expect("ours, not the client's own").reason,
        "DEADLINE_EXCEEDED"
    );
    assert_eq!(server.offload.load(), Load { running: 1, queued: 0 });
    hold.release().await;
}

#[tokio::test]
async fn a_caller_who_leaves_takes_his_work_with_him() {
    let server = Running::start(service(1)).await;
    let hold = Hold::all_threads_of(&server.offload).await;
    let mut client = adaptation(&server).await;
    let call = tokio::spawn(async move { client.adapt(heavy("gone")).await });
    let pool = server.offload.clone();
    eventually("the call waits", || pool.load().queued == 1).await;
    call.abort();
    eventually("the call has left", || pool.load().queued == 0).await;
    hold.release().await;
}

#[tokio::test]
async fn a_stream_answers_every_item_and_survives_bad_ones() {
    let server = Running::start(service(2)).await;
    let mut items: Vec<_> = (0..100).map(|i| item(&format!("r{i}"))).collect();
    items[7].request = None;
    items[8] =
        v1::AdaptStreamRequest { request: Some(v1::AdaptRequest { content: None, ..junk("r8") }) };
    let mut client = adaptation(&server).await;
    let answers = client.adapt_stream(tokio_stream::iter(items)).await.expect("it starts");
    let mut answers: Vec<_> =
        answers.into_inner().collect::<Result<Vec<_>, _>>().await.expect("errors are in the items");
    answers.sort_by_key(|answer| answer.index);
    assert_eq!(answers.len(), 100);
    for (i, answer) in answers.iter().enumerate() {
        assert_eq!(answer.index as usize, i);
        let id = if i == 7 { String::new() } else { format!("r{i}") };
        assert_eq!(answer.request_id, id);
        let Some(Outcome::Error(error)) = &answer.result else { panic!("junk passed: {i}") };
        let info = error.details.iter().any(|d| d.type_url.ends_with("google.rpc.ErrorInfo"));
        assert!(error.code != 0 && info, "{error:?}");
        if i == 7 || i == 8 {
            assert_eq!(error.code, Code::InvalidArgument as i32);
        }
    }
}

#[tokio::test]
async fn a_stream_holds_few_items_at_work_and_cancels_them() {
    let server = Running::start(service(2)).await;
    let hold = Hold::all_threads_of(&server.offload).await;
    let (send, items) = tokio::sync::mpsc::channel(1);
    let sender = tokio::spawn(async move {
        let mut sent = 0;
        while send.send(heavy_item(&format!("r{sent}"))).await.is_ok() {
            sent += 1;
            // No more than the window of HTTP/2 holds: a client that waits for it does not tell that it
            // leaves.
            if sent == 20 {
                break;
            }
        }
        sent
    });
    let mut client = adaptation(&server).await;
    let answers = client.adapt_stream(ReceiverStream::new(items)).await.expect("it starts");
    let pool = server.offload.clone();
    eventually("the places are taken", || pool.load().queued == 4).await;
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_eq!(pool.load(), Load { running: 2, queued: 4 }, "two for each thread");
    drop(answers);
    eventually("the stream has left", || pool.load().queued == 0).await;
    sender.abort();
    hold.release().await;
}

#[tokio::test]
async fn a_stream_ends_at_its_deadline() {
    let server = Running::start(service(1)).await;
    let hold = Hold::all_threads_of(&server.offload).await;
    let (_open, items) = tokio::sync::mpsc::channel(1);
    _open.send(heavy_item("stuck")).await.expect("room for one");
    // By hand: the client's own clock would otherwise end the call as well.
    let mut request = Request::new(ReceiverStream::new(items));
    request.metadata_mut().insert("grpc-timeout", "300m".parse().expect("ascii"));
    let mut answers =
        adaptation(&server).await.adapt_stream(request).await.expect("it starts").into_inner();
    let stuck = answers.message().await.expect("no error yet").expect("an answer");
    let Some(Outcome::Error(error)) = stuck.result else { panic!("it cannot have passed") };
    assert_eq!(error.code, Code::DeadlineExceeded as i32);
    let end = answers.message().await.expect_err("the stream ends");
    assert_eq!(end.code(), Code::DeadlineExceeded, "{end:?}");
    hold.release().await;
}

#[tokio::test]
async fn answers_that_nobody_reads_stop_the_reading() {
    let server = Running::start(service(1)).await;
    let (send, items) = tokio::sync::mpsc::channel(1);
    // Ids as long as they may be, so that the windows of the connection fill up.
    let (count, counted) = tokio::sync::watch::channel(0_u32);
    let sender = tokio::spawn(async move {
        loop {
            let mut long = junk(&"x".repeat(256));
            long.content = Some(Content::MmsPdu(vec![0xff; 16_000].into()));
            if send.send(v1::AdaptStreamRequest { request: Some(long) }).await.is_err() {
                return;
            }
            count.send_modify(|n| *n += 1);
        }
    });
    let mut client = adaptation(&server).await;
    let answers = client.adapt_stream(ReceiverStream::new(items)).await.expect("it starts");
    // Stalled: nothing sent for some seconds. That comes, or reading never stops.
    let stalled = async {
        let mut seen = counted.clone();
        while tokio::time::timeout(Duration::from_secs(3), seen.changed()).await.is_ok() {}
    };
    let stalled = tokio::time::timeout(crate::support::HANG, stalled).await;
    assert!(stalled.is_ok(), "items are read though no answer is");
    let sent = *counted.borrow();
    assert!(sent > 4, "it began: {sent}");
    assert_eq!(server.offload.load(), Load { running: 0, queued: 0 });

    // And it goes on when they are.
    let mut answers = answers.into_inner();
    for _ in 0..sent {
        answers.message().await.expect("no error").expect("an answer");
    }
    eventually("more items are read", || *counted.borrow() > sent).await;
    drop(answers);
    sender.abort();
}

#[tokio::test]
async fn shutting_down_lets_calls_finish() {
    let server = Running::start(service(1)).await;
    let engine = server.offload.clone();
    let hold = Hold::all_threads_of(&engine).await;
    let channel = server.channel().await;
    let mut client = AdaptationServiceClient::new(channel.clone());
    let call = tokio::spawn(async move { client.adapt(heavy("last")).await });
    eventually("the call waits", || engine.load().queued == 1).await;
    let addr = server.addr;
    let server = server.shut_down();
    let closed = async {
        while tokio::net::TcpStream::connect(addr).await.is_ok() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(crate::support::HANG, closed).await.expect("no new connections");
    assert!(!server.is_finished(), "a call is still at work");
    hold.release().await;
    let answer = call.await.expect("no panic").expect("it is answered").into_inner();
    assert_eq!(answer.request_id, "last");
    let ended = tokio::time::timeout(crate::support::HANG, server).await;
    ended.expect("it ends").expect("no panic").expect("in order");
}

#[tokio::test]
async fn who_watches_health_is_told_and_does_not_hold_up_the_shutdown() {
    let server = Running::start(service(1)).await;
    let request = HealthCheckRequest { service: "mmsfit.v1.AdaptationService".into() };
    let mut client = HealthClient::new(server.channel().await);
    let mut watch = client.watch(request).await.expect("it is known").into_inner();
    let mut next = async || watch.message().await.expect("no error").map(|answer| answer.status);
    assert_eq!(next().await, Some(1), "SERVING");
    let server = server.shut_down();
    assert_eq!(next().await, Some(2), "NOT_SERVING");
    assert_eq!(next().await, None);
    let ended = tokio::time::timeout(crate::support::HANG, server).await;
    ended.expect("it ends").expect("no panic").expect("in order");
}

#[tokio::test]
async fn lists_answer() {
    let server = Running::start(service(1)).await;
    let mut client = ProfileServiceClient::new(server.channel().await);
    let devices = client.list_devices(v1::ListDevicesRequest {}).await.expect("a list");
    let carriers = client.list_carriers(v1::ListCarriersRequest {}).await.expect("a list");
    assert_eq!(devices.into_inner().devices.len(), server.offload.service().devices().len());
    assert_eq!(carriers.into_inner().carriers.len(), server.offload.service().carriers().len());
    let none = client.lookup_limits(v1::LookupLimitsRequest::default()).await;
    assert_eq!(none.expect_err("no carrier named").code(), Code::InvalidArgument);
}
