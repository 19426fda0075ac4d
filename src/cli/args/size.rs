//! The options of `mmsfit size`.

use std::path::PathBuf;

use clap::{Args as ClapArgs, ValueHint};

const SIZE_HELP: &str = "\
What a message of each kind costs is measured against a service of its own on this machine, or read
from a file that an earlier run has saved. From that a simulation of the service (threads, queue,
refusals, effort under pressure, cache) finds the rate that one instance carries at the p99 asked for.

--day is a file with 24 lines: calls a second in each hour. --validate sends the mix to a service on
this machine, finds its knee and the p99 at 70 % of it, and prints them beside what was reckoned for
this machine, sender included.

With --fleet, --used is the share of all cores that is busy.

Exit codes: 0 done, 4 no instance of this size answers in time

Examples:
  mmsfit size --mix mix.toml --rate 2000 --p99 500 --cores 4 --zones 3
  mmsfit size --mix mix.toml --save-costs costs.json --rate 100
  mmsfit size --costs costs.json --day hours.txt --growth 1.2 --years 2 --cost-per-core-hour 0.04
  mmsfit size --costs costs.json --fleet 1000 --used 0.6
  mmsfit size --mix mix.toml --validate";

/// `mmsfit size`.
#[derive(Clone, Debug, ClapArgs)]
#[command(after_help = SIZE_HELP)]
pub struct SizeArgs {
    /// What is sent, as for `mmsfit load`; by default texts and photos of 1 to 12 megapixels
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, help_heading = "Costs")]
    pub mix: Option<PathBuf>,
    /// Costs that were measured before, instead of measuring
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, conflicts_with_all = ["mix", "validate"], help_heading = "Costs")]
    pub costs: Option<PathBuf>,
    /// Keep what was measured
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, help_heading = "Costs")]
    pub save_costs: Option<PathBuf>,
    /// Seconds of measurement for each kind and effort
    #[arg(long, value_name = "S", default_value_t = 4.0, help_heading = "Costs")]
    pub seconds: f64,
    /// Calls a second in the busiest hour
    #[arg(long, value_name = "N", allow_negative_numbers = true, required_unless_present_any = ["day", "validate", "fleet"], conflicts_with = "day", help_heading = "Demand")]
    pub rate: Option<f64>,
    /// 24 lines: calls a second in each hour of a day
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, help_heading = "Demand")]
    pub day: Option<PathBuf>,
    /// What 99 of a hundred answers may take, in milliseconds
    #[arg(long, value_name = "MS", default_value_t = 1000.0, help_heading = "Demand")]
    pub p99: f64,
    /// Each year's rate over that of the year before
    #[arg(long, value_name = "X", default_value_t = 1.0, help_heading = "Demand")]
    pub growth: f64,
    /// Years ahead
    #[arg(long, value_name = "N", default_value_t = 0.0, help_heading = "Demand")]
    pub years: f64,
    /// Cores of an instance; its threads are as many
    #[arg(long, value_name = "N", default_value_t = 4, help_heading = "Instances", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub cores: u16,
    /// Of the rate that an instance carries, what it is to get
    #[arg(long, value_name = "SHARE", default_value_t = 0.7, help_heading = "Instances")]
    pub used: f64,
    /// Zones, one of which may be lost
    #[arg(long, value_name = "N", default_value_t = 1, help_heading = "Instances", value_parser = clap::value_parser!(u32).range(1..=64))]
    pub zones: u32,
    /// What a core costs an hour, in any currency
    #[arg(long, value_name = "X", default_value_t = 0.0, help_heading = "Instances")]
    pub cost_per_core_hour: f64,
    /// Show what ways of spreading calls over so many instances make of their times: while nothing is
    /// wrong, with one of a hundred slow, and with a third of them lost
    #[arg(long, value_name = "INSTANCES", help_heading = "Instances", value_parser = clap::value_parser!(u32).range(1..=20_000))]
    pub fleet: Option<u32>,
    /// Hold what is reckoned against what this machine does
    #[arg(long)]
    pub validate: bool,
    /// Write a page for browsers: figures, times as the rate rises, the day, what matters most
    #[arg(long, value_name = "PATH", value_hint = ValueHint::FilePath, conflicts_with_all = ["validate", "fleet"])]
    pub html: Option<PathBuf>,
    /// Of all that is drawn at random
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub seed: u64,
    /// JSON instead of a table
    #[arg(long)]
    pub json: bool,
}
