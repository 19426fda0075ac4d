//! `mmsfit serve`: the one place where the command starts the gRPC shell.

use std::{future::Future, net::SocketAddr, path::Path, sync::Arc};

use tokio::task::JoinHandle;

use crate::{
    batch::write,
    grpc::{self, ServeError},
    offload::Offload,
    service::Service,
    telemetry::admin::{self, Page, Readiness},
};

use super::{Failure, args::ServeArgs, term::Screen};

/// Serves until Ctrl-C or SIGTERM, then lets the calls in flight finish.
pub fn run(service: Service, args: &ServeArgs, screen: &Screen) -> Result<u8, Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::internal("RUNTIME", error.to_string()))?;
    runtime.block_on(async {
        let offload = Offload::new(service);
        let readiness = Readiness::default();
        // First of all: a service whose workers do not start can be seen not to be ready.
        let admin = start_admin(&offload, readiness.clone(), args, screen).await?;
        // Nothing else waits on this thread.
        tokio::task::block_in_place(|| super::setup::start_workers(offload.service()))?;
        let shutdown = shutdown()?;
        let ended = start(offload, args, readiness, shutdown, screen).await;
        if let Some(admin) = admin {
            admin.abort();
        }
        ended
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

/// The admin port, where one is asked for. It outlives the service: how that ends can be seen.
async fn start_admin(
    offload: &Offload,
    readiness: Readiness,
    args: &ServeArgs,
    screen: &Screen,
) -> Result<Option<JoinHandle<()>>, Failure> {
    let Some(address) = args.admin_listen.or(offload.service().config().admin_listen) else {
        return Ok(None);
    };
    let listener = admin::bind(address).await.map_err(|error| {
        Failure::internal("SERVE", format!("cannot listen on {address}: {error}"))
    })?;
    let bound = listener.addr();
    write_address(args.admin_port_file.as_deref(), bound)?;
    screen.out(&format!("serving metrics on http://{bound}/metrics\n"))?;
    let offload = offload.clone();
    let scrape = Arc::new(move |format| offload.scrape(format));
    Ok(Some(tokio::spawn(admin::serve(listener, Page { scrape, readiness }))))
}

/// Hands over to the gRPC shell.
async fn start(
    offload: Offload,
    args: &ServeArgs,
    readiness: Readiness,
    shutdown: impl Future<Output = ()> + Send + 'static,
    screen: &Screen,
) -> Result<(), Failure> {
    let failed = |error: ServeError| Failure::internal("SERVE", error.to_string());
    let address = args.listen.unwrap_or(offload.service().config().listen);
    let listener = grpc::bind(address).await.map_err(failed)?;
    let bound = listener.addr();
    // The socket takes connections from here on: calls wait there for a moment at most.
    readiness.serving();
    write_address(args.port_file.as_deref(), bound)?;
    screen.out(&format!("serving gRPC on {bound}\n"))?;
    let shutdown = async move {
        shutdown.await;
        readiness.ending();
    };
    grpc::serve(offload, listener, shutdown).await.map_err(failed)
}

fn write_address(path: Option<&Path>, bound: SocketAddr) -> Result<(), Failure> {
    let Some(path) = path else { return Ok(()) };
    write::whole(path, bound.to_string().as_bytes())
        .map_err(|error| Failure::internal("PORT_FILE", error.to_string()))
}
