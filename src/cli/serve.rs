//! `mmsfit serve`: the one place where the command starts the gRPC shell.

use std::{
    future::Future,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
};

use tokio::task::JoinHandle;

use crate::{
    batch::write,
    config::{Config, ProcessEnv},
    grpc::{self, Clients, ServeError, Tls},
    offload::Offload,
    service::Service,
    telemetry::admin::{self, Page, Readiness},
};

use super::{Failure, args::ServeArgs, term::Screen};

/// Serves until Ctrl-C or SIGTERM, then lets the calls in flight finish. `config`: the file that the
/// service was configured by.
pub fn run(
    service: Service,
    config: Option<&Path>,
    args: &ServeArgs,
    screen: &Screen,
) -> Result<u8, Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::internal("RUNTIME", error.to_string()))?;
    runtime.block_on(async {
        let files = Files::read(service, config)?;
        let (offload, readiness) = (files.offload.clone(), Readiness::default());
        // First of all: a service whose workers do not start can be seen not to be ready.
        let admin = start_admin(&offload, readiness.clone(), args, screen).await?;
        // Nothing else waits on this thread.
        tokio::task::block_in_place(|| super::setup::start_workers(&offload.service()))?;
        let ended = start(files, args, readiness, screen).await;
        if let Some(admin) = admin {
            admin.abort();
        }
        ended
    })?;
    Ok(0)
}

/// What is read from files, once more at every SIGHUP.
#[derive(Clone)]
struct Files {
    offload: Offload,
    config: Option<PathBuf>,
    tls: Option<Tls>,
    clients: Option<Clients>,
}

impl Files {
    fn read(service: Service, config: Option<&Path>) -> Result<Self, Failure> {
        let wrong = |error: String| Failure::usage("CONFIG", error);
        let server = &service.config().server;
        let tls = server.tls.as_ref().map(Tls::load).transpose();
        let clients = server.clients_file.as_deref().map(Clients::load).transpose();
        Ok(Self {
            tls: tls.map_err(|e| wrong(e.to_string()))?,
            clients: clients.map_err(|e| wrong(e.to_string()))?,
            config: config.map(Path::to_owned),
            offload: Offload::new(service),
        })
    }

    /// Each by itself: what cannot be read leaves the old in force.
    fn read_again(&self) {
        let old = "not reloaded, the old one stays in force";
        match Config::load(self.config.as_deref(), &ProcessEnv) {
            Ok(config) => {
                self.offload.reload(config);
                let service = self.offload.service();
                let (devices, carriers) = (service.devices().len(), service.carriers().len());
                tracing::warn!(devices, carriers, "configuration reloaded");
            }
            Err(error) => tracing::error!(%error, "configuration: {old}"),
        }
        match self.tls.as_ref().map(Tls::reload) {
            Some(Ok(())) => tracing::warn!("certificate reloaded"),
            Some(Err(error)) => tracing::error!(%error, "certificate: {old}"),
            None => {}
        }
        match self.clients.as_ref().map(Clients::reload) {
            Some(Ok(())) => tracing::warn!("clients reloaded"),
            Some(Err(error)) => tracing::error!(%error, "clients: {old}"),
            None => {}
        }
    }
}

/// Ready once the process is asked to end.
fn shutdown(files: Files) -> Result<impl Future<Output = ()> + Send + 'static, Failure> {
    use tokio::signal::unix::{SignalKind, signal};
    let listen =
        |kind| signal(kind).map_err(|error| Failure::internal("SIGNALS", error.to_string()));
    let mut interrupt = listen(SignalKind::interrupt())?;
    let mut terminate = listen(SignalKind::terminate())?;
    // A closing terminal must not end it.
    let mut hangup = listen(SignalKind::hangup())?;
    Ok(async move {
        loop {
            tokio::select! {
                _ = interrupt.recv() => return,
                _ = terminate.recv() => return,
                _ = hangup.recv() => {
                    let files = files.clone();
                    // Files are read off the async threads; one reload after the other.
                    let _ = tokio::task::spawn_blocking(move || files.read_again()).await;
                }
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
    files: Files,
    args: &ServeArgs,
    readiness: Readiness,
    screen: &Screen,
) -> Result<(), Failure> {
    let failed = |error: ServeError| Failure::internal("SERVE", error.to_string());
    let Files { offload, tls, clients, .. } = files.clone();
    let address = args.listen.unwrap_or(offload.service().config().listen);
    let listener = grpc::bind(address).await.map_err(failed)?;
    let listener = listener.with_tls(tls).with_clients(clients);
    let shutdown = shutdown(files)?;
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
