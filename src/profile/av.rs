//! Which video and sound a device decodes: by the levels that it states, by its MMS content
//! class, or by the kind of device that it is.

use super::rules::DeviceFacts;
use crate::model::{
    AudioCodec, Dimensions, MediaType, Provenance, Sourced, VideoCodec, VideoSupport,
};

/// One level: its number as profiles state it, width, height, frames and bits per second.
type Level = (u32, u32, u32, u32, u32);

/// ITU-T H.263 annex X table X.2, profile 0. Level 45 has the pictures of level 10 at twice the
/// bits and more (3GPP TS 26.234 clause 7.4).
const H263: [Level; 5] = [
    (10, 176, 144, 15, 64_000),
    (20, 352, 288, 15, 128_000),
    (30, 352, 288, 30, 384_000),
    (40, 352, 288, 30, 2_048_000),
    (45, 176, 144, 15, 128_000),
];

/// ISO/IEC 14496-2 table N.1, simple profile: `profile_level_id` 8 is level 0, 9 level 0b.
const MPEG4: [Level; 5] = [
    (8, 176, 144, 15, 64_000),
    (9, 176, 144, 15, 128_000),
    (1, 176, 144, 15, 64_000),
    (2, 352, 288, 15, 128_000),
    (3, 352, 288, 30, 384_000),
];

/// ITU-T H.264 table A-1, the box being the one that its macroblocks a second are meant for; 9
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

fn support(codec: VideoCodec, (_, width, height, rate, bits): Level) -> VideoSupport {
    VideoSupport {
        codec,
        max_dimensions: Dimensions::at_least_one(width, height),
        max_frame_rate: rate,
        max_bitrate: bits,
    }
}

fn level(table: &[Level], number: u32) -> Level {
    // A number between two levels is the lower one; what is above all is the highest.
    let exact = table.iter().find(|level| level.0 == number);
    let below = || table.iter().filter(|level| level.0 <= number).max_by_key(|level| level.0);
    *exact.or_else(below).unwrap_or(&table[0])
}

/// A stated type with its parameters, `video/H263-2000;profile=0;level=45`: blanks around the
/// marks vary.
fn stated(item: &str) -> Option<VideoSupport> {
    let item = item.to_ascii_lowercase();
    let mut fields = item.split(';').map(str::trim);
    let essence = fields.next()?.replace(' ', "");
    let parameter = |names: &[&str]| {
        item.split(';').skip(1).find_map(|field| {
            let (name, value) = field.split_once('=')?;
            names.contains(&name.trim()).then(|| value.trim().to_owned())
        })
    };
    match essence.as_str() {
        "video/h263" | "video/h263-2000" | "video/h263-1998" => {
            let number = parameter(&["level"]).and_then(|text| text.parse().ok()).unwrap_or(10);
            Some(support(VideoCodec::H263, level(&H263, number)))
        }
        "video/mp4v-es" => {
            let number = parameter(&["profile-level-id", "profile_level_id", "profile-level"]);
            let number = number.and_then(|text| text.parse().ok()).unwrap_or(8);
            Some(support(VideoCodec::Mpeg4, level(&MPEG4, number)))
        }
        "video/h264" | "video/avc" => {
            let id = parameter(&["profile-level-id", "profile_level_id"]);
            Some(support(VideoCodec::H264, id.as_deref().map_or(H264[0], h264_level)))
        }
        _ => None,
    }
}

/// Of a `profile-level-id` (RFC 6184 clause 8.1): profile, constraints, level, in hexadecimal.
/// Level 11 with constraint_set3 is level 1b.
fn h264_level(id: &str) -> Level {
    let byte = |at: usize| id.get(at..at + 2).and_then(|hex| u32::from_str_radix(hex, 16).ok());
    match (byte(2), byte(4)) {
        (Some(constraints), Some(11)) if constraints & 0x10 != 0 => level(&H264, 9),
        (_, Some(number)) => level(&H264, number),
        _ => H264[0],
    }
}

/// What a list of stated types says of video, the best codec first; `byte_rate` is
/// VideoDecodingByteRate, zero where unspecified.
pub(super) fn of_streams(items: &[String], byte_rate: u32) -> Option<Vec<VideoSupport>> {
    let mut found: Vec<VideoSupport> = Vec::new();
    for mut one in items.iter().filter_map(|item| stated(item)) {
        if byte_rate > 0 {
            one.max_bitrate = one.max_bitrate.min(byte_rate.saturating_mul(8)).max(20_000);
        }
        match found.iter_mut().find(|other| other.codec == one.codec) {
            // The largest of several of one codec.
            Some(other) => {
                if (one.max_dimensions.pixels(), one.max_bitrate)
                    > (other.max_dimensions.pixels(), other.max_bitrate)
                {
                    *other = one;
                }
            }
            None => found.push(one),
        }
    }
    found.sort_by_key(|one| std::cmp::Reverse(one.codec));
    (!found.is_empty()).then_some(found)
}

/// Video containers that messages carry.
const VIDEO: [&str; 3] = ["video/3gpp", "video/mp4", "video/3gpp2"];

impl DeviceFacts<'_> {
    fn takes(&self, kind: &str) -> bool {
        self.accept.accepts(&MediaType::fold(kind))
    }

    fn class(&self, code: &str) -> bool {
        self.content_classes.iter().any(|c| c == code)
    }

    /// What is decoded of video where no level is stated.
    pub(super) fn video(&self) -> Sourced<Vec<VideoSupport>> {
        let rule = |rule: &str, list: Vec<VideoSupport>| {
            Sourced::new(list, Provenance::default_rule(rule))
        };
        let h263 = |number| support(VideoCodec::H263, level(&H263, number));
        let mpeg4 = |number| support(VideoCodec::Mpeg4, level(&MPEG4, number));
        let h264 = |number| support(VideoCodec::H264, level(&H264, number));
        if !VIDEO.iter().any(|kind| self.takes(kind)) {
            return rule("no-video-type-accepted", Vec::new());
        }
        let bytes = self.max_message_bytes.value.get();
        let screen = self.screen.map_or(0, Dimensions::longest);
        // What a class asks for (CONF 1.2 table 6; mms-conformance.md §1). Phones that came with
        // 600 kB (about 2009) had H.264 in their chips; those with 1 MB or a large screen are
        // smartphones.
        if self.takes("image/webp") || bytes >= 1_000_000 || (bytes > 400_000 && screen >= 480) {
            rule("video-smartphone", vec![h264(30), mpeg4(3), h263(30)])
        } else if bytes >= 500_000 || self.class("MP") {
            rule("video-h264-handset", vec![h264(13), mpeg4(9), h263(45)])
        } else if bytes > 102_400 || self.class("VR") {
            rule("video-rich", vec![mpeg4(8), h263(45)])
        } else {
            rule("video-basic", vec![h263(10)])
        }
    }

    /// What is decoded of sound, the best first.
    pub(super) fn audio(&self, video: &[VideoSupport]) -> Sourced<Vec<AudioCodec>> {
        let beside = |codec| video.iter().any(|one| one.codec == codec);
        let by_type = |kinds: &[&str]| kinds.iter().any(|kind| self.takes(kind));
        let mut list = Vec::new();
        // AAC is what H.264 comes with; `audio/mp4` of older phones is AAC, too.
        if by_type(&["audio/aac", "audio/mp4"]) || beside(VideoCodec::H264) {
            list.push(AudioCodec::Aac);
        }
        if by_type(&["audio/mpeg"]) {
            list.push(AudioCodec::Mp3);
        }
        if by_type(&["audio/amr-wb"]) {
            list.push(AudioCodec::AmrWb);
        }
        // AMR is what every phone that plays sound in messages plays (CONF 1.2 clause 7.1.4).
        if by_type(&["audio/amr", "audio/3gpp"]) || beside(VideoCodec::H263) {
            list.push(AudioCodec::AmrNb);
        }
        let rule = if list.is_empty() { "no-audio-type-accepted" } else { "audio-by-types" };
        Sourced::new(list, Provenance::default_rule(rule))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stated_levels_are_read_with_their_blanks() {
        let of =
            |item: &str| stated(item).map(|s| (s.codec, s.max_dimensions.width(), s.max_bitrate));
        assert_eq!(
            of("video/H263-2000; profile = 0;level=45"),
            Some((VideoCodec::H263, 176, 128_000))
        );
        assert_eq!(of("video/MP4V-ES;profile_level_id=9"), Some((VideoCodec::Mpeg4, 176, 128_000)));
        assert_eq!(
            of("video/H264;profile-level-id=42F00B"),
            Some((VideoCodec::H264, 176, 128_000))
        );
        assert_eq!(
            of("video/H264;profile-level-id=42E01E"),
            Some((VideoCodec::H264, 640, 10_000_000))
        );
        assert_eq!(of("video/h264"), Some((VideoCodec::H264, 176, 64_000)));
        assert_eq!(of("audio/AMR"), None);
        let all = ["video/H263-2000;profile=0;level=10", "video/H263-2000;profile=0;level=45"];
        let all = of_streams(&all.map(str::to_owned), 16_000).expect("video");
        assert_eq!((all.len(), all[0].max_bitrate), (1, 128_000));
        assert_eq!(of_streams(&["audio/amr".to_owned()], 0), None);
    }
}
