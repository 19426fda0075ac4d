//! HTTP as far as it takes to get one document: GET over HTTP/1.1, one connection for each hop.

use http_body_util::{BodyExt as _, Empty};
use hyper::{
    Request, Response, StatusCode,
    body::{Body as _, Bytes as Buffer, Incoming},
    client::conn::http1,
    header::{self, HeaderMap},
};
use hyper_util::rt::TokioIo;
use tokio::task::JoinSet;

use super::{connect::Connector, refusal::Refusal, target::Target};
use crate::config::{ConfigError, ProfileFetchConfig};

/// Redirects that are followed.
const MAX_HOPS: usize = 3;
/// Bytes of status and headers, and how much is read at a time.
const MAX_HEAD: usize = 16 << 10;
/// Headers.
const MAX_HEADERS: usize = 64;

/// Gets documents.
pub(super) struct Client {
    connector: Connector,
    settings: ProfileFetchConfig,
}

/// What one hop came to.
enum Hop {
    Document(Vec<u8>),
    Elsewhere(String),
}

impl Client {
    /// # Errors
    /// The file of roots cannot be read.
    pub fn new(settings: ProfileFetchConfig) -> Result<Self, ConfigError> {
        Ok(Self { connector: Connector::new(settings.clone())?, settings })
    }

    /// The bytes of a document. Of no limit in time: that is the caller's.
    ///
    /// # Errors
    /// Why there is none.
    pub async fn fetch(&self, first: &Target) -> Result<Vec<u8>, Refusal> {
        let mut target = first.clone();
        for _ in 0..=MAX_HOPS {
            match self.hop(&target).await? {
                Hop::Document(xml) => return Ok(xml),
                Hop::Elsewhere(location) => {
                    let next = target.join(&location).ok_or(Refusal::Redirect)?;
                    let weaker = target.tls && !next.tls;
                    if weaker || !self.settings.admits(&next.host, next.port) {
                        return Err(Refusal::Redirect);
                    }
                    target = next;
                }
            }
        }
        Err(Refusal::Redirect)
    }

    async fn hop(&self, target: &Target) -> Result<Hop, Refusal> {
        let stream = self.connector.open(target).await?;
        let (mut sender, connection) = http1::Builder::new()
            .max_buf_size(MAX_HEAD)
            .max_headers(MAX_HEADERS)
            .handshake(TokioIo::new(stream))
            .await
            .map_err(|_| Refusal::Broken)?;
        // Ended with this function.
        let mut driver = JoinSet::new();
        driver.spawn(connection);
        let request = Request::get(target.path.as_str())
            .header(header::HOST, target.authority())
            .header(header::USER_AGENT, concat!("mmsfit/", env!("CARGO_PKG_VERSION")))
            .header(header::ACCEPT, "application/rdf+xml, application/xml, text/xml, */*;q=0.5")
            .header(header::ACCEPT_ENCODING, "identity")
            .header(header::CONNECTION, "close")
            .body(Empty::<Buffer>::new())
            .map_err(|_| Refusal::BadUrl)?;
        let response = sender.send_request(request).await.map_err(|_| Refusal::Broken)?;
        match response.status() {
            StatusCode::OK => self.document(response).await.map(Hop::Document),
            StatusCode::MOVED_PERMANENTLY
            | StatusCode::FOUND
            | StatusCode::SEE_OTHER
            | StatusCode::TEMPORARY_REDIRECT
            | StatusCode::PERMANENT_REDIRECT => {
                let location = response.headers().get(header::LOCATION);
                let location = location.and_then(|value| value.to_str().ok());
                location.map(|to| Hop::Elsewhere(to.to_owned())).ok_or(Refusal::Redirect)
            }
            other => Err(Refusal::Status(other.as_u16())),
        }
    }

    async fn document(&self, response: Response<Incoming>) -> Result<Vec<u8>, Refusal> {
        if is_coded(response.headers()) {
            return Err(Refusal::Compressed);
        }
        let most = self.settings.max_bytes.as_usize();
        let mut body = response.into_body();
        if body.size_hint().lower() > most as u64 {
            return Err(Refusal::TooLarge);
        }
        let mut xml = Vec::new();
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|_| Refusal::Broken)?;
            let Ok(data) = frame.into_data() else { continue };
            if xml.len() + data.len() > most {
                return Err(Refusal::TooLarge);
            }
            xml.extend_from_slice(&data);
        }
        Ok(xml)
    }
}

/// Whether the body has a coding of any kind: nothing is ever decompressed.
fn is_coded(headers: &HeaderMap) -> bool {
    let plain = |value: &header::HeaderValue| value.as_bytes().eq_ignore_ascii_case(b"identity");
    let chunked = |value: &header::HeaderValue| value.as_bytes().eq_ignore_ascii_case(b"chunked");
    !headers.get_all(header::CONTENT_ENCODING).iter().all(plain)
        || !headers.get_all(header::TRANSFER_ENCODING).iter().all(chunked)
}
