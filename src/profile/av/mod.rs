//! Which video and audio a device decodes: by the codecs and levels that its documents state and
//! by the kind of device that it is, the higher of both.
//!
//! The size of messages tells nothing here: a network that takes 300 kB does not make a telephone
//! old. Bytes decide the bit rate, later.

mod levels;

pub(super) use self::levels::Statement;
use self::levels::{level, stated};
use super::rules::DeviceFacts;
use crate::model::{
    AudioCodec, BitRate, Dimensions, MediaType, Provenance, Sourced, VideoCodec, VideoSupport,
};

/// What one source states of codecs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Codecs {
    pub(super) statements: Vec<Statement>,
    /// Whether the lists of its player are among them: these name all that it plays, while types
    /// of messages and of the browser are examples.
    pub(super) of_player: bool,
    /// VideoDecodingByteRate, bytes a second; zero: unspecified.
    pub(super) byte_rate: u32,
}

impl Codecs {
    /// What `items` name; `None`: no codec.
    pub(super) fn of(player: &[String], types: &[&[String]], byte_rate: u32) -> Option<Self> {
        let mut statements: Vec<Statement> =
            player.iter().filter_map(|item| stated(item)).collect();
        let of_player = !statements.is_empty();
        for item in types.iter().flat_map(|list| list.iter()) {
            // A bare name adds nothing to a level of the same codec.
            let new = stated(item).filter(|one| statements.iter().all(|s| s.codec != one.codec));
            statements.extend(new);
        }
        (!statements.is_empty()).then_some(Self { statements, of_player, byte_rate })
    }
}

/// Video, and which rules had a hand in it: none where the statement alone decided.
pub(super) struct Decided {
    pub(super) video: Vec<VideoSupport>,
    /// Whether the documents' own words are in it.
    pub(super) by_statement: bool,
    pub(super) rules: Vec<&'static str>,
}

/// Video containers that messages carry.
const VIDEO: [&str; 3] = ["video/3gpp", "video/mp4", "video/3gpp2"];

/// Types that came into accept lists with Android 4 and iOS 11 or later.
const RECENT: [&str; 7] = [
    "image/webp",
    "image/heic",
    "image/heif",
    "image/avif",
    "video/webm",
    "video/hevc",
    "video/h265",
];

/// How far a device goes, by its kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// Everything made since 2012, and smartphones before it: H.264 at VGA or more.
    Smartphone,
    /// The first smartphones with half the screen: their chips decoded half the image. The CDD of
    /// Android 2 asks for 480×360.
    HalfScreen,
    /// Later feature phones with H.264 in their chips.
    H264Handset,
    /// MPEG-4 and H.263 (CONF 1.2 table 6; mms-conformance.md §1).
    VideoRich,
    /// H.263 level 10.
    VideoBasic,
}

impl Kind {
    fn levels(self) -> Vec<VideoSupport> {
        let of = |h264: &[u32], mpeg4: &[u32], h263: u32| {
            let h264 = h264.iter().map(|n| level(VideoCodec::H264, *n));
            let mpeg4 = mpeg4.iter().map(|n| level(VideoCodec::Mpeg4, *n));
            h264.chain(mpeg4).chain([level(VideoCodec::H263, h263)]).collect()
        };
        match self {
            Self::Smartphone => of(&[30], &[3], 30),
            Self::HalfScreen => of(&[21], &[3], 30),
            Self::H264Handset => of(&[13], &[9], 45),
            Self::VideoRich => of(&[], &[8], 45),
            Self::VideoBasic => of(&[], &[], 10),
        }
    }
}

impl DeviceFacts<'_> {
    fn takes(&self, kind: &str) -> bool {
        self.accept.accepts(&MediaType::fold(kind))
    }

    fn class(&self, code: &str) -> bool {
        self.content_classes.iter().any(|c| c == code)
    }

    /// The longer and the shorter side of the screen; zero: unknown.
    fn sides(&self) -> (u32, u32) {
        self.screen.map_or((0, 0), |s| (s.longest(), s.width().min(s.height())))
    }

    /// The version of Android that it says it runs; 0: one without a number.
    fn android(&self) -> Option<u32> {
        let platform = self.platform.to_ascii_lowercase();
        let (_, rest) = platform.split_once("android")?;
        let digits = rest.trim_start_matches(|c: char| !c.is_ascii_digit());
        Some(digits.split(|c: char| !c.is_ascii_digit()).next()?.parse().unwrap_or(0))
    }

    fn kind(&self) -> (Kind, &'static str) {
        let (long, short) = self.sides();
        let listed = self.accept.spellings();
        let recent = listed.iter().any(|item| RECENT.contains(&item.as_str()));
        let android = self.android();
        if recent || android.is_some_and(|version| version >= 4) {
            return (Kind::Smartphone, "video-since-2012");
        }
        if long >= 640 && short >= 360 {
            return (Kind::Smartphone, "video-smartphone");
        }
        // Strips of 640×200 are the communicators of 2005, before H.264.
        if long >= 480 && short >= 240 {
            return (Kind::HalfScreen, "video-half-screen");
        }
        if self.is_unknown() {
            return (Kind::Smartphone, "video-unknown-device");
        }
        let later_feature_phone = self.mms_version >= "1.3" && long >= 320 && short >= 240;
        if android.is_some() || self.class("MP") || self.class("CR") || later_feature_phone {
            return (Kind::H264Handset, "video-h264-handset");
        }
        // MP4 is nobody's container for H.263.
        let rich = self.class("VR")
            || self.takes("video/mp4")
            || (self.content_classes.is_empty() && self.mms_version >= "1.2");
        if rich { (Kind::VideoRich, "video-rich") } else { (Kind::VideoBasic, "video-basic") }
    }

    /// Whether nothing is said of what kind of device it is. Such a one is of today.
    fn is_unknown(&self) -> bool {
        self.screen.is_none()
            && self.content_classes.is_empty()
            && self.mms_version.is_empty()
            && !self.described
    }

    /// What is decoded of video.
    pub(super) fn video(&self, codecs: Option<&Codecs>) -> Decided {
        if !VIDEO.iter().any(|kind| self.takes(kind)) {
            let rules = vec!["no-video-type-accepted"];
            return Decided { video: Vec::new(), by_statement: false, rules };
        }
        let (kind, kind_rule) = self.kind();
        let mut by_kind = kind.levels();
        let none = Codecs::default();
        let codecs = codecs.unwrap_or(&none);
        let names = |codec| codecs.statements.iter().any(|s| s.codec == codec);
        // A player's own list is whole, except where it is copied from an older model's: then the
        // screen tells.
        if codecs.of_player && !matches!(kind, Kind::Smartphone | Kind::HalfScreen) {
            by_kind.retain(|one| names(one.codec));
        }
        let mut found: Vec<Found> = Vec::new();
        for statement in &codecs.statements {
            let (mut one, rule) = match statement.level {
                Some(level) => (level, None),
                None => (self.bare(statement.codec, &codecs.statements), Some("level-by-screen")),
            };
            if codecs.byte_rate > 0 {
                let cap = codecs.byte_rate.saturating_mul(8).max(20_000);
                one.max_bitrate = one.max_bitrate.min(BitRate::new(cap));
            }
            keep_higher(&mut found, one, rule);
        }
        for one in by_kind {
            keep_higher(&mut found, one, Some(kind_rule));
        }
        found.sort_by_key(|(one, _)| std::cmp::Reverse(one.codec));
        let by_statement = found.iter().any(|(_, rule)| *rule != Some(kind_rule));
        let mut rules: Vec<&'static str> = found.iter().filter_map(|(_, rule)| *rule).collect();
        rules.sort_unstable();
        rules.dedup();
        Decided { video: found.into_iter().map(|(one, _)| one).collect(), by_statement, rules }
    }

    /// How far a codec goes that is named without a level: as far as the screen lets expect, and as
    /// far as the levels of the other codecs go, for chips that do one at CIF do all.
    fn bare(&self, codec: VideoCodec, others: &[Statement]) -> VideoSupport {
        let (long, short) = self.sides();
        let quarter_vga = long >= 320 && short >= 240;
        let by_screen = match (codec, quarter_vga) {
            (VideoCodec::H264, true) => 12,
            // Whoever has H.264 and no known screen is no phone of the first years.
            (VideoCodec::H264, false) if long == 0 => 12,
            (VideoCodec::H264, false) => 9,
            (VideoCodec::Mpeg4, true) => 9,
            (VideoCodec::Mpeg4, false) => 8,
            (VideoCodec::H263, true) => 45,
            (VideoCodec::H263, false) => 10,
        };
        let common = Dimensions::at_least_one(352, 288);
        let cif = others
            .iter()
            .filter_map(|other| other.level)
            .any(|level| level.max_dimensions.pixels() >= common.pixels());
        let by_others = match codec {
            VideoCodec::H264 => 13,
            VideoCodec::Mpeg4 => 3,
            VideoCodec::H263 => 20,
        };
        level(codec, if cif { by_others } else { by_screen })
    }

    /// What is decoded of audio, the best first.
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
        // AMR is what every phone that plays audio in messages plays (CONF 1.2 clause 7.1.4).
        if by_type(&["audio/amr", "audio/3gpp"]) || beside(VideoCodec::H263) {
            list.push(AudioCodec::AmrNb);
        }
        let rule = if list.is_empty() { "no-audio-type-accepted" } else { "audio-by-types" };
        Sourced::new(list, Provenance::default_rule(rule))
    }
}

/// Video with the rule that it comes by; `None`: the level is stated.
type Found = (VideoSupport, Option<&'static str>);

/// Takes `one` unless its codec goes as far already.
fn keep_higher(list: &mut Vec<Found>, one: VideoSupport, rule: Option<&'static str>) {
    let rank = |one: &VideoSupport| (one.max_dimensions.pixels(), one.max_bitrate);
    match list.iter_mut().find(|(other, _)| other.codec == one.codec) {
        Some((other, _)) if rank(other) >= rank(&one) => {}
        Some(other) => *other = (one, rule),
        None => list.push((one, rule)),
    }
}
