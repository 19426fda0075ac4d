//! Content classes of the conformance document: what a message needs, in one word.

use std::{fmt, str::FromStr};

use serde::Serialize;

/// A class (OMA-MMS-CONF; X-Mms-Content-Class), the poorest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum ContentClass {
    /// Text alone, 30 kB.
    #[serde(rename = "CONTENT_CLASS_TEXT")]
    Text,
    /// Images of 160×120, 30 kB.
    #[serde(rename = "CONTENT_CLASS_IMAGE_BASIC")]
    ImageBasic,
    /// Images of 640×480, 100 kB.
    #[serde(rename = "CONTENT_CLASS_IMAGE_RICH")]
    ImageRich,
    /// Videos of 176×144, 100 kB.
    #[serde(rename = "CONTENT_CLASS_VIDEO_BASIC")]
    VideoBasic,
    /// The same, 300 kB.
    #[serde(rename = "CONTENT_CLASS_VIDEO_RICH")]
    VideoRich,
    /// Images of 1600×1200, 600 kB.
    #[serde(rename = "CONTENT_CLASS_MEGAPIXEL")]
    Megapixel,
    /// The content domain, 100 kB.
    #[serde(rename = "CONTENT_CLASS_CONTENT_BASIC")]
    ContentBasic,
    /// The content domain, 600 kB.
    #[serde(rename = "CONTENT_CLASS_CONTENT_RICH")]
    ContentRich,
}

use ContentClass::{
    ContentBasic, ContentRich, ImageBasic, ImageRich, Megapixel, Text, VideoBasic, VideoRich,
};

impl ContentClass {
    /// All, by their value in X-Mms-Content-Class less 0x80.
    pub const ALL: [Self; 8] =
        [Text, ImageBasic, ImageRich, VideoBasic, VideoRich, Megapixel, ContentBasic, ContentRich];

    /// As the header spells it.
    pub fn name(self) -> &'static str {
        match self {
            Text => "text",
            ImageBasic => "image-basic",
            ImageRich => "image-rich",
            VideoBasic => "video-basic",
            VideoRich => "video-rich",
            Megapixel => "megapixel",
            ContentBasic => "content-basic",
            ContentRich => "content-rich",
        }
    }

    /// The value in a PDU (mms-conformance.md §1).
    pub fn code(self) -> u8 {
        0x80 + Self::ALL.iter().position(|class| *class == self).unwrap_or(0) as u8
    }
}

impl fmt::Display for ContentClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for ContentClass {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let found = Self::ALL.into_iter().find(|class| class.name().eq_ignore_ascii_case(text));
        found.ok_or("is no content class")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_codes_are_those_of_the_header() {
        assert_eq!("Image-Rich".parse(), Ok(ImageRich));
        assert_eq!((Text.code(), ContentRich.code()), (0x80, 0x87));
        for class in ContentClass::ALL {
            assert_eq!(class.name().parse(), Ok(class));
        }
    }
}
