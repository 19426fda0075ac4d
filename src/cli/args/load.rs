//! The options of `mmsfit load`.

use std::path::PathBuf;

use clap::{ArgGroup, Args as ClapArgs, ValueHint};

use crate::capacity::load::arrivals::{Arrivals, Ramp};

const LOAD_HELP: &str = "\
Calls are sent when they are due, whether or not earlier ones were answered, and their times count
from then. Every answer is held against its limit and its own report. The service should have cores
of its own: what sender and service take of the same machine is in the figures.

A mix is a TOML file:

  [[messages]]
  share = 0.6                # beside the others
  sample = \"photo-3mp\"       # text, photo-1mp, photo-3mp, photo-12mp, screenshot, album, voice, clip
  max_bytes = \"300k\"
  max_image = \"1024x768\"
  contents = 0               # how many different ones; 0: each call its own, so that no cache helps

  [[messages]]
  share = 0.4
  file = \"message.mms\"       # an MMS PDU, relative to this file
  device = \"nokia-6600\"
  carrier = \"us-verizon\"

A trace (--replay) has a line for each call, in CSV or JSON: when, in seconds since its beginning, and
which kind of the mix by name; without a kind, the shares of the mix decide:

  0.000,text                 {\"at\": 0.0, \"kind\": \"text\"}
  0.125,photo3mp             {\"at\": 0.125, \"kind\": \"photo3mp\"}

One thread sends some ten thousands of small messages a second; where the sender is late, the table
says so. More come from --threads, or from several machines with --json, whose files --merge adds up.

Exit codes: 0 done, 5 some answers were wrong, or calls failed in other ways than refusals

Examples:
  mmsfit load --rate 20 --seconds 30
  mmsfit load --mix mix.toml --find-knee --p99 500
  mmsfit load --overload 3,10
  mmsfit load --ramp 10:200:60s --admin http://127.0.0.1:9090 --html ramp.html
  mmsfit load --target https://mms.example:50051 --ca ca.pem --cert me.pem --key me.key --rate 5
  mmsfit load --merge one.json two.json --hdr both.hlog";

/// `mmsfit load`.
#[derive(Clone, Debug, ClapArgs)]
#[command(after_help = LOAD_HELP)]
#[command(group(
    ArgGroup::new("how").required(true).args(["rate", "ramp", "replay", "callers", "find_knee", "overload", "merge"])
))]
pub struct LoadArgs {
    /// The service; https:// for TLS
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:50051")]
    pub target: String,
    /// What to send; by default texts and photos of 1 to 12 megapixels, each its own, to 300 kB
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub mix: Option<PathBuf>,
    /// Calls a second; several, separated by commas, are tried in turn
    #[arg(long, value_name = "N,…", value_delimiter = ',', help_heading = "Rate")]
    pub rate: Vec<f64>,
    /// A rate that rises or falls evenly: FROM:TO:SECONDS, such as 10:200:60s
    #[arg(long, value_name = "RAMP", help_heading = "Rate")]
    pub ramp: Option<Ramp>,
    /// The calls of a trace, at its times
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, help_heading = "Rate")]
    pub replay: Option<PathBuf>,
    /// So many callers who each call again when they are answered
    #[arg(long, value_name = "N", help_heading = "Rate", value_parser = clap::value_parser!(u16).range(1..=4096))]
    pub callers: Option<u16>,
    /// Find the rate above which calls become slower than --p99, or are refused
    #[arg(long, help_heading = "Rate")]
    pub find_knee: bool,
    /// Measure the capacity, and send so many times as much
    #[arg(long, value_name = "TIMES,…", value_delimiter = ',', help_heading = "Rate")]
    pub overload: Vec<f64>,
    /// Seconds at each rate
    #[arg(long, value_name = "N", default_value_t = 10.0, help_heading = "Rate")]
    pub seconds: f64,
    /// How calls follow each other: poisson, even, or bursts:N
    #[arg(long, value_name = "KIND", default_value = "poisson", help_heading = "Rate")]
    pub arrivals: Arrivals,
    /// What 99 of 100 calls may take, in milliseconds, for --find-knee
    #[arg(long, value_name = "MS", default_value_t = 500.0, help_heading = "Rate")]
    pub p99: f64,
    /// Connections that take turns
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub connections: u16,
    /// Seconds that a caller gives a call
    #[arg(long, value_name = "N", default_value_t = 10.0)]
    pub deadline: f64,
    /// Threads that send
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=256))]
    pub threads: u16,
    /// Roots of the service's certificate, PEM; by default the system's
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, help_heading = "Security")]
    pub ca: Option<PathBuf>,
    /// The certificate to show, PEM
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, requires = "key", help_heading = "Security")]
    pub cert: Option<PathBuf>,
    /// Its key, PEM
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, requires = "cert", help_heading = "Security")]
    pub key: Option<PathBuf>,
    /// The name in the service's certificate, where the address has another
    #[arg(long, value_name = "NAME", help_heading = "Security")]
    pub server_name: Option<String>,
    /// A file with the token of a client, where the service asks for one
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, help_heading = "Security")]
    pub token_file: Option<PathBuf>,
    /// Of what is chosen at random: the same seed sends the same calls
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub seed: u64,
    /// Merge what several processes told with --json, as if one had sent all
    #[arg(long, value_name = "FILE", num_args = 1.., value_hint = ValueHint::FilePath, help_heading = "Output", conflicts_with_all = ["rate", "ramp", "replay", "callers", "find_knee", "overload"])]
    pub merge: Vec<PathBuf>,
    /// A log of HdrHistogram, a line a second, for other tools
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, help_heading = "Output")]
    pub hdr: Option<PathBuf>,
    /// A page with curves over time
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, help_heading = "Output")]
    pub html: Option<PathBuf>,
    /// The service's admin port: its CPU time is told as well
    #[arg(long, value_name = "URL", help_heading = "Output")]
    pub admin: Option<String>,
    /// JSON instead of a table
    #[arg(long, help_heading = "Output")]
    pub json: bool,
}
