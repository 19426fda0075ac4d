//! The command line: arguments to a request, answers to a table, JSON or a page.
//!
//! Architecture invariant: translates, never decides. What happens to a message is told by
//! `service`; which words and colours tell it to a person is told here.

mod adapt;
pub mod args;
mod bench;
mod failure;
mod foresee;
pub mod html;
mod inspect;
mod json;
mod lists;
mod load;
mod matrix;
mod notify;
mod output;
mod previews;
mod reload;
mod report;
mod request;
mod run_batch;
mod run_cluster;
mod safe;
mod samples;
mod serve;
mod setup;
mod size;
mod slides;
mod table;
mod term;
mod words;

use std::ffi::OsString;

use clap::{CommandFactory as _, Parser as _};

pub use failure::Failure;
pub use setup::load_config;

use args::{Args, BatchCommand, Command, LogFormat};
use term::Screen;

/// Runs one command and returns the exit code: 0 done, 1 our fault, 2 usage, 3 bad input,
/// 4 cannot fit, 5 partly done.
pub fn main<I>(argv: I) -> u8
where
    I: IntoIterator,
    I::Item: Into<OsString> + Clone,
{
    let args = match Args::try_parse_from(argv) {
        Ok(args) => args,
        Err(error) => {
            // Help and version go to stdout with code 0, mistakes to stderr with code 2. If even
            // that cannot be printed, nothing more can be done.
            let _ = error.print();
            return u8::try_from(error.exit_code()).unwrap_or(2);
        }
    };
    let screen = Screen::new(args.global.color);
    // A service logs each call, and begins to once its configuration says where traces go; a command
    // logs only what is unexpected.
    let serving = matches!(args.command, args::Command::Serve(_));
    let verbose = args.global.verbose + u8::from(serving);
    if !serving {
        setup::start_logging(verbose, screen.err_has_color(), LogFormat::Text, None);
    }
    let as_json = args.command.wants_json();
    let report_on_stdout = !args.command.writes_to_stdout();
    match run(args, &screen) {
        Ok(code) => code,
        Err(failure) => {
            screen.tell_failure(&failure, as_json, report_on_stdout);
            failure.exit_code()
        }
    }
}

/// One match from command to function.
fn run(args: Args, screen: &Screen) -> Result<u8, Failure> {
    let config = args.global.config.as_deref();
    match args.command {
        Command::Adapt(args) => adapt::adapt(&setup::service(config)?, &args, screen),
        Command::Plan(args) => adapt::plan(&setup::service(config)?, &args, screen),
        Command::Inspect(args) => inspect::run(&setup::service(config)?, &args, screen),
        Command::Serve(serve) => {
            let verbose = args.global.verbose + 1;
            serve::run(setup::service(config)?, config, &serve, (screen, verbose))
        }
        Command::Devices(args) => lists::devices(&setup::service(config)?, &args, screen),
        Command::Carriers(args) => lists::carriers(&setup::service(config)?, &args, screen),
        Command::Batch(BatchCommand::Run(args)) => {
            run_batch::run(&setup::service(config)?, &args, screen)
        }
        Command::Batch(BatchCommand::Submit(args)) => {
            run_cluster::submit(&setup::service(config)?, &args, screen)
        }
        Command::Batch(BatchCommand::Worker(args)) => {
            run_cluster::work(&setup::service(config)?, &args, screen)
        }
        Command::Batch(BatchCommand::Status(args)) => run_cluster::status(&args, screen),
        Command::Batch(BatchCommand::Cancel(args)) => run_cluster::cancel(&args, screen),
        Command::Bench(args) => bench::run(&setup::service(config)?, &args, screen),
        Command::Load(args) => load::run(&args, screen),
        Command::Size(args) => size::run(&setup::service(config)?, config, &args, screen),
        Command::CheckConfig(args) => setup::check_config(config, &args, screen),
        // Its one argument is required.
        Command::Config(_) => {
            screen.out(setup::DEFAULT_CONFIG)?;
            Ok(0)
        }
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Args::command(), "mmsfit", &mut script);
            screen.out_bytes(&script)?;
            Ok(0)
        }
        Command::DemoSamples { dir } => samples::run(&setup::service(config)?, &dir, screen),
    }
}
