//! Services that are restarted one after the other while messages come: whoever asks the next one when
//! one ends loses nothing.

use std::{
    path::Path,
    process::{Child, Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use mmsfit::{
    grpc::v1::{self, adapt_request::Content, adaptation_service_client::AdaptationServiceClient},
    samples::{self, photo as scene},
};
use tokio::{task::JoinSet, time::sleep};
use tonic::{Code, transport::Endpoint};

use crate::support::{
    HANG,
    photos::{IMAGE_JPEG, pdu},
};

/// How many are restarted, and how often each.
const SERVICES: usize = 2;
const ROUNDS: usize = 2;
const CALLERS: usize = 3;
/// A caller that is sent away by every service so often has lost its call.
const TRIES: usize = 10;

/// A process that serves on a port of its own.
fn start(folder: &Path, address: &str) -> (Child, String) {
    let port_file = folder.join(format!("port-{address}").replace(':', "-"));
    let _ = std::fs::remove_file(&port_file);
    let mut child = Command::new(env!("CARGO_BIN_EXE_mmsfit"))
        .args(["serve", "--listen", address, "--port-file"])
        .arg(&port_file)
        .env_remove("MMSFIT_CONFIG")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("the command starts");
    let until = Instant::now() + HANG;
    loop {
        if let Ok(bound) = std::fs::read_to_string(&port_file) {
            return (child, bound);
        }
        let ended = child.try_wait().expect("a child");
        assert!(ended.is_none() && Instant::now() < until, "not up: {ended:?}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

fn terminate(child: &mut Child) {
    let pid = child.id().to_string();
    let sent = Command::new("kill").args(["-TERM", &pid]).status().expect("kill runs");
    assert!(sent.success());
    let ended = child.wait().expect("a child");
    assert!(ended.success(), "{ended}");
}

/// One message, sent as `docs/integration.md` tells: what cannot be reached or is ending is left for
/// the next; the number of tries.
async fn call(addresses: &[String], first: usize, message: &v1::AdaptRequest) -> usize {
    for number in 0..TRIES {
        let address = &addresses[(first + number) % addresses.len()];
        let endpoint = Endpoint::from_shared(format!("http://{address}")).expect("an address");
        let Ok(channel) = endpoint.connect_timeout(Duration::from_secs(1)).connect().await else {
            sleep(Duration::from_millis(20)).await;
            continue;
        };
        match AdaptationServiceClient::new(channel).adapt(message.clone()).await {
            Ok(_) => return number + 1,
            // UNKNOWN and CANCELLED: what the transport says of a connection that was closed.
            Err(status) => {
                let codes =
                    [Code::Unavailable, Code::Unknown, Code::Cancelled, Code::ResourceExhausted];
                assert!(codes.contains(&status.code()), "{status}");
            }
        }
        sleep(Duration::from_millis(50)).await;
    }
    panic!("lost after {TRIES} tries");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rolling_restart_loses_no_call() {
    let _alone = crate::alone().await;
    let folder = tempfile::tempdir().expect("a folder");
    let (mut services, mut addresses) = (Vec::new(), Vec::new());
    for _ in 0..SERVICES {
        // Ports of the system's choice cannot be had again: others may get them.
        let port = std::net::TcpListener::bind("127.0.0.1:0").and_then(|l| l.local_addr());
        let (child, address) = start(folder.path(), &port.expect("a port").to_string());
        services.push(child);
        addresses.push(address);
    }
    let photo = samples::jpeg(&scene::photo(1152, 864, 7), None).expect("it encodes");
    let message = v1::AdaptRequest {
        content: Some(Content::MmsPdu(pdu(&[(IMAGE_JPEG, "a.jpg", &photo[..])]).into())),
        limits: Some(v1::LimitOverrides { max_message_bytes: Some(40_000), ..Default::default() }),
        ..Default::default()
    };
    let (done, again) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    let (addresses, message) = (Arc::new(addresses), Arc::new(message));
    let mut callers = JoinSet::new();
    for caller in 0..CALLERS {
        let (done, again) = (Arc::clone(&done), Arc::clone(&again));
        let (addresses, message) = (Arc::clone(&addresses), Arc::clone(&message));
        callers.spawn(async move {
            let mut calls = 0;
            while !done.load(Ordering::Relaxed) {
                let tries = call(&addresses, caller + calls, &message).await;
                again.fetch_add(tries - 1, Ordering::Relaxed);
                calls += 1;
            }
            calls
        });
    }
    for _ in 0..ROUNDS {
        for (service, address) in services.iter_mut().zip(addresses.iter()) {
            sleep(Duration::from_millis(400)).await;
            let (folder, address) = (folder.path().to_path_buf(), address.clone());
            *service = tokio::task::block_in_place(|| {
                terminate(service);
                start(&folder, &address).0
            });
        }
    }
    sleep(Duration::from_millis(400)).await;
    done.store(true, Ordering::Relaxed);
    let calls: usize = callers.join_all().await.into_iter().sum();
    let again = again.load(Ordering::Relaxed);
    println!(
        "{calls} calls through {} restarts: none lost, {again} asked again",
        SERVICES * ROUNDS
    );
    assert!(calls > 4 * CALLERS);
    services.iter_mut().for_each(terminate);
}
