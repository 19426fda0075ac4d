//! The arguments of `mmsfit batch`.

use std::path::PathBuf;

use clap::{Args as ClapArgs, Subcommand, ValueHint};

use crate::{
    batch::{Pattern, Shard},
    model::Bytes,
};

use super::{
    DeviceArgs, LimitArgs,
    cannot_fit::OnCannotFitArg,
    cluster::{CancelArgs, StatusArgs, SubmitArgs, WorkerArgs},
};

/// `mmsfit batch`.
#[derive(Clone, Debug, Subcommand)]
pub enum BatchCommand {
    /// Adapt every message and media file under a directory, or in an archive, into a directory
    Run(BatchRunArgs),
    /// Put the items of an object store into a queue, for workers on many machines
    Submit(SubmitArgs),
    /// Work through such a queue, beside other workers
    Worker(WorkerArgs),
    /// Show how such a job stands
    Status(StatusArgs),
    /// Take what waits out of the queue, for good
    Cancel(CancelArgs),
}

const BATCH_HELP: &str = "\
Messages (PDU, MIME) come out as messages under the same name; images, audio and video come out
alone, each within the limits, with the extension of their new type. If two would get the same
name, the old extension stays in: a.png beside a.jpg becomes a.png.jpg. Files that are neither
message nor medium (texts, profiles, anything else) are reported as `unsupported` and not copied;
links to directories are not followed.

What is done is noted in OUT/.mmsfit/journal.jsonl: a second run, or one after a crash, skips files
whose content, options and result are as noted. Ctrl-C finishes the files at work and stops; pressed
again it abandons them.

IN may be a tar or zip file: its entries are read where they lie, one at a time, and what they say of
themselves is not believed. Of entries of one name the last counts; names that lead out of the archive
are reported and not read. What is compressed as a whole (.tar.gz) has to be unpacked to .tar first.

Globs: `*` and `?` do not cross a slash, `**` does; one without a slash is held against file names,
at any depth. --limit counts what they leave, and --shard then takes its share of it. The shards of
a run may work at once on one OUT: each has journal and report in OUT/.mmsfit/shard-I-of-N/. Names of
results depend on the whole tree, whatever is taken of it.

A manifest has the columns path (relative to IN; it may not leave it), device (a name or a URL),
carrier, max_bytes, max_image, user_agent, sender; all but path may be missing or empty: then the
options of the command hold. A row that cannot be used is reported with its line, and stops nothing.
Results keep the names of their paths. Where several rows name one path for different devices or
limits, what a row asks for is in the name as a digest: a.jpg becomes a~1f2e3d4c.jpg; the report says
which is whose.

Exit codes: 0 all fine, 5 some files failed, were refused, or the run was stopped

Examples:
  mmsfit batch run archive/ fitted/ --carrier us-verizon --jobs 8 --memory 2Gi
  mmsfit batch run archive/ fitted/ --max-bytes 300k --include '*.jpg' --exclude 'thumbs/**'
  mmsfit batch run archive/ fitted/ --max-bytes 300k --shard $JOB_COMPLETION_INDEX/16
  mmsfit batch run archive/ fitted/ --manifest recipients.csv --on-cannot-fit keep
  mmsfit batch run archive/ fitted/ --max-bytes 300k --report fitted.parquet
  mmsfit batch run archive/ fitted/ --max-bytes 300k --dry-run --cost-per-cpu-hour 0.04";

/// `mmsfit batch run`.
#[derive(Clone, Debug, ClapArgs)]
#[command(after_help = BATCH_HELP)]
pub struct BatchRunArgs {
    /// The tree to read, with all its directories; or a tar or zip file of one
    #[arg(value_name = "IN", value_hint = ValueHint::DirPath)]
    pub input: PathBuf,
    /// The tree to write
    #[arg(value_name = "OUT", value_hint = ValueHint::DirPath)]
    pub output: PathBuf,
    /// For whom.
    #[command(flatten)]
    pub device: DeviceArgs,
    /// Within which limits.
    #[command(flatten)]
    pub limits: LimitArgs,
    /// Only what this list names, by its ending CSV with a header line (.csv), a JSON object a line
    /// (.jsonl, .ndjson) or Parquet (.parquet); `-` is stdin, in JSON lines
    #[arg(long, value_name = "FILE", help_heading = "Which", value_hint = ValueHint::FilePath)]
    pub manifest: Option<PathBuf>,
    /// The same as `--manifest -`
    #[arg(long, help_heading = "Which", conflicts_with = "manifest")]
    pub stdin_manifest: bool,
    /// Only paths that match; may be repeated, one match is enough
    #[arg(long, value_name = "GLOB", help_heading = "Which")]
    pub include: Vec<Pattern>,
    /// No paths that match; may be repeated, and wins over --include
    #[arg(long, value_name = "GLOB", help_heading = "Which")]
    pub exclude: Vec<Pattern>,
    /// Only the first N of them, in the order of the tree or the manifest
    #[arg(long, value_name = "N", help_heading = "Which")]
    pub limit: Option<u64>,
    /// Only shard I of N, from 0 to N-1: a fixed share of them, by a hash of the path
    #[arg(long, value_name = "I/N", help_heading = "Which")]
    pub shard: Option<Shard>,
    /// What to do with what cannot be made to fit, or must not be changed
    #[arg(long, value_name = "WHAT", help_heading = "Run", value_enum, default_value = "fail")]
    pub on_cannot_fit: OnCannotFitArg,
    /// Plan only: what would come out, and what it would cost; nothing is encoded or written
    #[arg(long, help_heading = "Dry run")]
    pub dry_run: bool,
    /// With --dry-run: of more than N files only N are planned, drawn at random, and scaled up
    #[arg(long, value_name = "N", help_heading = "Dry run", requires = "dry_run",
          default_value_t = 1000, value_parser = clap::value_parser!(u32).range(1..))]
    pub sample: u32,
    /// With --dry-run: draws the files; the same number draws the same ones
    #[arg(
        long,
        value_name = "N",
        help_heading = "Dry run",
        requires = "dry_run",
        default_value_t = 0
    )]
    pub seed: u64,
    /// With --dry-run: the price of one core for an hour, in a currency of yours; gives the cost
    #[arg(long, value_name = "X", help_heading = "Dry run", requires = "dry_run", value_parser = price)]
    pub cost_per_cpu_hour: Option<f64>,
    /// Files in work at once; by default one per core
    #[arg(long, value_name = "N", help_heading = "Run", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub jobs: Option<u16>,
    /// Memory that the files in work may take together; by default 1Gi or half of the machine's
    #[arg(long, value_name = "SIZE", help_heading = "Run")]
    pub memory: Option<Bytes>,
    /// Where to write the report, a JSON object per file, or if its name ends in .parquet a table with a
    /// row per part; by default OUT/.mmsfit/report.jsonl (of a shard: OUT/.mmsfit/shard-I-of-N/report.jsonl)
    #[arg(long, value_name = "FILE", help_heading = "Output", value_hint = ValueHint::FilePath)]
    pub report: Option<PathBuf>,
    /// Write a page for browsers: sums, reasons, distributions, the slowest, the worst
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, conflicts_with = "dry_run")]
    pub html: Option<PathBuf>,
    /// The summary as JSON instead of a table
    #[arg(long, help_heading = "Output")]
    pub json: bool,
}

/// A price that can be multiplied with.
fn price(text: &str) -> Result<f64, String> {
    let price = text.parse::<f64>().ok().filter(|price| price.is_finite() && *price >= 0.0);
    price.ok_or_else(|| "not a price: write a number such as 0.042".to_owned())
}

impl BatchCommand {
    /// Whether errors are to be told as JSON.
    pub fn wants_json(&self) -> bool {
        match self {
            Self::Run(args) => args.json,
            Self::Submit(args) => args.json,
            Self::Worker(args) => args.json,
            Self::Status(args) => args.json,
            Self::Cancel(_) => false,
        }
    }
}
