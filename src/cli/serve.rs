//! `mmsfit serve`: the one place where the command starts the gRPC shell.

use std::{future::Future, net::SocketAddr, path::Path};

use crate::{
    batch::write,
    grpc::{self, ServeError},
    offload::Offload,
    service::Service,
};

use super::{Failure, args::ServeArgs, term::Screen};

/// Serves until Ctrl-C or SIGTERM, then lets the calls in flight finish.
pub fn run(service: Service, args: &ServeArgs, screen: &Screen) -> Result<u8, Failure> {
    super::setup::start_workers(&service)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::internal("RUNTIME", error.to_string()))?;
    runtime.block_on(async {
        let shutdown = shutdown()?;
        let address = args.listen.unwrap_or(service.config().listen);
        start(service, address, args.port_file.as_deref(), shutdown, screen).await
    })?;
    Ok(0)
}

/// Ready once the process is asked to end.
fn shutdown() -> Result<impl Future<Output = ()> + Send + 'static, Failure> {
    use tokio::signal::unix::{SignalKind, signal};
    let listen =
        |kind| signal(kind).map_err(|error| Failure::internal("SIGNALS", error.to_string()));
    let mut interrupt = listen(SignalKind::interrupt())?;
    let mut terminate = listen(SignalKind::terminate())?;
    // A closing terminal, or a SIGHUP meant to reload files, must not end it.
    let mut hangup = listen(SignalKind::hangup())?;
    Ok(async move {
        loop {
            tokio::select! {
                _ = interrupt.recv() => return,
                _ = terminate.recv() => return,
                _ = hangup.recv() => tracing::warn!("SIGHUP is ignored: files are read only at the start"),
            }
        }
    })
}

/// Hands over to the gRPC shell.
async fn start(
    service: Service,
    address: SocketAddr,
    port_file: Option<&Path>,
    shutdown: impl Future<Output = ()> + Send + 'static,
    screen: &Screen,
) -> Result<(), Failure> {
    let failed = |error: ServeError| Failure::internal("SERVE", error.to_string());
    let listener = grpc::bind(address).await.map_err(failed)?;
    let bound = listener.addr();
    if let Some(path) = port_file {
        write::whole(path, bound.to_string().as_bytes())
            .map_err(|error| Failure::internal("PORT_FILE", error.to_string()))?;
    }
    screen.out(&format!("serving gRPC on {bound}\n"))?;
    grpc::serve(Offload::new(service), listener, shutdown).await.map_err(failed)
}
