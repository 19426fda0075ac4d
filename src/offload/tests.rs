use std::{sync::mpsc, thread, time::Duration};

use super::{
    door::{MAX_QUEUED_PER_THREAD, MAX_WAIT},
    *,
};
use crate::{
    config::Config,
    model::{Bytes, Category},
    service::request::AdaptRequest,
};

fn one_thread() -> Offload {
    Offload::new(Service::new(Config { threads: 1, ..Config::default() }))
}

/// Works until it is stopped, then tells why.
fn until_stopped(stop: &Stop, told: &mpsc::Sender<StopCause>) {
    while stop.check().is_ok() {
        thread::sleep(Duration::from_millis(1));
    }
    if let Err(cause) = stop.check() {
        told.send(cause).expect("the test listens");
    }
}

#[tokio::test]
async fn results_and_panics_come_back_and_the_thread_lives_on() {
    let offload = one_thread();
    let panicked: Result<(), _> = offload.run(None, |_, _| panic!("on purpose")).await;
    let error = panicked.expect_err("a panic is an error");
    assert_eq!((error.category, error.reason), (Category::Internal, "PANIC"));
    assert_eq!(offload.run(None, |_, _| Ok(7)).await, Ok(7));
    assert_eq!(offload.load(), Load { running: 0, queued: 0 });
}

#[tokio::test]
async fn a_caller_who_leaves_stops_the_work() {
    let (tell, told) = mpsc::channel();
    let offload = one_thread();
    let job = offload.run(None, move |_, stop| {
        until_stopped(stop, &tell);
        Ok(())
    });
    assert!(tokio::time::timeout(Duration::from_millis(50), job).await.is_err());
    let cause = told.recv_timeout(Duration::from_secs(5));
    assert_eq!(cause, Ok(StopCause::Cancelled));
}

#[tokio::test]
async fn the_best_so_far_is_taken_at_the_deadline() {
    let deadline = Instant::now() + Duration::from_millis(400);
    let (tell, told) = mpsc::channel();
    let result = one_thread()
        .run(Some(deadline), move |_, stop| {
            until_stopped(stop, &tell);
            Ok("best so far")
        })
        .await;
    assert_eq!(result, Ok("best so far"));
    assert_eq!(told.recv(), Ok(StopCause::Deadline));
    assert!(Instant::now() < deadline);
}

#[tokio::test]
async fn deadlines_hold_for_deaf_work_and_in_the_queue() {
    let offload = one_thread();
    let (release, released) = mpsc::channel::<()>();
    let soon = || Some(Instant::now() + Duration::from_millis(100));
    let deaf = offload.run(soon(), move |_, _| {
        let _ = released.recv();
        Ok(())
    });
    assert_eq!(deaf.await.map_err(|e| e.category), Err(Category::Deadline));
    assert_eq!(offload.load().running, 1, "the deaf job still holds the thread");
    let queued = offload.run(soon(), |_, _| Ok(()));
    assert_eq!(queued.await.map_err(|e| e.category), Err(Category::Deadline));
    drop(release);
}

#[tokio::test]
async fn a_full_queue_refuses_with_a_hint() {
    let offload = one_thread();
    let (release, released) = mpsc::channel::<()>();
    let mut jobs = tokio::task::JoinSet::new();
    let first = offload.clone();
    jobs.spawn(async move {
        let wait = move |_: &Service, _: &Stop| {
            let _ = released.recv();
            Ok(())
        };
        first.run(None, wait).await
    });
    while offload.load().running == 0 {
        tokio::task::yield_now().await;
    }
    for _ in 0..MAX_QUEUED_PER_THREAD {
        let offload = offload.clone();
        jobs.spawn(async move { offload.run(None, |_, _| Ok(())).await });
    }
    while offload.load().queued < MAX_QUEUED_PER_THREAD {
        tokio::task::yield_now().await;
    }
    let refused = offload.run(None, |_, _| Ok(())).await.expect_err("full");
    assert_eq!(refused.category, Category::Busy);
    assert!(refused.retry_after >= Some(crate::model::Millis::new(1000)), "{refused:?}");
    drop(release);
    while let Some(job) = jobs.join_next().await {
        assert_eq!(job.expect("no panic"), Ok(()));
    }
    assert_eq!(offload.load(), Load { running: 0, queued: 0 });
}

fn text() -> AdaptRequest {
    use crate::{message::PartData, service::request::Content};
    let part = PartData {
        content_type: "text/plain; charset=utf-8".into(),
        data: bytes::Bytes::from_static(b"hello"),
        ..PartData::default()
    };
    AdaptRequest::new(Content::Parts { headers: Vec::new(), parts: vec![part] })
}

#[tokio::test]
async fn what_encodes_nothing_waits_for_nothing_that_does() {
    let offload = one_thread();
    let (release, released) = mpsc::channel::<()>();
    let busy = offload.clone();
    let holder = tokio::spawn(async move {
        let wait = move |_: &Service, _: &Stop| {
            let _ = released.recv();
            Ok(())
        };
        busy.run(None, wait).await
    });
    while offload.load().running == 0 {
        tokio::task::yield_now().await;
    }
    let deadline = Some(Instant::now() + Duration::from_secs(30));
    let answer = offload.adapt(text(), Priority::Interactive, deadline).await;
    assert_eq!(answer.map(|a| a.report.outcome), Ok(crate::model::Outcome::Unchanged));
    let plan = offload.quick(deadline, |service, stop| service.plan(text(), stop));
    assert!(plan.await.is_ok());
    assert_eq!(offload.load(), Load { running: 1, queued: 0 });
    drop(release);
    assert_eq!(holder.await.expect("no panic"), Ok(()));
}

#[tokio::test]
async fn what_jobs_hold_together_is_bounded() {
    let mebibytes = |n: u64| Ticket { memory: Bytes::new(n << 20), ..Ticket::default() };
    let door = Arc::new(Door::new(3, Bytes::new(8 << 20)));
    let soon = || Some(Times::until(Instant::now() + Duration::from_millis(40)));
    let first = door.admit(mebibytes(6), None).await.expect("there is room");
    let second = door.admit(mebibytes(2), soon()).await.expect("for this, too");
    assert_eq!(door.saturation().memory, Bytes::new(8 << 20));
    let late = door.admit(mebibytes(1), soon()).await.err().expect("no room in time");
    assert_eq!(late.category, Category::Deadline);
    assert_eq!(door.load(), Load { running: 2, queued: 0 });
    drop(first);
    let third = door.admit(mebibytes(6), soon()).await.expect("what was given back");
    drop((second, third));
    // Larger than all: alone.
    let alone = door.admit(mebibytes(100), soon()).await.expect("it has all");
    assert!(door.admit(mebibytes(1), soon()).await.is_err());
    drop(alone);
    assert_eq!(door.saturation().memory, Bytes::ZERO);
}

#[tokio::test]
async fn a_wait_that_is_too_long_is_refused_at_once() {
    let seconds = |n| Some(Duration::from_secs(n));
    let door = Arc::new(Door::new(1, Bytes::new(8 << 20)));
    let at_work = door.admit(Ticket { price: seconds(10), ..Ticket::default() }, None).await;
    let ticket = Ticket { price: seconds(1), max_wait: Some(MAX_WAIT), ..Ticket::default() };
    let refused = door.admit(ticket.clone(), None).await.err().expect("five seconds are too long");
    assert_eq!((refused.category, refused.reason), (Category::Busy, "QUEUE_FULL"));
    assert_eq!(refused.retry_after, Some(crate::model::Millis::new(5_000)));
    // A deadline that cannot be met is told before it passes, too.
    let soon = Times::until(Instant::now() + Duration::from_secs(3));
    let patient = Ticket { price: seconds(1), ..Ticket::default() };
    let refused = door.admit(patient, Some(soon)).await.err().expect("not in time");
    assert_eq!(refused.category, Category::Busy);
    // Plans that cost a tenth of what they said: the same queue is short.
    for _ in 0..64 {
        door.learn(Duration::from_secs(10), Duration::from_secs(1));
    }
    drop(at_work);
    let _short = door.admit(Ticket { price: seconds(10), ..Ticket::default() }, None).await;
    let waits =
        tokio::time::timeout(Duration::from_millis(20), door.admit(ticket.clone(), None)).await;
    assert!(waits.is_err(), "it waits for its turn");
    assert_eq!(door.load(), Load { running: 1, queued: 0 });
}

#[tokio::test]
async fn a_queue_that_stands_is_kept_short() {
    let milliseconds = |n| Some(Duration::from_millis(n));
    let hurried =
        move |n| Ticket { price: milliseconds(n), max_wait: Some(MAX_WAIT), ..Ticket::default() };
    let door = Arc::new(Door::new(1, Bytes::new(8 << 20)));
    let _at_work = door.admit(Ticket { price: milliseconds(1), ..Ticket::default() }, None).await;
    // One waits for its turn, and is planned to take as long as three jobs take on the average.
    let patient = Arc::clone(&door);
    let first = tokio::spawn(async move {
        let _permit = patient.admit(hurried(300), None).await;
    });
    while door.load().queued == 0 {
        tokio::task::yield_now().await;
    }
    let ticket = hurried(1);
    let waits =
        tokio::time::timeout(Duration::from_millis(20), door.admit(ticket.clone(), None)).await;
    assert!(waits.is_err(), "a burst may wait");
    tokio::time::sleep(Duration::from_millis(200)).await;
    let refused =
        door.admit(ticket.clone(), None).await.err().expect("the queue has been standing");
    assert_eq!((refused.category, refused.reason), (Category::Busy, "QUEUE_FULL"));
    // Somebody else did not fill it.
    let other = Ticket { client: "other".into(), ..ticket.clone() };
    let waits = tokio::time::timeout(Duration::from_millis(20), door.admit(other, None)).await;
    assert!(waits.is_err(), "another client waits for its turn");
    // It was empty for a moment: the next one stands as well; after a while it is a burst again.
    first.abort();
    let _ = first.await;
    assert_eq!(door.load().queued, 0);
    let next = Arc::clone(&door);
    let second = tokio::spawn(async move {
        let _permit = next.admit(hurried(300), None).await;
    });
    while door.load().queued == 0 {
        tokio::task::yield_now().await;
    }
    let refused = door.admit(ticket.clone(), None).await.err().map(|error| error.reason);
    assert_eq!(refused, Some("QUEUE_FULL"));
    second.abort();
    let _ = second.await;
    tokio::time::sleep(Duration::from_millis(2_100)).await;
    let next = Arc::clone(&door);
    let third = tokio::spawn(async move {
        let _permit = next.admit(hurried(300), None).await;
    });
    while door.load().queued == 0 {
        tokio::task::yield_now().await;
    }
    let waits =
        tokio::time::timeout(Duration::from_millis(20), door.admit(ticket.clone(), None)).await;
    assert!(waits.is_err(), "a burst may wait");
    third.abort();
}

#[tokio::test]
async fn items_that_follow_each_other_are_no_pressure() {
    let door = Arc::new(Door::new(1, Bytes::new(8 << 20)));
    let _at_work = door.admit(Ticket::default(), None).await;
    let waiting = Arc::clone(&door);
    let item = tokio::spawn(async move {
        let _permit = waiting.admit(Ticket::default(), None).await;
    });
    while door.load().queued == 0 {
        tokio::task::yield_now().await;
    }
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert!(!door.is_standing(), "nobody waits for it");
    item.abort();
}
