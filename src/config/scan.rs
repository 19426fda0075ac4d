//! Whether the parts of messages are scanned by a clamd before any codec sees them, and what follows.

use std::{fmt, path::PathBuf, str::FromStr, time::Duration};

use crate::model::Bytes;

/// Settings of scanning. Without an address nothing is scanned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScanConfig {
    /// Where clamd listens. Default: nowhere.
    pub address: Option<ScanAddress>,
    /// What becomes of a message that could not be scanned. Default: it is refused.
    pub fail: ScanFailure,
    /// What becomes of a message in which something was found. Default: it is refused.
    pub found: ScanFound,
    /// The time that a message waits for its scan in all. Default: 10 s.
    pub max_time: Duration,
    /// The time for one connection. Default: 1 s.
    pub connect_time: Duration,
    /// How long a verdict holds for the same bytes. Default: 60 s.
    pub keep: Duration,
    /// The largest part that is sent. Default: 25 MiB, as `StreamMaxLength` of Debian's clamd.
    pub max_bytes: Bytes,
    /// Connections at once. Default: 8; clamd's `MaxThreads` is 10 by default.
    pub max_scans: usize,
}

impl Default for ScanConfig {
    fn default() -> Self {
        Self {
            address: None,
            fail: ScanFailure::Closed,
            found: ScanFound::Refuse,
            max_time: Duration::from_secs(10),
            connect_time: Duration::from_secs(1),
            keep: Duration::from_secs(60),
            max_bytes: Bytes::new(25 << 20),
            max_scans: 8,
        }
    }
}

/// Where clamd listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ScanAddress {
    /// A socket in the file system.
    Unix(PathBuf),
    /// Host and port.
    Tcp(String),
}

impl fmt::Display for ScanAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
            Self::Tcp(host) => f.write_str(host),
        }
    }
}

impl FromStr for ScanAddress {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const WRONG: &str = "is not of the form unix:/path or host:port";
        if let Some(path) = text.strip_prefix("unix:") {
            return path.starts_with('/').then(|| Self::Unix(path.into())).ok_or(WRONG);
        }
        let (host, port) = text.rsplit_once(':').ok_or(WRONG)?;
        let address = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
        let known = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        let named = match address {
            Some(address) => address.parse::<std::net::Ipv6Addr>().is_ok(),
            None => !host.is_empty() && host.chars().all(known),
        };
        let port = port.parse::<u16>().is_ok_and(|port| port > 0);
        (named && port).then(|| Self::Tcp(text.to_owned())).ok_or(WRONG)
    }
}

/// What becomes of a message that could not be scanned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ScanFailure {
    /// It is adapted without, and its report says so.
    Open,
    /// It is refused.
    Closed,
}

impl ScanFailure {
    /// As the configuration spells it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Closed => "closed",
        }
    }
}

impl FromStr for ScanFailure {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "open" => Ok(Self::Open),
            "closed" => Ok(Self::Closed),
            _ => Err("is neither open nor closed"),
        }
    }
}

/// What becomes of a message in which something was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ScanFound {
    /// The part is left out, as the ladders leave parts out.
    Drop,
    /// The message is refused: whoever sends such parts wrote the rest, too.
    Refuse,
}

impl ScanFound {
    /// As the configuration spells it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Drop => "drop",
            Self::Refuse => "refuse",
        }
    }
}

impl FromStr for ScanFound {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "drop" => Ok(Self::Drop),
            "refuse" => Ok(Self::Refuse),
            _ => Err("is neither drop nor refuse"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_paths_or_hosts_with_ports() {
        for text in ["unix:/run/clamav/clamd.ctl", "clamd:3310", "127.0.0.1:3310", "[::1]:3310"] {
            assert_eq!(text.parse::<ScanAddress>().map(|at| at.to_string()).as_deref(), Ok(text));
        }
        for wrong in
            ["", "unix:", "unix:run", "clamd", "clamd:0", ":1", "a b:1", "::1:3", "a:70000"]
        {
            assert!(wrong.parse::<ScanAddress>().is_err(), "{wrong}");
        }
    }
}
