//! The rules as tables.

/// A row of the graph: one folder of `src`.
pub struct Room {
    /// The folder.
    pub name: &'static str,
    /// The rooms that it may import.
    pub imports: &'static [&'static str],
    /// The crates that it may use; `None`: any that [`CRATE_HOMES`] does not keep elsewhere.
    pub crates: Option<&'static [&'static str]>,
    /// No files, network, environment, clock, threads or console: values in, values out.
    pub pure: bool,
}

/// From the bottom to the top: a room imports only rooms above its row here. `model` is the
/// vocabulary of all; `message`, `profile`, `plan` and `fit` are siblings and never meet (plan and fit share one idea
/// of `quality`); a codec
/// knows neither budgets nor devices; `pipeline` and `worker` never meet; shells translate.
pub const ROOMS: &[Room] = &[
    // pure
    Room {
        name: "model",
        imports: &[],
        crates: Some(&["serde", "thiserror", "jiff", "strsim"]),
        pure: true,
    },
    Room { name: "policy", imports: &["model"], crates: Some(&["toml"]), pure: true },
    Room {
        name: "message",
        imports: &["model"],
        crates: Some(&["base64", "bytes", "encoding_rs", "jiff", "memchr", "serde", "thiserror"]),
        pure: true,
    },
    Room {
        name: "profile",
        imports: &["model", "policy"],
        crates: Some(&["bytes", "encoding_rs", "quick_xml", "serde", "thiserror", "toml"]),
        pure: true,
    },
    Room {
        name: "text",
        imports: &[],
        crates: Some(&["chardetng", "deunicode", "encoding_rs"]),
        pure: true,
    },
    Room { name: "quality", imports: &["model"], crates: Some(&[]), pure: true },
    Room {
        name: "plan",
        imports: &["model", "policy", "quality"],
        crates: Some(&["thiserror"]),
        pure: true,
    },
    Room { name: "fit", imports: &["model", "policy", "quality"], crates: Some(&[]), pure: true },
    // media
    Room {
        name: "codec",
        imports: &["model"],
        crates: Some(&[
            "archmage",
            "bytes",
            "fast_ssim2",
            "mmsfit_resample",
            "gif",
            "image",
            "jpeg_decoder",
            "magetypes",
            "memchr",
            "moxcms",
            "png",
            "quantette",
            "symphonia",
            "thiserror",
        ]),
        pure: true,
    },
    // engine
    Room {
        name: "pipeline",
        imports: &["model", "policy", "message", "text", "quality", "plan", "fit", "codec"],
        crates: None,
        pure: false,
    },
    Room { name: "worker", imports: &["model", "codec"], crates: None, pure: false },
    // service
    Room {
        name: "config",
        imports: &["model", "policy", "message", "profile", "codec"],
        crates: None,
        pure: false,
    },
    Room {
        name: "service",
        imports: &[
            "model", "policy", "message", "profile", "text", "plan", "codec", "pipeline", "worker",
            "config",
        ],
        crates: None,
        pure: false,
    },
    // what the service counts, and the port that tells: it knows reports and errors, not the door
    Room { name: "telemetry", imports: &["model", "service"], crates: None, pure: false },
    // device documents by URL: what speaks to hosts that a sender named is in a room of its own
    Room {
        name: "fetch",
        imports: &["model", "config", "profile", "telemetry"],
        crates: Some(&[
            "http_body_util",
            "hyper",
            "hyper_util",
            "moka",
            "rustls_native_certs",
            "sha2",
            "thiserror",
            "tokio",
            "tokio_rustls",
            "tracing",
        ]),
        pure: false,
    },
    // parts shown to a clamd: what speaks to the scanner is in a room of its own
    Room {
        name: "scan",
        imports: &["config", "telemetry"],
        crates: Some(&["moka", "sha2", "thiserror", "tokio", "tracing"]),
        pure: false,
    },
    // the door from async code to the service: apart from it, so that the engine is had without tokio
    Room {
        name: "offload",
        imports: &["model", "profile", "config", "service", "telemetry", "fetch", "scan"],
        crates: None,
        pure: false,
    },
    // shells: they see the engine through `service`, and the words
    Room {
        name: "grpc",
        imports: &["model", "message", "profile", "config", "service", "telemetry", "offload"],
        crates: None,
        pure: false,
    },
    Room { name: "batch", imports: &["model", "service"], crates: None, pure: false },
    // files for demonstrations, measurements and tests
    Room { name: "samples", imports: &["model", "message"], crates: None, pure: true },
    // measures a running service through its own client
    Room {
        name: "capacity",
        imports: &["model", "message", "profile", "service", "offload", "grpc", "samples"],
        crates: None,
        pure: false,
    },
    // argv to shells
    Room {
        name: "cli",
        imports: &[
            "model",
            "policy",
            "message",
            "profile",
            "config",
            "service",
            "telemetry",
            "fetch",
            "offload",
            "grpc",
            "batch",
            "samples",
            "capacity",
        ],
        crates: None,
        pure: false,
    },
];

/// Crates that have a home: no other room names them.
pub const CRATE_HOMES: &[(&[&str], &[&str])] = &[
    // The async runtime: CPU work never runs on it, so the engine never sees it.
    (
        &["tokio", "tokio_stream", "tokio_util"],
        &["telemetry", "fetch", "scan", "offload", "grpc", "batch", "capacity", "cli"],
    ),
    (&["rayon"], &["pipeline", "service", "batch"]),
    // Generated types stay in the gRPC shell; capacity is its client.
    (
        &["tonic", "tonic_prost", "tonic_health", "tonic_reflection", "prost", "prost_types"],
        &["grpc", "capacity"],
    ),
    (&["axum", "prometheus_client"], &["telemetry"]),
    (&["http_body"], &["grpc"]),
    // The one client of HTTP.
    (&["hyper", "hyper_util", "http_body_util"], &["fetch"]),
    (&["rustls_native_certs"], &["fetch", "capacity"]),
    // The load generator speaks HTTP/2 as nothing else here: what it costs is in what it measures.
    (&["h2"], &["capacity"]),
    // A batch over many machines: its queue and its store.
    (&["async_nats", "object_store", "futures_util", "reqwest"], &["batch"]),
    // Lists and reports of batches.
    (&["parquet"], &["batch"]),
    (&["clap", "clap_complete"], &["cli"]),
    (&["indicatif"], &["cli", "batch", "capacity"]),
    // Spans are opened with `tracing` alone; where they go is known in one place.
    (
        &["opentelemetry", "opentelemetry_otlp", "opentelemetry_sdk", "tracing_opentelemetry"],
        &["telemetry"],
    ),
    (&["tracing_subscriber"], &["telemetry", "cli"]),
    (&["sd_notify"], &["cli"]),
    // Pixels are touched by codecs alone.
    (&["image", "jpeg_decoder", "mmsfit_resample", "quantette", "moxcms"], &["codec"]),
    // Audio is decoded by codecs alone.
    (&["symphonia"], &["codec"]),
    // Samples are painted as a camera would write them, and not by the encoders under test.
    (&["jpeg_encoder"], &["samples"]),
    (&["png", "gif"], &["codec", "samples"]),
    // What charset a text is in, and letters that look alike.
    (&["chardetng", "deunicode"], &["text"]),
    // Sockets, descriptors and processes of the workers; and the generator's timer.
    (&["rustix"], &["worker", "capacity"]),
    // Measured CPU time is a clock.
    (&["cpu_time"], &["pipeline", "service", "telemetry", "capacity"]),
];

/// Parts of the standard library that have a home.
pub const STD_HOMES: &[(&str, &[&str])] = &[
    // telemetry: what Linux tells of the process; fetch: documents that are kept
    ("fs", &["config", "telemetry", "fetch", "batch", "capacity", "cli"]),
    ("env", &["config", "cli"]),
    ("net", &["config", "worker", "service", "telemetry", "fetch", "grpc", "capacity", "cli"]),
    // batch: its process id in the names of unfinished files
    ("process", &["worker", "batch", "cli", "capacity"]),
    // config: the number of cores
    ("thread", &["config", "worker", "service", "offload", "batch", "capacity", "grpc", "cli"]),
];

/// What no pure room may name, by the start of its path.
pub const IMPURE: &[&[&str]] = &[
    &["std", "fs"],
    &["std", "net"],
    &["std", "env"],
    &["std", "process"],
    &["std", "thread"],
    &["std", "os"],
    &["std", "time", "Instant"],
    &["std", "time", "SystemTime"],
    &["std", "io", "stdin"],
    &["std", "io", "stdout"],
    &["std", "io", "stderr"],
    // Reads files by name.
    &["image", "open"],
    &["image", "ImageReader", "open"],
];

/// Macros that write to the console: a matter of `cli` and of what it prints for others.
pub const CONSOLE: &[&str] = &["print", "println", "eprint", "eprintln"];
/// The rooms that may use [`CONSOLE`].
pub const CONSOLE_HOMES: &[&str] = &["cli", "batch", "capacity"];

/// The module of the generated proto types, and the rooms that may name it.
pub const GENERATED: (&[&str], &[&str]) = (&["crate", "grpc", "v1"], &["grpc", "capacity"]);

/// The median file of `src` is shorter than this.
pub const MEDIAN_LINES: usize = 200;
/// Past this a file says `//! Long because ...` within its first lines.
pub const LONG_LINES: usize = 400;
/// Past this the reason must be that it is a table or tests.
pub const VERY_LONG_LINES: usize = 800;
/// `main.rs` is shorter than this.
pub const MAIN_LINES: usize = 60;

/// The row of a room.
pub fn room(name: &str) -> Option<&'static Room> {
    ROOMS.iter().find(|room| room.name == name)
}

/// Whether `name` is a crate of which the rules know.
pub fn is_crate(name: &str) -> bool {
    CRATE_HOMES.iter().any(|(crates, _)| crates.contains(&name))
        || ROOMS.iter().filter_map(|room| room.crates).any(|crates| crates.contains(&name))
        || DEPENDENCIES.with(|names| names.contains(name))
}

thread_local! {
    /// The normal dependencies of the package, as they are written in code.
    static DEPENDENCIES: std::collections::BTreeSet<String> = {
        let manifest: toml::Table =
            include_str!("../../Cargo.toml").parse().expect("Cargo.toml is TOML");
        let table = manifest["dependencies"].as_table().expect("a table of dependencies");
        table.keys().map(|name| name.replace('-', "_")).collect()
    };
}
