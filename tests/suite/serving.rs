//! The service as an operator runs it: a process that is told things by signals and tells what it
//! did in its log.

use std::{
    os::unix::net::UnixDatagram,
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use mmsfit::grpc::v1::{
    self, adapt_request::Content, adaptation_service_client::AdaptationServiceClient,
    profile_service_client::ProfileServiceClient,
};
use tonic::transport::{Channel, Endpoint};

use crate::support::{
    HANG,
    photos::{IMAGE_JPEG, TEXT_PLAIN, pdu, photo},
};

struct Served {
    child: Child,
    address: String,
}

impl Served {
    fn start(arguments: &[&str]) -> Self {
        Self::start_with(arguments, &[])
    }

    fn start_with(arguments: &[&str], environment: &[(&str, &Path)]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let port_file = folder.path().join("port");
        let mut command = Command::new(env!("CARGO_BIN_EXE_mmsfit"));
        command.args(["serve", "--listen", "127.0.0.1:0", "--port-file"]).arg(&port_file);
        for variable in ["MMSFIT_CONFIG", "MMSFIT_LOG", "MMSFIT_LOG_FORMAT"] {
            command.env_remove(variable);
        }
        let started = command
            .args(arguments)
            .envs(environment.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn();
        let mut child = started.expect("the command starts");
        let until = Instant::now() + HANG;
        let address = loop {
            if let Ok(address) = std::fs::read_to_string(&port_file) {
                break address;
            }
            let ended = child.try_wait().expect("a child");
            assert!(ended.is_none() && Instant::now() < until, "not up: {ended:?}");
            std::thread::sleep(Duration::from_millis(10));
        };
        Self { child, address }
    }

    async fn client(&self) -> AdaptationServiceClient<Channel> {
        let endpoint = Endpoint::from_shared(format!("http://{}", self.address));
        let channel = endpoint.expect("an address").connect().await.expect("it is up");
        AdaptationServiceClient::new(channel)
    }

    fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        let sent = Command::new("kill").args([name, &pid]).status().expect("kill runs");
        assert!(sent.success());
    }

    /// Asks it to end; its log.
    fn end(self) -> String {
        self.signal("-TERM");
        self.wait()
    }

    /// Its log, once it has ended.
    fn wait(self) -> String {
        let output = self.child.wait_with_output().expect("it ends");
        assert!(output.status.success(), "{}", output.status);
        String::from_utf8(output.stderr).expect("text")
    }
}

fn request(id: &str, limit: u32) -> v1::AdaptRequest {
    let message =
        pdu(&[(TEXT_PLAIN, "hello.txt", b"hello"), (IMAGE_JPEG, "photo.jpg", &photo(800, 600))]);
    v1::AdaptRequest {
        request_id: id.into(),
        content: Some(Content::MmsPdu(message.into())),
        limits: Some(v1::LimitOverrides { max_message_bytes: Some(limit), ..Default::default() }),
        ..Default::default()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hangup_is_survived_and_each_call_is_one_line_in_the_log() {
    let served = Served::start(&["--color", "never"]);
    let mut client = served.client().await;
    let answer = client.adapt(request("call-1", 40_000)).await.expect("it fits").into_inner();
    served.signal("-HUP");
    let refused = client.adapt(request("call-2", 100)).await.expect_err("it cannot fit");
    assert_eq!(refused.code(), tonic::Code::FailedPrecondition, "{refused}");
    let plan = v1::PlanRequest { request: Some(request("call-3", 40_000)) };
    client.plan(plan).await.expect("it is planned");
    let malformed = client.adapt(v1::AdaptRequest::default()).await.expect_err("no content");
    assert_eq!(malformed.code(), tonic::Code::InvalidArgument, "{malformed}");
    drop(client);

    let log = served.end();
    let lines: Vec<&str> = log.lines().collect();
    assert!(!log.contains('\u{1b}'), "{log}");
    assert!(lines.iter().any(|line| line.contains("configuration reloaded")), "{log}");
    assert!(lines.iter().any(|line| line.contains("worker started anew")), "{log}");
    let of = |id: &str| -> &str {
        let mut found = lines.iter().filter(|line| line.contains(id));
        let (first, second) = (found.next(), found.next());
        assert!(second.is_none(), "one line a call: {log}");
        first.unwrap_or_else(|| panic!("no line of {id}: {log}"))
    };
    for word in ["Adapt", "outcome=Minor", "parts=2", "limit=40000", "cpu_ms=", "queue_ms="] {
        assert!(of("call-1").contains(word), "{word}: {log}");
    }
    assert!(of("call-2").contains("CANNOT_FIT") && of("call-2").contains("CannotFit"), "{log}");
    assert!(of("call-3").contains("Plan"), "{log}");
    // What is refused before it is read has a line, too.
    assert!(of("BAD_REQUEST").contains("call=\"Adapt\""), "{log}");
    // Nobody's address, no name of a file, no text.
    for word in ["1555", "TYPE=PLMN", "photo.jpg", "hello"] {
        assert!(!log.contains(word), "{word}: {log}");
    }

    let account = answer.report.and_then(|report| report.account).expect("an account");
    assert_eq!(account.engine_version, env!("CARGO_PKG_VERSION"));
    assert!(account.cpu_ms > 0.0 && account.wall_ms > 0.0 && account.queue_ms >= 0.0);
    assert_eq!(account.transaction_id, "T1");
    assert!(account.device_rule.is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_log_is_json_where_that_is_asked_for() {
    let served = Served::start(&["--log-format", "json"]);
    let mut client = served.client().await;
    client.adapt(request("call-1", 40_000)).await.expect("it fits");
    client.adapt(request("call-2", 100)).await.expect_err("it cannot fit");
    drop(client);
    let log = served.end();
    let lines: Vec<serde_json::Value> = log
        .lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}")))
        .collect();
    let of = |id: &str| {
        let found = lines.iter().find(|line| line["request_id"] == id);
        found.unwrap_or_else(|| panic!("no line of {id}: {log}"))
    };
    let answered = of("call-1");
    assert_eq!((&answered["level"], &answered["message"]), (&"INFO".into(), &"answered".into()));
    assert!(answered["timestamp"].is_string() && answered["cpu_ms"].is_number(), "{answered}");
    assert!(answered["bytes_before"].as_u64() > answered["bytes_after"].as_u64(), "{answered}");
    assert_eq!(of("call-2")["reason"], "CANNOT_FIT");
}

const CARRIER: &str = r#"
title = "A carrier of the test"
country = "at"
mcc_mnc = ["999-01"]
default_device = "generic-android"

[[limits]]
kind = "gateway"
bytes = "BYTES"
counted = "interface"
source = "made up"
date = "2026-11"
"#;

/// The limit that the test's carrier has, as the service knows it.
async fn limit(profiles: &mut ProfileServiceClient<Channel>) -> Option<u32> {
    let asked = v1::LookupLimitsRequest { carrier: "test".into(), ..Default::default() };
    let answer = profiles.lookup_limits(asked).await.ok()?.into_inner();
    answer.limits.first()?.limit.as_ref().map(|limit| limit.bytes)
}

async fn until_limit_is(profiles: &mut ProfileServiceClient<Channel>, wanted: Option<u32>) {
    let start = Instant::now();
    while limit(profiles).await != wanted {
        assert!(start.elapsed() < HANG, "{wanted:?} never came");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hangup_reads_carriers_again_and_a_broken_one_leaves_the_old() {
    let folder = tempfile::tempdir().expect("a folder");
    let (config, carriers) = (folder.path().join("mmsfit.toml"), folder.path().join("carriers"));
    std::fs::create_dir(&carriers).expect("a folder");
    let write = |bytes: &str| {
        let text = CARRIER.replace("BYTES", bytes);
        std::fs::write(carriers.join("test.toml"), text).expect("it is written");
    };
    write("200k");
    std::fs::write(&config, format!("carriers_dirs = [{carriers:?}]\n")).expect("it is written");
    let served = Served::start(&["--config", config.to_str().expect("text"), "--color", "never"]);
    let endpoint = Endpoint::from_shared(format!("http://{}", served.address));
    let channel = endpoint.expect("an address").connect().await.expect("it is up");
    let mut profiles = ProfileServiceClient::new(channel);
    assert_eq!(limit(&mut profiles).await, Some(200_000));
    write("250k");
    served.signal("-HUP");
    until_limit_is(&mut profiles, Some(250_000)).await;
    write("a lot");
    served.signal("-HUP");
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(limit(&mut profiles).await, Some(250_000));
    drop(profiles);
    let log = served.end();
    assert!(log.contains("not reloaded, the old one stays in force"), "{log}");
    assert!(log.contains("test.toml"), "{log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_carrier_that_changes_is_read_without_being_asked() {
    let folder = tempfile::tempdir().expect("a folder");
    let (config, carriers) = (folder.path().join("mmsfit.toml"), folder.path().join("carriers"));
    std::fs::create_dir(&carriers).expect("a folder");
    let write = |bytes: &str| {
        let text = CARRIER.replace("BYTES", bytes);
        std::fs::write(carriers.join("test.toml"), text).expect("it is written");
    };
    write("200k");
    let text = format!("carriers_dirs = [{carriers:?}]\n[server]\nreload_seconds = 1\n");
    std::fs::write(&config, text).expect("it is written");
    let served = Served::start(&["--config", config.to_str().expect("text")]);
    let endpoint = Endpoint::from_shared(format!("http://{}", served.address));
    let channel = endpoint.expect("an address").connect().await.expect("it is up");
    let mut profiles = ProfileServiceClient::new(channel);
    assert_eq!(limit(&mut profiles).await, Some(200_000));
    write("260k");
    until_limit_is(&mut profiles, Some(260_000)).await;
    // Broken, and mended.
    write("a lot");
    tokio::time::sleep(Duration::from_millis(2_500)).await;
    assert_eq!(limit(&mut profiles).await, Some(260_000));
    write("270k");
    until_limit_is(&mut profiles, Some(270_000)).await;
    drop(profiles);
    let log = served.end();
    assert_eq!(log.matches("configuration reloaded").count(), 2, "{log}");
    assert_eq!(log.matches("the old one stays in force").count(), 1, "{log}");
}

#[test]
fn a_service_manager_is_told_what_happens() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("notify");
    let socket = UnixDatagram::bind(&path).expect("it binds");
    socket.set_read_timeout(Some(HANG)).expect("a bound");
    let next = || {
        let mut bytes = [0; 500];
        let length = socket.recv(&mut bytes).expect("a word");
        String::from_utf8_lossy(&bytes[..length]).into_owned()
    };
    let watchdog = Path::new("400000");
    let served = Served::start_with(&[], &[("NOTIFY_SOCKET", &path), ("WATCHDOG_USEC", watchdog)]);
    let first_but = |beat: &str| loop {
        let word = next();
        if word != beat {
            return word;
        }
    };
    assert_eq!(first_but("WATCHDOG=1\n"), "READY=1\n");
    assert_eq!(next(), "WATCHDOG=1\n");
    served.signal("-HUP");
    let word = first_but("WATCHDOG=1\n");
    assert!(word.starts_with("RELOADING=1\nMONOTONIC_USEC="), "{word}");
    assert_eq!(first_but("WATCHDOG=1\n"), "READY=1\n");
    served.signal("-TERM");
    assert_eq!(first_but("WATCHDOG=1\n"), "STOPPING=1\n");
    served.wait();
}
