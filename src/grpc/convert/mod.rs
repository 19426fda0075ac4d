//! Generated types to the service's own and back. What a request states is checked here field by
//! field; what it means is decided by the service.

mod enums;
mod report;
mod request;
mod response;
mod violations;

#[cfg(test)]
mod tests;

pub use violations::{BadRequest, Violation};

use crate::model::Bytes;

/// A count for the wire; what does not fit in 32 bits becomes the largest that does.
fn count(bytes: Bytes) -> u32 {
    u32::try_from(bytes.get()).unwrap_or(u32::MAX)
}
