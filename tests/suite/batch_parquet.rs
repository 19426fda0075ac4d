//! Lists and reports in Parquet, as other houses write and read them.

use std::{
    fs,
    path::Path,
    process::{Command, Output, Stdio},
};

use serde_json::Value;

use super::batch::{batch, results, rows, tree};
use crate::support::need;

/// Runs `tests/python/tables.py`; `None`: it has no environment to run in.
#[track_caller]
fn tables(args: &[&dyn AsRef<std::ffi::OsStr>]) -> Option<Output> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/python/run.sh");
    let mut command = Command::new("sh");
    command.arg(script).arg("tables.py").stdin(Stdio::null());
    for arg in args {
        command.arg(arg);
    }
    let done = command.output().unwrap();
    if done.status.code() == Some(77) {
        need::missing("python", "the environment of DuckDB and Arrow cannot be made");
        return None;
    }
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    Some(done)
}

#[test]
fn the_table_says_what_the_lines_say() {
    let dir = tempfile::tempdir().unwrap();
    let (input, output) = (dir.path().join("in"), dir.path().join("out"));
    tree(&input, 3);
    fs::write(input.join("broken.jpg"), b"\xff\xd8\xff\xe0 no more").unwrap();
    let run = |output: &Path, report: Option<&Path>| {
        let mut command = batch(&input, output);
        report.map(|report| command.arg("--report").arg(report));
        let done = command.output().unwrap();
        assert_eq!(done.status.code(), Some(5), "{}", String::from_utf8_lossy(&done.stderr));
    };
    let at = |name: &str| dir.path().join(name);
    run(&output, None);
    run(&at("other"), Some(&at("first.parquet")));
    // What is skipped has the same times in every run, but what failed is tried again.
    fs::remove_file(input.join("broken.jpg")).unwrap();
    fs::write(input.join("empty.jpg"), fs::read(input.join("d0/000.jpg")).unwrap()).unwrap();
    let again = |report: &Path| {
        let done = batch(&input, &output).arg("--report").arg(report).output().unwrap();
        assert_eq!(done.status.code(), Some(0), "{}", String::from_utf8_lossy(&done.stderr));
    };
    let first = fs::read_to_string(output.join(".mmsfit/report.jsonl")).unwrap();
    again(&at("before.jsonl"));
    again(&at("again.jsonl"));
    again(&at("again.parquet"));
    assert!(!at("other/.mmsfit/report.jsonl").exists());

    fs::write(at("first.jsonl"), first).unwrap();
    let check = |lines: &str, table: &str, times: &[&dyn AsRef<std::ffi::OsStr>]| {
        let mut args: Vec<&dyn AsRef<std::ffi::OsStr>> = vec![&"check"];
        let (lines, table) = (at(lines), at(table));
        args.extend([&lines as &dyn AsRef<std::ffi::OsStr>, &table]);
        args.extend(times);
        tables(&args).map(|done| serde_json::from_slice::<Value>(&done.stdout).unwrap())
    };
    let Some(counted) = check("first.jsonl", "first.parquet", &[]) else { return };
    assert_eq!((&counted["items"], &counted["failed"]), (&9.into(), &1.into()), "{counted}");
    assert!(counted["parts"].as_u64().unwrap() >= 6, "{counted}");
    let counted = check("again.jsonl", "again.parquet", &[&"times"]).unwrap();
    assert_eq!((&counted["items"], &counted["failed"]), (&8.into(), &0.into()), "{counted}");
}

#[test]
fn a_list_of_another_house_is_as_the_same_list_in_csv() {
    let dir = tempfile::tempdir().unwrap();
    let input = dir.path().join("in");
    tree(&input, 3);
    let at = |name: &str| dir.path().join(name);
    let list = "path,device,max_bytes,max_image,sender\n\
        d0/000.jpg,nokia-6600,,,\nd0/000.jpg,,5000,,\nd1/001.jpg,,,100x100,\n../x,,,,\nd0/m0.mms,,20000,,\n\
        missing.jpg,,,,\nd2/002.jpg,no-such-phone,,,\nd2/002.jpg,,,many,\nnotes.txt,,,,\nd0/screen.png,,3000,,email\n";
    fs::write(at("list.csv"), list).unwrap();
    let run = |list: &str, output: &str| {
        let output = at(output);
        let mut command = batch(&input, &output);
        let done = command.arg("--manifest").arg(at(list)).output().unwrap();
        assert_eq!(done.status.code(), Some(5), "{}", String::from_utf8_lossy(&done.stderr));
        let rows: Vec<Value> = rows(&output).into_iter().map(comparable).collect();
        (rows, results(&output))
    };
    let (wanted, files) = run("list.csv", "csv");
    assert_eq!((wanted.len(), files.len()), (10, 4));
    for how in ["arrow", "numbers", "duckdb"] {
        let name = format!("{how}.parquet");
        let written = tables(&[&"write", &how, &at("list.csv"), &at(&name)]);
        if written.is_none() {
            return;
        }
        let (found, same) = run(&name, how);
        for (number, (want, have)) in wanted.iter().zip(&found).enumerate() {
            assert_eq!(have["line"], number as u64 + 1, "{how}");
            let without = |row: &Value| {
                let mut row = row.clone();
                row["line"].take();
                row
            };
            assert_eq!(without(want), without(have), "{how}");
        }
        assert_eq!((found.len(), same == files), (wanted.len(), true), "{how}");
    }
}

/// Without what is measured.
fn comparable(mut row: Value) -> Value {
    row["cpuMs"].take();
    for part in row.pointer_mut("/report/parts").and_then(Value::as_array_mut).into_iter().flatten()
    {
        part["cpuMs"].take();
    }
    if let Some(account) = row.pointer_mut("/report/account") {
        account.take();
    }
    row
}

#[test]
fn what_is_no_parquet_is_told_before_anything_begins() {
    let dir = tempfile::tempdir().unwrap();
    let (input, output) = (dir.path().join("in"), dir.path().join("out"));
    tree(&input, 1);
    let list = dir.path().join("list.parquet");
    fs::write(&list, "path\na.jpg\n").unwrap();
    let done = batch(&input, &output).arg("--manifest").arg(&list).output().unwrap();
    let said = format!("{done:?}");
    assert_eq!(done.status.code(), Some(2), "{said}");
    assert!(said.contains("MANIFEST_INVALID") && said.contains("not a Parquet file"), "{said}");
    assert!(results(&output).is_empty());
}
