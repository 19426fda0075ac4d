//! A unary gRPC call over HTTP/2, without the layers of a client that does more: a generator is to send
//! tens of thousands of calls a second from one core, and what it takes of the machine that it
//! measures is in the figures (gRPC over HTTP/2: grpc/doc/PROTOCOL-HTTP2.md).

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use bytes::{Bytes as Buffer, BytesMut};
use h2::client::{self, SendRequest};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
    sync::{Mutex as Turn, oneshot},
    time::timeout,
};
use tonic::{
    Status,
    codegen::http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Uri, header, uri},
};

use super::{LoadError, tls::Secured};

/// The one method that is called.
const PATH: &str = "/mmsfit.v1.AdaptationService/Adapt";
/// As much as clients let a server send ahead: the windows of tonic's client.
const STREAM_WINDOW: u32 = 2 << 20;
const CONNECTION_WINDOW: u32 = 5 << 20;
/// What a connection may take until both sides have spoken.
const CONNECT: Duration = Duration::from_secs(5);
/// The prefix of a gRPC message: whether it is compressed, and its length.
pub(super) const PREFIX: usize = 5;

/// What a call sends: pieces in order, shared with other calls where they are the same.
pub(super) type Pieces = [Buffer; 3];

/// Where calls go.
#[derive(Clone, Debug)]
pub(super) struct Address {
    /// As its user wrote it.
    text: String,
    /// Of each call.
    uri: Uri,
    host: String,
    port: u16,
    tls: Option<Secured>,
}

impl Address {
    /// `http://host:port`, or `https://…` with `tls`.
    ///
    /// # Errors
    /// It is none, or what is told of TLS does not fit to it.
    pub(super) fn new(text: &str, tls: &super::Security) -> Result<Self, LoadError> {
        let wrong = || LoadError::Address(text.to_owned());
        let parsed: Uri = text.parse().map_err(|_| wrong())?;
        let scheme = parsed.scheme().ok_or_else(wrong)?.clone();
        let is_secured = scheme == uri::Scheme::HTTPS;
        if !is_secured && scheme != uri::Scheme::HTTP || !matches!(parsed.path(), "" | "/") {
            return Err(wrong());
        }
        let authority = parsed.authority().ok_or_else(wrong)?;
        let host = authority.host().trim_start_matches('[').trim_end_matches(']').to_owned();
        let port = authority.port_u16().unwrap_or(if is_secured { 443 } else { 80 });
        let uri = Uri::builder().scheme(scheme).authority(authority.clone()).path_and_query(PATH);
        let uri = uri.build().map_err(|_| wrong())?;
        let tls = match is_secured {
            true => Some(Secured::new(tls, &host)?),
            false if tls.is_default() => None,
            false => return Err(LoadError::NotSecured),
        };
        Ok(Self { text: text.to_owned(), uri, host, port, tls })
    }

    /// Connects, and waits until the other side has spoken: one that asks for a certificate says only
    /// then that it has got none.
    async fn connect(&self) -> Result<SendRequest<Buffer>, LoadError> {
        let failed = |error: String| LoadError::Unreachable { target: self.text.clone(), error };
        let connect = async {
            let stream = TcpStream::connect((self.host.as_str(), self.port)).await;
            let stream = stream.map_err(|error| failed(error.to_string()))?;
            // What waits for more to be sent along would be slower than its service.
            stream.set_nodelay(true).map_err(|error| failed(error.to_string()))?;
            match &self.tls {
                None => greet(stream).await.map_err(failed),
                Some(tls) => {
                    let stream = tls
                        .handshake(stream)
                        .await
                        .map_err(|error| failed(format!("no TLS that is trusted: {error}")))?;
                    greet(stream).await.map_err(failed)
                }
            }
        };
        let late = || failed(format!("no answer in {} s", CONNECT.as_secs()));
        timeout(CONNECT, connect).await.map_err(|_| late())?
    }
}

/// The beginning of HTTP/2, and a ping, answered.
async fn greet<T>(stream: T) -> Result<SendRequest<Buffer>, String>
where
    T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let handshake = client::Builder::new()
        .initial_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .enable_push(false)
        .handshake::<_, Buffer>(stream);
    let (sender, mut connection) = handshake.await.map_err(|error| error.to_string())?;
    let ping = connection.ping_pong();
    let (ended, why) = oneshot::channel();
    tokio::spawn(async move {
        let end = connection.await;
        let _ =
            ended.send(end.map_or_else(|error| error.to_string(), |()| "it hung up".to_owned()));
    });
    if let Some(mut ping) = ping
        && let Err(error) = ping.ping(h2::Ping::opaque()).await
    {
        return Err(why.await.unwrap_or_else(|_| error.to_string()));
    }
    Ok(sender)
}

/// A connection, which is made again once it has ended. Clones share it.
#[derive(Clone, Debug)]
pub(super) struct Link {
    to: Arc<Address>,
    now: Arc<Mutex<(u64, SendRequest<Buffer>)>>,
    /// Whoever finds it ended makes the next; the others wait.
    turn: Arc<Turn<()>>,
}

impl Link {
    pub(super) async fn new(to: Arc<Address>) -> Result<Self, LoadError> {
        let sender = to.connect().await?;
        Ok(Self { to, now: Arc::new(Mutex::new((0, sender))), turn: Arc::default() })
    }

    fn now(&self) -> (u64, SendRequest<Buffer>) {
        self.now.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    async fn sender(&self) -> Result<SendRequest<Buffer>, Status> {
        let (number, sender) = self.now();
        if let Ok(sender) = sender.ready().await {
            return Ok(sender);
        }
        let _turn = self.turn.lock().await;
        let (later, sender) = self.now();
        if later != number {
            return Ok(sender);
        }
        let made = self.to.connect().await;
        let sender = made.map_err(|error| Status::unavailable(error.to_string()))?;
        *self.now.lock().unwrap_or_else(PoisonError::into_inner) = (number + 1, sender.clone());
        Ok(sender)
    }

    /// Sends a message, and gives the one that is answered.
    pub(super) async fn unary(&self, call: &Headers, body: Pieces) -> Result<Buffer, Status> {
        let mut sender = self.sender().await?;
        let mut request = Request::new(());
        *request.method_mut() = Method::POST;
        *request.uri_mut() = self.to.uri.clone();
        *request.headers_mut() = call.0.clone();
        let (answer, mut stream) = sender.send_request(request, false).map_err(failed)?;
        let last = body.iter().rposition(|piece| !piece.is_empty()).unwrap_or(0);
        for (at, piece) in body.into_iter().take(last + 1).enumerate() {
            stream.send_data(piece, at == last).map_err(failed)?;
        }
        let (head, mut body) = answer.await.map_err(failed)?.into_parts();
        if let Some(status) = Status::from_header_map(&head.headers) {
            return Err(status);
        }
        if head.status != 200 {
            return Err(Status::unknown(format!("HTTP {}", head.status.as_u16())));
        }
        let (mut first, mut more) = (Buffer::new(), BytesMut::new());
        while let Some(data) = body.data().await {
            let data = data.map_err(failed)?;
            let _ = body.flow_control().release_capacity(data.len());
            if first.is_empty() {
                first = data;
                continue;
            }
            if more.is_empty() {
                more.extend_from_slice(&first);
            }
            more.extend_from_slice(&data);
        }
        let trailers = body.trailers().await.map_err(failed)?;
        match trailers.as_ref().and_then(Status::from_header_map) {
            None => return Err(Status::unknown("no status at the end")),
            Some(status) if status.code() != tonic::Code::Ok => return Err(status),
            Some(_) => {}
        }
        let mut message = if more.is_empty() { first } else { more.freeze() };
        // Nobody asked for compression.
        let [0, length @ ..] = message.get(..PREFIX).unwrap_or_default() else {
            return Err(Status::internal("the answer is no gRPC message"));
        };
        let length = length.iter().fold(0, |sum, byte| sum << 8 | usize::from(*byte));
        if message.len() - PREFIX != length {
            return Err(Status::internal("the answer is not one gRPC message"));
        }
        Ok(message.split_off(PREFIX))
    }
}

fn failed(error: h2::Error) -> Status {
    Status::from_error(Box::new(error))
}

/// The headers of all calls.
#[derive(Clone, Debug)]
pub(super) struct Headers(HeaderMap);

impl Headers {
    /// With what a caller gives a call, and `Bearer …`.
    pub(super) fn new(deadline: Duration, token: Option<&str>) -> Result<Self, LoadError> {
        let mut headers = HeaderMap::with_capacity(5);
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
        headers.insert(header::TE, HeaderValue::from_static("trailers"));
        let agent = concat!("mmsfit-load/", env!("CARGO_PKG_VERSION"));
        headers.insert(header::USER_AGENT, HeaderValue::from_static(agent));
        // At most eight digits; a day in milliseconds is that many.
        let left = format!("{}m", deadline.as_millis().clamp(1, 99_999_999));
        let left = HeaderValue::from_str(&left).map_err(|_| LoadError::Token)?;
        headers.insert(HeaderName::from_static("grpc-timeout"), left);
        if let Some(token) = token {
            let bearer = HeaderValue::from_str(&format!("Bearer {token}"));
            let mut bearer = bearer.map_err(|_| LoadError::Token)?;
            bearer.set_sensitive(true);
            headers.insert(header::AUTHORIZATION, bearer);
        }
        Ok(Self(headers))
    }
}
