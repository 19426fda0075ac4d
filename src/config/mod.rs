//! Environment and files to one typed [`Config`], with device documents and carriers loaded.
//! Binds nothing, starts nothing.

use crate::{codec::DecodeLimits, message::ParseLimits, model::Bytes};

/// All settings, resolved.
#[derive(Clone, Debug)]
pub struct Config {
    /// Limits on message structure.
    pub parse: ParseLimits,
    /// Limits on decoding.
    pub decode: DecodeLimits,
    /// Largest gRPC request. Default: 64 MiB.
    pub max_request_bytes: Bytes,
    /// Threads for CPU work. Default: one per core.
    pub threads: usize,
}
