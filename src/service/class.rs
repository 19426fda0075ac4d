//! Everything that decides the answer to a recipient: recipients who agree in it get the same.

use super::adapt::EffectiveSettings;
use crate::{
    codec::{CodecSet, sniff},
    message::{Form, Message},
    model::{
        AudioCodec, Bytes, Counting, Dimensions, Interface, MediaKind, MediaType, VideoSupport,
    },
    plan::{self},
    policy::Policy,
    text::Charset,
};

/// What of a device's description can make a difference to one message.
pub(super) struct Relevant {
    /// Types that parts have, are declared as, or can be made into.
    types: Vec<MediaType>,
    /// How the types of parts are spelt.
    spellings: Vec<String>,
    /// Audio, video, or images that may be animated.
    moving: bool,
    /// The type of the presentation.
    presentation: Option<MediaType>,
}

impl Relevant {
    /// To `message`.
    pub fn to(message: &Message, codecs: &CodecSet) -> Self {
        let parts = message.parts();
        let found = |data: &[u8]| codecs.find(data).map(|(_, found)| found).or_else(|| sniff(data));
        let found: Vec<MediaType> = parts.iter().filter_map(|part| found(&part.data)).collect();
        let still = |found: &MediaType| *found == MediaType::JPEG || *found == MediaType::BMP;
        let moving = found.iter().any(|found| {
            let media = [MediaKind::Image, MediaKind::Audio, MediaKind::Video];
            media.contains(&found.kind()) && !still(found)
        });
        let mut types = found;
        types.extend(parts.iter().map(|part| part.declared.clone()));
        types.extend(STILL.map(MediaType::fold));
        if moving {
            types.extend(MOVING.map(MediaType::fold));
        }
        types.sort();
        types.dedup();
        Self {
            types,
            spellings: parts.iter().map(|part| part.spelling.clone()).collect(),
            moving,
            presentation: message.presentation().map(|id| parts[id.index()].declared.clone()),
        }
    }
}

/// Types that stills and texts can be made into.
const STILL: [&str; 5] =
    ["image/jpeg", "image/png", "image/gif", "image/vnd.wap.wbmp", "text/plain"];
/// Types that audio and video can be made into besides.
const MOVING: [&str; 8] = [
    "audio/amr",
    "audio/amr-wb",
    "audio/3gpp",
    "audio/mp4",
    "audio/aac",
    "audio/mpeg",
    "video/3gpp",
    "video/mp4",
];

/// One type as a device takes it.
#[derive(Debug, PartialEq)]
struct Taken {
    accepted: bool,
    listed: bool,
    refused: bool,
    spelling: String,
}

/// All that the answer depends on, the message and the effort apart.
#[derive(Debug, PartialEq)]
pub(super) struct Class {
    types: Vec<Taken>,
    spelt: Vec<bool>,
    charsets: Vec<Charset>,
    jpeg: (bool, bool),
    moving: Option<(Vec<VideoSupport>, Vec<AudioCodec>)>,
    /// Whether a layout is shown, and on which screen.
    presentation: Option<(bool, Option<Dimensions>)>,
    limits: Vec<(Counting, Bytes)>,
    image: Option<(Option<Dimensions>, Option<Dimensions>)>,
    policy: Policy,
    interface: Interface,
    form: Form,
}

impl Class {
    /// Of a recipient.
    pub fn of(terms: &EffectiveSettings, relevant: &Relevant) -> Self {
        let c = &terms.capabilities;
        let accept = &c.accept.value;
        let taken = |media_type: &MediaType| Taken {
            accepted: accept.accepts(media_type),
            listed: accept.lists(media_type),
            refused: accept.refuses(media_type),
            spelling: accept.spelling_of(media_type),
        };
        // Of several limits of one counting the smallest holds.
        let mut limits: Vec<(Counting, Bytes)> = Vec::new();
        for limit in &terms.limits.wire {
            match limits.iter_mut().find(|(counting, _)| *counting == limit.counting) {
                Some((_, bytes)) => *bytes = limit.bytes.min(*bytes),
                None => limits.push((limit.counting, limit.bytes)),
            }
        }
        limits.sort_by_key(|(counting, _)| *counting as u8);
        let presentation = relevant.presentation.as_ref().map(|media_type| {
            let shown = plan::shows_presentation(&c.accept, media_type);
            (shown, c.screen.as_ref().map(|screen| screen.value))
        });
        let known = c.charsets.value.iter().filter_map(|name| Charset::for_label(name));
        Self {
            types: relevant.types.iter().map(taken).collect(),
            spelt: relevant.spellings.iter().map(|s| accept.spellings().contains(s)).collect(),
            charsets: known.collect(),
            jpeg: (c.jpeg_full_chroma.value, c.jpeg_progressive.value),
            moving: relevant.moving.then(|| (c.video.value.clone(), c.audio.value.clone())),
            presentation,
            limits,
            image: terms.limits.image.map(|limit| limit.turning_and_literal()),
            policy: terms.policy.clone(),
            interface: terms.interface,
            form: terms.output,
        }
    }
}
