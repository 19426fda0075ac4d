//! TLS: certificates that can be exchanged while the service runs.

use std::{
    io,
    path::Path,
    sync::{Arc, PoisonError, RwLock},
};

use tokio::net::TcpStream;
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        RootCertStore, ServerConfig,
        crypto::ring,
        pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
        server::WebPkiClientVerifier,
    },
    server::TlsStream,
};

use crate::config::{self, ConfigError, TlsConfig};

fn failed(path: &Path, message: impl ToString) -> ConfigError {
    ConfigError::Document { path: path.to_path_buf(), message: message.to_string() }
}

/// The certificate in force. Clones share it.
#[derive(Clone, Debug)]
pub struct Tls {
    files: TlsConfig,
    now: Arc<RwLock<Arc<ServerConfig>>>,
}

impl Tls {
    /// Reads the files.
    ///
    /// # Errors
    /// One of them cannot be read, or the key is not that of the certificate.
    pub fn load(files: &TlsConfig) -> Result<Self, ConfigError> {
        Ok(Self { files: files.clone(), now: Arc::new(RwLock::new(Arc::new(read(files)?))) })
    }

    /// Reads the files again: connections that come later get the new certificate.
    ///
    /// # Errors
    /// As [`Tls::load`]; the old certificate stays in force.
    pub fn reload(&self) -> Result<(), ConfigError> {
        let new = Arc::new(read(&self.files)?);
        *self.now.write().unwrap_or_else(PoisonError::into_inner) = new;
        Ok(())
    }

    /// The handshake, by the certificate of now.
    ///
    /// # Errors
    /// The peer speaks no TLS, or shows no certificate that is asked for.
    pub(super) async fn accept(&self, stream: TcpStream) -> io::Result<TlsStream<TcpStream>> {
        let config = Arc::clone(&self.now.read().unwrap_or_else(PoisonError::into_inner));
        TlsAcceptor::from(config).accept(stream).await
    }
}

fn read(files: &TlsConfig) -> Result<ServerConfig, ConfigError> {
    let provider = Arc::new(ring::default_provider());
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(|e| failed(&files.certificate, e))?;
    let builder = match &files.client_ca {
        None => builder.with_no_client_auth(),
        Some(path) => {
            let mut roots = RootCertStore::empty();
            for root in certificates(path)? {
                roots.add(root).map_err(|e| failed(path, e))?;
            }
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
            builder.with_client_cert_verifier(verifier.build().map_err(|e| failed(path, e))?)
        }
    };
    let chain = certificates(&files.certificate)?;
    let key = PrivateKeyDer::from_pem_slice(&config::pem(&files.key)?);
    let key = key.map_err(|e| failed(&files.key, e))?;
    let config = builder.with_single_cert(chain, key);
    let mut config = config.map_err(|e| failed(&files.certificate, e))?;
    config.alpn_protocols = vec![b"h2".to_vec()];
    Ok(config)
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, ConfigError> {
    let pem = config::pem(path)?;
    let all = CertificateDer::pem_slice_iter(&pem).collect::<Result<Vec<_>, _>>();
    let all = all.map_err(|e| failed(path, e))?;
    if all.is_empty() { Err(failed(path, "no certificate is in it")) } else { Ok(all) }
}
