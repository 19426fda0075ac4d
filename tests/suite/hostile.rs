//! Hostile bytes through the command, one process each: a typed refusal or a valid result, in
//! little time, within bounded memory, never a panic.

use crate::support;
use std::{
    fmt::Write as _,
    fs,
    io::Read as _,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

/// Address space of one process, in KiB.
const ADDRESS_SPACE: u64 = 1_500_000;
/// CPU time of one process, as a multiple of what a small intact photo takes in the same run.
const CPU: u32 = 25;
/// Resident memory worth telling of.
const NOTABLE: u64 = 600 << 20;

struct Ended {
    what: String,
    /// Exit code, or 128 + signal as the shell counts.
    code: i32,
    wall: Duration,
    cpu: Duration,
    peak: u64,
    stderr: String,
}

/// Runs the program under `ulimit -v`, watching it from outside.
fn watched(what: &str, args: &[&str]) -> Ended {
    let start = Instant::now();
    let mut child = Command::new("sh")
        .args(["-c", &format!("ulimit -v {ADDRESS_SPACE}; exec \"$0\" \"$@\"")])
        .arg(env!("CARGO_BIN_EXE_mmsfit"))
        .args(args)
        .env_remove("MMSFIT_CONFIG")
        .env_remove("MMSFIT_DEVICE")
        .env_remove("MMSFIT_CARRIER")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stderr = child.stderr.take().unwrap();
    let reader = std::thread::spawn(move || {
        let mut text = Vec::new();
        let _ = stderr.read_to_end(&mut text);
        String::from_utf8_lossy(&text).into_owned()
    });
    let (mut peak, mut cpu) = (0, Duration::ZERO);
    let mut pause = Duration::from_millis(1);
    let status = loop {
        if let Some(status) = child.try_wait().unwrap() {
            break Some(status);
        }
        if let Some((held, used)) = usage(&child) {
            (peak, cpu) = (peak.max(held), cpu.max(used));
        }
        if start.elapsed() > support::HANG {
            child.kill().unwrap();
            child.wait().unwrap();
            break None;
        }
        std::thread::sleep(pause);
        pause = (pause * 2).min(Duration::from_millis(8));
    };
    use std::os::unix::process::ExitStatusExt as _;
    let code = status.map_or(124, |s| s.code().unwrap_or(128 + s.signal().unwrap_or(0)));
    let stderr = reader.join().unwrap();
    Ended { what: what.to_owned(), code, wall: start.elapsed(), cpu, peak, stderr }
}

/// Peak resident bytes and CPU time so far (proc(5): VmHWM; utime and stime in ticks of 10 ms).
fn usage(child: &Child) -> Option<(u64, Duration)> {
    let root = PathBuf::from(format!("/proc/{}", child.id()));
    let status = fs::read_to_string(root.join("status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kib: u64 = line.trim().trim_end_matches(" kB").trim().parse().ok()?;
    let stat = fs::read_to_string(root.join("stat")).ok()?;
    let fields: Vec<&str> = stat.rsplit(')').next()?.split_whitespace().collect();
    let ticks = |at: usize| fields.get(at).and_then(|f| f.parse::<u64>().ok());
    Some((kib << 10, Duration::from_millis((ticks(11)? + ticks(12)?) * 10)))
}

/// The ways in for a file: as a bare medium, as a part of a message, and as what it claims to be.
fn ways(path: &Path, photo: &str) -> Vec<(&'static str, Vec<String>)> {
    let file = path.to_str().unwrap().to_owned();
    let limits = ["--max-bytes", "100k", "--max-image", "640x480", "--json"].map(str::to_owned);
    let with = |head: &[&str]| {
        head.iter().map(|&s| s.to_owned()).chain(limits.clone()).collect::<Vec<String>>()
    };
    let extension = path.extension().and_then(|e| e.to_str()).unwrap_or_default().to_lowercase();
    let bare = ("bare", with(&["adapt", "--bare", &file]));
    let mut ways = match extension.as_str() {
        // A message as a bare medium is misuse of the command.
        "mms" | "eml" | "http" => vec![("message", with(&["adapt", &file]))],
        "xml" => vec![bare, ("profile", with(&["adapt", photo, "--device", &file]))],
        _ => vec![bare, ("part", with(&["adapt", photo, &file]))],
    };
    ways.push(("inspect", vec!["inspect".into(), file, "--json".into()]));
    ways
}

fn run(files: &[PathBuf], dir: &Path) {
    use mmsfit::samples::{self, photo};
    let photo = dir.join("photo.jpg");
    fs::write(&photo, samples::jpeg(&photo::photo(320, 240, 1), None).unwrap()).unwrap();
    let photo = photo.to_str().unwrap();
    let valid = watched("intact", &["adapt", "--bare", photo, "--max-bytes", "10k", "--json"]);
    assert_eq!(valid.code, 0, "{}", valid.stderr);
    // Ticks are of 10 ms.
    let most = valid.cpu.max(Duration::from_millis(20)) * CPU;
    println!("an intact photo: {:?} of CPU", valid.cpu);
    let jobs: Vec<(String, Vec<String>)> = files
        .iter()
        .flat_map(|path| {
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            ways(path, photo).into_iter().map(move |(way, args)| (format!("{name} ({way})"), args))
        })
        .collect();
    let ended = support::parallel(&jobs, |(what, args)| {
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        watched(what, &args)
    });
    let mut faults = Vec::new();
    for run in &ended {
        let mut fault = String::new();
        // Usage errors are ours: what comes as bytes is never the caller's misuse of the command.
        if !matches!(run.code, 0 | 3 | 4) {
            let _ = write!(fault, " exit code {}", run.code);
        }
        if run.stderr.contains("panicked") || run.stderr.contains("overflowed its stack") {
            fault += " panicked";
        }
        if run.cpu > most {
            fault += " slow";
        }
        if !fault.is_empty() || run.peak > NOTABLE {
            println!(
                "{}: code {}, {:?} of CPU in {:?}, {} MB{fault}",
                run.what,
                run.code,
                run.cpu,
                run.wall,
                run.peak >> 20
            );
        }
        if !fault.is_empty() {
            let said: String = run.stderr.chars().take(300).collect();
            faults.push(format!("{}:{fault}: {said}", run.what));
        }
    }
    let mut slowest: Vec<&Ended> = ended.iter().collect();
    slowest.sort_by_key(|run| std::cmp::Reverse(run.cpu));
    let mut largest: Vec<&Ended> = ended.iter().collect();
    largest.sort_by_key(|run| std::cmp::Reverse(run.peak));
    println!("{} runs; the slowest and the largest:", ended.len());
    for run in slowest.iter().take(5).chain(largest.iter().take(5)) {
        println!("  {}: {:?} of CPU, {} MB, code {}", run.what, run.cpu, run.peak >> 20, run.code);
    }
    assert!(faults.is_empty(), "{} at fault\n{}", faults.len(), faults.join("\n"));
}

#[test]
fn hostile_files_of_our_own() {
    let dir = tempfile::tempdir().unwrap();
    let mut files = Vec::new();
    let mut add = |name: &str, bytes: &[u8]| {
        let path = dir.path().join(name);
        fs::write(&path, bytes).unwrap();
        files.push(path);
    };
    add("empty.bin", b"");
    add("one.bin", b"\xff");
    add("liar.png", &liar());
    add("canvas.gif", b"GIF89a\xff\xff\xff\xff\x80\x00\x00\0\0\0\xff\xff\xff,\0\0\0\0\xff\xff\xff\xff\0\x02\x02\x4c\x01\0;");
    add("wide.wbmp", b"\0\0\xff\xff\xff\x7f\xff\xff\xff\x7f\xff");
    add("huge.bmp", b"BM\x46\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0\xff\xff\xff\x7f\xff\xff\xff\x7f\x01\0\x18\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0");
    // A part whose data would be longer than the message; then parts without end.
    add("length.mms", b"\x8c\x80\x981\0\x8d\x90\x84\xa3\x01\x01\x8f\xff\xff\xff\x7f\x83");
    let mut many = b"\x8c\x80\x981\0\x8d\x90\x84\xa3\x8f\xff\x7f".to_vec();
    many.extend(b"\x01\0\x83".repeat(16_000));
    add("many.mms", &many);
    let mut nested = b"MIME-Version: 1.0\r\n".to_vec();
    for depth in 0..300 {
        nested.extend(
            format!("Content-Type: multipart/mixed; boundary=b{depth}\r\n\r\n--b{depth}\r\n")
                .bytes(),
        );
    }
    add("nested.eml", &nested);
    let laughs = "&a;".repeat(60_000);
    let entity = "x".repeat(8_000);
    let xml =
        format!("<!DOCTYPE r [<!ENTITY a '{entity}'>]><rdf:RDF><Model>{laughs}</Model></rdf:RDF>");
    add("laughs.xml", xml.as_bytes());
    add("deep.xml", "<a>".repeat(300_000).as_bytes());
    use mmsfit::samples::{self, photo};
    let jpeg = samples::jpeg(&photo::photo(640, 480, 1), Some(6)).unwrap();
    let mut dice = support::Dice(7);
    for n in 0..6 {
        let mut damaged = jpeg.to_vec();
        for _ in 0..12 {
            let at = dice.below(damaged.len());
            damaged[at] = dice.below(256) as u8;
        }
        damaged.truncate(damaged.len() - dice.below(damaged.len() / 2));
        add(&format!("damaged{n}.jpg"), &damaged);
    }
    run(&files, dir.path());
}

/// A PNG of next to nothing that claims 2³¹ - 1 pixels on both sides.
fn liar() -> Vec<u8> {
    let mut png =
        b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR\x7f\xff\xff\xff\x7f\xff\xff\xff\x08\x06\0\0\0".to_vec();
    png.extend([0; 4]);
    png.extend(b"\0\0\0\x04IDAT\0\0\0\0\0\0\0\0\0\0\0\0IEND\xaeB`\x82");
    png
}

/// Each file as everything that it may be sent as, in this process: any panic fails the test.
#[test]
fn hostile_files_as_anything() {
    use mmsfit::{
        config::Config,
        model::{Category, Stop},
        profile::DeviceDescription,
        service::{
            Service,
            request::{AdaptRequest, Content, ResolveRequest},
        },
    };
    const LIMIT: u64 = 30_000;
    let service = Service::new(Config { threads: 1, ..Config::default() });
    let own = [("own-liar.png".to_owned(), bytes::Bytes::from(liar()))];
    let files: Vec<_> = own.into_iter().chain(support::corpus("hostile")).collect();
    let tried = support::parallel(&files, |(name, data)| {
        let mut faults = Vec::new();
        let mut judge = |way: &str, category: Category, text: String, took: Duration| {
            if matches!(category, Category::Internal | Category::Busy | Category::Caller) {
                faults.push(format!("{name} as {way}: {category:?} {text}"));
            }
            if took > support::HANG {
                faults.push(format!("{name} as {way}: {took:?}"));
            }
        };
        for (way, content) in [
            ("medium", Content::Bare { data: data.clone(), name: name.clone() }),
            ("PDU", Content::MmsPdu(data.clone())),
            ("MIME", Content::Mime(data.clone())),
        ] {
            let device = support::device(LIMIT, (160, 120), &["image/jpeg", "image/gif"]);
            let request = AdaptRequest { device, ..AdaptRequest::new(content) };
            let start = Instant::now();
            let result = service.adapt(request, &Stop::never());
            match result {
                Ok(answer) => {
                    let size = support::bytes_of(&answer.content).len() as u64;
                    let category =
                        if size > LIMIT { Category::Internal } else { Category::CannotFit };
                    judge(way, category, format!("{size} bytes"), start.elapsed());
                }
                Err(error) => judge(way, error.category, error.to_string(), start.elapsed()),
            }
        }
        let device =
            DeviceDescription { uaprof_xml: Some(data.clone()), ..DeviceDescription::default() };
        let start = Instant::now();
        if let Err(error) = service.resolve(ResolveRequest { device, carrier: None }) {
            judge("profile", error.category, error.to_string(), start.elapsed());
        }
        faults
    });
    let faults: Vec<String> = tried.into_iter().flatten().collect();
    println!("{} files as four things each", files.len());
    assert!(faults.is_empty(), "{} at fault\n{}", faults.len(), faults.join("\n"));
}

#[test]
fn hostile_files_of_the_corpus() {
    let Some(dir) = support::corpus_dir("hostile") else { return };
    let mut files: Vec<PathBuf> = fs::read_dir(dir).unwrap().map(|e| e.unwrap().path()).collect();
    files.sort();
    assert!(files.len() > 50);
    // A third of them, as each is several processes; with MMSFIT_ALL=1 all. In one process, all of
    // them are tried in `hostile_files_as_anything`.
    files.retain(|path| {
        support::everything()
            || support::offset(&path.file_name().unwrap_or_default().to_string_lossy(), 3) == 0
    });
    let own = tempfile::tempdir().unwrap();
    run(&files, own.path());
}
