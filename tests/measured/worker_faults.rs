//! A message one part of which attacks its worker: the call answers within its deadline, the other
//! parts are there, nothing is left running. Skipped where the worker is absent.

use std::sync::mpsc::RecvTimeoutError;

use crate::support;
use mmsfit::{
    config::Config,
    message::PartData,
    model::{Action, MediaType, Stop, StopCause},
    profile::DeviceDescription,
    samples::{self, av, photo},
    service::request::{AdaptRequest, Content},
};

fn part(id: &str, media_type: &MediaType, data: impl Into<bytes::Bytes>) -> PartData {
    PartData {
        content_type: media_type.as_str().to_owned(),
        content_id: id.to_owned(),
        data: data.into(),
        ..PartData::default()
    }
}

fn children_of(pid: u32) -> usize {
    let list = std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children"));
    list.map_or(0, |list| list.split_whitespace().count())
}

/// Kilobytes that a process holds, and how many descriptors.
type Held = (u64, usize);
fn held_by(pid: u32) -> Held {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).expect("it lives");
    let rss = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let number = |text: &str| text.trim().split(' ').next().and_then(|n| n.parse().ok());
    let files = std::fs::read_dir(format!("/proc/{pid}/fd")).expect("it lives").count();
    (rss.and_then(number).expect("a size"), files)
}

/// Whether memory grows as with a leak in every round: the least of each ten rounds, which no
/// buffer in use at the time hides, rises from ten to ten, each time by [`LEAK`] a round. What an
/// allocator takes once, or takes and gives back, does not.
fn leaks(rounds: &[u64]) -> bool {
    let least: Vec<u64> = rounds.chunks(10).filter_map(|ten| ten.iter().copied().min()).collect();
    least.len() > 3 && least.windows(2).all(|pair| pair[1] >= pair[0] + 10 * LEAK)
}

/// Kilobytes that a round may not leave behind: a tenth of the least that one handles.
const LEAK: u64 = 20;

#[test]
fn a_leak_is_told_from_an_allocator() {
    let rounds = |of: fn(u64) -> u64| (0..60).map(of).collect::<Vec<u64>>();
    assert!(leaks(&rounds(|n| 9_000 + 25 * n)));
    // Taken once, late; taken and given back; noise upon a leak.
    assert!(!leaks(&rounds(|n| if n < 35 { 14_284 } else { 23_252 })));
    assert!(!leaks(&rounds(|n| 9_000 + n % 7 * 3_000)));
    assert!(leaks(&rounds(|n| 9_000 + 25 * n + n % 3 * 5_000)));
}

#[test]
fn an_attack_costs_one_part() {
    let _alone = tokio::runtime::Builder::new_current_thread()
        .build()
        .expect("a runtime")
        .block_on(crate::alone());
    let mut config = Config { threads: 2, ..Config::default() };
    config.worker.faults = true;
    config.worker.max_cpu_seconds = 1;
    config.worker.max_call_seconds = 6;
    let Some(service) = support::with_workers(config) else { return };
    let status = service.start_workers().expect("they run").expect("they are there");
    let photo = samples::jpeg(&photo::photo(1152, 864, 1), None).expect("a photo");
    let voice = av::wav(3);
    // Of host and zygote, round by round.
    let mut held = Vec::new();
    let own = std::process::id();
    let attacks = [
        "encode open",
        "encode write",
        "encode kill",
        "encode connect",
        "encode fork",
        "encode exec",
        "encode map",
        "encode spin",
        "encode sleep",
        "encode segv",
        "encode half-segv",
        "encode flood",
        "encode lie-size",
        "encode lie-type",
        "probe segv",
        "probe connect",
        "open spin",
        "open sleep",
        "open lie-bytes",
    ];
    for attack in attacks.into_iter().chain(std::iter::repeat_n("encode segv", 60)) {
        held.push((held_by(own), held_by(status.pid)));
        let evil = format!("#!MMSFIT-FAULT {attack} ");
        let parts = vec![
            part("photo", &MediaType::JPEG, photo.clone()),
            part("evil", &MediaType::fold("video/mp4"), evil.into_bytes()),
            part("voice", &MediaType::WAV, voice.clone()),
        ];
        let content = Content::Parts { headers: Vec::new(), parts };
        let device =
            DeviceDescription { device_id: Some("class-video-basic".into()), ..Default::default() };
        let request = AdaptRequest { device, ..AdaptRequest::new(content) };
        // The limits of the worker end an attack, not the clock of the call.
        let stop = Stop::never();
        let later = stop.clone();
        let (done, over) = std::sync::mpsc::channel::<()>();
        let clock = std::thread::spawn(move || {
            if over.recv_timeout(support::HANG) == Err(RecvTimeoutError::Timeout) {
                later.set(StopCause::Deadline);
            }
        });
        let answer = service.adapt(request, &stop);
        assert_eq!(stop.check(), Ok(()), "{attack} hangs");
        let report = answer.unwrap_or_else(|e| panic!("{attack}: {e}")).report;
        let actions: Vec<Action> = report.parts.iter().map(|p| p.action).collect();
        assert_eq!(
            actions,
            [Action::Transcode, Action::Drop, Action::Transcode],
            "{attack}: {:?}",
            report.parts[1].reasons
        );
        assert!(!report.parts[1].reasons.is_empty(), "{attack}");
        drop(done);
        clock.join().expect("it ends");
    }
    support::eventually("no process is left", || children_of(status.pid) == 0);
    let after = service.start_workers().expect("runs").expect("is there");
    assert_eq!((after.pid, after.restarts, after.jobs_running), (status.pid, 0, 0));
    let alike = &held[held.len() - 60..];
    let host: Vec<u64> = alike.iter().map(|now| now.0.0).collect();
    let zygote: Vec<u64> = alike.iter().map(|now| now.1.0).collect();
    println!("kilobytes, round by round: host {host:?}, zygote {zygote:?}");
    assert!(!leaks(&host), "host: {host:?}");
    assert!(!leaks(&zygote), "zygote: {zygote:?}");
    let least = |files: &[(Held, Held)]| {
        let host = files.iter().map(|now| now.0.1).min();
        (host, files.iter().map(|now| now.1.1).min())
    };
    let (first, last) = (least(&alike[..10]), least(&alike[50..]));
    assert!(last.0 <= first.0 && last.1 <= first.1, "descriptors: {first:?}, then {last:?}");
}
