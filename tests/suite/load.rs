//! The load generator, against services whose times are known.
//!
//! Long because one stub, whose answers are known, serves every test.

use std::{
    process::Command,
    time::{Duration, Instant},
};

use mmsfit::{
    capacity::load::{Generator, LoadError, Options, Security, mix::Mix, told::Step},
    grpc::{
        Clients, Tls,
        v1::{self, adaptation_service_server::AdaptationService},
    },
};
use tokio::net::TcpListener;
use tokio_stream::wrappers::{ReceiverStream, TcpListenerStream};
use tonic::{Request, Response, Status, transport::Server};

use crate::{
    security::{Authority, files},
    support::server::{Running, service},
};

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
        security: Security::default(),
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
    assert_eq!((figures.counts.sent, figures.answered), (200, 200));
    // Half a second of two is stalled: those calls waited up to half a second, evenly spread.
    let p99 = figures.latency_ms.p99.expect("answers");
    let p90 = figures.latency_ms.p90.expect("answers");
    assert!((380.0..620.0).contains(&p99), "p99 {p99} ms");
    assert!((200.0..450.0).contains(&p90), "p90 {p90} ms");
    serving.abort();
}

/// Every call of this many is answered late, by as much.
const SLOW: (u64, Duration) = (10, Duration::from_millis(80));

/// The times that a generator of one thread tells are those of the service, second by second as well,
/// and it keeps its own times: a connection that ends is made again.
#[tokio::test]
async fn times_are_those_of_the_service() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("the loopback binds");
    let target = format!("http://{}", listener.local_addr().expect("an address"));
    let serving = std::thread::spawn(move || {
        let slow = Slow(std::sync::atomic::AtomicU64::new(0));
        let service = v1::adaptation_service_server::AdaptationServiceServer::new(slow);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let served = async {
            let listener = listener.into_std().and_then(TcpListener::from_std).expect("a listener");
            Server::builder()
                .max_connection_age(Duration::from_millis(700))
                .add_service(service)
                .serve_with_incoming_shutdown(
                    TcpListenerStream::new(listener),
                    tokio::time::sleep(Duration::from_secs(4)),
                )
                .await
        };
        runtime.expect("a runtime").block_on(served).expect("it serves");
    });
    let mut generator = Generator::connect(options(target, TEXT)).await.expect("it is there");
    let seen = generator.open(400.0, Duration::from_millis(2_000)).await;
    let all = seen.all();
    assert_eq!((all.counts.sent, all.answered.len()), (800, 800), "{:?}", all.counts);
    let slow = 1_000 * u64::try_from(SLOW.1.as_millis()).expect("small");
    let late = all.answered.len() - all.answered.count_between(0, slow - 1_000);
    assert!((80..=120).contains(&late), "{late} of 800 took as long as the slow ones");
    let median = all.answered.value_at_quantile(0.5);
    assert!(median < slow / 2, "the others are not held up: {median} µs");
    // No slow one is quicker than its service, to the width of a bucket.
    let p99 = all.answered.value_at_quantile(0.99);
    assert!(p99 * 1_001 >= slow * 1_000 && p99 < slow * 3, "{p99} µs");
    let step = Step::new("400/s".to_owned(), &seen, &generator);
    let sum = |of: fn(&mmsfit::capacity::load::timeline::Second) -> u64| {
        step.timeline.iter().map(of).sum::<u64>()
    };
    assert_eq!((sum(|s| s.sent), sum(|s| s.answered)), (800, 800));
    assert_eq!(step.timeline[0].seconds, 1.0);
    // Not on this thread, which has to see that its connection ends.
    let ended = tokio::task::spawn_blocking(move || serving.join());
    ended.await.expect("no panic").expect("it ends");
}

/// Gives every message back; some late.
struct Slow(std::sync::atomic::AtomicU64);

#[tonic::async_trait]
impl AdaptationService for Slow {
    async fn adapt(
        &self,
        request: Request<v1::AdaptRequest>,
    ) -> Result<Response<v1::AdaptResponse>, Status> {
        if self.0.fetch_add(1, std::sync::atomic::Ordering::Relaxed).is_multiple_of(SLOW.0) {
            tokio::time::sleep(SLOW.1).await;
        }
        Stub { began: Instant::now() }.adapt(request).await
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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tls_and_tokens_are_had_and_who_is_at_fault_is_told() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path();
    let (own, other) = (Authority::new(path, "own"), Authority::new(path, "other"));
    own.sign("server");
    own.sign("mmsc");
    other.sign("stranger");
    let hash = "2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b"; // secret
    let clients = path.join("clients.toml");
    std::fs::write(&clients, format!("[clients.mmsc]\ntoken_sha256 = \"{hash}\"\n")).expect("w");
    let clients = Clients::load(&clients).expect("it loads");
    let tls = Tls::load(&files(path, Some("own.ca.pem"))).expect("it loads");
    let server = Running::start_as(service(2), |listener| {
        listener.with_tls(Some(tls)).with_clients(Some(clients))
    });
    let server = server.await;
    let target = format!("https://{}", server.addr);
    let security = |roots: &str, own: Option<&str>| Security {
        roots: Some(path.join(roots)),
        own: own.map(|name| (path.join(format!("{name}.pem")), path.join(format!("{name}.key")))),
        server_name: Some("localhost".to_owned()),
    };
    let good = Options {
        security: security("own.ca.pem", Some("mmsc")),
        token: Some("secret".to_owned()),
        ..options(target.clone(), TEXT)
    };
    let mut generator = Generator::connect(good.clone()).await.expect("all is right");
    let all = generator.closed(2, Duration::from_millis(100)).await.all();
    assert!(all.answered.len() >= 2 && all.counts.bad() == 0, "{:?}", all.counts);

    let no_token = Options { token: None, ..good.clone() };
    let mut generator = Generator::connect(no_token).await.expect("the connection is right");
    let counts = generator.closed(1, Duration::ZERO).await.all().counts;
    assert_eq!(counts.failed.get("Unauthenticated"), Some(&1), "{counts:?}");

    for (roots, own, word) in [
        ("other.ca.pem", Some("mmsc"), "no TLS that is trusted"),
        ("own.ca.pem", None, "ertificate"),
        ("own.ca.pem", Some("stranger"), "cannot reach"),
    ] {
        let options = Options { security: security(roots, own), ..good.clone() };
        let error = Generator::connect(options).await.expect_err(word);
        assert!(matches!(error, LoadError::Unreachable { .. }), "{error}");
        assert!(error.to_string().contains(word), "{error}");
    }
    for (roots, own, word) in [
        ("none.pem", None, "none.pem"),
        ("mmsc.key", None, "no certificate in it"),
        ("own.ca.pem", Some("nobody"), "nobody"),
    ] {
        let options = Options { security: security(roots, own), ..good.clone() };
        let error = Generator::connect(options).await.expect_err(word);
        assert!(!matches!(error, LoadError::Unreachable { .. }), "{error}");
        assert!(error.to_string().contains(word), "{error}");
    }
    let plain = Options { target: target.replace("https", "http"), ..good };
    let error = Generator::connect(plain).await.expect_err("no TLS").to_string();
    assert!(error.contains("https://"), "{error}");
    server.shut_down().await.expect("no panic").expect("it ends well");
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
    assert_eq!(all.counts.sent, all.answered, "{all:?}");
    assert!(
        all.counts.unchanged > 0 && all.counts.unchanged < all.answered,
        "texts pass, photos do not: {all:?}"
    );
    assert_eq!(all.counts.bad(), 0, "{all:?}");
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

/// Ramps and traces are sent as they say; what two processes tell is merged; logs and pages are written.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn runs_are_merged_and_told_in_other_forms() {
    let server = Running::start(service(2)).await;
    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str| folder.path().join(name);
    let text = "name = \"short\"\nsample = \"text\"\nshare = 1\n";
    let mix = format!("[[messages]]\n{text}[[messages]]\n{}", text.replace("short", "other"));
    std::fs::write(path("mix.toml"), mix).expect("written");
    let trace: String = (0..60).map(|n| format!("{},other\n", f64::from(n) * 0.02)).collect();
    std::fs::write(path("trace.csv"), trace + "0.5,short\n").expect("written");
    std::fs::write(path("wrong.csv"), "0,shrot\n").expect("written");
    let target = format!("http://{}", server.addr);
    let load = |arguments: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_mmsfit"));
        command.arg("load").args(arguments.split(' ')).current_dir(folder.path());
        async move {
            let output = tokio::task::spawn_blocking(move || command.output());
            output.await.expect("no panic").expect("it runs")
        }
    };
    let sends = format!("--target {target} --mix mix.toml --json --arrivals even --deadline 30");
    let (one, two) = tokio::join!(
        load(&format!("{sends} --ramp 0:100:1s --hdr one.hlog")),
        load(&format!("{sends} --ramp 50:100:1 --seed 2 --threads 2")),
    );
    for (name, output) in [("one.json", &one), ("two.json", &two)] {
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        std::fs::write(path(name), &output.stdout).expect("written");
    }
    let merged = load("--merge one.json two.json --json --hdr all.hlog --html all.html").await;
    assert!(merged.status.success(), "{}", String::from_utf8_lossy(&merged.stderr));
    let told = |output: &std::process::Output| {
        serde_json::from_slice::<serde_json::Value>(&output.stdout).expect("JSON")
    };
    let (one, two, all) = (told(&one), told(&two), told(&merged));
    let count = |of: &serde_json::Value, what: &str| of["steps"][0]["all"][what].as_u64();
    assert_eq!((count(&one, "sent"), count(&two, "sent")), (Some(50), Some(75)));
    assert_eq!((count(&all, "sent"), count(&all, "answered")), (Some(125), Some(125)));
    let max = |of: &serde_json::Value| of["steps"][0]["all"]["latencyMs"]["max"].as_f64();
    let longest = [max(&one), max(&two)].into_iter().flatten().reduce(f64::max);
    assert_eq!(max(&all), longest);
    assert_eq!(all["steps"][0]["what"], "0 to 100/s + 50 to 100/s");
    let replayed = told(&load(&format!("{sends} --replay trace.csv")).await);
    let step = &replayed["steps"][0];
    assert_eq!(
        (step["all"]["sent"].as_u64(), step["all"]["answered"].as_u64()),
        (Some(61), Some(61))
    );
    assert_eq!(step["kinds"][0][1]["sent"], 1, "the short one of the trace");

    // The reader of logs finds all answers of both, second by second.
    let log = std::fs::read(path("all.hlog")).expect("a log");
    let mut answered = 0;
    for entry in hdrhistogram::serialization::interval_log::IntervalLogIterator::new(&log) {
        use base64::Engine as _;
        use hdrhistogram::serialization::interval_log::LogEntry;
        if let LogEntry::Interval(interval) = entry.expect("it is read") {
            let coded = base64::engine::general_purpose::STANDARD
                .decode(interval.encoded_histogram())
                .expect("Base64");
            let read: hdrhistogram::Histogram<u64> =
                hdrhistogram::serialization::Deserializer::new()
                    .deserialize(&mut &coded[..])
                    .expect("a histogram");
            answered += read.len();
        }
    }
    assert_eq!(answered, 50 + 75);
    let page = std::fs::read_to_string(path("all.html")).expect("a page");
    assert!(
        page.contains("<svg class=\"chart\"") && page.contains("p99") && !page.contains("<script")
    );

    for (arguments, code, word) in [
        ("--merge one.json mix.toml", 3, "no output of `mmsfit load --json`"),
        ("--merge one.json none.json", 3, "none.json"),
        ("--merge one.json --rate 3", 2, "--rate"),
        ("--ramp 1:2 --mix mix.toml", 2, "FROM:TO:SECONDS"),
        (
            &format!("--replay wrong.csv --mix mix.toml --target {target}"),
            2,
            "did you mean `short`",
        ),
        (&format!("--rate 1 --ca one.json --target {target}"), 2, "https://"),
    ] {
        let output = load(arguments).await;
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(told.contains(word), "{arguments}: {told}");
        assert_eq!(output.status.code(), Some(code), "{arguments}: {told}");
    }
    server.shut_down().await.expect("no panic").expect("it ends well");
}
