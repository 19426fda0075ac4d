//! Counts every call as its caller sees it: a layer around all services, since the code of a stream
//! stands in its trailers, and a caller who leaves is seen only by what is dropped.

use std::{
    borrow::Cow,
    future::Future,
    pin::{Pin, pin},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll},
    time::Instant,
};

use http_body::{Body as HttpBody, Frame, SizeHint};
use tonic::{
    Code, Status,
    body::Body,
    codegen::{Bytes as Buffer, http},
};
use tonic_types::StatusExt as _;
use tower::{Layer, Service};
use tracing::{Instrument as _, Span, field::Empty, info_span};

use crate::{
    model::Bytes,
    telemetry::{Call, Metrics, traces},
};

/// The methods that are counted by their names.
const METHODS: [(&str, &[&str]); 2] = [
    ("mmsfit.v1.AdaptationService", &["Adapt", "Plan", "AdaptStream", "AdaptMany"]),
    ("mmsfit.v1.ProfileService", &["Resolve", "ListDevices", "ListCarriers", "LookupLimits"]),
];

/// What is no method of ours.
const OTHER: &str = "other";

/// The method of a path; `other` for health, reflection and what there is not.
fn method(path: &str) -> &'static str {
    let mut words = path.trim_start_matches('/').splitn(2, '/');
    let (service, name) = (words.next().unwrap_or(""), words.next().unwrap_or(""));
    let methods = METHODS.iter().find(|(known, _)| *known == service).map(|(_, methods)| *methods);
    methods.unwrap_or_default().iter().find(|known| **known == name).copied().unwrap_or(OTHER)
}

/// The layer.
#[derive(Clone)]
pub(super) struct Metered(pub Metrics);

impl<S> Layer<S> for Metered {
    type Service = MeteredService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        MeteredService { inner, metrics: self.0.clone() }
    }
}

/// What the layer makes of a service.
#[derive(Clone)]
pub(super) struct MeteredService<S> {
    inner: S,
    metrics: Metrics,
}

type Reply<E> = Pin<Box<dyn Future<Output = Result<http::Response<Body>, E>> + Send>>;

impl<S> Service<http::Request<Body>> for MeteredService<S>
where
    S: Service<http::Request<Body>, Response = http::Response<Body>>,
    S::Future: Send + 'static,
{
    type Response = http::Response<Body>;
    type Error = S::Error;
    type Future = Reply<S::Error>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        let method = method(request.uri().path());
        let span = span(method, &request);
        let mut meter = Meter {
            metrics: self.metrics.clone(),
            method,
            span: span.clone(),
            began: Instant::now(),
            request: Arc::default(),
            response: 0,
            ended: None,
        };
        let counted = Arc::clone(&meter.request);
        let request = request.map(|body| Body::new(Incoming { body, counted }));
        let reply = self.inner.call(request);
        let reply = reply.instrument(span);
        Box::pin(async move {
            let response = reply.await?;
            // What is refused at once has its status in the headers, and no trailers.
            meter.ended = Status::from_header_map(response.headers());
            Ok(response.map(|body| Body::new(Outgoing { body, meter })))
        })
    }
}

/// A call that is at work. Counted when it is dropped, which is when its answer has gone, or when
/// nobody waits for it any more.
struct Meter {
    metrics: Metrics,
    method: &'static str,
    span: Span,
    began: Instant,
    request: Arc<AtomicU64>,
    response: u64,
    /// How it ended, once that is known.
    ended: Option<Status>,
}

impl Drop for Meter {
    fn drop(&mut self) {
        let code = self.ended.as_ref().map_or(Code::Cancelled, Status::code);
        trace_end(&self.span, code);
        self.metrics.call(Call {
            method: self.method,
            code: code_name(code),
            reason: self.ended.as_ref().map_or(Cow::Borrowed("none"), reason),
            took: self.began.elapsed(),
            request: Bytes::new(self.request.load(Ordering::Relaxed)),
            response: Bytes::new(self.response),
        });
    }
}

/// The span of a call, part of its caller's trace where that has one; none for health, reflection and
/// what there is not.
fn span(method: &'static str, request: &http::Request<Body>) -> Span {
    if method == OTHER {
        return Span::none();
    }
    // One of ours: nothing that the caller has made up is in it.
    let path = request.uri().path().trim_start_matches('/');
    let span = info_span!(
        "call",
        otel.name = path,
        otel.kind = "server",
        otel.status_code = Empty,
        rpc.system = "grpc",
        rpc.service = path.split('/').next(),
        rpc.method = method,
        rpc.grpc.status_code = Empty,
        mmsfit.device = Empty,
        mmsfit.carrier = Empty,
        mmsfit.outcome = Empty,
        mmsfit.reused = Empty,
        mmsfit.reason = Empty,
        mmsfit.parts = Empty,
        mmsfit.bytes_before = Empty,
        mmsfit.bytes_after = Empty,
    );
    let headers = request.headers();
    traces::join(&span, &|name| headers.get(name).and_then(|value| value.to_str().ok()));
    span
}

/// Notes how a call ended. What is the server's fault is an error of the span (OpenTelemetry,
/// semantic conventions for gRPC, "Status").
fn trace_end(span: &Span, code: Code) {
    span.record("rpc.grpc.status_code", code as i64);
    let ours = matches!(
        code,
        Code::Unknown
            | Code::DeadlineExceeded
            | Code::Unimplemented
            | Code::Internal
            | Code::Unavailable
            | Code::DataLoss
    );
    if ours {
        span.record("otel.status_code", "ERROR");
    }
}

fn reason(status: &Status) -> Cow<'static, str> {
    let info = if status.details().is_empty() { None } else { status.get_details_error_info() };
    info.map_or(Cow::Borrowed("none"), |info| Cow::Owned(info.reason))
}

/// A request's body, its bytes counted.
struct Incoming {
    body: Body,
    counted: Arc<AtomicU64>,
}

impl HttpBody for Incoming {
    type Data = Buffer;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Buffer>, Status>>> {
        let polled = pin!(&mut self.body).poll_frame(cx);
        if let Poll::Ready(Some(Ok(frame))) = &polled
            && let Some(data) = frame.data_ref()
        {
            self.counted.fetch_add(data.len() as u64, Ordering::Relaxed);
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// An answer's body: its bytes counted, its status read from its trailers.
struct Outgoing {
    body: Body,
    meter: Meter,
}

impl HttpBody for Outgoing {
    type Data = Buffer;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Buffer>, Status>>> {
        let polled = pin!(&mut self.body).poll_frame(cx);
        if let Poll::Ready(Some(Ok(frame))) = &polled {
            if let Some(data) = frame.data_ref() {
                self.meter.response += data.len() as u64;
            }
            if let Some(trailers) = frame.trailers_ref() {
                self.meter.ended = Status::from_header_map(trailers);
            }
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

const fn code_name(code: Code) -> &'static str {
    match code {
        Code::Ok => "OK",
        Code::Cancelled => "CANCELLED",
        Code::Unknown => "UNKNOWN",
        Code::InvalidArgument => "INVALID_ARGUMENT",
        Code::DeadlineExceeded => "DEADLINE_EXCEEDED",
        Code::NotFound => "NOT_FOUND",
        Code::AlreadyExists => "ALREADY_EXISTS",
        Code::PermissionDenied => "PERMISSION_DENIED",
        Code::ResourceExhausted => "RESOURCE_EXHAUSTED",
        Code::FailedPrecondition => "FAILED_PRECONDITION",
        Code::Aborted => "ABORTED",
        Code::OutOfRange => "OUT_OF_RANGE",
        Code::Unimplemented => "UNIMPLEMENTED",
        Code::Internal => "INTERNAL",
        Code::Unavailable => "UNAVAILABLE",
        Code::DataLoss => "DATA_LOSS",
        Code::Unauthenticated => "UNAUTHENTICATED",
    }
}

#[cfg(test)]
mod tests {
    use prost::Message as _;

    use super::*;

    #[test]
    fn every_method_of_ours_is_counted_by_its_name() {
        let set = prost_types::FileDescriptorSet::decode(crate::grpc::DESCRIPTORS).expect("ours");
        let mut methods = 0;
        for file in set.file.iter().filter(|file| file.package() == "mmsfit.v1") {
            for service in &file.service {
                for of in &service.method {
                    let path = format!("/mmsfit.v1.{}/{}", service.name(), of.name());
                    assert_eq!(method(&path), of.name(), "{path}");
                    methods += 1;
                }
            }
        }
        assert_eq!(methods, METHODS.iter().map(|(_, methods)| methods.len()).sum::<usize>());
        assert_eq!(method("/grpc.health.v1.Health/Check"), "other");
        assert_eq!(method("/mmsfit.v1.AdaptationService/+15551234"), "other");
        assert_eq!(method("/"), "other");
    }
}
