//! The server: both services, health v1, reflection v1 and v1alpha, on one listener.

use std::{future::Future, io, net::SocketAddr, time::Duration};

use tokio::{net::TcpListener, sync::Notify, time::sleep};
use tonic::{server::NamedService, transport::Server};
use tonic_health::{ServingStatus, server::HealthReporter};

use super::{
    Adaptation, DESCRIPTORS, Profiles,
    bodies::Bodies,
    clients::Clients,
    connections,
    gate::Gate,
    metered::Metered,
    tls::Tls,
    v1::{
        adaptation_service_server::AdaptationServiceServer,
        profile_service_server::ProfileServiceServer,
    },
};
use crate::offload::Offload;

/// How often the peer is asked by an HTTP/2 PING, and how long its answer may take.
const HTTP2_PING: (Duration, Duration) = (Duration::from_secs(60), Duration::from_secs(20));
/// The largest HTTP/2 frame that is taken. Of the default (16 KiB) a photo is some fifty, each with its
/// system calls and copies: of 837 kB that pass, 1.2 ms of CPU in place of 1.4; of as many that are in
/// the cache, 1.3 in place of 1.5 (2026-11-30, noisy). Larger ones gain a little more, and let a peer
/// hold as much of each connection in a frame that never ends.
const FRAME: u32 = 64 << 10;
/// How long calls may go on after the shutdown was asked for.
const DRAIN: Duration = Duration::from_secs(30);
/// How long health still answers NOT_SERVING; then calls of `Watch`, which never end by themselves,
/// are ended so that they do not hold up the shutdown.
const LAST_WORD: Duration = Duration::from_millis(500);

/// The names that health knows: the server as a whole and both services.
const HEALTH_NAMES: [&str; 3] = [
    "",
    <AdaptationServiceServer<Adaptation> as NamedService>::NAME,
    <ProfileServiceServer<Profiles> as NamedService>::NAME,
];

/// Why the server could not start or had to end.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The address cannot be listened on.
    #[error("cannot listen on {addr}: {source}")]
    Bind {
        /// The address.
        addr: SocketAddr,
        /// Why.
        source: io::Error,
    },
    /// The threads for CPU work could not be started.
    #[error("cannot start threads: {0}")]
    Threads(String),
    /// The descriptors for reflection cannot be read.
    #[error("broken descriptors: {0}")]
    Descriptors(#[from] tonic_reflection::server::Error),
    /// The transport failed.
    #[error("transport failed: {0}")]
    Transport(#[from] tonic::transport::Error),
}

/// A bound listener, not yet accepting.
#[derive(Debug)]
pub struct Listener {
    tcp: TcpListener,
    addr: SocketAddr,
    tls: Option<Tls>,
    clients: Option<Clients>,
}

impl Listener {
    /// The address that it is bound to, with the port that the system chose for port 0.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Takes TLS alone, plain text no more.
    #[must_use]
    pub fn with_tls(self, tls: Option<Tls>) -> Self {
        Self { tls, ..self }
    }

    /// Takes calls of these clients alone.
    #[must_use]
    pub fn with_clients(self, clients: Option<Clients>) -> Self {
        Self { clients, ..self }
    }
}

/// Binds `addr`. Port 0: any free one.
///
/// # Errors
/// [`ServeError::Bind`].
pub async fn bind(addr: SocketAddr) -> Result<Listener, ServeError> {
    let fail = |source| ServeError::Bind { addr, source };
    let tcp = TcpListener::bind(addr).await.map_err(fail)?;
    let addr = tcp.local_addr().map_err(fail)?;
    Ok(Listener { tcp, addr, tls: None, clients: None })
}

/// Serves until `shutdown` ends: then health says NOT_SERVING, no new calls are taken, and those
/// at work have 30 seconds to finish.
///
/// A request over `max_request_bytes` of the configuration is refused before it is read, with
/// RESOURCE_EXHAUSTED and the reason REQUEST_TOO_LARGE. Answers have no cap.
///
/// # Errors
/// No threads, or a transport that fails.
pub async fn serve(
    offload: Offload,
    listener: Listener,
    shutdown: impl Future<Output = ()> + Send,
) -> Result<(), ServeError> {
    if let Some(fault) = offload.service().pool().fault() {
        return Err(ServeError::Threads(fault.to_owned()));
    }
    let cap = offload.service().config().max_request_bytes;
    let settings = offload.service().config().server.clone();
    let adaptation = AdaptationServiceServer::new(Adaptation::new(offload.clone()))
        .max_decoding_message_size(cap.as_usize());
    let metrics = offload.metrics().clone();
    let metered = Metered(metrics.clone());
    let profiles =
        ProfileServiceServer::new(Profiles::new(offload)).max_decoding_message_size(cap.as_usize());

    let health = HealthReporter::new();
    say(&health, ServingStatus::Serving).await;
    let health_server = tonic_health::pb::health_server::HealthServer::new(
        tonic_health::server::HealthService::from_health_reporter(health.clone()),
    );

    let incoming = connections::accept(listener.tcp, listener.tls, &settings, metrics);
    let draining = Notify::new();
    let server = Server::builder()
        .max_frame_size(Some(FRAME))
        .http2_keepalive_interval(Some(HTTP2_PING.0))
        .http2_keepalive_timeout(Some(HTTP2_PING.1))
        .max_concurrent_streams(u32::try_from(settings.max_streams).ok())
        // The outermost: it sees what the caller sees.
        .layer(metered)
        .layer(Gate { clients: listener.clients, bodies: Bodies::new(&settings), cap })
        .add_service(adaptation)
        .add_service(profiles)
        .add_service(health_server)
        .add_service(reflection().build_v1()?)
        .add_service(reflection().build_v1alpha()?)
        .serve_with_incoming_shutdown(incoming, async {
            shutdown.await;
            say(&health, ServingStatus::NotServing).await;
            draining.notify_one();
        });
    tokio::select! {
        ended = server => Ok(ended?),
        () = drain(&draining, health.clone()) => {
            tracing::warn!(after_s = DRAIN.as_secs(), "calls were cut off at the shutdown");
            Ok(())
        }
    }
}

/// Tells the same of all names.
async fn say(health: &HealthReporter, status: ServingStatus) {
    for name in HEALTH_NAMES {
        health.set_service_status(name, status).await;
    }
}

/// Ends when the time for the last calls is over.
async fn drain(asked: &Notify, mut health: HealthReporter) {
    asked.notified().await;
    sleep(LAST_WORD).await;
    for name in HEALTH_NAMES {
        health.clear_service_status(name).await;
    }
    sleep(DRAIN.saturating_sub(LAST_WORD)).await;
}

fn reflection() -> tonic_reflection::server::Builder<'static> {
    tonic_reflection::server::Builder::configure()
        .register_encoded_file_descriptor_set(DESCRIPTORS)
        .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
}
