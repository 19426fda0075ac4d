//! The shipped filter and limits against jobs that do mischief: every one ends in time with an
//! error that says what happened, costs nobody else anything, and leaves nothing behind.

use std::time::{Duration, Instant};

use bytes::Bytes as Buffer;
use mmsfit::{
    codec::{Codec, CodecError, DecodeLimits, EncodeError, OpenHint},
    model::{
        Bytes, Container, Dimensions, FrameRate, Recipe, Stop, StopCause, VideoCodec, VideoCoding,
        VideoRecipe,
    },
    worker::host::{Settings, StartError, Workers},
};

/// No measure of speed: what takes this long hangs.
const HANG: Duration = Duration::from_secs(120);

fn workers(change: impl FnOnce(&mut Settings)) -> Workers {
    let mut settings = Settings::new(env!("CARGO_BIN_EXE_mmsfit-worker").into());
    settings.faults = true;
    settings.limits.cpu_seconds = 1;
    settings.call_time = HANG;
    change(&mut settings);
    Workers::new(settings)
}

fn input(phase: &str, what: &str) -> Buffer {
    format!("#!MMSFIT-FAULT {phase} {what} ").into()
}

const HINT: OpenHint = OpenHint { largest: Dimensions::new(176, 144).unwrap(), animation: false };

fn recipe() -> Recipe {
    Recipe::Video(VideoRecipe {
        container: Container::ThreeGp,
        video: VideoCoding {
            codec: VideoCodec::H263,
            bitrate: 40_000,
            dimensions: HINT.largest,
            rate: FrameRate::new(10, 1).expect("a rate"),
        },
        audio: None,
        keep_ms: None,
    })
}

/// Probes well, then does `what` in `encode`.
fn encode(workers: &Workers, what: &str, stop: &Stop) -> Result<Buffer, EncodeError> {
    let codec = workers.codec();
    let input = input("encode", what);
    let limits = DecodeLimits::default();
    codec.probe(&input, &limits).expect("a sound probe");
    let mut session = codec.open(&input, HINT, &limits, stop).expect("a sound start");
    session.encode(&recipe(), Bytes::new(100_000), stop)
}

fn processes_of(pid: u32) -> usize {
    let children = std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children"));
    children.map_or(0, |list| list.split_whitespace().count())
}

fn descriptors() -> usize {
    std::fs::read_dir("/proc/self/fd").map_or(0, Iterator::count)
}

#[track_caller]
fn settles(what: &str, mut done: impl FnMut() -> bool) {
    let until = Instant::now() + HANG;
    while !done() {
        assert!(Instant::now() < until, "{what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn what_the_filter_forbids_ends_the_job_alone() {
    let workers = workers(|_| {});
    for what in ["connect", "fork", "exec", "stop", "signal-parent"] {
        let error = encode(&workers, what, &Stop::never()).expect_err(what);
        let text = error.to_string();
        assert!(text.contains("sandbox forbids"), "{what}: {text}");
    }
    for what in ["open", "write"] {
        let error = encode(&workers, what, &Stop::never()).expect_err(what);
        assert!(error.to_string().contains("survived"), "{what} is refused, not fatal: {error}");
    }
    assert_eq!(workers.ready().expect("whole").restarts, 0);
}

#[test]
fn limits_end_the_job_and_say_so() {
    let workers = workers(|s| {
        // Filling the memory takes a while, too.
        s.limits.memory_bytes = 768 << 20;
        s.limits.cpu_seconds = 2;
    });
    let text = |what| encode(&workers, what, &Stop::never()).expect_err(what).to_string();
    let map = text("map");
    assert!(map.contains("memory"), "{map}");
    let spin = text("spin");
    assert!(spin.contains("CPU seconds"), "{spin}");
    let impatient = self::workers(|s| s.call_time = Duration::from_secs(2));
    let sleep = encode(&impatient, "sleep", &Stop::never()).expect_err("sleep").to_string();
    assert!(sleep.contains("seconds of one call"), "{sleep}");
    let segv = text("segv");
    assert!(segv.contains("signal 11"), "{segv}");
    let half = text("half-segv");
    assert!(half.contains("signal 11"), "{half}");
    let panic = text("panic");
    assert!(panic.contains("as asked"), "{panic}");
}

#[test]
fn a_lying_or_flooding_worker_is_caught() {
    let workers = workers(|_| {});
    for what in ["lie-size", "lie-type", "flood", "huge-frame"] {
        let error = encode(&workers, what, &Stop::never()).expect_err(what);
        assert!(matches!(error, EncodeError::Codec(CodecError::Internal(_))), "{what}: {error}");
        assert!(!error.to_string().contains("seconds"), "caught by what it says: {what}: {error}");
    }
    for what in ["lie-bytes", "lie-kind", "lie-pixels", "lie-name"] {
        let probed = workers.codec().probe(&input("probe", what), &DecodeLimits::default());
        let error = probed.expect_err(what);
        assert!(error.to_string().contains("lied"), "{what}: {error}");
    }
}

#[test]
fn a_deadline_ends_the_call_and_nothing_is_left() {
    let workers = workers(|_| {});
    let status = workers.ready().expect("started");
    encode(&workers, "open", &Stop::never()).expect_err("as asked");
    settles("the first job ends", || processes_of(status.pid) == 0);
    let before = descriptors();
    for what in ["spin", "sleep", "kill"] {
        let stop = Stop::never();
        let later = stop.clone();
        let clock = std::thread::spawn(move || {
            std::thread::sleep(Duration::from_millis(150));
            later.set(StopCause::Deadline);
        });
        let error = encode(&workers, what, &stop).expect_err(what);
        clock.join().expect("joins");
        let stopped = matches!(error, EncodeError::Codec(CodecError::Stopped(StopCause::Deadline)));
        assert!(stopped, "{what}: {error}");
    }
    settles("all processes end", || processes_of(status.pid) == 0);
    settles("no job is counted", || workers.ready().expect("runs").jobs_running == 0);
    settles("no descriptor is left", || descriptors() <= before);
    assert_eq!(workers.ready().expect("runs").pid, status.pid, "the zygote never noticed");
}

#[test]
fn a_killed_zygote_is_replaced_and_its_jobs_are_lost_alone() {
    let workers = workers(|_| {});
    let first = workers.ready().expect("started");
    // Past the age at which it is replaced at once.
    std::thread::sleep(Duration::from_millis(1100));
    let codec = workers.codec();
    let limits = DecodeLimits::default();
    let sound = input("encode", "sleep");
    let mut session = codec.open(&sound, HINT, &limits, &Stop::never()).expect("opens");
    let killed = std::process::Command::new("kill")
        .args(["-KILL", &first.pid.to_string()])
        .status()
        .expect("kill runs");
    assert!(killed.success());
    let error = session.encode(&recipe(), Bytes::new(1000), &Stop::never()).expect_err("is lost");
    assert!(error.to_string().contains("lost"), "{error}");
    settles("a new zygote", || workers.ready().is_ok_and(|s| s.pid != first.pid));
    codec.probe(&sound, &limits).expect("works again");
    assert_eq!(workers.ready().expect("runs").restarts, 1);
}

#[test]
fn a_stopped_zygote_is_noticed_and_replaced() {
    let workers = workers(|_| {});
    let first = workers.ready().expect("started");
    let signal = |name: &str| {
        let status =
            std::process::Command::new("kill").args([name, &first.pid.to_string()]).status();
        assert!(status.expect("kill runs").success());
    };
    signal("-STOP");
    let began = Instant::now();
    // The first job is lost with the zygote that does not fork it; it is tried once more.
    let probed = workers.codec().probe(&input("encode", "open"), &DecodeLimits::default());
    assert!(probed.is_ok(), "{probed:?}");
    assert!(began.elapsed() < HANG, "noticed by its silence, not by the time of a call");
    assert_ne!(workers.ready().expect("runs").pid, first.pid);
}

#[test]
fn no_more_jobs_than_allowed() {
    let workers = workers(|s| s.max_jobs = 2);
    let codec = workers.codec();
    let limits = DecodeLimits::default();
    let sound = input("encode", "open");
    let held: Vec<_> =
        (0..2).map(|_| codec.open(&sound, HINT, &limits, &Stop::never()).expect("opens")).collect();
    let error = codec.probe(&sound, &limits).expect_err("one too many");
    assert!(matches!(error, CodecError::Limit { .. }), "{error}");
    drop(held);
    settles("room again", || codec.probe(&sound, &limits).is_ok());
}

#[test]
fn what_is_no_worker_is_told() {
    let start = |program: &str| Workers::new(Settings::new(program.into())).ready();
    assert!(matches!(start("/nonexistent/worker"), Err(StartError::Spawn { .. })));
    assert!(matches!(start("/bin/true"), Err(StartError::Greeting { .. })));
}

#[test]
fn the_last_handle_ends_everything() {
    let workers = workers(|_| {});
    let pid = workers.ready().expect("started").pid;
    drop(workers);
    settles("the zygote is gone", || !std::path::Path::new(&format!("/proc/{pid}")).exists());
}
