//! When the files of a running service are read again: at SIGHUP, and when they have changed.

use std::{
    future::Future,
    mem,
    path::{Path, PathBuf},
    time::Duration,
};

use tokio::time::{Instant, Interval, MissedTickBehavior, interval_at};

use crate::{
    config::{Config, ProcessEnv, Stamp},
    grpc::{Clients, Tls},
    offload::Offload,
    service::Service,
};

use super::{Failure, notify};

/// What is read from files, once more at every SIGHUP and when one of them has changed.
#[derive(Clone)]
pub struct Files {
    pub offload: Offload,
    config: Option<PathBuf>,
    /// What they looked like when they were read for the first time: before anybody is told that the
    /// service is there, so that no change after that is missed.
    first: Stamp,
    pub tls: Option<Tls>,
    pub clients: Option<Clients>,
}

impl Files {
    /// Reads them for the first time.
    ///
    /// # Errors
    /// Certificates or clients that cannot be used.
    pub fn read(service: Service, config: Option<&Path>) -> Result<Self, Failure> {
        let wrong = |error: String| Failure::usage("CONFIG", error);
        let first = Stamp::of(config, service.config());
        let server = &service.config().server;
        let tls = server.tls.as_ref().map(Tls::load).transpose();
        let clients = server.clients_file.as_deref().map(Clients::load).transpose();
        Ok(Self {
            tls: tls.map_err(|e| wrong(e.to_string()))?,
            clients: clients.map_err(|e| wrong(e.to_string()))?,
            config: config.map(Path::to_owned),
            first,
            offload: Offload::new(service)
                .with_profile_fetch()
                .map_err(|e| wrong(e.to_string()))?
                .with_scan(),
        })
    }

    /// Each by itself: what cannot be read leaves the old in force.
    fn read_again(&self) {
        notify::reloading();
        self.read_each();
        notify::ready();
    }

    fn read_each(&self) {
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
        // Always: nobody can tell from outside whether one of its libraries was upgraded.
        match self.offload.renew_workers() {
            Ok(Some(status)) => tracing::warn!(pid = status.pid, "worker started anew"),
            Ok(None) => {}
            Err(error) => tracing::error!(%error, "worker: {old}"),
        }
    }
}

impl Files {
    fn stamp(&self) -> Stamp {
        Stamp::of(self.config.as_deref(), self.offload.service().config())
    }
}

/// When files are looked at for changes, and what they looked like.
struct Watch {
    every: Option<Interval>,
    /// As they were read.
    read: Stamp,
    /// As they were when they were looked at last.
    last: Stamp,
}

impl Watch {
    fn new(files: &Files) -> Self {
        let seconds = files.offload.service().config().server.reload_seconds as u64;
        let stamp = files.first.clone();
        let every = (seconds > 0).then(|| {
            let time = Duration::from_secs(seconds);
            let mut every = interval_at(Instant::now() + time, time);
            every.set_missed_tick_behavior(MissedTickBehavior::Delay);
            every
        });
        Self { every, read: stamp.clone(), last: stamp }
    }

    async fn tick(&mut self) {
        match &mut self.every {
            Some(every) => drop(every.tick().await),
            None => std::future::pending().await,
        }
    }

    /// Whether they have changed, and rest: one that is being written is left for the next time.
    fn changed(&mut self, now: Stamp) -> bool {
        let before = mem::replace(&mut self.last, now);
        self.last == before && self.last != self.read
    }

    /// They were read.
    fn start_over(&mut self, now: Stamp) {
        (self.read, self.last) = (now.clone(), now);
    }
}

/// Ready once the process is asked to end; until then the files are read again when they are to be.
///
/// # Errors
/// No signals can be received.
pub fn shutdown(files: Files) -> Result<impl Future<Output = ()> + Send + 'static, Failure> {
    use tokio::signal::unix::{SignalKind, signal};
    let listen =
        |kind| signal(kind).map_err(|error| Failure::internal("SIGNALS", error.to_string()));
    let mut interrupt = listen(SignalKind::interrupt())?;
    let mut terminate = listen(SignalKind::terminate())?;
    // A closing terminal must not end it.
    let mut hangup = listen(SignalKind::hangup())?;
    Ok(async move {
        let mut watch = Watch::new(&files);
        loop {
            let asked = tokio::select! {
                _ = interrupt.recv() => return,
                _ = terminate.recv() => return,
                _ = hangup.recv() => true,
                () = watch.tick() => false,
            };
            // Files are read off the async threads; one reload after the other.
            let of = files.clone();
            let stamp = tokio::task::spawn_blocking(move || {
                let before = of.stamp();
                asked.then(|| of.read_again());
                before
            });
            let Ok(stamp) = stamp.await else { continue };
            if asked {
                watch.start_over(stamp);
            } else if watch.changed(stamp.clone()) {
                let of = files.clone();
                let _ = tokio::task::spawn_blocking(move || of.read_again()).await;
                watch.start_over(stamp);
            }
        }
    })
}
