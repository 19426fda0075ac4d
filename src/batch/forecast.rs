//! What a run would come to, by planning its items or a sample of them. Writes nothing.

use std::{
    collections::BinaryHeap,
    sync::{Mutex, PoisonError},
};

use serde::Serialize;

use crate::{
    model::{Bytes, MediaKind, Stop},
    service::detect::Kind,
};

use super::{
    digest,
    engine::Engine,
    error::BatchError,
    estimate::{Estimate, Sums},
    gate::Gate,
    intake::Intake,
    item::Item,
    manifest::Manifest,
    options::{OnCannotFit, Options},
    outcome,
    progress::Meter,
    requests::Requests,
    rows::Status,
    signal::Watch,
    source::Source,
    state, work,
};

/// Which items are planned.
#[derive(Clone, Copy, Debug)]
pub struct Sample {
    /// So many at most.
    pub size: usize,
    /// The same draws the same ones.
    pub seed: u64,
}

/// What items are, as far as their cost goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Class {
    /// PDUs and MIME messages.
    Messages,
    /// Images alone.
    Images,
    /// Audio alone.
    Audio,
    /// Video alone.
    Video,
    /// Cannot be made to fit, or must not be changed.
    Refused,
    /// Neither message nor medium.
    Unsupported,
    /// Cannot be read.
    Failed,
}

const CLASSES: [Class; 7] = [
    Class::Messages,
    Class::Images,
    Class::Audio,
    Class::Video,
    Class::Refused,
    Class::Unsupported,
    Class::Failed,
];

/// What items of a class come to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Share {
    /// How many there are.
    pub files: Estimate,
    /// Their bytes.
    pub bytes_before: Estimate,
    /// The most bytes that their results can have.
    pub bytes_after: Estimate,
    /// CPU time of one core, in hours.
    pub cpu_hours: Estimate,
}

/// What the items of a class come to.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct OfKind {
    /// The class.
    pub kind: Class,
    /// Their part of the whole.
    #[serde(flatten)]
    pub share: Share,
}

/// What a run would come to.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Forecast {
    /// Items that the run would take.
    pub files: usize,
    /// Items that were planned.
    pub sampled: usize,
    /// What drew them.
    pub seed: u64,
    /// It was stopped before all of the sample was planned; the figures are of what was.
    pub interrupted: bool,
    /// By class; those that do not occur are left out.
    pub kinds: Vec<OfKind>,
    /// All together.
    pub total: Share,
}

/// What one item comes to.
#[derive(Clone, Copy)]
struct Probe {
    class: Class,
    before: u64,
    after: u64,
    cpu_ms: f64,
}

/// What a run with these options would come to.
///
/// # Errors
/// The input or the list cannot be read.
pub fn forecast(
    engine: &dyn Engine,
    options: &Options,
    sample: Sample,
) -> Result<Forecast, BatchError> {
    let input = state::input_root(options)?;
    // It need not be there yet.
    let output = options.output.canonicalize().unwrap_or_else(|_| options.output.clone());
    let signals = Watch::start();
    let source = match &options.manifest {
        None => Source::open(&input, &output)?,
        Some(list) if list.as_os_str() == "-" => {
            let why = "a dry run reads the manifest twice: give a file, not standard input";
            return Err(BatchError::Layout(why.to_owned()));
        }
        Some(list) => Source::List(Manifest::open(list, &input)?),
    };
    let (drawn, files) = draw(options.select.pick(source.items()), sample);
    let intake = Intake {
        input: &input,
        output: &output,
        archive: source.archive(),
        requests: Requests::new(engine, &options.request),
        reading: Gate::new(Bytes::new(options.memory.get().max(1))),
    };
    let probes = Mutex::new(vec![None; drawn.len()]);
    let meter = Meter::new(options.progress, drawn.len());
    let jobs = options.jobs.clamp(1, drawn.len().max(1));
    let stop = signals.stop();
    // The task has no error of its own.
    let _ = work::all(jobs, drawn.into_iter(), &meter, |index, item| {
        if signals.stopping() {
            return Ok(None);
        }
        let (probe, status) = probe(engine, &intake, options.on_cannot_fit, item, &stop);
        let mut probes = probes.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(place) = probes.get_mut(index) {
            *place = Some(probe);
        }
        Ok(Some(status))
    });
    let probes = probes.into_inner().unwrap_or_else(PoisonError::into_inner);
    Ok(add_up(&probes, files, sample.seed))
}

/// So many of the items at random, and how many there are: those with the smallest digests, so that
/// it does not matter in which order they come.
fn draw(items: impl Iterator<Item = Item>, sample: Sample) -> (Vec<Item>, usize) {
    struct Drawn((u64, usize), Item);
    impl PartialEq for Drawn {
        fn eq(&self, other: &Self) -> bool {
            self.0 == other.0
        }
    }
    impl Eq for Drawn {}
    impl PartialOrd for Drawn {
        fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
            Some(self.cmp(other))
        }
    }
    impl Ord for Drawn {
        fn cmp(&self, other: &Self) -> std::cmp::Ordering {
            self.0.cmp(&other.0)
        }
    }
    let mut heap = BinaryHeap::new();
    let mut files = 0;
    for (index, item) in items.enumerate() {
        files += 1;
        let mut key = sample.seed.to_be_bytes().to_vec();
        key.extend_from_slice(item.path.as_os_str().as_encoded_bytes());
        key.extend_from_slice(item.asked.key().as_bytes());
        let order = (digest::of(&key), index);
        let last = heap.peek().is_some_and(|Drawn(last, _)| *last < order);
        if heap.len() < sample.size || !last {
            heap.push(Drawn(order, item));
        }
        if heap.len() > sample.size {
            heap.pop();
        }
    }
    (heap.into_sorted_vec().into_iter().map(|Drawn(_, item)| item).collect(), files)
}

fn probe(
    engine: &dyn Engine,
    intake: &Intake<'_>,
    on_cannot_fit: OnCannotFit,
    item: &Item,
    stop: &Stop,
) -> (Probe, Status) {
    let nothing = |status, before| {
        let class = match status {
            Status::Unsupported => Class::Unsupported,
            Status::Refused => Class::Refused,
            _ => Class::Failed,
        };
        let kept = class == Class::Refused && on_cannot_fit == OnCannotFit::Keep;
        (Probe { class, before, after: if kept { before } else { 0 }, cpu_ms: 0.0 }, status)
    };
    let taken = match intake.take(item) {
        Ok(taken) => taken,
        Err(row) => return nothing(row.status, row.bytes_before),
    };
    let before = taken.data.len() as u64;
    match engine.foresee(taken.request(), stop) {
        Ok(foreseen) => {
            let class = class(&taken.kind);
            let after = foreseen.at_most.get();
            (Probe { class, before, after, cpu_ms: foreseen.cpu_ms }, Status::Done)
        }
        Err(error) => nothing(outcome::refusal(taken.row.clone(), &error).status, before),
    }
}

fn class(kind: &Kind) -> Class {
    match kind {
        Kind::Pdu | Kind::Mime => Class::Messages,
        Kind::Medium(medium) => match medium.kind() {
            MediaKind::Image => Class::Images,
            MediaKind::Audio => Class::Audio,
            MediaKind::Video => Class::Video,
            _ => Class::Unsupported,
        },
        Kind::Profile | Kind::Empty | Kind::Unknown => Class::Unsupported,
    }
}

/// In the order drawn, so that the same sample gives the same figures to the last bit.
fn add_up(probes: &[Option<Probe>], files: usize, seed: u64) -> Forecast {
    let known: Vec<Probe> = probes.iter().flatten().copied().collect();
    let share = |class: Option<Class>| {
        let mut sums = [Sums::default(); 4];
        for probe in known.iter().filter(|probe| class.is_none_or(|class| class == probe.class)) {
            let hours = probe.cpu_ms / 3.6e6;
            let values = [1.0, probe.before as f64, probe.after as f64, hours];
            sums.iter_mut().zip(values).for_each(|(sum, value)| sum.add(value));
        }
        let [files, bytes_before, bytes_after, cpu_hours] =
            sums.map(|sum| sum.total(known.len(), files));
        Share { files, bytes_before, bytes_after, cpu_hours }
    };
    Forecast {
        files,
        sampled: known.len(),
        seed,
        interrupted: known.len() < probes.len(),
        kinds: CLASSES
            .into_iter()
            .filter(|class| known.iter().any(|probe| probe.class == *class))
            .map(|kind| OfKind { kind, share: share(Some(kind)) })
            .collect(),
        total: share(None),
    }
}
