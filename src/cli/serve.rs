//! `mmsfit serve`: the one place where the command starts the gRPC shell.

use std::{net::SocketAddr, path::Path, sync::Arc};

use tokio::task::JoinHandle;

use crate::{
    batch::write,
    config::{Config, TracingConfig},
    grpc::{self, ServeError},
    offload::Offload,
    service::Service,
    telemetry::{
        admin::{self, Page, Readiness},
        traces::{Counter, Traces},
    },
};

use super::{
    Failure,
    args::ServeArgs,
    notify,
    reload::{Files, shutdown},
    term::Screen,
};

/// Serves until Ctrl-C or SIGTERM, then lets the calls in flight finish. `config`: the file that the
/// service was configured by.
pub fn run(
    service: Service,
    config: Option<&Path>,
    args: &ServeArgs,
    (screen, verbose): (&Screen, u8),
) -> Result<u8, Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::internal("RUNTIME", error.to_string()))?;
    runtime.block_on(async {
        let traces = start_traces(service.config())?;
        let color = screen.err_has_color();
        super::setup::start_logging(verbose, color, args.log_format, traces.as_ref());
        let files = Files::read(service, config)?;
        let (offload, readiness) = (files.offload.clone(), Readiness::default());
        let beat = tokio::spawn(notify::alive());
        let counter = traces.as_ref().map(Traces::counter);
        // First of all: a service whose workers do not start can be seen not to be ready.
        let admin = start_admin(&offload, (readiness.clone(), counter), args, screen).await?;
        // Nothing else waits on this thread.
        tokio::task::block_in_place(|| super::setup::start_workers(&offload.service()))?;
        let ended = start(files, args, readiness, screen).await;
        beat.abort();
        if let Some(traces) = traces {
            traces.end().await;
        }
        if let Some(admin) = admin {
            admin.abort();
        }
        ended
    })?;
    Ok(0)
}

/// Traces, where a collector is named.
fn start_traces(config: &Config) -> Result<Option<Traces>, Failure> {
    let TracingConfig { otlp_endpoint, sample_ratio, service_name } = &config.tracing;
    let Some(endpoint) = otlp_endpoint else { return Ok(None) };
    let traces = Traces::start(endpoint.as_str(), sample_ratio.get(), service_name);
    traces.map(Some).map_err(|error| Failure::usage("CONFIG", error.to_string()))
}

/// The admin port, where one is asked for. It outlives the service: how that ends can be seen.
async fn start_admin(
    offload: &Offload,
    (readiness, spans): (Readiness, Option<Counter>),
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
    let scrape = Arc::new(move |format| {
        if let Some(spans) = &spans {
            offload.metrics().spans(spans.counts());
        }
        offload.scrape(format)
    });
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
    notify::ready();
    let shutdown = async move {
        shutdown.await;
        notify::stopping();
        readiness.ending();
    };
    grpc::serve(offload, listener, shutdown).await.map_err(failed)
}

fn write_address(path: Option<&Path>, bound: SocketAddr) -> Result<(), Failure> {
    let Some(path) = path else { return Ok(()) };
    write::whole(path, bound.to_string().as_bytes())
        .map_err(|error| Failure::internal("PORT_FILE", error.to_string()))
}
