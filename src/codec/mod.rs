//! Media codecs behind one trait: bytes in, bytes out.
//!
//! Architecture invariant: imports only `model`; safe Rust; no threads, files, clocks, budgets
//! (beyond one cap) or devices. `worker::host` implements [`Session`] for the codecs that are
//! written in C, in a sandbox; who calls a [`Codec`] cannot tell the difference.

pub mod audio;
pub mod image;
pub mod remote;
mod sniff;

pub use sniff::sniff;

use std::time::Duration;

use bytes::Bytes as Buffer;

pub use crate::model::ContentFacts;
use crate::model::{
    Bytes, Category, Dimensions, Effort, Fault, MediaInfo, MediaKind, MediaType, Recipe, Rgb, Stop,
    StopCause,
};

/// Hard limits on what a decoder may do with one input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DecodeLimits {
    /// Stored pixels of one image or frame. Default: 210,000,000 (a 200 MP phone photo).
    pub max_pixels: u64,
    /// Stored pixels summed over all frames of an animation. Default: 400,000,000.
    pub max_total_pixels: u64,
    /// Frames of an animation that are looked at. Default: 2,000.
    pub max_frames: u32,
    /// Memory that decoding one input may hold at once, in bytes. Default: 512 MiB.
    pub max_memory: Bytes,
    /// Length of one audio or video file. Default: an hour.
    pub max_duration: Duration,
}

impl Default for DecodeLimits {
    fn default() -> Self {
        Self {
            max_pixels: 210_000_000,
            max_total_pixels: 400_000_000,
            max_frames: 2_000,
            max_memory: Bytes::new(512 << 20),
            max_duration: Duration::from_secs(3_600),
        }
    }
}

impl DecodeLimits {
    /// Whether an audio or video file may be that many milliseconds long.
    ///
    /// # Errors
    /// It is too long.
    pub fn check_duration(&self, milliseconds: u64) -> Result<(), CodecError> {
        if Duration::from_millis(milliseconds) <= self.max_duration {
            return Ok(());
        }
        let limit = u64::try_from(self.max_duration.as_millis()).unwrap_or(u64::MAX);
        Err(CodecError::Limit { what: "milliseconds", found: milliseconds, limit })
    }
}

/// What the caller will want from a session: lets the codec decode at a fraction of the size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OpenHint {
    /// No recipe will ask for more than this, as shown (orientation applied). An image smaller
    /// than this is decoded at its own size.
    pub largest: Dimensions,
    /// Whether all frames of an animation are wanted, or the first alone.
    pub animation: bool,
    /// A decoder that can scale does with fewer pixels where less effort is wanted.
    pub effort: Effort,
}

/// A family of formats that can be read.
pub trait Codec: Send + Sync {
    /// The type of `bytes` if this codec reads it, judged by content (magic numbers) alone.
    fn recognise(&self, bytes: &[u8]) -> Option<MediaType>;

    /// Whether sessions of `input` can encode recipes of this kind.
    fn writes(&self, input: &MediaType, output: MediaKind) -> bool;

    /// Whether a probe costs more than a hash of the bytes: another process is asked. Default: no.
    fn probes_elsewhere(&self) -> bool {
        false
    }

    /// What can be told from the headers, without decoding pixels.
    ///
    /// # Errors
    /// Malformed headers, or dimensions past `limits`.
    fn probe(
        &self,
        input: &Buffer,
        limits: &DecodeLimits,
        stop: &Stop,
    ) -> Result<MediaInfo, CodecError>;

    /// Decodes once, as small as `hint` allows, ready for any number of encodes.
    ///
    /// # Errors
    /// As [`CodecError`] tells; never panics, whatever the input.
    fn open(
        &self,
        input: &Buffer,
        hint: OpenHint,
        limits: &DecodeLimits,
        stop: &Stop,
    ) -> Result<Box<dyn Session>, CodecError>;

    /// An image in place of the medium, available at once, whatever its size: the
    /// thumbnail in the file, the first frame. `None` where there is no such.
    ///
    /// # Errors
    /// As [`CodecError`] tells.
    fn preview(
        &self,
        _input: &Buffer,
        _hint: OpenHint,
        _limits: &DecodeLimits,
        _stop: &Stop,
    ) -> Result<Option<Box<dyn Session>>, CodecError> {
        Ok(None)
    }

    /// The same medium without metadata and otherwise bit for bit, if that is possible without
    /// re-encoding. `None` where it is not, or where there is nothing to strip.
    ///
    /// # Errors
    /// Stopped, or no worker is available: this says nothing about the medium.
    fn strip_metadata(&self, _input: &Buffer, _stop: &Stop) -> Result<Option<Buffer>, CodecError> {
        Ok(None)
    }

    /// Decodes `output`, a result of ours, completely: what it holds, and how much it looks like
    /// `reference`, if that is given.
    ///
    /// # Errors
    /// If it cannot be decoded: our bug.
    fn verify(
        &self,
        output: &Buffer,
        reference: Option<&Reference>,
        limits: &DecodeLimits,
        stop: &Stop,
    ) -> Result<Verified, CodecError>;
}

/// What an output should look like: the luma of the original at the largest size that the device
/// shows, upright.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reference {
    /// Width and height.
    pub dimensions: Dimensions,
    /// Rows from top to bottom, one byte a pixel.
    pub luma: Buffer,
    /// What shows through transparent pixels.
    pub background: Rgb,
}

/// An output of ours, decoded again.
#[derive(Clone, Debug, PartialEq)]
pub struct Verified {
    /// What it holds.
    pub info: MediaInfo,
    /// Estimate of SSIMULACRA2 against the reference, at the reference's size.
    pub quality: Option<f32>,
}

/// An encode that was looked at.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Judged {
    /// What it takes.
    pub size: Bytes,
    /// SSIMULACRA2 against the image at the largest size that is shown.
    pub score: f32,
}

/// One decoded medium.
pub trait Session: Send {
    /// The medium as it came.
    fn info(&self) -> &MediaInfo;

    /// Facts about its pixels.
    fn facts(&mut self) -> ContentFacts;

    /// What its outputs should look like at `largest`; `None` where looks cannot be compared
    /// (animations, audio).
    fn reference(&mut self, _largest: Dimensions, _background: Rgb) -> Option<Reference> {
        None
    }

    /// What is on the screen in the middle of each of `count` equal stretches of the medium's time,
    /// of the size that it has by itself: how what moves is compared across formats. `None` where
    /// there is nothing to see.
    ///
    /// # Errors
    /// As [`CodecError`] tells.
    fn moments(
        &mut self,
        _count: u8,
        _background: Rgb,
        _stop: &Stop,
    ) -> Result<Option<Vec<Reference>>, CodecError> {
        Ok(None)
    }

    /// The size that `recipe` would give, where that can be told for a fraction of an encode;
    /// within a percent, so that the encode has the last word. `None` where it cannot.
    ///
    /// # Errors
    /// As [`CodecError`] tells.
    fn measure(&mut self, _recipe: &Recipe, _stop: &Stop) -> Result<Option<Bytes>, CodecError> {
        Ok(None)
    }

    /// Which of these recipes looks best when all take the bytes that the first takes: its place.
    /// `None` where that cannot be told.
    ///
    /// # Errors
    /// As [`CodecError`] tells.
    fn compare(&mut self, _recipes: &[Recipe], _stop: &Stop) -> Result<Option<usize>, CodecError> {
        Ok(None)
    }

    /// Encodes by `recipe` within `cap`, and tells what that looks like beside the image at
    /// `largest`. What was judged is encoded without work a second time. `None` where looks cannot
    /// be told.
    ///
    /// # Errors
    /// As [`Session::encode`].
    fn judge(
        &mut self,
        _recipe: &Recipe,
        _largest: Dimensions,
        _cap: Bytes,
        _stop: &Stop,
    ) -> Result<Option<Judged>, EncodeError> {
        Ok(None)
    }

    /// Encodes by `recipe`, giving up as soon as the output passes `cap`. The output depends on
    /// the input bytes, the hint given at opening, and the recipe alone.
    ///
    /// # Errors
    /// [`EncodeError::OverCap`] if it would be larger than `cap`.
    fn encode(&mut self, recipe: &Recipe, cap: Bytes, stop: &Stop) -> Result<Buffer, EncodeError>;
}

/// Why an encode did not yield bytes.
#[derive(Debug, thiserror::Error)]
pub enum EncodeError {
    /// The output would be larger than the cap; it has at least this many bytes.
    #[error("over the cap: at least {at_least} bytes", at_least = at_least.get())]
    OverCap {
        /// A lower bound of the whole output.
        at_least: Bytes,
    },
    /// It failed.
    #[error(transparent)]
    Codec(#[from] CodecError),
}

/// An output that is there already, if it is within `cap`.
pub(crate) fn within(output: &Buffer, cap: Bytes) -> Result<Buffer, EncodeError> {
    let at_least = Bytes::of(output);
    if at_least <= cap { Ok(output.clone()) } else { Err(EncodeError::OverCap { at_least }) }
}

impl From<StopCause> for EncodeError {
    fn from(cause: StopCause) -> Self {
        Self::Codec(CodecError::Stopped(cause))
    }
}

/// Why a medium could not be read or written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CodecError {
    /// The bytes break the format's rules.
    #[error("malformed {format}: {detail}")]
    Malformed {
        /// Short name of the format, `JPEG`.
        format: &'static str,
        /// What is wrong.
        detail: String,
    },
    /// Valid, but of a variant that this codec does not read or write.
    #[error("unsupported {format}: {detail}")]
    Unsupported {
        /// Short name of the format.
        format: &'static str,
        /// What is not supported.
        detail: String,
    },
    /// A [`DecodeLimits`] was reached.
    #[error("limit reached: {what} {found} is over {limit}")]
    Limit {
        /// Which limit, `pixels`.
        what: &'static str,
        /// What the input asks for.
        found: u64,
        /// What is allowed.
        limit: u64,
    },
    /// Two processes were killed over it, one after the other, by none of their own limits.
    #[error("poison: {0}")]
    Poison(String),
    /// Nobody is there to do the work, through no fault of the medium.
    #[error("out of reach: {0}")]
    Unavailable(String),
    /// Asked to stop.
    #[error(transparent)]
    Stopped(#[from] StopCause),
    /// A state that should be impossible.
    #[error("internal codec error: {0}")]
    Internal(String),
}

impl Fault for CodecError {
    fn category(&self) -> Category {
        match self {
            Self::Malformed { .. } => Category::Input,
            Self::Unsupported { .. } => Category::Unsupported,
            Self::Limit { .. } => Category::TooLarge,
            Self::Poison(_) => Category::Input,
            Self::Unavailable(_) => Category::Unavailable,
            Self::Stopped(StopCause::Cancelled) => Category::Cancelled,
            Self::Stopped(StopCause::Deadline) => Category::Deadline,
            Self::Internal(_) => Category::Internal,
        }
    }

    fn reason(&self) -> &'static str {
        match self {
            Self::Malformed { .. } => "MEDIA_MALFORMED",
            Self::Unsupported { .. } => "MEDIA_UNSUPPORTED",
            Self::Limit { .. } => "MEDIA_OVER_SAFETY_LIMIT",
            Self::Poison(_) => "MEDIA_POISON",
            Self::Unavailable(_) => "WORKER_LOST",
            Self::Stopped(StopCause::Cancelled) => "CANCELLED",
            Self::Stopped(StopCause::Deadline) => "DEADLINE_EXCEEDED",
            Self::Internal(_) => "CODEC_INTERNAL",
        }
    }
}

/// All codecs that a process can use, asked in order.
pub struct CodecSet(Vec<Box<dyn Codec>>);

impl CodecSet {
    /// From a list, the preferred one first.
    pub fn new(codecs: Vec<Box<dyn Codec>>) -> Self {
        Self(codecs)
    }

    /// The codecs in safe Rust that this crate brings.
    pub fn builtin() -> Self {
        Self::new(vec![Box::new(image::ImageCodec), Box::new(audio::AudioCodec)])
    }

    /// The codec that reads `bytes`, and their type: one that can make the same kind of medium of
    /// them, or else one that knows at least what they are.
    pub fn find(&self, bytes: &[u8]) -> Option<(&dyn Codec, MediaType)> {
        let known =
            || self.0.iter().filter_map(|codec| Some((codec.as_ref(), codec.recognise(bytes)?)));
        known().find(|(codec, input)| codec.writes(input, input.kind())).or_else(|| known().next())
    }

    /// The codec that reads `bytes` and makes media of the kind `output` from them.
    pub fn find_writer(&self, bytes: &[u8], output: MediaKind) -> Option<&dyn Codec> {
        let able = |codec: &&dyn Codec| {
            codec.recognise(bytes).is_some_and(|input| codec.writes(&input, output))
        };
        self.0.iter().map(Box::as_ref).find(able)
    }
}
