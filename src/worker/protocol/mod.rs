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

use self::wire::{Wire, garbled, structs, variants, whole};
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

// Blobs last, so that what tells of them is together in front.
variants! {
    Request {
        0 => Probe { limits, input },
        1 => Open { hint, limits, input },
        2 => Facts,
        3 => Reference { largest, background },
        4 => Measure(recipe),
        5 => Encode { recipe, cap },
        6 => Verify { limits, reference, output },
        7 => Strip(input),
        8 => OpenAudio { info, rate, channels, hint, limits, samples },
        9 => Moments { count, background },
        10 => Preview { hint, limits, input },
    }
    Reply {
        0 => Info(info),
        1 => Facts(facts),
        2 => Reference(reference),
        3 => Measured(size),
        4 => Output(output),
        5 => OverCap(at_least),
        6 => Verified(verified),
        7 => Failed(error),
        8 => Moments(moments),
    }
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
