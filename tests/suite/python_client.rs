//! Stock grpcio works with the service: stubs generated from our proto, and reflection alone.
//! Skipped where python3, its venv module or the package index is not at hand.

use std::{path::Path, process::Output};

use crate::support::server::{Running, service};

/// Runs the client against a server of our own; `None` where the environment cannot be made.
async fn client(arguments: Vec<String>) -> Option<Output> {
    let server = Running::start(service(2)).await;
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/python/run.sh");
    let address = server.addr.to_string();
    let run = tokio::task::spawn_blocking(move || {
        std::process::Command::new("sh")
            .arg(script)
            .arg("client.py")
            .arg(address)
            .args(arguments)
            .output()
    });
    let output = run.await.expect("no panic").expect("sh starts");
    if output.status.code() == Some(77) {
        crate::support::need::missing("python", String::from_utf8_lossy(&output.stderr));
        return None;
    }
    Some(output)
}

#[track_caller]
fn succeeded(output: &Output) -> String {
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}\n{text}\n{errors}", output.status);
    text
}

#[tokio::test(flavor = "multi_thread")]
async fn proto_and_reflection_tell_the_same() {
    let Some(output) = client(vec!["--contract".into()]).await else { return };
    let text = succeeded(&output);
    assert!(text.contains("are the same by proto and by reflection"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_photo_is_adapted_both_ways() {
    let folder = tempfile::tempdir().expect("a place for the photo");
    let path = folder.path().join("photo.jpg");
    std::fs::write(&path, crate::support::photos::photo(1600, 1200)).expect("it is written");
    let arguments = [&path.to_string_lossy(), "--max-bytes", "60000", "--max-image", "640x480"];
    let Some(output) = client(arguments.map(str::to_owned).into()).await else { return };
    let text = succeeded(&output);
    for words in ["stubs: python-stubs MINOR", "reflection: python-reflection MINOR", "TRANSCODE"] {
        assert!(text.contains(words), "{words} is not in:\n{text}");
    }
}
