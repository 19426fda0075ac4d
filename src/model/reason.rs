//! Why something was done to a part: a closed set of codes, each with free detail.

use std::fmt;

use serde::Serialize;

/// The closed set of reasons. The proto's `ReasonCode` has the same names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ReasonCode {
    /// Accepted by the device and within every limit: passes bit for bit.
    Fits,
    /// The device does not list the type.
    TypeNotAccepted,
    /// The part was declared as another type than it is.
    DeclaredTypeWrong,
    /// Larger than the image box.
    OverImageLimit,
    /// The message would be over a byte limit.
    OverMessageLimit,
    /// The pixels had to be turned as the orientation tag says.
    Orientation,
    /// CMYK, 16 bits or another colour model that handsets do not show; converted to sRGB.
    ColorModel,
    /// Transparency was flattened on the background.
    AlphaFlattened,
    /// A coding that the device's class does not show (progressive scans).
    CodingNotSupported,
    /// Metadata was removed.
    MetadataStripped,
    /// Metadata must go whatever else happens (policy).
    SanitizeRequired,
    /// Dimensions were reduced below the box to meet the budget.
    ScaledForBudget,
    /// Colours were reduced.
    ColorsReduced,
    /// Frames of an animation were dropped.
    FramesDropped,
    /// An animation became a still.
    AnimationLost,
    /// No way to encode it within its budget.
    CannotFit,
    /// Malformed or truncated beyond repair.
    Malformed,
    /// A safety limit on pixels, frames, memory or time was reached.
    SafetyLimit,
    /// This build cannot decode the format.
    DecoderMissing,
    /// The content is protected: kept whole or dropped whole.
    Protected,
    /// Text, presentation and other parts that are never cut.
    NeverCut,
    /// Adaptation is switched off by message, device or policy.
    AdaptationNotAllowed,
    /// The best result so far was taken when the deadline came.
    DeadlineBestSoFar,
    /// Re-encoding would have made it larger: the original was kept.
    OriginalSmaller,
    /// References to a renamed part were rewritten.
    ReferencesRewritten,
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
