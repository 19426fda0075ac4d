//! From a host to a connection: names are resolved here, each address is looked at, and the
//! connection goes to that address.

use std::{
    io,
    net::{IpAddr, SocketAddr, ToSocketAddrs as _},
    path::Path,
    sync::Arc,
};

use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
    sync::Semaphore,
    task::spawn_blocking,
    time::timeout,
};
use tokio_rustls::{
    TlsConnector,
    rustls::{
        ClientConfig, RootCertStore,
        crypto::ring,
        pki_types::{CertificateDer, ServerName, pem::PemObject as _},
    },
};

use super::{address::is_public, refusal::Refusal, target::Target};
use crate::config::{self, ConfigError, ProfileFetchConfig};

/// Addresses of a host that are tried.
const MAX_ADDRESSES: usize = 4;
/// Names that are resolved at once, those included that nobody waits for any more: the system's
/// resolver cannot be interrupted.
const MAX_LOOKUPS: usize = 32;

/// A connection, with TLS or without.
pub(super) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// Opens connections.
pub(super) struct Connector {
    tls: TlsConnector,
    lookups: Arc<Semaphore>,
    settings: ProfileFetchConfig,
}

impl Connector {
    /// # Errors
    /// The file of roots cannot be read, or holds none.
    pub fn new(settings: ProfileFetchConfig) -> Result<Self, ConfigError> {
        let roots = match &settings.ca_file {
            Some(path) => roots_of(path)?,
            None => roots_of_the_system(),
        };
        let file = settings.ca_file.as_deref().unwrap_or(Path::new(""));
        let tls = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(|error| wrong(file, error))?
            .with_root_certificates(roots)
            .with_no_client_auth();
        let lookups = Arc::new(Semaphore::new(MAX_LOOKUPS));
        Ok(Self { tls: TlsConnector::from(Arc::new(tls)), lookups, settings })
    }

    /// A connection to a host of the list.
    ///
    /// # Errors
    /// Why there is none.
    pub async fn open(&self, target: &Target) -> Result<Box<dyn Stream>, Refusal> {
        let opened = timeout(self.settings.connect_time, self.try_open(target));
        opened.await.unwrap_or(Err(Refusal::TimedOut))
    }

    async fn try_open(&self, target: &Target) -> Result<Box<dyn Stream>, Refusal> {
        let mut addresses = self.addresses(target).await?;
        if !self.settings.allow_private {
            addresses.retain(|address| is_public(address.ip()));
        }
        if addresses.is_empty() {
            return Err(Refusal::PrivateAddress);
        }
        addresses.truncate(MAX_ADDRESSES);
        let tcp = self.reach(&addresses).await?;
        if !target.tls {
            return Ok(Box::new(tcp));
        }
        let name = ServerName::try_from(target.host.clone()).map_err(|_| Refusal::Tls)?;
        match self.tls.connect(name, tcp).await {
            Ok(stream) => Ok(Box::new(stream)),
            Err(_) => Err(Refusal::Tls),
        }
    }

    /// The first address that answers. One that swallows everything has its share of the time.
    async fn reach(&self, addresses: &[SocketAddr]) -> Result<TcpStream, Refusal> {
        let share = self.settings.connect_time / u32::try_from(addresses.len()).unwrap_or(1).max(1);
        let mut why = Refusal::NoConnection;
        for address in addresses {
            match timeout(share, TcpStream::connect(address)).await {
                Ok(Ok(stream)) => return Ok(stream),
                Ok(Err(_)) => {}
                Err(_) => why = Refusal::TimedOut,
            }
        }
        Err(why)
    }

    /// All addresses of a host; at least one.
    async fn addresses(&self, target: &Target) -> Result<Vec<SocketAddr>, Refusal> {
        if let Ok(address) = target.host.parse::<IpAddr>() {
            return Ok(vec![SocketAddr::new(address, target.port)]);
        }
        let place = Arc::clone(&self.lookups).acquire_owned().await.map_err(|_| Refusal::Lost)?;
        let name = (target.host.clone(), target.port);
        let found = spawn_blocking(move || {
            let _place = place;
            name.to_socket_addrs().map(Iterator::collect::<Vec<_>>)
        });
        let found: io::Result<Vec<SocketAddr>> = found.await.map_err(|_| Refusal::Lost)?;
        found.ok().filter(|found| !found.is_empty()).ok_or(Refusal::NoHost)
    }
}

fn wrong(path: &Path, message: impl ToString) -> ConfigError {
    ConfigError::Document { path: path.to_path_buf(), message: message.to_string() }
}

fn roots_of(path: &Path) -> Result<RootCertStore, ConfigError> {
    let mut roots = RootCertStore::empty();
    for root in CertificateDer::pem_slice_iter(&config::pem(path)?) {
        let root = root.map_err(|error| wrong(path, error))?;
        roots.add(root).map_err(|error| wrong(path, error))?;
    }
    if roots.is_empty() { Err(wrong(path, "no certificate is in it")) } else { Ok(roots) }
}

/// Where there are none, every HTTPS host is refused; HTTP goes on.
fn roots_of_the_system() -> RootCertStore {
    let found = rustls_native_certs::load_native_certs();
    let mut roots = RootCertStore::empty();
    let (usable, _) = roots.add_parsable_certificates(found.certs);
    if usable == 0 {
        tracing::warn!("the system has no root certificates: no document comes over HTTPS");
    }
    roots
}
