//! Whether and where traces are sent.

use std::str::FromStr;

/// Settings of traces.
#[derive(Clone, Debug, PartialEq)]
pub struct TracingConfig {
    /// Where a collector takes OTLP over gRPC. Default: nowhere, no call is traced.
    pub otlp_endpoint: Option<OtlpEndpoint>,
    /// The share of calls that are traced, 0 to 1, of those whose callers have not decided it by a
    /// `traceparent`. Default: 0.01.
    pub sample_ratio: Share,
    /// The name that traces have as their source. Default: mmsfit.
    pub service_name: String,
}

impl Default for TracingConfig {
    fn default() -> Self {
        Self { otlp_endpoint: None, sample_ratio: Share(0.01), service_name: "mmsfit".to_owned() }
    }
}

/// The address of a collector: `http://host:port`. Plain text, since a collector stands beside the
/// service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OtlpEndpoint(String);

impl OtlpEndpoint {
    /// As written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for OtlpEndpoint {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.starts_with("https://") {
            return Err("traces go in plain text, to a collector beside the service (http://)");
        }
        let authority = text.strip_prefix("http://").map(|rest| rest.trim_end_matches('/'));
        let known = |authority: &&str| {
            let (host, port) = authority.rsplit_once(':').unwrap_or_default();
            let plain = host.bytes().all(|c| c.is_ascii_alphanumeric() || b".-_[]:".contains(&c));
            !host.is_empty() && plain && port.parse::<u16>().is_ok()
        };
        let found = authority.filter(known).ok_or("is not of the form http://host:port")?;
        Ok(Self(format!("http://{found}")))
    }
}

/// A number from 0 to 1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Share(f64);

impl Share {
    /// The number.
    pub fn get(self) -> f64 {
        self.0
    }
}

impl FromStr for Share {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let number = text.parse().ok().filter(|number| (0.0..=1.0).contains(number));
        number.map(Self).ok_or("is not a number from 0 to 1")
    }
}
