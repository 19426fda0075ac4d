//! The media types that parts are declared with.

use super::{PartFacts, device};
use crate::model::{AcceptList, MediaKind, MediaType};

/// Whether the device lists a medium by another name than it is declared with: `image/jpg` for one
/// that lists `image/jpeg`.
fn is_alias(facts: &PartFacts, accept: &AcceptList) -> bool {
    let media = [MediaKind::Image, MediaKind::Audio, MediaKind::Video];
    let same = |item: &&String| MediaType::fold(item) == facts.info.media_type;
    media.contains(&facts.info.kind)
        && !facts.spelling.is_empty()
        && !accept.spellings().contains(&facts.spelling)
        && accept.spellings().iter().any(|item| same(&item))
}

/// Whether a part that stays must be redeclared. Parts that could not be read are left alone.
pub(super) fn is_wrong(facts: &PartFacts, accept: &AcceptList) -> bool {
    let (declared, found) = (&facts.declared, &facts.info.media_type);
    let wrong = declared != found && facts.problem.is_none();
    if declared == found && facts.problem.is_none() && is_alias(facts, accept) {
        return true;
    }
    match facts.info.kind {
        MediaKind::Image => wrong,
        MediaKind::Audio | MediaKind::Video => {
            let twin = device::twins(declared, found) && accept.accepts(declared);
            wrong && facts.is_readable() && accept.accepts(found) && !twin
        }
        _ => false,
    }
}
