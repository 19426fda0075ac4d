//! Width and height of an image or of the bounds it must fit in, in pixels.

use std::{fmt, str::FromStr};

use serde::Serialize;

/// Width × height in pixels, neither of them zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
pub struct Dimensions {
    width: u32,
    height: u32,
}

impl Dimensions {
    /// `None` if a side is zero.
    pub const fn new(width: u32, height: u32) -> Option<Self> {
        if width == 0 || height == 0 { None } else { Some(Self { width, height }) }
    }

    /// Sides of zero become one pixel.
    pub fn at_least_one(width: u32, height: u32) -> Self {
        Self { width: width.max(1), height: height.max(1) }
    }

    /// Pixels from left to right.
    pub const fn width(self) -> u32 {
        self.width
    }

    /// Pixels from top to bottom.
    pub const fn height(self) -> u32 {
        self.height
    }

    /// Width × height.
    pub const fn pixels(self) -> u64 {
        self.width as u64 * self.height as u64
    }

    /// The longer side.
    pub fn longest(self) -> u32 {
        self.width.max(self.height)
    }

    /// Turned by a quarter.
    pub const fn transposed(self) -> Self {
        Self { width: self.height, height: self.width }
    }

    /// Whether `self` lies within `bounds` on both sides, as given.
    pub const fn within(self, bounds: Self) -> bool {
        self.width <= bounds.width && self.height <= bounds.height
    }

    /// `self`, as bounds, turned so that its longer side lies along `image`'s longer side.
    /// Device bounds are landscape while screens are portrait (1,880 of 3,320 profiles): the
    /// limit follows the image.
    pub fn turned_to(self, image: Self) -> Self {
        if (self.width > self.height && image.height > image.width)
            || (self.height > self.width && image.width > image.height)
        {
            self.transposed()
        } else {
            self
        }
    }

    /// The smaller of each side.
    pub fn cut_to(self, other: Self) -> Self {
        Self { width: self.width.min(other.width), height: self.height.min(other.height) }
    }

    /// The largest dimensions of the same aspect within `bounds` as given; never enlarges.
    pub fn shrunk_into(self, bounds: Self) -> Self {
        if self.within(bounds) {
            return self;
        }
        let by_width = u64::from(bounds.width) * u64::from(self.height);
        let by_height = u64::from(bounds.height) * u64::from(self.width);
        let rounded =
            |num: u64, den: u32| ((num * 2 + u64::from(den)) / (2 * u64::from(den))) as u32;
        let (w, h) = if by_width <= by_height {
            (bounds.width, rounded(by_width, self.width).min(bounds.height))
        } else {
            (rounded(by_height, self.height).min(bounds.width), bounds.height)
        };
        Self::at_least_one(w, h)
    }

    /// Both sides times `factor` (0 < factor ≤ 1), rounded, at least one pixel.
    pub fn scaled(self, factor: f64) -> Self {
        let side = |n: u32| (f64::from(n) * factor.clamp(0.0, 1.0)).round() as u32;
        Self::at_least_one(side(self.width), side(self.height))
    }
}

impl fmt::Display for Dimensions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("{}x{}", self.width, self.height))
    }
}

/// Why dimensions could not be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not WIDTHxHEIGHT in pixels")]
pub struct ParseDimensionsError(String);

/// Strict `WIDTHxHEIGHT` for command lines and configuration. (Profiles are read leniently in
/// their own room.)
impl FromStr for Dimensions {
    type Err = ParseDimensionsError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let err = || ParseDimensionsError(text.to_owned());
        let (w, h) = text.trim().split_once(['x', 'X', '×']).ok_or_else(err)?;
        let (w, h) = (w.parse().map_err(|_| err())?, h.parse().map_err(|_| err())?);
        Self::new(w, h).ok_or_else(err)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn d(text: &str) -> Dimensions {
        text.parse().unwrap()
    }

    #[test]
    fn shrinking_keeps_aspect_and_never_enlarges() {
        for (from, bounds, want) in [
            ("4000x3000", "640x480", "640x480"),
            ("4000x2000", "640x480", "640x320"),
            ("3000x4000", "640x480", "360x480"),
            ("100x100", "640x480", "100x100"),
            ("10000x1", "640x480", "640x1"),
            ("1x10000", "640x480", "1x480"),
            ("641x480", "640x480", "640x479"),
        ] {
            assert_eq!(d(from).shrunk_into(d(bounds)), d(want), "{from} into {bounds}");
        }
    }

    #[test]
    fn the_bounds_follow_the_image() {
        assert_eq!(d("640x480").turned_to(d("3x4")), d("480x640"));
        assert_eq!(d("640x480").turned_to(d("4x3")), d("640x480"));
        assert_eq!(d("640x480").turned_to(d("4x4")), d("640x480"));
        assert_eq!(d("96x125").turned_to(d("4x3")), d("125x96"));
    }

    #[test]
    fn strict_text_form() {
        assert_eq!(d("2048X1536"), Dimensions::new(2048, 1536).unwrap());
        for bad in ["", "640", "640x", "0x5", "-1x5", "640*480"] {
            assert!(bad.parse::<Dimensions>().is_err(), "{bad}");
        }
    }
}
