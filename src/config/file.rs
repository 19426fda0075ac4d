//! The configuration file and its twins in the environment.
//!
//! Long because it names every key once.

use std::{
    fmt::Display,
    path::{Path, PathBuf},
    str::FromStr,
    time::Duration,
};

use serde::{Deserialize, de::IgnoredAny};
use toml::Spanned;

use super::{
    Config, ConfigError, Env, ProfileFetchConfig, ScanConfig, ServerConfig, TlsConfig,
    TracingConfig, WorkerMode,
};
use crate::{
    model::nearest,
    policy::{self, Language, PolicySettings, SettingError},
};

/// One value as written; what it means is decided by its key.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
enum Value {
    Number(i64),
    Decimal(f64),
    Flag(bool),
    Text(String),
    List(Vec<String>),
}

type Entry = Option<Spanned<Value>>;

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    listen: Entry,
    admin_listen: Entry,
    threads: Entry,
    max_request_bytes: Entry,
    cache_bytes: Entry,
    devices_dirs: Entry,
    carriers_dirs: Entry,
    uaprof_mirror_dir: Entry,
    #[serde(default)]
    profile_fetch: ProfileFetch,
    #[serde(default)]
    scan: Scan,
    #[serde(default)]
    parse: Parse,
    #[serde(default)]
    decode: Decode,
    #[serde(default)]
    worker: Worker,
    #[serde(default)]
    server: Server,
    #[serde(default)]
    tls: Tls,
    #[serde(default)]
    tracing: Tracing,
    /// Read by its own room.
    #[serde(default, rename = "policy")]
    _policy: IgnoredAny,
    #[serde(default)]
    defaults: DefaultValues,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Parse {
    max_parts: Entry,
    max_nesting: Entry,
    max_header_bytes: Entry,
    lenient: Entry,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Decode {
    max_pixels: Entry,
    max_total_pixels: Entry,
    max_frames: Entry,
    max_memory: Entry,
    max_duration_ms: Entry,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Worker {
    mode: Entry,
    program: Entry,
    max_memory: Entry,
    max_cpu_seconds: Entry,
    max_call_seconds: Entry,
    max_jobs: Entry,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Server {
    clients_file: Entry,
    max_connections: Entry,
    max_connections_per_peer: Entry,
    max_streams: Entry,
    max_body_gap_seconds: Entry,
    max_body_seconds: Entry,
    max_bytes_in_flight: Entry,
    brown_out: Entry,
    reload_seconds: Entry,
    max_work_memory: Entry,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct ProfileFetch {
    hosts: Entry,
    allow_private: Entry,
    ca_file: Entry,
    cache_dir: Entry,
    cache_entries: Entry,
    max_bytes: Entry,
    max_ms: Entry,
    connect_ms: Entry,
    expire_seconds: Entry,
    negative_seconds: Entry,
    max_fetches: Entry,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Scan {
    address: Entry,
    fail: Entry,
    found: Entry,
    max_ms: Entry,
    connect_ms: Entry,
    keep_seconds: Entry,
    max_bytes: Entry,
    max_scans: Entry,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Tls {
    certificate: Entry,
    key: Entry,
    client_ca: Entry,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Tracing {
    otlp_endpoint: Entry,
    sample_ratio: Entry,
    service_name: Entry,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct DefaultValues {
    max_message_bytes: Entry,
    max_image: Entry,
    accept: Entry,
    charsets: Entry,
}

/// All settings but the store.
pub(super) fn resolve(
    path: Option<&Path>,
    text: &str,
    env: &dyn Env,
) -> Result<Config, ConfigError> {
    let path = path.unwrap_or(Path::new("")).to_path_buf();
    let file: File = toml::from_str(text).map_err(|error| ConfigError::Syntax {
        path: path.clone(),
        line: nearest::line(text, error.span().map_or(0, |span| span.start)),
        message: error.message().to_owned(),
        suggestions: nearest::misspelt(error.message()),
    })?;
    let settings = Settings { path: &path, text, env };
    let mut config = Config::default();
    settings.set("listen", &file.listen, &mut config.listen)?;
    if settings.find("admin_listen", &file.admin_listen).is_some() {
        let mut admin = config.listen;
        settings.set("admin_listen", &file.admin_listen, &mut admin)?;
        config.admin_listen = Some(admin);
    }
    settings.number("threads", &file.threads, 1, 4096, &mut config.threads)?;
    settings.set("max_request_bytes", &file.max_request_bytes, &mut config.max_request_bytes)?;
    settings.set("cache_bytes", &file.cache_bytes, &mut config.cache_bytes)?;
    let paths = |list: Vec<String>| list.into_iter().map(PathBuf::from).collect();
    if let Some(list) = settings.list("devices_dirs", &file.devices_dirs, ':')? {
        config.devices_dirs = paths(list);
    }
    if let Some(list) = settings.list("carriers_dirs", &file.carriers_dirs, ':')? {
        config.carriers_dirs = paths(list);
    }
    config.uaprof_mirror_dir = settings.path("uaprof_mirror_dir", &file.uaprof_mirror_dir)?;

    let (parse, from) = (&mut config.parse, &file.parse);
    settings.number("parse.max_parts", &from.max_parts, 1, 10_000, &mut parse.max_parts)?;
    settings.number("parse.max_nesting", &from.max_nesting, 1, 32, &mut parse.max_nesting)?;
    let header = &mut parse.max_header_bytes;
    settings.number("parse.max_header_bytes", &from.max_header_bytes, 256, 16 << 20, header)?;
    settings.set("parse.lenient", &from.lenient, &mut parse.lenient)?;

    let (decode, from) = (&mut config.decode, &file.decode);
    settings.set("decode.max_pixels", &from.max_pixels, &mut decode.max_pixels)?;
    settings.set(
        "decode.max_total_pixels",
        &from.max_total_pixels,
        &mut decode.max_total_pixels,
    )?;
    settings.set("decode.max_frames", &from.max_frames, &mut decode.max_frames)?;
    settings.set("decode.max_memory", &from.max_memory, &mut decode.max_memory)?;
    let mut duration = u64::try_from(decode.max_duration.as_millis()).unwrap_or(u64::MAX);
    settings.set("decode.max_duration_ms", &from.max_duration_ms, &mut duration)?;
    decode.max_duration = Duration::from_millis(duration);

    let (worker, from) = (&mut config.worker, &file.worker);
    settings.set("worker.mode", &from.mode, &mut worker.mode)?;
    worker.program = settings.path("worker.program", &from.program)?;
    settings.set("worker.max_memory", &from.max_memory, &mut worker.max_memory)?;
    let seconds = &mut worker.max_cpu_seconds;
    settings.number("worker.max_cpu_seconds", &from.max_cpu_seconds, 1, 86_400, seconds)?;
    let seconds = &mut worker.max_call_seconds;
    settings.number("worker.max_call_seconds", &from.max_call_seconds, 1, 86_400, seconds)?;
    settings.number("worker.max_jobs", &from.max_jobs, 1, 65_536, &mut worker.max_jobs)?;
    if worker.mode == WorkerMode::Required && worker.found().is_none() {
        let place = settings.find("worker.mode", &from.mode).map(|(_, place)| place);
        let message = "mmsfit-worker does not lie beside mmsfit; see worker.program";
        return Err(error("worker.mode", place.unwrap_or_default(), message));
    }

    config.profile_fetch = settings.profile_fetch(&file.profile_fetch)?;
    config.scan = settings.scan(&file.scan)?;
    config.server = settings.server(&file.server, &file.tls)?;
    config.tracing = settings.tracing(&file.tracing)?;
    config.policy = settings.settings()?;

    let (defaults, from) = (&mut config.defaults, &file.defaults);
    let size = &mut defaults.max_message_bytes;
    settings.set("defaults.max_message_bytes", &from.max_message_bytes, size)?;
    settings.set("defaults.max_image", &from.max_image, &mut defaults.max_image)?;
    if let Some(list) = settings.list("defaults.accept", &from.accept, ',')? {
        defaults.accept = list;
    }
    if let Some(list) = settings.list("defaults.charsets", &from.charsets, ',')? {
        defaults.charsets = list;
    }
    Ok(config)
}

/// The environment over the file.
struct Settings<'a> {
    path: &'a Path,
    text: &'a str,
    env: &'a dyn Env,
}

impl Settings<'_> {
    /// A value and where it was found, for errors.
    fn find(&self, key: &str, entry: &Entry) -> Option<(Value, String)> {
        let variable = variable(key);
        if let Some(value) = self.env.get(&variable) {
            return Some((Value::Text(value), variable));
        }
        let entry = entry.as_ref()?;
        let line = nearest::line(self.text, entry.span().start);
        Some((entry.get_ref().clone(), format!("{}:{line}", self.path.display())))
    }

    /// The `[policy]` table, and what the environment says over it.
    fn settings(&self) -> Result<PolicySettings, ConfigError> {
        let mut settings = policy::file::settings(self.text).map_err(|wrong| {
            let line = nearest::line(self.text, wrong.offset);
            if wrong.suggestions.is_empty() {
                let place = format!("{}:{line}", self.path.display());
                return error(&wrong.key, place, wrong.message);
            }
            ConfigError::Syntax {
                path: self.path.to_path_buf(),
                line,
                message: format!("{}: {}", wrong.key, wrong.message),
                suggestions: wrong.suggestions,
            }
        })?;
        let sentences = Language::ALL.iter().map(|(_, code, _)| format!("notices.{code}"));
        for key in PolicySettings::KEYS.iter().map(|key| (*key).to_owned()).chain(sentences) {
            let variable = variable(&format!("policy.{key}"));
            let Some(text) = self.env.get(&variable) else { continue };
            if let Err(SettingError::Value(message)) = settings.set(&key, text.trim()) {
                return Err(error(&format!("policy.{key}"), variable, message));
            }
        }
        Ok(settings)
    }

    /// Sets `target` to what its type reads from the value.
    fn set<T>(&self, key: &str, entry: &Entry, target: &mut T) -> Result<(), ConfigError>
    where
        T: FromStr,
        T::Err: Display,
    {
        let Some((value, place)) = self.find(key, entry) else { return Ok(()) };
        let text = match value {
            Value::Number(number) => number.to_string(),
            Value::Decimal(number) => number.to_string(),
            Value::Flag(flag) => flag.to_string(),
            Value::Text(text) => text,
            Value::List(_) => return Err(error(key, place, "is a list, one value is expected")),
        };
        *target = text.trim().parse().map_err(|e| error(key, place, format!("{e}: `{text}`")))?;
        Ok(())
    }

    /// As [`Self::set`] for a whole number within bounds.
    fn number(
        &self,
        key: &str,
        entry: &Entry,
        min: usize,
        max: usize,
        target: &mut usize,
    ) -> Result<(), ConfigError> {
        let before = *target;
        self.set(key, entry, target)?;
        if *target != before && !(min..=max).contains(target) {
            let place = self.find(key, entry).map(|(_, place)| place).unwrap_or_default();
            return Err(error(key, place, format!("{target} is not between {min} and {max}")));
        }
        Ok(())
    }

    /// A path; empty for none.
    fn path(&self, key: &str, entry: &Entry) -> Result<Option<PathBuf>, ConfigError> {
        let mut path = String::new();
        self.set(key, entry, &mut path)?;
        Ok((!path.is_empty()).then(|| PathBuf::from(path)))
    }

    /// The `[server]` and `[tls]` tables.
    fn server(&self, from: &Server, tls: &Tls) -> Result<ServerConfig, ConfigError> {
        let mut server = ServerConfig {
            clients_file: self.path("server.clients_file", &from.clients_file)?,
            ..ServerConfig::default()
        };
        let to = &mut server.max_connections;
        self.number("server.max_connections", &from.max_connections, 1, 1 << 20, to)?;
        let (key, to) = ("server.max_connections_per_peer", &mut server.max_connections_per_peer);
        self.number(key, &from.max_connections_per_peer, 1, 1 << 20, to)?;
        let to = &mut server.max_streams;
        self.number("server.max_streams", &from.max_streams, 1, 65_536, to)?;
        let to = &mut server.max_body_gap_seconds;
        self.number("server.max_body_gap_seconds", &from.max_body_gap_seconds, 1, 3_600, to)?;
        let to = &mut server.max_body_seconds;
        self.number("server.max_body_seconds", &from.max_body_seconds, 1, 86_400, to)?;
        let to = &mut server.max_bytes_in_flight;
        self.set("server.max_bytes_in_flight", &from.max_bytes_in_flight, to)?;

        self.set("server.brown_out", &from.brown_out, &mut server.brown_out)?;
        let to = &mut server.max_work_memory;
        self.set("server.max_work_memory", &from.max_work_memory, to)?;
        let seconds = &mut server.reload_seconds;
        self.number("server.reload_seconds", &from.reload_seconds, 0, 86_400, seconds)?;

        let client_ca = self.path("tls.client_ca", &tls.client_ca)?;
        let certificate = self.path("tls.certificate", &tls.certificate)?;
        server.tls = match (certificate, self.path("tls.key", &tls.key)?) {
            (Some(certificate), Some(key)) => Some(TlsConfig { certificate, key, client_ca }),
            (None, None) if client_ca.is_none() => None,
            // Half of it would be plain text where somebody wanted none.
            (certificate, _) => {
                let key = if certificate.is_some() { "tls.key" } else { "tls.certificate" };
                let message = "is missing: TLS takes a certificate and its key";
                return Err(error(key, self.path.display().to_string(), message));
            }
        };
        Ok(server)
    }

    /// The `[tracing]` table.
    fn tracing(&self, from: &Tracing) -> Result<TracingConfig, ConfigError> {
        let mut tracing = TracingConfig::default();
        let (key, mut endpoint) = ("tracing.otlp_endpoint", String::new());
        self.set(key, &from.otlp_endpoint, &mut endpoint)?;
        if !endpoint.trim().is_empty() {
            let place = self.find(key, &from.otlp_endpoint).map(|(_, place)| place);
            let wrong = |e| error(key, place.unwrap_or_default(), format!("{e}: `{endpoint}`"));
            tracing.otlp_endpoint = Some(endpoint.trim().parse().map_err(wrong)?);
        }
        self.set("tracing.sample_ratio", &from.sample_ratio, &mut tracing.sample_ratio)?;
        self.set("tracing.service_name", &from.service_name, &mut tracing.service_name)?;
        Ok(tracing)
    }

    /// The `[profile_fetch]` table.
    fn profile_fetch(&self, from: &ProfileFetch) -> Result<ProfileFetchConfig, ConfigError> {
        let mut fetch = ProfileFetchConfig {
            ca_file: self.path("profile_fetch.ca_file", &from.ca_file)?,
            cache_dir: self.path("profile_fetch.cache_dir", &from.cache_dir)?,
            ..ProfileFetchConfig::default()
        };
        let key = "profile_fetch.hosts";
        for host in self.list(key, &from.hosts, ',')?.unwrap_or_default() {
            let allowed = host.parse().map_err(|wrong| {
                let place = self.find(key, &from.hosts).map(|(_, place)| place);
                error(key, place.unwrap_or_default(), format!("`{host}` {wrong}"))
            })?;
            fetch.hosts.push(allowed);
        }
        self.set("profile_fetch.allow_private", &from.allow_private, &mut fetch.allow_private)?;
        let (key, to) = ("profile_fetch.cache_entries", &mut fetch.cache_entries);
        self.number(key, &from.cache_entries, 1, 1 << 20, to)?;
        // More than the parser takes would be fetched for nothing.
        let key = "profile_fetch.max_bytes";
        self.set(key, &from.max_bytes, &mut fetch.max_bytes)?;
        if !(1_024..=1 << 20).contains(&fetch.max_bytes.get()) {
            let place = self.find(key, &from.max_bytes).map(|(_, place)| place).unwrap_or_default();
            return Err(error(key, place, format!("{} is not 1Ki to 1Mi", fetch.max_bytes)));
        }
        for (key, entry, unit, most, target) in [
            ("profile_fetch.max_ms", &from.max_ms, 1, 60_000, &mut fetch.max_time),
            ("profile_fetch.connect_ms", &from.connect_ms, 1, 60_000, &mut fetch.connect_time),
            (
                "profile_fetch.expire_seconds",
                &from.expire_seconds,
                1_000,
                31_536_000,
                &mut fetch.expire,
            ),
            (
                "profile_fetch.negative_seconds",
                &from.negative_seconds,
                1_000,
                86_400,
                &mut fetch.negative,
            ),
        ] {
            let mut count = usize::try_from(target.as_millis() / unit).unwrap_or(most);
            self.number(key, entry, 1, most, &mut count)?;
            *target = Duration::from_millis((count as u64).saturating_mul(unit as u64));
        }
        self.number(
            "profile_fetch.max_fetches",
            &from.max_fetches,
            1,
            1_024,
            &mut fetch.max_fetches,
        )?;
        Ok(fetch)
    }

    /// The `[scan]` table.
    fn scan(&self, from: &Scan) -> Result<ScanConfig, ConfigError> {
        let mut scan = ScanConfig::default();
        let (key, mut address) = ("scan.address", String::new());
        self.set(key, &from.address, &mut address)?;
        if !address.trim().is_empty() {
            let place = self.find(key, &from.address).map(|(_, place)| place);
            let wrong = |e| error(key, place.unwrap_or_default(), format!("{e}: `{address}`"));
            scan.address = Some(address.trim().parse().map_err(wrong)?);
        }
        self.set("scan.fail", &from.fail, &mut scan.fail)?;
        self.set("scan.found", &from.found, &mut scan.found)?;
        let key = "scan.max_bytes";
        self.set(key, &from.max_bytes, &mut scan.max_bytes)?;
        // clamd counts a stream in 32 bits.
        if !(1_024..=4_000_000_000).contains(&scan.max_bytes.get()) {
            let place = self.find(key, &from.max_bytes).map(|(_, place)| place).unwrap_or_default();
            return Err(error(key, place, format!("{} is not 1Ki to 4G", scan.max_bytes)));
        }
        for (key, entry, unit, least, most, target) in [
            ("scan.max_ms", &from.max_ms, 1, 1, 600_000, &mut scan.max_time),
            ("scan.connect_ms", &from.connect_ms, 1, 1, 60_000, &mut scan.connect_time),
            ("scan.keep_seconds", &from.keep_seconds, 1_000, 0, 86_400, &mut scan.keep),
        ] {
            let mut count = usize::try_from(target.as_millis() / unit).unwrap_or(most);
            self.number(key, entry, least, most, &mut count)?;
            *target = Duration::from_millis((count as u64).saturating_mul(unit as u64));
        }
        self.number("scan.max_scans", &from.max_scans, 1, 1_024, &mut scan.max_scans)?;
        Ok(scan)
    }

    /// A list; in the environment one text with `separator` between its items.
    fn list(
        &self,
        key: &str,
        entry: &Entry,
        separator: char,
    ) -> Result<Option<Vec<String>>, ConfigError> {
        let Some((value, place)) = self.find(key, entry) else { return Ok(None) };
        match value {
            Value::List(list) => Ok(Some(list)),
            Value::Text(text) => {
                let items = text.split(separator).map(str::trim).filter(|item| !item.is_empty());
                Ok(Some(items.map(str::to_owned).collect()))
            }
            Value::Number(_) | Value::Decimal(_) | Value::Flag(_) => {
                Err(error(key, place, "is not a list of texts"))
            }
        }
    }
}

/// `policy.ladder.image`: `MMSFIT_POLICY_LADDER_IMAGE`.
fn variable(key: &str) -> String {
    format!("MMSFIT_{}", key.replace('.', "_").to_ascii_uppercase())
}

fn error(key: &str, place: String, message: impl Into<String>) -> ConfigError {
    ConfigError::Value { place, key: key.to_owned(), message: message.into() }
}
