//! `mmsfit serve`: the one place where the command starts the gRPC shell.

use std::{future::Future, net::SocketAddr};

use crate::service::Service;

use super::{Failure, args::ServeArgs, term::Screen};

/// Serves until Ctrl-C or SIGTERM, then lets the calls in flight finish.
pub fn run(service: Service, args: &ServeArgs, screen: &Screen) -> Result<u8, Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::internal("RUNTIME", error.to_string()))?;
    runtime.block_on(async {
        let shutdown = shutdown()?;
        start(service, args.listen, shutdown, screen).await
    })?;
    Ok(0)
}

/// Ready once somebody asks the process to end.
fn shutdown() -> Result<impl Future<Output = ()> + Send + 'static, Failure> {
    use tokio::signal::unix::{SignalKind, signal};
    let listen =
        |kind| signal(kind).map_err(|error| Failure::internal("SIGNALS", error.to_string()));
    let mut interrupt = listen(SignalKind::interrupt())?;
    let mut terminate = listen(SignalKind::terminate())?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}

/// Hands over to the gRPC shell.
async fn start(
    _service: Service,
    address: SocketAddr,
    shutdown: impl Future<Output = ()> + Send + 'static,
    _screen: &Screen,
) -> Result<(), Failure> {
    drop(shutdown);
    Err(Failure::internal("UNIMPLEMENTED", format!("serving on {address} is not there yet")))
}
