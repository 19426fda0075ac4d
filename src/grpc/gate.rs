//! What every call passes on its way in and out: who it is from, how its bytes come, and the type of a
//! refusal that tonic gives by itself.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use http_body::{Frame, SizeHint};
use tonic::{Code, Status, body::Body, codegen::http};
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
            Some(Err(status)) => return Box::pin(async move { Ok(status.into_http()) }),
            Some(Ok(call)) => call,
            None => None,
        };
        let (request, held) = self.gate.bodies.watch(request);
        let cap = self.gate.cap;
        let answer = self.inner.call(request);
        Box::pin(async move {
            let response = type_refusal(answer.await?, cap);
            Ok(response.map(|inner| Body::new(Outgoing { inner, _call: call, _held: held })))
        })
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
