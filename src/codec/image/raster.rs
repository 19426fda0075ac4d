//! Decoded pixels: 8 bits a channel, sRGB, upright.

use crate::model::{Dimensions, Millis, Rgb};

/// A delay of this or less is shown as [`BROWSER_DELAY`] by every current browser
/// (Gecko, Blink and WebKit alike).
pub const SHORT_DELAY: Millis = Millis::new(10);

/// What browsers show a frame with too short a delay for.
pub const BROWSER_DELAY: Millis = Millis::new(100);

/// How long a frame is really shown: too short delays count as [`BROWSER_DELAY`].
pub fn shown_for(delay: Millis) -> Millis {
    if delay <= SHORT_DELAY { BROWSER_DELAY } else { delay }
}

/// Channels of a pixel, in order, straight (not premultiplied) alpha.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    /// One channel of luma.
    Gray,
    /// Red, green, blue.
    Rgb,
    /// Red, green, blue, alpha.
    Rgba,
}

impl Layout {
    /// Bytes per pixel.
    pub const fn channels(self) -> usize {
        match self {
            Self::Gray => 1,
            Self::Rgb => 3,
            Self::Rgba => 4,
        }
    }
}

/// How far the outermost samples reach beyond the image, in eighths of a sample, 0 to 7: a JPEG
/// decoded at a fraction of its size has whole samples where the image ends within one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Overhang {
    /// Of the first column.
    pub left: u8,
    /// Of the first row.
    pub top: u8,
    /// Of the last column.
    pub right: u8,
    /// Of the last row.
    pub bottom: u8,
}

impl Overhang {
    /// Of an image of `whole` pixels decoded to `eighths` of its size, rounded up.
    pub fn at_scale(whole: Dimensions, eighths: u32) -> Self {
        let over = |side: u32| (8 - side.wrapping_mul(eighths) % 8) as u8 % 8;
        Self { right: over(whole.width()), bottom: over(whole.height()), left: 0, top: 0 }
    }
}

/// One image in memory. Invariant: `pixels.len() == width * height * channels`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Raster {
    dimensions: Dimensions,
    layout: Layout,
    pixels: Vec<u8>,
    overhang: Overhang,
}

impl Raster {
    /// `None` if the buffer's length does not match.
    pub fn new(dimensions: Dimensions, layout: Layout, pixels: Vec<u8>) -> Option<Self> {
        let want = dimensions.pixels().checked_mul(layout.channels() as u64)?;
        let overhang = Overhang::default();
        (pixels.len() as u64 == want).then_some(Self { dimensions, layout, pixels, overhang })
    }

    /// With samples that reach beyond the image.
    #[must_use]
    pub fn reaching(self, overhang: Overhang) -> Self {
        Self { overhang, ..self }
    }

    /// How far its samples reach beyond the image.
    pub fn overhang(&self) -> Overhang {
        self.overhang
    }

    /// Width and height.
    pub fn dimensions(&self) -> Dimensions {
        self.dimensions
    }

    /// Channels.
    pub fn layout(&self) -> Layout {
        self.layout
    }

    /// Rows from top to bottom, without padding.
    pub fn pixels(&self) -> &[u8] {
        &self.pixels
    }

    /// One channel of luma alone, for an image without colour and transparency: the first of
    /// its equal channels.
    #[must_use]
    pub fn into_gray(self) -> Self {
        let step = self.layout.channels();
        if step == 1 {
            return self;
        }
        let pixels = self.pixels.iter().step_by(step).copied().collect();
        Self { layout: Layout::Gray, pixels, ..self }
    }

    /// Without alpha, as seen on `background`.
    #[must_use]
    pub fn flattened(self, background: Rgb) -> Self {
        if self.layout != Layout::Rgba {
            return self;
        }
        let over = |front: u8, back: u8, alpha: u8| {
            let a = u32::from(alpha);
            ((u32::from(front) * a + u32::from(back) * (255 - a) + 127) / 255) as u8
        };
        let [r, g, b] = background;
        let pixels = self
            .pixels
            .chunks_exact(4)
            .flat_map(|p| [over(p[0], r, p[3]), over(p[1], g, p[3]), over(p[2], b, p[3])])
            .collect();
        Self { layout: Layout::Rgb, pixels, ..self }
    }

    /// The buffer itself.
    pub fn into_pixels(self) -> Vec<u8> {
        self.pixels
    }
}

/// One frame of an animation, composed on the full canvas.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// The canvas as shown.
    pub raster: Raster,
    /// How long it is shown.
    pub delay: Millis,
}

/// A decoded image: one frame, or several with a loop count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DecodedImage {
    /// At least one frame, all of the same dimensions and layout.
    pub frames: Vec<Frame>,
    /// How often an animation plays; 0 is for ever. 1 for stills.
    pub loops: u16,
}

impl DecodedImage {
    /// Which frame is on the screen when this share of the time is over, 0 to 1. Delays too short
    /// for a screen count as those for which it shows them.
    pub(super) fn shown_at(&self, share: f64) -> usize {
        let shown = |frame: &Frame| u64::from(shown_for(frame.delay).get());
        let whole: u64 = self.frames.iter().map(shown).sum();
        let at = (whole as f64 * share) as u64;
        let mut until = 0;
        let found = self.frames.iter().position(|frame| {
            until += shown(frame);
            at < until
        });
        found.unwrap_or(self.frames.len().saturating_sub(1))
    }
}
