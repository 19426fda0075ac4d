//! Codecs in other processes: the protocol that both executables speak, and the host's side.
//!
//! From an input to its process: [`host::RemoteCodec`] implements the same `Codec` as local ones;
//! every probe, session and verification of it is one **job**, that is one process, forked by the
//! **zygote** (`mmsfit-worker`, started once, its libraries loaded) and confined before it sees
//! the first byte. A job's socket carries the calls ([`protocol`]); another socket carries
//! the zygote's orders. A process that has parsed one sender's bytes never sees another's.
//!
//! Architecture invariant: imports only `model` and `codec`; the other side is never believed:
//! frames are capped, claims rechecked, time and memory bounded from outside.

pub mod host;
pub mod protocol;
