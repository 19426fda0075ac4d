//! Traces as a collector gets them: the executable sends OTLP over gRPC to one that is written here
//! from the published protocol.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use mmsfit::{
    grpc::v1::{self, adaptation_service_client::AdaptationServiceClient},
    message::{Form, PartData},
    samples::{self, av},
};
use opentelemetry_proto::tonic::{
    collector::trace::v1::{
        ExportTraceServiceRequest, ExportTraceServiceResponse,
        trace_service_server::{TraceService, TraceServiceServer},
    },
    common::v1::any_value::Value,
    trace::v1::{Span, span::SpanKind},
};
use tokio::net::TcpListener;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::{
    Request, Response, Status,
    transport::{Channel, Endpoint, Server},
};

use super::{Served, adapt, ask_aside, value, with_photo};
use crate::support::{self, HANG, server::eventually};

/// A caller's span, sampled.
const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
const CALLER: &str = "b7ad6b7169203331";

/// Keeps all that it is sent.
#[derive(Clone, Default)]
struct Collector(Arc<Mutex<Vec<ExportTraceServiceRequest>>>);

#[tonic::async_trait]
impl TraceService for Collector {
    async fn export(
        &self,
        request: Request<ExportTraceServiceRequest>,
    ) -> Result<Response<ExportTraceServiceResponse>, Status> {
        self.0.lock().expect("no panic").push(request.into_inner());
        Ok(Response::new(ExportTraceServiceResponse::default()))
    }
}

impl Collector {
    async fn start() -> (Self, SocketAddr) {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("the loopback binds");
        let address = listener.local_addr().expect("an address");
        let collector = Self::default();
        let service = TraceServiceServer::new(collector.clone());
        let incoming = TcpListenerStream::new(listener);
        tokio::spawn(Server::builder().add_service(service).serve_with_incoming(incoming));
        (collector, address)
    }

    /// All spans so far.
    fn spans(&self) -> Vec<Span> {
        let requests = self.0.lock().expect("no panic");
        let resources = requests.iter().flat_map(|request| &request.resource_spans);
        let scopes = resources.flat_map(|resource| &resource.scope_spans);
        scopes.flat_map(|scope| &scope.spans).cloned().collect()
    }

    /// What the source of the spans says of itself.
    fn source(&self) -> BTreeMap<String, String> {
        let requests = self.0.lock().expect("no panic");
        let resource = requests[0].resource_spans[0].resource.as_ref().expect("a resource");
        resource.attributes.iter().map(|a| (a.key.clone(), text(a.value.as_ref()))).collect()
    }
}

fn text(value: Option<&opentelemetry_proto::tonic::common::v1::AnyValue>) -> String {
    match value.and_then(|value| value.value.as_ref()) {
        Some(Value::StringValue(text)) => text.clone(),
        Some(Value::IntValue(number)) => number.to_string(),
        Some(Value::BoolValue(flag)) => flag.to_string(),
        other => panic!("an attribute of another kind: {other:?}"),
    }
}

fn attributes(span: &Span) -> BTreeMap<&str, String> {
    span.attributes.iter().map(|a| (a.key.as_str(), text(a.value.as_ref()))).collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn serve(endpoint: &str, ratio: &str) -> Served {
    Served::start(&[
        ("MMSFIT_TRACING_OTLP_ENDPOINT", endpoint),
        ("MMSFIT_TRACING_SAMPLE_RATIO", ratio),
    ])
}

async fn client(served: &mut Served) -> AdaptationServiceClient<Channel> {
    let endpoint = Endpoint::from_shared(format!("http://{}", served.address("port")));
    AdaptationServiceClient::new(endpoint.expect("an address").connect().await.expect("it is up"))
}

/// A request within the caller's trace, sampled or not.
fn traced<T>(message: T, flags: &str) -> Request<T> {
    let mut request = Request::new(message);
    let parent = format!("00-{TRACE}-{CALLER}-{flags}").parse().expect("ASCII");
    request.metadata_mut().insert("traceparent", parent);
    request
}

/// Ends it, and waits until it has ended.
async fn end(mut served: Served) -> Served {
    served.terminate();
    let ended = tokio::task::spawn_blocking(move || (served.child.wait(), served)).await;
    let (status, served) = ended.expect("no panic");
    assert!(status.expect("it ends").success());
    served
}

/// The trace as a tree: whether it is one, and `parent > child` for each span. A parent encloses its
/// children.
fn edges(spans: &[Span]) -> BTreeMap<(String, String), usize> {
    let by_id: BTreeMap<&[u8], &Span> = spans.iter().map(|s| (&*s.span_id, s)).collect();
    assert_eq!(by_id.len(), spans.len(), "a span was sent twice");
    let mut edges = BTreeMap::new();
    for span in spans {
        assert_eq!(hex(&span.trace_id), TRACE, "{}", span.name);
        assert!(span.start_time_unix_nano <= span.end_time_unix_nano, "{}", span.name);
        let parent = match by_id.get(&*span.parent_span_id) {
            Some(parent) => {
                let name = format!("{} in {}", span.name, parent.name);
                assert!(parent.start_time_unix_nano <= span.start_time_unix_nano, "{name}");
                assert!(parent.end_time_unix_nano >= span.end_time_unix_nano, "{name}");
                parent.name.clone()
            }
            None => {
                assert_eq!(hex(&span.parent_span_id), CALLER, "{} has lost its parent", span.name);
                "caller".to_owned()
            }
        };
        *edges.entry((parent, span.name.clone())).or_default() += 1;
    }
    edges
}

/// What an attribute may be called.
const KNOWN: [&str; 22] = [
    "mmsfit.bytes",
    "mmsfit.bytes_after",
    "mmsfit.bytes_before",
    "mmsfit.call",
    "mmsfit.carrier",
    "mmsfit.cpu_us",
    "mmsfit.device",
    "mmsfit.job",
    "mmsfit.lane",
    "mmsfit.media",
    "mmsfit.mode",
    "mmsfit.outcome",
    "mmsfit.over_cap",
    "mmsfit.part",
    "mmsfit.parts",
    "mmsfit.reason",
    "mmsfit.recipe",
    "mmsfit.reused",
    "rpc.grpc.status_code",
    "rpc.method",
    "rpc.service",
    "rpc.system",
];

/// Nobody's number, no name of a file or message, no text, nothing that happened: only what is known.
fn tells_nothing_of_the_message(spans: &[Span]) {
    for span in spans {
        assert!(span.events.is_empty() && span.links.is_empty(), "{span:?}");
        for (key, value) in attributes(span) {
            assert!(KNOWN.contains(&key), "{key} in {}", span.name);
            assert!(value.len() <= 64, "{key}: {value}");
        }
        // The texts alone: a time or an identifier may have any digits.
        let of = span.attributes.iter().filter_map(|a| a.value.as_ref()?.value.clone());
        let texts = of.filter_map(|value| match value {
            Value::StringValue(text) => Some(text),
            _ => None,
        });
        let status = span.status.clone().unwrap_or_default().message;
        let texts: Vec<String> =
            texts.chain([span.name.clone(), span.trace_state.clone(), status]).collect();
        let all = texts.join("\n").to_lowercase();
        for word in ["1555", "plmn", "photo", "hello", "secret", "t1\n", ".jpg", ".avi", "m-17"] {
            assert!(!all.contains(word), "{word} in {span:?}");
        }
    }
}

fn named<'a>(spans: &'a [Span], name: &str) -> Vec<&'a Span> {
    spans.iter().filter(|span| span.name == name).collect()
}

const ADAPT: &str = "mmsfit.v1.AdaptationService/Adapt";
const MANY: &str = "mmsfit.v1.AdaptationService/AdaptMany";

#[tokio::test(flavor = "multi_thread")]
async fn a_call_with_a_photo_is_one_trace() {
    let (collector, address) = Collector::start().await;
    let mut served = serve(&format!("http://{address}"), "0");
    let (mut client, admin) = (client(&mut served).await, served.address("admin"));
    let request = || v1::AdaptRequest { request_id: "m-17".into(), ..adapt(with_photo(), 20_000) };
    // Neither a caller who does not trace, nor one who says no, nor one who says nothing that can
    // be read: the share is 0.
    client.adapt(request()).await.expect("it fits");
    client.adapt(traced(request(), "00")).await.expect("it fits");
    client.adapt(traced(request(), "no flags")).await.expect("it fits");
    // Another message: none of its parts is kept from before.
    let mut sampled = request();
    sampled.limits.as_mut().expect("limits").max_message_bytes = Some(30_000);
    client.adapt(traced(sampled, "01")).await.expect("it fits");
    let error = client.adapt(traced(adapt(with_photo(), 100), "01")).await.expect_err("too small");
    assert_eq!(error.code(), tonic::Code::FailedPrecondition);
    let recipient = v1::Recipient::default();
    let many = v1::AdaptManyRequest {
        request: Some(adapt(with_photo(), 25_000)),
        recipients: vec![recipient.clone(), recipient],
    };
    let mut answers = client.adapt_many(traced(many, "01")).await.expect("a stream").into_inner();
    while answers.message().await.expect("answers").is_some() {}
    drop((answers, client));

    eventually("both calls are traced", || named(&collector.spans(), ADAPT).len() == 2).await;
    let (sent, until) = (collector.spans().len() as f64, Instant::now() + HANG);
    let metrics = loop {
        let (_, metrics) = ask_aside(admin, "/metrics", "").await;
        if value(&metrics, "mmsfit_spans_total{result=\"delivered\"}") >= sent {
            break metrics;
        }
        assert!(Instant::now() < until, "{sent} spans: {metrics}");
    };
    assert_eq!(value(&metrics, "mmsfit_spans_total{result=\"dropped\"}"), 0.0);
    let served = end(served).await;

    let spans = collector.spans();
    tells_nothing_of_the_message(&spans);
    assert_eq!(collector.source()["service.name"], "mmsfit");
    let all = edges(&spans);
    for (parent, child, least) in [
        ("caller", ADAPT, 2),
        (ADAPT, "queue", 4),
        (ADAPT, "parse", 2),
        (ADAPT, "probe", 2),
        (ADAPT, "plan", 2),
        (ADAPT, "decode", 2),
        (ADAPT, "fit", 2),
        ("fit", "encode", 2),
        (ADAPT, "verify", 1),
        (ADAPT, "assemble", 1),
        ("caller", MANY, 1),
        (MANY, "queue", 1),
        (MANY, "parse", 1),
        // Both recipients are one class.
        (MANY, "message", 1),
        ("message", "plan", 1),
        ("message", "fit", 1),
    ] {
        let found = all.get(&(parent.to_owned(), child.to_owned())).copied().unwrap_or_default();
        assert!(found >= least, "{child} in {parent}: {found} in {all:?}");
    }

    let calls = named(&spans, ADAPT);
    let call = |code: &str| {
        let of = |call: &&&Span| attributes(call)["rpc.grpc.status_code"] == code;
        *calls.iter().find(of).unwrap_or_else(|| panic!("no call with {code}: {calls:?}"))
    };
    let (fitted, refused) = (call("0"), call("9"));
    assert_eq!(fitted.kind, SpanKind::Server as i32);
    let of = attributes(fitted);
    assert_eq!((of["rpc.system"].as_str(), of["rpc.method"].as_str()), ("grpc", "Adapt"));
    assert_eq!((of["mmsfit.outcome"].as_str(), of["mmsfit.parts"].as_str()), ("Minor", "2"));
    assert!(of["mmsfit.bytes_after"].parse::<u32>().expect("a number") <= 30_000, "{of:?}");
    assert_eq!(attributes(refused)["mmsfit.reason"], "CANNOT_FIT");
    let lanes: BTreeSet<_> =
        named(&spans, "queue").iter().map(|span| attributes(span)["mmsfit.lane"].clone()).collect();
    assert_eq!(lanes, BTreeSet::from(["quick".to_owned(), "work".to_owned()]));
    for decode in named(&spans, "decode") {
        assert_eq!(attributes(decode)["mmsfit.media"], "Image");
        assert_eq!(attributes(decode)["mmsfit.part"], "1");
    }
    let tries: Vec<_> = named(&spans, "encode").into_iter().map(attributes).collect();
    assert!(tries.iter().all(|of| of["mmsfit.recipe"] == "jpeg"), "{tries:?}");
    assert!(tries.iter().any(|of| of.contains_key("mmsfit.bytes")), "{tries:?}");

    // The log is what it was: a line a call, with no span in front.
    let log = served.log();
    assert_eq!(log.matches(" answered call=\"Adapt\" request_id=\"m-17\"").count(), 4, "{log}");
    assert!(!log.contains("call{") && !log.contains("traceparent"), "{log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clip_and_every_item_of_a_stream_are_traced() {
    if support::with_workers(mmsfit::config::Config::default()).is_none() {
        return;
    }
    let (collector, address) = Collector::start().await;
    let mut served = serve(&format!("http://{address}"), "0");
    let mut client = client(&mut served).await;
    let part = PartData {
        content_type: "video/x-msvideo".into(),
        content_id: "secret".into(),
        content_location: "secret.avi".into(),
        name: "secret".into(),
        data: av::avi(160, 120, 2).expect("it is painted"),
    };
    let clip = samples::message(vec![part], Form::MmsPdu).expect("a message");
    let items = [adapt(clip.to_vec(), 40_000), adapt(with_photo(), 30_000)];
    let items = items.map(|request| v1::AdaptStreamRequest { request: Some(request) });
    let stream = client.adapt_stream(traced(tokio_stream::iter(items), "01")).await;
    let mut answers = stream.expect("a stream").into_inner();
    while answers.message().await.expect("answers").is_some() {}
    drop((answers, client));
    end(served).await;

    let spans = collector.spans();
    tells_nothing_of_the_message(&spans);
    let all = edges(&spans);
    let stream = "mmsfit.v1.AdaptationService/AdaptStream";
    for (parent, child, least) in [
        ("caller", stream, 1),
        (stream, "message", 2),
        ("message", "queue", 4),
        ("message", "parse", 2),
        ("probe", "worker job", 1),
        ("message", "decode", 2),
        ("decode", "worker job", 1),
        ("message", "fit", 2),
        ("fit", "encode", 2),
        ("encode", "worker job", 1),
        ("message", "verify", 2),
        ("verify", "worker job", 1),
    ] {
        let found = all.get(&(parent.to_owned(), child.to_owned())).copied().unwrap_or_default();
        assert!(found >= least, "{child} in {parent}: {found} in {all:?}");
    }
    assert_eq!(all.iter().filter(|((parent, _), _)| parent == "caller").count(), 1, "{all:?}");
    for job in named(&spans, "worker job").into_iter().map(attributes) {
        assert!(job.contains_key("mmsfit.call") && job.contains_key("mmsfit.cpu_us"), "{job:?}");
    }
}

/// Calls are answered, and the end is not held up, where all are to be traced and nobody takes it.
async fn answers_as_ever(endpoint: &str) -> Served {
    let mut served = serve(endpoint, "1");
    let mut client = client(&mut served).await;
    let began = Instant::now();
    for limit in [20_000, 30_000, 40_000] {
        client.adapt(adapt(with_photo(), limit)).await.expect("it fits");
    }
    // What waited for such a collector would wait for 5 s, three times.
    assert!(began.elapsed() < Duration::from_secs(12), "{:?}", began.elapsed());
    drop(client);
    served
}

#[tokio::test(flavor = "multi_thread")]
async fn a_collector_that_is_away_costs_its_traces() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("the loopback binds");
    let address = listener.local_addr().expect("an address");
    drop(listener);
    let mut served = answers_as_ever(&format!("http://{address}")).await;
    let admin = served.address("admin");
    let until = Instant::now() + HANG;
    loop {
        let (_, metrics) = ask_aside(admin, "/metrics", "").await;
        if value(&metrics, "mmsfit_spans_total{result=\"failed\"}") > 0.0 {
            assert_eq!(value(&metrics, "mmsfit_spans_total{result=\"delivered\"}"), 0.0);
            break;
        }
        assert!(Instant::now() < until, "{metrics}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let log = end(served).await.log();
    assert_eq!(log.matches("traces: not taken by the collector").count(), 1, "{log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_collector_that_hangs_holds_nothing_up() {
    // Connections are taken by the system, and nobody ever reads.
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("the loopback binds");
    let address = listener.local_addr().expect("an address");
    let served = answers_as_ever(&format!("http://{address}")).await;
    let began = Instant::now();
    end(served).await;
    // Two seconds for the last spans; by themselves they would wait for ever.
    assert!(began.elapsed() < Duration::from_secs(15), "{:?}", began.elapsed());
    drop(listener);
}
