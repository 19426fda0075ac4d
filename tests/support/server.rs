//! A server in the test's own process, on a free port of the loopback.
#![allow(dead_code, reason = "each program uses a part of this")]

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use mmsfit::{
    config::Config,
    grpc::{self, Listener, ServeError},
    model::Bytes,
    offload::Offload,
    service::Service,
};
use tokio::{sync::oneshot, task::JoinHandle};
use tonic::transport::{Channel, Endpoint};

/// The engine with this many threads and requests of at most 1 MiB; each call does its own work.
pub fn service(threads: usize) -> Service {
    let max_request_bytes = Bytes::new(1 << 20);
    let cache_bytes = Bytes::ZERO;
    Service::new(Config { max_request_bytes, cache_bytes, threads, ..Config::default() })
}

/// A running server.
pub struct Running {
    pub addr: SocketAddr,
    pub offload: Offload,
    shutdown: oneshot::Sender<()>,
    server: JoinHandle<Result<(), ServeError>>,
}

impl Running {
    pub async fn start(service: Service) -> Self {
        Self::start_as(service, |listener| listener).await
    }

    /// With TLS, clients or both.
    pub async fn start_as(service: Service, prepare: impl FnOnce(Listener) -> Listener) -> Self {
        let listener = grpc::bind(([127, 0, 0, 1], 0).into()).await.expect("the loopback binds");
        let addr = listener.addr();
        let listener = prepare(listener);
        let (shutdown, asked) = oneshot::channel::<()>();
        let offload =
            Offload::new(service).with_profile_fetch().expect("roots of trust").with_scan();
        let served = offload.clone();
        let server = tokio::spawn(async move {
            grpc::serve(served, listener, async {
                let _ = asked.await;
            })
            .await
        });
        Self { addr, offload, shutdown, server }
    }

    pub async fn channel(&self) -> Channel {
        let endpoint = Endpoint::from_shared(format!("http://{}", self.addr)).expect("an address");
        endpoint.connect().await.expect("the server is up")
    }

    /// Asks it to end.
    pub fn shut_down(self) -> JoinHandle<Result<(), ServeError>> {
        let _ = self.shutdown.send(());
        self.server
    }
}

/// Waits until `condition` holds, without holding up the runtime.
pub async fn eventually(what: &str, condition: impl Fn() -> bool) {
    let start = Instant::now();
    while !condition() {
        assert!(start.elapsed() < super::HANG, "never came true: {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
