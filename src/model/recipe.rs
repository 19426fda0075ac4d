//! One concrete encoding. A recipe and the decoded picture determine the output bytes.

use serde::Serialize;

use super::{Dimensions, MediaType};

/// How much work the caller wants to spend on quality.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize)]
pub enum Effort {
    /// The least CPU that still fits well.
    #[serde(rename = "EFFORT_FAST")]
    Fast,
    /// The default.
    #[default]
    #[serde(rename = "EFFORT_BALANCED")]
    Balanced,
    /// The best result within reason.
    #[serde(rename = "EFFORT_BEST")]
    Best,
}

/// sRGB, 8 bits a channel.
pub type Rgb = [u8; 3];

/// JPEG quality on the IJG scale, 1…100.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Quality(u8);

impl Quality {
    /// Clamps to 1…100.
    pub fn new(value: u8) -> Self {
        Self(value.clamp(1, 100))
    }

    /// 1…100.
    pub fn get(self) -> u8 {
        self.0
    }
}

/// Chroma subsampling of a JPEG.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
pub enum Chroma {
    /// 4:2:0, a quarter of the chroma samples.
    Quarter,
    /// 4:4:4, all of them.
    Full,
}

/// Output formats for pictures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
pub enum ImageFormat {
    /// Baseline or progressive JPEG.
    Jpeg,
    /// PNG.
    Png,
    /// GIF, still or animated.
    Gif,
    /// 1-bit WBMP type 0.
    Wbmp,
}

impl ImageFormat {
    /// Its media type.
    pub fn media_type(self) -> MediaType {
        match self {
            Self::Jpeg => MediaType::JPEG,
            Self::Png => MediaType::PNG,
            Self::Gif => MediaType::GIF,
            Self::Wbmp => MediaType::WBMP,
        }
    }
}

/// The coding choices of one picture format: each format has only the knobs that it knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ImageCoding {
    /// JPEG. A gray picture is coded with one component whatever `chroma` says.
    Jpeg {
        /// IJG quality.
        quality: Quality,
        /// Chroma subsampling.
        chroma: Chroma,
        /// Progressive scans instead of one baseline scan.
        progressive: bool,
    },
    /// PNG.
    Png {
        /// `Some(n)`: at most `n` palette colours (2…256), quantised if there are more;
        /// `None`: true colour (or gray), lossless.
        colors: Option<u16>,
    },
    /// GIF.
    Gif {
        /// At most this many palette colours, 2…256, transparency included.
        colors: u16,
        /// Show every `n`-th frame, delays added up: 1 keeps all, `u16::MAX` the first alone.
        frame_step: u16,
    },
    /// WBMP, dithered to black and white.
    Wbmp,
}

impl ImageCoding {
    /// The format of the coding.
    pub fn format(&self) -> ImageFormat {
        match self {
            Self::Jpeg { .. } => ImageFormat::Jpeg,
            Self::Png { .. } => ImageFormat::Png,
            Self::Gif { .. } => ImageFormat::Gif,
            Self::Wbmp => ImageFormat::Wbmp,
        }
    }
}

/// How to encode one picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ImageRecipe {
    /// Output size in pixels; never larger than the source.
    pub dimensions: Dimensions,
    /// Format and its knobs.
    pub coding: ImageCoding,
    /// Colour put behind transparent pixels where the format has no transparency.
    pub background: Rgb,
}

/// One concrete encoding of one part.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Recipe {
    /// A picture.
    Image(ImageRecipe),
}

impl Recipe {
    /// The media type that the recipe yields.
    pub fn media_type(&self) -> MediaType {
        match self {
            Self::Image(image) => image.coding.format().media_type(),
        }
    }
}
