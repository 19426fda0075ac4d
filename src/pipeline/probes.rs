//! What was found out about bytes before, for whoever brings the same again.

use std::fmt;

use bytes::Bytes as Buffer;

use crate::{
    codec::{CodecError, DecodeLimits},
    model::MediaInfo,
};

/// Facts of media that other messages brought: a clip that goes to a thousand people is looked at in
/// a process of its own once. What is kept where, and for how long, is its owner's affair; what is
/// given must have been told of the same bytes under the same limits.
pub trait Probes: fmt::Debug + Send + Sync {
    /// What is known of these bytes under these limits, or what `probe` says of them.
    ///
    /// # Errors
    /// Those of `probe`, which are not kept.
    fn known_or(
        &self,
        data: &Buffer,
        limits: &DecodeLimits,
        probe: &dyn Fn() -> Result<MediaInfo, CodecError>,
    ) -> Result<MediaInfo, CodecError>;
}
