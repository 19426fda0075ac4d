//! Requests on their way in: the next bytes must come soon, the whole before long, and of all that
//! are in memory no more than there is room for. A body that breaks a rule ends its call alone.

use std::{
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll, ready},
    time::Duration,
};

use http_body::{Frame, SizeHint};
use tokio::time::{Instant, Sleep, sleep_until};
use tonic::{Status, body::Body, codegen::http};

use super::status::{refused, slow};
use crate::config::ServerConfig;

/// What a caller who finds no room is told to wait.
const RETRY: Duration = Duration::from_secs(1);

/// Streams of requests, which may rest as long as their callers like.
const STREAMS: [&str; 2] = ["/AdaptStream", "/ServerReflectionInfo"];

/// The rules, and what is in memory now. Clones share it.
#[derive(Clone, Debug)]
pub(super) struct Bodies {
    gap: Duration,
    whole: Duration,
    most: u64,
    held: Arc<AtomicU64>,
}

/// The bytes of one request, given back when dropped: when it is answered, not when it is read.
#[derive(Debug)]
pub(super) struct Held {
    bytes: AtomicU64,
    all: Arc<AtomicU64>,
}

impl Drop for Held {
    fn drop(&mut self) {
        self.all.fetch_sub(self.bytes.load(Ordering::Relaxed), Ordering::Relaxed);
    }
}

impl Bodies {
    /// By the configuration.
    pub fn new(config: &ServerConfig) -> Self {
        let seconds = |n: usize| Duration::from_secs(n as u64);
        Self {
            gap: seconds(config.max_body_gap_seconds),
            whole: seconds(config.max_body_seconds),
            most: config.max_bytes_in_flight.get(),
            held: Arc::default(),
        }
    }

    /// Puts the body of a request under the rules. None of them holds for a stream of requests.
    pub fn watch(&self, request: http::Request<Body>) -> (http::Request<Body>, Option<Arc<Held>>) {
        if STREAMS.iter().any(|stream| request.uri().path().ends_with(stream)) {
            return (request, None);
        }
        let held = Arc::new(Held { bytes: AtomicU64::new(0), all: Arc::clone(&self.held) });
        let now = Instant::now();
        let watched = |inner| {
            Body::new(Watched {
                inner,
                gap: self.gap,
                end: now + self.whole,
                next: Box::pin(sleep_until(now + self.gap.min(self.whole))),
                most: self.most,
                held: Arc::clone(&held),
            })
        };
        (request.map(watched), Some(held))
    }
}

struct Watched {
    inner: Body,
    gap: Duration,
    end: Instant,
    next: Pin<Box<Sleep>>,
    most: u64,
    held: Arc<Held>,
}

impl http_body::Body for Watched {
    type Data = <Body as http_body::Body>::Data;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Status>>> {
        let Poll::Ready(frame) = Pin::new(&mut self.inner).poll_frame(cx) else {
            ready!(self.next.as_mut().poll(cx));
            return Poll::Ready(Some(Err(slow())));
        };
        let next = (Instant::now() + self.gap).min(self.end);
        self.next.as_mut().reset(next);
        if let Some(Ok(Some(data))) =
            frame.as_ref().map(|frame| frame.as_ref().map(Frame::data_ref))
        {
            let bytes = data.len() as u64;
            self.held.bytes.fetch_add(bytes, Ordering::Relaxed);
            if self.held.all.fetch_add(bytes, Ordering::Relaxed) + bytes > self.most {
                return Poll::Ready(Some(Err(refused("TOO_MANY_BYTES_IN_FLIGHT", RETRY))));
            }
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}
