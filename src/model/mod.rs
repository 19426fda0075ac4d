//! The vocabulary: types that three or more rooms, or the proto, name. No policy, no IO.
//!
//! Architecture invariant: imports nothing else of this crate; holds no algorithm that decides
//! what happens to a message.

mod av_choice;
mod av_recipe;
mod bytes;
mod capabilities;
mod content_class;
mod day;
mod dimensions;
mod fault;
mod interface;
mod limits;
mod media_info;
mod media_type;
pub(crate) mod nearest;
mod reason;
mod recipe;
mod report;
mod stop;
mod units;

pub use av_choice::{AudioChoice, VideoChoice};
pub use av_recipe::{
    AudioCodec, AudioCoding, AudioRecipe, Container, FrameRate, RemuxRecipe, VideoCodec,
    VideoCoding, VideoRecipe,
};
pub use bytes::{Bytes, ParseBytesError};
pub use capabilities::{
    AcceptList, Capabilities, Provenance, Repair, RepairCode, Source, Sourced, VideoSupport,
};
pub use content_class::ContentClass;
pub use day::Day;
pub use dimensions::{Dimensions, ParseDimensionsError};
pub use fault::{Category, Fault};
pub use interface::{Framing, Interface, SenderType};
pub use limits::{Counting, ImageLimit, LimitSource, Limits, WireLimit};
pub use media_info::{AudioTrack, ContentFacts, MediaInfo, Orientation, VideoTrack};
pub use media_type::{MediaKind, MediaType};
pub use reason::{Reason, ReasonCode};
pub use recipe::{Chroma, Effort, ImageCoding, ImageFormat, ImageRecipe, Quality, Recipe, Rgb};
pub use report::{Account, Action, Outcome, PartId, PartReport, Report, Warning};
pub use stop::{Stop, StopCause};
pub use units::{BitRate, Millis, SampleRate};
