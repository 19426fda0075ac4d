//! A batch over many machines: a queue of object keys in NATS JetStream, bodies in an object store.
//!
//! A worker does an item at least once, and its result is there exactly once: results are
//! deterministic, a result is written under its one name before its row, and the row before the
//! item is acknowledged. So whoever does an item again, after a crash, writes the same bytes over
//! the same name, and the same row over the same row.
//!
//! Engine calls run on threads of their own; the async runtime only speaks to queue and store.

mod error;
mod item;
mod naming;
mod queue;
mod remote;
mod rows;
mod status;
mod store;
mod submit;
mod wanted;
mod wire;
mod worker;

pub use error::ClusterError;
pub use queue::{Access, JobName};
pub use rows::report;
pub use status::{Seen, Standing, cancel, status};
pub use submit::{Submission, Submitted, submit};
pub use worker::{Done, WorkerOptions, work};
