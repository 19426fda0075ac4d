//! Every codec written in C, in processes that are confined before they see the first byte.
//!
//! The story of one job, in order: [`zygote`] loads the libraries, proves that its confinement
//! holds, greets the host and waits; for every job it forks; the child closes all descriptors
//! but its socket, enters the [`lockdown`], and [`serve`]s the calls of the `Codec` trait with
//! the codecs of this package until the host hangs up.
//!
//! Architecture invariant: no codec sees a byte of input outside a child in lockdown; the zygote
//! has one thread and reads nothing but the host's orders; no network, no files, no profile.

pub mod faults;
pub mod heif;
pub mod libav;
pub mod lockdown;
pub mod serve;
pub mod zygote;

#[cfg(test)]
#[path = "../../tests/support/need.rs"]
mod need;
