//! Enumerations: the variants have the same names on both sides, and a variant that is missing on
//! either breaks the build here.

use super::violations::BadRequest;
use crate::{grpc::v1, message, model, profile, service::request};

/// An enumeration of ours that the proto has too.
pub(super) trait Mirrored: Sized {
    /// The proto's.
    type Proto: TryFrom<i32> + Into<i32> + From<Self>;

    /// `None` for `UNSPECIFIED`.
    fn mirrored(proto: Self::Proto) -> Option<Self>;
}

/// What a request states: `None` where it states nothing, or a number that is no value (recorded).
pub(super) fn stated<T: Mirrored>(raw: i32, field: &str, bad: &mut BadRequest) -> Option<T> {
    match T::Proto::try_from(raw) {
        Ok(value) => T::mirrored(value),
        Err(_) => {
            bad.add(field, format!("has no value {raw}"));
            None
        }
    }
}

/// The number of a value.
pub(super) fn number<T: Mirrored>(value: T) -> i32 {
    T::Proto::from(value).into()
}

macro_rules! mirror {
    ($($ours:path => $proto:ident { $($variant:ident),+ })+) => {$(
        impl From<$ours> for v1::$proto {
            fn from(value: $ours) -> Self {
                use $ours as Ours;
                match value {
                    $(Ours::$variant => Self::$variant,)+
                }
            }
        }

        impl Mirrored for $ours {
            type Proto = v1::$proto;

            fn mirrored(proto: v1::$proto) -> Option<Self> {
                match proto {
                    v1::$proto::Unspecified => None,
                    $(v1::$proto::$variant => Some(Self::$variant),)+
                }
            }
        }
    )+};
}

mirror! {
    model::Action => Action {
        Keep, Transcode, Replace, Drop
    }
    model::ContentClass => ContentClass {
        Text, ImageBasic, ImageRich, VideoBasic, VideoRich, Megapixel, ContentBasic, ContentRich
    }
    model::Counting => Counting {
        Interface, MmsPdu, MimeBase64, MimeBinary, MediaOnly
    }
    model::Effort => Effort {
        Fast, Balanced, Best
    }
    model::Interface => Interface {
        Mm1, Mm4, Mm7
    }
    model::LimitSource => LimitSource {
        Device, Carrier, Request, Default, Client
    }
    profile::carrier::LimitKind => LimitKind {
        Gateway, Handset
    }
    model::MediaKind => MediaKind {
        Image, Audio, Video, Text, Presentation, Drm, Other
    }
    model::Outcome => Outcome {
        Unchanged, Minor, Major
    }
    model::ReasonCode => ReasonCode {
        Fits, TypeNotAccepted, DeclaredTypeWrong, OverImageLimit, OverMessageLimit,
        Orientation, ColorModel, AlphaFlattened, CodingNotSupported, MetadataStripped,
        ScaledForBudget, ColorsReduced, FramesDropped, AnimationLost,
        CannotFit, Malformed, SafetyLimit, DecoderMissing, Protected, NeverCut,
        AdaptationNotAllowed, DeadlineBestSoFar, EncodingChosen, FrameRateReduced, ContainerChanged,
        VideoLost, AudioLost, MusicAsSpeech, Shortened, AnimationAsVideo, CharsetConverted,
        Transliterated, Sanitized, LayoutFitted, PhotoLeftOut, AtCeiling,
        OurFault, Poison, BarelyShown, FollowsParts, Alternative, Infected
    }
    model::RepairCode => RepairCode {
        LeadingJunk, Encoding, BrokenMarkup, Truncated, EntityExpanded, EntityRefused,
        Namespace, Component, Misplaced, ListShape, NumberForm, NumberSuspicious,
        DimensionsForm, ItemForm, Duplicate, UnknownValue, FellBack, CapReached,
        NotFetched
    }
    model::SenderType => SenderType {
        Person, LongCode, TollFree, ShortCode
    }
    model::Source => Source {
        Inline, ProfileDiff, Uaprof, DeviceId, UaprofUrl, UserAgent, Accept, CarrierDefault,
        Default
    }
    request::ReportLevel => ReportLevel { Standard, Full }
}

/// `Bare` has no place in the proto: a service never answers in it unless it was asked in it.
impl TryFrom<message::Form> for v1::Form {
    type Error = ();

    fn try_from(form: message::Form) -> Result<Self, ()> {
        match form {
            message::Form::MmsPdu => Ok(Self::MmsPdu),
            message::Form::Mime => Ok(Self::Mime),
            message::Form::Parts => Ok(Self::Message),
            message::Form::Bare => Err(()),
        }
    }
}

/// The form that a request wants back.
pub(super) fn form(raw: i32, field: &str, bad: &mut BadRequest) -> Option<message::Form> {
    match v1::Form::try_from(raw) {
        Ok(v1::Form::Unspecified) => None,
        Ok(v1::Form::MmsPdu) => Some(message::Form::MmsPdu),
        Ok(v1::Form::Mime) => Some(message::Form::Mime),
        Ok(v1::Form::Message) => Some(message::Form::Parts),
        Err(_) => {
            bad.add(field, format!("has no value {raw}"));
            None
        }
    }
}
