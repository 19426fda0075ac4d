//! A worker that is started anew while the old one works (an upgrade of its libraries), and one whose
//! start is cut short.

use std::{
    os::unix::fs::PermissionsExt as _,
    sync::atomic::{AtomicBool, Ordering},
};

use mmsfit::{
    codec::{CodecError, EncodeError},
    model::{Bytes, Stop},
    worker::host::Workers,
};

use crate::faults::{is_dead, jobs, settles, voice, workers};

#[test]
fn a_renewed_worker_takes_over_while_the_old_one_ends_its_jobs() {
    let workers = workers(|_| {});
    assert_eq!(workers.renew().expect("nothing to do"), None, "nothing runs");
    let (mut session, recipe) = voice(&workers);
    let encode = |session: &mut dyn mmsfit::codec::Session| {
        session.encode(&recipe, Bytes::new(100_000), &Stop::never()).expect("encodes")
    };
    let wanted = encode(session.as_mut());
    let old = workers.ready().expect("runs").pid;
    let [job] = jobs(old)[..] else { panic!("one job") };

    let new = workers.renew().expect("it starts").expect("one ran").pid;
    assert_ne!(new, old);
    let (mut second, _) = voice(&workers);
    assert_eq!(jobs(new).len(), 1, "new jobs are the new one's");
    assert_eq!(encode(second.as_mut()), wanted);
    assert_eq!(jobs(old), [job], "the old job lives");
    assert_eq!(encode(session.as_mut()), wanted, "and works");
    assert_eq!(workers.counts().expect("known").jobs_alive, 2, "both count");
    drop(session);
    settles("the old one ends with its last job", || is_dead(old));
    let renewed = workers.renew().expect("it starts").expect("one ran").pid;
    assert!(!is_dead(new), "it has a job");
    drop(second);
    settles("that one, too", || is_dead(new));
    let counts = workers.counts().expect("known");
    assert_eq!(counts.jobs_lost.iter().map(|(_, count)| count).sum::<u64>(), 0);
    assert!(counts.restarts.contains(&("renewed", 2)), "{:?}", counts.restarts);

    // An old one that still has jobs ends with its host.
    let (held, _) = voice(&workers);
    let last = workers.renew().expect("it starts").expect("one ran").pid;
    drop(workers);
    drop(held);
    settles("both are gone", || is_dead(renewed) && is_dead(last));
}

#[test]
fn a_worker_that_is_renewed_under_load_loses_nothing() {
    let workers = workers(|_| {});
    let (mut whole, recipe) = voice(&workers);
    let wanted = whole.encode(&recipe, Bytes::new(100_000), &Stop::never()).expect("encodes");
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let callers = [(); 2].map(|()| {
            scope.spawn(|| {
                let mut count = 0;
                while !done.load(Ordering::Acquire) {
                    let (mut session, recipe) = voice(&workers);
                    let got = session.encode(&recipe, Bytes::new(100_000), &Stop::never());
                    assert_eq!(got.expect("no job is lost"), wanted);
                    count += 1;
                }
                count
            })
        });
        for _ in 0..8 {
            workers.renew().expect("it starts").expect("one ran");
        }
        done.store(true, Ordering::Release);
        for caller in callers {
            assert!(caller.join().expect("no panic") > 0);
        }
    });
}

/// Workers whose program dies at its first `times` starts.
fn dying(times: usize) -> (Workers, tempfile::TempDir) {
    let folder = tempfile::tempdir().expect("a folder");
    let program = folder.path().join("worker");
    let script = format!(
        "#!/bin/sh\necho >>{0}/starts\n[ $(wc -l <{0}/starts) -gt {times} ] || exit 1\nexec {1} \"$@\"\n",
        folder.path().display(),
        env!("CARGO_BIN_EXE_mmsfit-worker")
    );
    std::fs::write(&program, script).expect("it is written");
    let executable = std::fs::Permissions::from_mode(0o755);
    std::fs::set_permissions(&program, executable).expect("it may be run");
    (workers(|settings| settings.program = program), folder)
}

#[test]
fn one_that_dies_while_it_starts_is_started_again() {
    let encode = |workers: &Workers| {
        let (mut session, recipe) = voice(workers);
        session.encode(&recipe, Bytes::new(100_000), &Stop::never())
    };
    let wanted = encode(&workers(|_| {})).expect("encodes");
    let (few, _folder) = dying(3);
    assert_eq!(encode(&few).expect("the fourth lives"), wanted);
    let (always, folder) = dying(1_000);
    let error = encode(&always).expect_err("none lives");
    assert!(matches!(error, EncodeError::Codec(CodecError::Unavailable(_))), "{error}");
    let starts = std::fs::read_to_string(folder.path().join("starts")).expect("it was started");
    assert!(starts.lines().count() <= 10, "not for ever");
}
