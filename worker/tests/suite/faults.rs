//! The shipped filter and limits against jobs that do mischief: every one ends in time with an
//! error that says what happened, affects no other call, and leaves nothing behind.

use std::time::{Duration, Instant};

use crate::support::wav;
use bytes::Bytes as Buffer;
use mmsfit::{
    codec::{Codec, CodecError, DecodeLimits, EncodeError, OpenHint},
    model::{
        AudioCodec, AudioCoding, AudioRecipe, BitRate, Bytes, Container, Dimensions, Effort,
        FrameRate, Recipe, SampleRate, Stop, StopCause, VideoCodec, VideoCoding, VideoRecipe,
    },
    worker::host::{Settings, StartError, Workers, cpu_for_this_thread},
};

/// No measure of speed: what takes this long hangs.
const HANG: Duration = Duration::from_secs(120);

pub fn workers(change: impl FnOnce(&mut Settings)) -> Workers {
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

const HINT: OpenHint = OpenHint {
    largest: Dimensions::new(176, 144).unwrap(),
    animation: false,
    effort: Effort::Balanced,
};

fn recipe() -> Recipe {
    Recipe::Video(VideoRecipe {
        container: Container::ThreeGp,
        video: VideoCoding {
            codec: VideoCodec::H263,
            bitrate: BitRate::new(40_000),
            dimensions: HINT.largest,
            rate: FrameRate::new(10, 1).expect("a rate"),
        },
        audio: None,
        keep: None,
    })
}

/// Probes well, then does `what` in `encode`.
fn encode(workers: &Workers, what: &str, stop: &Stop) -> Result<Buffer, EncodeError> {
    let codec = workers.codec();
    let input = input("encode", what);
    let limits = DecodeLimits::default();
    codec.probe(&input, &limits, &Stop::never()).expect("a valid probe");
    let mut session = codec.open(&input, HINT, &limits, stop).expect("a valid start");
    session.encode(&recipe(), Bytes::new(100_000), stop)
}

fn descriptors() -> usize {
    std::fs::read_dir("/proc/self/fd").map_or(0, Iterator::count)
}

#[track_caller]
pub fn settles(what: &str, mut done: impl FnMut() -> bool) {
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
        let probed =
            workers.codec().probe(&input("probe", what), &DecodeLimits::default(), &Stop::never());
        let error = probed.expect_err(what);
        assert!(error.to_string().contains("answered wrongly"), "{what}: {error}");
    }
}

#[test]
fn a_deadline_ends_the_call_and_nothing_is_left() {
    let workers = workers(|_| {});
    let status = workers.ready().expect("started");
    encode(&workers, "open", &Stop::never()).expect_err("as asked");
    settles("the first job ends", || jobs(status.pid).is_empty());
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
    settles("all processes end", || jobs(status.pid).is_empty());
    settles("no job is counted", || workers.ready().expect("runs").jobs_running == 0);
    settles("no descriptor is left", || descriptors() <= before);
    assert_eq!(workers.ready().expect("runs").pid, status.pid, "the zygote never noticed");
}

/// An audio file that is opened, and how it is to be encoded.
pub fn voice(workers: &Workers) -> (Box<dyn mmsfit::codec::Session>, Recipe) {
    let samples = (0..16_000u32).map(|i| ((i * i / 97) % 4000) as i16 - 2000);
    let input = Buffer::from(wav(8000, 1, &samples.collect::<Vec<_>>()));
    let limits = DecodeLimits::default();
    let mut session = workers.codec().open(&input, HINT, &limits, &Stop::never()).expect("opens");
    // Its job begins with the first call.
    session.facts();
    let coding = AudioCoding {
        codec: AudioCodec::AmrNb,
        bitrate: BitRate::new(12_200),
        sample_rate: SampleRate::new(8000),
        channels: 1,
    };
    (session, Recipe::Audio(AudioRecipe { container: Container::Amr, coding, keep: None }))
}

fn signal(name: &str, pid: u32) {
    let status = std::process::Command::new("kill").args([name, &pid.to_string()]).status();
    assert!(status.expect("kill runs").success());
}

/// Kills a process, and waits until it does nothing more.
fn kill(pid: u32) {
    signal("-KILL", pid);
    settles("it is dead", || is_dead(pid));
}

/// Kills a zygote, and waits until its jobs have followed it.
fn kill_all(zygote: u32) {
    let jobs = jobs(zygote);
    assert!(!jobs.is_empty(), "a job to be lost");
    kill(zygote);
    settles("its jobs are dead", || jobs.iter().all(|job| is_dead(*job)));
}

/// Gone, or only an entry that has not been read yet (proc(5): states Z and X).
pub fn is_dead(pid: u32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let state = stat.rsplit(") ").next().and_then(|rest| rest.chars().next());
    !matches!(state, Some(state) if !matches!(state, 'Z' | 'X'))
}

/// The jobs of a zygote.
pub fn jobs(zygote: u32) -> Vec<u32> {
    let children = std::fs::read_to_string(format!("/proc/{zygote}/task/{zygote}/children"));
    let children = children.unwrap_or_default();
    children.split_whitespace().map(|pid| pid.parse().expect("a number")).collect()
}

#[test]
fn a_job_that_is_killed_is_run_again_and_nobody_notices() {
    let workers = workers(|_| {});
    let encode = |session: &mut dyn mmsfit::codec::Session, recipe: &Recipe| {
        session.encode(recipe, Bytes::new(100_000), &Stop::never())
    };
    let (mut whole, recipe) = voice(&workers);
    let wanted = encode(whole.as_mut(), &recipe).expect("encodes");
    drop(whole);
    let zygote = workers.ready().expect("runs").pid;
    settles("the first job ends", || jobs(zygote).is_empty());

    // As the kernel does when memory is short.
    let (mut session, recipe) = voice(&workers);
    let [job] = jobs(zygote)[..] else { panic!("one job") };
    kill(job);
    let again = encode(session.as_mut(), &recipe).expect("another job does it");
    assert_eq!(again, wanted, "the same bytes");
    assert_eq!(encode(session.as_mut(), &recipe).expect("and goes on"), wanted);
    drop(session);
    settles("the job ends", || jobs(zygote).is_empty());

    // The zygote with its jobs.
    let (mut session, recipe) = voice(&workers);
    kill_all(zygote);
    let again = encode(session.as_mut(), &recipe).expect("another zygote's job does it");
    assert_eq!(again, wanted, "the same bytes");
    let second = workers.ready().expect("runs");
    assert_ne!(second.pid, zygote);
    assert_eq!(second.restarts, 1);
    // Three more are chance as well: whoever kills one a second must not lose a long message.
    for _ in 0..3 {
        kill_all(workers.ready().expect("runs").pid);
        assert_eq!(encode(session.as_mut(), &recipe).expect("yet another's"), wanted);
    }
    kill_all(workers.ready().expect("runs").pid);
    let error = encode(session.as_mut(), &recipe).expect_err("lost five times");
    assert!(matches!(error, EncodeError::Codec(CodecError::Unavailable(_))), "{error}");
    let error = encode(session.as_mut(), &recipe).expect_err("and stays lost");
    assert!(matches!(error, EncodeError::Codec(CodecError::Unavailable(_))), "{error}");
}

#[test]
fn what_a_job_costs_is_counted_with_the_thread_that_asked() {
    let workers = workers(|_| {});
    let began = Instant::now();
    assert_eq!(cpu_for_this_thread(), Duration::ZERO);
    let (mut session, recipe) = voice(&workers);
    let opened = cpu_for_this_thread();
    session.encode(&recipe, Bytes::new(100_000), &Stop::never()).expect("encodes");
    let encoded = cpu_for_this_thread();
    assert!(Duration::ZERO < opened && opened < encoded, "{opened:?} {encoded:?}");
    // What the process itself says, in ticks of 10 ms.
    let [job] = jobs(workers.ready().expect("runs").pid)[..] else { panic!("one job") };
    let stat = std::fs::read_to_string(format!("/proc/{job}/stat")).expect("alive");
    let fields: Vec<&str> = stat.rsplit(')').next().expect("fields").split_whitespace().collect();
    let ticks: u64 = fields[11..13].iter().map(|n| n.parse::<u64>().expect("a number")).sum();
    let said = Duration::from_millis(10 * ticks);
    assert!(encoded <= said + Duration::from_millis(20), "{encoded:?} {said:?}");
    assert!(encoded <= began.elapsed());
    let other = std::thread::spawn(cpu_for_this_thread).join().expect("joins");
    assert_eq!(other, Duration::ZERO);
}

#[test]
fn what_gets_two_jobs_killed_is_poison() {
    for phase in ["probe", "open", "encode"] {
        let workers = workers(|_| {});
        let zygote = workers.ready().expect("runs").pid;
        let done = std::sync::atomic::AtomicBool::new(false);
        let order = std::sync::atomic::Ordering::Relaxed;
        let killed = std::thread::scope(|scope| {
            // Every job that has got as far as to sleep.
            let reaper = scope.spawn(|| {
                let mut killed = std::collections::BTreeSet::new();
                while !done.load(order) {
                    for job in jobs(zygote).into_iter().filter(|job| sleeps(*job)) {
                        if killed.insert(job) {
                            signal("-KILL", job);
                        }
                    }
                    std::thread::sleep(Duration::from_millis(5));
                }
                killed.len()
            });
            let (codec, limits, never) = (workers.codec(), DecodeLimits::default(), Stop::never());
            let sleepy = input(phase, "sleep");
            let error = match phase {
                "probe" => codec.probe(&sleepy, &limits, &never).expect_err("is killed"),
                "open" => codec.open(&sleepy, HINT, &limits, &never).err().expect("is killed"),
                _ => {
                    let mut session =
                        codec.open(&sleepy, HINT, &limits, &never).expect("a valid start");
                    match session.encode(&recipe(), Bytes::new(1000), &never) {
                        Err(EncodeError::Codec(error)) => error,
                        other => panic!("{other:?}"),
                    }
                }
            };
            assert!(matches!(error, CodecError::Poison(_)), "{phase}: {error}");
            done.store(true, order);
            reaper.join().expect("joins")
        });
        assert_eq!(killed, 2, "{phase}: not a third time");
        assert_eq!(workers.ready().expect("runs").restarts, 0);
    }
}

/// Whether a process is in `nanosleep`: only the mischief `sleep` is.
fn sleeps(pid: u32) -> bool {
    let call = std::fs::read_to_string(format!("/proc/{pid}/syscall")).unwrap_or_default();
    let number = call.split_whitespace().next().and_then(|n| n.parse::<i64>().ok());
    number.is_some_and(|n| n == libc::SYS_clock_nanosleep || n == libc::SYS_nanosleep)
}

#[test]
fn a_deadline_reaches_every_call() {
    let workers = workers(|_| {});
    let zygote = workers.ready().expect("started").pid;
    let (codec, limits) = (workers.codec(), DecodeLimits::default());
    for cause in [StopCause::Deadline, StopCause::Cancelled] {
        for what in ["spin", "sleep"] {
            for phase in ["probe", "strip", "verify"] {
                let (stop, medium) = (Stop::never(), input(phase, what));
                let later = stop.clone();
                let clock = std::thread::spawn(move || {
                    std::thread::sleep(Duration::from_millis(50));
                    later.set(cause);
                });
                let error = match phase {
                    "probe" => codec.probe(&medium, &limits, &stop).err(),
                    "strip" => codec.strip_metadata(&medium, &stop).err(),
                    _ => codec.verify(&medium, None, &limits, &stop).err(),
                };
                clock.join().expect("joins");
                assert_eq!(error, Some(CodecError::Stopped(cause)), "{phase} {what}");
            }
        }
    }
    settles("all processes end", || jobs(zygote).is_empty());
}

#[test]
fn a_stopped_zygote_is_noticed_and_replaced() {
    let workers = workers(|_| {});
    let first = workers.ready().expect("started");
    signal("-STOP", first.pid);
    let began = Instant::now();
    // The first job is lost with the zygote that does not fork it; it is tried once more.
    let probed =
        workers.codec().probe(&input("encode", "open"), &DecodeLimits::default(), &Stop::never());
    assert!(probed.is_ok(), "{probed:?}");
    assert!(began.elapsed() < HANG, "noticed by its silence, not by the time of a call");
    assert_ne!(workers.ready().expect("runs").pid, first.pid);
}

#[test]
fn no_more_jobs_than_allowed() {
    let workers = workers(|s| s.max_jobs = 2);
    let codec = workers.codec();
    let limits = DecodeLimits::default();
    let audio = input("encode", "open");
    let held: Vec<_> =
        (0..2).map(|_| codec.open(&audio, HINT, &limits, &Stop::never()).expect("opens")).collect();
    let error = codec.probe(&audio, &limits, &Stop::never()).expect_err("one too many");
    assert!(matches!(error, CodecError::Limit { .. }), "{error}");
    drop(held);
    settles("room again", || codec.probe(&audio, &limits, &Stop::never()).is_ok());
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
