//! Why something was done to a part: a closed set of codes, each with free detail.

use std::fmt;

use serde::Serialize;

/// The closed set of reasons. The proto's `ReasonCode` has the same names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub enum ReasonCode {
    /// Accepted by the device and within every limit: passes bit for bit.
    #[serde(rename = "REASON_CODE_FITS")]
    Fits,
    /// The device does not list the type.
    #[serde(rename = "REASON_CODE_TYPE_NOT_ACCEPTED")]
    TypeNotAccepted,
    /// The part was declared as another type than it is.
    #[serde(rename = "REASON_CODE_DECLARED_TYPE_WRONG")]
    DeclaredTypeWrong,
    /// Larger than the maximum image dimensions.
    #[serde(rename = "REASON_CODE_OVER_IMAGE_LIMIT")]
    OverImageLimit,
    /// The message would be over a byte limit.
    #[serde(rename = "REASON_CODE_OVER_MESSAGE_LIMIT")]
    OverMessageLimit,
    /// The pixels had to be turned as the orientation tag says.
    #[serde(rename = "REASON_CODE_ORIENTATION")]
    Orientation,
    /// CMYK, 16 bits or another colour model that handsets do not show; converted to sRGB.
    #[serde(rename = "REASON_CODE_COLOR_MODEL")]
    ColorModel,
    /// Transparency was flattened on the background.
    #[serde(rename = "REASON_CODE_ALPHA_FLATTENED")]
    AlphaFlattened,
    /// A coding that the device's class does not show (progressive scans).
    #[serde(rename = "REASON_CODE_CODING_NOT_SUPPORTED")]
    CodingNotSupported,
    /// Metadata was removed.
    #[serde(rename = "REASON_CODE_METADATA_STRIPPED")]
    MetadataStripped,
    /// Dimensions were reduced below the maximum to meet the budget.
    #[serde(rename = "REASON_CODE_SCALED_FOR_BUDGET")]
    ScaledForBudget,
    /// Colours were reduced.
    #[serde(rename = "REASON_CODE_COLORS_REDUCED")]
    ColorsReduced,
    /// Frames of an animation were dropped.
    #[serde(rename = "REASON_CODE_FRAMES_DROPPED")]
    FramesDropped,
    /// An animation became a still.
    #[serde(rename = "REASON_CODE_ANIMATION_LOST")]
    AnimationLost,
    /// No way to encode it within its budget.
    #[serde(rename = "REASON_CODE_CANNOT_FIT")]
    CannotFit,
    /// Malformed or truncated beyond repair.
    #[serde(rename = "REASON_CODE_MALFORMED")]
    Malformed,
    /// A safety limit on pixels, frames, memory or time was reached.
    #[serde(rename = "REASON_CODE_SAFETY_LIMIT")]
    SafetyLimit,
    /// This build cannot decode the format.
    #[serde(rename = "REASON_CODE_DECODER_MISSING")]
    DecoderMissing,
    /// The content is protected: kept whole or dropped whole.
    #[serde(rename = "REASON_CODE_PROTECTED")]
    Protected,
    /// Text, presentation and other parts that are never cut.
    #[serde(rename = "REASON_CODE_NEVER_CUT")]
    NeverCut,
    /// Adaptation is switched off by message, device or policy.
    #[serde(rename = "REASON_CODE_ADAPTATION_NOT_ALLOWED")]
    AdaptationNotAllowed,
    /// The best result so far was taken when the deadline came.
    #[serde(rename = "REASON_CODE_DEADLINE_BEST_SO_FAR")]
    DeadlineBestSoFar,
    /// The frame, frame rate and bitrate that were chosen for the available bytes.
    #[serde(rename = "REASON_CODE_ENCODING_CHOSEN")]
    EncodingChosen,
    /// Fewer frames a second, for the device or the budget.
    #[serde(rename = "REASON_CODE_FRAME_RATE_REDUCED")]
    FrameRateReduced,
    /// Moved into another file, its tracks bit for bit.
    #[serde(rename = "REASON_CODE_CONTAINER_CHANGED")]
    ContainerChanged,
    /// The device has no video, or no video fits: an image or a GIF of it.
    #[serde(rename = "REASON_CODE_VIDEO_LOST")]
    VideoLost,
    /// The audio track of the video was left out.
    #[serde(rename = "REASON_CODE_AUDIO_LOST")]
    AudioLost,
    /// Music in a speech codec, because the device has no other, or no other fits.
    #[serde(rename = "REASON_CODE_MUSIC_AS_SPEECH")]
    MusicAsSpeech,
    /// Cut to a shorter time, as the policy allows.
    #[serde(rename = "REASON_CODE_SHORTENED")]
    Shortened,
    /// An animation became a video.
    #[serde(rename = "REASON_CODE_ANIMATION_AS_VIDEO")]
    AnimationAsVideo,
    /// A text was written in a charset that the device reads.
    #[serde(rename = "REASON_CODE_CHARSET_CONVERTED")]
    CharsetConverted,
    /// Re-encoded, because the policy lets no original pass.
    #[serde(rename = "REASON_CODE_SANITIZED")]
    Sanitized,
    /// Characters that no charset of the device has were written with others.
    #[serde(rename = "REASON_CODE_TRANSLITERATED")]
    Transliterated,
    /// The layout of a presentation was fitted to the device's screen.
    #[serde(rename = "REASON_CODE_LAYOUT_FITTED")]
    LayoutFitted,
    /// Higher quality would not be visible: bytes are left over.
    #[serde(rename = "REASON_CODE_AT_CEILING")]
    AtCeiling,
    /// The image inside a vCard was left out.
    #[serde(rename = "REASON_CODE_PHOTO_LEFT_OUT")]
    PhotoLeftOut,
    /// Smaller than a quarter of what could be shown, on each side: little can be made out.
    #[serde(rename = "REASON_CODE_BARELY_SHOWN")]
    BarelyShown,
    /// What a presentation says of the parts (names, durations, slides) follows what became of
    /// them.
    #[serde(rename = "REASON_CODE_FOLLOWS_PARTS")]
    FollowsParts,
    /// Another version of the same content was chosen.
    #[serde(rename = "REASON_CODE_ALTERNATIVE")]
    Alternative,
    /// A fault of our own: a codec failed in a way that no input should cause.
    #[serde(rename = "REASON_CODE_OUR_FAULT")]
    OurFault,
    /// Two workers in a row were killed while processing it: it is not tried a third time.
    #[serde(rename = "REASON_CODE_POISON")]
    Poison,
    /// A virus scanner found something in it.
    #[serde(rename = "REASON_CODE_INFECTED")]
    Infected,
}

/// A reason and, where it helps, the figures behind it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Reason {
    /// The code.
    pub code: ReasonCode,
    /// Figures or names for people, `4032x3024 > 640x480`; may be empty.
    pub detail: String,
}

impl Reason {
    /// A reason with its detail.
    pub fn new(code: ReasonCode, detail: impl Into<String>) -> Self {
        Self { code, detail: detail.into() }
    }
}

impl From<ReasonCode> for Reason {
    fn from(code: ReasonCode) -> Self {
        Self { code, detail: String::new() }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.code)?;
        if !self.detail.is_empty() {
            write!(f, " ({})", self.detail)?;
        }
        Ok(())
    }
}
