//! A real `nats-server` with JetStream, on a free port of the loopback.

use std::{
    net::{TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use crate::support::need;

/// A server that ends with this.
pub struct Nats {
    child: Child,
    port: u16,
    store: PathBuf,
}

pub fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

/// Waits until something listens.
pub fn listens(port: u16, child: &mut Child) {
    let start = Instant::now();
    while TcpStream::connect(("127.0.0.1", port)).is_err() {
        assert!(child.try_wait().unwrap().is_none(), "it ended at once");
        assert!(start.elapsed() < Duration::from_secs(20), "it does not listen");
        thread::sleep(Duration::from_millis(20));
    }
}

impl Nats {
    /// `None`, and a word about it, where there is no such program.
    #[track_caller]
    pub fn start(store: &Path) -> Option<Self> {
        let port = free_port();
        match spawn(port, store) {
            Ok(child) => {
                let mut nats = Self { child, port, store: store.to_owned() };
                listens(nats.port, &mut nats.child);
                Some(nats)
            }
            Err(error) => {
                need::missing("nats", format_args!("nats-server: {error}"));
                None
            }
        }
    }

    pub fn url(&self) -> String {
        format!("nats://127.0.0.1:{}", self.port)
    }

    /// Killed, and started again on the same port with the same files.
    pub fn restart(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        thread::sleep(Duration::from_millis(300));
        self.child = spawn(self.port, &self.store).unwrap();
        listens(self.port, &mut self.child);
    }
}

fn spawn(port: u16, store: &Path) -> std::io::Result<Child> {
    Command::new("nats-server")
        .args(["-js", "-a", "127.0.0.1", "-p", &port.to_string(), "-sd"])
        .arg(store)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
}

impl Drop for Nats {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
