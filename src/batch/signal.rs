//! Ctrl-C and SIGTERM: the first lets the files at work finish, the second abandons them.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
};

use tokio::{
    signal::unix::{Signal, SignalKind, signal},
    sync::oneshot,
};

use crate::model::{Stop, StopCause};

/// Listens until dropped.
pub struct Watch {
    stopping: Arc<AtomicBool>,
    stop: Stop,
    end: Option<oneshot::Sender<()>>,
    thread: Option<thread::JoinHandle<()>>,
}

impl Watch {
    /// Starts to listen: from its return on, no signal is missed. Where that is not possible the
    /// run goes on without.
    pub fn start() -> Self {
        let stopping = Arc::new(AtomicBool::new(false));
        let stop = Stop::never();
        let (end, ended) = oneshot::channel();
        let thread = tokio::runtime::Builder::new_current_thread()
            .enable_io()
            .build()
            .and_then(|runtime| {
                let (stopping, stop) = (stopping.clone(), stop.clone());
                let signals = runtime.block_on(async {
                    Ok::<_, std::io::Error>([
                        signal(SignalKind::interrupt())?,
                        signal(SignalKind::terminate())?,
                    ])
                })?;
                thread::Builder::new()
                    .name("signals".into())
                    .spawn(move || runtime.block_on(listen(signals, &stopping, &stop, ended)))
            })
            .ok();
        Self { stopping, stop, end: Some(end), thread }
    }

    /// Whether to begin nothing more.
    pub fn stopping(&self) -> bool {
        self.stopping.load(Ordering::Relaxed)
    }

    /// Set at the second signal.
    pub fn stop(&self) -> Stop {
        self.stop.clone()
    }
}

async fn listen(
    [mut interrupt, mut terminate]: [Signal; 2],
    stopping: &AtomicBool,
    stop: &Stop,
    mut ended: oneshot::Receiver<()>,
) {
    loop {
        tokio::select! {
            _ = &mut ended => return,
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        if stopping.swap(true, Ordering::Relaxed) {
            stop.set(StopCause::Cancelled);
        }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        drop(self.end.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
