//! The rows of a job, out of the queue.

use std::path::Path;

use async_nats::{
    HeaderMap,
    jetstream::consumer::{DeliverPolicy, pull},
};
use futures_util::TryStreamExt as _;

use super::{
    super::{digest, error::BatchError, report, rows::Rows, summary::Summary},
    error::ClusterError,
    queue::{Access, JobName, Queue, runtime},
    wire::RowMessage,
};

/// A row on its way past: what the queue says of it, and its payload unless only headers were
/// wanted.
pub struct Passing<'a> {
    pub headers: Option<&'a HeaderMap>,
    pub payload: &'a [u8],
    /// When the queue got it, in seconds since 1970.
    pub at: i64,
}

/// Shows every row once.
///
/// # Errors
/// The queue's, or that of `see`.
pub async fn each(
    queue: &Queue,
    headers_only: bool,
    mut see: impl FnMut(Passing<'_>) -> Result<(), ClusterError>,
) -> Result<(), ClusterError> {
    let stream = queue.rows().await?;
    let config = pull::OrderedConfig {
        filter_subject: queue.row_subject("*"),
        headers_only,
        deliver_policy: DeliverPolicy::All,
        ..pull::OrderedConfig::default()
    };
    let consumer = stream.create_consumer(config).await.map_err(ClusterError::queue)?;
    if consumer.cached_info().num_pending == 0 {
        return Ok(());
    }
    let mut messages = consumer.messages().await.map_err(ClusterError::queue)?;
    while let Some(message) = messages.try_next().await.map_err(ClusterError::queue)? {
        let (at, pending) = {
            let info = message.info().map_err(ClusterError::queue)?;
            (info.published.unix_timestamp(), info.pending)
        };
        let headers = message.headers.as_ref();
        see(Passing { headers, payload: &message.payload, at })?;
        if pending == 0 {
            break;
        }
    }
    Ok(())
}

/// Writes the rows that are there by now to a file, as the report of one machine: in the order of the items, and in
/// the form that its ending names.
///
/// # Errors
/// The queue's, or the file's.
pub fn report(access: &Access, job: &JobName, path: &Path) -> Result<Summary, ClusterError> {
    let unwritable =
        |error| ClusterError::Batch(BatchError::Output { path: path.to_owned(), error });
    report::check(path)?;
    runtime()?.block_on(async {
        let queue = Queue::connect(access, job).await?;
        let record = queue.record().await?;
        let total = usize::try_from(record.total).unwrap_or(usize::MAX);
        let mut spool = path.as_os_str().to_owned();
        spool.push(format!(".{}.tmp", digest::short(job.as_str().as_bytes())));
        let spool = std::path::PathBuf::from(spool);
        let rows = Rows::create(&spool, total).map_err(unwritable)?;
        // The file has no name from here on, whatever becomes of this program.
        std::fs::remove_file(&spool).map_err(unwritable)?;
        each(&queue, false, |passing| {
            let message: RowMessage =
                serde_json::from_slice(passing.payload).map_err(ClusterError::queue)?;
            let index = usize::try_from(message.number).unwrap_or(usize::MAX);
            rows.put(index, &message.row).map_err(unwritable)
        })
        .await?;
        let mut summary = Summary { files: total, ..Summary::default() };
        report::write(rows, path, |row| summary.count(row)).map_err(unwritable)?;
        summary.not_reached = summary.files.saturating_sub(summary.reached());
        summary.report = path.to_string_lossy().into_owned();
        Ok(summary)
    })
}
