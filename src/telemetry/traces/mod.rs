//! Traces over OTLP (gRPC): spans are those of the crate `tracing` that the rooms open; here they are
//! sampled, queued and sent.
//!
//! A call never waits for its trace. What the queue has no place for is dropped, what the collector
//! does not take in time is lost, and both are counted.

mod export;

use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use opentelemetry::{
    Context,
    propagation::{Extractor, TextMapPropagator as _},
    trace::TracerProvider as _,
};
use opentelemetry_otlp::{SpanExporter, WithExportConfig as _};
use opentelemetry_sdk::{
    Resource,
    propagation::TraceContextPropagator,
    trace::{Sampler, SdkTracerProvider, SpanExporter as _},
};
use tokio::{sync::oneshot, task::JoinHandle, time::timeout};
use tracing::{Metadata, Span, Subscriber, level_filters::LevelFilter};
use tracing_opentelemetry::OpenTelemetrySpanExt as _;
use tracing_subscriber::{Layer, filter::filter_fn, registry::LookupSpan};

use self::export::{DELIVERY, Queue, Tally};

/// How long the end of the service waits for the last spans to be sent.
const FLUSH: Duration = Duration::from_secs(2);

/// Traces that are being sent.
pub struct Traces {
    provider: SdkTracerProvider,
    tally: Arc<Tally>,
    ending: oneshot::Sender<()>,
    sender: JoinHandle<()>,
}

/// What has become of spans so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// The collector has them.
    pub delivered: u64,
    /// There was no place in the queue.
    pub dropped: u64,
    /// The collector did not take them, or not in time.
    pub failed: u64,
}

/// Reads [`Counts`]. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Counter(Arc<Tally>);

impl Counter {
    /// As of now.
    pub fn counts(&self) -> Counts {
        let Tally { delivered, dropped, failed } = &*self.0;
        let [delivered, dropped, failed] =
            [delivered, dropped, failed].map(|count| count.load(Ordering::Relaxed));
        Counts { delivered, dropped, failed }
    }
}

/// Traces cannot be sent.
#[derive(Debug, thiserror::Error)]
#[error("no traces can be sent: {0}")]
pub struct TracesError(String);

impl Traces {
    /// Begins to send to a collector, which need not be there yet. Within a tokio runtime.
    /// `endpoint`: `http://host:port`; `ratio`: the share of calls, 0 to 1, whose callers have not
    /// decided it.
    ///
    /// # Errors
    /// The address is none, or a variable `OTEL_EXPORTER_OTLP_...` is wrong.
    pub fn start(endpoint: &str, ratio: f64, service_name: &str) -> Result<Self, TracesError> {
        let exporter = SpanExporter::builder().with_tonic();
        let exporter = exporter.with_endpoint(endpoint).with_timeout(DELIVERY).build();
        let mut exporter = exporter.map_err(|error| TracesError(error.to_string()))?;
        let version = opentelemetry::KeyValue::new("service.version", env!("CARGO_PKG_VERSION"));
        let resource = Resource::builder().with_service_name(service_name.to_owned());
        let resource = resource.with_attribute(version).build();
        exporter.set_resource(&resource);

        let tally = Arc::<Tally>::default();
        let (queue, spans) = Queue::new(Arc::clone(&tally));
        let (ending, ended) = oneshot::channel();
        let sender =
            tokio::spawn(export::send(spans, exporter, Arc::clone(&tally), (ended, DELIVERY)));
        let provider = SdkTracerProvider::builder()
            .with_span_processor(queue)
            .with_sampler(Sampler::ParentBased(Box::new(Sampler::TraceIdRatioBased(ratio))))
            .with_resource(resource)
            .build();
        Ok(Self { provider, tally, ending, sender })
    }

    /// What takes the spans of this program, and nothing else.
    pub fn layer<S>(&self) -> impl Layer<S> + Send + Sync + use<S>
    where
        S: Subscriber + for<'span> LookupSpan<'span> + Send + Sync,
    {
        let layer = tracing_opentelemetry::layer()
            .with_tracer(self.provider.tracer("mmsfit"))
            .with_location(false)
            .with_threads(false)
            .with_level(false)
            .with_target(false)
            .with_tracked_inactivity(false);
        layer.with_filter(filter_fn(is_ours).with_max_level_hint(LevelFilter::INFO))
    }

    /// What reads the counts.
    pub fn counter(&self) -> Counter {
        Counter(Arc::clone(&self.tally))
    }

    /// Sends what is still queued, within two seconds.
    pub async fn end(self) {
        let Self { ending, mut sender, .. } = self;
        // It may have ended by a panic.
        let _ = ending.send(());
        if timeout(FLUSH, &mut sender).await.is_err() {
            sender.abort();
        }
    }
}

/// Whether it is a span of ours: such spans are for traces alone and never part of a log line.
pub fn is_ours(metadata: &Metadata<'_>) -> bool {
    metadata.is_span() && metadata.target().starts_with(env!("CARGO_CRATE_NAME"))
}

/// Makes a span part of the caller's trace, by the headers of W3C Trace Context; what is malformed
/// counts as none. Does nothing where there are no traces.
pub fn join<'a>(span: &Span, header: &dyn Fn(&str) -> Option<&'a str>) {
    if span.is_disabled() || header("traceparent").is_none() {
        return;
    }
    let caller =
        TraceContextPropagator::new().extract_with_context(&Context::new(), &Headers(header));
    // Refused only where the span is not traced at all.
    let _ = span.set_parent(caller);
}

struct Headers<'h, 'a>(&'h dyn Fn(&str) -> Option<&'a str>);

impl Extractor for Headers<'_, '_> {
    fn get(&self, key: &str) -> Option<&str> {
        self.0(key)
    }

    fn keys(&self) -> Vec<&str> {
        vec!["traceparent", "tracestate"]
    }
}
