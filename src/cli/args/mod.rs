//! The arguments, their help, and nothing else: one struct a command.
//!
//! Long because every option carries its words for people; there is no logic to split off.

mod batch;
mod cannot_fit;
mod cluster;
mod load;
mod size;

use std::{net::SocketAddr, path::PathBuf};

use clap::{
    ArgAction, Args as ClapArgs, Parser, Subcommand, ValueEnum, ValueHint,
    builder::{PossibleValuesParser, TypedValueParser as _},
};

use crate::model::{Bytes, ContentClass, Dimensions, Effort, Interface, SenderType};

pub use batch::{BatchCommand, BatchRunArgs};
pub use cannot_fit::OnCannotFitArg;
pub use cluster::{CancelArgs, QueueArgs, StatusArgs, SubmitArgs, WorkerArgs};
pub use load::LoadArgs;
pub use size::SizeArgs;

const ABOUT: &str = "Fits multimedia messages to what a device can show and to the bytes a \
                     carrier lets through";

const EXAMPLES: &str = "\
Examples:
  mmsfit adapt photo.jpg --max-bytes 300k --max-image 640x480 --bare -o small.jpg
  mmsfit adapt message.mms --device nokia-6600 --carrier us-verizon -o fitted.mms
  mmsfit plan message.mms --device nokia-6600
  mmsfit inspect message.mms
  mmsfit batch run archive/ fitted/ --max-bytes 300k
  mmsfit serve --listen 0.0.0.0:50051

Exit codes: 0 done, 1 our fault, 2 usage, 3 bad input, 4 cannot fit, 5 partly done";

/// The whole command line.
#[derive(Debug, Parser)]
#[command(name = "mmsfit", version, about = ABOUT, after_help = EXAMPLES, max_term_width = 100)]
pub struct Args {
    /// Options of every command.
    #[command(flatten)]
    pub global: Global,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// Options of every command.
#[derive(Debug, ClapArgs)]
#[command(next_help_heading = "Global options")]
pub struct Global {
    /// Configuration file (TOML); without it the built-in defaults and the environment hold
    #[arg(long, global = true, value_name = "FILE", env = "MMSFIT_CONFIG", value_hint = ValueHint::FilePath)]
    pub config: Option<PathBuf>,
    /// Colour: `auto` is only on a terminal and without NO_COLOR
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto", value_enum)]
    pub color: ColorChoice,
    /// More detail on stderr (-vv: still more)
    #[arg(short, long, global = true, action = ArgAction::Count)]
    pub verbose: u8,
}

/// When to colour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum ColorChoice {
    /// On a terminal that wants it.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Fit one message, or media files, to a device and a carrier
    Adapt(AdaptArgs),
    /// Show what `adapt` would do and what it would cost; encodes and writes nothing
    Plan(PlanArgs),
    /// Show what is in messages, media files and device profiles, judged by content
    Inspect(InspectArgs),
    /// Answer adaptation requests over gRPC until SIGTERM or Ctrl-C
    Serve(ServeArgs),
    /// List the known devices, or the capabilities of one with their sources
    Devices(DevicesArgs),
    /// List the known carriers, or the limits of one with their sources
    Carriers(CarriersArgs),
    /// Adapt whole directory trees, or object stores on many machines
    #[command(subcommand)]
    Batch(BatchCommand),
    /// Measure what messages cost on this machine
    Bench(BenchArgs),
    /// Send calls to a running service, and tell how it answered
    Load(LoadArgs),
    /// Reckon how many instances a traffic needs, and what a million messages cost
    Size(SizeArgs),
    /// Load the configuration and show what is in force
    CheckConfig(CheckConfigArgs),
    /// Print a configuration file with all keys, their defaults and what they mean
    Config(ConfigArgs),
    /// Print a completion script for a shell
    #[command(
        after_help = "Example:\n  mmsfit completions bash > ~/.local/share/bash-completion/completions/mmsfit"
    )]
    Completions {
        /// The shell
        #[arg(value_enum)]
        shell: clap_complete::Shell,
    },
    /// Write sample messages and media made by this program
    #[command(hide = true)]
    DemoSamples {
        /// Where to write them
        #[arg(value_name = "DIR", value_hint = ValueHint::DirPath)]
        dir: PathBuf,
    },
}

impl Command {
    /// Whether errors are to be told as JSON.
    pub fn wants_json(&self) -> bool {
        match self {
            Self::Adapt(args) => args.json,
            Self::Plan(args) => args.json,
            Self::Inspect(args) => args.json,
            Self::Devices(args) => args.json,
            Self::Carriers(args) => args.json,
            Self::Batch(command) => command.wants_json(),
            Self::Bench(args) => args.json,
            Self::Load(args) => args.json,
            Self::Size(args) => args.json,
            Self::CheckConfig(args) => args.json,
            Self::Serve(_)
            | Self::Config(_)
            | Self::Completions { .. }
            | Self::DemoSamples { .. } => false,
        }
    }

    /// Whether stdout is taken by the result itself, so that everything else goes to stderr.
    pub fn writes_to_stdout(&self) -> bool {
        matches!(self, Self::Adapt(args) if args.output.as_deref().is_some_and(is_dash))
    }
}

/// Whether a path means the standard stream.
pub fn is_dash(path: &std::path::Path) -> bool {
    path.as_os_str() == "-"
}

/// For whom the message is.
#[derive(Clone, Debug, Default, ClapArgs)]
#[command(next_help_heading = "Device")]
pub struct DeviceArgs {
    /// Device name from `mmsfit devices`, a UAProf document, or the URL it is published at
    #[arg(long, value_name = "ID|FILE|URL", env = "MMSFIT_DEVICE")]
    pub device: Option<String>,
    /// Fit to a content class, whatever --device says: text, image-basic, image-rich, video-basic,
    /// video-rich, megapixel, content-basic, content-rich
    #[arg(long, value_name = "CLASS")]
    pub class: Option<ContentClass>,
    /// The device's User-Agent
    #[arg(long, value_name = "TEXT")]
    pub user_agent: Option<String>,
    /// The device's HTTP Accept header; may be repeated
    #[arg(long, value_name = "TYPES")]
    pub accept: Vec<String>,
    /// Refuse malformed device documents instead of repairing them
    #[arg(long)]
    pub strict: bool,
}

/// The limits.
#[derive(Clone, Debug, Default, ClapArgs)]
#[command(next_help_heading = "Carrier and limits")]
pub struct LimitArgs {
    /// Carrier name from `mmsfit carriers`, or MCC-MNC (311-480)
    #[arg(long, value_name = "NAME", env = "MMSFIT_CARRIER")]
    pub carrier: Option<String>,
    /// What the message is sent from; carriers set their limits by it
    #[arg(long, value_name = "TYPE", value_parser = PossibleValuesParser::new(
        ["person", "long-code", "toll-free", "short-code"]).try_map(|s| s.parse::<SenderType>()))]
    pub sender: Option<SenderType>,
    /// Maximum bytes on the wire: 300000, 300k (1000), 300Ki (1024), 1M
    #[arg(long, value_name = "SIZE")]
    pub max_bytes: Option<Bytes>,
    /// Maximum dimensions of images, in pixels; they turn with the image
    #[arg(long, value_name = "WxH")]
    pub max_image: Option<Dimensions>,
    /// The limits given here replace those of device and carrier instead of tightening them
    #[arg(long)]
    pub replace_limits: bool,
    /// How bytes are counted on the wire; by default as the message's form suggests
    #[arg(long, value_name = "IF", value_parser = PossibleValuesParser::new(
        ["mm1", "mm4", "mm7"]).try_map(|s| s.parse::<Interface>()))]
    pub interface: Option<Interface>,
    /// How much work to spend on quality
    #[arg(
        long,
        value_name = "EFFORT",
        value_enum,
        default_value = "balanced",
        env = "MMSFIT_EFFORT"
    )]
    pub effort: EffortArg,
}

/// Effort, as written on the command line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum EffortArg {
    /// The least CPU that still fits well
    Fast,
    /// The default
    #[default]
    Balanced,
    /// The best result within reason
    Best,
}

impl From<EffortArg> for Effort {
    fn from(effort: EffortArg) -> Self {
        match effort {
            EffortArg::Fast => Self::Fast,
            EffortArg::Balanced => Self::Balanced,
            EffortArg::Best => Self::Best,
        }
    }
}

/// What to adapt.
#[derive(Clone, Debug, Default, ClapArgs)]
#[command(next_help_heading = "Input")]
pub struct InputArgs {
    /// An MMS PDU, a MIME message, or media files that a message is built around; `-` is stdin
    #[arg(required = true, value_name = "INPUT", value_hint = ValueHint::FilePath)]
    pub inputs: Vec<PathBuf>,
    /// A single media file in and out, without a message; the limit holds for the file
    #[arg(long)]
    pub bare: bool,
}

const ADAPT_EXAMPLES: &str = "\
Without -o nothing is written: the table shows what came out.

Examples:
  A photo for a site that takes 100 kB:
    mmsfit adapt photo.jpg --bare --max-bytes 100k -o photo-small.jpg
  A message around two photos and a text, for an old handset:
    mmsfit adapt a.jpg b.jpg hello.txt --device nokia-6600 -o message.mms
  A message as the recipient's carrier takes it, with a page that shows before beside after:
    mmsfit adapt message.mms --carrier us-verizon --sender person -o out.mms --html report.html
  In a pipe:
    mmsfit adapt - --max-bytes 300k -o - < message.mms > fitted.mms";

/// `mmsfit adapt`.
#[derive(Clone, Debug, ClapArgs)]
#[command(after_help = ADAPT_EXAMPLES)]
pub struct AdaptArgs {
    /// What to adapt.
    #[command(flatten)]
    pub input: InputArgs,
    /// For whom.
    #[command(flatten)]
    pub device: DeviceArgs,
    /// Within which limits.
    #[command(flatten)]
    pub limits: LimitArgs,
    /// Where to write the result; a directory keeps the input's name, `-` is stdout
    #[arg(short, long, value_name = "PATH", help_heading = "Output", value_hint = ValueHint::AnyPath)]
    pub output: Option<PathBuf>,
    /// The form of the result; by default the one it came in, for media files a PDU
    #[arg(long, value_name = "FORM", help_heading = "Output", value_enum, conflicts_with = "bare")]
    pub output_form: Option<FormArg>,
    /// The report as JSON instead of a table
    #[arg(long, help_heading = "Output")]
    pub json: bool,
    /// Also write a self-contained HTML page with before and after side by side
    #[arg(long, value_name = "FILE", help_heading = "Output", value_hint = ValueHint::FilePath)]
    pub html: Option<PathBuf>,
}

/// The form of the result, as written on the command line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum FormArg {
    /// MMS encapsulation
    Pdu,
    /// MIME
    Mime,
}

/// `mmsfit plan`.
#[derive(Clone, Debug, ClapArgs)]
#[command(
    after_help = "Examples:\n  mmsfit plan message.mms --device nokia-6600 --carrier us-verizon\n  \
        mmsfit plan message.mms --matrix --html matrix.html"
)]
pub struct PlanArgs {
    /// What to plan for.
    #[command(flatten)]
    pub input: InputArgs,
    /// For whom.
    #[command(flatten)]
    pub device: DeviceArgs,
    /// Within which limits.
    #[command(flatten)]
    pub limits: LimitArgs,
    /// Against all carriers and classes of devices, or those that --carrier and --device name
    #[arg(long, help_heading = "Output")]
    pub matrix: bool,
    /// The plan as JSON instead of a table
    #[arg(long, help_heading = "Output")]
    pub json: bool,
    /// With --matrix: a self-contained HTML page, with the reasons of every cell
    #[arg(long, value_name = "FILE", requires = "matrix", help_heading = "Output",
          value_hint = ValueHint::FilePath)]
    pub html: Option<PathBuf>,
}

/// `mmsfit inspect`.
#[derive(Clone, Debug, ClapArgs)]
#[command(
    after_help = "Examples:\n  mmsfit inspect message.mms photo.jpg\n  mmsfit inspect handset-profile.xml --json"
)]
pub struct InspectArgs {
    /// Messages, media files, device profiles
    #[arg(required = true, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub files: Vec<PathBuf>,
    /// Also list where a presentation breaks the rules of MMS SMIL
    #[arg(long)]
    pub lint: bool,
    /// One JSON object a line instead of tables
    #[arg(long, help_heading = "Output")]
    pub json: bool,
}

/// `mmsfit serve`.
#[derive(Clone, Debug, ClapArgs)]
#[command(after_help = "Example:\n  mmsfit serve --listen 0.0.0.0:50051 --config /etc/mmsfit.toml")]
pub struct ServeArgs {
    /// Address and port to listen on; port 0 takes a free one [default: the configuration's,
    /// 127.0.0.1:50051]
    #[arg(long, value_name = "ADDR")]
    pub listen: Option<SocketAddr>,

    /// Write the address in use to this file once the service is ready
    #[arg(long, value_name = "PATH")]
    pub port_file: Option<PathBuf>,

    /// Address and port for metrics and health over plain HTTP [default: the configuration's,
    /// none]
    #[arg(long, value_name = "ADDR")]
    pub admin_listen: Option<SocketAddr>,

    /// Write the address in use for them to this file, before the workers are started
    #[arg(long, value_name = "PATH")]
    pub admin_port_file: Option<PathBuf>,

    /// How the lines of the log are written
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT", env = "MMSFIT_LOG_FORMAT")]
    pub log_format: LogFormat,
}

/// How a log is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// A line of text for each event.
    #[default]
    Text,
    /// A JSON object a line.
    Json,
}

/// `mmsfit devices`.
#[derive(Clone, Debug, ClapArgs)]
#[command(after_help = "Examples:\n  mmsfit devices\n  mmsfit devices nokia-6600")]
pub struct DevicesArgs {
    /// A device: shows its capabilities, each with where it comes from
    #[arg(value_name = "NAME")]
    pub name: Option<String>,
    /// JSON instead of a table
    #[arg(long, help_heading = "Output")]
    pub json: bool,
}

/// `mmsfit carriers`.
#[derive(Clone, Debug, ClapArgs)]
#[command(
    after_help = "Examples:\n  mmsfit carriers\n  mmsfit carriers 311-480 --sender person --interface mm1"
)]
pub struct CarriersArgs {
    /// A carrier: shows its limits with their sources
    #[arg(value_name = "NAME|MCC-MNC")]
    pub name: Option<String>,
    /// Only the limits of this interface
    #[arg(long, value_name = "IF", requires = "name", value_parser = PossibleValuesParser::new(
        ["mm1", "mm4", "mm7"]).try_map(|s| s.parse::<Interface>()))]
    pub interface: Option<Interface>,
    /// Only the limits of this kind of sender; without it a person on MM1, the strictest of all
    /// on MM4 and MM7
    #[arg(long, value_name = "TYPE", requires = "name", value_parser = PossibleValuesParser::new(
        ["person", "long-code", "toll-free", "short-code"]).try_map(|s| s.parse::<SenderType>()))]
    pub sender: Option<SenderType>,
    /// Print the JSON Schema of carrier files
    #[arg(long, conflicts_with_all = ["name", "json"])]
    pub schema: bool,
    /// JSON instead of a table
    #[arg(long, help_heading = "Output")]
    pub json: bool,
}

const BENCH_HELP: &str = "\
Every source is adapted for every target class, first on one thread, then on all. CPU time is the
whole process's; memory is the peak of the process so far (it cannot be reset for each case).

Example:
  mmsfit bench --seconds 2 --json > this-machine.json
  mmsfit bench --seconds 2 --compare this-machine.json";

/// `mmsfit bench`.
#[derive(Clone, Debug, ClapArgs)]
#[command(after_help = BENCH_HELP)]
pub struct BenchArgs {
    /// Images and messages to measure with, instead of generated ones
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub samples: Option<PathBuf>,
    /// Seconds for each case on one thread, and again on all threads
    #[arg(long, value_name = "N", default_value_t = 1.0, allow_negative_numbers = true)]
    pub seconds: f64,
    /// What an earlier `mmsfit bench --json` printed, to compare with
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub compare: Option<PathBuf>,
    /// Threads of the run on all cores; by default one per core
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub threads: Option<u16>,
    /// How much work to spend on quality
    #[arg(
        long,
        value_name = "EFFORT",
        value_enum,
        default_value = "balanced",
        env = "MMSFIT_EFFORT"
    )]
    pub effort: EffortArg,
    /// Write a page for browsers
    #[arg(long, value_name = "PATH", value_hint = ValueHint::FilePath, help_heading = "Output")]
    pub html: Option<PathBuf>,
    /// JSON instead of a table
    #[arg(long, help_heading = "Output")]
    pub json: bool,
}

/// `mmsfit check-config`.
#[derive(Clone, Debug, ClapArgs)]
#[command(after_help = "Example:\n  mmsfit check-config --config /etc/mmsfit.toml")]
pub struct CheckConfigArgs {
    /// JSON instead of a table
    #[arg(long, help_heading = "Output")]
    pub json: bool,
}

/// `mmsfit config`.
#[derive(Clone, Debug, ClapArgs)]
#[command(after_help = "Example:\n  mmsfit config --default > /etc/mmsfit.toml")]
#[group(required = true)]
pub struct ConfigArgs {
    /// The defaults, each as a comment; nothing of this machine's configuration is in it
    #[arg(long, help_heading = "Output")]
    pub default: bool,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_definition_is_valid() {
        Args::command().debug_assert();
    }

    #[test]
    fn sizes_and_bounds_are_typed() {
        let args = Args::try_parse_from([
            "mmsfit",
            "adapt",
            "a.jpg",
            "--max-bytes",
            "300Ki",
            "--max-image",
            "640x480",
            "--sender",
            "toll-free",
            "--interface",
            "mm4",
        ])
        .unwrap();
        let Command::Adapt(adapt) = args.command else { panic!("not adapt") };
        assert_eq!(adapt.limits.max_bytes, Some(Bytes::new(307_200)));
        assert_eq!(adapt.limits.max_image, Dimensions::new(640, 480));
        assert_eq!(adapt.limits.sender, Some(SenderType::TollFree));
        assert_eq!(adapt.limits.interface, Some(Interface::Mm4));
    }

    #[test]
    fn contradictions_are_refused() {
        for argv in [
            &["mmsfit", "adapt"][..],
            &["mmsfit", "adapt", "a", "--bare", "--output-form", "pdu"],
            &["mmsfit", "carriers", "--sender", "person"],
            &["mmsfit", "adapt", "a", "--max-bytes", "lots"],
            &["mmsfit", "batch", "run", "a", "b", "--jobs", "0"],
        ] {
            assert!(Args::try_parse_from(argv).is_err(), "{argv:?}");
        }
    }
}
