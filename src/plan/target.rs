//! What a transcoded part may become.

use crate::model::{
    AudioChoice, Dimensions, ImageFormat, MediaKind, MediaType, RemuxRecipe, VideoChoice,
};

/// What a transcoded part may become.
#[derive(Clone, Debug, PartialEq)]
pub enum Target {
    /// A picture.
    Image(ImageTarget),
    /// Sound alone.
    Audio(AudioTarget),
    /// Moving pictures.
    Video(VideoTarget),
}

/// What a transcoded picture may become.
#[derive(Clone, Debug, PartialEq)]
pub struct ImageTarget {
    /// Formats allowed, preferred first; never empty.
    pub formats: Vec<ImageFormat>,
    /// The box, turned to the picture.
    pub bounds: Dimensions,
    /// Whether it may go on moving.
    pub animate: bool,
    /// Whether it may be a still, where it moves.
    pub still: bool,
    /// What an animation may become where it cannot stay one: a clip, the best way first.
    pub clip: Vec<VideoChoice>,
}

/// What a transcoded sound may become.
#[derive(Clone, Debug, PartialEq)]
pub struct AudioTarget {
    /// Codecs and files, the best first; never empty.
    pub choices: Vec<AudioChoice>,
    /// To try first: the same sound in another file.
    pub remux: Option<RemuxRecipe>,
}

/// What a transcoded clip may become.
#[derive(Clone, Debug, PartialEq)]
pub struct VideoTarget {
    /// Codecs and files, the best first; never empty.
    pub choices: Vec<VideoChoice>,
    /// To try first: the same tracks in another file.
    pub remux: Option<RemuxRecipe>,
    /// What stands for it where no clip can be had: a short animation or a still.
    pub poster: Option<ImageTarget>,
}

impl Target {
    /// The kind of medium that is aimed at.
    pub fn kind(&self) -> MediaKind {
        match self {
            Self::Image(_) => MediaKind::Image,
            Self::Audio(_) => MediaKind::Audio,
            Self::Video(_) => MediaKind::Video,
        }
    }

    /// The picture that is aimed at, or that stands for a clip.
    pub fn image(&self) -> Option<&ImageTarget> {
        match self {
            Self::Image(image) => Some(image),
            Self::Video(video) => video.poster.as_ref(),
            Self::Audio(_) => None,
        }
    }

    /// Every type that the part may come out as.
    pub fn media_types(&self) -> Vec<MediaType> {
        let pictures = |image: &ImageTarget| -> Vec<MediaType> {
            let stills = image.formats.iter().map(|format| format.media_type());
            stills.chain(image.clip.iter().map(VideoChoice::media_type)).collect()
        };
        match self {
            Self::Image(image) => pictures(image),
            Self::Audio(audio) => audio.choices.iter().map(|c| c.media_type()).collect(),
            Self::Video(video) => {
                let clips = video.choices.iter().map(VideoChoice::media_type);
                clips.chain(video.poster.iter().flat_map(pictures)).collect()
            }
        }
    }
}

/// The kinds of media that a codec can make of a part.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Makes {
    /// Pictures.
    pub image: bool,
    /// Sound.
    pub audio: bool,
    /// Clips.
    pub video: bool,
}

impl Makes {
    /// No codec reads it.
    pub const NOTHING: Self = Self { image: false, audio: false, video: false };

    /// Pictures alone.
    pub const IMAGE: Self = Self { image: true, ..Self::NOTHING };
}
