//! Which device documents may be fetched, from where, and at what cost.

use std::{fmt, net::Ipv6Addr, path::PathBuf, str::FromStr, time::Duration};

use crate::model::Bytes;

/// Settings of fetching. Without hosts nothing is fetched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProfileFetchConfig {
    /// The hosts that documents are fetched from. Default: none.
    pub hosts: Vec<AllowedHost>,
    /// Addresses that are not of the public internet, too: for closed networks. Default: no.
    pub allow_private: bool,
    /// Roots of the hosts' certificates, in PEM form. Default: those of the system.
    pub ca_file: Option<PathBuf>,
    /// Where documents are kept over a restart. Default: nowhere, in memory alone.
    pub cache_dir: Option<PathBuf>,
    /// Documents in that directory at most. Default: 4096.
    pub cache_entries: usize,
    /// The largest document. Default: 256 KiB.
    pub max_bytes: Bytes,
    /// The time that one document may take in all, and that a call waits for its documents.
    /// Default: 3 s.
    pub max_time: Duration,
    /// The time for name, connection and TLS of one hop. Default: 1 s.
    pub connect_time: Duration,
    /// How long a document counts as the newest. Default: 7 days.
    pub expire: Duration,
    /// How long a failure is remembered. Default: 10 minutes.
    pub negative: Duration,
    /// Fetches at once. Default: 16.
    pub max_fetches: usize,
}

impl Default for ProfileFetchConfig {
    fn default() -> Self {
        Self {
            hosts: Vec::new(),
            allow_private: false,
            ca_file: None,
            cache_dir: None,
            cache_entries: 4_096,
            max_bytes: Bytes::new(256 << 10),
            max_time: Duration::from_secs(3),
            connect_time: Duration::from_secs(1),
            expire: Duration::from_secs(7 * 86_400),
            negative: Duration::from_secs(600),
            max_fetches: 16,
        }
    }
}

impl ProfileFetchConfig {
    /// Whether documents of this host and port are fetched. `host` is in lower case, an IPv6
    /// address without brackets.
    pub fn admits(&self, host: &str, port: u16) -> bool {
        self.hosts.iter().any(|allowed| allowed.admits(host, port))
    }
}

/// An entry of the list: `host`, `*.suffix`, either with `:port`. Without one, the ports of HTTP and
/// HTTPS count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AllowedHost {
    /// In lower case; of a suffix what follows the asterisk, with its dot.
    name: String,
    suffix: bool,
    port: Option<u16>,
}

impl AllowedHost {
    fn admits(&self, host: &str, port: u16) -> bool {
        let named = if self.suffix {
            host.len() > self.name.len() && host.ends_with(&self.name)
        } else {
            host == self.name
        };
        named && self.port.map_or(matches!(port, 80 | 443), |only| only == port)
    }
}

impl fmt::Display for AllowedHost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let asterisk = if self.suffix { "*" } else { "" };
        match (self.name.contains(':'), self.port) {
            (true, Some(port)) => write!(f, "[{}]:{port}", self.name),
            (_, Some(port)) => write!(f, "{asterisk}{}:{port}", self.name),
            (_, None) => write!(f, "{asterisk}{}", self.name),
        }
    }
}

impl FromStr for AllowedHost {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const WRONG: &str = "is not a host, `*.suffix` or an address, with or without `:port`";
        let text = text.trim().to_ascii_lowercase();
        let (name, port) = match text.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
            Some((address, "")) => (address, None),
            Some((address, rest)) => (address, Some(rest.strip_prefix(':').ok_or(WRONG)?)),
            // An IPv6 address without brackets has no port.
            None if text.matches(':').count() > 1 => (text.as_str(), None),
            None => text.split_once(':').map_or((text.as_str(), None), |(n, p)| (n, Some(p))),
        };
        let port = port.map(|port| port.parse().map_err(|_| WRONG)).transpose()?;
        let suffix = name.starts_with("*.");
        let name = if suffix { &name[1..] } else { name };
        let labels = name.strip_prefix('.').filter(|_| suffix).unwrap_or(name);
        // An address in the spelling in which URLs are compared.
        let address = name.parse::<Ipv6Addr>().ok().map(|address| address.to_string());
        let valid = |label: &str| {
            let known = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
            !label.is_empty() && label.chars().all(known)
        };
        // Of a whole top-level domain nobody wants everything.
        let enough = !suffix || labels.contains('.');
        let named = enough && labels.split('.').all(valid);
        if address.is_none() && !named {
            return Err(WRONG);
        }
        Ok(Self { name: address.unwrap_or_else(|| name.to_owned()), suffix, port })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn admits(entry: &str, host: &str, port: u16) -> bool {
        entry.parse::<AllowedHost>().expect("an entry").admits(host, port)
    }

    #[test]
    fn hosts_suffixes_and_ports() {
        assert!(admits("UAProf.example.org", "uaprof.example.org", 80));
        assert!(admits("uaprof.example.org", "uaprof.example.org", 443));
        assert!(!admits("uaprof.example.org", "uaprof.example.org", 8080));
        assert!(admits("uaprof.example.org:8080", "uaprof.example.org", 8080));
        assert!(!admits("uaprof.example.org:8080", "uaprof.example.org", 80));
        assert!(!admits("example.org", "uaprof.example.org", 80));
        assert!(admits("*.example.org", "a.b.example.org", 80));
        assert!(!admits("*.example.org", "example.org", 80));
        assert!(!admits("*.example.org", "badexample.org", 80));
        assert!(!admits("*.example.org", "example.org.evil.net", 80));
        assert!(admits("127.0.0.1:81", "127.0.0.1", 81) && admits("[::1]:81", "::1", 81));
        assert!(admits("0::1", "::1", 80));
        for entry in
            ["a.example", "a.example:81", "*.b.example", "*.b.example:81", "[::1]:81", "::1"]
        {
            assert_eq!(
                entry.parse::<AllowedHost>().map(|host| host.to_string()).as_deref(),
                Ok(entry)
            );
        }
    }

    #[test]
    fn what_is_no_host_is_refused() {
        for wrong in
            ["", "*", "*.", "*.org", "a..b", "http://a", "a/b", "a:b", "a b", "a.*.b", "[::1]x"]
        {
            assert!(wrong.parse::<AllowedHost>().is_err(), "{wrong}");
        }
    }
}
