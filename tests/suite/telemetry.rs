//! The admin port as a scraper and a prober see it.

mod scraped;
mod shipped;
mod traces;

use std::{
    collections::BTreeSet,
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    process::{Child, Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use mmsfit::{
    grpc::v1::{self, adapt_request::Content, adaptation_service_client::AdaptationServiceClient},
    service::Service,
    telemetry::{
        admin::{self, Page, Readiness},
        table::ALL,
    },
};
use tokio_stream::wrappers::ReceiverStream;

use crate::support::{
    self, HANG,
    photos::{IMAGE_JPEG, TEXT_PLAIN, pdu, photo},
    server::Running,
};

fn adapt(content: Vec<u8>, limit: u32) -> v1::AdaptRequest {
    v1::AdaptRequest {
        content: Some(Content::MmsPdu(content.into())),
        limits: Some(v1::LimitOverrides { max_message_bytes: Some(limit), ..Default::default() }),
        ..Default::default()
    }
}

fn with_photo() -> Vec<u8> {
    pdu(&[(TEXT_PLAIN, "hello.txt", b"hello"), (IMAGE_JPEG, "photo.jpg", &photo(800, 600))])
}

/// One answer of the admin port: its head and its body.
fn ask(address: SocketAddr, path: &str, header: &str) -> (String, String) {
    let mut stream = TcpStream::connect_timeout(&address, HANG).expect("the port answers");
    stream.set_read_timeout(Some(HANG)).expect("a timeout");
    let request = format!("GET {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n{header}\r\n");
    stream.write_all(request.as_bytes()).expect("it takes requests");
    let mut text = String::new();
    stream.read_to_string(&mut text).expect("an answer");
    let (head, body) = text.split_once("\r\n\r\n").expect("a head");
    (head.to_owned(), body.to_owned())
}

async fn ask_aside(
    address: SocketAddr,
    path: &'static str,
    header: &'static str,
) -> (String, String) {
    tokio::task::spawn_blocking(move || ask(address, path, header)).await.expect("no panic")
}

/// The admin port of a server in this process.
async fn admin_of(server: &Running, readiness: &Readiness) -> SocketAddr {
    let listener = admin::bind(([127, 0, 0, 1], 0).into()).await.expect("the loopback binds");
    let address = listener.addr();
    let offload = server.offload.clone();
    let page = Page {
        scrape: Arc::new(move |format| offload.scrape(format)),
        readiness: readiness.clone(),
    };
    tokio::spawn(admin::serve(listener, page));
    address
}

fn value(text: &str, series: &str) -> f64 {
    let found = text.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
    let found = found.unwrap_or_else(|| panic!("{series} is not in\n{text}"));
    found.parse().expect("a number")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scrape_tells_exactly_what_was_done() {
    let server = Running::start(support::server::service(2)).await;
    let address = admin_of(&server, &Readiness::default()).await;
    let mut client = AdaptationServiceClient::new(server.channel().await);
    let text = pdu(&[(TEXT_PLAIN, "hello.txt", b"hello")]);
    for _ in 0..2 {
        client.adapt(adapt(with_photo(), 40_000)).await.expect("it fits");
    }
    client.adapt(adapt(text.clone(), 40_000)).await.expect("it passes");
    client.adapt(adapt(with_photo(), 100)).await.expect_err("it cannot fit");
    client.adapt(adapt(b"no message".to_vec(), 40_000)).await.expect_err("it is malformed");
    let plan = v1::PlanRequest { request: Some(adapt(with_photo(), 40_000)) };
    client.plan(plan).await.expect("it is planned");
    let items = [adapt(text.clone(), 40_000), adapt(text.clone(), 10)];
    let items = items.map(|request| v1::AdaptStreamRequest { request: Some(request) });
    let mut answers =
        client.adapt_stream(tokio_stream::iter(items)).await.expect("a stream").into_inner();
    while answers.message().await.expect("answers").is_some() {}
    let recipient = v1::Recipient::default();
    let many = v1::AdaptManyRequest {
        request: Some(adapt(text, 40_000)),
        recipients: vec![recipient.clone(), recipient],
    };
    let mut answers = client.adapt_many(many).await.expect("a stream").into_inner();
    while answers.message().await.expect("answers").is_some() {}
    drop(client);

    // An answer is counted when its last byte has gone, which may be just after it was read.
    let counted = || server.offload.scrape(mmsfit::telemetry::Format::Prometheus);
    support::server::eventually("the last call is counted", || {
        counted().contains("mmsfit_calls_total{method=\"AdaptMany\"")
    })
    .await;
    let (head, text) = ask_aside(address, "/metrics", "").await;
    assert!(head.starts_with("HTTP/1.1 200"), "{head}");
    assert!(head.contains("content-type: text/plain; version=0.0.4"), "{head}");
    for (series, expected) in [
        ("mmsfit_calls_total{method=\"Adapt\",code=\"OK\",reason=\"none\"}", 3.0),
        ("mmsfit_calls_total{method=\"Plan\",code=\"OK\",reason=\"none\"}", 1.0),
        ("mmsfit_calls_total{method=\"AdaptStream\",code=\"OK\",reason=\"none\"}", 1.0),
        ("mmsfit_calls_total{method=\"AdaptMany\",code=\"OK\",reason=\"none\"}", 1.0),
        ("mmsfit_call_duration_seconds_count{method=\"Adapt\"}", 5.0),
        // The text alone: once by Adapt, once by AdaptStream, once for both of AdaptMany.
        ("mmsfit_messages_total{outcome=\"unchanged\"}", 3.0),
        ("mmsfit_messages_total{outcome=\"minor\"}", 2.0),
        ("mmsfit_messages_total{outcome=\"major\"}", 0.0),
        ("mmsfit_parts_total{media=\"text\",action=\"keep\",reason=\"none\"}", 5.0),
        ("mmsfit_fill_ratio_count", 2.0),
        ("mmsfit_encodes_per_part_count{media=\"image\"}", 2.0),
        ("mmsfit_price_error_ratio_count", 2.0),
        // Three photos, the one that cannot fit among them, and AdaptMany.
        ("mmsfit_queue_wait_seconds_count{lane=\"work\"}", 4.0),
        // Five of Adapt, one Plan, two of AdaptStream.
        ("mmsfit_queue_wait_seconds_count{lane=\"quick\"}", 8.0),
        ("mmsfit_refused_at_door_total{lane=\"work\"}", 0.0),
        ("mmsfit_jobs_panicked_total{lane=\"work\"}", 0.0),
        ("mmsfit_jobs_running{lane=\"work\"}", 0.0),
        ("mmsfit_threads{lane=\"quick\"}", 2.0),
    ] {
        assert_eq!(value(&text, series), expected, "{series} in\n{text}");
    }
    assert!(value(&text, "mmsfit_cpu_seconds_total{media=\"image\"}") > 0.0, "{text}");
    assert!(value(&text, "mmsfit_request_bytes_total{method=\"Adapt\"}") > 100_000.0, "{text}");
    assert!(value(&text, "mmsfit_response_bytes_total{method=\"Adapt\"}") > 20_000.0, "{text}");
    assert!(value(&text, "mmsfit_fill_ratio_sum") <= 2.0, "{text}");
    let lines = |start: &str| text.lines().filter(|line| line.starts_with(start)).count();
    let sum = |start: &str| {
        let lines = text.lines().filter(|line| line.starts_with(start));
        lines.map(|line| line.rsplit(' ').next().unwrap_or("").parse::<f64>().unwrap()).sum::<f64>()
    };
    assert_eq!(sum("mmsfit_parts_total{media=\"image\",action=\"transcode\""), 2.0, "{text}");
    assert_eq!(sum("mmsfit_refusals_total{"), 3.0, "{text}");
    assert_eq!(sum("mmsfit_refusals_total{category=\"cannot_fit\""), 2.0, "{text}");
    let failed = "mmsfit_calls_total{method=\"Adapt\",code=\"FAILED_PRECONDITION\",reason=\"";
    assert_eq!((lines(failed), sum(failed)), (1, 1.0), "{text}");
    assert!(!text.contains("reason=\"other\""), "{text}");
    // Nobody's number, no name of a file, no text.
    for word in ["1555", "PLMN", "photo.jpg", "hello"] {
        assert!(!text.contains(word), "{word}: {text}");
    }

    let told: BTreeSet<&str> =
        text.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split(' ').next()).collect();
    for row in ALL {
        assert!(row.only.is_some() || told.contains(row.name), "{} is not told\n{text}", row.name);
    }
    let known: BTreeSet<&str> = ALL.iter().map(|row| row.name).collect();
    assert!(told.is_subset(&known), "{told:?}");
    shipped::promtool_takes(&text);

    let (head, open) =
        ask_aside(address, "/metrics", "Accept: application/openmetrics-text; version=1.0.0\r\n")
            .await;
    assert!(head.contains("content-type: application/openmetrics-text; version=1.0.0"), "{head}");
    assert!(open.ends_with("# EOF\n"), "{open}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_peer_that_says_nothing_is_closed_and_others_are_answered() {
    let server = Running::start(Service::new(mmsfit::config::Config {
        threads: 1,
        ..mmsfit::config::Config::default()
    }))
    .await;
    let address = admin_of(&server, &Readiness::default()).await;
    let closed_after = Arc::new(AtomicU64::new(0));
    let told = Arc::clone(&closed_after);
    let slow = tokio::task::spawn_blocking(move || {
        let begun = Instant::now();
        let mut stream = TcpStream::connect(address).expect("it accepts");
        stream.set_read_timeout(Some(HANG)).expect("a timeout");
        stream.write_all(b"GET /metrics HTT").expect("it reads");
        let mut said = Vec::new();
        let ended = stream.read_to_end(&mut said);
        told.store(begun.elapsed().as_millis() as u64, Ordering::Relaxed);
        assert!(
            ended.is_ok() || ended.is_err_and(|e| e.kind() == std::io::ErrorKind::ConnectionReset)
        );
    });
    let (head, body) = ask_aside(address, "/healthz", "").await;
    assert!(head.starts_with("HTTP/1.1 200") && body == "alive\n", "{head}{body}");
    let (head, _) = ask_aside(address, "/debug", "").await;
    assert!(head.starts_with("HTTP/1.1 404"), "{head}");
    assert_eq!(closed_after.load(Ordering::Relaxed), 0, "it is given some time");
    slow.await.expect("it was closed");
    let after = Duration::from_millis(closed_after.load(Ordering::Relaxed));
    assert!((9..20).contains(&after.as_secs()), "{after:?}");
}

/// The command with an admin port.
struct Served {
    child: Child,
    folder: tempfile::TempDir,
}

impl Served {
    fn start(variables: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let at = |name: &str| folder.path().join(name);
        let log = std::fs::File::create(at("log")).expect("a file");
        let mut command = Command::new(env!("CARGO_BIN_EXE_mmsfit"));
        for variable in ["MMSFIT_CONFIG", "MMSFIT_LOG"] {
            command.env_remove(variable);
        }
        command.args(["serve", "--listen", "127.0.0.1:0", "--port-file"]).arg(at("port"));
        command.args(["--admin-listen", "127.0.0.1:0", "--admin-port-file"]).arg(at("admin"));
        let started = command
            .envs(variables.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn();
        Self { child: started.expect("the command starts"), folder }
    }

    fn address(&mut self, name: &str) -> SocketAddr {
        let until = Instant::now() + HANG;
        loop {
            if let Ok(address) = std::fs::read_to_string(self.folder.path().join(name)) {
                return address.parse().expect("an address");
            }
            let ended = self.child.try_wait().expect("a child");
            assert!(ended.is_none() && Instant::now() < until, "not up: {ended:?}");
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// What it has logged so far.
    fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log")).expect("a log")
    }

    fn terminate(&self) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().expect("kill runs").success());
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn readiness_ends_with_the_signal_and_life_with_the_process() {
    let mut served = Served::start(&[]);
    let (service, admin) = (served.address("port"), served.address("admin"));
    let (head, body) = ask_aside(admin, "/readyz", "").await;
    assert!(head.starts_with("HTTP/1.1 200") && body == "serving\n", "{head}{body}");

    // A stream that stays open keeps the service from ending at once.
    let endpoint = tonic::transport::Endpoint::from_shared(format!("http://{service}"));
    let channel = endpoint.expect("an address").connect().await.expect("it is up");
    let (items, taken) = tokio::sync::mpsc::channel(1);
    let text = pdu(&[(TEXT_PLAIN, "hello.txt", b"hello")]);
    let item = v1::AdaptStreamRequest { request: Some(adapt(text, 40_000)) };
    items.send(item.clone()).await.expect("a place");
    let mut client = AdaptationServiceClient::new(channel);
    let stream = client.adapt_stream(ReceiverStream::new(taken)).await;
    let mut answers = stream.expect("a stream").into_inner();
    answers.message().await.expect("an answer").expect("one more");

    served.terminate();
    let until = Instant::now() + HANG;
    loop {
        let (head, body) = ask_aside(admin, "/readyz", "").await;
        if head.starts_with("HTTP/1.1 503") {
            assert!(body.starts_with("ending"), "{body}");
            break;
        }
        assert!(Instant::now() < until, "still {head}");
    }
    let (head, _) = ask_aside(admin, "/healthz", "").await;
    assert!(head.starts_with("HTTP/1.1 200"), "{head}");
    // What is at work is still answered.
    items.send(item).await.expect("a place");
    answers.message().await.expect("an answer").expect("one more");
    drop(items);
    assert!(answers.message().await.expect("the end").is_none());
    drop((answers, client));
    let ended = tokio::task::spawn_blocking(move || served.child.wait()).await.expect("no panic");
    assert!(ended.expect("it ends").success());
}

#[cfg(unix)]
#[test]
fn a_service_whose_worker_does_not_start_lives_and_is_not_ready() {
    use std::os::unix::fs::PermissionsExt as _;

    let folder = tempfile::tempdir().expect("a folder");
    let program = folder.path().join("worker");
    std::fs::write(&program, "#!/bin/sh\nexec sleep 30\n").expect("it is written");
    let executable = std::fs::Permissions::from_mode(0o755);
    std::fs::set_permissions(&program, executable).expect("it is ours");
    let program = program.to_string_lossy().into_owned();
    let mut served = Served::start(&[("MMSFIT_WORKER_PROGRAM", &program)]);
    let admin = served.address("admin");
    let (head, body) = ask(admin, "/readyz", "");
    assert!(head.starts_with("HTTP/1.1 503") && body.starts_with("starting"), "{head}{body}");
    let (head, _) = ask(admin, "/healthz", "");
    assert!(head.starts_with("HTTP/1.1 200"), "{head}");
    // A scrape does not wait for it.
    let (head, text) = ask(admin, "/metrics", "");
    assert!(head.starts_with("HTTP/1.1 200") && text.contains("mmsfit_build_info"), "{text}");
    served.terminate();
}
