//! Who may connect, how, and how slowly.

use std::path::PathBuf;

use crate::model::Bytes;

/// Settings of the listener.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerConfig {
    /// TLS. Default: none, plain text.
    pub tls: Option<TlsConfig>,
    /// The file of clients and their tokens. Default: none, nobody is asked for one.
    pub clients_file: Option<PathBuf>,
    /// Open connections at most. Default: 4096.
    pub max_connections: usize,
    /// Open connections from one address at most; a load balancer is one address. Default: 1024.
    pub max_connections_per_peer: usize,
    /// Calls at once over one connection. Default: 256.
    pub max_streams: usize,
    /// Seconds in which a request's next bytes must come. Default: 10.
    pub max_body_gap_seconds: usize,
    /// Seconds in which the whole of a request must be there. Default: 60.
    pub max_body_seconds: usize,
    /// Under pressure messages get one effort less than was asked for, and their reports say so.
    /// Default: yes.
    pub brown_out: bool,
    /// Seconds after which the files are looked at for changes, which are then read as at SIGHUP; 0:
    /// never. Default: 10.
    pub reload_seconds: usize,
    /// Memory that the messages being encoded may be expected to hold together; one that holds more is
    /// encoded alone. 0: 256 MiB for each thread. Default: 0.
    pub max_work_memory: Bytes,
    /// Bytes of requests in memory at most, those at work included. Default: 1 GiB.
    pub max_bytes_in_flight: Bytes,
}

impl Default for ServerConfig {
    fn default() -> Self {
        Self {
            tls: None,
            clients_file: None,
            max_connections: 4096,
            max_connections_per_peer: 1024,
            max_streams: 256,
            max_body_gap_seconds: 10,
            max_body_seconds: 60,
            brown_out: true,
            reload_seconds: 10,
            max_work_memory: Bytes::ZERO,
            max_bytes_in_flight: Bytes::new(1 << 30),
        }
    }
}

impl ServerConfig {
    /// [`ServerConfig::max_work_memory`] for so many threads. A photo of 12 megapixels holds 60 MB, the
    /// largest image that is decoded 512 MiB.
    pub fn work_memory(&self, threads: usize) -> Bytes {
        match self.max_work_memory {
            Bytes::ZERO => Bytes::new((threads.max(1) as u64) << 28),
            stated => stated,
        }
    }
}

/// Files in PEM form, read at the start and at a reload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsConfig {
    /// The server's certificate and those that lead to its root.
    pub certificate: PathBuf,
    /// Its private key.
    pub key: PathBuf,
    /// Roots of clients' certificates: a client without one is turned away. Default: none, no
    /// certificate is asked for.
    pub client_ca: Option<PathBuf>,
}
