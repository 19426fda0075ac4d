//! How a job stands, and its end before its time.

use std::{
    collections::BTreeMap,
    time::{SystemTime, UNIX_EPOCH},
};

use futures_util::TryStreamExt as _;
use serde::Serialize;

use super::{
    error::ClusterError,
    queue::{Access, JobName, Queue, runtime},
    rows,
    wire::{Beat, JobRecord, QUARANTINED, REASON, STATUS},
};

/// The rate is that of so many seconds.
const WINDOW: i64 = 60;

/// How a job stands.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Standing {
    /// Its name.
    pub job: String,
    /// The URL of what is read.
    pub input: String,
    /// The URL of what is written.
    pub output: String,
    /// Items.
    pub total: u64,
    /// All of them were put into the queue.
    pub submitted: bool,
    /// What waited was taken out.
    pub cancelled: bool,
    /// Items with a row.
    pub finished: u64,
    /// The same by the status that rows have.
    pub by_status: BTreeMap<String, u64>,
    /// Those with a reason, by it.
    pub by_reason: BTreeMap<String, u64>,
    /// Items that are not tried again.
    pub quarantined: u64,
    /// Items that a worker has.
    pub in_work: u64,
    /// Items that none has.
    pub waiting: u64,
    /// Items a second over the last minute; `None` where there were none.
    pub per_second: Option<f64>,
    /// At that rate, in seconds.
    pub seconds_left: Option<f64>,
    /// Workers that said something in the last seconds.
    pub workers: Vec<Seen>,
}

/// A worker.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Seen {
    /// Its name: host, process, start.
    pub name: String,
    /// Items it may work on at once.
    pub jobs: u64,
    /// Items in work.
    pub in_work: u64,
    /// Items it brought to a row.
    pub finished: u64,
}

impl Standing {
    /// Whether every item has a result, or none as was asked.
    pub fn is_whole(&self) -> bool {
        let bad = ["failed", "refused"].iter().any(|status| self.by_status.contains_key(*status));
        self.finished == self.total && !bad
    }

    fn count(&mut self, status: &str, reason: Option<&str>, quarantined: bool) {
        self.finished += 1;
        *self.by_status.entry(status.to_owned()).or_default() += 1;
        if let Some(reason) = reason {
            *self.by_reason.entry(reason.to_owned()).or_default() += 1;
        }
        self.quarantined += u64::from(quarantined);
    }
}

/// Asks the queue. What it takes grows with the rows, of which it reads the headers.
///
/// # Errors
/// There is no such job, or the queue does not answer.
pub fn status(access: &Access, job: &JobName) -> Result<Standing, ClusterError> {
    runtime()?.block_on(async {
        let queue = Queue::connect(access, job).await?;
        let record = queue.record().await?;
        let mut standing = Standing {
            job: job.as_str().to_owned(),
            input: record.input,
            output: record.output,
            total: record.total,
            submitted: record.complete,
            cancelled: record.cancelled,
            finished: 0,
            by_status: BTreeMap::new(),
            by_reason: BTreeMap::new(),
            quarantined: 0,
            in_work: 0,
            waiting: 0,
            per_second: None,
            seconds_left: None,
            workers: seen(&queue).await?,
        };
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        let now = i64::try_from(now).unwrap_or(i64::MAX);
        let (mut first, mut lately) = (now, 0_u32);
        rows::each(&queue, true, |passing| {
            let header = |name| passing.headers.and_then(|all| all.get(name)).map(|v| v.as_str());
            let status = header(STATUS).unwrap_or("unknown");
            standing.count(status, header(REASON), header(QUARANTINED).is_some());
            first = first.min(passing.at);
            lately += u32::from(passing.at > now - WINDOW);
            Ok(())
        })
        .await?;
        let consumer = queue.consumer().await?;
        let info = queue.items().await?.cached_info().state.messages;
        standing.in_work = consumer.cached_info().num_ack_pending as u64;
        // What a killed server holds again though it is done is not waiting.
        let left = standing.total.saturating_sub(standing.finished);
        standing.waiting = info.min(left).saturating_sub(standing.in_work);
        if lately > 0 {
            let seconds = (now - first).clamp(1, WINDOW);
            let rate = f64::from(lately) / seconds as f64;
            standing.per_second = Some(rate);
            standing.seconds_left = Some((standing.waiting + standing.in_work) as f64 / rate);
        }
        Ok(standing)
    })
}

async fn seen(queue: &Queue) -> Result<Vec<Seen>, ClusterError> {
    let bucket = queue.workers().await?;
    let keys = bucket.keys().await.map_err(ClusterError::queue)?;
    let mut names: Vec<String> = keys.try_collect().await.map_err(ClusterError::queue)?;
    names.sort();
    let mut workers = Vec::with_capacity(names.len());
    for name in names {
        let said = bucket.get(&name).await.map_err(ClusterError::queue)?;
        if let Some(beat) = said.and_then(|said| serde_json::from_slice::<Beat>(&said).ok()) {
            let Beat { jobs, in_work, finished } = beat;
            workers.push(Seen { name, jobs, in_work, finished });
        }
    }
    Ok(workers)
}

/// Takes what waits out of the queue, for good; items in work are finished. `forget`: deletes all
/// that the queue has of the job. Tells how many items were taken out.
///
/// # Errors
/// There is no such job, or the queue does not answer.
pub fn cancel(access: &Access, job: &JobName, forget: bool) -> Result<u64, ClusterError> {
    runtime()?.block_on(async {
        let queue = Queue::connect(access, job).await?;
        let record = queue.record().await?;
        queue.note(&JobRecord { cancelled: true, ..record }).await?;
        let purged = queue.items().await?.purge().await.map_err(ClusterError::queue)?;
        if forget {
            queue.forget().await?;
        }
        Ok(purged.purged)
    })
}
