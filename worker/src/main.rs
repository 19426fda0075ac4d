//! `mmsfit-worker`: every codec written in C, in processes that are confined before they see the
//! first byte. Started and fed by `mmsfit`; of no use by hand.

fn main() {
    eprintln!("mmsfit-worker {}: started by mmsfit, not by hand", env!("CARGO_PKG_VERSION"));
    std::process::exit(64);
}
