//! From a listing or a list to a queue.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use async_nats::HeaderMap;
use async_nats::jetstream::message::PublishMessage;
use serde::Serialize;

use crate::{model::Bytes, service::request::AdaptRequest};

use super::{
    super::{
        asked::Asked,
        digest,
        engine::Engine,
        item::Item,
        manifest::Manifest,
        options::OnCannotFit,
        progress::{Meter, Progress},
        requests::Requests,
        rows::Status,
        select::Select,
        source::Source,
        survey::survey,
        walk::{Entry, EntryKind},
    },
    error::ClusterError,
    naming::Naming,
    queue::{Access, JobName, Queue, json, runtime},
    store::Store,
    wanted::Wanted,
    wire::{ItemMessage, JobRecord},
};

/// So many items are on their way to the queue at once.
const AT_ONCE: usize = 256;

/// What is asked for.
#[derive(Clone, Debug)]
pub struct Submission {
    /// The URL of what is read.
    pub input: String,
    /// The URL of what is written.
    pub output: String,
    /// A list of keys, as that of one machine; `None`: everything below the input.
    pub manifest: Option<PathBuf>,
    /// Which of them.
    pub select: Select,
    /// Everything about the request but its content.
    pub request: AdaptRequest,
    /// What becomes of an item that cannot be made to fit, or must not be changed.
    pub on_cannot_fit: OnCannotFit,
    /// How long a worker may be silent before its item goes to another.
    pub silent: Duration,
    /// How to show progress.
    pub progress: Progress,
}

/// What came of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Submitted {
    /// Items of the job.
    pub total: u64,
    /// Items that were put into the queue now.
    pub added: u64,
}

/// Puts a job into the queue. The same again adds nothing, and ends one that was broken off.
///
/// # Errors
/// Queue or store do not answer, the list cannot be used, or the name is another job's.
pub fn submit(
    engine: &dyn Engine,
    access: &Access,
    job: &JobName,
    submission: &Submission,
) -> Result<Submitted, ClusterError> {
    let runtime = runtime()?;
    // Before the listing, which may take long.
    let queue = runtime.block_on(Queue::connect(access, job))?;
    let (input, output) = places(submission)?;
    Store::open(&output, true)?;
    let source = match &submission.manifest {
        Some(list) => {
            if list.as_os_str() == "-" {
                let why = "a list of items must be a file: it is read several times";
                return Err(ClusterError::Layout(why.to_owned()));
            }
            Source::List(Manifest::open(list, Path::new("."))?)
        }
        None => {
            let listing = runtime.block_on(Store::open(&input, false)?.list())?;
            let below = output.strip_prefix(&format!("{input}/")).map(|below| format!("{below}/"));
            let mut entries: Vec<Entry> = listing
                .into_iter()
                .filter(|object| below.as_ref().is_none_or(|b| !object.key.starts_with(b)))
                .map(|object| entry(&object.key, object.size))
                .collect();
            entries.sort_by(|a, b| a.path.cmp(&b.path));
            Source::Tree(entries)
        }
    };
    let (census, files) = survey(&source, &submission.select);
    let names = census.names();
    let message = |(number, item): (usize, Item)| {
        let naming =
            if item.is_bad() { Naming::default() } else { Naming::of(&names, &item.named) };
        ItemMessage::new(number as u64, &item, naming)
    };
    let items = || submission.select.pick(source.items()).take(files).enumerate().map(message);

    let wanted = Wanted::new(&submission.request)?;
    let request = wanted.request().map_err(ClusterError::Layout)?;
    let requests = Requests::new(engine, &request);
    let run = requests.of(&Asked::default()).map_err(ClusterError::Layout)?;
    let record = JobRecord {
        input,
        output,
        wanted,
        on_cannot_fit: submission.on_cannot_fit.into(),
        fingerprint: run.fingerprint.clone(),
        items: items().fold(String::new(), |sum, item| {
            digest::sha256(format!("{sum}{}", item.id()).as_bytes())
        }),
        total: files as u64,
        complete: false,
        cancelled: false,
    };
    let meter = Meter::new(submission.progress, files);
    std::thread::scope(|scope| {
        let ticker = meter.ticker(scope);
        let put = runtime.block_on(put(&queue, &record, submission.silent, items(), &meter));
        ticker.finish();
        put
    })
}

/// Both URLs without a slash at their end, if results cannot land on what is read.
fn places(submission: &Submission) -> Result<(String, String), ClusterError> {
    let bare = |url: &str| url.trim_end_matches('/').to_owned();
    let (input, output) = (bare(&submission.input), bare(&submission.output));
    if input == output || input.starts_with(&format!("{output}/")) {
        let why = format!("{input} lies in the output {output}: results could overwrite it");
        return Err(ClusterError::Layout(why));
    }
    Ok((input, output))
}

fn entry(key: &str, size: Bytes) -> Entry {
    Entry { path: PathBuf::from(key), kind: EntryKind::File(size) }
}

async fn put(
    queue: &Queue,
    record: &JobRecord,
    silent: Duration,
    mut items: impl Iterator<Item = ItemMessage>,
    meter: &Meter,
) -> Result<Submitted, ClusterError> {
    let mut submitted = Submitted { total: record.total, added: 0 };
    match queue.record().await {
        Ok(there) if there.cancelled => return Err(ClusterError::Cancelled(queue.job.clone())),
        Ok(there) if !there.is_same(record) => return Err(ClusterError::Taken(queue.job.clone())),
        Ok(there) if there.complete => return Ok(submitted),
        // One that was broken off.
        Ok(_) => {}
        Err(ClusterError::Unknown(_)) => {
            queue.create(silent).await?;
            queue.note(record).await?;
        }
        Err(error) => return Err(error),
    }
    loop {
        let some: Vec<ItemMessage> = items.by_ref().take(AT_ONCE).collect();
        if some.is_empty() {
            break;
        }
        let mut tries = 0;
        submitted.added += loop {
            tries += 1;
            match put_some(queue, &some).await {
                Ok(added) => break added,
                // What is kept already is not kept twice.
                Err(error) if tries < 5 => {
                    tracing::warn!(%error, "some items are published once more");
                    tokio::time::sleep(Duration::from_secs(1)).await;
                }
                Err(error) => return Err(error),
            }
        };
        some.iter().for_each(|_| meter.count(Status::Done));
    }
    if queue.record().await?.cancelled {
        queue.items().await?.purge().await.map_err(ClusterError::queue)?;
        return Err(ClusterError::Cancelled(queue.job.clone()));
    }
    queue.note(&JobRecord { complete: true, ..record.clone() }).await?;
    Ok(submitted)
}

/// Publishes, and waits until all are kept; tells how many are new.
async fn put_some(queue: &Queue, items: &[ItemMessage]) -> Result<u64, ClusterError> {
    let mut acks = Vec::with_capacity(items.len());
    for item in items {
        let publish = PublishMessage::build()
            .headers(HeaderMap::new())
            .message_id(item.id())
            .payload(json(item)?);
        let ack = queue.jetstream.send_publish(queue.items_subject(), publish).await;
        acks.push(ack.map_err(ClusterError::queue)?);
    }
    let mut added = 0;
    for ack in acks {
        added += u64::from(!ack.await.map_err(ClusterError::queue)?.duplicate);
    }
    Ok(added)
}
