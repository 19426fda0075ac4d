//! A listener that no peer can hold up: few connections at once, each ended when it is silent or old.

use std::{
    future::Future,
    io,
    net::SocketAddr,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use axum::serve::Listener;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore},
    time::{Instant, Sleep, sleep, sleep_until},
};

/// Connections at once; more wait until one of them ends. A scraper or two, a prober, a person.
const MOST: usize = 32;
/// How long no byte may go either way.
pub(super) const SILENCE: Duration = Duration::from_secs(10);
/// How long a connection lives: one that sends a byte now and then ends, too. A scraper opens another.
const LIFE: Duration = Duration::from_secs(120);
/// How long it waits after the system had no more descriptors.
const BREATH: Duration = Duration::from_millis(500);

/// Accepts connections, few at once.
pub(super) struct Guarded {
    tcp: TcpListener,
    places: Arc<Semaphore>,
}

impl Guarded {
    pub fn new(tcp: TcpListener) -> Self {
        Self { tcp, places: Arc::new(Semaphore::new(MOST)) }
    }
}

impl Listener for Guarded {
    type Io = Timed;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Timed, SocketAddr) {
        loop {
            // Nobody closes it; if somebody did, waiting is all that is left.
            let Ok(place) = Arc::clone(&self.places).acquire_owned().await else {
                std::future::pending::<()>().await;
                continue;
            };
            match self.tcp.accept().await {
                Ok((stream, peer)) => return (Timed::new(stream, place), peer),
                Err(error) => {
                    tracing::warn!(%error, "admin: cannot accept a connection");
                    sleep(BREATH).await;
                }
            }
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.tcp.local_addr()
    }
}

/// A connection that ends when it is silent or old.
pub(super) struct Timed {
    stream: TcpStream,
    end: Instant,
    alarm: Pin<Box<Sleep>>,
    _place: OwnedSemaphorePermit,
}

impl Timed {
    fn new(stream: TcpStream, place: OwnedSemaphorePermit) -> Self {
        let now = Instant::now();
        let alarm = Box::pin(sleep_until(now + SILENCE));
        Self { stream, end: now + LIFE, alarm, _place: place }
    }

    /// What became of an attempt: progress puts the alarm off, and none waits for it.
    fn watched<T>(
        &mut self,
        cx: &mut Context<'_>,
        attempt: Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        if attempt.is_ready() {
            let next = (Instant::now() + SILENCE).min(self.end);
            self.alarm.as_mut().reset(next);
            return attempt;
        }
        match self.alarm.as_mut().poll(cx) {
            Poll::Ready(()) => Poll::Ready(Err(io::ErrorKind::TimedOut.into())),
            Poll::Pending => Poll::Pending,
        }
    }
}

impl AsyncRead for Timed {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let attempt = Pin::new(&mut self.stream).poll_read(cx, buf);
        self.watched(cx, attempt)
    }
}

impl AsyncWrite for Timed {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let attempt = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.watched(cx, attempt)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
