//! The choices that a device leaves: codecs with the files that it takes them in.

use super::{
    AudioCodec, Container, MediaType, VideoCodec, VideoSupport,
    av_recipe::{audio_type, video_type},
};

/// One way to write an audio file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AudioChoice {
    /// The codec.
    pub codec: AudioCodec,
    /// The file.
    pub container: Container,
}

impl AudioChoice {
    /// The type that it yields.
    pub fn media_type(self) -> MediaType {
        audio_type(self.container, self.codec)
    }
}

/// One way to write a video.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VideoChoice {
    /// The codec, and how far the device decodes it.
    pub support: VideoSupport,
    /// The file.
    pub container: Container,
    /// Audio codecs possible in that file; empty: none.
    pub audio: Vec<AudioCodec>,
}

impl VideoChoice {
    /// The type that it yields.
    pub fn media_type(&self) -> MediaType {
        video_type(self.container)
    }
}

impl Container {
    /// Whether its standard has room for the codec: 3GP by TS 26.244 clause 6, MP4 by
    /// ISO/IEC 14496-14 (AMR and H.263 in MP4 are no standard, and old handsets refuse them).
    pub fn holds_video(self, codec: VideoCodec) -> bool {
        match self {
            Self::ThreeGp => true,
            Self::Mp4 => codec != VideoCodec::H263,
            Self::Amr | Self::Adts | Self::Mp3 => false,
        }
    }

    /// Likewise for audio.
    pub fn holds_audio(self, codec: AudioCodec) -> bool {
        match self {
            Self::ThreeGp => codec != AudioCodec::Mp3,
            Self::Mp4 | Self::Adts => codec == AudioCodec::Aac,
            Self::Amr => matches!(codec, AudioCodec::AmrNb | AudioCodec::AmrWb),
            Self::Mp3 => codec == AudioCodec::Mp3,
        }
    }
}
