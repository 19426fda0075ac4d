//! What a test needs and may not find: the worker, real input, a tool. Such a test says "skipped"
//! and passes; where `MMSFIT_REQUIRE` names what it lacks, it fails.
//!
//! One file for the tests inside of both packages and those beside them.
#![allow(dead_code, reason = "each program uses a part of this")]

use std::{
    fmt::Display,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

/// What `MMSFIT_REQUIRE` may name, with commas between; `all` is all of them.
const NAMES: [&str; 10] = [
    "worker", "corpus", "ffmpeg", "netpbm", "tshark", "python", "promtool", "clamd", "nats", "all",
];

/// Says that the calling test is skipped since `what` is not there.
///
/// # Panics
/// Where it is required.
#[track_caller]
pub fn missing(what: &str, why: impl Display) {
    assert!(NAMES.contains(&what), "{what} is not among {NAMES:?}");
    let required = std::env::var("MMSFIT_REQUIRE").unwrap_or_default();
    for name in required.split(',').map(str::trim).filter(|name| !name.is_empty()) {
        assert!(NAMES.contains(&name), "MMSFIT_REQUIRE names {name}: not among {NAMES:?}");
        assert!(name != what && name != "all", "{what} is required and missing: {why}");
    }
    println!("skipped: no {what}: {why}");
}

/// A folder of real input, in `MMSFIT_CORPUS` or beside the checkout; `None` and a word about it
/// where it is absent.
#[track_caller]
pub fn corpus_dir(folder: &str) -> Option<PathBuf> {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    let roots = match std::env::var_os("MMSFIT_CORPUS") {
        Some(root) => vec![PathBuf::from(root)],
        // Packages lie in the root of the checkout or one folder below.
        None => ["../shared/corpus", "../../shared/corpus"].map(|at| package.join(at)).into(),
    };
    let found = roots.iter().map(|root| root.join(folder)).find(|dir| dir.is_dir());
    if found.is_none() {
        missing("corpus", format_args!("{folder} is not in {}", roots[0].display()));
    }
    found
}

/// The files of a folder of real input with their names, in their order; none where it is absent.
#[track_caller]
pub fn corpus<T: From<Vec<u8>> + Ord>(folder: &str) -> Vec<(String, T)> {
    let Some(dir) = corpus_dir(folder) else { return Vec::new() };
    let mut files: Vec<_> = std::fs::read_dir(dir)
        .expect("a readable folder")
        .map(|entry| entry.expect("a readable folder").path())
        .filter(|path| path.is_file())
        .map(|path| {
            let name = path.file_name().expect("a name").to_string_lossy().into_owned();
            (name, T::from(std::fs::read(&path).expect("a readable file")))
        })
        .collect();
    files.sort();
    assert!(!files.is_empty(), "{folder} is empty");
    files
}

/// Whether a program can be started; `package` is what [`missing`] calls it.
#[track_caller]
pub fn has_program(package: &str, program: &str) -> bool {
    let tried = Command::new(program).arg("-version").stdin(Stdio::null()).output();
    if let Err(error) = &tried {
        missing(package, format_args!("{program}: {error}"));
    }
    tried.is_ok()
}
