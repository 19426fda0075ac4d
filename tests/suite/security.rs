//! Who may connect and call, by stock TLS; and callers who only hold what others need.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes as Buffer;
use hyper_util::rt::TokioIo;
use mmsfit::{
    config::{Config, ServerConfig, TlsConfig},
    grpc::{
        Clients, Tls,
        v1::{self, adapt_request::Content, adaptation_service_client::AdaptationServiceClient},
    },
    model::Bytes,
    service::Service,
};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use sha2::{Digest as _, Sha256};
use tokio::{
    io::AsyncReadExt as _,
    net::TcpStream,
    task::JoinSet,
    time::{sleep, timeout},
};
use tokio_rustls::{
    TlsConnector,
    rustls::{
        ClientConfig, RootCertStore,
        crypto::ring,
        pki_types::{CertificateDer, PrivateKeyDer, ServerName, pem::PemObject as _},
    },
};
use tonic::{
    Code, Request, Status,
    transport::{Channel, Endpoint},
};
use tonic_types::StatusExt as _;
use tower::service_fn;

use crate::support::{
    HANG,
    photos::{TEXT_PLAIN, pdu},
    server::{Running, eventually},
};

/// An authority, and what it signs, as PEM files in a folder.
pub struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
    folder: PathBuf,
}

impl Authority {
    pub fn new(folder: &Path, name: &str) -> Self {
        let mut params = CertificateParams::new(Vec::new()).expect("no names");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(rcgen::DnType::CommonName, name);
        let key = KeyPair::generate().expect("a key");
        let issuer = CertifiedIssuer::self_signed(params, key).expect("it signs itself");
        fs::write(folder.join(format!("{name}.ca.pem")), issuer.pem()).expect("it is written");
        Self { issuer, folder: folder.to_owned() }
    }

    /// Writes `NAME.pem` and `NAME.key`, good for localhost.
    pub fn sign(&self, name: &str) {
        let params = CertificateParams::new(vec!["localhost".to_owned()]).expect("a name");
        let key = KeyPair::generate().expect("a key");
        let signed = params.signed_by(&key, &self.issuer).expect("it signs");
        fs::write(self.folder.join(format!("{name}.pem")), signed.pem()).expect("it is written");
        fs::write(self.folder.join(format!("{name}.key")), key.serialize_pem()).expect("written");
    }
}

/// What the server is told of its files there.
pub fn files(folder: &Path, client_ca: Option<&str>) -> TlsConfig {
    TlsConfig {
        certificate: folder.join("server.pem"),
        key: folder.join("server.key"),
        client_ca: client_ca.map(|name| folder.join(name)),
    }
}

/// A channel that trusts `root`, and shows the certificate of `own`.
async fn channel(server: &Running, root: &Path, own: Option<&Path>) -> Result<Channel, String> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(root).expect("a root")).expect("it is valid");
    let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_root_certificates(roots);
    let mut config = match own {
        None => builder.with_no_client_auth(),
        Some(own) => {
            let chain = vec![CertificateDer::from_pem_file(own).expect("a certificate")];
            let key = PrivateKeyDer::from_pem_file(own.with_extension("key")).expect("a key");
            builder.with_client_auth_cert(chain, key).expect("it is one")
        }
    };
    config.alpn_protocols = vec![b"h2".to_vec()];
    let (connector, addr) = (TlsConnector::from(Arc::new(config)), server.addr);
    let connect = service_fn(move |_| {
        let connector = connector.clone();
        async move {
            let stream = TcpStream::connect(addr).await?;
            let name = ServerName::try_from("localhost").expect("a name");
            connector.connect(name, stream).await.map(TokioIo::new)
        }
    });
    let endpoint = Endpoint::from_static("http://localhost");
    endpoint.connect_with_connector(connect).await.map_err(|error| format!("{error:?}"))
}

fn text() -> v1::AdaptRequest {
    let message = pdu(&[(TEXT_PLAIN, "t.txt", b"hello")]);
    v1::AdaptRequest { content: Some(Content::MmsPdu(message.into())), ..Default::default() }
}

async fn call(channel: Channel) -> Result<(), Status> {
    AdaptationServiceClient::new(channel).adapt(text()).await.map(|_| ())
}

fn service() -> Service {
    Service::new(Config { threads: 1, ..Config::default() })
}

#[tokio::test]
async fn tls_takes_no_plain_text_and_a_new_certificate_without_a_failed_call() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path();
    let (old, new) = (Authority::new(path, "old"), Authority::new(path, "new"));
    old.sign("server");
    let tls = Tls::load(&files(path, None)).expect("it loads");
    let server = Running::start_as(service(), |l| l.with_tls(Some(tls.clone()))).await;

    let (old_root, new_root) = (path.join("old.ca.pem"), path.join("new.ca.pem"));
    let first = channel(&server, &old_root, None).await.expect("it is trusted");
    call(first.clone()).await.expect("it answers");
    assert!(channel(&server, &new_root, None).await.is_err(), "signed by another");
    let plain = Endpoint::from_shared(format!("http://{}", server.addr)).expect("an address");
    let plain = match plain.connect().await {
        Ok(channel) => call(channel).await.is_ok(),
        Err(_) => false,
    };
    assert!(!plain, "plain text is not taken");

    // A file that cannot be used leaves the old certificate in force.
    fs::write(path.join("server.pem"), "no certificate").expect("it is written");
    let error = tls.reload().expect_err("it is none").to_string();
    assert!(error.contains("server.pem"), "{error}");
    call(channel(&server, &old_root, None).await.expect("still")).await.expect("it answers");

    new.sign("server");
    tls.reload().expect("it loads");
    call(first).await.expect("what was open stays open");
    call(channel(&server, &new_root, None).await.expect("the new one")).await.expect("it answers");
    assert!(channel(&server, &old_root, None).await.is_err(), "the old one is gone");
}

#[tokio::test]
async fn mutual_tls_asks_for_a_certificate() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path();
    let (own, other) = (Authority::new(path, "own"), Authority::new(path, "other"));
    own.sign("server");
    own.sign("mmsc");
    other.sign("stranger");
    let tls = Tls::load(&files(path, Some("own.ca.pem"))).expect("it loads");
    let server = Running::start_as(service(), |l| l.with_tls(Some(tls))).await;
    let root = path.join("own.ca.pem");
    for (name, welcome) in [(Some("mmsc.pem"), true), (Some("stranger.pem"), false), (None, false)]
    {
        let own = name.map(|name| path.join(name));
        // With TLS 1.3 a client learns only by the first answer that it is not wanted.
        let answered = match channel(&server, &root, own.as_deref()).await {
            Ok(channel) => call(channel).await.is_ok(),
            Err(_) => false,
        };
        assert_eq!(answered, welcome, "{name:?}");
    }
}

#[tokio::test]
async fn a_token_is_needed_where_clients_are_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("clients.toml");
    let hash: String = Sha256::digest(b"secret").iter().map(|b| format!("{b:02x}")).collect();
    let text_of = format!("[clients.mmsc]\ntoken_sha256 = \"{hash}\"\ncarriers = [\"us-att\"]\n");
    fs::write(&file, text_of).expect("it is written");
    let clients = Clients::load(&file).expect("it loads");
    let server = Running::start_as(service(), |l| l.with_clients(Some(clients))).await;
    let mut client = AdaptationServiceClient::new(server.channel().await);

    let reason = |status: &Status| {
        status.get_error_details().error_info().map(|info| info.reason.clone()).unwrap_or_default()
    };
    let refused = client.adapt(text()).await.expect_err("no token");
    assert_eq!((refused.code(), reason(&refused).as_str()), (Code::Unauthenticated, "NO_TOKEN"));
    let with = |token: &str, carrier: &str| {
        let mut request = Request::new(v1::AdaptRequest { carrier: carrier.into(), ..text() });
        let value = format!("Bearer {token}").parse().expect("a header");
        request.metadata_mut().insert("authorization", value);
        request
    };
    let refused = client.adapt(with("wrong", "us-att")).await.expect_err("not known");
    assert_eq!(reason(&refused), "UNKNOWN_TOKEN");
    client.adapt(with("secret", "us-att")).await.expect("its own carrier");
    let refused = client.adapt(with("secret", "us-verizon")).await.expect_err("another's");
    let expected = (Code::PermissionDenied, "CARRIER_NOT_ALLOWED");
    assert_eq!((refused.code(), reason(&refused).as_str()), expected);
    // Probes have none.
    let mut health = tonic_health::pb::health_client::HealthClient::new(server.channel().await);
    let asked = tonic_health::pb::HealthCheckRequest { service: String::new() };
    health.check(asked).await.expect("it is open");
}

fn patient_for(server: ServerConfig) -> Service {
    Service::new(Config { threads: 1, server, ..Config::default() })
}

/// A call that announces 20 MiB, sends `sent` of them and hangs. What it is told in the end.
async fn hanging(server: &Running, sent: usize) -> Option<String> {
    let stream = TcpStream::connect(server.addr).await.expect("it listens");
    let (mut client, connection) = h2::client::handshake(stream).await.expect("HTTP/2");
    tokio::spawn(connection);
    let uri = format!("http://{}/mmsfit.v1.AdaptationService/Adapt", server.addr);
    let request = tonic::codegen::http::Request::post(uri)
        .header("content-type", "application/grpc")
        .header("te", "trailers")
        .body(())
        .expect("a request");
    let (answer, mut body) = client.send_request(request, false).expect("it is sent");
    let mut message = vec![0u8];
    message.extend(20_971_520_u32.to_be_bytes());
    message.resize(5 + sent, 0);
    let mut message = Buffer::from(message);
    while !message.is_empty() {
        body.reserve_capacity(message.len());
        let room = std::future::poll_fn(|cx| body.poll_capacity(cx)).await;
        let Some(Ok(room)) = room else { break };
        if body.send_data(message.split_to(room.min(message.len())), false).is_err() {
            break;
        }
    }
    let answer = answer.await.ok()?;
    Some(answer.headers().get("grpc-status")?.to_str().ok()?.to_owned())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_sends_half_and_hangs_is_told_and_holds_nothing() {
    let limits = ServerConfig { max_body_gap_seconds: 1, ..ServerConfig::default() };
    let server = Arc::new(Running::start(patient_for(limits)).await);
    let start = Instant::now();
    let mut calls = JoinSet::new();
    for _ in 0..60 {
        let server = Arc::clone(&server);
        calls.spawn(async move { hanging(&server, 200_000).await });
    }
    let answers = timeout(HANG, calls.join_all()).await.expect("all are answered");
    let late = (Code::DeadlineExceeded as i32).to_string();
    assert!(answers.iter().all(|answer| answer.as_ref() == Some(&late)), "{answers:?}");
    println!("60 hanging calls were ended after {:?}", start.elapsed());
    call(server.channel().await).await.expect("it serves on");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bytes_in_flight_are_bounded() {
    let limits = ServerConfig {
        max_body_gap_seconds: 2,
        max_bytes_in_flight: Bytes::new(1 << 20),
        ..ServerConfig::default()
    };
    let server = Arc::new(Running::start(patient_for(limits)).await);
    let mut calls = JoinSet::new();
    for _ in 0..8 {
        let server = Arc::clone(&server);
        calls.spawn(async move { hanging(&server, 300_000).await });
    }
    let answers = timeout(HANG, calls.join_all()).await.expect("all are answered");
    let count = |code: Code| {
        let code = (code as i32).to_string();
        answers.iter().filter(|answer| answer.as_ref() == Some(&code)).count()
    };
    let (full, late) = (count(Code::ResourceExhausted), count(Code::DeadlineExceeded));
    println!("of eight calls with 300 kB each: {full} found 1 MiB taken, {late} hung");
    assert!(full >= 1 && late >= 1 && full + late == 8, "{answers:?}");
    call(server.channel().await).await.expect("there is room again");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_of_one_peer_are_bounded() {
    let limits = ServerConfig { max_connections_per_peer: 3, ..ServerConfig::default() };
    let server = Running::start(patient_for(limits)).await;
    let mut silent = Vec::new();
    for _ in 0..3 {
        silent.push(TcpStream::connect(server.addr).await.expect("it listens"));
    }
    // The fourth is closed at once.
    let mut fourth = TcpStream::connect(server.addr).await.expect("the system takes it");
    let read = timeout(HANG, fourth.read_u8()).await.expect("it does not hang");
    assert!(read.is_err());
    silent.pop();
    let start = Instant::now();
    loop {
        let endpoint = Endpoint::from_shared(format!("http://{}", server.addr));
        if let Ok(channel) = endpoint.expect("an address").connect().await
            && call(channel).await.is_ok()
        {
            break;
        }
        assert!(start.elapsed() < HANG, "the place came back");
        sleep(Duration::from_millis(10)).await;
    }
    eventually("nothing is at work", || server.offload.load().running == 0).await;
}
