//! Environment and files to one typed [`Config`], with device documents and carriers loaded.
//! Binds nothing, starts nothing.
//!
//! Order of precedence: environment (`MMSFIT_LISTEN`, `MMSFIT_PARSE_MAX_PARTS`) › file › default.

mod clients;
mod env;
mod error;
mod fetch;
mod file;
mod scan;
mod server;
mod stamp;
pub mod store;
mod tracing;
mod worker;

#[cfg(test)]
mod tests;

use std::{
    net::{Ipv4Addr, SocketAddr},
    num::NonZero,
    path::{Path, PathBuf},
    sync::Arc,
};

pub use self::{
    clients::{ClientEntry, clients},
    env::{Env, ProcessEnv},
    error::ConfigError,
    fetch::{AllowedHost, ProfileFetchConfig},
    scan::{ScanAddress, ScanConfig, ScanFailure, ScanFound},
    server::{ServerConfig, TlsConfig},
    stamp::Stamp,
    store::Store,
    tracing::{OtlpEndpoint, Share, TracingConfig},
    worker::{WorkerConfig, WorkerMode},
};
use crate::{
    codec::DecodeLimits, message::ParseLimits, model::Bytes, policy::PolicySettings,
    profile::Defaults,
};

/// All settings, resolved.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where the service listens. Default: 127.0.0.1:50051.
    pub listen: SocketAddr,
    /// Where metrics and health are told over plain HTTP. Default: nowhere.
    pub admin_listen: Option<SocketAddr>,
    /// Limits on message structure.
    pub parse: ParseLimits,
    /// Limits on decoding.
    pub decode: DecodeLimits,
    /// Largest gRPC request. Default: 64 MiB.
    pub max_request_bytes: Bytes,
    /// Memory for encoded parts that other calls may ask for again; 0: nothing is kept. Default:
    /// 64 MiB.
    pub cache_bytes: Bytes,
    /// Threads for CPU work. Default: one per core that this process may use (cgroup quotas and
    /// affinity count).
    pub threads: usize,
    /// Directories with device documents (`*.xml`) and `user-agents.toml`; later ones win over
    /// earlier ones and over what is built in. Default: none.
    pub devices_dirs: Vec<PathBuf>,
    /// Directories with carriers (`*.toml`); likewise. Default: none.
    pub carriers_dirs: Vec<PathBuf>,
    /// Directory with documents by the URL they are published at. Default: none.
    pub uaprof_mirror_dir: Option<PathBuf>,
    /// Which documents are fetched from the URL that they are published at.
    pub profile_fetch: ProfileFetchConfig,
    /// Whether parts are scanned before any codec sees them.
    pub scan: ScanConfig,
    /// Defaults where neither device nor carrier states anything.
    pub defaults: Defaults,
    /// The operator's policy; that of a carrier has precedence.
    pub policy: PolicySettings,
    /// The worker processes, where codecs written in C run.
    pub worker: WorkerConfig,
    /// Who may connect, how, and how slowly.
    pub server: ServerConfig,
    /// Whether and where traces are sent.
    pub tracing: TracingConfig,
    /// Devices and carriers, loaded.
    pub store: Arc<Store>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 50051)),
            admin_listen: None,
            parse: ParseLimits::default(),
            decode: DecodeLimits::default(),
            max_request_bytes: Bytes::new(64 << 20),
            cache_bytes: Bytes::new(64 << 20),
            threads: std::thread::available_parallelism().map_or(1, NonZero::get),
            devices_dirs: Vec::new(),
            carriers_dirs: Vec::new(),
            uaprof_mirror_dir: None,
            profile_fetch: ProfileFetchConfig::default(),
            scan: ScanConfig::default(),
            defaults: Defaults::default(),
            policy: PolicySettings::default(),
            worker: WorkerConfig::default(),
            server: ServerConfig::default(),
            tracing: TracingConfig::default(),
            store: Store::embedded(),
        }
    }
}

impl Config {
    /// Reads `path`, or the file that `MMSFIT_CONFIG` names, or none; then the environment; then
    /// loads devices and carriers.
    ///
    /// # Errors
    /// The first thing that is wrong, with its file and line or its variable.
    pub fn load(path: Option<&Path>, env: &dyn Env) -> Result<Self, ConfigError> {
        let path = path.map(Path::to_path_buf).or_else(|| env.get("MMSFIT_CONFIG").map(Into::into));
        let text = match &path {
            Some(path) => read_text(path)?,
            None => String::new(),
        };
        let mut config = file::resolve(path.as_deref(), &text, env)?;
        config.store = Arc::new(Store::load(&config)?);
        Ok(config)
    }
}

/// Configuration files larger than this are refused.
const MAX_FILE: u64 = 4 << 20;

/// The bytes of a file of certificates or keys.
///
/// # Errors
/// It cannot be read, or is far too large.
pub fn pem(path: &Path) -> Result<Vec<u8>, ConfigError> {
    read_bytes(path, MAX_FILE)
}

fn read_text(path: &Path) -> Result<String, ConfigError> {
    let bytes = read_bytes(path, MAX_FILE)?;
    String::from_utf8(bytes).map_err(|_| ConfigError::Read {
        path: path.to_path_buf(),
        message: "is not UTF-8 text".to_owned(),
    })
}

fn read_bytes(path: &Path, max: u64) -> Result<Vec<u8>, ConfigError> {
    let error = |message: String| ConfigError::Read { path: path.to_path_buf(), message };
    let length = std::fs::metadata(path).map_err(|e| error(e.to_string()))?.len();
    if length > max {
        return Err(error(format!("is larger than {}", Bytes::new(max))));
    }
    std::fs::read(path).map_err(|e| error(e.to_string()))
}
