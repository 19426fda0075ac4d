//! The queue of spans, and the task that empties it.
//!
//! Of our own rather than the SDK's batch processor, which does not tell how many spans it dropped,
//! takes a thread for itself, and has no bound on how long an export may take.

use std::{
    mem,
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use opentelemetry::Context;
use opentelemetry_sdk::{
    error::OTelSdkResult,
    trace::{Span, SpanData, SpanExporter, SpanProcessor},
};
use tokio::{
    sync::{
        mpsc::{self, Receiver, Sender},
        oneshot,
    },
    time::{Instant, sleep_until, timeout},
};

/// Spans that wait, at most: about a kilobyte each.
const QUEUE: usize = 4_096;
/// Spans that are sent at once, at most.
const BATCH: usize = 512;
/// How long a span waits for others to go with it.
const LINGER: Duration = Duration::from_millis(500);
/// How long the collector has to take a batch.
pub(super) const DELIVERY: Duration = Duration::from_secs(5);
/// A collector that is away is no news more often than this.
const NEWS: Duration = Duration::from_secs(60);

/// What has become of spans.
#[derive(Debug, Default)]
pub(super) struct Tally {
    pub delivered: AtomicU64,
    pub dropped: AtomicU64,
    pub failed: AtomicU64,
}

/// Takes spans that have ended, on whatever thread, and never waits.
#[derive(Debug)]
pub(super) struct Queue {
    places: Sender<SpanData>,
    tally: Arc<Tally>,
}

impl Queue {
    pub fn new(tally: Arc<Tally>) -> (Self, Receiver<SpanData>) {
        let (places, spans) = mpsc::channel(QUEUE);
        (Self { places, tally }, spans)
    }
}

impl SpanProcessor for Queue {
    fn on_start(&self, _: &mut Span, _: &Context) {}

    fn on_end(&self, span: SpanData) {
        if self.places.try_send(span).is_err() {
            self.tally.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn force_flush(&self) -> OTelSdkResult {
        Ok(())
    }

    fn shutdown_with_timeout(&self, _: Duration) -> OTelSdkResult {
        Ok(())
    }
}

/// Sends batches until it is told to end; then what is queued. The collector has `patience` to take
/// one.
pub(super) async fn send(
    mut spans: Receiver<SpanData>,
    exporter: impl SpanExporter,
    tally: Arc<Tally>,
    (ended, patience): (oneshot::Receiver<()>, Duration),
) {
    let (mut ended, mut ending) = (pin!(ended), false);
    let mut told: Option<Instant> = None;
    let mut batch = Vec::new();
    loop {
        let mut due = None;
        while batch.len() < BATCH {
            let room = BATCH - batch.len();
            tokio::select! {
                _ = &mut ended, if !ending => {
                    ending = true;
                    // What is queued still comes.
                    spans.close();
                }
                more = spans.recv_many(&mut batch, room) => {
                    if more == 0 {
                        break;
                    }
                    due = due.or_else(|| Some(Instant::now() + LINGER));
                }
                () = until(due) => break,
            }
        }
        if batch.is_empty() {
            return;
        }
        let count = batch.len() as u64;
        let fault = match timeout(patience, exporter.export(mem::take(&mut batch))).await {
            Ok(Ok(())) => None,
            Ok(Err(error)) => Some(error.to_string()),
            Err(_) => Some("no answer in time".to_owned()),
        };
        let Some(fault) = fault else {
            tally.delivered.fetch_add(count, Ordering::Relaxed);
            continue;
        };
        tally.failed.fetch_add(count, Ordering::Relaxed);
        if told.is_none_or(|told| told.elapsed() >= NEWS) {
            told = Some(Instant::now());
            tracing::warn!(spans = count, fault, "traces: not taken by the collector");
        }
    }
}

/// Never, where there is nothing to send.
async fn until(due: Option<Instant>) {
    match due {
        Some(due) => sleep_until(due).await,
        None => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use opentelemetry::trace::{Span as _, Tracer as _, TracerProvider as _};
    use opentelemetry_sdk::trace::SdkTracerProvider;

    use super::*;

    /// Takes what it is given, or never answers.
    #[derive(Clone, Debug, Default)]
    struct Collector {
        hangs: bool,
        batches: Arc<Mutex<Vec<usize>>>,
    }

    impl SpanExporter for Collector {
        async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
            self.batches.lock().expect("no panic").push(batch.len());
            if self.hangs {
                std::future::pending::<()>().await;
            }
            Ok(())
        }
    }

    fn runtime() -> tokio::runtime::Runtime {
        tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime")
    }

    /// `count` spans that end at once.
    fn spans(queue: Queue, count: usize) {
        let provider = SdkTracerProvider::builder().with_span_processor(queue).build();
        let tracer = provider.tracer("test");
        for _ in 0..count {
            tracer.start("span").end();
        }
    }

    fn told(tally: &Tally) -> [u64; 3] {
        [&tally.delivered, &tally.dropped, &tally.failed].map(|count| count.load(Ordering::Relaxed))
    }

    #[test]
    fn what_has_no_place_is_dropped_and_the_rest_is_sent_in_batches() {
        let (tally, collector) = (Arc::<Tally>::default(), Collector::default());
        let (queue, waiting) = Queue::new(Arc::clone(&tally));
        spans(queue, QUEUE + 10);
        assert_eq!(told(&tally), [0, 10, 0]);
        let (end, ended) = oneshot::channel();
        end.send(()).expect("it is waited for");
        runtime().block_on(send(waiting, collector.clone(), Arc::clone(&tally), (ended, DELIVERY)));
        assert_eq!(told(&tally), [QUEUE as u64, 10, 0]);
        assert_eq!(*collector.batches.lock().expect("no panic"), vec![BATCH; QUEUE / BATCH]);
    }

    #[test]
    fn a_collector_that_hangs_costs_one_batch_at_a_time() {
        let tally = Arc::<Tally>::default();
        let (queue, waiting) = Queue::new(Arc::clone(&tally));
        let collector = Collector { hangs: true, ..Collector::default() };
        spans(queue, 3);
        let (_end, ended) = oneshot::channel();
        let sender = send(waiting, collector.clone(), Arc::clone(&tally), (ended, LINGER));
        let limit = Duration::from_secs(20);
        runtime().block_on(async { timeout(limit, sender).await }).expect("nothing more can come");
        assert_eq!(told(&tally), [0, 0, 3]);
        assert_eq!(*collector.batches.lock().expect("no panic"), [3]);
    }
}
