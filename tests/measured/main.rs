//! Tests of time and memory: of the process that they run in, so they have one of their own and
//! run one after the other in it. Each bound is measured against the same run's own baseline.

#[path = "../support/mod.rs"]
mod support;

mod campaign;
mod deadlines;
mod isolation;
mod lanes;
mod overload;
mod poison;
mod rolling;
mod worker_faults;

use tokio::sync::{Mutex, MutexGuard};

/// Holds the process for one test.
async fn alone() -> MutexGuard<'static, ()> {
    static PROCESS: Mutex<()> = Mutex::const_new(());
    PROCESS.lock().await
}
