//! The library without its shells, and the worker that is built from it: what they must not bring
//! along.

use std::process::Command;

/// No server, no async runtime, no command line, and nothing that is made for one of them.
const SHELLS_ONLY: &[&str] =
    &["tonic", "prost", "tokio", "hyper", "h2", "tower", "clap", "indicatif"];

/// The crates of a package as it is built by itself, by name.
fn crates(package: &[&str]) -> Vec<String> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(["tree", "--locked", "--offline", "-e", "normal", "--prefix", "none"])
        .args(["--format", "{p}"])
        .args(package)
        .current_dir(super::root())
        .output()
        .expect("cargo runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    text.lines().filter_map(|line| line.split_whitespace().next()).map(str::to_owned).collect()
}

#[track_caller]
fn without_shells(package: &[&str]) {
    let crates = crates(package);
    assert!(crates.len() > 50, "only {} crates found", crates.len());
    // `tonic-types` as well as `tonic`.
    let of = |name: &str, family: &str| name.split('-').next() == Some(family);
    let shells: Vec<&String> =
        crates.iter().filter(|name| SHELLS_ONLY.iter().any(|family| of(name, family))).collect();
    assert!(shells.is_empty(), "{package:?} brings along {shells:?}");
}

#[test]
fn the_worker_has_neither_server_nor_command_line() {
    without_shells(&["-p", "mmsfit-worker"]);
}

#[test]
fn the_library_has_neither_server_nor_command_line() {
    without_shells(&["-p", "mmsfit", "--no-default-features"]);
}
