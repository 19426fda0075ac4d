//! What every call passes on its way in and out: who it is from, how its bytes come, and the type of a
//! refusal that tonic gives by itself.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use http_body::{Frame, SizeHint};
use tonic::{Code, Status, body::Body, codegen::http};
use tonic_types::StatusExt as _;
use tower::{Layer, Service};

use super::{
    bodies::{Bodies, Held},
    clients::{Call, Clients},
    deadline::stamp,
    status::typed,
};
use crate::model::Bytes;

/// The layer around all services.
#[derive(Clone)]
pub(super) struct Gate {
    /// `None`: nobody is asked who they are.
    pub clients: Option<Clients>,
    pub bodies: Bodies,
    /// The largest request.
    pub cap: Bytes,
}

impl<S> Layer<S> for Gate {
    type Service = Gated<S>;

    fn layer(&self, inner: S) -> Gated<S> {
        Gated { inner, gate: self.clone() }
    }
}

/// A service behind the gate.
#[derive(Clone)]
pub(super) struct Gated<S> {
    inner: S,
    gate: Gate,
}

type Answer<E> = Pin<Box<dyn Future<Output = Result<http::Response<Body>, E>> + Send>>;

impl<S> Service<http::Request<Body>> for Gated<S>
where
    S: Service<http::Request<Body>, Response = http::Response<Body>>,
    S::Future: Send + 'static,
{
    type Response = http::Response<Body>;
    type Error = S::Error;
    type Future = Answer<S::Error>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        let mut request = stamp(request);
        let call = match self.gate.clients.as_ref().map(|clients| clients.admit(&mut request)) {
            Some(Err(status)) => {
                log(request.uri().path(), &status);
                return Box::pin(async move { Ok(status.into_http()) });
            }
            Some(Ok(call)) => call,
            None => None,
        };
        let (request, held) = self.gate.bodies.watch(request);
        let cap = self.gate.cap;
        let path = request.uri().path().to_owned();
        let answer = self.inner.call(request);
        Box::pin(async move {
            let response = type_refusal(answer.await?, cap);
            if let Some(status) = response.extensions().get::<Status>() {
                log(&path, status);
            }
            Ok(response.map(|inner| Body::new(Outgoing { inner, _call: call, _held: held })))
        })
    }
}

/// The line of a call that is refused before the service sees it, which logs all others.
fn log(path: &str, status: &Status) {
    const OWN: [&str; 8] = [
        "BAD_REQUEST",
        "CARRIER_NOT_ALLOWED",
        "CLIENT_LIMIT",
        "NO_TOKEN",
        "REQUEST_TOO_LARGE",
        "SLOW_REQUEST",
        "TOO_MANY_BYTES_IN_FLIGHT",
        "UNKNOWN_TOKEN",
    ];
    let Some(reason) = status.get_details_error_info().map(|info| info.reason) else { return };
    if OWN.contains(&reason.as_str()) {
        let call = path.rsplit('/').next().unwrap_or_default();
        tracing::info!(call, reason, code = ?status.code(), "refused");
    }
}

/// tonic refuses an oversize request before a handler sees it: the refusal gets its type here.
fn type_refusal(response: http::Response<Body>, cap: Bytes) -> http::Response<Body> {
    let oversize = |status: &&Status| status.code() == Code::OutOfRange;
    match response.extensions().get::<Status>().filter(oversize) {
        Some(status) => typed(status.clone(), cap).into_http(),
        None => response,
    }
}

/// An answer. A call lasts until all of it is on its way.
struct Outgoing {
    inner: Body,
    _call: Option<Call>,
    _held: Option<Arc<Held>>,
}

impl http_body::Body for Outgoing {
    type Data = <Body as http_body::Body>::Data;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Status>>> {
        Pin::new(&mut self.inner).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}
