//! What Linux knows of this process and of the cgroup it is in.

use std::{fs, path::PathBuf, str::FromStr};

/// Ticks of `/proc/PID/stat` in a second: part of the interface of Linux, the same on all machines
/// that this builds for.
const TICKS: f64 = 100.0;

/// What was found; `None` where it could not be.
#[derive(Debug, Default)]
pub(super) struct Process {
    pub cpu_seconds: Option<f64>,
    pub resident: Option<f64>,
    pub open_fds: Option<f64>,
    pub max_fds: Option<f64>,
    pub started: Option<f64>,
    /// Used and limit, where there is a limit.
    pub memory: Option<(f64, f64)>,
}

impl Process {
    /// Looks.
    pub fn now() -> Self {
        Self {
            cpu_seconds: cpu_time::ProcessTime::try_now()
                .ok()
                .map(|t| t.as_duration().as_secs_f64()),
            resident: field("/proc/self/status", "VmRSS:").map(|kib: f64| kib * 1024.0),
            open_fds: fs::read_dir("/proc/self/fd").ok().map(|fds| fds.count() as f64),
            max_fds: field("/proc/self/limits", "Max open files"),
            started: started(),
            memory: memory(),
        }
    }
}

/// The first number behind a word at the start of a line.
fn field<T: FromStr>(path: &str, word: &str) -> Option<T> {
    let text = fs::read_to_string(path).ok()?;
    let rest = text.lines().find_map(|line| line.strip_prefix(word))?;
    rest.split_whitespace().next()?.parse().ok()
}

fn started() -> Option<f64> {
    let stat = fs::read_to_string("/proc/self/stat").ok()?;
    // The name of the program stands in brackets and may hold blanks; the 22nd field is the start.
    let ticks: f64 = stat.rsplit_once(')')?.1.split_whitespace().nth(19)?.parse().ok()?;
    let boot: f64 = field("/proc/stat", "btime")?;
    Some(boot + ticks / TICKS)
}

fn memory() -> Option<(f64, f64)> {
    let own = fs::read_to_string("/proc/self/cgroup").ok()?;
    let own = own.lines().find_map(|line| line.strip_prefix("0::/"))?.to_owned();
    // In a container the cgroup may be the root of what is seen.
    let seen = [PathBuf::from("/sys/fs/cgroup").join(own), PathBuf::from("/sys/fs/cgroup")];
    seen.iter().find_map(|folder| {
        let read = |name: &str| fs::read_to_string(folder.join(name)).ok();
        let limit: f64 = read("memory.max")?.trim().parse().ok()?;
        let used: f64 = read("memory.current")?.trim().parse().ok()?;
        let stat = read("memory.stat").unwrap_or_default();
        let dropped = stat.lines().find_map(|line| line.strip_prefix("inactive_file "));
        let dropped = dropped.and_then(|bytes| bytes.trim().parse().ok()).unwrap_or(0.0);
        Some(((used - dropped).max(0.0), limit))
    })
}

#[cfg(test)]
mod tests {
    use std::time::{SystemTime, UNIX_EPOCH};

    use super::*;

    #[test]
    fn this_process_is_seen() {
        let process = Process::now();
        assert!(process.cpu_seconds.is_some_and(|s| s > 0.0), "{process:?}");
        assert!(process.resident.is_some_and(|b| b > 1e6), "{process:?}");
        assert!(process.open_fds.is_some_and(|n| n >= 3.0), "{process:?}");
        assert!(process.max_fds >= process.open_fds, "{process:?}");
        let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_secs_f64();
        let age = now - process.started.expect("known");
        assert!((-2.0..86_400.0).contains(&age), "{age}");
    }
}
