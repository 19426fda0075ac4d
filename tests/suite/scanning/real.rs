//! Against the real clamd, which this starts: with a configuration, a socket and a database of its own,
//! of one signature of harmless bytes. Nothing is downloaded.

use std::{
    fmt::Write as _,
    fs,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use mmsfit::{
    config::{ScanConfig, ScanFound},
    model::Bytes,
    scan::{Scanner, Trouble, Verdict},
    telemetry::Metrics,
};

use super::{
    MARKER, scan,
    served::{adapt, asked, left_out, refused, service},
    settings,
};
use crate::support::{HANG, need, server::Running};

const SIGNATURE: &str = "Mmsfit.Test.Marker";
/// What clamd calls a signature that is not of its own database.
const FOUND: &str = "Mmsfit.Test.Marker.UNOFFICIAL";

struct Clamd {
    address: String,
    process: Child,
    _dir: tempfile::TempDir,
}

impl Drop for Clamd {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Starts it; `None`, and a word about it, where there is none.
fn start() -> Option<Clamd> {
    let program = ["/usr/sbin/clamd", "/usr/local/sbin/clamd", "/usr/bin/clamd"]
        .into_iter()
        .find(|path| fs::metadata(path).is_ok());
    let Some(program) = program else {
        need::missing("clamd", "it is not installed");
        return None;
    };
    let dir = tempfile::tempdir().expect("a place");
    let at = |name: &str| dir.path().join(name).display().to_string();
    fs::create_dir(at("db")).expect("a folder");
    let hex = MARKER.iter().fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    });
    fs::write(at("db/test.ndb"), format!("{SIGNATURE}:0:*:{hex}\n")).expect("written");
    let config = format!(
        "Foreground yes\nLocalSocket {}\nDatabaseDirectory {}\nTemporaryDirectory {}\n\
         MaxThreads 4\nStreamMaxLength 1M\n",
        at("clamd.ctl"),
        at("db"),
        at("")
    );
    fs::write(at("clamd.conf"), config).expect("written");
    let process = Command::new(program)
        .arg(format!("--config-file={}", at("clamd.conf")))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("it starts");
    let address = format!("unix:{}", at("clamd.ctl"));
    let mut clamd = Clamd { address, process, _dir: dir };
    let began = Instant::now();
    let socket = clamd.address.trim_start_matches("unix:").to_owned();
    while std::os::unix::net::UnixStream::connect(&socket).is_err() {
        assert!(began.elapsed() < HANG, "clamd does not listen");
        assert_eq!(clamd.process.try_wait().expect("it is ours"), None, "clamd ended");
        std::thread::sleep(Duration::from_millis(20));
    }
    Some(clamd)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_real_one_finds_what_it_knows() {
    let Some(clamd) = start() else { return };
    let settings = ScanConfig {
        max_time: Duration::from_secs(20),
        max_bytes: Bytes::new(4 << 20),
        ..settings(&clamd.address)
    };
    let scanner = Scanner::new(&settings, Metrics::new()).expect("on");
    assert_eq!(scan(&scanner, b"hello").await, Ok(Verdict::Clean));
    assert_eq!(scan(&scanner, MARKER).await, Ok(Verdict::Found(FOUND.into())));
    let large: Vec<u8> = (0..900_000_u32).map(|n| (n % 251) as u8).collect();
    assert_eq!(scan(&scanner, &large).await, Ok(Verdict::Clean));
    let found = [&large[..], MARKER].concat();
    assert_eq!(scan(&scanner, &found).await, Ok(Verdict::Found(FOUND.into())));
    assert_eq!(scan(&scanner, &[0; 3 << 20]).await, Err(Trouble::TooLarge));

    let server = Running::start(service(settings.clone())).await;
    let clean = adapt(&server, asked(b"holiday")).await.expect("it fits");
    assert!(clean.report.expect("a report").warnings.is_empty());
    let status = adapt(&server, asked(MARKER)).await.expect_err("infected");
    assert_eq!(refused(&status).1, "INFECTED");
    assert!(status.message().contains(FOUND), "{status}");
    let server = Running::start(service(ScanConfig { found: ScanFound::Drop, ..settings })).await;
    left_out(&adapt(&server, asked(MARKER)).await.expect("the rest fits"), FOUND);

    // It goes away: what it has not seen yet is refused.
    drop(clamd);
    let status = adapt(&server, asked(b"later")).await.expect_err("nobody scans it");
    assert_eq!(refused(&status).1, "SCAN_UNAVAILABLE");
}
