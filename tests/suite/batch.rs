//! Batch runs of the real command, killed and interrupted for real. (Structure, names, memory and
//! resuming with an engine of known behaviour are tested beside the code.)

use std::{
    collections::BTreeMap,
    fs,
    io::Write as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    thread,
    time::Instant,
};

use mmsfit::samples::{self, photo};
use serde_json::Value;

pub fn batch(input: &Path, output: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mmsfit"));
    command
        .args(["batch", "run", "--json", "--max-bytes", "40k", "--max-image", "320x240"])
        .args([input, output])
        .env_remove("MMSFIT_DEVICE")
        .env_remove("MMSFIT_CARRIER")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

/// A small PDU (M-Retrieve.conf, OMA-TS-MMS-ENC §6.3) with one JPEG, by hand.
fn pdu(jpeg: &[u8]) -> Vec<u8> {
    let uintvar = |mut n: usize| {
        let mut out = vec![(n & 0x7f) as u8];
        while n > 0x7f {
            n >>= 7;
            out.insert(0, (n & 0x7f) as u8 | 0x80);
        }
        out
    };
    let mut pdu = b"\x8c\x84\x98T1\0\x8d\x92".to_vec();
    pdu.extend(b"\x85\x04\x5f\x00\x00\x00"); // Date
    pdu.extend(b"\x84\xa3"); // Content-Type: application/vnd.wap.multipart.mixed
    pdu.push(1); // parts
    let headers = b"\x9e\x8ep.jpg\0"; // image/jpeg; Content-Location: p.jpg
    pdu.extend(uintvar(headers.len()));
    pdu.extend(uintvar(jpeg.len()));
    pdu.extend(headers);
    pdu.extend(jpeg);
    pdu
}

/// A tree of `images` images, two messages, and what a tree also holds.
pub fn tree(root: &Path, images: u64) {
    for n in 0..images {
        let dir = root.join(format!("d{}", n % 3));
        fs::create_dir_all(&dir).unwrap();
        let jpeg = samples::jpeg(&photo::photo(640, 480, n + 1), None).unwrap();
        fs::write(dir.join(format!("{n:03}.jpg")), &jpeg).unwrap();
        if n < 2 {
            fs::write(dir.join(format!("m{n}.mms")), pdu(&jpeg)).unwrap();
        }
    }
    fs::write(root.join("d0/screen.png"), samples::png(&photo::screenshot(300, 500, 1)).unwrap())
        .unwrap();
    fs::write(root.join("notes.txt"), "notes").unwrap();
    fs::write(root.join("empty.jpg"), "").unwrap();
}

/// Every file but those of the run's own state.
pub fn results(root: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut open = vec![root.to_owned()];
    while let Some(dir) = open.pop() {
        for entry in fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                if path.file_name() != Some(".mmsfit".as_ref()) {
                    open.push(path);
                }
            } else {
                found.insert(path.strip_prefix(root).unwrap().to_owned(), fs::read(&path).unwrap());
            }
        }
    }
    found
}

pub fn rows(output: &Path) -> Vec<Value> {
    let text = fs::read_to_string(output.join(".mmsfit/report.jsonl")).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn every_file_has_a_row_in_the_order_of_the_tree() {
    let dir = tempfile::tempdir().unwrap();
    let (input, output) = (dir.path().join("in"), dir.path().join("out"));
    tree(&input, 4);
    let finished = batch(&input, &output).output().unwrap();
    let summary: Value = serde_json::from_slice(&finished.stdout).unwrap();
    let rows = rows(&output);
    assert_eq!(summary["files"], rows.len());
    let paths: Vec<PathBuf> = rows.iter().map(|r| r["path"].as_str().unwrap().into()).collect();
    assert!(paths.is_sorted(), "{paths:?}");
    assert_eq!(paths.len(), 9);
    for row in &rows {
        let path = row["path"].as_str().unwrap();
        if ["notes.txt", "empty.jpg"].contains(&path) {
            assert_eq!(row["status"], "unsupported", "{row}");
        }
    }
    assert!(!results(&output).contains_key(Path::new("notes.txt")));
    assert_eq!(finished.status.code(), Some(0), "{rows:#?}");
    assert_eq!(results(&output).len(), 7);
    for (path, bytes) in results(&output) {
        assert!(bytes.len() <= 40_000, "{}: {}", path.display(), bytes.len());
    }
    let again = batch(&input, &output).output().unwrap();
    let summary: Value = serde_json::from_slice(&again.stdout).unwrap();
    assert_eq!((&summary["skipped"], &summary["done"]), (&7.into(), &0.into()), "{summary}");
}

#[test]
fn an_archive_is_adapted_as_the_tree_that_it_holds() {
    let python = Command::new("python3").arg("--version").output();
    if let Err(error) = python {
        crate::support::need::missing("python", error);
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let (input, whole) = (dir.path().join("in"), dir.path().join("whole"));
    tree(&input, 6);
    batch(&input, &whole).output().unwrap();
    // Python's own writers: GNU and POSIX tar, zip.
    let script = "import shutil, sys, tarfile, zipfile, os\n\
        tree, to = sys.argv[1:]\n\
        for name, form in (('gnu', tarfile.GNU_FORMAT), ('pax', tarfile.PAX_FORMAT)):\n\
        \u{20}   with tarfile.open(f'{to}/{name}.tar', 'w', format=form) as tar: tar.add(tree, '.')\n\
        shutil.make_archive(f'{to}/whole', 'zip', tree)\n";
    let made = Command::new("python3").args(["-c", script]).args([&input, dir.path()]).output();
    let made = made.unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    for name in ["gnu.tar", "pax.tar", "whole.zip"] {
        let output = dir.path().join(format!("out-{name}"));
        let finished = batch(&dir.path().join(name), &output).output().unwrap();
        assert_eq!(finished.status.code(), Some(0), "{name}: {finished:?}");
        assert_eq!(results(&output), results(&whole), "{name}");
        assert_eq!(rows(&output).len(), rows(&whole).len(), "{name}");
        let again = batch(&dir.path().join(name), &output).output().unwrap();
        let summary: Value = serde_json::from_slice(&again.stdout).unwrap();
        assert_eq!((&summary["skipped"], &summary["done"]), (&9.into(), &0.into()), "{summary}");
    }
    let file = batch(&input.join("notes.txt"), &dir.path().join("none")).output().unwrap();
    let error = String::from_utf8_lossy(&file.stdout).into_owned();
    assert!(file.status.code() == Some(2) && error.contains("tar or zip"), "{error}");
}

#[test]
fn killed_anywhere_and_started_again_ends_the_same() {
    let dir = tempfile::tempdir().unwrap();
    let (input, whole) = (dir.path().join("in"), dir.path().join("whole"));
    tree(&input, 24);
    let began = Instant::now();
    batch(&input, &whole).output().unwrap();
    let took = began.elapsed();
    let wanted = results(&whole);
    for tenth in [1, 3, 5, 8] {
        let output = dir.path().join(format!("killed-{tenth}"));
        let mut child = batch(&input, &output).spawn().unwrap();
        thread::sleep(took * tenth / 10);
        // SIGKILL, to our own child by its id.
        let _ = child.kill();
        child.wait().unwrap();
        let finished = batch(&input, &output).output().unwrap();
        assert_eq!(finished.status.code(), Some(0));
        assert_eq!(results(&output), wanted, "killed at {tenth}/10");
        assert!(!output.join(".mmsfit/unfinished").exists());
    }
}

#[test]
fn killed_at_twenty_moments_one_after_the_other_ends_the_same() {
    let dir = tempfile::tempdir().unwrap();
    let (input, whole, output) =
        (dir.path().join("in"), dir.path().join("whole"), dir.path().join("killed"));
    tree(&input, 24);
    let began = Instant::now();
    batch(&input, &whole).output().unwrap();
    let took = began.elapsed();
    let wanted = results(&whole);
    // The same moments each time; a fifth of the whole at most, so that work is left for the last.
    let mut random = fastrand::Rng::with_seed(20);
    let mut ahead = 0;
    for moment in 0..20 {
        let mut child = batch(&input, &output).spawn().unwrap();
        thread::sleep(took.mul_f64(random.f64() / 5.0));
        let _ = child.kill();
        child.wait().unwrap();
        if !output.exists() {
            continue;
        }
        // What stands under its name is whole, and nothing goes back.
        let so_far = results(&output);
        assert!(so_far.iter().all(|(path, bytes)| wanted.get(path) == Some(bytes)), "{moment}");
        assert!(so_far.len() >= ahead, "{moment}");
        ahead = so_far.len();
    }
    let finished = batch(&input, &output).output().unwrap();
    assert_eq!(finished.status.code(), Some(0));
    assert_eq!(results(&output), wanted);
    let told = |output: &Path| -> Vec<Value> {
        let told = |mut row: Value| {
            // Whether an earlier run did it, and what it cost.
            let status = row.get("was").unwrap_or(&row["status"]).clone();
            row["status"] = status;
            for field in ["was", "cpuMs", "report", "sameAs"] {
                row.as_object_mut().unwrap().remove(field);
            }
            row
        };
        rows(output).into_iter().map(told).collect()
    };
    assert_eq!(told(&output), told(&whole));
    assert!(!output.join(".mmsfit/unfinished").exists());
}

#[test]
fn an_interrupt_finishes_what_runs_and_stops() {
    let dir = tempfile::tempdir().unwrap();
    let (input, output) = (dir.path().join("in"), dir.path().join("out"));
    tree(&input, 60);
    let child = batch(&input, &output).args(["--jobs", "1"]).spawn().unwrap();
    // The journal appears when the run has begun; by then it listens.
    crate::support::eventually("the run begins", || output.join(".mmsfit/journal.jsonl").exists());
    let sent = Command::new("kill").args(["-INT", &child.id().to_string()]).status();
    assert!(sent.unwrap().success());
    let finished = child.wait_with_output().unwrap();
    let rows = rows(&output);
    let summary: Value = serde_json::from_slice(&finished.stdout).unwrap();
    assert_eq!(summary["failed"], 0, "{summary}");
    if rows.len() < 65 {
        assert_eq!(finished.status.code(), Some(5));
        assert_eq!(summary["interrupted"], true);
    }
    let finished = batch(&input, &output).output().unwrap();
    assert_eq!(finished.status.code(), Some(0));
    assert_eq!(results(&output).len(), 63);
}

#[test]
fn a_list_on_standard_input_has_a_device_for_each_row() {
    let dir = tempfile::tempdir().unwrap();
    let (input, output) = (dir.path().join("in"), dir.path().join("out"));
    tree(&input, 2);
    let list = "{\"path\":\"d0/000.jpg\",\"device\":\"nokia-6600\"}\n\
        {\"path\":\"d0/000.jpg\",\"max_bytes\":5000}\n{\"path\":\"../x\"}\n\
        {\"path\":\"d1/001.jpg\",\"device\":\"no-such-phone\"}\n";
    let mut command = batch(&input, &output);
    let mut child = command.arg("--stdin-manifest").stdin(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(list.as_bytes()).unwrap();
    let finished = child.wait_with_output().unwrap();
    let rows = rows(&output);
    assert_eq!(finished.status.code(), Some(5), "{rows:#?}");
    let statuses: Vec<&str> = rows.iter().map(|row| row["status"].as_str().unwrap()).collect();
    assert_eq!(statuses, ["done", "done", "failed", "failed"], "{rows:#?}");
    assert_eq!(rows[2]["reason"], "MANIFEST_ROW");
    assert!(rows[1]["bytesAfter"].as_u64().unwrap() <= 5000);
    let names: Vec<PathBuf> = results(&output).into_keys().collect();
    assert_eq!(names.len(), 2);
    assert!(names.iter().all(|name| name.to_str().unwrap().starts_with("d0/000~")), "{names:?}");
}

#[test]
fn a_dry_run_writes_nothing_and_has_a_price() {
    let dir = tempfile::tempdir().unwrap();
    let (input, output) = (dir.path().join("in"), dir.path().join("out"));
    tree(&input, 6);
    let price = ["--dry-run", "--sample", "4", "--cost-per-cpu-hour", "36000"];
    let finished = batch(&input, &output).args(price).output().unwrap();
    assert_eq!(finished.status.code(), Some(0), "{finished:?}");
    let forecast: Value = serde_json::from_slice(&finished.stdout).unwrap();
    assert_eq!((&forecast["files"], &forecast["sampled"]), (&11.into(), &4.into()));
    let hours = forecast["total"]["cpuHours"]["value"].as_f64().unwrap();
    let cost = forecast["cost"]["value"].as_f64().unwrap();
    assert!(hours > 0.0 && (cost / hours - 36_000.0).abs() < 1.0, "{forecast}");
    assert!(forecast["total"]["cpuHours"]["standardError"].as_f64().unwrap() > 0.0);
    assert!(!output.exists());
}
