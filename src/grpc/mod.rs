//! The service over gRPC. Generated types stay in this room: `convert` turns them into the
//! service's own and back, `status` turns errors into `google.rpc.Status`.
//!
//! Architecture invariant: translates, never decides.

mod adaptation;
mod bodies;
mod clients;
mod connections;
mod convert;
mod deadline;
mod gate;
mod many;
mod metered;
mod profile;
mod serve;
mod status;
mod stream;
mod tls;

pub use adaptation::Adaptation;
pub use clients::Clients;
pub use convert::{BadRequest, Violation};
pub use profile::Profiles;
pub use serve::{Listener, ServeError, bind, serve};
pub use status::{ERROR_DOMAIN, from_error as status_from_error};
pub use tls::Tls;

/// Messages, clients and servers generated from `proto/mmsfit/v1`. Documented there.
#[allow(missing_docs, clippy::all, reason = "generated code")]
pub mod v1 {
    tonic::include_proto!("mmsfit.v1");
}

/// The descriptors of `proto/mmsfit/v1` and what it imports: a `google.protobuf.FileDescriptorSet`.
pub const DESCRIPTORS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/mmsfit_descriptor.bin"));
