//! Parts scanned by a clamd before any codec sees them: one that misbehaves, the real one, and the
//! service over both.

mod fake;
mod real;
mod served;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use mmsfit::{
    config::ScanConfig,
    model::Bytes,
    scan::{Scanner, Trouble, Verdict, digest},
    telemetry::{Format, Metrics},
};
use tokio::task::JoinSet;

use self::fake::{Clamd, Mood};
use crate::support::HANG;

/// Harmless bytes for which there is a signature in these tests.
const MARKER: &[u8] = b"mmsfit-harmless-marker-7f3a";

/// That clamd, in little time.
fn settings(address: &str) -> ScanConfig {
    ScanConfig {
        address: Some(address.parse().expect("an address")),
        max_time: Duration::from_millis(700),
        connect_time: Duration::from_millis(500),
        max_bytes: Bytes::new(8 << 20),
        ..ScanConfig::default()
    }
}

async fn scan(scanner: &Scanner, data: &[u8]) -> Result<Verdict, Trouble> {
    scanner.scan(data, digest(data), Instant::now() + HANG).await
}

/// A JPEG with a comment.
fn commented(photo: &[u8], comment: &[u8]) -> Vec<u8> {
    let length = u16::try_from(comment.len() + 2).expect("a short comment");
    let (start, rest) = photo.split_at(2);
    [start, b"\xff\xfe", &length.to_be_bytes(), comment, rest].concat()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_clamd_that_misbehaves_gives_no_verdict_and_costs_no_more_than_its_time() {
    let large = vec![7; 6 << 20];
    let found = || Ok(Verdict::Found("Test.Marker".into()));
    let infected = [&large[..3 << 20], MARKER, &large[3 << 20..]].concat();
    for (mood, data, wanted) in [
        (Mood::Honest, &b"hello"[..], Ok(Verdict::Clean)),
        (Mood::Honest, &large, Ok(Verdict::Clean)),
        (Mood::Honest, &infected, found()),
        (Mood::InDribs, MARKER, found()),
        (Mood::Says(b"stream: Can't allocate memory ERROR\0"), b"hello", Err(Trouble::Failed)),
        (Mood::Says(b"HTTP/1.1 400 Bad Request\r\n\r\n\0"), b"hello", Err(Trouble::Nonsense)),
        (Mood::Says(b"stream: OK"), b"hello", Err(Trouble::Nonsense)),
        (Mood::Says(b"stream: OK\n"), b"hello", Err(Trouble::Nonsense)),
        (Mood::Says(b"\0stream: OK\0"), b"hello", Err(Trouble::Nonsense)),
        (Mood::Says(b"stream: OK\0stream: A FOUND\0"), b"hello", Ok(Verdict::Clean)),
        (Mood::Says(b""), b"hello", Err(Trouble::Broken)),
        (Mood::Limits(1 << 20), &large, Err(Trouble::TooLarge)),
        (Mood::ApprovesUnseen, &large, Err(Trouble::Nonsense)),
        (Mood::Endless, b"hello", Err(Trouble::Nonsense)),
        (Mood::Closes, b"hello", Err(Trouble::Broken)),
        (Mood::Closes, &large, Err(Trouble::Broken)),
        (Mood::Silent, b"hello", Err(Trouble::TimedOut)),
        (Mood::Deaf, &large, Err(Trouble::TimedOut)),
    ] {
        for unix in [false, true] {
            let clamd = Clamd::start(mood, unix).await;
            let metrics = Metrics::new();
            let scanner = Scanner::new(&settings(&clamd.address), metrics.clone()).expect("on");
            let began = Instant::now();
            // Of a clamd that hangs, all of the time is spent.
            let hangs = wanted == Err(Trouble::TimedOut);
            let most = Duration::from_millis(if hangs { 250 } else { 5_000 });
            let scan = async || scanner.scan(data, digest(data), Instant::now() + most).await;
            let said = scan().await;
            assert_eq!(said, wanted, "{mood:?} {} {unix}", data.len());
            assert!(began.elapsed() < most + Duration::from_secs(1), "{mood:?}");
            if mood == Mood::Honest {
                assert_eq!(clamd.seen(), [data.len()]);
            }
            // A trouble is not kept: the next one asks again.
            let again = scan().await;
            assert_eq!(again, said);
            let kept = usize::from(said.is_ok());
            assert_eq!(clamd.times(), 2 - kept, "{mood:?}");
            let told = metrics.text(Format::Prometheus);
            let counted = format!("mmsfit_scans_total{{result=\"kept\"}} {kept}\n");
            assert!(told.contains(&counted), "{told}");
        }
    }
}

#[tokio::test]
async fn nobody_there_and_nothing_wanted() {
    assert!(Scanner::new(&ScanConfig::default(), Metrics::new()).is_none());
    let nowhere = tempfile::tempdir().expect("a place");
    let address = format!("unix:{}", nowhere.path().join("clamd.ctl").display());
    let scanner = Scanner::new(&settings(&address), Metrics::new()).expect("on");
    assert_eq!(scan(&scanner, b"hello").await, Err(Trouble::Unreachable));
    // What is too large is not sent anywhere.
    let small = ScanConfig { max_bytes: Bytes::new(1_024), ..settings(&address) };
    let scanner = Scanner::new(&small, Metrics::new()).expect("on");
    assert_eq!(scan(&scanner, &[0; 1_025]).await, Err(Trouble::TooLarge));
    assert_eq!(scan(&scanner, &[0; 1_024]).await, Err(Trouble::Unreachable));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_bytes_are_scanned_once_and_few_at_once() {
    let clamd = Clamd::start(Mood::Slow(Duration::from_millis(30)), false).await;
    let bounded = ScanConfig { max_scans: 3, ..settings(&clamd.address) };
    let scanner = Arc::new(Scanner::new(&bounded, Metrics::new()).expect("on"));
    let all = async |scanner: &Arc<Scanner>| {
        let mut asked = JoinSet::new();
        for n in 0..200_u8 {
            let scanner = Arc::clone(scanner);
            asked.spawn(async move {
                let data = [n % 10; 500];
                scanner.scan(&data, digest(&data), Instant::now() + HANG).await
            });
        }
        while let Some(said) = asked.join_next().await {
            assert_eq!(said.expect("it ends"), Ok(Verdict::Clean));
        }
    };
    all(&scanner).await;
    assert_eq!(clamd.times(), 10);
    assert!((2..=3).contains(&clamd.most()), "{}", clamd.most());
    // Nothing is kept where that is wanted.
    let anew = ScanConfig { keep: Duration::ZERO, ..bounded };
    let scanner = Scanner::new(&anew, Metrics::new()).expect("on");
    for _ in 0..3 {
        assert_eq!(scan(&scanner, b"hello").await, Ok(Verdict::Clean));
    }
    assert_eq!(clamd.times(), 13);
    // And for no longer than is wanted.
    let short = ScanConfig { keep: Duration::from_millis(200), ..anew };
    let scanner = Scanner::new(&short, Metrics::new()).expect("on");
    assert_eq!(scan(&scanner, b"hello").await, Ok(Verdict::Clean));
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(scan(&scanner, b"hello").await, Ok(Verdict::Clean));
    assert_eq!(clamd.times(), 15);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_has_no_time_or_leaves_is_not_the_others_answer() {
    let clamd = Clamd::start(Mood::Slow(Duration::from_millis(300)), false).await;
    let scanner = Scanner::new(&settings(&clamd.address), Metrics::new()).expect("on");
    let key = digest(b"hello");
    let hasty = scanner.clone();
    let hasty = tokio::spawn(async move {
        hasty.scan(b"hello", key, Instant::now() + Duration::from_millis(50)).await
    });
    tokio::time::sleep(Duration::from_millis(10)).await;
    let patient = scanner.scan(b"hello", key, Instant::now() + HANG).await;
    assert_eq!(hasty.await.expect("it ends"), Err(Trouble::TimedOut));
    assert_eq!(patient, Ok(Verdict::Clean));
    // The connection of one who left is closed.
    let leaving = scanner.scan(b"other", digest(b"other"), Instant::now() + HANG);
    assert!(tokio::time::timeout(Duration::from_millis(50), leaving).await.is_err());
    crate::support::server::eventually("the scan was given up", || clamd.open() == 0).await;
}
