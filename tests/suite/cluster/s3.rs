//! The same over S3: a server of another house, one request in twenty failing and as many late.

use std::{
    io::{BufRead as _, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
};

use super::{Scene, ended, json, nats::free_port, on_one_machine, said, tree};
use crate::support::need;

/// Ends when its standard input does.
struct S3 {
    child: Child,
    port: u16,
}

impl S3 {
    #[track_caller]
    fn start(bucket: &str, share: &str) -> Option<Self> {
        let port = free_port();
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/python/run.sh");
        let mut child = Command::new("sh")
            .arg(script)
            .args(["s3.py", &port.to_string(), bucket, share])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        if line.trim() == "ready" {
            return Some(Self { child, port });
        }
        let status = child.wait().unwrap();
        assert_eq!(status.code(), Some(77), "the server ended");
        need::missing("python", "the environment of the S3 server cannot be made");
        None
    }
}

impl Drop for S3 {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}

#[test]
fn a_bucket_of_a_moody_store_comes_out_as_a_tree_of_one_machine() {
    let Some(mut scene) = Scene::new() else { return };
    let Some(s3) = S3::start("mail", "0.05") else { return };
    scene.environment = [
        ("AWS_ENDPOINT", format!("http://127.0.0.1:{}", s3.port)),
        ("AWS_ALLOW_HTTP", "true".to_owned()),
        ("AWS_REGION", "us-east-1".to_owned()),
        ("AWS_ACCESS_KEY_ID", "test".to_owned()),
        ("AWS_SECRET_ACCESS_KEY", "test".to_owned()),
    ]
    .into();
    let total = tree(&scene.at("in"), 8);
    on_one_machine(&scene.at("in"), &scene.at("whole"), &[]);
    // Up and down with the client of the same house as the server.
    let copy = |how: &str, at: &Path, prefix: &str| {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/python/run.sh");
        let address = format!("http://127.0.0.1:{}", s3.port);
        let done = Command::new("sh")
            .arg(script)
            .args(["s3.py", how, &address, "mail", prefix])
            .arg(at)
            .stdin(Stdio::null())
            .output()
            .unwrap();
        assert!(done.status.success(), "{}", said(&done));
    };
    copy("up", &scene.at("in"), "in");
    (scene.input, scene.output) = ("s3://mail/in".to_owned(), "s3://mail/fitted/".to_owned());

    let submitted = json(&scene.submit(&[]));
    assert_eq!(submitted["added"], total, "{submitted}");
    let mut doomed = scene.worker(&["--jobs", "2"]);
    std::thread::sleep(std::time::Duration::from_millis(500));
    doomed.kill().unwrap();
    doomed.wait().unwrap();
    let worker = ended(scene.worker(&["--drain", "--jobs", "2"]));
    assert_eq!(worker.status.code(), Some(0), "{}", said(&worker));
    copy("down", &scene.at("down"), "fitted");
    let status = scene.status();
    assert_eq!(
        (&status["finished"], &status["quarantined"]),
        (&total.into(), &0.into()),
        "{status}"
    );
    scene.is_as_one_machine(&scene.at("whole"), &scene.at("down"));
}
