//! Documents by URL: from hosts that misbehave, from addresses that are nobody's business, kept in
//! memory and on disk, and as the service uses them.

mod hosts;
mod served;

use std::{
    path::Path,
    sync::{Arc, atomic::Ordering},
    time::{Duration, Instant},
};

use mmsfit::{
    config::ProfileFetchConfig,
    fetch::{Answer, Fetcher, Refusal},
    model::Bytes,
    telemetry::{Format, Metrics},
};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use tokio::{net::TcpListener, task::JoinSet};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{ServerConfig, crypto::ring, pki_types::PrivateKeyDer},
};

use self::hosts::Host;
use crate::support::HANG;

/// These hosts, on private addresses, in little time.
fn settings(hosts: &[String]) -> ProfileFetchConfig {
    ProfileFetchConfig {
        hosts: hosts.iter().map(|host| host.parse().expect("a host")).collect(),
        allow_private: true,
        max_bytes: Bytes::new(64 << 10),
        max_time: Duration::from_millis(700),
        connect_time: Duration::from_millis(500),
        ..ProfileFetchConfig::default()
    }
}

fn fetcher(settings: &ProfileFetchConfig) -> Fetcher {
    Fetcher::new(settings, Metrics::new()).expect("it starts").expect("there are hosts")
}

async fn get(fetcher: &Fetcher, url: &str) -> Answer {
    fetcher.get(url, Instant::now() + HANG).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_host_that_misbehaves_costs_the_time_cap_and_no_more() {
    let host = Host::start().await;
    let metrics = Metrics::new();
    let fetcher = Fetcher::new(&settings(&[host.listed()]), metrics.clone());
    let fetcher = fetcher.expect("it starts").expect("there are hosts");
    let cases = [
        ("/slow-answer", Refusal::TimedOut),
        ("/slow-head", Refusal::TimedOut),
        ("/slow-body", Refusal::TimedOut),
        ("/endless-chunks", Refusal::TooLarge),
        ("/endless", Refusal::TooLarge),
        ("/endless-headers", Refusal::Broken),
        ("/huge-header", Refusal::Broken),
        ("/many-headers", Refusal::Broken),
        ("/announced", Refusal::TooLarge),
        ("/too-large", Refusal::TooLarge),
        ("/short", Refusal::Broken),
        ("/two-lengths", Refusal::Broken),
        ("/closes", Refusal::Broken),
        ("/half-a-head", Refusal::Broken),
        ("/nonsense", Refusal::Broken),
        ("/loop", Refusal::Redirect),
        ("/to-metadata", Refusal::Redirect),
        ("/to-loopback", Refusal::Redirect),
        ("/to-another-port", Refusal::Redirect),
        ("/to-a-file", Refusal::Redirect),
        ("/to-nowhere", Refusal::Redirect),
        ("/404", Refusal::Status(404)),
        ("/500", Refusal::Status(500)),
        ("/206", Refusal::Status(206)),
        ("/gzip", Refusal::Compressed),
        ("/gzip-transfer", Refusal::Compressed),
        ("/gzip-unsaid", Refusal::NotAProfile),
        ("/garbage", Refusal::NotAProfile),
        ("/html", Refusal::NotAProfile),
        ("/empty", Refusal::NotAProfile),
        ("/says-nothing", Refusal::NotAProfile),
        ("/bomb", Refusal::NotAProfile),
    ];
    let began = Instant::now();
    let mut asked = JoinSet::new();
    for (path, expected) in cases {
        let (fetcher, url) = (fetcher.clone(), host.url(path));
        asked.spawn(async move { (path, expected, get(&fetcher, &url).await) });
    }
    while let Some(done) = asked.join_next().await {
        let (path, expected, answer) = done.expect("no panic");
        assert_eq!(answer, Err(expected), "{path}");
    }
    // Interim answers without end: cut off by whichever cap is reached first.
    let endless = get(&fetcher, &host.url("/endless-heads")).await;
    assert!(matches!(endless, Err(Refusal::TimedOut | Refusal::Broken)), "{endless:?}");
    // Sixteen at once, of which the slow ones take the whole time.
    assert!(began.elapsed() < Duration::from_secs(8), "{:?}", began.elapsed());
    for path in ["/good", "/moved"] {
        let profile = get(&fetcher, &host.url(path)).await.expect("a document");
        assert_eq!(profile.max_message_bytes, Some(Bytes::new(50_000)), "{path}");
    }
    let told = metrics.text(Format::Prometheus);
    for line in [
        "mmsfit_profile_fetches_total{result=\"ok\"} 2",
        "mmsfit_profile_fetches_total{result=\"redirect\"} 6",
        "mmsfit_profile_fetches_total{result=\"status\"} 3",
        "mmsfit_profile_cache_requests_total{result=\"hit\"} 0",
    ] {
        assert!(told.contains(line), "{line} is not in {told}");
    }
}

#[tokio::test]
async fn what_is_not_listed_or_not_a_url_is_not_asked_for() {
    let host = Host::start().await;
    let fetcher =
        fetcher(&settings(&["uaprof.example.org".to_owned(), "*.such.invalid".to_owned()]));
    for (url, expected) in [
        (host.url("/good"), Refusal::NotAllowed),
        ("http://uaprof.example.org:8080/a".to_owned(), Refusal::NotAllowed),
        (format!("http://uaprof.example.org@{}/good", host.addr), Refusal::BadUrl),
        ("ftp://uaprof.example.org/a".to_owned(), Refusal::BadUrl),
        ("http://uaprof.example.org/a b".to_owned(), Refusal::BadUrl),
    ] {
        assert_eq!(get(&fetcher, &url).await, Err(expected), "{url}");
    }
    let unknown = get(&fetcher, "http://no.such.invalid/a").await;
    assert!(matches!(unknown, Err(Refusal::NoHost | Refusal::TimedOut)), "{unknown:?}");
    assert_eq!(host.asked.times(), 0);
    assert!(Fetcher::new(&settings(&[]), Metrics::new()).expect("it starts").is_none());
}

#[tokio::test]
async fn private_addresses_are_not_connected_to_in_any_spelling() {
    let host = Host::start().await;
    let port = host.addr.port();
    let hosts = ["127.0.0.1", "[::ffff:7f00:1]", "localhost", "2130706433", "0x7f.1", "0.0.0.0"];
    let hosts = hosts.map(|name| format!("{name}:{port}"));
    // IPv6 is written in its canonical form on the list, too.
    let listed = hosts.clone().map(|name| name.replace("::ffff:7f00:1", "::ffff:127.0.0.1"));
    let strict = ProfileFetchConfig { allow_private: false, ..settings(&listed) };
    let strict = fetcher(&strict);
    for host in &hosts {
        let answer = get(&strict, &format!("http://{host}/good")).await;
        // Some systems do not read numbers as addresses, which is as good.
        let numbers = host.starts_with("2130706433") || host.starts_with("0x7f");
        let refused = answer == Err(Refusal::PrivateAddress)
            || (numbers && matches!(answer, Err(Refusal::NoHost | Refusal::TimedOut)));
        assert!(refused, "{host}: {answer:?}");
    }
    assert_eq!(host.asked.times(), 0);
    let open = fetcher(&settings(&listed));
    assert!(get(&open, &host.url("/good")).await.is_ok());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fifty_who_ask_at_once_are_one_fetch_that_nobody_can_call_off() {
    let host = Host::start().await;
    let fetcher = fetcher(&settings(&[host.listed()]));
    // The first leaves at once.
    let left = fetcher.get(&host.url("/after-a-while"), Instant::now()).await;
    assert_eq!(left, Err(Refusal::TimedOut));
    let mut asked = JoinSet::new();
    for _ in 0..50 {
        let (fetcher, url) = (fetcher.clone(), host.url("/after-a-while"));
        asked.spawn(async move { get(&fetcher, &url).await });
    }
    let answers = asked.join_all().await;
    assert!(answers.iter().all(Result::is_ok));
    assert_eq!(host.asked.times(), 1);
    // Another spelling of the same.
    assert!(get(&fetcher, &host.url("/after-a-while#x")).await.is_ok());
    assert_eq!(host.asked.times(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fetches_at_once_are_bounded() {
    let host = Host::start().await;
    let bounded = ProfileFetchConfig {
        max_fetches: 2,
        max_time: Duration::from_secs(10),
        ..settings(&[host.listed()])
    };
    let fetcher = fetcher(&bounded);
    let mut asked = JoinSet::new();
    for n in 0..8 {
        let (fetcher, url) = (fetcher.clone(), host.url(&format!("/after-a-while-{n}")));
        asked.spawn(async move { get(&fetcher, &url).await });
    }
    assert!(asked.join_all().await.iter().all(Result::is_ok));
    assert_eq!(host.asked.times(), 8);
    // One that has its answer may be counted until it has closed.
    assert!(host.asked.peak.load(Ordering::Relaxed) <= 3);
}

fn kept_in(dir: &Path, host: &Host) -> ProfileFetchConfig {
    ProfileFetchConfig { cache_dir: Some(dir.to_owned()), ..settings(&[host.listed()]) }
}

/// The files of a cache; waits until there are as many.
async fn files(dir: &Path, count: usize) -> Vec<std::path::PathBuf> {
    let began = Instant::now();
    loop {
        let found = std::fs::read_dir(dir).expect("a folder");
        let found: Vec<_> = found.map(|file| file.expect("a file").path()).collect();
        let whole = found.iter().all(|path| {
            path.file_name().is_some_and(|name| !name.to_string_lossy().starts_with('.'))
        });
        if whole && found.len() == count {
            return found;
        }
        assert!(began.elapsed() < HANG, "{found:?}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn what_was_fetched_is_kept_over_a_restart_failures_too() {
    let (host, dir) = (Host::start().await, tempfile::tempdir().expect("a place"));
    let settings = kept_in(dir.path(), &host);
    let first = fetcher(&settings);
    for _ in 0..3 {
        assert!(get(&first, &host.url("/good")).await.is_ok());
        assert_eq!(get(&first, &host.url("/404")).await, Err(Refusal::Status(404)));
    }
    assert_eq!(host.asked.times(), 2);
    let kept = files(dir.path(), 2).await;
    let again = fetcher(&settings);
    assert!(get(&again, &host.url("/good")).await.is_ok());
    assert_eq!(get(&again, &host.url("/404")).await, Err(Refusal::Status(404)));
    assert_eq!(host.asked.times(), 2, "from the disk");
    // Damage is no document.
    for path in &kept {
        let mut bytes = std::fs::read(path).expect("readable");
        *bytes.last_mut().expect("bytes") ^= 1;
        std::fs::write(path, bytes).expect("writable");
    }
    let damaged = fetcher(&settings);
    assert!(get(&damaged, &host.url("/good")).await.is_ok());
    assert_eq!(get(&damaged, &host.url("/404")).await, Err(Refusal::Status(404)));
    assert_eq!(host.asked.times(), 4);
}

#[tokio::test]
async fn what_is_kept_expires() {
    let (host, dir) = (Host::start().await, tempfile::tempdir().expect("a place"));
    let short = ProfileFetchConfig {
        expire: Duration::from_millis(300),
        negative: Duration::from_millis(300),
        ..kept_in(dir.path(), &host)
    };
    let fetcher = fetcher(&short);
    let both = async || {
        assert!(get(&fetcher, &host.url("/good")).await.is_ok());
        assert_eq!(get(&fetcher, &host.url("/404")).await, Err(Refusal::Status(404)));
        host.asked.times()
    };
    assert_eq!((both().await, both().await), (2, 2));
    tokio::time::sleep(Duration::from_millis(350)).await;
    assert_eq!(both().await, 4);
}

#[tokio::test]
async fn a_directory_that_cannot_be_written_costs_nothing() {
    let (host, file) = (Host::start().await, tempfile::NamedTempFile::new().expect("a file"));
    let fetcher = fetcher(&kept_in(&file.path().join("below"), &host));
    for _ in 0..3 {
        assert!(get(&fetcher, &host.url("/good")).await.is_ok());
    }
    assert_eq!(host.asked.times(), 1, "memory has it");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn https_by_the_roots_that_are_named_and_no_others() {
    let dir = tempfile::tempdir().expect("a place");
    let mut params = CertificateParams::new(Vec::new()).expect("no names");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().expect("a key"));
    let issuer = issuer.expect("it signs itself");
    let ca_file = dir.path().join("ca.pem");
    std::fs::write(&ca_file, issuer.pem()).expect("written");
    let key = KeyPair::generate().expect("a key");
    let params = CertificateParams::new(vec!["localhost".to_owned()]).expect("a name");
    let signed = params.signed_by(&key, &issuer).expect("it signs");
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(
            vec![signed.der().clone()],
            PrivateKeyDer::try_from(key.serialize_der()).expect("a key"),
        );
    let acceptor = TlsAcceptor::from(Arc::new(config.expect("a certificate")));
    let tcp = TcpListener::bind("127.0.0.1:0").await.expect("the loopback binds");
    let addr = tcp.local_addr().expect("an address");
    let mut serving = JoinSet::new();
    serving.spawn(async move {
        while let Ok((stream, _)) = tcp.accept().await {
            if let Ok(stream) = acceptor.accept(stream).await {
                let _ = hosts::answer(stream).await;
            }
        }
    });
    let listed = [format!("localhost:{}", addr.port()), addr.to_string()];
    let by_name = format!("https://localhost:{}/good", addr.port());
    let known = ProfileFetchConfig { ca_file: Some(ca_file), ..settings(&listed) };
    let known = fetcher(&known);
    assert!(get(&known, &by_name).await.is_ok());
    let by_address = format!("https://{addr}/good");
    assert_eq!(get(&known, &by_address).await, Err(Refusal::Tls), "of another name");
    // From HTTPS to HTTP nothing is followed.
    let weaker = format!("https://localhost:{}/to-another-port", addr.port());
    assert_eq!(get(&known, &weaker).await, Err(Refusal::Redirect));
    assert_eq!(get(&fetcher(&settings(&listed)), &by_name).await, Err(Refusal::Tls));
    let plain = Host::start().await;
    let plain_tls = fetcher(&settings(&[plain.listed()]));
    let url = format!("https://{}/good", plain.addr);
    let answer = get(&plain_tls, &url).await;
    assert!(matches!(answer, Err(Refusal::Tls | Refusal::TimedOut)), "{answer:?}");
    let missing = ProfileFetchConfig { ca_file: Some("/no/such".into()), ..settings(&listed) };
    assert!(Fetcher::new(&missing, Metrics::new()).is_err());
}
