//! A service in a process of its own, and what it takes of the machine with its workers.

use std::{
    fs,
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
    time::Duration,
};

/// What `mmsfit serve` says once it listens, before the address.
const SERVING: &str = "serving gRPC on ";

/// Ticks of proc(5) a second, as Linux tells them to programs on every machine (USER_HZ).
const TICK: Duration = Duration::from_millis(10);

/// A service that ends with this.
#[derive(Debug)]
pub struct Served {
    child: Child,
    address: String,
}

impl Served {
    /// Starts `program serve` on a free port of the loopback, with these variables of the environment.
    ///
    /// # Errors
    /// It does not start, or ends before it listens.
    pub fn start(
        program: &Path,
        config: Option<&Path>,
        environment: &[(&str, String)],
    ) -> std::io::Result<Self> {
        let mut command = Command::new(program);
        command.args(["serve", "--listen", "127.0.0.1:0"]);
        if let Some(config) = config {
            command.arg("--config").arg(config);
        }
        command.envs(environment.iter().map(|(name, value)| (*name, value)));
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut served = Self { child: command.spawn()?, address: String::new() };
        let said = served.child.stdout.take().map(BufReader::new);
        for line in said.into_iter().flat_map(BufRead::lines) {
            if let Some(address) = line?.strip_prefix(SERVING) {
                served.address = format!("http://{address}");
                return Ok(served);
            }
        }
        Err(std::io::Error::other("it ended before it listened"))
    }

    /// `http://host:port`.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// CPU time of the service and of its workers, those that have ended included.
    pub fn cpu(&self) -> Duration {
        let ticks: u64 = tree(self.child.id()).into_iter().filter_map(ticks).sum();
        TICK.saturating_mul(u32::try_from(ticks).unwrap_or(u32::MAX))
    }

    /// Resident bytes of the service and of its workers now.
    pub fn memory(&self) -> u64 {
        tree(self.child.id()).into_iter().filter_map(resident).sum()
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A process and all below it.
fn tree(root: u32) -> Vec<u32> {
    let mut found = vec![root];
    let mut next = 0;
    while let Some(pid) = found.get(next).copied() {
        next += 1;
        let tasks = fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten();
        for task in tasks {
            let children = fs::read_to_string(task.path().join("children")).unwrap_or_default();
            found.extend(children.split_whitespace().filter_map(|pid| pid.parse::<u32>().ok()));
        }
    }
    found
}

/// utime, stime, cutime and cstime of proc_pid_stat(5): its own, and of children that were waited for.
fn ticks(pid: u32) -> Option<u64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name of the command may have any letters; it ends at the last parenthesis.
    let fields: Vec<&str> = stat.rsplit(')').next()?.split_whitespace().collect();
    fields.get(11..15)?.iter().map(|field| field.parse::<u64>().ok()).sum()
}

fn resident(pid: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kib: u64 = line.trim().trim_end_matches("kB").trim().parse().ok()?;
    Some(kib * 1024)
}
