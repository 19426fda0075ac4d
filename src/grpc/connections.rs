//! Connections: so many at most, of one peer not too many, and none that only holds its place.

use std::{
    collections::HashMap,
    io,
    net::{IpAddr, SocketAddr},
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll, ready},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{TcpListener, TcpStream},
    sync::mpsc,
    time::{Instant, Sleep, sleep, timeout},
};
use tokio_rustls::server::TlsStream;
use tokio_stream::wrappers::ReceiverStream;
use tonic::transport::server::{Connected, TcpConnectInfo};

use super::tls::Tls;
use crate::{
    config::ServerConfig,
    telemetry::{Metrics, Refused},
};

/// How long a handshake may take.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// A peer that is alive answers the PINGs of `serve`: after this long without a byte it is not.
const SILENCE: Duration = Duration::from_secs(90);
/// After a failed accept (no descriptors left) the next is not tried at once.
const PAUSE: Duration = Duration::from_millis(50);

/// Connections as they come, until the stream is dropped.
pub(super) fn accept(
    listener: TcpListener,
    tls: Option<Tls>,
    config: &ServerConfig,
    metrics: Metrics,
) -> ReceiverStream<io::Result<Connection>> {
    let (ready, incoming) = mpsc::channel(16);
    let places = Places {
        open: Arc::default(),
        most: config.max_connections,
        most_per_peer: config.max_connections_per_peer,
    };
    tokio::spawn(async move {
        loop {
            let accepted = tokio::select! {
                () = ready.closed() => return,
                accepted = listener.accept() => accepted,
            };
            let (stream, peer) = match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    tracing::warn!(%error, "a connection was not accepted");
                    sleep(PAUSE).await;
                    continue;
                }
            };
            let Some(place) = places.take(peer.ip()) else {
                metrics.connection_refused(Refused::TooMany);
                tracing::debug!("a connection was turned away: too many are open");
                continue;
            };
            // A slow handshake holds up no other.
            let (ready, tls, metrics) = (ready.clone(), tls.clone(), metrics.clone());
            tokio::spawn(async move {
                match timeout(HANDSHAKE, open(stream, tls)).await {
                    Ok(Ok(stream)) => {
                        let idle = Box::pin(sleep(SILENCE));
                        let connection = Connection { stream, peer, idle, _place: place };
                        // The server has ended: nobody is served any more.
                        let _ = ready.send(Ok(connection)).await;
                    }
                    Ok(Err(error)) => {
                        metrics.connection_refused(Refused::Handshake);
                        tracing::debug!(%error, "a connection was not opened");
                    }
                    Err(_) => {
                        metrics.connection_refused(Refused::Silent);
                        tracing::debug!("a connection was not opened in time");
                    }
                }
            });
        }
    });
    ReceiverStream::new(incoming)
}

async fn open(stream: TcpStream, tls: Option<Tls>) -> io::Result<Stream> {
    stream.set_nodelay(true)?;
    match tls {
        Some(tls) => Ok(Stream::Tls(Box::new(tls.accept(stream).await?))),
        None => {
            // Whoever connects and says nothing has no connection yet.
            stream.readable().await?;
            Ok(Stream::Plain(stream))
        }
    }
}

/// How many connections are open, and of whom.
#[derive(Clone)]
struct Places {
    open: Arc<Mutex<HashMap<IpAddr, usize>>>,
    most: usize,
    most_per_peer: usize,
}

impl Places {
    fn take(&self, peer: IpAddr) -> Option<Place> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let all: usize = open.values().sum();
        let own = open.get(&peer).copied().unwrap_or_default();
        if all >= self.most || own >= self.most_per_peer {
            return None;
        }
        open.insert(peer, own + 1);
        Some(Place { open: Arc::clone(&self.open), peer })
    }
}

/// Given back when dropped.
struct Place {
    open: Arc<Mutex<HashMap<IpAddr, usize>>>,
    peer: IpAddr,
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(own) = open.get_mut(&self.peer) {
            *own -= 1;
            if *own == 0 {
                open.remove(&self.peer);
            }
        }
    }
}

enum Stream {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

/// An open connection. Reading from a peer that is silent for too long fails.
pub(super) struct Connection {
    stream: Stream,
    peer: SocketAddr,
    idle: Pin<Box<Sleep>>,
    _place: Place,
}

impl Connected for Connection {
    type ConnectInfo = TcpConnectInfo;

    fn connect_info(&self) -> TcpConnectInfo {
        TcpConnectInfo { local_addr: None, remote_addr: Some(self.peer) }
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let read = match &mut self.stream {
            Stream::Plain(stream) => Pin::new(stream).poll_read(cx, buffer),
            Stream::Tls(stream) => Pin::new(stream).poll_read(cx, buffer),
        };
        if read.is_ready() {
            self.idle.as_mut().reset(Instant::now() + SILENCE);
            return read;
        }
        ready!(self.idle.as_mut().poll(cx));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match &mut self.stream {
            Stream::Plain(stream) => Pin::new(stream).poll_write(cx, bytes),
            Stream::Tls(stream) => Pin::new(stream).poll_write(cx, bytes),
        }
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match &mut self.stream {
            Stream::Plain(stream) => Pin::new(stream).poll_write_vectored(cx, bytes),
            Stream::Tls(stream) => Pin::new(stream).poll_write_vectored(cx, bytes),
        }
    }

    fn is_write_vectored(&self) -> bool {
        match &self.stream {
            Stream::Plain(stream) => stream.is_write_vectored(),
            Stream::Tls(stream) => stream.is_write_vectored(),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.stream {
            Stream::Plain(stream) => Pin::new(stream).poll_flush(cx),
            Stream::Tls(stream) => Pin::new(stream).poll_flush(cx),
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.stream {
            Stream::Plain(stream) => Pin::new(stream).poll_shutdown(cx),
            Stream::Tls(stream) => Pin::new(stream).poll_shutdown(cx),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_come_back() {
        let places = Places { open: Arc::default(), most: 3, most_per_peer: 2 };
        let [a, b] = [[127, 0, 0, 1], [127, 0, 0, 2]].map(IpAddr::from);
        let first = places.take(a).expect("room");
        let _second = places.take(a).expect("room");
        assert!(places.take(a).is_none(), "too many of one peer");
        let other = places.take(b).expect("room");
        assert!(places.take(b).is_none(), "too many in all");
        drop((first, other));
        assert!(places.take(a).is_some() && places.open.lock().unwrap().len() == 1);
    }
}
