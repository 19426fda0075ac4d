//! The queue of a job: its streams in NATS JetStream, and where things are in them.
//!
//! `mmsfit.JOB.items` is a work queue: what is acknowledged is gone. `mmsfit.JOB.done.ID` has the row
//! of each item, one message a subject, so that a row that is published again replaces itself; and
//! `mmsfit.JOB.poison.ID` what is in quarantine. Two buckets hold the job, and the workers of late.

use std::{path::PathBuf, str::FromStr, time::Duration};

use async_nats::{
    ConnectErrorKind, ConnectOptions, HeaderMap, ServerAddr,
    jetstream::{
        self, Context, ErrorCode,
        consumer::{AckPolicy, Consumer, pull},
        context::GetStreamErrorKind,
        kv::Store as Bucket,
        stream::{self, DiscardPolicy, RetentionPolicy, StorageType, Stream},
    },
};
use bytes::Bytes as Buffer;
use serde::Serialize;
use tokio::runtime::{Builder, Runtime};

use super::{error::ClusterError, wire::JobRecord};

/// Within this time what is published twice is there once by its digest alone.
const DUPLICATES: Duration = Duration::from_secs(2 * 60 * 60);
/// Between two words of a worker, and how long one counts.
pub const BEAT: Duration = Duration::from_secs(3);
const BEAT_COUNTS: Duration = Duration::from_secs(15);
/// The consumer that all workers share.
const WORKERS: &str = "workers";
/// For one answer of the queue.
const PATIENCE: Duration = Duration::from_secs(10);

/// A name for a job: letters, digits, `-` and `_`, at most 64 of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobName(String);

impl FromStr for JobName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let fine = |c: u8| c.is_ascii_alphanumeric() || c == b'-' || c == b'_';
        if (1..=64).contains(&text.len()) && text.bytes().all(fine) {
            return Ok(Self(text.to_owned()));
        }
        Err("a name has 1 to 64 letters, digits, `-` and `_`".to_owned())
    }
}

impl JobName {
    /// As text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Where the queue is, and who we are there.
#[derive(Clone, Debug, Default)]
pub struct Access {
    /// URLs of servers, with commas between: `nats://host:4222`, `tls://host:4222`.
    pub url: String,
    /// A file with a user's JWT and seed.
    pub credentials: Option<PathBuf>,
    /// Certificates of authorities, PEM, beside the system's.
    pub authorities: Option<PathBuf>,
}

/// A job's queue.
pub struct Queue {
    pub job: String,
    pub jetstream: Context,
}

impl Queue {
    /// Connects.
    ///
    /// # Errors
    /// No server answers, or none lets us in.
    pub async fn connect(access: &Access, job: &JobName) -> Result<Self, ClusterError> {
        let addresses: Result<Vec<ServerAddr>, _> =
            access.url.split(',').map(|url| url.trim().parse()).collect();
        let addresses = addresses.map_err(|error| ClusterError::Layout(error.to_string()))?;
        let mut options = ConnectOptions::new()
            .name("mmsfit")
            .connection_timeout(Duration::from_secs(5))
            .request_timeout(Some(PATIENCE))
            .reconnect_delay_callback(|tries| {
                Duration::from_millis(100 << tries.min(5)).min(Duration::from_secs(3))
            });
        if let Some(file) = &access.credentials {
            let wrong = |error| ClusterError::Layout(format!("{}: {error}", file.display()));
            options = options.credentials_file(file).await.map_err(wrong)?;
        }
        if let Some(file) = &access.authorities {
            options = options.add_root_certificates(file.clone());
        }
        let client = options.connect(addresses).await.map_err(|error| match error.kind() {
            ConnectErrorKind::ServerParse => ClusterError::Layout(error.to_string()),
            _ => ClusterError::Unreachable(error.to_string()),
        })?;
        let mut jetstream = jetstream::new(client);
        jetstream.set_timeout(PATIENCE);
        Ok(Self { job: job.as_str().to_owned(), jetstream })
    }

    fn items_name(&self) -> String {
        format!("MMSFIT_{}", self.job)
    }

    fn rows_name(&self) -> String {
        format!("MMSFIT_{}_rows", self.job)
    }

    fn job_name(&self) -> String {
        format!("MMSFIT_{}", self.job)
    }

    fn workers_name(&self) -> String {
        format!("MMSFIT_{}_workers", self.job)
    }

    /// The subject that items are published on.
    pub fn items_subject(&self) -> String {
        format!("mmsfit.{}.items", self.job)
    }

    /// The subject of an item's row; `*`: of all.
    pub fn row_subject(&self, id: &str) -> String {
        format!("mmsfit.{}.done.{id}", self.job)
    }

    /// The subject of an item in quarantine.
    pub fn poison_subject(&self, id: &str) -> String {
        format!("mmsfit.{}.poison.{id}", self.job)
    }

    /// Makes what is not there yet. `silent`: how long a worker may say nothing of an item.
    ///
    /// # Errors
    /// The queue's.
    pub async fn create(&self, silent: Duration) -> Result<(), ClusterError> {
        let items = stream::Config {
            name: self.items_name(),
            subjects: vec![self.items_subject()],
            retention: RetentionPolicy::WorkQueue,
            storage: StorageType::File,
            duplicate_window: DUPLICATES,
            ..stream::Config::default()
        };
        let rows = stream::Config {
            name: self.rows_name(),
            subjects: vec![self.row_subject("*"), self.poison_subject("*")],
            storage: StorageType::File,
            max_messages_per_subject: 1,
            allow_direct: true,
            ..stream::Config::default()
        };
        let items = self.jetstream.get_or_create_stream(items).await;
        let items = items.map_err(ClusterError::queue)?;
        self.jetstream.get_or_create_stream(rows).await.map_err(ClusterError::queue)?;
        for (bucket, max_age) in
            [(self.job_name(), Duration::ZERO), (self.workers_name(), BEAT_COUNTS)]
        {
            // A bucket as the client library makes one. It asks for the account first, and cannot
            // read what servers of 2.9 answer to that.
            let config = stream::Config {
                name: format!("KV_{bucket}"),
                subjects: vec![format!("$KV.{bucket}.>")],
                storage: StorageType::File,
                max_messages_per_subject: 1,
                max_age,
                duplicate_window: BEAT_COUNTS,
                discard: DiscardPolicy::New,
                allow_rollup: true,
                deny_delete: true,
                allow_direct: true,
                ..stream::Config::default()
            };
            self.jetstream.get_or_create_stream(config).await.map_err(ClusterError::queue)?;
        }
        let workers = pull::Config {
            durable_name: Some(WORKERS.to_owned()),
            ack_policy: AckPolicy::Explicit,
            ack_wait: silent,
            // Whoever gets an item too often puts it into quarantine: the queue would only leave it.
            max_deliver: -1,
            max_ack_pending: 100_000,
            ..pull::Config::default()
        };
        items.get_or_create_consumer(WORKERS, workers).await.map_err(ClusterError::queue)?;
        Ok(())
    }

    /// The job's record.
    ///
    /// # Errors
    /// There is none, or the queue's.
    pub async fn record(&self) -> Result<JobRecord, ClusterError> {
        let unknown = || ClusterError::Unknown(self.job.clone());
        let there = self.jetstream.get_stream(format!("KV_{}", self.job_name())).await;
        there.map_err(|error| match error.kind() {
            GetStreamErrorKind::JetStream(answer)
                if answer.error_code() == ErrorCode::STREAM_NOT_FOUND =>
            {
                unknown()
            }
            _ => ClusterError::queue(error),
        })?;
        let bucket = self.jetstream.get_key_value(self.job_name()).await;
        let bucket = bucket.map_err(ClusterError::queue)?;
        let record = bucket.get("job").await.map_err(ClusterError::queue)?.ok_or_else(unknown)?;
        serde_json::from_slice(&record).map_err(ClusterError::queue)
    }

    /// Writes the job's record.
    ///
    /// # Errors
    /// The queue's.
    pub async fn note(&self, record: &JobRecord) -> Result<(), ClusterError> {
        let bucket = self.jetstream.get_key_value(self.job_name()).await;
        let bucket = bucket.map_err(ClusterError::queue)?;
        bucket.put("job", json(record)?).await.map_err(ClusterError::queue)?;
        Ok(())
    }

    /// The bucket of the workers.
    ///
    /// # Errors
    /// The queue's.
    pub async fn workers(&self) -> Result<Bucket, ClusterError> {
        self.jetstream.get_key_value(self.workers_name()).await.map_err(ClusterError::queue)
    }

    /// The stream of items.
    ///
    /// # Errors
    /// The queue's.
    pub async fn items(&self) -> Result<Stream, ClusterError> {
        self.jetstream.get_stream(self.items_name()).await.map_err(ClusterError::queue)
    }

    /// The stream of rows.
    ///
    /// # Errors
    /// The queue's.
    pub async fn rows(&self) -> Result<Stream, ClusterError> {
        self.jetstream.get_stream(self.rows_name()).await.map_err(ClusterError::queue)
    }

    /// What all workers take items from.
    ///
    /// # Errors
    /// The queue's.
    pub async fn consumer(&self) -> Result<Consumer<pull::Config>, ClusterError> {
        let items = self.items().await?;
        items.get_consumer(WORKERS).await.map_err(ClusterError::queue)
    }

    /// Publishes, and waits until it is kept.
    ///
    /// # Errors
    /// The queue's.
    pub async fn publish(
        &self,
        subject: String,
        headers: HeaderMap,
        payload: Buffer,
    ) -> Result<(), ClusterError> {
        let kept = self.jetstream.publish_with_headers(subject, headers, payload).await;
        kept.map_err(ClusterError::queue)?.await.map_err(ClusterError::queue)?;
        Ok(())
    }

    /// Deletes all of the job but its results in the store.
    ///
    /// # Errors
    /// The queue's.
    pub async fn forget(&self) -> Result<(), ClusterError> {
        for name in [self.items_name(), self.rows_name()] {
            self.jetstream.delete_stream(name).await.map_err(ClusterError::queue)?;
        }
        for bucket in [self.workers_name(), self.job_name()] {
            self.jetstream.delete_key_value(bucket).await.map_err(ClusterError::queue)?;
        }
        Ok(())
    }
}

/// A message's payload.
///
/// # Errors
/// Never for what is published here.
pub fn json(value: &impl Serialize) -> Result<Buffer, ClusterError> {
    serde_json::to_vec(value).map(Buffer::from).map_err(ClusterError::queue)
}

/// The runtime that speaks to queue and store.
///
/// # Errors
/// The system's.
pub fn runtime() -> Result<Runtime, ClusterError> {
    Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(ClusterError::Machine)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_fit_into_subjects() {
        assert!("2026-11_a".parse::<JobName>().is_ok());
        for wrong in ["", "a.b", "a*", "a b", "ä", &"a".repeat(65)] {
            assert!(wrong.parse::<JobName>().is_err(), "{wrong}");
        }
    }
}
