//! From `--config` to a service, and what is in force.

use std::path::Path;

use serde_json::json;
use tracing_subscriber::{
    EnvFilter, Layer,
    filter::{FilterExt as _, filter_fn},
    fmt,
    layer::SubscriberExt as _,
    util::SubscriberInitExt as _,
};

use crate::{
    config::{Config, ProcessEnv, ScanConfig, ScanFailure, ScanFound, TracingConfig},
    fetch,
    grpc::{Clients, Tls},
    policy::{LanguageChoice, Notice, Sanitize, Trim},
    service::{Service, WorkerStatus},
    telemetry::traces::{self, Traces},
};

use super::{
    Failure,
    args::{CheckConfigArgs, LogFormat},
    failure::without_number,
    table::{Align, Table},
    term::Screen,
};

/// A configuration file with all keys and their defaults, as comments.
pub const DEFAULT_CONFIG: &str = include_str!("../../deploy/mmsfit.toml");

/// The configuration in force: file, then environment, over the defaults.
///
/// # Errors
/// A file that cannot be read, or that holds unknown settings.
pub fn load_config(path: Option<&Path>) -> Result<Config, Failure> {
    Config::load(path, &ProcessEnv).map_err(|error| {
        // The error names the file itself.
        Failure::usage("CONFIG", without_number(&error.to_string()))
    })
}

/// A service with the configuration in force.
pub fn service(path: Option<&Path>) -> Result<Service, Failure> {
    Ok(Service::new(load_config(path)?))
}

/// The workers, started before the first job: a mistake in their set-up must not stay hidden
/// until the first video.
///
/// # Errors
/// There is a worker, and it does not start.
pub fn start_workers(service: &Service) -> Result<Option<WorkerStatus>, Failure> {
    let status = service.start_workers();
    let status = status.map_err(|e| Failure::internal("WORKER", e.to_string()))?;
    if status.is_none() {
        tracing::warn!("no mmsfit-worker: audio, video, HEIC and AVIF are kept or left out");
    }
    Ok(status)
}

/// Logs go to stderr: warnings, with `-v` what happens, with `-vv` why; in colour where the screen
/// has colour. `MMSFIT_LOG` wins.
pub fn start_logging(verbose: u8, color: bool, format: LogFormat, traces: Option<&Traces>) {
    let level = match verbose {
        0 => "warn",
        1 => "info",
        2 => "debug",
        _ => "trace",
    };
    let filter = EnvFilter::try_from_env("MMSFIT_LOG").unwrap_or_else(|_| EnvFilter::new(level));
    // A second start in one process (tests) keeps the first.
    // Spans are for traces: no line of the log has them in front.
    let lines = fmt::layer().with_writer(std::io::stderr);
    let lines: Box<dyn Layer<_> + Send + Sync> = match format {
        LogFormat::Text => Box::new(lines.with_ansi(color)),
        LogFormat::Json => {
            let lines = lines.json().flatten_event(true);
            Box::new(lines.with_current_span(false).with_span_list(false))
        }
    };
    let lines = lines.with_filter(filter.and(filter_fn(|metadata| !traces::is_ours(metadata))));
    let subscriber = tracing_subscriber::registry().with(lines);
    let _ = match traces {
        None => subscriber.try_init(),
        Some(traces) => subscriber.with(traces.layer()).try_init(),
    };
}

/// `mmsfit check-config`.
pub fn check_config(
    path: Option<&Path>,
    args: &CheckConfigArgs,
    screen: &Screen,
) -> Result<u8, Failure> {
    let service = service(path)?;
    let config = service.config();
    let (devices, carriers) = (service.devices().len(), service.carriers().len());
    // What the kernel offers is found out by trying it: a worker that cannot be confined refuses.
    let workers = service.start_workers();
    let workers = workers.map_err(|e| Failure::internal("WORKER", e.to_string()))?;
    let server = ServerFiles::read(config)?;
    let fetch = &config.profile_fetch;
    fetch::check(fetch).map_err(|e| Failure::usage("CONFIG", e.to_string()))?;
    let hosts: Vec<String> = fetch.hosts.iter().map(ToString::to_string).collect();
    let source = path.map_or("built-in defaults".to_owned(), |p| p.to_string_lossy().into_owned());
    if args.json {
        let value = json!({
            "config": source,
            "listen": config.listen.to_string(),
            "adminListen": config.admin_listen.map(|address| address.to_string()),
            "threads": config.threads,
            "maxRequestBytes": config.max_request_bytes,
            "cacheBytes": config.cache_bytes,
            "tls": server.tls,
            "tracing": {
                "otlpEndpoint": config.tracing.otlp_endpoint.as_ref().map(|at| at.as_str()),
                "sampleRatio": config.tracing.sample_ratio.get(),
                "serviceName": config.tracing.service_name,
            },
            "clients": server.clients,
            "profileFetch": (!hosts.is_empty()).then(|| json!({
                "hosts": hosts,
                "allowPrivate": fetch.allow_private,
                "cacheDir": fetch.cache_dir,
                "maxMs": fetch.max_time.as_millis() as u64,
            })),
            "scan": config.scan.address.as_ref().map(|address| json!({
                "address": address.to_string(),
                "fail": config.scan.fail.name(),
                "found": config.scan.found.name(),
                "maxMs": config.scan.max_time.as_millis() as u64,
                "maxBytes": config.scan.max_bytes,
            })),
            "parse": {
                "maxParts": config.parse.max_parts,
                "maxNesting": config.parse.max_nesting,
                "maxHeaderBytes": config.parse.max_header_bytes,
                "lenient": config.parse.lenient,
            },
            "decode": {
                "maxPixels": config.decode.max_pixels,
                "maxTotalPixels": config.decode.max_total_pixels,
                "maxFrames": config.decode.max_frames,
                "maxMemoryBytes": config.decode.max_memory,
            },
            "worker": workers.as_ref().map(|status| json!({
                "program": config.worker.found(),
                "systemCallFilter": status.confinement.system_call_filter,
                "noNewPrivileges": status.confinement.no_new_privileges,
                "resourceLimits": status.confinement.resource_limits,
                "landlock": status.confinement.landlock,
                "libraries": status.libraries,
                "maxMemoryBytes": config.worker.max_memory,
                "maxCpuSeconds": config.worker.max_cpu_seconds,
                "maxCallSeconds": config.worker.max_call_seconds,
                "maxJobs": config.worker.max_jobs,
            })),
            "policy": {
                "trim": config.policy.trim.unwrap_or_default().name(),
                "notice": config.policy.notice.unwrap_or_default().name(),
                "sanitize": config.policy.sanitize.unwrap_or_default().name(),
                "language": language(config),
                "stated": config.policy.stated,
            },
            "carriersWithoutLimit": service.carriers_without_limit(),
            "devices": devices,
            "carriers": carriers,
        });
        screen.out(&format!("{value}\n"))?;
        return Ok(0);
    }
    let mut table = Table::new(&[("setting", Align::Left), ("value", Align::Right)]);
    for (name, value) in [
        ("listen", config.listen.to_string()),
        ("admin port", config.admin_listen.map_or("none".to_owned(), |at| at.to_string())),
        ("threads", config.threads.to_string()),
        ("largest request", config.max_request_bytes.to_string()),
        ("memory of the cache", config.cache_bytes.to_string()),
        ("TLS", server.tls.to_owned()),
        ("clients with a token", server.clients.map_or("anybody".into(), |n| n.to_string())),
        ("traces", trace_words(config)),
        ("device documents fetched from", fetched_from(&hosts)),
        ("parts scanned for viruses", scan_words(config)),
        ("parts of a message", config.parse.max_parts.to_string()),
        ("multiparts in multiparts", config.parse.max_nesting.to_string()),
        ("bytes of a header block", config.parse.max_header_bytes.to_string()),
        ("truncated messages accepted", config.parse.lenient.to_string()),
        ("pixels of an image", config.decode.max_pixels.to_string()),
        ("pixels of an animation", config.decode.max_total_pixels.to_string()),
        ("frames of an animation", config.decode.max_frames.to_string()),
        ("memory for decoding one", config.decode.max_memory.to_string()),
        ("audio and video too long", trim_words(config).to_owned()),
        ("what is left out", notice_words(config).to_owned()),
        ("what passes", sanitize_words(config).to_owned()),
        ("devices known", devices.to_string()),
        ("carriers known", carriers.to_string()),
    ] {
        table.row(vec![name.into(), value.into()]);
    }
    for (key, value) in &config.policy.stated {
        table.row(vec![format!("policy: {key}").into(), value.as_str().into()]);
    }
    for carrier in service.carriers_without_limit() {
        table.row(vec!["no limit holds today".into(), carrier.as_str().into()]);
    }
    for (name, value) in worker_rows(config, workers.as_ref()) {
        table.row(vec![name.into(), value.into()]);
    }
    let body = table.render(screen.width(), screen.paint(true));
    screen.out(&format!("configuration: {source}\n\n{body}"))?;
    Ok(0)
}

/// Who may connect and call: read as `serve` would.
struct ServerFiles {
    tls: &'static str,
    clients: Option<usize>,
}

impl ServerFiles {
    fn read(config: &Config) -> Result<Self, Failure> {
        let wrong = |error: String| Failure::usage("CONFIG", error);
        let server = &config.server;
        if let Some(files) = &server.tls {
            Tls::load(files).map_err(|e| wrong(e.to_string()))?;
        }
        let clients = server.clients_file.as_deref().map(Clients::load).transpose();
        let tls = match &server.tls {
            None => "off",
            Some(files) if files.client_ca.is_none() => "on",
            Some(_) => "mutual",
        };
        let clients = clients.map_err(|e| wrong(e.to_string()))?;
        Ok(Self { tls, clients: clients.map(|clients| clients.count()) })
    }
}

fn trace_words(config: &Config) -> String {
    let TracingConfig { otlp_endpoint, sample_ratio, .. } = &config.tracing;
    otlp_endpoint.as_ref().map_or("none".to_owned(), |endpoint| {
        format!("{} % of calls, to {}", sample_ratio.get() * 100.0, endpoint.as_str())
    })
}

fn fetched_from(hosts: &[String]) -> String {
    if hosts.is_empty() { "nowhere".to_owned() } else { hosts.join(", ") }
}

fn scan_words(config: &Config) -> String {
    let ScanConfig { address, fail, found, .. } = &config.scan;
    let Some(address) = address else { return "no".to_owned() };
    let found = match found {
        ScanFound::Drop => "infected parts are left out",
        ScanFound::Refuse => "infected messages are refused",
    };
    let fail = match fail {
        ScanFailure::Closed => "what cannot be scanned is refused",
        ScanFailure::Open => "what cannot be scanned passes",
    };
    format!("by {address}; {found}; {fail}")
}

fn trim_words(config: &Config) -> &'static str {
    match config.policy.trim.unwrap_or_default() {
        Trim::Never => "become an image or are refused",
        Trim::Allow => "are cut, with a fade",
    }
}

fn sanitize_words(config: &Config) -> &'static str {
    match config.policy.sanitize.unwrap_or_default() {
        Sanitize::Off => "passes bit for bit",
        Sanitize::Strip => "loses its metadata, if it is an image",
        Sanitize::Always => "is re-encoded",
    }
}

fn notice_words(config: &Config) -> &'static str {
    match (config.policy.notice.unwrap_or_default(), config.policy.language.unwrap_or_default()) {
        (Notice::Off, _) => "is left out without a notice",
        (Notice::Text, LanguageChoice::Auto) => {
            "leaves a notice in the language of the carrier's country"
        }
        (Notice::Text, LanguageChoice::Fixed(_)) => "leaves a notice",
    }
}

fn language(config: &Config) -> &'static str {
    match config.policy.language.unwrap_or_default() {
        LanguageChoice::Auto => "auto",
        LanguageChoice::Fixed(language) => language.code(),
    }
}

/// The worker processes: what holds them, and what they are made of.
fn worker_rows(config: &Config, workers: Option<&WorkerStatus>) -> Vec<(&'static str, String)> {
    let Some(status) = workers else {
        let why = "none: audio, video, HEIC and AVIF are kept or left out";
        return vec![("worker", why.to_owned())];
    };
    let confinement = &status.confinement;
    let yes = |held: bool| if held { "in force" } else { "missing" }.to_owned();
    let landlock = match confinement.landlock {
        0 => "the kernel has none (the filter holds alone)".to_owned(),
        version => format!("in force (version {version})"),
    };
    let program = config.worker.found().map_or_else(String::new, |p| p.display().to_string());
    let mut rows = vec![
        ("worker", program),
        ("worker: system-call filter", yes(confinement.system_call_filter)),
        ("worker: no_new_privs", yes(confinement.no_new_privileges)),
        ("worker: limits of memory, CPU, files", yes(confinement.resource_limits)),
        ("worker: landlock", landlock),
        ("worker: memory of one job", config.worker.max_memory.to_string()),
        ("worker: CPU seconds of one job", config.worker.max_cpu_seconds.to_string()),
    ];
    rows.extend(status.libraries.iter().map(|line| ("worker: library", line.clone())));
    rows
}
