//! Through the real service: the device's capabilities come from the document at its URL.

use std::time::{Duration, Instant};

use mmsfit::{
    config::Config,
    grpc::v1::{
        self, adapt_request, adaptation_service_client::AdaptationServiceClient,
        profile_service_client::ProfileServiceClient,
    },
    service::Service,
    telemetry::Format,
};
use tonic::Request;

use super::{hosts::Host, settings};
use crate::support::{
    photos::{IMAGE_JPEG, pdu, photo},
    server::Running,
};

fn service(host: &Host) -> Service {
    let profile_fetch = settings(&[host.listed()]);
    Service::new(Config { threads: 2, profile_fetch, ..Config::default() })
}

fn device(url: String) -> Option<v1::DeviceDescription> {
    Some(v1::DeviceDescription { uaprof_url: url, ..Default::default() })
}

fn asked(url: String) -> v1::AdaptRequest {
    let message = pdu(&[(IMAGE_JPEG, "p.jpg", &photo(800, 600))]);
    v1::AdaptRequest {
        content: Some(adapt_request::Content::MmsPdu(message.into())),
        device: device(url),
        report_level: v1::ReportLevel::Full.into(),
        ..Default::default()
    }
}

fn codes(report: &v1::Report) -> Vec<&str> {
    report.warnings.iter().map(|warning| warning.code.as_str()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_capabilities_come_from_the_fetched_document() {
    let host = Host::start().await;
    let server = Running::start(service(&host)).await;
    let mut client = AdaptationServiceClient::new(server.channel().await);
    let url = host.url("/good");
    for _ in 0..2 {
        let answer = client.adapt(asked(format!("\"{url}\""))).await.expect("it fits").into_inner();
        let report = answer.report.expect("a report");
        assert_eq!(codes(&report), [""; 0]);
        assert!(report.wire_bytes_after <= 50_000);
        let after = report.parts[0].after.as_ref().expect("it was encoded");
        let shown = after.dimensions.as_ref().expect("a picture");
        assert!(shown.width <= 120 && shown.height <= 90, "{shown:?}");
        let capabilities = report.capabilities.expect("it was asked for");
        let limit = capabilities.max_message_bytes.expect("a limit");
        let from = limit.provenance.expect("with where it came from");
        assert_eq!((limit.value, from.source()), (50_000, v1::Source::UaprofUrl));
        assert_eq!(from.document, url);
    }
    assert_eq!(host.asked.times(), 1);
    // Other calls have it, too.
    let plan = client
        .plan(v1::PlanRequest { request: Some(asked(url.clone())) })
        .await
        .expect("a plan")
        .into_inner();
    assert_eq!(plan.limits.expect("limits").wire[0].bytes, 50_000);
    let mut profiles = ProfileServiceClient::new(server.channel().await);
    let request = v1::ResolveRequest { device: device(url.clone()), ..Default::default() };
    let resolved = profiles.resolve(request).await.expect("it resolves").into_inner();
    let limit = resolved.capabilities.expect("some").max_message_bytes.expect("a limit");
    assert_eq!(limit.value, 50_000);
    let many = v1::AdaptManyRequest {
        request: Some(asked(String::new())),
        recipients: ["/good", "/good", "/404"]
            .iter()
            .enumerate()
            .map(|(n, path)| v1::Recipient {
                recipient_id: n.to_string(),
                device: device(host.url(path)),
                ..Default::default()
            })
            .collect(),
    };
    let mut answers = client.adapt_many(many).await.expect("it begins").into_inner();
    let mut classes = Vec::new();
    while let Some(answer) = answers.message().await.expect("an answer") {
        classes.push(answer.recipient_ids);
    }
    classes.sort();
    assert_eq!(classes, [vec!["0".to_owned(), "1".to_owned()], vec!["2".to_owned()]]);
    assert_eq!(host.asked.times(), 2);
    let told = server.offload.scrape(Format::Prometheus);
    assert!(told.contains("mmsfit_profile_fetches_total{result=\"ok\"} 1"), "{told}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_fetched_falls_back_and_says_so() {
    let host = Host::start().await;
    let server = Running::start(service(&host)).await;
    let mut client = AdaptationServiceClient::new(server.channel().await);
    let mut request = asked(host.url("/404"));
    request.device.as_mut().expect("a device").user_agent = "Nokia6230/2.0".into();
    let report = client.adapt(request).await.expect("it fits").into_inner();
    let report = report.report.expect("a report");
    assert!(codes(&report).contains(&"PROFILE_NOT_FETCHED"), "{:?}", report.warnings);
    let said = &report.warnings.iter().find(|w| w.code == "PROFILE_NOT_FETCHED");
    assert!(said.expect("it is there").message.contains("HTTP status 404: http://127.0.0.1"));
    let limit = report.capabilities.expect("some").max_message_bytes.expect("a limit");
    assert_eq!(limit.provenance.expect("from where").source(), v1::Source::UserAgent);

    // A host that does not answer costs the cap, or half of what the caller has.
    for (deadline, most) in [(None, 3_000), (Some(Duration::from_millis(900)), 880)] {
        let began = Instant::now();
        let mut request = Request::new(v1::ResolveRequest {
            device: device(host.url("/slow-answer")),
            ..Default::default()
        });
        if let Some(deadline) = deadline {
            request.set_timeout(deadline);
        }
        let mut profiles = ProfileServiceClient::new(server.channel().await);
        let resolved = profiles.resolve(request).await.expect("it resolves").into_inner();
        let found: Vec<_> = resolved.repairs.iter().map(v1::Repair::code).collect();
        assert!(found.contains(&v1::RepairCode::NotFetched), "{found:?}");
        assert!(began.elapsed() < Duration::from_millis(most), "{:?}", began.elapsed());
    }

    // Of a host that is not on the list nothing is said but what was said before there was fetching.
    let mut profiles = ProfileServiceClient::new(server.channel().await);
    let request = v1::ResolveRequest {
        device: device("http://unlisted.example/a.xml".into()),
        ..Default::default()
    };
    let resolved = profiles.resolve(request).await.expect("it resolves").into_inner();
    let found: Vec<_> = resolved.repairs.iter().map(v1::Repair::code).collect();
    assert!(!found.contains(&v1::RepairCode::NotFetched), "{found:?}");
    assert!(found.contains(&v1::RepairCode::FellBack), "{found:?}");
}

#[tokio::test]
async fn by_default_nothing_is_fetched() {
    let host = Host::start().await;
    let server = Running::start(Service::new(Config { threads: 1, ..Config::default() })).await;
    let mut profiles = ProfileServiceClient::new(server.channel().await);
    let request = v1::ResolveRequest { device: device(host.url("/good")), ..Default::default() };
    let resolved = profiles.resolve(request).await.expect("it resolves").into_inner();
    assert!(resolved.repairs.iter().any(|r| r.code() == v1::RepairCode::FellBack));
    assert_eq!(host.asked.times(), 0);
}
