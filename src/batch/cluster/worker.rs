//! A worker: takes items from the queue, one for each thread, until it is told to end.

use std::{
    fs, process,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use async_nats::{
    HeaderMap,
    jetstream::{
        AckKind, Message,
        consumer::{Consumer, pull},
        stream::{LastRawMessageErrorKind, Stream},
    },
};
use futures_util::TryStreamExt as _;
use serde::Serialize;
use tokio::{
    runtime::Handle,
    time::{sleep, timeout},
};

use crate::model::Bytes;

use super::{
    super::{
        asked::Asked,
        engine::Engine,
        gate::Gate,
        requests::Requests,
        rows::{Row, Status},
        signal::Watch,
    },
    error::ClusterError,
    item::{Desk, Verdict},
    queue::{Access, BEAT, JobName, Queue, json, runtime},
    store::Store,
    wire::{Beat, ItemMessage, PoisonMessage, QUARANTINED, REASON, RowMessage, STATUS},
};

/// An item that was begun so often without an end is put into quarantine.
const TRIES: i64 = 5;
/// How long one wait for an item takes at most; a signal is heard after it.
const WAIT: Duration = Duration::from_secs(1);
/// How much longer the queue's word that nothing came may take.
const LATE: Duration = Duration::from_secs(2);

/// How to work.
#[derive(Clone, Copy, Debug)]
pub struct WorkerOptions {
    /// Items in work at once, at least 1.
    pub jobs: usize,
    /// Memory that they may take together.
    pub memory: Bytes,
    /// End when the queue is empty.
    pub drain: bool,
}

/// What a worker did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Done {
    /// Items that have their row from it.
    pub finished: u64,
    /// Of these, those in quarantine.
    pub quarantined: u64,
    /// Items that it gave back, for another try.
    pub returned: u64,
}

struct Worker<'a> {
    name: String,
    queue: &'a Queue,
    consumer: Consumer<pull::Config>,
    items: Stream,
    rows: Stream,
    desk: Desk<'a>,
    handle: Handle,
    signals: &'a Watch,
    drain: bool,
    over: AtomicBool,
    finished: Arc<AtomicU64>,
    in_work: Arc<AtomicU64>,
    quarantined: AtomicU64,
    returned: AtomicU64,
}

/// Works until a signal, or with `drain` until nothing waits. The first SIGTERM lets the items in
/// work finish, the second gives them back.
///
/// # Errors
/// At the start alone: queue or store do not answer, there is no such job, or results would be
/// others than the submitter's.
pub fn work(
    engine: &dyn Engine,
    access: &Access,
    job: &JobName,
    options: WorkerOptions,
) -> Result<Done, ClusterError> {
    let signals = Watch::start();
    let runtime = runtime()?;
    let queue = runtime.block_on(Queue::connect(access, job))?;
    let record = runtime.block_on(queue.record())?;
    let request = record.wanted.request().map_err(ClusterError::Layout)?;
    let requests = Requests::new(engine, &request);
    let run = requests.of(&Asked::default()).map_err(ClusterError::Layout)?;
    if run.fingerprint != record.fingerprint {
        let ours = env!("CARGO_PKG_VERSION");
        return Err(ClusterError::Differs(format!("this is version {ours}")));
    }
    let quarter = Bytes::new((options.memory.get() / 4).max(1));
    let rest = Bytes::new(options.memory.get().saturating_sub(quarter.get()).max(1));
    let name = name();
    let output = Store::open(&record.output, true)?.writing_as(&name)?;
    let worker = Worker {
        queue: &queue,
        consumer: runtime.block_on(queue.consumer())?,
        items: runtime.block_on(queue.items())?,
        rows: runtime.block_on(queue.rows())?,
        desk: Desk {
            engine,
            requests,
            on_cannot_fit: record.on_cannot_fit,
            input: Store::open(&record.input, false)?,
            output,
            reading: Gate::new(quarter),
            working: Gate::new(rest),
            stop: signals.stop(),
            queue: runtime.handle().clone(),
        },
        handle: runtime.handle().clone(),
        signals: &signals,
        drain: options.drain,
        over: AtomicBool::new(false),
        finished: Arc::default(),
        in_work: Arc::default(),
        quarantined: AtomicU64::new(0),
        returned: AtomicU64::new(0),
        name,
    };
    let workers = runtime.block_on(queue.workers())?;
    let jobs = options.jobs.max(1) as u64;
    let (finished, in_work) = (worker.finished.clone(), worker.in_work.clone());
    let key = worker.name.clone();
    let beat = runtime.spawn(async move {
        loop {
            let now = Beat {
                jobs,
                in_work: in_work.load(Ordering::Relaxed),
                finished: finished.load(Ordering::Relaxed),
            };
            if let Ok(payload) = json(&now) {
                // Nobody's work depends on it.
                let _ = workers.put(&key, payload).await;
            }
            sleep(BEAT).await;
        }
    });
    thread::scope(|scope| {
        let slots: Vec<_> = (0..jobs).map(|_| scope.spawn(|| worker.slot())).collect();
        slots.into_iter().for_each(|slot| {
            let _ = slot.join();
        });
    });
    beat.abort();
    worker.desk.output.close();
    Ok(Done {
        finished: worker.finished.load(Ordering::Relaxed),
        quarantined: worker.quarantined.load(Ordering::Relaxed),
        returned: worker.returned.load(Ordering::Relaxed),
    })
}

impl Worker<'_> {
    fn ending(&self) -> bool {
        self.signals.stopping() || self.over.load(Ordering::Relaxed)
    }

    /// How long the queue waits for a word about an item.
    fn silent(&self) -> Duration {
        self.consumer.cached_info().config.ack_wait.max(WAIT)
    }

    fn slot(&self) {
        while !self.ending() {
            match self.handle.block_on(self.next()) {
                Ok(Some(message)) => {
                    self.in_work.fetch_add(1, Ordering::Relaxed);
                    self.one(message);
                    self.in_work.fetch_sub(1, Ordering::Relaxed);
                }
                Ok(None) => {
                    if self.drain && self.handle.block_on(self.is_empty()) {
                        self.over.store(true, Ordering::Relaxed);
                    }
                }
                Err(error) => {
                    tracing::warn!(%error, "no item: asking again");
                    self.handle.block_on(sleep(Duration::from_millis(500)));
                }
            }
        }
    }

    async fn next(&self) -> Result<Option<Message>, async_nats::Error> {
        let next = async {
            let mut batch = self.consumer.batch().max_messages(1).expires(WAIT).messages().await?;
            batch.try_next().await
        };
        // A queue that went away with the question never says that nothing came.
        timeout(WAIT + LATE, next).await.unwrap_or(Ok(None))
    }

    /// Nothing waits, nobody works, and nothing more comes.
    async fn is_empty(&self) -> bool {
        let (Ok(info), Ok(record)) = (self.items.get_info().await, self.queue.record().await)
        else {
            return false;
        };
        if !(record.complete || record.cancelled) {
            return false;
        }
        info.state.messages == 0 || self.is_done(record.total).await
    }

    /// Every item has its row, and the queue gives none away. A server that was killed may hold items
    /// again that were acknowledged, and whose consumer knows that (seen with 2.9.10): nobody gets them.
    async fn is_done(&self, total: u64) -> bool {
        let Ok(info) = self.consumer.get_info().await else { return false };
        if info.num_pending > 0 || info.num_ack_pending > 0 {
            return false;
        }
        let rows = self.rows.info_with_subjects(self.queue.row_subject("*")).await;
        let Ok(rows) = rows else { return false };
        let count = rows.try_fold(0_u64, |count, _| async move { Ok(count + 1) }).await;
        count.is_ok_and(|count| count >= total)
    }

    fn one(&self, message: Message) {
        let message = Arc::new(message);
        let deliveries = message.info().map_or(1, |info| info.delivered);
        let every = self.silent() / 3;
        let held = message.clone();
        let alive = self.handle.spawn(async move {
            loop {
                sleep(every).await;
                let _ = held.ack_with(AckKind::Progress).await;
            }
        });
        match serde_json::from_slice::<ItemMessage>(&message.payload) {
            Ok(item) => self.item(&message, &item, deliveries),
            Err(error) => {
                tracing::warn!(%error, "what is in the queue is no item: dropped");
                let _ = self.handle.block_on(message.ack_with(AckKind::Term));
            }
        }
        alive.abort();
    }

    fn item(&self, message: &Message, item: &ItemMessage, deliveries: i64) {
        let id = item.id();
        match self.handle.block_on(self.has_row(&id)) {
            // Whoever did it went away before saying so.
            Ok(true) => return self.acknowledge(message),
            Ok(false) => {}
            Err(error) => tracing::warn!(%error, "whether it is done is not known: doing it"),
        }
        let verdict = if deliveries > TRIES {
            let message = "its workers ended before it did".to_owned();
            Verdict::Again { reason: "WORKER_DIED", message }
        } else {
            self.desk.run(item)
        };
        match verdict {
            Verdict::Row(row) => self.finish(message, item, *row, false),
            // What ends with us is no fault of the item.
            Verdict::Again { reason, message: why }
                if deliveries >= TRIES && !self.signals.stopping() =>
            {
                tracing::warn!(item = item.path.text(), reason, "put into quarantine");
                let poison = PoisonMessage {
                    item: item.clone(),
                    reason: reason.to_owned(),
                    message: why.clone(),
                    deliveries,
                };
                let subject = self.queue.poison_subject(&id);
                let kept = json(&poison).is_ok_and(|payload| {
                    self.insist(|| {
                        self.queue.publish(subject.clone(), HeaderMap::new(), payload.clone())
                    })
                });
                if kept {
                    let why = format!("begun {deliveries} times without an end: {reason}: {why}");
                    let row = item.row().without(Status::Failed, "QUARANTINED", why);
                    self.finish(message, item, row, true);
                }
            }
            Verdict::Again { reason, message: why } => {
                tracing::warn!(item = item.path.text(), reason, why, "given back");
                // Sooner where it is us who leave, later where something has to recover.
                let pause = match self.signals.stopping() {
                    true => Duration::ZERO,
                    // 4 s, 8 s, 16 s, 32 s where a worker may be silent for 30 s.
                    false => self.silent() / 15 * (1 << deliveries.clamp(1, TRIES)),
                };
                let later = AckKind::Nak(Some(pause));
                let _ = self.handle.block_on(message.ack_with(later));
                self.returned.fetch_add(1, Ordering::Relaxed);
            }
        }
    }

    async fn has_row(&self, id: &str) -> Result<bool, ClusterError> {
        let subject = self.queue.row_subject(id);
        match self.rows.get_last_raw_message_by_subject(&subject).await {
            Ok(_) => Ok(true),
            Err(error) if error.kind() == LastRawMessageErrorKind::NoMessageFound => Ok(false),
            Err(error) => Err(ClusterError::queue(error)),
        }
    }

    /// The row, then the acknowledgement. Without the first the item comes again.
    fn finish(&self, message: &Message, item: &ItemMessage, row: Row, quarantined: bool) {
        let id = item.id();
        let mut headers = HeaderMap::new();
        headers.insert("Nats-Msg-Id", id.as_str());
        headers.insert(STATUS, word(row.status).as_str());
        if let Some(reason) = &row.reason {
            headers.insert(REASON, reason.as_str());
        }
        if quarantined {
            headers.insert(QUARANTINED, "1");
        }
        let row = RowMessage { number: item.number, worker: self.name.clone(), row };
        let Ok(payload) = json(&row) else { return };
        let subject = self.queue.row_subject(&id);
        if !self.insist(|| self.queue.publish(subject.clone(), headers.clone(), payload.clone())) {
            return;
        }
        self.acknowledge(message);
        self.finished.fetch_add(1, Ordering::Relaxed);
        self.quarantined.fetch_add(u64::from(quarantined), Ordering::Relaxed);
    }

    fn acknowledge(&self, message: &Message) {
        if let Err(error) = self.handle.block_on(message.double_ack()) {
            tracing::warn!(%error, "not acknowledged: whoever gets it again finds its row");
        }
    }

    /// Tries again for a while: the queue may be starting anew.
    fn insist<F: Future<Output = Result<(), ClusterError>>>(&self, what: impl Fn() -> F) -> bool {
        for _ in 0..20 {
            match self.handle.block_on(what()) {
                Ok(()) => return true,
                Err(error) => tracing::warn!(%error, "publishing once more"),
            }
            self.handle.block_on(sleep(Duration::from_millis(500)));
        }
        false
    }
}

/// A status as rows have it.
fn word(status: Status) -> String {
    let value = serde_json::to_value(status).ok();
    value.as_ref().and_then(serde_json::Value::as_str).unwrap_or_default().to_owned()
}

/// A name of its own: host, process, time of start.
fn name() -> String {
    let host = fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let fine = |c: char| if c.is_ascii_alphanumeric() || c == '-' { c } else { '_' };
    let host: String = host.trim().chars().map(fine).take(64).collect();
    let start = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
    format!("{}-{}-{:x}", if host.is_empty() { "worker" } else { &host }, process::id(), start)
}
