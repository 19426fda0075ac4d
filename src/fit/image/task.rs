//! The task of an image search.

use crate::{
    model::{Bytes, ContentFacts, Dimensions, Effort, ImageFormat, Rgb},
    policy::{Ceilings, Floors},
};

/// Levels of gray up to which an image is line art.
const LINE_ART_LEVELS: u16 = 16;

/// What is to be fitted: one image for one device.
#[derive(Clone, Debug, PartialEq)]
pub struct ImageTask {
    /// Dimensions of the source as shown.
    pub source: Dimensions,
    /// The device's bounds, turned to the image.
    pub bounds: Dimensions,
    /// Formats that the device takes and the codec writes, in the policy's order of preference.
    pub formats: Vec<ImageFormat>,
    /// Whether the source is animated and may stay so.
    pub animate: bool,
    /// Whether it may become a still, where the source is animated.
    pub still: bool,
    /// Of an animation, only every n-th frame to begin with: 1 for all.
    pub first_step: u16,
    /// An animation of images that are looked at one by one: none of them is left out for size.
    pub slides: bool,
    /// Whether the source is coded without loss (PNG, GIF, BMP ...): only then can a lossless
    /// format be worth its bytes.
    pub lossless_source: bool,
    /// Facts about the decoded pixels.
    pub facts: ContentFacts,
    /// The device shows 4:4:4 JPEG.
    pub full_chroma: bool,
    /// Bytes of the source.
    pub own: Bytes,
    /// No output needs to be larger than this: the original's size, where the original is of a
    /// format that could be rewritten.
    pub ceiling: Option<Bytes>,
    /// How much work to spend.
    pub effort: Effort,
    /// Below this, a medium is not worth sending.
    pub floors: Floors,
    /// Quality beyond this is not worth its bytes.
    pub ceilings: Ceilings,
    /// Colour behind transparency.
    pub background: Rgb,
}

impl ImageTask {
    /// Whether it is a still drawing or screenshot, coded without loss.
    pub fn is_drawing(&self) -> bool {
        self.lossless_source && self.facts.graphic && !self.animate
    }

    /// Whether it is scanned text or a drawing in ink: few grays in large flat areas, coded without
    /// loss.
    pub fn is_line_art(&self) -> bool {
        let few = self.facts.distinct_colors.is_some_and(|n| n <= LINE_ART_LEVELS);
        self.lossless_source && self.facts.graphic && self.facts.gray && few
    }

    /// The largest output: the source within the bounds.
    pub fn largest(&self) -> Dimensions {
        self.source.shrunk_into(self.bounds)
    }
}
