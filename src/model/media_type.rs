//! MIME media types, folded to one spelling per family.

use std::{borrow::Cow, fmt, str::FromStr};

use serde::{Serialize, Serializer};

/// What a part is for a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
pub enum MediaKind {
    /// A still or animated image.
    #[serde(rename = "MEDIA_KIND_IMAGE")]
    Image,
    /// Audio alone.
    #[serde(rename = "MEDIA_KIND_AUDIO")]
    Audio,
    /// Video, with or without audio.
    #[serde(rename = "MEDIA_KIND_VIDEO")]
    Video,
    /// Text for the reader, vCard and vCalendar among it.
    #[serde(rename = "MEDIA_KIND_TEXT")]
    Text,
    /// SMIL.
    #[serde(rename = "MEDIA_KIND_PRESENTATION")]
    Presentation,
    /// OMA DRM containers: never opened, never altered.
    #[serde(rename = "MEDIA_KIND_DRM")]
    Drm,
    /// Anything else.
    #[serde(rename = "MEDIA_KIND_OTHER")]
    Other,
}

/// A media type without parameters: lower case, aliases folded (`image/jpg` is `image/jpeg`).
/// Folding table: uaprof.md §5, counted on 3,320 real profiles.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct MediaType(Cow<'static, str>);

impl MediaType {
    /// JPEG.
    pub const JPEG: Self = Self(Cow::Borrowed("image/jpeg"));
    /// PNG.
    pub const PNG: Self = Self(Cow::Borrowed("image/png"));
    /// GIF.
    pub const GIF: Self = Self(Cow::Borrowed("image/gif"));
    /// WBMP.
    pub const WBMP: Self = Self(Cow::Borrowed("image/vnd.wap.wbmp"));
    /// BMP.
    pub const BMP: Self = Self(Cow::Borrowed("image/bmp"));
    /// TIFF.
    pub const TIFF: Self = Self(Cow::Borrowed("image/tiff"));
    /// WebP.
    pub const WEBP: Self = Self(Cow::Borrowed("image/webp"));
    /// HEIC/HEIF.
    pub const HEIC: Self = Self(Cow::Borrowed("image/heic"));
    /// AVIF.
    pub const AVIF: Self = Self(Cow::Borrowed("image/avif"));
    /// Plain text.
    pub const TEXT: Self = Self(Cow::Borrowed("text/plain"));
    /// Uncompressed audio.
    pub const WAV: Self = Self(Cow::Borrowed("audio/wav"));
    /// Audio Video Interleave.
    pub const AVI: Self = Self(Cow::Borrowed("video/x-msvideo"));
    /// SMIL.
    pub const SMIL: Self = Self(Cow::Borrowed("application/smil"));
    /// Unknown bytes.
    pub const OCTETS: Self = Self(Cow::Borrowed("application/octet-stream"));

    /// Folds `text`: trims, lower-cases, cuts parameters, and replaces known aliases.
    pub fn fold(text: &str) -> Self {
        let essence = text.split(';').next().unwrap_or("").trim().to_ascii_lowercase();
        let (top, sub) = essence.split_once('/').unwrap_or((&essence, ""));
        match fold_alias(top, sub) {
            Some(canonical) => Self(Cow::Borrowed(canonical)),
            None => Self(Cow::Owned(essence)),
        }
    }

    /// `type/subtype`.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The part before the slash.
    pub fn top_level(&self) -> &str {
        self.0.split('/').next().unwrap_or("")
    }

    /// What kind of medium it is, judged by the name alone.
    pub fn kind(&self) -> MediaKind {
        match self.as_str() {
            "application/smil" => MediaKind::Presentation,
            "application/ogg" => MediaKind::Audio,
            "application/xhtml+xml" | "application/vnd.wap.xhtml+xml" => MediaKind::Text,
            s if s.starts_with("application/vnd.oma.drm") => MediaKind::Drm,
            s if s.starts_with("image/") => MediaKind::Image,
            s if s.starts_with("audio/") => MediaKind::Audio,
            s if s.starts_with("video/") => MediaKind::Video,
            s if s.starts_with("text/") => MediaKind::Text,
            _ => MediaKind::Other,
        }
    }

    /// Whether it is any `multipart/*` or its WAP twin.
    pub fn is_multipart(&self) -> bool {
        self.0.starts_with("multipart/") || self.0.starts_with("application/vnd.wap.multipart.")
    }

    /// The file-name extension that the field uses, without a dot.
    pub fn extension(&self) -> Option<&'static str> {
        Some(match self.as_str() {
            "image/jpeg" => "jpg",
            "image/png" => "png",
            "image/gif" => "gif",
            "image/vnd.wap.wbmp" => "wbmp",
            "image/bmp" => "bmp",
            "image/tiff" => "tif",
            "image/webp" => "webp",
            "image/heic" => "heic",
            "image/avif" => "avif",
            "audio/amr" => "amr",
            "audio/amr-wb" => "awb",
            "audio/aac" => "aac",
            "audio/mp4" => "m4a",
            "audio/mpeg" => "mp3",
            "audio/wav" => "wav",
            "audio/ogg" | "application/ogg" => "ogg",
            "audio/midi" | "audio/sp-midi" => "mid",
            "audio/imelody" => "imy",
            "video/3gpp" => "3gp",
            "video/3gpp2" => "3g2",
            "video/mp4" => "mp4",
            "video/quicktime" => "mov",
            "text/plain" => "txt",
            "text/x-vcard" => "vcf",
            "text/x-vcalendar" => "vcs",
            "application/smil" => "smil",
            _ => return None,
        })
    }
}

/// The canonical spelling of a known alias.
fn fold_alias(top: &str, sub: &str) -> Option<&'static str> {
    Some(match (top, sub) {
        ("image", "jpeg" | "jpg" | "pjpeg" | "jfif" | "x-jpeg" | "x-jpg") => "image/jpeg",
        ("image", "png" | "x-png" | "apng" | "vnd.mozilla.apng") => "image/png",
        ("image", "gif" | "x-gif" | "agif") => "image/gif",
        ("image", "bmp" | "x-bmp" | "x-ms-bmp" | "x-windows-bmp" | "ms-bmp" | "bitmap") => {
            "image/bmp"
        }
        ("image", "vnd.wap.wbmp" | "wbmp" | "wbm" | "vnd.nokia.wbmp" | "x-wbmp") => {
            "image/vnd.wap.wbmp"
        }
        ("image", "tiff" | "tif" | "x-tiff") => "image/tiff",
        ("image", "webp" | "x-webp") => "image/webp",
        ("image", "heic" | "heif" | "heic-sequence" | "heif-sequence") => "image/heic",
        ("image", "avif" | "avif-sequence") => "image/avif",
        ("audio", "amr" | "x-amr" | "amr-nb") => "audio/amr",
        ("audio", "amr-wb" | "awb" | "amrwb" | "x-amr-wb") | ("application", "awb") => {
            "audio/amr-wb"
        }
        (
            "audio",
            "mpeg" | "mp3" | "mpeg3" | "mpg" | "mpg3" | "x-mp3" | "x-mpeg" | "x-mpeg3" | "x-mpg"
            | "x-mpegaudio",
        ) => "audio/mpeg",
        ("audio", "mp4" | "m4a" | "x-m4a" | "mp4a" | "mp4a-latm") => "audio/mp4",
        ("audio", "aac" | "x-aac" | "aac+" | "eaac+" | "aacp" | "x-hx-aac-adts") => "audio/aac",
        ("audio", "wav" | "x-wav" | "wave" | "x-wave" | "vnd.wave") => "audio/wav",
        ("audio", "midi" | "mid" | "x-midi" | "x-mid" | "sp-midi" | "smf") => "audio/midi",
        ("audio" | "text", "imelody" | "x-imelody") => "audio/imelody",
        ("audio", "qcelp" | "vnd.qcelp" | "qcp" | "x-qcp") => "audio/qcelp",
        ("video", "3gpp" | "3gp") => "video/3gpp",
        ("video", "3gpp2" | "3g2") => "video/3gpp2",
        ("video", "mp4" | "mpeg4" | "mpeg-4" | "mpg4" | "x-mp4" | "x-mpeg4" | "mp4v-es") => {
            "video/mp4"
        }
        ("text", "plain") => "text/plain",
        ("text", "x-vcard" | "vcard" | "v-card" | "directory") => "text/x-vcard",
        ("text", "x-vcalendar" | "x-vcalender" | "calendar" | "vcalendar") => "text/x-vcalendar",
        ("application", "smil" | "smil+xml") => "application/smil",
        ("application", "vnd.wap.multipart.related") => "multipart/related",
        ("application", "vnd.wap.multipart.mixed") => "multipart/mixed",
        ("application", "vnd.wap.multipart.alternative") => "multipart/alternative",
        _ => return None,
    })
}

impl fmt::Display for MediaType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl FromStr for MediaType {
    type Err = std::convert::Infallible;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(Self::fold(text))
    }
}

impl Serialize for MediaType {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn aliases_fold_and_strangers_survive() {
        for (text, want) in [
            ("image/JPG", "image/jpeg"),
            (" image/pjpeg ; q=1", "image/jpeg"),
            ("audio/x-mid", "audio/midi"),
            ("text/directory;profile=vcard", "text/x-vcard"),
            ("application/smil+xml", "application/smil"),
            ("application/vnd.wap.multipart.related", "multipart/related"),
            ("Application/X-Foo", "application/x-foo"),
            ("image/*", "image/*"),
        ] {
            assert_eq!(MediaType::fold(text).as_str(), want);
        }
    }

    #[test]
    fn kinds_follow_from_names() {
        assert_eq!(MediaType::SMIL.kind(), MediaKind::Presentation);
        assert_eq!(MediaType::fold("application/vnd.oma.drm.message").kind(), MediaKind::Drm);
        assert_eq!(MediaType::fold("image/x-unknown").kind(), MediaKind::Image);
        assert_eq!(MediaType::fold("application/pdf").kind(), MediaKind::Other);
    }
}
