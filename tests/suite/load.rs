//! The load generator, against services whose times are known.

use std::{
    process::Command,
    time::{Duration, Instant},
};

use mmsfit::{
    capacity::load::{Generator, Options, mix::Mix},
    grpc::v1::{self, adaptation_service_server::AdaptationService},
};
use tokio::net::TcpListener;
use tokio_stream::wrappers::{ReceiverStream, TcpListenerStream};
use tonic::{Request, Response, Status, transport::Server};

use crate::support::server::{Running, service};

/// Gives every message back as it came, but nothing while it is stalled.
struct Stub {
    began: Instant,
}

/// From when to when it answers nothing.
const STALLED: (Duration, Duration) = (Duration::from_millis(500), Duration::from_millis(1_000));

#[tonic::async_trait]
impl AdaptationService for Stub {
    async fn adapt(
        &self,
        request: Request<v1::AdaptRequest>,
    ) -> Result<Response<v1::AdaptResponse>, Status> {
        let Some(v1::adapt_request::Content::MmsPdu(message)) = request.into_inner().content else {
            return Err(Status::invalid_argument("no PDU"));
        };
        let now = self.began.elapsed();
        if now >= STALLED.0 && now < STALLED.1 {
            tokio::time::sleep(STALLED.1 - now).await;
        }
        let report = v1::Report {
            wire_bytes_after: u32::try_from(message.len()).unwrap_or(u32::MAX),
            ..Default::default()
        };
        Ok(Response::new(v1::AdaptResponse {
            content: Some(v1::adapt_response::Content::MmsPdu(message)),
            report: Some(report),
            ..Default::default()
        }))
    }

    async fn plan(
        &self,
        _: Request<v1::PlanRequest>,
    ) -> Result<Response<v1::PlanResponse>, Status> {
        Err(Status::unimplemented("plan"))
    }

    type AdaptStreamStream = ReceiverStream<Result<v1::AdaptStreamResponse, Status>>;

    async fn adapt_stream(
        &self,
        _: Request<tonic::Streaming<v1::AdaptStreamRequest>>,
    ) -> Result<Response<Self::AdaptStreamStream>, Status> {
        Err(Status::unimplemented("stream"))
    }

    type AdaptManyStream = ReceiverStream<Result<v1::AdaptManyResponse, Status>>;

    async fn adapt_many(
        &self,
        _: Request<v1::AdaptManyRequest>,
    ) -> Result<Response<Self::AdaptManyStream>, Status> {
        Err(Status::unimplemented("many"))
    }
}

fn options(target: String, mix: &str) -> Options {
    let mix: Mix = toml::from_str(mix).expect("a mix");
    Options {
        target,
        kinds: mix.prepare(std::path::Path::new(".")).expect("it is made"),
        arrivals: "even".parse().expect("arrivals"),
        connections: 1,
        deadline: Duration::from_secs(10),
        token: None,
        seed: 1,
    }
}

const TEXT: &str = "[[messages]]\nsample = \"text\"\nshare = 1\n";

/// Whoever waits for one answer before the next call is sent would see one slow call of a hundred and
/// fifty: it is a quarter of those that were due.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_that_were_due_while_nothing_was_answered_count() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("the loopback binds");
    let target = format!("http://{}", listener.local_addr().expect("an address"));
    let stub = Stub { began: Instant::now() };
    let service = v1::adaptation_service_server::AdaptationServiceServer::new(stub);
    let serving = tokio::spawn(
        Server::builder()
            .add_service(service)
            .serve_with_incoming(TcpListenerStream::new(listener)),
    );
    let mut generator = Generator::connect(options(target, TEXT)).await.expect("it is there");
    let seen = generator.open(100.0, Duration::from_millis(2_000)).await;
    let figures = seen.all().figures(seen.seconds);
    assert_eq!((figures.sent, figures.answered), (200, 200));
    // Half a second of two is stalled: those calls waited up to half a second, evenly spread.
    let p99 = figures.latency_ms.p99.expect("answers");
    let p90 = figures.latency_ms.p90.expect("answers");
    assert!((380.0..620.0).contains(&p99), "p99 {p99} ms");
    assert!((200.0..450.0).contains(&p90), "p90 {p90} ms");
    serving.abort();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_service_is_judged_by_its_answers() {
    let server = Running::start(service(2)).await;
    let target = format!("http://{}", server.addr);
    let photo = "[[messages]]\nsample = \"photo-1mp\"\nshare = 1\nmax_bytes = \"40k\"\n";
    let mix = format!("{TEXT}{photo}max_image = \"160x120\"\n");
    let mut generator = Generator::connect(options(target, &mix)).await.expect("it is there");
    let seen = generator.closed(2, Duration::from_millis(500)).await;
    let all = seen.all().figures(seen.seconds);
    assert_eq!(all.sent, all.answered, "{all:?}");
    assert!(
        all.unchanged > 0 && all.unchanged < all.answered,
        "texts pass, photos do not: {all:?}"
    );
    assert!(all.wrong.is_empty() && all.failed.is_empty(), "{all:?}");
    server.shut_down().await.expect("no panic").expect("it ends well");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_command_tells_what_it_saw() {
    let server = Running::start(service(2)).await;
    let folder = tempfile::tempdir().expect("a folder");
    let mix = folder.path().join("mix.toml");
    std::fs::write(&mix, TEXT).expect("written");
    let target = format!("http://{}", server.addr);
    let load = |more: &'static [&'static str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_mmsfit"));
        command.args(["load", "--target", &target, "--mix"]).arg(&mix).args(more);
        async move {
            let output = tokio::task::spawn_blocking(move || command.output());
            output.await.expect("no panic").expect("it runs")
        }
    };
    let output =
        load(&["--rate", "50,100", "--seconds", "0.5", "--arrivals", "even", "--json"]).await;
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let told: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let sent: Vec<u64> = told["steps"]
        .as_array()
        .expect("steps")
        .iter()
        .filter_map(|s| s["all"]["sent"].as_u64())
        .collect();
    assert_eq!(sent, [25, 50]);
    assert_eq!(told["steps"][1]["all"]["answered"], 50);
    let table = load(&["--callers", "2", "--seconds", "0.2"]).await;
    let table = String::from_utf8(table.stdout).expect("text");
    assert!(table.contains("2 callers") && table.contains("p99"), "{table}");
    let none = load(&["--seconds", "1"]).await;
    assert_eq!(none.status.code(), Some(2), "how many is required");
    server.shut_down().await.expect("no panic").expect("it ends well");
    let gone = load(&["--callers", "1", "--seconds", "0.2"]).await;
    assert_eq!(gone.status.code(), Some(1), "nobody's input");
    let told = String::from_utf8_lossy(&gone.stderr).into_owned();
    assert!(told.contains("cannot reach") && told.contains("out of reach"), "{told}");
}
