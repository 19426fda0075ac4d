//! What host and worker say to each other: the calls of [`Codec`] and [`Session`] and nothing
//! else, as frames over a socket that belongs to one job; and, over another socket, the few words
//! by which the host has the zygote start and kill jobs.
//!
//! A frame is its length (u32, little endian) and that many bytes; the first says which message
//! it is. There is no negotiation: both executables are of one version, and the greeting checks.
//!
//! Architecture invariant: imports `codec` and `model` alone; both ends use it; nothing that is
//! read is believed, and nothing is allocated on the word of the other side beyond the cap that
//! the reader names.
//!
//! [`Codec`]: crate::codec::Codec
//! [`Session`]: crate::codec::Session

mod control;
mod media;
mod wire;

#[cfg(test)]
mod tests;

use bytes::Bytes as Buffer;

use self::wire::{Wire, garbled, structs, whole};
pub use self::{
    control::{Command, Confinement, Event, Exit, Greeting, JobId, JobLimits},
    wire::Garbled,
};
use crate::{
    codec::{CodecError, ContentFacts, DecodeLimits, OpenHint, Reference, Verified},
    model::{Bytes, Dimensions, MediaInfo, Recipe, Rgb, SampleRate},
};

/// Bytes of the length before every frame.
pub const PREFIX: usize = 4;

/// Frames longer than this are refused by both sides, whatever is in them.
pub const MAX_FRAME: usize = 1 << 30;

/// What the host asks of a job.
#[derive(Clone, Debug, PartialEq)]
pub enum Request {
    /// `Codec::probe`.
    Probe {
        /// The medium.
        input: Buffer,
        /// What it may cost.
        limits: DecodeLimits,
    },
    /// `Codec::open`. Once a job; what follows is asked of the session.
    Open {
        /// The medium.
        input: Buffer,
        /// What will be wanted.
        hint: OpenHint,
        /// What it may cost.
        limits: DecodeLimits,
    },
    /// `Codec::open` of an audio file that the host has decoded. Once a job, too.
    OpenAudio {
        /// The audio, as the host knows it.
        info: Box<MediaInfo>,
        /// Of each channel.
        rate: SampleRate,
        /// One or two.
        channels: u8,
        /// Interleaved samples: 32-bit floats in little endian, full scale is 1.
        samples: Buffer,
        /// What will be wanted.
        hint: OpenHint,
        /// What it may cost.
        limits: DecodeLimits,
    },
    /// `Codec::preview`. Once a job, as `Open`.
    Preview {
        /// The medium.
        input: Buffer,
        /// What will be wanted.
        hint: OpenHint,
        /// What it may cost.
        limits: DecodeLimits,
    },
    /// `Session::facts`.
    Facts,
    /// `Session::reference`.
    Reference {
        /// At this size.
        largest: Dimensions,
        /// Under transparent pixels.
        background: Rgb,
    },
    /// `Session::moments`.
    Moments {
        /// So many.
        count: u8,
        /// Under transparent pixels.
        background: Rgb,
    },
    /// `Session::measure`.
    Measure(Recipe),
    /// `Session::encode`.
    Encode {
        /// How.
        recipe: Recipe,
        /// Not larger than this.
        cap: Bytes,
    },
    /// `Codec::verify`.
    Verify {
        /// An output of ours.
        output: Buffer,
        /// What it should look like.
        reference: Option<Reference>,
        /// What it may cost.
        limits: DecodeLimits,
    },
    /// `Codec::strip_metadata`.
    Strip(Buffer),
}

/// What a job answers.
#[derive(Clone, Debug, PartialEq)]
pub enum Reply {
    /// To `Probe`, `Open`, `OpenAudio` and `Preview`.
    Info(MediaInfo),
    /// To `Facts`.
    Facts(ContentFacts),
    /// To `Reference`.
    Reference(Option<Reference>),
    /// To `Moments`.
    Moments(Option<Vec<Reference>>),
    /// To `Measure`.
    Measured(Option<Bytes>),
    /// To `Encode` and `Strip`: bytes, or nothing to strip.
    Output(Option<Buffer>),
    /// To `Encode`: larger than the cap, at least this large.
    OverCap(Bytes),
    /// To `Verify`.
    Verified(Verified),
    /// To anything.
    Failed(CodecError),
}

/// A reply, and what it has cost so far.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// CPU time of the job's process since its start, in microseconds.
    pub cpu_us: u64,
    /// The reply.
    pub reply: Reply,
}

structs! {
    Answer { cpu_us, reply }
}

/// Messages that travel in frames.
pub trait Message: Sized {
    /// The whole frame, length included.
    fn to_frame(&self) -> Vec<u8>;

    /// From the bytes behind the length.
    ///
    /// # Errors
    /// They are no such message.
    fn from_frame(frame: Buffer) -> Result<Self, Garbled>;
}

impl<T: Wire> Message for T {
    fn to_frame(&self) -> Vec<u8> {
        let mut out = vec![0; PREFIX];
        self.put(&mut out);
        let length = u32::try_from(out.len() - PREFIX).unwrap_or(u32::MAX);
        out[..PREFIX].copy_from_slice(&length.to_le_bytes());
        out
    }

    fn from_frame(frame: Buffer) -> Result<Self, Garbled> {
        whole(frame)
    }
}

/// The length that a frame's prefix tells.
///
/// # Errors
/// More than `cap`: no such frame can be meant.
pub fn frame_length(prefix: [u8; PREFIX], cap: usize) -> Result<usize, Garbled> {
    let length = u32::from_le_bytes(prefix) as usize;
    if length > cap.min(MAX_FRAME) {
        return garbled(format!("a frame of {length} bytes, where {cap} are the most"));
    }
    Ok(length)
}

impl Wire for Request {
    fn put(&self, out: &mut Vec<u8>) {
        match self {
            Self::Probe { input, limits } => {
                0u8.put(out);
                limits.put(out);
                input.put(out);
            }
            Self::Open { input, hint, limits } => {
                1u8.put(out);
                hint.put(out);
                limits.put(out);
                input.put(out);
            }
            Self::Preview { input, hint, limits } => {
                10u8.put(out);
                hint.put(out);
                limits.put(out);
                input.put(out);
            }
            Self::Facts => 2u8.put(out),
            Self::Reference { largest, background } => {
                3u8.put(out);
                largest.put(out);
                background.put(out);
            }
            Self::Measure(recipe) => {
                4u8.put(out);
                recipe.put(out);
            }
            Self::Encode { recipe, cap } => {
                5u8.put(out);
                recipe.put(out);
                cap.put(out);
            }
            Self::Verify { output, reference, limits } => {
                6u8.put(out);
                limits.put(out);
                reference.put(out);
                output.put(out);
            }
            Self::Strip(input) => {
                7u8.put(out);
                input.put(out);
            }
            Self::Moments { count, background } => {
                9u8.put(out);
                count.put(out);
                background.put(out);
            }
            Self::OpenAudio { info, rate, channels, samples, hint, limits } => {
                8u8.put(out);
                info.put(out);
                rate.put(out);
                channels.put(out);
                hint.put(out);
                limits.put(out);
                samples.put(out);
            }
        }
    }

    fn take(from: &mut Buffer) -> Result<Self, Garbled> {
        Ok(match u8::take(from)? {
            0 => {
                let limits = Wire::take(from)?;
                Self::Probe { limits, input: Wire::take(from)? }
            }
            1 => {
                let (hint, limits) = (Wire::take(from)?, Wire::take(from)?);
                Self::Open { hint, limits, input: Wire::take(from)? }
            }
            2 => Self::Facts,
            3 => Self::Reference { largest: Wire::take(from)?, background: Wire::take(from)? },
            4 => Self::Measure(Wire::take(from)?),
            5 => Self::Encode { recipe: Wire::take(from)?, cap: Wire::take(from)? },
            6 => {
                let (limits, reference) = (Wire::take(from)?, Wire::take(from)?);
                Self::Verify { limits, reference, output: Wire::take(from)? }
            }
            7 => Self::Strip(Wire::take(from)?),
            8 => {
                let info = Box::new(Wire::take(from)?);
                let (rate, channels) = (Wire::take(from)?, Wire::take(from)?);
                let (hint, limits) = (Wire::take(from)?, Wire::take(from)?);
                let samples = Wire::take(from)?;
                Self::OpenAudio { info, rate, channels, samples, hint, limits }
            }
            9 => Self::Moments { count: Wire::take(from)?, background: Wire::take(from)? },
            10 => {
                let (hint, limits) = (Wire::take(from)?, Wire::take(from)?);
                Self::Preview { hint, limits, input: Wire::take(from)? }
            }
            other => return garbled(format!("no request {other}")),
        })
    }
}

impl Wire for Reply {
    fn put(&self, out: &mut Vec<u8>) {
        match self {
            Self::Info(info) => {
                0u8.put(out);
                info.put(out);
            }
            Self::Facts(facts) => {
                1u8.put(out);
                facts.put(out);
            }
            Self::Reference(reference) => {
                2u8.put(out);
                reference.put(out);
            }
            Self::Measured(size) => {
                3u8.put(out);
                size.put(out);
            }
            Self::Output(output) => {
                4u8.put(out);
                output.put(out);
            }
            Self::OverCap(at_least) => {
                5u8.put(out);
                at_least.put(out);
            }
            Self::Verified(verified) => {
                6u8.put(out);
                verified.put(out);
            }
            Self::Moments(moments) => {
                8u8.put(out);
                moments.put(out);
            }
            Self::Failed(error) => {
                7u8.put(out);
                error.put(out);
            }
        }
    }

    fn take(from: &mut Buffer) -> Result<Self, Garbled> {
        Ok(match u8::take(from)? {
            0 => Self::Info(Wire::take(from)?),
            1 => Self::Facts(Wire::take(from)?),
            2 => Self::Reference(Wire::take(from)?),
            3 => Self::Measured(Wire::take(from)?),
            4 => Self::Output(Wire::take(from)?),
            5 => Self::OverCap(Wire::take(from)?),
            6 => Self::Verified(Wire::take(from)?),
            7 => Self::Failed(Wire::take(from)?),
            8 => Self::Moments(Wire::take(from)?),
            other => return garbled(format!("no reply {other}")),
        })
    }
}
