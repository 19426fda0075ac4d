//! What is assumed where nothing is stated, each rule by name.

use crate::model::{AcceptList, Bytes, Dimensions, Provenance, Source, Sourced};

/// The built-in default class: what AOSP assumes of a network that says nothing (maxMessageSize
/// 307,200, image 640×480; CarrierConfigValuesLoader) and the receiver's type list that has been
/// in every Android since about 2012 (mms-conformance.md §6), without what needs a network of its
/// own. No WebP, HEIC or AVIF.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Defaults {
    /// The largest message. Default: 307,200 bytes.
    pub max_message_bytes: Bytes,
    /// The maximum image dimensions. Default: 640×480.
    pub max_image: Dimensions,
    /// Media types.
    pub accept: Vec<String>,
    /// Charsets. Default: UTF-8 and US-ASCII, which retrieval must support (CONF 1.3 §10.2).
    pub charsets: Vec<String>,
}

const ACCEPT: [&str; 38] = [
    "image/jpeg",
    "image/gif",
    "image/png",
    "image/vnd.wap.wbmp",
    "audio/amr",
    "audio/aac",
    "audio/imelody",
    "audio/mid",
    "audio/midi",
    "audio/mp3",
    "audio/mp4",
    "audio/mpeg",
    "audio/mpeg3",
    "audio/mpg",
    "audio/x-mid",
    "audio/x-midi",
    "audio/x-mp3",
    "audio/x-mpeg",
    "audio/x-mpeg3",
    "audio/x-mpg",
    "audio/x-wav",
    "audio/3gpp",
    "application/ogg",
    "video/3gpp",
    "video/3gpp2",
    "video/h263",
    "video/mp4",
    "text/plain",
    "text/html",
    "text/x-vcard",
    "text/x-vcalendar",
    "application/smil",
    "application/vnd.wap.xhtml+xml",
    "application/xhtml+xml",
    "application/vnd.oma.drm.message",
    "application/vnd.oma.drm.content",
    "application/vnd.wap.multipart.related",
    "application/vnd.wap.multipart.mixed",
];

impl Default for Defaults {
    fn default() -> Self {
        Self {
            max_message_bytes: Bytes::new(307_200),
            max_image: Dimensions::at_least_one(640, 480),
            accept: ACCEPT.map(str::to_owned).to_vec(),
            charsets: vec!["UTF-8".to_owned(), "US-ASCII".to_owned()],
        }
    }
}

/// Size and bounds of the richest class in `codes` (mms-conformance.md §1; 1 kB = 1024 bytes
/// there). Content-basic and -rich are held to their core twins.
pub(super) fn class_limits(codes: &[String]) -> Option<(Bytes, Option<Dimensions>)> {
    let rank = |code: &str| match code {
        "TX" => Some((0, 30, None)),
        "IB" => Some((1, 30, Some((160, 120)))),
        "IR" | "VB" | "CB" => Some((2, 100, Some((640, 480)))),
        "VR" => Some((3, 300, Some((640, 480)))),
        "MP" | "CR" => Some((4, 600, Some((1600, 1200)))),
        _ => None,
    };
    let (_, kib, bounds) = codes.iter().filter_map(|code| rank(code)).max()?;
    Some((Bytes::new(kib * 1024), bounds.map(|(w, h)| Dimensions::at_least_one(w, h))))
}

/// What the rules look at.
pub(super) struct DeviceFacts<'a> {
    pub(super) max_image: &'a Sourced<Dimensions>,
    pub(super) screen: Option<Dimensions>,
    pub(super) bits_per_pixel: u8,
    pub(super) accept: &'a AcceptList,
    pub(super) content_classes: &'a [String],
    pub(super) mms_version: &'a str,
    /// Operating system and browser by name and version; empty: not stated.
    pub(super) platform: &'a str,
    /// Whether a document describes the device, however little it says.
    pub(super) described: bool,
    /// The size limit that documents state. A request's own limit is about this message: it makes
    /// the device no older.
    pub(super) stated_bytes: Option<Bytes>,
}

impl DeviceFacts<'_> {
    /// 4:4:4 is part of baseline JPEG (ITU-T T.81 §A.1.1), which 26.140 §4.5 asks of everyone; the
    /// decoders of the first colour handsets did 4:2:0 and 4:2:2 alone. So: yes, except where a
    /// description itself puts the device into that class.
    pub(super) fn full_chroma(&self) -> Sourced<bool> {
        let stated = |source: Source| source != Source::Default;
        let bounds = self.max_image.value;
        let (long, short) = (bounds.longest(), bounds.width().min(bounds.height()));
        let at_most = |most: u64| self.stated_bytes.is_some_and(|bytes| bytes.get() <= most);
        let basic_class = !self.content_classes.is_empty()
            && self.content_classes.iter().all(|code| code == "TX" || code == "IB");
        let tiny_bounds = stated(self.max_image.provenance.source) && long <= 160 && short <= 120;
        let tiny_message = at_most(51_200);
        let first_mms = self.mms_version == "1.0" && at_most(102_400);
        if basic_class || tiny_bounds || tiny_message || first_mms {
            Sourced::new(false, Provenance::default_rule("jpeg-chroma-image-basic"))
        } else {
            Sourced::new(true, Provenance::default_rule("jpeg-chroma-baseline"))
        }
    }

    /// Progressive scans are optional in 26.140. Safe where the decoder is a browser's: the device
    /// lists WebP, or is a smartphone by its own words: image bounds of two megapixels, MMS 1.2
    /// or later, a colour screen of 480×320 or more.
    pub(super) fn progressive(&self) -> Sourced<bool> {
        let webp = self.accept.spellings().iter().any(|item| item == "image/webp");
        let smartphone = self.max_image.provenance.source != Source::Default
            && self.max_image.value.pixels() >= 1600 * 1200
            && self.mms_version >= "1.2"
            && self.bits_per_pixel >= 16
            && self.screen.is_some_and(|screen| screen.pixels() >= 480 * 320);
        match (webp, smartphone) {
            (true, _) => Sourced::new(true, Provenance::default_rule("jpeg-progressive-webp")),
            (_, true) => {
                Sourced::new(true, Provenance::default_rule("jpeg-progressive-smartphone"))
            }
            _ => Sourced::new(false, Provenance::default_rule("jpeg-progressive-off")),
        }
    }
}
