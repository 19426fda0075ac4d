//! What a transcoded part may become.

use crate::model::{
    AudioChoice, Dimensions, ImageFormat, MediaKind, MediaType, RemuxRecipe, VideoChoice,
};

/// What a transcoded part may become.
#[derive(Clone, Debug, PartialEq)]
pub enum Target {
    /// An image.
    Image(ImageTarget),
    /// Audio alone.
    Audio(AudioTarget),
    /// Video.
    Video(VideoTarget),
}

/// What a transcoded image may become.
#[derive(Clone, Debug, PartialEq)]
pub struct ImageTarget {
    /// Formats allowed, preferred first; never empty.
    pub formats: Vec<ImageFormat>,
    /// The bounds, turned to the image.
    pub bounds: Dimensions,
    /// Whether it may stay animated.
    pub animate: bool,
    /// Whether it may become a still, where it is animated.
    pub still: bool,
    /// Videos that an animation may become where it cannot stay one, the best first.
    pub video: Vec<VideoChoice>,
}

/// What transcoded audio may become.
#[derive(Clone, Debug, PartialEq)]
pub struct AudioTarget {
    /// Codecs and files, the best first; never empty.
    pub choices: Vec<AudioChoice>,
    /// To try first: the same audio in another file.
    pub remux: Option<RemuxRecipe>,
}

/// What a transcoded video may become.
#[derive(Clone, Debug, PartialEq)]
pub struct VideoTarget {
    /// Codecs and files, the best first; never empty.
    pub choices: Vec<VideoChoice>,
    /// To try first: the same tracks in another file.
    pub remux: Option<RemuxRecipe>,
    /// What replaces it where no video fits: a short animation or a still.
    pub poster: Option<ImageTarget>,
}

impl Target {
    /// The target kind of medium.
    pub fn kind(&self) -> MediaKind {
        match self {
            Self::Image(_) => MediaKind::Image,
            Self::Audio(_) => MediaKind::Audio,
            Self::Video(_) => MediaKind::Video,
        }
    }

    /// The target image, or the one that replaces a video.
    pub fn image(&self) -> Option<&ImageTarget> {
        match self {
            Self::Image(image) => Some(image),
            Self::Video(video) => video.poster.as_ref(),
            Self::Audio(_) => None,
        }
    }

    /// Every type that the part may come out as.
    pub fn media_types(&self) -> Vec<MediaType> {
        let images = |image: &ImageTarget| -> Vec<MediaType> {
            let stills = image.formats.iter().map(|format| format.media_type());
            stills.chain(image.video.iter().map(VideoChoice::media_type)).collect()
        };
        match self {
            Self::Image(image) => images(image),
            Self::Audio(audio) => audio.choices.iter().map(|c| c.media_type()).collect(),
            Self::Video(video) => {
                let videos = video.choices.iter().map(VideoChoice::media_type);
                videos.chain(video.poster.iter().flat_map(images)).collect()
            }
        }
    }
}

/// The kinds of media that a codec can make of a part.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Makes {
    /// Images.
    pub image: bool,
    /// Audio.
    pub audio: bool,
    /// Videos.
    pub video: bool,
}

impl Makes {
    /// No codec reads it.
    pub const NOTHING: Self = Self { image: false, audio: false, video: false };
}
