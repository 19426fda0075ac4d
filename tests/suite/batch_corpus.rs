//! Batch runs over real and hostile files: a row for each, nothing half-written, memory within
//! its bound, and the same end whether a run was killed or not.

use std::{
    collections::BTreeMap,
    env, fs,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use serde_json::Value;

/// What the runs may hold at once.
const MEMORY: u64 = 128 << 20;
/// What the program holds besides: its code, the profiles, the allocator's slack, the journal.
const BESIDES: u64 = 64 << 20;

/// A part of the corpus, so that all runs together take less than a minute: all messages, one in
/// so many of the others if it is not large.
fn subset(corpus: &Path, to: &Path) -> usize {
    let mut count = 0;
    for (folder, one_in, largest) in [
        ("pdu", 1, u64::MAX),
        ("image", 2, 600_000),
        ("hostile", 3, 200_000),
        ("audio", 20, 100_000),
        ("uaprof", 40, 100_000),
    ] {
        let Ok(entries) = fs::read_dir(corpus.join(folder)) else { continue };
        let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
        files.retain(|file| fs::metadata(file).is_ok_and(|m| m.is_file() && m.len() <= largest));
        files.sort();
        fs::create_dir_all(to.join(folder)).unwrap();
        for file in files.iter().step_by(one_in) {
            fs::copy(file, to.join(folder).join(file.file_name().unwrap())).unwrap();
            count += 1;
        }
    }
    count
}

fn batch(input: &Path, output: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mmsfit"));
    command
        .args(["batch", "run", "--json", "--max-bytes", "60k", "--max-image", "640x480"])
        .args(["--effort", "fast", "--memory", &MEMORY.to_string()])
        .args([input, output])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    for variable in ["MMSFIT_CONFIG", "MMSFIT_DEVICE", "MMSFIT_CARRIER", "MMSFIT_EFFORT"] {
        command.env_remove(variable);
    }
    command
}

/// Every file but those of the run's own state.
fn tree(root: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut open = vec![root.to_owned()];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                if path.file_name() != Some(".mmsfit".as_ref()) {
                    open.push(path);
                }
            } else {
                let name = path.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
                found.insert(name, fs::read(&path).unwrap());
            }
        }
    }
    found
}

fn rows(output: &Path) -> Vec<Value> {
    let text = fs::read_to_string(output.join(".mmsfit/report.jsonl")).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Rows without what no two runs have in common: times, and who did the work.
fn timeless(mut rows: Vec<Value>) -> Vec<Value> {
    fn strip(value: &mut Value) {
        match value {
            Value::Object(map) => {
                for time in ["cpuMs", "wallMs", "queueMs"] {
                    map.remove(time);
                }
                // Of the same contents, which one was first; its names stand in the report.
                for first in ["sameAs", "name"] {
                    map.remove(first);
                }
                map.values_mut().for_each(strip);
            }
            Value::Array(values) => values.iter_mut().for_each(strip),
            _ => {}
        }
    }
    for row in &mut rows {
        strip(row);
        if let Some(was) = row.as_object_mut().unwrap().remove("was") {
            row["status"] = was;
        }
    }
    rows
}

/// The most that a child held, looked up while it runs (proc(5), `VmHWM`).
fn watch(child: &mut Child) -> u64 {
    let status = format!("/proc/{}/status", child.id());
    let mut peak = 0;
    while child.try_wait().unwrap().is_none() {
        let text = fs::read_to_string(&status).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kib = line.and_then(|line| line.trim().trim_end_matches("kB").trim().parse().ok());
        peak = peak.max(kib.unwrap_or(0u64) * 1024);
        thread::sleep(Duration::from_millis(5));
    }
    peak
}

#[test]
fn real_files_end_the_same_however_the_run_goes() {
    let Some(corpus) = crate::support::corpus_dir("") else { return };
    let dir = tempfile::tempdir().unwrap();
    let (input, whole) = (dir.path().join("in"), dir.path().join("whole"));
    let count = subset(&corpus, &input);
    assert!(count > 40, "{count} files");

    let began = Instant::now();
    let mut child = batch(&input, &whole).spawn().unwrap();
    let peak = watch(&mut child);
    let took = began.elapsed();
    let finished = child.wait_with_output().unwrap();
    let summary: Value = serde_json::from_slice(&finished.stdout).unwrap();
    println!("{count} files in {took:?}, peak {peak} bytes, {summary}");
    assert!(peak <= MEMORY + BESIDES, "{peak} bytes at the peak");
    // Some inputs are damaged on purpose: partly done, and nothing worse.
    assert_eq!(finished.status.code(), Some(5), "{summary}");
    every_file_has_its_row(&input, &whole);

    let wanted = (tree(&whole), timeless(rows(&whole)));
    for tenth in [2, 6] {
        let output = dir.path().join(format!("killed-{tenth}"));
        let mut child = batch(&input, &output).spawn().unwrap();
        thread::sleep(took * tenth / 10);
        // SIGKILL, to our own child by its id.
        let _ = child.kill();
        child.wait().unwrap();
        batch(&input, &output).output().unwrap();
        assert!(tree(&output) == wanted.0, "killed at {tenth}/10: the trees differ");
        let rows = timeless(rows(&output));
        for (row, wanted) in rows.iter().zip(&wanted.1) {
            assert_eq!(row, wanted, "killed at {tenth}/10");
        }
        assert_eq!(rows.len(), wanted.1.len());
    }

    let again = batch(&input, &whole).output().unwrap();
    let again: Value = serde_json::from_slice(&again.stdout).unwrap();
    assert_eq!((&again["done"], &again["unchanged"]), (&0.into(), &0.into()), "{again}");
    assert_eq!(again["skipped"], wanted.0.len());
    assert!(tree(&whole) == wanted.0);
}

/// Rows and files agree, both ways, and results keep the limit.
fn every_file_has_its_row(input: &Path, output: &Path) {
    let results = tree(output);
    let rows = rows(output);
    let paths: Vec<&str> = rows.iter().map(|row| row["path"].as_str().unwrap()).collect();
    let inputs = tree(input);
    let mut sorted = paths.clone();
    sorted.sort_unstable();
    assert_eq!(sorted, inputs.keys().map(String::as_str).collect::<Vec<_>>());
    let mut named = 0;
    for row in &rows {
        match row["output"]["path"].as_str() {
            Some(name) => {
                let result = results.get(name).unwrap_or_else(|| panic!("{name} is missing"));
                assert_eq!(row["bytesAfter"], result.len(), "{row}");
                assert!(result.len() <= 60_000, "{name}: {} bytes", result.len());
                named += 1;
            }
            None => {
                assert!(row["reason"].is_string() && row["message"].is_string(), "{row}");
                assert_ne!(row["reason"], "INTERNAL", "{row}");
                assert_ne!(row["reason"], "PANIC", "{row}");
            }
        }
    }
    assert_eq!(named, results.len());
    assert!(!output.join(".mmsfit/unfinished").exists());
}
