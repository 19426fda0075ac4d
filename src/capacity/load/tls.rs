//! TLS to the service: whom the generator trusts, and what it shows.

use std::{fs, io, path::Path, path::PathBuf, sync::Arc};

use tokio::net::TcpStream;
use tokio_rustls::{
    TlsConnector,
    client::TlsStream,
    rustls::{
        ClientConfig, RootCertStore,
        crypto::ring,
        pki_types::{CertificateDer, PrivateKeyDer, ServerName, pem::PemObject as _},
    },
};

use super::LoadError;

/// What is told of TLS; all of it needs `https://`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Security {
    /// Roots of the service's certificate, in PEM form; none: the system's.
    pub roots: Option<PathBuf>,
    /// The certificate that is shown, and its key, in PEM form.
    pub own: Option<(PathBuf, PathBuf)>,
    /// The name in the service's certificate; none: the host of the address.
    pub server_name: Option<String>,
}

impl Security {
    pub(super) fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

/// A connector, and the name that it asks for.
#[derive(Clone)]
pub(super) struct Secured {
    connector: TlsConnector,
    name: ServerName<'static>,
}

impl std::fmt::Debug for Secured {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Secured").field(&self.name).finish()
    }
}

impl Secured {
    pub(super) fn new(told: &Security, host: &str) -> Result<Self, LoadError> {
        let name = told.server_name.clone().unwrap_or_else(|| host.to_owned());
        let name =
            ServerName::try_from(name.clone()).map_err(|_| LoadError::ServerName(name.clone()))?;
        let mut roots = RootCertStore::empty();
        match &told.roots {
            Some(path) => {
                for root in certificates(path)? {
                    roots.add(root).map_err(|error| malformed(path, &error))?;
                }
            }
            None => {
                roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
                if roots.is_empty() {
                    return Err(LoadError::NoRoots);
                }
            }
        }
        let failed = |error: tokio_rustls::rustls::Error| LoadError::Tls(error.to_string());
        let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(failed)?
            .with_root_certificates(roots);
        let mut config = match &told.own {
            None => builder.with_no_client_auth(),
            Some((chain, key)) => {
                let pem = read(key)?;
                let own = PrivateKeyDer::from_pem_slice(&pem).map_err(|e| malformed(key, &e))?;
                let chain = certificates(chain)?;
                builder.with_client_auth_cert(chain, own).map_err(|e| malformed(key, &e))?
            }
        };
        config.alpn_protocols = vec![b"h2".to_vec()];
        Ok(Self { connector: TlsConnector::from(Arc::new(config)), name })
    }

    pub(super) async fn handshake(&self, stream: TcpStream) -> io::Result<TlsStream<TcpStream>> {
        self.connector.connect(self.name.clone(), stream).await
    }
}

fn malformed(path: &Path, error: &impl ToString) -> LoadError {
    LoadError::Pem { path: path.display().to_string(), error: error.to_string() }
}

fn read(path: &Path) -> Result<Vec<u8>, LoadError> {
    fs::read(path).map_err(|error| LoadError::Read { path: path.display().to_string(), error })
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, LoadError> {
    let pem = read(path)?;
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&pem).collect();
    match found.map_err(|error| malformed(path, &error))? {
        none if none.is_empty() => Err(malformed(path, &"no certificate in it")),
        some => Ok(some),
    }
}
