//! mmsfit: content adaptation for multimedia messages.
//!
//! Data flows one way: bytes + profile → model → plan → fit → bytes + report. The rooms and the
//! direction of imports are drawn in `ARCHITECTURE.md` and kept by `tests/tidy`.

// pure: values in, values out
pub mod fit;
pub mod message;
pub mod model;
pub mod plan;
pub mod policy;
pub mod profile;
pub mod quality;
pub mod text;
// media: heavy, still bytes in, bytes out
pub mod codec;
// engine
pub mod pipeline;
pub mod worker;
// service
pub mod config;
pub mod service;
// shells
pub mod batch;
pub mod capacity;
pub mod cli;
pub mod grpc;

// What the tests of both packages share names this one as they do.
#[cfg(test)]
extern crate self as mmsfit;

#[cfg(test)]
#[path = "../tests/support/contract.rs"]
mod contract;
#[cfg(test)]
#[path = "../tests/support/cost.rs"]
mod cost;
#[cfg(test)]
#[path = "../tests/support/need.rs"]
mod need;
