//! Through the real service: what is found is refused or left out, what is not scanned is told.

use std::time::{Duration, Instant};

use mmsfit::{
    config::{Config, ScanConfig, ScanFailure, ScanFound},
    grpc::v1::{self, adapt_request, adaptation_service_client::AdaptationServiceClient},
    model::Bytes,
    service::Service,
    telemetry::Format,
};
use tonic::{Code, Request, Status};
use tonic_types::StatusExt as _;

use super::{
    MARKER, commented,
    fake::{Clamd, Mood},
    settings,
};
use crate::support::{
    photos::{IMAGE_JPEG, TEXT_PLAIN, pdu, photo},
    server::{Running, eventually},
};

pub fn service(scan: ScanConfig) -> Service {
    Service::new(Config { threads: 2, scan, ..Config::default() })
}

/// A text, a clean photo, and one with this comment.
pub fn asked(comment: &[u8]) -> v1::AdaptRequest {
    let photos = [photo(800, 600), commented(&photo(640, 480), comment)];
    let message = pdu(&[
        (TEXT_PLAIN, "t.txt", b"hello"),
        (IMAGE_JPEG, "a.jpg", &photos[0]),
        (IMAGE_JPEG, "b.jpg", &photos[1]),
    ]);
    v1::AdaptRequest {
        content: Some(adapt_request::Content::MmsPdu(message.into())),
        device: Some(v1::DeviceDescription {
            device_id: "nokia-6230".into(),
            ..Default::default()
        }),
        ..Default::default()
    }
}

pub async fn adapt(
    server: &Running,
    request: impl tonic::IntoRequest<v1::AdaptRequest>,
) -> Result<v1::AdaptResponse, Status> {
    let mut client = AdaptationServiceClient::new(server.channel().await);
    client.adapt(request).await.map(tonic::Response::into_inner)
}

/// The reason and the part of a refusal.
pub fn refused(status: &Status) -> (Code, String, Option<String>) {
    let details = status.get_error_details();
    let info = details.error_info().expect("always there");
    (status.code(), info.reason.clone(), info.metadata.get("part").cloned())
}

fn infected(part: &str) -> (Code, String, Option<String>) {
    (Code::FailedPrecondition, "INFECTED".into(), Some(part.into()))
}

pub fn holds(message: &v1::AdaptResponse, marker: &[u8]) -> bool {
    let Some(v1::adapt_response::Content::MmsPdu(pdu)) = &message.content else {
        panic!("it came as a PDU");
    };
    pdu.windows(marker.len()).any(|window| window == marker)
}

/// That the third part was left out for what was found in it, and nothing else was.
pub fn left_out(answer: &v1::AdaptResponse, name: &str) {
    let report = answer.report.as_ref().expect("a report");
    let gone = [v1::Action::Drop, v1::Action::Replace];
    assert!(gone.contains(&report.parts[2].action()), "{:?}", report.parts[2]);
    let reason = &report.parts[2].reasons[0];
    assert_eq!((reason.code(), reason.detail.as_str()), (v1::ReasonCode::Infected, name));
    assert!(!gone.contains(&report.parts[1].action()) && !holds(answer, MARKER));
    assert_eq!(report.outcome(), v1::Outcome::Major);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_found_is_refused_by_every_call_that_hands_content_on() {
    let clamd = Clamd::start(Mood::Honest, true).await;
    let server = Running::start(service(settings(&clamd.address))).await;
    let clean = adapt(&server, asked(b"holiday")).await.expect("it fits");
    assert!(clean.report.expect("a report").warnings.is_empty());
    assert_eq!(clamd.times(), 3);
    let status = adapt(&server, asked(MARKER)).await.map(drop).expect_err("infected");
    assert_eq!(refused(&status), infected("2"));
    assert_eq!(status.message(), "a virus scanner found Test.Marker in part 2");
    // What was said of the other parts is known.
    assert_eq!(clamd.times(), 4);

    let mut client = AdaptationServiceClient::new(server.channel().await);
    let items = [&b"holiday"[..], MARKER]
        .map(|comment| v1::AdaptStreamRequest { request: Some(asked(comment)) });
    let mut answers =
        client.adapt_stream(tokio_stream::iter(items)).await.expect("it begins").into_inner();
    let mut codes = [0; 2];
    while let Some(answer) = answers.message().await.expect("an answer") {
        let code = match answer.result.expect("a result") {
            v1::adapt_stream_response::Result::Response(_) => 0,
            v1::adapt_stream_response::Result::Error(status) => status.code,
        };
        codes[answer.index as usize] = code;
    }
    assert_eq!(codes, [Code::Ok as i32, Code::FailedPrecondition as i32]);

    let many = |comment| v1::AdaptManyRequest {
        request: Some(asked(comment)),
        recipients: vec![v1::Recipient::default(), v1::Recipient::default()],
    };
    let mut answers = client.adapt_many(many(MARKER)).await.expect("it begins").into_inner();
    assert_eq!(refused(&answers.message().await.expect_err("infected")), infected("2"));
    let mut answers = client.adapt_many(many(b"holiday")).await.expect("it begins").into_inner();
    assert!(answers.message().await.expect("an answer").is_some());
    assert_eq!(clamd.times(), 4, "all of it had been scanned");

    // A plan hands nothing on.
    let plan = v1::PlanRequest { request: Some(asked(b"another")) };
    client.plan(plan).await.expect("a plan");
    assert_eq!(clamd.times(), 4);
    let told = server.offload.scrape(Format::Prometheus);
    assert!(told.contains("mmsfit_scans_total{result=\"found\"} 1\n"), "{told}");
    assert!(told.contains("mmsfit_scan_duration_seconds_count 4\n"), "{told}");
    let counted = "mmsfit_refusals_total{category=\"not_allowed\",reason=\"INFECTED\"} 3\n";
    assert!(told.contains(counted), "{told}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_found_is_left_out_where_that_is_wanted() {
    let clamd = Clamd::start(Mood::Honest, false).await;
    let scan = ScanConfig { found: ScanFound::Drop, ..settings(&clamd.address) };
    let server = Running::start(service(scan)).await;
    let answer = adapt(&server, asked(MARKER)).await.expect("the rest fits");
    left_out(&answer, "Test.Marker");
    // Also for many, and where the message would pass as it is.
    let mut client = AdaptationServiceClient::new(server.channel().await);
    let many = v1::AdaptManyRequest {
        request: Some(asked(MARKER)),
        recipients: vec![v1::Recipient::default(); 3],
    };
    let mut answers = client.adapt_many(many).await.expect("it begins").into_inner();
    while let Some(answer) = answers.message().await.expect("an answer") {
        match answer.result {
            Some(v1::adapt_many_response::Result::Response(answer)) => {
                left_out(&answer, "Test.Marker");
            }
            other => panic!("{other:?}"),
        }
    }
    // The text itself, and one that may not be changed: nothing of it is handed on.
    let text = pdu(&[(TEXT_PLAIN, "t.txt", MARKER), (IMAGE_JPEG, "a.jpg", &photo(64, 48))]);
    let text = v1::AdaptRequest {
        content: Some(adapt_request::Content::MmsPdu(text.into())),
        ..asked(b"")
    };
    match adapt(&server, text).await {
        Ok(answer) => assert!(!holds(&answer, MARKER)),
        Err(status) => assert_eq!(refused(&status), infected("0")),
    }
    let mut forbidden = asked(MARKER);
    if let Some(adapt_request::Content::MmsPdu(pdu)) = &mut forbidden.content {
        // X-Mms-Adaptation-Allowed: No, after the version.
        let (start, rest) = (&pdu[..8], &pdu[8..]);
        *pdu = [start, b"\xbc\x81", rest].concat().into();
    }
    let status = adapt(&server, forbidden).await.map(drop).expect_err("it may not be left out");
    assert_eq!(refused(&status), infected("2"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_encoded_before_is_scanned_all_the_same() {
    let clamd = Clamd::start(Mood::Honest, true).await;
    let scan = ScanConfig { keep: Duration::ZERO, ..settings(&clamd.address) };
    let server = Running::start(service(scan)).await;
    for _ in 0..2 {
        adapt(&server, asked(b"holiday")).await.expect("it fits");
    }
    assert_eq!(server.offload.cache_counts().expect("it is on").hits, 1);
    clamd.learn(b"holiday");
    let status = adapt(&server, asked(b"holiday")).await.map(drop).expect_err("known by now");
    assert_eq!(refused(&status), infected("2"));
    assert_eq!(clamd.times(), 9);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_verdict_it_is_refused_or_told() {
    for (mood, result) in [
        (Mood::Closes, "broken"),
        (Mood::Silent, "timed_out"),
        (Mood::Says(b"nonsense\0"), "nonsense"),
    ] {
        let clamd = Clamd::start(mood, false).await;
        let closed = settings(&clamd.address);
        let open = ScanConfig { fail: ScanFailure::Open, ..closed.clone() };
        let server = Running::start(service(closed)).await;
        let status = adapt(&server, asked(b"holiday")).await.map(drop).expect_err("closed");
        let (code, reason, part) = refused(&status);
        assert_eq!((code, reason.as_str()), (Code::Unavailable, "SCAN_UNAVAILABLE"), "{mood:?}");
        assert!(part.is_some() && status.get_error_details().retry_info().is_some());

        let server = Running::start(service(open)).await;
        let answer = adapt(&server, asked(b"holiday")).await.expect("open");
        let warnings = answer.report.expect("a report").warnings;
        let told: Vec<&str> = warnings.iter().map(|warning| warning.code.as_str()).collect();
        assert_eq!(told, ["NOT_SCANNED"]);
        assert!(warnings[0].message.starts_with("3 of 3 parts were not scanned: clamd "));
        let told = server.offload.scrape(Format::Prometheus);
        let counted = format!("mmsfit_scans_total{{result=\"{result}\"}} 3\n");
        assert!(told.contains(&counted), "{mood:?} {told}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_too_large_to_be_scanned_is_no_matter_of_trying_again() {
    let clamd = Clamd::start(Mood::Limits(20_000), true).await;
    // By clamd's limit, and by ours.
    for max_bytes in [8 << 20, 20_000] {
        let closed = ScanConfig { max_bytes: Bytes::new(max_bytes), ..settings(&clamd.address) };
        let open = ScanConfig { fail: ScanFailure::Open, ..closed.clone() };
        let server = Running::start(service(closed)).await;
        let status = adapt(&server, asked(b"holiday")).await.map(drop).expect_err("closed");
        let too_large = (Code::InvalidArgument, "SCAN_TOO_LARGE".into(), Some("1".into()));
        assert_eq!(refused(&status), too_large);
        assert!(status.get_error_details().retry_info().is_none());
        let server = Running::start(service(open)).await;
        let answer = adapt(&server, asked(b"holiday")).await.expect("open");
        let warning = &answer.report.expect("a report").warnings[0];
        assert!(warning.message.starts_with("2 of 3 parts were not scanned: the part is larger"));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn deadlines_hold_and_who_leaves_is_scanned_no_more() {
    let clamd = Clamd::start(Mood::Silent, false).await;
    let patient = ScanConfig { max_time: Duration::from_secs(30), ..settings(&clamd.address) };
    let open = ScanConfig { fail: ScanFailure::Open, ..patient.clone() };
    // Half of the time is for the scan: who may go on without has the other half.
    for (scan, fits) in [(open, true), (patient, false)] {
        let server = Running::start(service(scan)).await;
        let mut request = Request::new(asked(b"holiday"));
        request.set_timeout(Duration::from_secs(3));
        let began = Instant::now();
        let answer = adapt(&server, request).await;
        assert!(began.elapsed() < Duration::from_millis(2_950), "{:?}", began.elapsed());
        assert_eq!(answer.is_ok(), fits, "{answer:?}");
        if let Err(status) = answer {
            assert_eq!(refused(&status).1, "SCAN_UNAVAILABLE");
            let call = adapt(&server, asked(b"holiday"));
            let left = tokio::time::timeout(Duration::from_millis(300), call).await;
            assert!(left.is_err(), "{left:?}");
        }
        eventually("the connections are closed", || clamd.open() == 0).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_an_address_nothing_is_scanned() {
    let server = Running::start(service(ScanConfig::default())).await;
    adapt(&server, asked(MARKER)).await.expect("it fits");
    let told = server.offload.scrape(Format::Prometheus);
    assert!(!told.contains("mmsfit_scans_total{"), "{told}");
}
