//! Batches over many machines: real workers, killed for real, around a real `nats-server`.

mod nats;
mod s3;

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    thread,
    time::{Duration, Instant},
};

use mmsfit::samples::{self, photo};
use nats::Nats;
use serde_json::Value;

const LIMITS: [&str; 4] = ["--max-bytes", "40k", "--max-image", "320x240"];

/// `mmsfit batch` with nothing of our environment that would change it.
fn batch(words: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mmsfit"));
    command
        .arg("batch")
        .args(words)
        .env_remove("MMSFIT_DEVICE")
        .env_remove("MMSFIT_CARRIER")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

/// A queue, a job in it, a tree to read and one to write.
struct Scene {
    nats: Nats,
    dir: tempfile::TempDir,
    input: String,
    output: String,
    environment: Vec<(&'static str, String)>,
}

impl Scene {
    #[track_caller]
    fn new() -> Option<Self> {
        let dir = tempfile::tempdir().unwrap();
        let nats = Nats::start(&dir.path().join("queue"))?;
        fs::create_dir(dir.path().join("in")).unwrap();
        let url = |name: &str| format!("file://{}", dir.path().join(name).display());
        Some(Self { nats, input: url("in"), output: url("out"), dir, environment: Vec::new() })
    }

    fn at(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn command(&self, words: &[&str]) -> Command {
        let mut command = batch(words);
        command.args(["--nats", &self.nats.url(), "--job", "test"]);
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        command
    }

    fn submit(&self, more: &[&str]) -> Output {
        let words = ["submit", &self.input, &self.output, "--json", "--silent", "1"];
        self.command(&words).args(LIMITS).args(more).output().unwrap()
    }

    fn worker(&self, more: &[&str]) -> Child {
        self.command(&["worker", "--json"]).args(more).spawn().unwrap()
    }

    #[track_caller]
    fn status(&self) -> Value {
        json(&self.command(&["status", "--json"]).output().unwrap())
    }

    /// What all workers together left, against a run of one machine.
    fn is_as_one_machine(&self, wanted: &Path, output: &Path) {
        let report = self.at("report.jsonl");
        let told =
            self.command(&["status", "--report", report.to_str().unwrap()]).output().unwrap();
        assert!(matches!(told.status.code(), Some(0 | 5)), "{}", said(&told));
        let rows = |path: &Path| -> Vec<Value> {
            let text = fs::read_to_string(path).unwrap();
            let told = ["path", "status", "reason", "bytesBefore", "bytesAfter", "output"];
            let row = |line| {
                let row: Value = serde_json::from_str(line).unwrap();
                told.iter().map(|field| row[field].clone()).collect()
            };
            text.lines().map(row).collect()
        };
        assert_eq!(rows(&report), rows(&wanted.join(".mmsfit/report.jsonl")));
        assert_eq!(results(output), results(wanted));
    }
}

fn said(output: &Output) -> String {
    let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
    format!("{} {} {}", output.status, text(&output.stdout), text(&output.stderr))
}

#[track_caller]
fn json(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", said(output)))
}

/// Every file but those of a run's own state.
fn results(root: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut open = vec![root.to_owned()];
    while let Some(dir) = open.pop() {
        for entry in fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            if path.file_name() == Some(".mmsfit".as_ref()) {
                continue;
            }
            if path.is_dir() {
                open.push(path);
            } else {
                found.insert(path.strip_prefix(root).unwrap().to_owned(), fs::read(&path).unwrap());
            }
        }
    }
    found
}

/// `count` photos, names that collide, and what nobody can adapt.
fn tree(root: &Path, count: u64) -> usize {
    for n in 0..count {
        let dir = root.join(format!("d{}", n % 3));
        fs::create_dir_all(&dir).unwrap();
        let jpeg = samples::jpeg(&photo::photo(640, 480, n + 1), None).unwrap();
        fs::write(dir.join(format!("{n:03}.jpg")), &jpeg).unwrap();
    }
    let shot = samples::png(&photo::screenshot(300, 500, 1)).unwrap();
    fs::write(root.join("d0/000.png"), &shot).unwrap();
    fs::write(root.join("a shot.PNG"), &shot).unwrap();
    fs::write(root.join("cut.png"), &shot[..shot.len() / 2]).unwrap();
    fs::write(root.join("hostile.jpg"), b"\xff\xd8\xff\xe0\x00\x10JFIF\0\xff\xc0\xff\xff").unwrap();
    fs::write(root.join("notes.txt"), "notes").unwrap();
    fs::write(root.join("empty.jpg"), "").unwrap();
    count as usize + 6
}

#[track_caller]
fn on_one_machine(input: &Path, output: &Path, more: &[&str]) {
    let run = batch(&["run", "--json"]).args(LIMITS).args(more).args([input, output]).output();
    json(&run.unwrap());
}

/// Waits for a worker that ends by itself.
#[track_caller]
fn ended(mut worker: Child) -> Output {
    let start = Instant::now();
    while worker.try_wait().unwrap().is_none() {
        if start.elapsed() > Duration::from_secs(60) {
            let _ = worker.kill();
            panic!("still at work: {}", said(&worker.wait_with_output().unwrap()));
        }
        thread::sleep(Duration::from_millis(20));
    }
    worker.wait_with_output().unwrap()
}

#[test]
fn workers_and_queue_are_killed_and_every_item_is_there_once() {
    let Some(mut scene) = Scene::new() else { return };
    let total = tree(&scene.at("in"), 24);
    on_one_machine(&scene.at("in"), &scene.at("whole"), &[]);

    let first = json(&scene.submit(&[]));
    assert_eq!((&first["total"], &first["added"]), (&total.into(), &total.into()), "{first}");
    let second = json(&scene.submit(&[]));
    assert_eq!((&second["total"], &second["added"]), (&total.into(), &0.into()), "{second}");
    let status = scene.status();
    assert_eq!((&status["waiting"], &status["finished"]), (&total.into(), &0.into()), "{status}");

    let mut random = fastrand::Rng::with_seed(20_261_130);
    let mut doomed = [scene.worker(&["--jobs", "2"]), scene.worker(&["--jobs", "1"])];
    let polite = scene.worker(&["--jobs", "1"]);
    for worker in &mut doomed {
        thread::sleep(Duration::from_millis(random.u64(200..700)));
        worker.kill().unwrap();
        worker.wait().unwrap();
    }
    let last = scene.worker(&["--drain"]);
    crate::support::eventually("the last one is at work", || {
        scene.status()["workers"].as_array().is_some_and(|workers| workers.len() >= 4)
    });
    scene.nats.restart();
    let pid = polite.id().to_string();
    assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
    let polite = ended(polite);
    assert_eq!(polite.status.code(), Some(0), "{}", said(&polite));
    let last = ended(last);
    assert_eq!(last.status.code(), Some(0), "{}", said(&last));

    let status = scene.status();
    assert_eq!(status["finished"], total, "{status}");
    assert_eq!(status["waiting"], 0, "{status}");
    assert_eq!(status["inWork"], 0, "{status}");
    assert_eq!(status["quarantined"], 0, "{status}");
    scene.is_as_one_machine(&scene.at("whole"), &scene.at("out"));
}

#[test]
fn a_list_is_done_as_on_one_machine() {
    let Some(scene) = Scene::new() else { return };
    tree(&scene.at("in"), 3);
    let list = scene.at("list.csv");
    let text = "path,max_bytes,device\n\
        d0/000.jpg,,\n\
        d0/000.jpg,20k,\n\
        d1/001.jpg,lots,\n\
        ../up.jpg,,\n\
        no-such.jpg,,\n\
        a shot.PNG,,nokia-6600\n";
    fs::write(&list, text).unwrap();
    let manifest = ["--manifest", list.to_str().unwrap(), "--on-cannot-fit", "keep"];
    on_one_machine(&scene.at("in"), &scene.at("whole"), &manifest);
    let submitted = json(&scene.submit(&manifest));
    assert_eq!(submitted["added"], 6, "{submitted}");
    let worker = ended(scene.worker(&["--drain", "--jobs", "2"]));
    assert_eq!(json(&worker)["finished"], 6, "{}", said(&worker));
    let status = scene.status();
    assert_eq!(status["byReason"]["MANIFEST_ROW"], 2, "{status}");
    assert_eq!(status["byReason"]["INPUT_UNREADABLE"], 1, "{status}");
    scene.is_as_one_machine(&scene.at("whole"), &scene.at("out"));
}

/// A folder where the result should be: the store refuses, time and again.
#[test]
fn what_fails_by_our_fault_time_and_again_goes_into_quarantine() {
    let Some(scene) = Scene::new() else { return };
    let jpeg = samples::jpeg(&photo::photo(64, 48, 1), None).unwrap();
    fs::write(scene.at("in/a.jpg"), &jpeg).unwrap();
    fs::write(scene.at("in/b.jpg"), &jpeg).unwrap();
    fs::create_dir_all(scene.at("out/b.jpg/in-the-way")).unwrap();
    json(&scene.submit(&[]));
    let worker = json(&ended(scene.worker(&["--drain"])));
    assert_eq!(
        (&worker["finished"], &worker["quarantined"], &worker["returned"]),
        (&2.into(), &1.into(), &4.into()),
        "{worker}"
    );
    let status = scene.status();
    assert_eq!(status["quarantined"], 1, "{status}");
    assert_eq!(status["byReason"]["QUARANTINED"], 1, "{status}");
    assert!(scene.at("out/a.jpg").is_file());
}

#[test]
fn cancelled_is_empty_and_stays_so() {
    let Some(scene) = Scene::new() else { return };
    tree(&scene.at("in"), 2);
    let unknown = scene.command(&["status", "--json"]).output().unwrap();
    assert_eq!(unknown.status.code(), Some(2), "{}", said(&unknown));
    assert!(said(&unknown).contains("JOB_UNKNOWN"), "{}", said(&unknown));
    assert_eq!(json(&scene.submit(&[]))["added"], 8);

    let other = scene.submit(&["--effort", "fast"]);
    assert!(said(&other).contains("JOB_TAKEN"), "{}", said(&other));
    assert_eq!(other.status.code(), Some(2));
    let config = scene.at("other.toml");
    fs::write(&config, "[decode]\nmax_pixels = 1000\n").unwrap();
    let differs = ended(scene.worker(&["--drain", "--config", config.to_str().unwrap()]));
    assert!(said(&differs).contains("WORKER_DIFFERS"), "{}", said(&differs));

    let cancelled = scene.command(&["cancel"]).output().unwrap();
    assert!(said(&cancelled).contains("8 items taken out"), "{}", said(&cancelled));
    let status = scene.status();
    assert_eq!((&status["waiting"], &status["cancelled"]), (&0.into(), &true.into()), "{status}");
    let drained = json(&ended(scene.worker(&["--drain"])));
    assert_eq!(drained["finished"], 0, "{drained}");
    assert!(said(&scene.submit(&[])).contains("JOB_CANCELLED"));

    let forgotten = scene.command(&["cancel", "--forget"]).output().unwrap();
    assert_eq!(forgotten.status.code(), Some(0), "{}", said(&forgotten));
    assert_eq!(json(&scene.submit(&["--limit", "3"]))["added"], 3);
}

#[test]
fn a_queue_that_is_not_there_is_told() {
    let url = format!("nats://127.0.0.1:{}", nats::free_port());
    let output = batch(&["status", "--json", "--job", "x", "--nats", &url]).output().unwrap();
    assert!(said(&output).contains("UNREACHABLE"), "{}", said(&output));
    assert!(!output.status.success());
    for (input, result) in [("file:///a", "file:///a/"), ("file:///a/b", "file:///a"), ("/a", "/b")]
    {
        let words = ["submit", input, result, "--job", "x", "--nats", &url];
        assert!(!batch(&words).output().unwrap().status.success(), "{input} {result}");
    }
}
