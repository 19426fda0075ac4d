//! A real Prometheus: it scrapes what the service exports, and loads the rules that are shipped.

use std::{
    fs,
    io::{Read as _, Write as _},
    net::{TcpListener, TcpStream},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use mmsfit::{
    grpc::v1::adaptation_service_client::AdaptationServiceClient, telemetry::admin::Readiness,
};
use serde_json::Value;

use super::{adapt, admin_of, with_photo};
use crate::support::{self, HANG, need, server::Running};

/// Ended with the test.
struct Prometheus(Child);

impl Drop for Prometheus {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_real_prometheus_scrapes_the_service_and_loads_the_rules() {
    let tried = Command::new("prometheus").arg("--version").stdin(Stdio::null()).output();
    if let Err(error) = tried {
        need::missing("promtool", format_args!("prometheus: {error}"));
        return;
    }
    let server = Running::start(support::server::service(2)).await;
    let admin = admin_of(&server, &Readiness::default()).await;
    let mut client = AdaptationServiceClient::new(server.channel().await);
    for _ in 0..3 {
        client.adapt(adapt(with_photo(), 40_000)).await.expect("it fits");
    }

    let folder = tempfile::tempdir().expect("a folder");
    let rules = concat!(env!("CARGO_MANIFEST_DIR"), "/deploy/prometheus/rules.yml");
    let config = format!(
        "global: {{scrape_interval: 200ms, evaluation_interval: 200ms}}\n\
         rule_files: [{rules:?}]\n\
         scrape_configs: [{{job_name: mmsfit, static_configs: [{{targets: [\"{admin}\"]}}]}}]\n"
    );
    let path = folder.path().join("prometheus.yml");
    fs::write(&path, config).expect("it is written");
    let free = TcpListener::bind("127.0.0.1:0").and_then(|l| l.local_addr()).expect("a port");
    let started = Command::new("prometheus")
        .arg(format!("--config.file={}", path.display()))
        .arg(format!("--storage.tsdb.path={}", folder.path().join("data").display()))
        .arg(format!("--web.listen-address={free}"))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    let _prometheus = Prometheus(started.expect("it starts"));

    let answers = tokio::task::spawn_blocking(move || {
        let until = Instant::now() + HANG;
        let json = |path: &str| -> Option<Value> {
            // HTTP/1.0: an answer in one piece.
            let mut stream = TcpStream::connect(free).ok()?;
            stream.set_read_timeout(Some(HANG)).ok()?;
            stream.write_all(format!("GET {path} HTTP/1.0\r\n\r\n").as_bytes()).ok()?;
            let mut text = String::new();
            stream.read_to_string(&mut text).ok()?;
            serde_json::from_str(text.split_once("\r\n\r\n")?.1).ok()
        };
        let query = |query: &str| -> Option<f64> {
            let found = json(&format!("/api/v1/query?query={query}"))?;
            found["data"]["result"][0]["value"][1].as_str()?.parse().ok()
        };
        loop {
            let calls = query("sum(mmsfit_calls_total%7Bmethod=%22Adapt%22,code=%22OK%22%7D)");
            let rules = json("/api/v1/rules").filter(|rules| {
                let of = |group: &Value| group["rules"].as_array().cloned().unwrap_or_default();
                let groups = rules["data"]["groups"].as_array().cloned().unwrap_or_default();
                let all: Vec<Value> = groups.iter().flat_map(of).collect();
                !all.is_empty() && all.iter().all(|rule| rule["health"] == "ok")
            });
            if let (Some(calls), Some(rules)) = (calls, rules) {
                let up = query("up%7Bjob=%22mmsfit%22%7D");
                let quantile = "histogram_quantile(0.99,mmsfit_call_duration_seconds_bucket)";
                return (calls, up, query(quantile), rules);
            }
            assert!(Instant::now() < until, "{calls:?}, {:?}", json("/api/v1/rules"));
            std::thread::sleep(Duration::from_millis(100));
        }
    });
    let (calls, up, p99, rules) = answers.await.expect("no panic");
    assert_eq!((calls, up), (3.0, Some(1.0)));
    assert!(p99.is_some_and(|seconds| seconds > 0.0), "{p99:?}");
    assert!(rules["data"]["groups"].as_array().is_some_and(|groups| !groups.is_empty()));
}
