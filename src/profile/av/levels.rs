//! Levels of the video codecs, and how documents state them.

use crate::model::{BitRate, Dimensions, VideoCodec, VideoSupport};

/// One level: its number as profiles state it, width, height, frames and bits per second.
pub(super) type Level = (u32, u32, u32, u32, u32);

/// ITU-T H.263 annex X table X.2, profile 0. Level 45 has the images of level 10 at twice the
/// bits and more (3GPP TS 26.234 clause 7.4). From level 50 on the standard allows custom sizes
/// above CIF; a decoder owes no more than CIF of the five usual ones.
const H263: [Level; 8] = [
    (10, 176, 144, 15, 64_000),
    (20, 352, 288, 15, 128_000),
    (30, 352, 288, 30, 384_000),
    (40, 352, 288, 30, 2_048_000),
    (45, 176, 144, 15, 128_000),
    (50, 352, 288, 30, 4_096_000),
    (60, 352, 288, 30, 8_192_000),
    (70, 352, 288, 30, 16_384_000),
];

/// ISO/IEC 14496-2 table N.1, simple profile: `profile_level_id` 8 is level 0, 9 level 0b, 4 is
/// level 4a; from 240 on advanced simple, which decodes simple streams of its level.
const MPEG4: [Level; 13] = [
    (8, 176, 144, 15, 64_000),
    (9, 176, 144, 15, 128_000),
    (1, 176, 144, 15, 64_000),
    (2, 352, 288, 15, 128_000),
    (3, 352, 288, 30, 384_000),
    (4, 640, 480, 30, 4_000_000),
    (5, 720, 576, 25, 8_000_000),
    (6, 1280, 720, 30, 12_000_000),
    (240, 176, 144, 30, 128_000),
    (242, 352, 288, 15, 384_000),
    (243, 352, 288, 30, 768_000),
    (244, 352, 288, 30, 3_000_000),
    (245, 720, 576, 25, 8_000_000),
];

/// ITU-T H.264 table A-1, the bounds being those that its macroblocks a second are meant for; 9
/// stands for level 1b.
const H264: [Level; 11] = [
    (10, 176, 144, 15, 64_000),
    (9, 176, 144, 15, 128_000),
    (11, 320, 240, 10, 192_000),
    (12, 320, 240, 20, 384_000),
    (13, 352, 288, 30, 768_000),
    (20, 352, 288, 30, 2_000_000),
    (21, 480, 288, 30, 4_000_000),
    (22, 640, 480, 15, 4_000_000),
    (30, 640, 480, 30, 10_000_000),
    (31, 1280, 720, 30, 14_000_000),
    (40, 1920, 1080, 30, 20_000_000),
];

/// What a decoder of that level does. A number between two levels is the lower one; what is above
/// all is the highest.
pub(super) fn level(codec: VideoCodec, number: u32) -> VideoSupport {
    let table: &[Level] = match codec {
        VideoCodec::H263 => &H263,
        VideoCodec::Mpeg4 => &MPEG4,
        VideoCodec::H264 => &H264,
    };
    let exact = table.iter().find(|level| level.0 == number);
    let below = || table.iter().filter(|level| level.0 <= number).max_by_key(|level| level.0);
    let (_, width, height, rate, bits) =
        *exact.or_else(below).or(table.first()).unwrap_or(&H263[0]);
    VideoSupport {
        codec,
        max_dimensions: Dimensions::at_least_one(width, height),
        max_frame_rate: rate,
        max_bitrate: BitRate::new(bits),
    }
}

/// A codec that a document names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::profile) struct Statement {
    pub(in crate::profile) codec: VideoCodec,
    /// `None`: the bare name, which says nothing of how far.
    pub(in crate::profile) level: Option<VideoSupport>,
}

/// The codec that a type names, with its parameters: `video/H263-2000;profile=0;level=45`. Blanks
/// around the marks vary, and so does the spelling. Containers name none, unless by `codecs=`.
pub(in crate::profile) fn stated(item: &str) -> Option<Statement> {
    let item = item.to_ascii_lowercase();
    let mut fields = item.split(';').map(str::trim);
    let essence = fields.next()?.replace([' ', '.'], "");
    let parameter = |names: &[&str]| {
        item.split(';').skip(1).find_map(|field| {
            let (name, value) = field.split_once('=')?;
            let value = value.trim().trim_matches('"');
            (names.contains(&name.trim()) && !value.is_empty()).then(|| value.to_owned())
        })
    };
    let id = || parameter(&["profile-level-id", "profile_level_id", "profile-level"]);
    let name = essence.strip_prefix("video/")?;
    // The prefixes of RealNetworks and of unregistered types.
    let name = name.trim_start_matches("x-").trim_start_matches("rn-").trim_start_matches("3gpp-");
    let of = |codec, number: Option<u32>| {
        Some(Statement { codec, level: number.map(|number| level(codec, number)) })
    };
    if name.starts_with("h264") || name.starts_with("avc") {
        let number = id().as_deref().and_then(h264_level);
        return of(VideoCodec::H264, number.or_else(|| h264_number(&parameter(&["level"])?)));
    }
    if name.starts_with("h263") {
        return of(VideoCodec::H263, parameter(&["level"]).and_then(|text| text.parse().ok()));
    }
    if matches!(
        name,
        "mp4v-es" | "mp4v" | "mpeg4" | "mpeg-4" | "mpg4" | "mpeg4-generic" | "mpeg4-visual"
    ) {
        return of(VideoCodec::Mpeg4, id().as_deref().and_then(mpeg4_level));
    }
    // RFC 6381: a container with what may lie in it.
    let codecs = parameter(&["codecs"])?;
    codecs.split(',').map(str::trim).find_map(|codec| {
        let (name, rest) = codec.split_once('.').unwrap_or((codec, ""));
        match name {
            "avc1" | "avc3" => of(VideoCodec::H264, h264_level(rest)),
            "mp4v" => of(VideoCodec::Mpeg4, rest.strip_prefix("20.").and_then(|n| n.parse().ok())),
            "s263" | "h263" => {
                let number = rest.rsplit('.').next().and_then(|n| n.parse().ok());
                of(VideoCodec::H263, number)
            }
            _ => None,
        }
    })
}

/// `9`, and what documents write for the names of levels, `0b` and `4a`.
fn mpeg4_level(id: &str) -> Option<u32> {
    match id {
        "0b" => Some(9),
        "4a" => Some(4),
        "0" => Some(8),
        _ => id.parse().ok().or_else(|| u32::from_str_radix(id, 16).ok()),
    }
}

/// Of a `profile-level-id` (RFC 6184 clause 8.1): profile, constraints, level, in hexadecimal.
/// Level 11 with constraint_set3 is level 1b.
fn h264_level(id: &str) -> Option<u32> {
    let byte = |at: usize| id.get(at..at + 2).and_then(|hex| u32::from_str_radix(hex, 16).ok());
    match (byte(2)?, byte(4)?) {
        (constraints, 11) if constraints & 0x10 != 0 => Some(9),
        (_, number) => Some(number),
    }
}

/// A level by its name: `13`, `1.3`, `1b`.
fn h264_number(text: &str) -> Option<u32> {
    if text == "1b" {
        return Some(9);
    }
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    let (whole, part): (u32, u32) = (whole.parse().ok()?, part.parse().unwrap_or(0));
    // `3` is level 3.0, `13` is level 1.3.
    if whole < 10 { Some(whole * 10 + part.min(9)) } else { Some(whole) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stated_levels_are_read_with_their_blanks() {
        for (item, codec, width, bits) in [
            ("video/H263-2000; profile = 0;level=45", VideoCodec::H263, 176, 128_000),
            ("video/H263-1998;profile=0;level=70", VideoCodec::H263, 352, 16_384_000),
            ("video/MP4V-ES;profile_level_id=9", VideoCodec::Mpeg4, 176, 128_000),
            ("video/MP4V-ES;profile_level_id=0B", VideoCodec::Mpeg4, 176, 128_000),
            ("video/MP4V-ES;;profile_level_id=4a", VideoCodec::Mpeg4, 640, 4_000_000),
            ("video/H264;profile-level-id=42F00B", VideoCodec::H264, 176, 128_000),
            ("video/H264;profile-level-id=42E01E", VideoCodec::H264, 640, 10_000_000),
            ("video/H264-2000;profile=0;level=10", VideoCodec::H264, 176, 64_000),
            ("video/H264; level=3.1", VideoCodec::H264, 1280, 14_000_000),
            ("video/mp4; codecs=\"avc1.42E01E, mp4a.40.2\"", VideoCodec::H264, 640, 10_000_000),
            ("video/3gpp;codecs=s263.0.45", VideoCodec::H263, 176, 128_000),
        ] {
            let found = stated(item).and_then(|s| s.level).expect(item);
            let found = (found.codec, found.max_dimensions.width(), found.max_bitrate.get());
            assert_eq!(found, (codec, width, bits), "{item}");
        }
    }

    #[test]
    fn bare_names_state_no_level() {
        for (item, codec) in [
            ("video/h264", VideoCodec::H264),
            ("video/H264;profile-level-id=", VideoCodec::H264),
            ("video/H264;profile-level-id=junk", VideoCodec::H264),
            ("video/x-h264", VideoCodec::H264),
            ("video/X-RN-H264", VideoCodec::H264),
            ("video/avc", VideoCodec::H264),
            ("video/h.263", VideoCodec::H263),
            ("video/X-RN-3GPP-H263", VideoCodec::H263),
            ("video/MP4V-ES", VideoCodec::Mpeg4),
            ("video/x-mpeg4", VideoCodec::Mpeg4),
        ] {
            assert_eq!(stated(item), Some(Statement { codec, level: None }), "{item}");
        }
        for item in ["audio/AMR", "video/mp4", "video/3gpp", "video/x-pv-mp4", "h264", ""] {
            assert_eq!(stated(item), None, "{item}");
        }
    }
}
