//! The admin port: metrics, and whether the process lives and serves. Plain HTTP/1 without any
//! authentication: for the loopback or a network of the operator's own.

use std::{
    io,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU8, Ordering},
    },
};

use axum::{
    Router,
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::IntoResponse,
    routing::get,
};
use tokio::net::TcpListener;

use super::{Format, guard::Guarded};

/// Whether calls are taken. Clones are the same.
#[derive(Clone, Debug, Default)]
pub struct Readiness(Arc<AtomicU8>);

const STARTING: u8 = 0;
const SERVING: u8 = 1;
const ENDING: u8 = 2;

impl Readiness {
    /// Workers are there and the listener is bound.
    pub fn serving(&self) {
        self.0.store(SERVING, Ordering::Release);
    }

    /// The end was asked for: calls at work are finished, new ones go elsewhere.
    pub fn ending(&self) {
        self.0.store(ENDING, Ordering::Release);
    }

    fn answer(&self) -> (StatusCode, &'static str) {
        match self.0.load(Ordering::Acquire) {
            STARTING => (StatusCode::SERVICE_UNAVAILABLE, "starting: the workers are not ready\n"),
            SERVING => (StatusCode::OK, "serving\n"),
            _ => (StatusCode::SERVICE_UNAVAILABLE, "ending: calls at work are finished\n"),
        }
    }
}

/// What the port tells.
#[derive(Clone)]
pub struct Page {
    /// Makes the text of a scrape.
    pub scrape: Arc<dyn Fn(Format) -> String + Send + Sync>,
    /// Whether calls are taken.
    pub readiness: Readiness,
}

/// The listener, bound and not yet accepting.
#[derive(Debug)]
pub struct Listener {
    tcp: TcpListener,
    addr: SocketAddr,
}

impl Listener {
    /// The address that it is bound to, with the port that the system chose for port 0.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }
}

/// Binds `addr`. Port 0: any free one.
///
/// # Errors
/// The address cannot be listened on.
pub async fn bind(addr: SocketAddr) -> io::Result<Listener> {
    let tcp = TcpListener::bind(addr).await?;
    let addr = tcp.local_addr()?;
    Ok(Listener { tcp, addr })
}

/// Serves until it is dropped.
pub async fn serve(listener: Listener, page: Page) {
    let router = Router::new()
        .route("/metrics", get(metrics))
        .route("/healthz", get(async || "alive\n"))
        .route("/readyz", get(async |State(page): State<Page>| page.readiness.answer()))
        .fallback(async || (StatusCode::NOT_FOUND, "there are /metrics, /healthz and /readyz\n"))
        .with_state(page);
    // It returns no error: connections that fail end alone.
    let _ = axum::serve(Guarded::new(listener.tcp), router).await;
}

async fn metrics(State(page): State<Page>, headers: HeaderMap) -> impl IntoResponse {
    let accept = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok());
    let format = Format::asked(accept.unwrap_or(""));
    ([(header::CONTENT_TYPE, format.content_type())], (page.scrape)(format))
}
