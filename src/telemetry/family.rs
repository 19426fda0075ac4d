//! Families of series, registered by their row of the table.

use std::{borrow::Cow, fmt, sync::atomic::AtomicU64};

use prometheus_client::{
    encoding::{EncodeLabel, EncodeLabelSet, LabelSetEncoder},
    metrics::{
        counter::{self, Counter},
        family::{Family, MetricConstructor},
        gauge::Gauge,
        histogram::Histogram,
    },
    registry::{self, Metric, Registry},
};

use super::table::{Declared, Kind, Unit};

/// The value of a label: one of a small set.
pub(super) type Value = Cow<'static, str>;

/// The labels of one series: the names are those of the row.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Labels {
    names: &'static [&'static str],
    values: Vec<Value>,
}

impl EncodeLabelSet for Labels {
    fn encode(&self, encoder: &mut LabelSetEncoder) -> Result<(), fmt::Error> {
        for (name, value) in self.names.iter().zip(&self.values) {
            (*name, value.as_ref()).encode(encoder.encode_label())?;
        }
        Ok(())
    }
}

fn labels(row: &'static Declared, values: &[Value]) -> Labels {
    debug_assert_eq!(row.labels.len(), values.len(), "{}", row.name);
    Labels { names: row.labels, values: values.to_vec() }
}

/// Puts a family into the registry, which adds unit and `_total` to names itself.
fn register(registry: &mut Registry, row: &'static Declared, family: impl Metric) {
    let name = row.name.strip_suffix("_total").unwrap_or(row.name);
    let (suffix, unit) = match row.unit {
        Unit::None => return registry.register(name, row.help, family),
        Unit::Seconds => ("_seconds", registry::Unit::Seconds),
        Unit::Bytes => ("_bytes", registry::Unit::Bytes),
    };
    let name = name.strip_suffix(suffix).unwrap_or(name);
    registry.register_with_unit(name, row.help, unit, family);
}

/// What only grows.
pub(super) struct Counters<N> {
    row: &'static Declared,
    family: Family<Labels, Counter<N, AtomicU64>>,
}

impl<N> Counters<N>
where
    N: Clone + Send + Sync + 'static + prometheus_client::encoding::EncodeCounterValue + fmt::Debug,
    AtomicU64: counter::Atomic<N>,
{
    pub fn new(registry: &mut Registry, row: &'static Declared) -> Self {
        debug_assert_eq!(row.kind, Kind::Counter, "{}", row.name);
        let family = Family::<Labels, Counter<N, AtomicU64>>::default();
        register(registry, row, family.clone());
        Self { row, family }
    }

    pub fn add(&self, values: &[Value], more: N) {
        self.family.get_or_create(&labels(self.row, values)).inc_by(more);
    }
}

impl Counters<u64> {
    /// To what somebody else has counted.
    pub fn set(&self, values: &[Value], value: u64) {
        let series = self.family.get_or_create(&labels(self.row, values));
        series.inner().store(value, std::sync::atomic::Ordering::Relaxed);
    }
}

impl Counters<f64> {
    /// To what somebody else has counted.
    pub fn set(&self, values: &[Value], value: f64) {
        let series = self.family.get_or_create(&labels(self.row, values));
        series.inner().store(value.to_bits(), std::sync::atomic::Ordering::Relaxed);
    }
}

/// What goes up and down.
pub(super) struct Gauges {
    row: &'static Declared,
    family: Family<Labels, Gauge<f64, AtomicU64>>,
}

impl Gauges {
    pub fn new(registry: &mut Registry, row: &'static Declared) -> Self {
        debug_assert_eq!(row.kind, Kind::Gauge, "{}", row.name);
        let family = Family::default();
        register(registry, row, family.clone());
        Self { row, family }
    }

    pub fn set(&self, values: &[Value], value: f64) {
        self.family.get_or_create(&labels(self.row, values)).set(value);
    }
}

/// Makes the buckets of a row.
#[derive(Clone)]
struct Buckets(&'static [f64]);

impl MetricConstructor<Histogram> for Buckets {
    fn new_metric(&self) -> Histogram {
        Histogram::new(self.0.iter().copied())
    }
}

/// Observations.
pub(super) struct Histograms {
    row: &'static Declared,
    family: Family<Labels, Histogram, Buckets>,
}

impl Histograms {
    pub fn new(registry: &mut Registry, row: &'static Declared) -> Self {
        debug_assert_eq!(row.kind, Kind::Histogram, "{}", row.name);
        let family = Family::new_with_constructor(Buckets(row.buckets));
        register(registry, row, family.clone());
        Self { row, family }
    }

    pub fn observe(&self, values: &[Value], value: f64) {
        self.family.get_or_create(&labels(self.row, values)).observe(value);
    }

    /// A series that is there before anything was observed.
    pub fn open(&self, values: &[Value]) {
        drop(self.family.get_or_create(&labels(self.row, values)));
    }
}
