//! A URL, taken apart once: what is checked is what is connected to.

use std::net::Ipv6Addr;

use hyper::Uri;
use sha2::{Digest as _, Sha256};

/// Longer URLs are not followed.
const MAX_URL: usize = 1_024;

/// A name in the caches: the hash of a URL.
pub(super) type Key = [u8; 32];

/// Where a document is published.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Target {
    pub tls: bool,
    /// In lower case, without a dot at the end; an IPv6 address without brackets.
    pub host: String,
    pub port: u16,
    /// Path and query, from the slash on.
    pub path: String,
}

impl Target {
    /// `None`: not a URL of HTTP or HTTPS, or one that names a user.
    pub fn parse(url: &str) -> Option<Self> {
        let url = url.trim().split('#').next().unwrap_or("");
        if url.len() > MAX_URL {
            return None;
        }
        let uri: Uri = url.parse().ok()?;
        let tls = match uri.scheme_str()? {
            "http" => false,
            "https" => true,
            _ => return None,
        };
        let authority = uri.authority()?;
        if authority.as_str().contains('@') {
            return None;
        }
        let host = authority.host().to_ascii_lowercase();
        let host = match host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            Some(address) => address.parse::<Ipv6Addr>().ok()?.to_string(),
            None => host.strip_suffix('.').unwrap_or(&host).to_owned(),
        };
        // "host:" and "host:99999" are none.
        let has_port = authority.as_str().len() > authority.host().len();
        let port = match authority.port_u16() {
            Some(0) => return None,
            Some(port) => port,
            None if has_port => return None,
            None if tls => 443,
            None => 80,
        };
        let path = uri.path_and_query().map_or("/", |path| path.as_str());
        let path = if path.starts_with('/') { path.to_owned() } else { format!("/{path}") };
        (!host.is_empty()).then_some(Self { tls, host, port, path })
    }

    /// Where a redirect leads.
    pub fn join(&self, location: &str) -> Option<Self> {
        let location = location.trim();
        let scheme = if self.tls { "https" } else { "http" };
        let origin = format!("{scheme}://{}", self.authority());
        if location.starts_with("//") {
            Self::parse(&format!("{scheme}:{location}"))
        } else if location.starts_with('/') {
            Self::parse(&format!("{origin}{location}"))
        } else if location.contains("://") {
            Self::parse(location)
        } else {
            let path = self.path.split('?').next().unwrap_or("/");
            let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
            Self::parse(&format!("{origin}{folder}/{location}"))
        }
    }

    /// Host and port as the `Host` header has them.
    pub fn authority(&self) -> String {
        let host = &self.host;
        let host = if host.contains(':') { format!("[{host}]") } else { host.clone() };
        let usual = if self.tls { 443 } else { 80 };
        if self.port == usual { host } else { format!("{host}:{}", self.port) }
    }

    /// The URL in one spelling.
    pub fn url(&self) -> String {
        let scheme = if self.tls { "https" } else { "http" };
        format!("{scheme}://{}{}", self.authority(), self.path)
    }

    /// Its name in the caches.
    pub fn key(&self) -> Key {
        Sha256::digest(self.url()).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Option<String> {
        Target::parse(text).map(|target| target.url())
    }

    #[test]
    fn urls_have_one_spelling() {
        for (text, expected) in [
            ("http://Nds.Example/a/N7650.xml#x", "http://nds.example/a/N7650.xml"),
            ("http://nds.example.:80/a", "http://nds.example/a"),
            ("https://h.example:443", "https://h.example/"),
            ("https://h.example:80/a?b=c", "https://h.example:80/a?b=c"),
            ("HTTP://h.example?q", "http://h.example/?q"),
            ("http://[::0001]:81/a", "http://[::1]:81/a"),
        ] {
            assert_eq!(url(text).as_deref(), Some(expected), "{text}");
        }
        for wrong in [
            "",
            "ftp://h.example/a",
            "file:///etc/passwd",
            "h.example/a",
            "http:///a",
            "http://user@h.example/a",
            "http://good.example@evil.example/a",
            "http://h.example:0/",
            "http://h.example:/",
            "http://h.example:99999/",
            "http://h.example/a b",
            "http://h.example/a\r\nX: y",
            "http://[::1/",
            "http://[fe80::1%25eth0]/",
        ] {
            assert_eq!(url(wrong), None, "{wrong}");
        }
        assert_eq!(url(&format!("http://h.example/{}", "a".repeat(2_000))), None);
    }

    #[test]
    fn redirects_lead_somewhere() {
        let from = Target::parse("https://h.example/a/b?c").expect("a URL");
        for (location, expected) in [
            ("d", "https://h.example/a/d"),
            ("/d?e", "https://h.example/d?e"),
            ("//o.example/d", "https://o.example/d"),
            ("http://o.example/d", "http://o.example/d"),
        ] {
            assert_eq!(from.join(location).map(|to| to.url()).as_deref(), Some(expected));
        }
        assert_eq!(from.join("ftp://o.example/"), None);
    }
}
