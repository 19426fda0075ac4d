//! The arguments of a batch over many machines.

use std::path::PathBuf;

use clap::{Args as ClapArgs, ValueHint};

use crate::{
    batch::{Pattern, cluster::JobName},
    model::Bytes,
};

use super::{DeviceArgs, LimitArgs, cannot_fit::OnCannotFitArg};

/// Which queue, and which job in it.
#[derive(Clone, Debug, ClapArgs)]
#[command(next_help_heading = "Queue")]
pub struct QueueArgs {
    /// NATS servers with JetStream, with commas between: nats://HOST:4222, tls://HOST:4222
    #[arg(long, value_name = "URL", env = "MMSFIT_NATS")]
    pub nats: String,
    /// The job's name: letters, digits, `-` and `_`
    #[arg(long, value_name = "NAME", env = "MMSFIT_JOB")]
    pub job: JobName,
    /// A file with the JWT and the seed of a NATS user
    #[arg(long, value_name = "FILE", env = "MMSFIT_NATS_CREDS", value_hint = ValueHint::FilePath)]
    pub nats_creds: Option<PathBuf>,
    /// Certificates of authorities (PEM), beside those of the system
    #[arg(long, value_name = "FILE", env = "MMSFIT_NATS_CA", value_hint = ValueHint::FilePath)]
    pub nats_ca: Option<PathBuf>,
}

const SUBMIT_HELP: &str = "\
INPUT and OUTPUT are file:///directory (one that all machines have at this place),
s3://bucket/prefix, gs://bucket/prefix or az://container/prefix, with region, keys and endpoint from
the environment (AWS_REGION, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_ENDPOINT,
AWS_ALLOW_HTTP=true; GOOGLE_SERVICE_ACCOUNT; AZURE_STORAGE_ACCOUNT_NAME,
AZURE_STORAGE_ACCOUNT_KEY). Only keys and parameters go through the queue, never bodies. The same command again adds nothing, and ends a
submission that was broken off; another one needs another name.

Examples:
  mmsfit batch submit s3://mail/2026/ s3://fitted/2026/ --nats nats://queue:4222 --job y2026 \\
      --carrier us-verizon
  mmsfit batch worker --nats nats://queue:4222 --job y2026 --drain
  mmsfit batch status --nats nats://queue:4222 --job y2026 --report y2026.jsonl";

/// `mmsfit batch submit`.
#[derive(Clone, Debug, ClapArgs)]
#[command(after_help = SUBMIT_HELP)]
pub struct SubmitArgs {
    /// What to read: file:///directory, s3://bucket/prefix, gs:// or az://
    #[arg(value_name = "INPUT")]
    pub input: String,
    /// Where results go: the same
    #[arg(value_name = "OUTPUT")]
    pub output: String,
    /// Which queue.
    #[command(flatten)]
    pub queue: QueueArgs,
    /// For whom.
    #[command(flatten)]
    pub device: DeviceArgs,
    /// Within which limits.
    #[command(flatten)]
    pub limits: LimitArgs,
    /// Only the keys that this list names, with what each asks for: as of `batch run`
    #[arg(long, value_name = "FILE", help_heading = "Which", value_hint = ValueHint::FilePath)]
    pub manifest: Option<PathBuf>,
    /// Only keys that match; may be repeated, one match is enough
    #[arg(long, value_name = "GLOB", help_heading = "Which")]
    pub include: Vec<Pattern>,
    /// No keys that match; may be repeated, and wins over --include
    #[arg(long, value_name = "GLOB", help_heading = "Which")]
    pub exclude: Vec<Pattern>,
    /// Only the first N of them, in their order
    #[arg(long, value_name = "N", help_heading = "Which")]
    pub limit: Option<u64>,
    /// What to do with what cannot be made to fit, or must not be changed
    #[arg(long, value_name = "WHAT", help_heading = "Run", value_enum, default_value = "fail")]
    pub on_cannot_fit: OnCannotFitArg,
    /// How many seconds a worker may be silent before its item goes to another; workers speak three
    /// times as often, however long an item takes
    #[arg(long, value_name = "SECONDS", help_heading = "Run", default_value_t = 30,
          value_parser = clap::value_parser!(u16).range(1..=3600))]
    pub silent: u16,
    /// What was added as JSON
    #[arg(long, help_heading = "Output")]
    pub json: bool,
}

/// `mmsfit batch worker`.
#[derive(Clone, Debug, ClapArgs)]
#[command(
    after_help = "SIGTERM or Ctrl-C: takes nothing new, and ends when what is in work is done; a second one\n\
        gives it back. Version, documents and configuration must be those of the submitter."
)]
pub struct WorkerArgs {
    /// Which queue.
    #[command(flatten)]
    pub queue: QueueArgs,
    /// Items in work at once; by default one per core
    #[arg(long, value_name = "N", help_heading = "Run", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub jobs: Option<u16>,
    /// Memory that the items in work may take together; by default 1Gi or half of the machine's
    #[arg(long, value_name = "SIZE", help_heading = "Run")]
    pub memory: Option<Bytes>,
    /// End when the queue is empty, instead of waiting for more
    #[arg(long, help_heading = "Run")]
    pub drain: bool,
    /// What was done as JSON
    #[arg(long, help_heading = "Output")]
    pub json: bool,
}

/// `mmsfit batch status`.
#[derive(Clone, Debug, ClapArgs)]
pub struct StatusArgs {
    /// Which queue.
    #[command(flatten)]
    pub queue: QueueArgs,
    /// Write the rows that are there, a JSON object per item in their order, or if its name ends in
    /// .parquet a table with a row per part, as `batch run` does
    #[arg(long, value_name = "FILE", help_heading = "Output", value_hint = ValueHint::FilePath)]
    pub report: Option<PathBuf>,
    /// JSON instead of a table
    #[arg(long, help_heading = "Output")]
    pub json: bool,
}

/// `mmsfit batch cancel`.
#[derive(Clone, Debug, ClapArgs)]
pub struct CancelArgs {
    /// Which queue.
    #[command(flatten)]
    pub queue: QueueArgs,
    /// Delete the rows and the job's name, too; results stay in the store
    #[arg(long)]
    pub forget: bool,
}
