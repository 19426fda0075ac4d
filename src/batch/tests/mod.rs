//! Runs with an engine that halves what it gets: structure, resuming, memory, names.

mod foreseen;
mod listed;
mod same;
mod selection;

use std::{
    collections::BTreeMap,
    ffi::OsStr,
    os::unix::{ffi::OsStrExt as _, fs::symlink},
    path::PathBuf,
    sync::atomic::{AtomicU64, AtomicUsize, Ordering},
};

use serde_json::Value;

use crate::{
    model::{
        Action, Category, Limits, MediaInfo, MediaType, Outcome, PartId, PartReport, Report, Stop,
    },
    service::{
        ServiceError,
        request::{AdaptRequest, AdaptResponse, Content},
    },
};

use super::*;

/// "Adapts" by cutting in half; PNGs become JPEGs; knows a few bad words.
#[derive(Default)]
struct Halver {
    adapted: AtomicUsize,
    inside: AtomicU64,
    most_inside: AtomicU64,
    documents: &'static str,
    /// Takes a while over each.
    slow: bool,
}

fn refuse(category: Category, reason: &'static str) -> ServiceError {
    ServiceError { category, field: None, ..ServiceError::caller(reason, "", "refused") }
}

impl Engine for Halver {
    fn foresee(&self, request: AdaptRequest, _: &Stop) -> Result<Foreseen, ServiceError> {
        let (memory, length) = match request.content {
            Content::Bare { name, data } if name.contains("huge") => (1 << 40, data.len()),
            Content::Bare { data, .. } => (data.len() as u64 * 10, data.len()),
            Content::MmsPdu(data) | Content::Mime(data) => (100, data.len()),
            Content::Parts { .. } => (100, 0),
        };
        let at_most = Bytes::new(length as u64 / 2);
        Ok(Foreseen { memory: Bytes::new(memory), cpu_ms: length as f64, at_most })
    }

    fn adapt(&self, request: AdaptRequest, _: &Stop) -> Result<AdaptResponse, ServiceError> {
        self.adapted.fetch_add(1, Ordering::SeqCst);
        let price = self.foresee(request.clone(), &Stop::never())?.memory.get();
        let now = self.inside.fetch_add(price, Ordering::SeqCst) + price;
        self.most_inside.fetch_max(now, Ordering::SeqCst);
        if self.slow {
            std::thread::sleep(Duration::from_millis(3));
        }
        self.inside.fetch_sub(price, Ordering::SeqCst);
        let half = |data: &bytes::Bytes| data.slice(..data.len() / 2);
        let (content, before, after) = match &request.content {
            Content::Bare { data, name } => {
                if name.contains("panic") {
                    panic!("as asked");
                }
                if name.contains("nofit") {
                    return Err(refuse(Category::CannotFit, "MESSAGE_CANNOT_FIT"));
                }
                if name.contains("bad") {
                    return Err(refuse(Category::Input, "MEDIA_MALFORMED"));
                }
                let content = Content::Bare { data: half(data), name: name.clone() };
                (content, data.len(), data.len() / 2)
            }
            Content::MmsPdu(data) => (Content::MmsPdu(half(data)), data.len(), data.len() / 2),
            Content::Mime(data) => (Content::Mime(half(data)), data.len(), data.len() / 2),
            Content::Parts { .. } => return Err(refuse(Category::Internal, "X")),
        };
        let info = |n: usize| MediaInfo::opaque(MediaType::JPEG, Bytes::new(n as u64));
        let report = Report {
            outcome: Outcome::Minor,
            limit: None,
            wire_bytes_before: Bytes::new(before as u64),
            wire_bytes_after: Bytes::new(after as u64),
            parts: vec![PartReport {
                id: PartId(0),
                content_id: String::new(),
                name: String::new(),
                action: Action::Transcode,
                reasons: Vec::new(),
                before: info(before),
                after: Some(info(after)),
                budget_bytes: None,
                encodes: 1,
                quality_estimate: None,
                cpu_ms: 1.0,
            }],
            warnings: Vec::new(),
            content_class_before: None,
            content_class_after: None,
            capabilities: None,
            account: None,
        };
        let limits = Limits::default();
        Ok(AdaptResponse { request_id: request.request_id, content, report, limits })
    }

    fn circumstances(&self, _: &AdaptRequest) -> String {
        self.documents.to_owned()
    }
}

struct Bench {
    dir: tempfile::TempDir,
    options: Options,
}

impl Bench {
    fn new(files: &[(&str, &[u8])]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let input = dir.path().join("in");
        fs::create_dir(&input).unwrap();
        for (name, bytes) in files {
            let path = input.join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            // What the engine refuses by its name has a content of its own.
            let word =
                ["nofit", "bad", "panic", "huge"].into_iter().find(|word| name.contains(word));
            fs::write(path, [bytes, word.unwrap_or_default().as_bytes()].concat()).unwrap();
        }
        let options = Options {
            input,
            manifest: None,
            output: dir.path().join("out"),
            report: None,
            select: Select::default(),
            on_cannot_fit: OnCannotFit::default(),
            jobs: 4,
            memory: Bytes::new(1 << 20),
            request: AdaptRequest::new(Content::MmsPdu(bytes::Bytes::new())),
            progress: Progress::Quiet,
        };
        Self { dir, options }
    }

    fn run(&self, engine: &Halver) -> Summary {
        run(engine, &self.options).unwrap()
    }

    fn rows(&self) -> BTreeMap<String, Value> {
        let text = fs::read_to_string(self.options.output.join(".mmsfit/report.jsonl")).unwrap();
        text.lines()
            .map(|line| serde_json::from_str::<Value>(line).unwrap())
            .map(|row| (row["path"].as_str().unwrap().to_owned(), row))
            .collect()
    }

    /// All results by name.
    fn results(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        let state = self.options.output.join(STATE_DIR);
        let found = walk::walk(&self.options.output, &state).unwrap();
        found
            .into_iter()
            .map(|e| (e.path.clone(), fs::read(self.options.output.join(e.path)).unwrap()))
            .collect()
    }
}

const JPEG: &[u8] = b"\xff\xd8\xff\xe0 some jpeg or other";
const PNG: &[u8] = b"\x89PNG\r\n\x1a\n some png or other";
const PDU: &[u8] = b"\x8c\x84\x98x\0\x8d\x92 some pdu";

#[test]
fn a_tree_of_everything_has_a_row_for_everything() {
    let bench = Bench::new(&[
        ("a.jpg", JPEG),
        ("a.png", PNG),
        ("sub/m.mms", PDU),
        ("sub/mail.eml", b"Content-Type: text/plain\r\n\r\nhello"),
        ("readme.txt", b"hello"),
        ("empty.jpg", b""),
        ("bad.jpg", JPEG),
        ("nofit.jpg", JPEG),
        ("panic.jpg", JPEG),
        ("huge.jpg", JPEG),
        (".mmsfit/sly.jpg", JPEG),
    ]);
    fs::create_dir(bench.options.input.join("nothing")).unwrap();
    symlink("..", bench.options.input.join("sub/loop")).unwrap();
    let odd = Path::new(OsStr::from_bytes(b"odd\xff.jpg"));
    fs::write(bench.options.input.join(odd), JPEG).unwrap();
    let summary = bench.run(&Halver::default());
    let rows = bench.rows();
    for (path, status, reason) in [
        ("a.jpg", "done", None),
        ("a.png", "done", None),
        ("sub/m.mms", "done", None),
        ("sub/mail.eml", "done", None),
        ("odd\u{fffd}.jpg", "done", None),
        ("readme.txt", "unsupported", Some("NOT_MESSAGE_OR_MEDIUM")),
        ("empty.jpg", "unsupported", Some("NOT_MESSAGE_OR_MEDIUM")),
        ("sub/loop", "unsupported", Some("LINKED_DIRECTORY")),
        ("bad.jpg", "failed", Some("MEDIA_MALFORMED")),
        ("nofit.jpg", "refused", Some("MESSAGE_CANNOT_FIT")),
        ("panic.jpg", "failed", Some("INTERNAL")),
        ("huge.jpg", "failed", Some("OVER_MEMORY")),
        (".mmsfit/sly.jpg", "failed", Some("OUTPUT_NAME_RESERVED")),
    ] {
        assert_eq!(rows[path]["status"], status, "{path}");
        assert_eq!(rows[path]["reason"].as_str(), reason, "{path}");
    }
    assert_eq!(rows.len(), summary.files);
    assert_eq!(rows["a.png"]["output"]["path"], "a.png.jpg");
    assert_eq!(rows["a.jpg"]["bytesAfter"], JPEG.len() / 2);
    assert!(rows["a.jpg"]["report"]["outcome"].as_str().unwrap().ends_with("MINOR"));
    assert_eq!((summary.done, summary.failed, summary.refused), (5, 4, 1));
    assert!(!summary.is_whole() && !summary.interrupted);
    let results = bench.results();
    let names: Vec<_> = results.keys().map(|p| p.to_string_lossy().into_owned()).collect();
    assert_eq!(names, ["a.jpg", "a.png.jpg", "odd\u{fffd}.jpg", "sub/m.mms", "sub/mail.eml"]);
    assert_eq!(results[Path::new("sub/m.mms")], &PDU[..PDU.len() / 2]);
    assert!(results.contains_key(odd));
}

#[test]
fn a_second_run_does_nothing_until_something_changes() {
    let bench = Bench::new(&[("a.jpg", JPEG), ("b.jpg", JPEG), ("m.mms", PDU)]);
    let engine = Halver::default();
    assert_eq!(bench.run(&engine).done, 3);
    let first = bench.results();
    let summary = bench.run(&engine);
    assert_eq!((summary.skipped, summary.done), (3, 0));
    // Two have one content.
    assert_eq!(engine.adapted.load(Ordering::SeqCst), 2);
    assert_eq!(bench.rows()["a.jpg"]["was"], "done");
    assert_eq!(bench.results(), first);
    assert!(summary.is_whole());

    // Another content, a lost result and a spoilt result are redone.
    fs::write(bench.options.input.join("a.jpg"), [JPEG, JPEG].concat()).unwrap();
    fs::remove_file(bench.options.output.join("b.jpg")).unwrap();
    fs::write(bench.options.output.join("m.mms"), b"spoilt").unwrap();
    assert_eq!(bench.run(&engine).done, 3);
    assert_eq!(bench.results()[Path::new("m.mms")], first[Path::new("m.mms")]);

    // Other options and other documents too.
    let mut other = Bench { dir: bench.dir, options: bench.options };
    other.options.request.limits.max_message_bytes = Some(Bytes::new(1));
    assert_eq!(other.run(&engine).done, 3);
    assert_eq!(other.run(&engine).skipped, 3);
    assert_eq!(other.run(&Halver { documents: "new", ..Halver::default() }).done, 3);
    assert!(other.dir.path().exists());
}

#[test]
fn a_new_file_that_wants_the_same_name_moves_both_to_their_places() {
    let bench = Bench::new(&[("a.png", PNG)]);
    bench.run(&Halver::default());
    assert!(bench.options.output.join("a.jpg").exists());
    fs::write(bench.options.input.join("a.jpg"), JPEG).unwrap();
    let summary = bench.run(&Halver::default());
    assert_eq!(summary.done, 2);
    let results = bench.results();
    assert_eq!(results[Path::new("a.jpg")], &JPEG[..JPEG.len() / 2]);
    assert_eq!(results[Path::new("a.png.jpg")], &PNG[..PNG.len() / 2]);
}

#[test]
fn leftovers_and_a_broken_journal_of_a_killed_run_do_no_harm() {
    let bench = Bench::new(&[("a.jpg", JPEG), ("b.jpg", JPEG)]);
    bench.run(&Halver::default());
    let whole = bench.results();
    let state = bench.options.output.join(STATE_DIR);
    fs::create_dir_all(state.join("unfinished")).unwrap();
    fs::write(state.join("unfinished/.mmsfit-1-1.tmp"), b"half").unwrap();
    let journal = fs::read(state.join("journal.jsonl")).unwrap();
    fs::write(state.join("journal.jsonl"), &journal[..journal.len() - 10]).unwrap();
    let summary = bench.run(&Halver::default());
    assert_eq!((summary.skipped, summary.done), (1, 1));
    assert_eq!(bench.results(), whole);
    assert!(!state.join("unfinished").exists());
}

#[test]
fn memory_is_never_promised_twice() {
    let files: Vec<(String, Vec<u8>)> =
        (0..60).map(|n| (format!("{n}.jpg"), [JPEG, &vec![b'x'; n * 50]].concat())).collect();
    let files: Vec<(&str, &[u8])> = files.iter().map(|(n, b)| (n.as_str(), b.as_slice())).collect();
    let mut bench = Bench::new(&files);
    bench.options.jobs = 8;
    bench.options.memory = Bytes::new(60_000);
    let engine = Halver { slow: true, ..Halver::default() };
    assert_eq!(bench.run(&engine).done, 60);
    let most = engine.most_inside.load(Ordering::SeqCst);
    assert!(most <= 45_000, "{most}");
    assert!(most > 20_000, "jobs did not run side by side: {most}");
}

#[test]
fn any_number_of_jobs_gives_the_same_tree() {
    let files: Vec<String> = ["png", "jpg", "bin"]
        .iter()
        .flat_map(|ext| (0..10).map(move |n| format!("d{}/{n}.{ext}", n % 3)))
        .collect();
    let files: Vec<(&str, &[u8])> = files.iter().map(|name| (name.as_str(), PNG)).collect();
    let trees: Vec<_> = [1, 2, 8]
        .into_iter()
        .map(|jobs| {
            let mut bench = Bench::new(&files);
            bench.options.jobs = jobs;
            bench.run(&Halver::default());
            bench.results()
        })
        .collect();
    assert_eq!(trees[0].len(), 30);
    assert_eq!(trees[0], trees[1]);
    assert_eq!(trees[0], trees[2]);
}

#[test]
fn layouts_that_could_overwrite_inputs_are_refused() {
    let mut bench = Bench::new(&[("a.jpg", JPEG)]);
    for output in [bench.options.input.clone(), bench.dir.path().to_owned()] {
        bench.options.output = output;
        let error = run(&Halver::default(), &bench.options).unwrap_err();
        assert!(matches!(error, BatchError::Layout(_)), "{error}");
    }
    // An output inside the input is not read as input.
    bench.options.output = bench.options.input.join("out");
    assert_eq!(bench.run(&Halver::default()).files, 1);
    assert_eq!(bench.run(&Halver::default()).files, 1);
}

#[test]
fn two_runs_do_not_share_an_output() {
    let bench = Bench::new(&[("a.jpg", JPEG)]);
    bench.run(&Halver::default());
    let _held = State::open(&bench.options.output, None).unwrap();
    let error = run(&Halver::default(), &bench.options).unwrap_err();
    assert!(matches!(error, BatchError::Busy(_)), "{error}");
}
