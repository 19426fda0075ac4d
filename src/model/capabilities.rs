//! What a device can take, each value with where it came from.

use std::{fmt, ops::Deref};

use serde::{Serialize, Serializer};

use super::{AudioCodec, BitRate, Bytes, Dimensions, MediaType, VideoCodec};

/// Which kind of description a value came from, in the order of precedence (DESIGN §7).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub enum Source {
    /// Given as a value in the request.
    #[serde(rename = "SOURCE_INLINE")]
    Inline,
    /// A profile-diff in the request.
    #[serde(rename = "SOURCE_PROFILE_DIFF")]
    ProfileDiff,
    /// The UAProf document in the request.
    #[serde(rename = "SOURCE_UAPROF")]
    Uaprof,
    /// A document of the embedded or the operator's store, by name.
    #[serde(rename = "SOURCE_DEVICE_ID")]
    DeviceId,
    /// A document found by its URL.
    #[serde(rename = "SOURCE_UAPROF_URL")]
    UaprofUrl,
    /// A rule that matched the User-Agent.
    #[serde(rename = "SOURCE_USER_AGENT")]
    UserAgent,
    /// The Accept headers of the device.
    #[serde(rename = "SOURCE_ACCEPT")]
    Accept,
    /// The carrier's default class.
    #[serde(rename = "SOURCE_CARRIER_DEFAULT")]
    CarrierDefault,
    /// The built-in default.
    #[serde(rename = "SOURCE_DEFAULT")]
    Default,
}

/// Where a value came from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Provenance {
    /// The kind of description.
    pub source: Source,
    /// Which document: its name, URL or the matching rule; empty where there is none.
    pub document: String,
    /// The attribute (`MmsMaxMessageSize`) or the rule that decided.
    pub attribute: String,
}

impl Provenance {
    /// A value that no description states.
    pub fn default_rule(rule: &str) -> Self {
        Self { source: Source::Default, document: String::new(), attribute: rule.to_owned() }
    }
}

impl fmt::Display for Provenance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.source)?;
        if !self.document.is_empty() {
            write!(f, " {}", self.document)?;
        }
        if !self.attribute.is_empty() {
            write!(f, " ({})", self.attribute)?;
        }
        Ok(())
    }
}

/// A value and its provenance.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Sourced<T> {
    /// The value.
    pub value: T,
    /// Where it came from.
    pub provenance: Provenance,
}

impl<T> Sourced<T> {
    /// A value with its provenance.
    pub fn new(value: T, provenance: Provenance) -> Self {
        Self { value, provenance }
    }
}

impl<T> Deref for Sourced<T> {
    type Target = T;
    fn deref(&self) -> &T {
        &self.value
    }
}

/// The media types that a device takes, less those that a policy does not let pass; knows
/// `image/*`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AcceptList {
    listed: Vec<String>,
    /// Where not empty, nothing else passes.
    allowed: Vec<String>,
    refused: Vec<String>,
}

/// As the device listed them.
impl Serialize for AcceptList {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.listed.serialize(serializer)
    }
}

impl AcceptList {
    /// From spellings as the device listed them: trimmed, lower-cased, empty ones dropped,
    /// parameters cut, duplicates removed, order kept.
    pub fn from_spellings<S: AsRef<str>>(items: impl IntoIterator<Item = S>) -> Self {
        let mut listed = Vec::new();
        for item in items {
            let essence = item.as_ref().split(';').next().unwrap_or("").trim().to_ascii_lowercase();
            if !essence.is_empty() && !listed.contains(&essence) {
                listed.push(essence);
            }
        }
        Self { listed, ..Self::default() }
    }

    /// The same list where a policy lets only `allowed` pass (all, where that is empty), and
    /// nothing of `refused`.
    #[must_use]
    pub fn narrowed(&self, allowed: Vec<String>, refused: Vec<String>) -> Self {
        Self { listed: self.listed.clone(), allowed, refused }
    }

    /// Whether nothing is listed.
    pub fn is_empty(&self) -> bool {
        self.listed.is_empty()
    }

    /// The spellings, in the device's order.
    pub fn spellings(&self) -> &[String] {
        &self.listed
    }

    /// Whether the device lists `media_type`, whatever a policy says.
    pub fn lists(&self, media_type: &MediaType) -> bool {
        matches(&self.listed, media_type)
    }

    /// Whether `media_type` passes: the device takes it, by any alias of its family or by
    /// wildcard, and the policy does not refuse it.
    pub fn accepts(&self, media_type: &MediaType) -> bool {
        self.lists(media_type) && !self.refuses(media_type)
    }

    /// Whether the policy does not let `media_type` pass, whatever the device takes.
    pub fn refuses(&self, media_type: &MediaType) -> bool {
        let open = self.allowed.is_empty() || matches(&self.allowed, media_type);
        !open || matches(&self.refused, media_type)
    }

    /// How to write `media_type` for this device: the listed spelling where exactly one alias of
    /// its family is listed (18 of 3,320 devices list only `image/jpg`), else the canonical one.
    pub fn spelling_of(&self, media_type: &MediaType) -> String {
        let mut listed = self.listed.iter().filter(|item| MediaType::fold(item) == *media_type);
        match (listed.next(), listed.next()) {
            (Some(only), None) if !only.contains('*') => only.clone(),
            _ => media_type.as_str().to_owned(),
        }
    }
}

fn matches(list: &[String], media_type: &MediaType) -> bool {
    list.iter().any(|item| {
        item == "*/*"
            || item.strip_suffix("/*").is_some_and(|top| top == media_type.top_level())
            || MediaType::fold(item) == *media_type
    })
}

/// How far a device decodes one video codec: a level of its standard, or less.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct VideoSupport {
    /// The codec.
    pub codec: VideoCodec,
    /// The largest coded frame, turned to the video.
    pub max_dimensions: Dimensions,
    /// Frames per second at most.
    pub max_frame_rate: u32,
    /// Bits per second of the video at most.
    pub max_bitrate: BitRate,
}

/// What a device can take. Every value carries its provenance.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Capabilities {
    /// Who made the device; empty if unknown.
    pub vendor: String,
    /// The model; empty if unknown.
    pub model: String,
    /// The largest message, in wire bytes.
    pub max_message_bytes: Sourced<Bytes>,
    /// The maximum image dimensions; they turn with the image.
    pub max_image: Sourced<Dimensions>,
    /// The screen, where known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub screen: Option<Sourced<Dimensions>>,
    /// Bits per pixel of the screen; 24 where unknown.
    pub bits_per_pixel: Sourced<u8>,
    /// The media types taken in an MMS.
    pub accept: Sourced<AcceptList>,
    /// IANA names of the charsets taken in an MMS.
    pub charsets: Sourced<Vec<String>>,
    /// MMS content classes claimed, as UAProf's two-letter codes.
    pub content_classes: Vec<String>,
    /// The highest MMS version claimed, as `1.2`; empty if unknown.
    pub mms_version: String,
    /// The client asks the MMSC not to adapt (MmsSuppressContentAdaptation).
    pub suppress_adaptation: Sourced<bool>,
    /// Shows JPEG with full chroma (4:4:4).
    pub jpeg_full_chroma: Sourced<bool>,
    /// Shows progressive JPEG.
    pub jpeg_progressive: Sourced<bool>,
    /// Video codecs that it decodes, the best first; empty: no video.
    pub video: Sourced<Vec<VideoSupport>>,
    /// Audio codecs that it decodes, the best first, alone or beside video; empty: no audio.
    pub audio: Sourced<Vec<AudioCodec>>,
}

/// A kind of mistake in a description that was repaired.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
pub enum RepairCode {
    /// Bytes before `<?xml`, a byte order mark, or browser copy-paste around the document.
    #[serde(rename = "REPAIR_CODE_LEADING_JUNK")]
    LeadingJunk,
    /// The bytes are not in the declared or any valid encoding; broken characters replaced.
    #[serde(rename = "REPAIR_CODE_ENCODING")]
    Encoding,
    /// Tags that do not match, raw ampersands, junk after the root.
    #[serde(rename = "REPAIR_CODE_BROKEN_MARKUP")]
    BrokenMarkup,
    /// The document ends early; what came before is used.
    #[serde(rename = "REPAIR_CODE_TRUNCATED")]
    Truncated,
    /// Internal entities expanded.
    #[serde(rename = "REPAIR_CODE_ENTITY_EXPANDED")]
    EntityExpanded,
    /// An external entity, an unknown one, or one past the cap: not expanded.
    #[serde(rename = "REPAIR_CODE_ENTITY_REFUSED")]
    EntityRefused,
    /// The RDF or vocabulary namespace is not as it should be.
    #[serde(rename = "REPAIR_CODE_NAMESPACE")]
    Namespace,
    /// A component is misspelt, missing its type, or typed differently from its id.
    #[serde(rename = "REPAIR_CODE_COMPONENT")]
    Component,
    /// An attribute stands in a component where it does not belong.
    #[serde(rename = "REPAIR_CODE_MISPLACED")]
    Misplaced,
    /// A list given as literal or Seq, or a scalar given as a list.
    #[serde(rename = "REPAIR_CODE_LIST_SHAPE")]
    ListShape,
    /// A number with a unit, spaces, separators, or other text around it.
    #[serde(rename = "REPAIR_CODE_NUMBER_FORM")]
    NumberForm,
    /// A number that cannot be meant: ignored or reinterpreted.
    #[serde(rename = "REPAIR_CODE_NUMBER_SUSPICIOUS")]
    NumberSuspicious,
    /// Dimensions not written `WxH`.
    #[serde(rename = "REPAIR_CODE_DIMENSIONS_FORM")]
    DimensionsForm,
    /// An item was trimmed, lower-cased, cut at parameters, or dropped as empty.
    #[serde(rename = "REPAIR_CODE_ITEM_FORM")]
    ItemForm,
    /// The attribute occurs twice; the smaller or the first is used.
    #[serde(rename = "REPAIR_CODE_DUPLICATE")]
    Duplicate,
    /// An unknown value was ignored.
    #[serde(rename = "REPAIR_CODE_UNKNOWN_VALUE")]
    UnknownValue,
    /// Nothing usable was claimed: the fallback rule applies.
    #[serde(rename = "REPAIR_CODE_FELL_BACK")]
    FellBack,
    /// Depth, node or size cap reached; the rest is ignored.
    #[serde(rename = "REPAIR_CODE_CAP_REACHED")]
    CapReached,
    /// The document at the URL could not be fetched: the next source counts.
    #[serde(rename = "REPAIR_CODE_NOT_FETCHED")]
    NotFetched,
}

/// One thing that was repaired in a description.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Repair {
    /// What kind.
    pub code: RepairCode,
    /// The attribute or component; empty for the whole document.
    pub attribute: String,
    /// The raw value, cut to 80 characters.
    pub raw: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_accept_by_alias_and_wildcard() {
        let list = AcceptList::from_spellings([" image/JPG ", "audio/*", "", "image/jpg;q=1"]);
        assert_eq!(list.spellings(), ["image/jpg", "audio/*"]);
        assert!(list.accepts(&MediaType::JPEG));
        assert!(list.accepts(&MediaType::fold("audio/amr")));
        assert!(!list.accepts(&MediaType::PNG));
        assert_eq!(list.spelling_of(&MediaType::JPEG), "image/jpg");
        let both = AcceptList::from_spellings(["image/jpg", "image/jpeg"]);
        assert_eq!(both.spelling_of(&MediaType::JPEG), "image/jpeg");
        let narrow = list.narrowed(vec!["image/*".into()], vec!["image/jpeg".into()]);
        assert!(!narrow.accepts(&MediaType::JPEG) && narrow.refuses(&MediaType::JPEG));
        assert!(narrow.refuses(&MediaType::fold("audio/amr")));
        assert!(!narrow.refuses(&MediaType::PNG) && !narrow.accepts(&MediaType::PNG));
    }
}
