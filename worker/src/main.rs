//! `mmsfit-worker`: started and fed by `mmsfit`, never by hand.

use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["--zygote"] => mmsfit_worker::zygote::run(false),
        ["--zygote", "--faults"] => mmsfit_worker::zygote::run(true),
        ["--version"] => {
            println!("mmsfit-worker {}", env!("CARGO_PKG_VERSION"));
            ExitCode::SUCCESS
        }
        _ => {
            eprintln!("mmsfit-worker is started by mmsfit, not by hand; see `mmsfit check-config`");
            ExitCode::from(64)
        }
    }
}
