//! Which content class a message is in (mms-conformance.md §1).

use crate::model::{
    Bytes,
    ContentClass::{self, ImageBasic, ImageRich, Megapixel, Text, VideoBasic, VideoRich},
    Dimensions, MediaInfo, MediaKind,
};

/// The smallest class of the core domain that holds a message of these parts; `None` where it
/// is in none of them ("free mode").
pub(super) fn of<'a>(
    parts: impl IntoIterator<Item = &'a MediaInfo>,
    size: Bytes,
) -> Option<ContentClass> {
    let mut class = by_size(size)?;
    for part in parts {
        class = class.max(by_part(part)?);
    }
    Some(class)
}

/// Kilobytes of classes are of 1024 bytes.
fn by_size(size: Bytes) -> Option<ContentClass> {
    match size.get().div_ceil(1024) {
        0..=30 => Some(Text),
        31..=100 => Some(ImageRich),
        101..=300 => Some(VideoRich),
        301..=600 => Some(Megapixel),
        _ => None,
    }
}

fn by_part(part: &MediaInfo) -> Option<ContentClass> {
    match part.kind {
        MediaKind::Text | MediaKind::Presentation => Some(Text),
        MediaKind::Image => by_image(part),
        MediaKind::Audio => by_audio(part),
        MediaKind::Video => by_video(part),
        MediaKind::Drm | MediaKind::Other => None,
    }
}

fn by_image(part: &MediaInfo) -> Option<ContentClass> {
    // PNG is in no class of the core domain, though nearly all devices list it.
    let known = ["image/jpeg", "image/gif", "image/vnd.wap.wbmp"];
    if !known.contains(&part.media_type.as_str()) {
        return None;
    }
    let within = |w, h| {
        let size = part.dimensions?;
        Some(size.within(Dimensions::at_least_one(w, h).turned_to(size)))
    };
    [(160, 120, ImageBasic), (640, 480, ImageRich), (1600, 1200, Megapixel)]
        .into_iter()
        .find_map(|(w, h, class)| within(w, h)?.then_some(class))
}

fn by_audio(part: &MediaInfo) -> Option<ContentClass> {
    match part.media_type.as_str() {
        "audio/amr" => Some(ImageBasic),
        "audio/sp-midi" | "audio/midi" => Some(ImageRich),
        // 3GP with audio alone is AMR, as far as the core domain goes.
        "audio/3gpp" => Some(VideoBasic),
        _ => None,
    }
}

fn by_video(part: &MediaInfo) -> Option<ContentClass> {
    let file = ["video/3gpp", "video/3gpp2"].contains(&part.media_type.as_str());
    let codec = part.video.as_ref().is_none_or(|track| track.codec == "h263");
    let frame = part
        .dimensions
        .is_none_or(|size| [(176, 144), (128, 96)].contains(&(size.width(), size.height())));
    (file && codec && frame).then_some(VideoBasic)
}

#[cfg(test)]
mod tests {
    use super::{of as of_parts, *};
    use crate::model::{BitRate, MediaType, VideoTrack};

    fn part(media_type: &str, size: Option<(u32, u32)>) -> MediaInfo {
        MediaInfo {
            dimensions: size.and_then(|(w, h)| Dimensions::new(w, h)),
            ..MediaInfo::opaque(MediaType::fold(media_type), Bytes::new(1000))
        }
    }

    #[test]
    fn the_smallest_class_that_holds_all() {
        let text = part("text/plain", None);
        let small = part("image/jpeg", Some((120, 160)));
        let large = part("image/gif", Some((640, 480)));
        let photo = part("image/jpeg", Some((1200, 1600)));
        let voice = part("audio/amr", None);
        let tune = part("audio/sp-midi", None);
        let video = part("video/3gpp", Some((176, 144)));
        let of = |parts: &[&MediaInfo], kilobytes: u64| {
            of_parts(parts.iter().copied(), Bytes::new(kilobytes * 1024))
        };
        assert_eq!(of(&[&text], 1), Some(Text));
        assert_eq!(of(&[&text, &small], 30), Some(ImageBasic));
        assert_eq!(of(&[&text, &small], 31), Some(ImageRich));
        assert_eq!(of(&[&text, &large], 10), Some(ImageRich));
        assert_eq!(of(&[&text, &voice], 10), Some(ImageBasic));
        assert_eq!(of(&[&tune], 1), Some(ImageRich));
        assert_eq!(of(&[&video, &text], 50), Some(VideoBasic));
        assert_eq!(of(&[&video], 250), Some(VideoRich));
        assert_eq!(of(&[&photo, &video], 50), Some(Megapixel));
        assert_eq!(of(&[&text], 601), None);
    }

    #[test]
    fn what_is_in_no_class() {
        let mut wide = part("video/3gpp", Some((320, 240)));
        assert_eq!(of_parts([&wide], Bytes::new(1)), None);
        wide.dimensions = Dimensions::new(176, 144);
        wide.video = Some(VideoTrack {
            codec: "h264".into(),
            profile: String::new(),
            frame_rate: 15.0,
            bitrate: BitRate::ZERO,
        });
        assert_eq!(of_parts([&wide], Bytes::new(1)), None);
        for media_type in ["image/png", "audio/mp4", "application/pdf"] {
            let found = of_parts([&part(media_type, Some((10, 10)))], Bytes::new(1));
            assert_eq!(found, None, "{media_type}");
        }
    }
}
