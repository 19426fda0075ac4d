//! One concrete encoding. A recipe and the decoded image determine the output bytes.

use serde::Serialize;

use super::{
    AudioCodec, AudioRecipe, Dimensions, MediaType, RemuxRecipe, VideoRecipe,
    av_recipe::{audio_type, video_type},
};

/// How much work the caller wants to spend on quality.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
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

/// JPEG quality on the IJG scale, 1…100, in steps of a hundredth: near the top whole steps move
/// the size by a third, and tenths by three percent, which would leave that much of a budget
/// unused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Quality(u16);

impl Quality {
    /// The lowest value.
    pub const MIN: Self = Self(100);
    /// The highest value.
    pub const MAX: Self = Self(10_000);

    /// A whole step; clamps to 1…100.
    pub fn new(value: u8) -> Self {
        Self::from_hundredths(u16::from(value) * 100)
    }

    /// From hundredths; clamps to 100…10000.
    pub fn from_hundredths(hundredths: u16) -> Self {
        Self(hundredths.clamp(Self::MIN.0, Self::MAX.0))
    }

    /// In hundredths, 100…10000.
    pub fn hundredths(self) -> u16 {
        self.0
    }

    /// Rounded to whole steps, 1…100.
    pub fn get(self) -> u8 {
        ((self.0 + 50) / 100) as u8
    }

    /// The IJG scale of the quantisation tables, in percent: `5000 / q` below 50, `200 - 2 q`
    /// from there (libjpeg's `jpeg_quality_scaling`), never less than 0.1.
    pub fn table_percent(self) -> f64 {
        let q = f64::from(self.0) / 100.0;
        if q < 50.0 { 5000.0 / q } else { (200.0 - 2.0 * q).max(0.1) }
    }

    /// The inverse of [`Quality::table_percent`], rounded down to a hundredth.
    pub fn from_table_percent(percent: f64) -> Self {
        let q = if percent > 100.0 { 5000.0 / percent } else { (200.0 - percent) / 2.0 };
        Self::from_hundredths((q * 100.0).floor().clamp(0.0, 10_000.0) as u16)
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

/// Output formats for images.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
pub enum ImageFormat {
    /// Baseline JPEG.
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

/// The coding choices of one image format: each format has only the knobs that it knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ImageCoding {
    /// Baseline JPEG. A gray image is coded with one component whatever `chroma` says.
    Jpeg {
        /// IJG quality.
        quality: Quality,
        /// Chroma subsampling.
        chroma: Chroma,
        /// Weigh bits against error when quantising: some 8 % fewer bytes, a few times the work.
        trellis: bool,
    },
    /// PNG.
    Png {
        /// `Some(n)`: at most `n` palette colours (2…256), quantised if there are more;
        /// `None`: true colour (or gray), lossless.
        colors: Option<u16>,
        /// Colours between two of a palette are shown by dots of both: for photos.
        dither: bool,
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

/// How to encode one image.
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
    /// An image.
    Image(ImageRecipe),
    /// Audio alone.
    Audio(AudioRecipe),
    /// Video, with or without audio.
    Video(VideoRecipe),
    /// The same coded tracks in another file.
    Remux(RemuxRecipe),
}

impl Recipe {
    /// The media type that the recipe yields.
    pub fn media_type(&self) -> MediaType {
        match self {
            Self::Image(image) => image.coding.format().media_type(),
            Self::Audio(audio) => audio_type(audio.container, audio.coding.codec),
            Self::Video(video) => video_type(video.container),
            Self::Remux(remux) if remux.video => video_type(remux.container),
            Self::Remux(remux) => {
                audio_type(remux.container, remux.audio.unwrap_or(AudioCodec::Aac))
            }
        }
    }

    /// The image's recipe, if it is one.
    pub fn image(&self) -> Option<&ImageRecipe> {
        match self {
            Self::Image(image) => Some(image),
            Self::Audio(_) | Self::Video(_) | Self::Remux(_) => None,
        }
    }
}
