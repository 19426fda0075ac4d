//! Pictures that stay without their metadata: the same pixels, bit for bit.

use super::Job;
use crate::{
    codec::{Codec, image::ImageCodec},
    message::Edit,
    model::{Bytes, MediaInfo},
    plan::PartPlan,
};

/// The edit of a part that is stripped. What cannot be stripped stays as it is.
pub(super) fn edit(job: &Job, part: &PartPlan) -> Edit {
    let origin = &job.message.parts()[part.id.index()];
    let content_type =
        job.capabilities.accept.spelling_of(part.redeclare.as_ref().unwrap_or(&origin.declared));
    match (ImageCodec.strip_metadata(&origin.data), &part.redeclare) {
        (Some(data), _) => Edit::Replace { content_type, data },
        (None, Some(_)) => Edit::Redeclare { content_type },
        (None, None) => Edit::Keep,
    }
}

/// What is left of a part that is stripped.
pub(super) fn after(job: &Job, part: &PartPlan, before: &MediaInfo) -> Option<MediaInfo> {
    if !part.strip {
        return None;
    }
    let data = ImageCodec.strip_metadata(&job.message.parts()[part.id.index()].data)?;
    Some(MediaInfo { bytes: Bytes::of(&data), has_metadata: false, ..before.clone() })
}
