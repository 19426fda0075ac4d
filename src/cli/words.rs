//! Codes to words for people, in one place. Every match is exhaustive: a new code does not build
//! until it has words here.

use crate::message::Rule;
use crate::model::{
    Action, Category, Counting, Dimensions, LimitSource, MediaKind, Outcome, PartReport,
    Provenance, Reason, ReasonCode, RepairCode, Source,
};

/// A reason as a sentence, with its figures.
pub fn reason(reason: &Reason) -> String {
    let sentence = reason_code(reason.code);
    if reason.detail.is_empty() {
        sentence.to_owned()
    } else {
        format!("{sentence} ({})", reason.detail)
    }
}

/// A reason as a sentence.
pub fn reason_code(code: ReasonCode) -> &'static str {
    match code {
        ReasonCode::Fits => "already fits: passed on bit for bit",
        ReasonCode::TypeNotAccepted => "the device does not take this type",
        ReasonCode::DeclaredTypeWrong => "declared as a type that it is not",
        ReasonCode::OverImageLimit => "larger than the image size allowed",
        ReasonCode::OverMessageLimit => "the message would be over its size limit",
        ReasonCode::Orientation => "rotated as its orientation tag says",
        ReasonCode::ColorModel => "colours converted to what handsets show (sRGB)",
        ReasonCode::AlphaFlattened => "transparent areas filled with the background",
        ReasonCode::CodingNotSupported => "coded in a way that the device does not decode",
        ReasonCode::MetadataStripped => "hidden data such as place and camera removed",
        ReasonCode::ScaledForBudget => "made smaller to keep it sharp within its bytes",
        ReasonCode::ColorsReduced => "fewer colours to save bytes",
        ReasonCode::FramesDropped => "fewer frames to save bytes",
        ReasonCode::AnimationLost => "only the first frame is left of the animation",
        ReasonCode::CannotFit => "no version of it is small enough",
        ReasonCode::Malformed => "damaged beyond repair",
        ReasonCode::SafetyLimit => "too big to be opened safely",
        ReasonCode::DecoderMissing => "this installation cannot read the format",
        ReasonCode::Protected => "copy-protected: kept whole or left out, never altered",
        ReasonCode::NeverCut => "text and layout are never cut",
        ReasonCode::AdaptationNotAllowed => "sender, device or policy forbid changes",
        ReasonCode::DeadlineBestSoFar => "the deadline came: the best version so far was taken",
        ReasonCode::EncodingChosen => "size, frame rate and bitrate chosen for the bytes at hand",
        ReasonCode::FrameRateReduced => "fewer frames per second",
        ReasonCode::ContainerChanged => "moved into another container, not re-encoded",
        ReasonCode::VideoLost => "replaced by an image or a short animation",
        ReasonCode::AudioLost => "the audio track of the video was left out",
        ReasonCode::MusicAsSpeech => "music in a codec made for speech",
        ReasonCode::Shortened => "cut shorter, as the policy allows",
        ReasonCode::AnimationAsVideo => "the animation became a video",
        ReasonCode::CharsetConverted => "written in a charset that the device reads",
        ReasonCode::Sanitized => "re-encoded: the policy passes no original",
        ReasonCode::Transliterated => "characters that the device lacks were replaced",
        ReasonCode::LayoutFitted => "the layout was fitted to the screen",
        ReasonCode::AtCeiling => "more bytes would make no visible or audible difference",
        ReasonCode::Alternative => "another version of the same content was chosen",
        ReasonCode::BarelyShown => "so small that little can be made out",
        ReasonCode::FollowsParts => "names, times and slides follow the parts",
        ReasonCode::OurFault => "a fault of our own",
        ReasonCode::Poison => "two workers were killed while processing it",
        ReasonCode::Infected => "a virus scanner found something in it",
        ReasonCode::PhotoLeftOut => "the photo inside the vCard was left out",
    }
}

/// What was done.
pub fn action(action: Action) -> &'static str {
    match action {
        Action::Keep => "kept",
        Action::Transcode => "re-encoded",
        Action::Replace => "replaced",
        Action::Drop => "left out",
    }
}

/// What was done to a part: one that was moved into another file was not re-encoded.
pub fn done(part: &PartReport) -> &'static str {
    let moved = part.reasons.iter().any(|reason| reason.code == ReasonCode::ContainerChanged);
    if moved && part.action == Action::Transcode { "moved" } else { action(part.action) }
}

/// What would be done.
pub fn intent(action: Action) -> &'static str {
    match action {
        Action::Keep => "keep",
        Action::Transcode => "re-encode",
        Action::Replace => "replace",
        Action::Drop => "leave out",
    }
}

/// What became of the message.
pub fn outcome(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Unchanged => "unchanged: not one byte differs",
        Outcome::Minor => "adapted: same media, smaller or in another format",
        Outcome::Major => "adapted with losses: a medium was left out or became another kind",
    }
}

/// Who set a limit.
pub fn limit_source(source: LimitSource) -> &'static str {
    match source {
        LimitSource::Device => "set by the device",
        LimitSource::Carrier => "set by the carrier",
        LimitSource::Request => "set by this request",
        LimitSource::Default => "no limit stated: built-in default",
        LimitSource::Client => "set by the operator for this client",
    }
}

/// Where a capability comes from.
pub fn provenance(provenance: &Provenance) -> String {
    let said = match provenance.source {
        Source::Inline => "stated in the request",
        Source::ProfileDiff => "profile-diff of the request",
        Source::Uaprof => "the profile given",
        Source::DeviceId => "profile",
        Source::UaprofUrl => "profile at",
        Source::UserAgent => "profile by User-Agent",
        Source::Accept => "Accept headers",
        Source::CarrierDefault => "the carrier's default class",
        Source::Default => "not stated: built-in default",
    };
    let document = match provenance.document.as_str() {
        "" => String::new(),
        document => format!(" {document}"),
    };
    let attribute = match provenance.attribute.as_str() {
        "" => String::new(),
        attribute => format!(" ({attribute})"),
    };
    format!("{said}{document}{attribute}")
}

/// What a limit counts.
pub fn counting(counting: Counting) -> &'static str {
    match counting {
        Counting::Interface => "the message on the wire",
        Counting::MmsPdu => "the message as an MMS PDU",
        Counting::MimeBase64 => "the message as MIME with base64",
        Counting::MimeBinary => "the message as binary MIME",
        Counting::MediaOnly => "the media alone",
    }
}

/// What was repaired in a device document.
pub fn repair(code: RepairCode) -> &'static str {
    match code {
        RepairCode::LeadingJunk => "something before the document",
        RepairCode::Encoding => "wrong character encoding",
        RepairCode::BrokenMarkup => "broken markup",
        RepairCode::Truncated => "ends early",
        RepairCode::EntityExpanded => "entity expanded",
        RepairCode::EntityRefused => "entity refused",
        RepairCode::Namespace => "unusual namespace",
        RepairCode::Component => "misnamed component",
        RepairCode::Misplaced => "in the wrong component",
        RepairCode::ListShape => "list in another form",
        RepairCode::NumberForm => "number with other text",
        RepairCode::NumberSuspicious => "number that cannot be meant",
        RepairCode::DimensionsForm => "dimensions in another form",
        RepairCode::ItemForm => "item tidied",
        RepairCode::Duplicate => "stated twice",
        RepairCode::UnknownValue => "unknown value ignored",
        RepairCode::FellBack => "not usable: next source taken",
        RepairCode::CapReached => "too large: the rest ignored",
        RepairCode::NotFetched => "not fetched: next source taken",
    }
}

/// A kind of medium.
pub fn kind(kind: MediaKind) -> &'static str {
    match kind {
        MediaKind::Image => "image",
        MediaKind::Audio => "audio",
        MediaKind::Video => "video",
        MediaKind::Text => "text",
        MediaKind::Presentation => "layout",
        MediaKind::Drm => "protected",
        MediaKind::Other => "other",
    }
}

/// Dimensions with a true multiplication sign.
pub fn dimensions(dimensions: Dimensions) -> String {
    format!("{}×{}", dimensions.width(), dimensions.height())
}

/// Whose fault.
pub fn fault(category: Category) -> &'static str {
    match category {
        Category::Caller => "wrong request",
        Category::Input => "bad input",
        Category::Unsupported => "input of a kind not handled",
        Category::TooLarge => "input over a safety limit",
        Category::CannotFit => "the limits",
        Category::NotAllowed => "forbidden",
        Category::Busy => "busy",
        Category::Unavailable => "out of reach",
        Category::Deadline => "out of time",
        Category::Cancelled => "cancelled",
        Category::Internal => "our fault",
    }
}

/// A rule of MMS SMIL.
pub fn rule(rule: Rule) -> &'static str {
    match rule {
        Rule::NotWellFormed => "markup that does not match",
        Rule::UnknownElement => "elements of MMS SMIL alone",
        Rule::Misplaced => "smil, head and body, layout, slides in the body, media on slides",
        Rule::RegionAttribute => "regions have id, left, top, width, height, fit",
        Rule::RegionName => "regions are called Image and Text",
        Rule::RegionMissing => "media go into regions of the layout",
        Rule::CrowdedSlide => {
            "one text, one image or video and one audio file per slide; no audio beside a video"
        }
        Rule::EmptySlide => "slides show something",
        Rule::Duration => "slides last a time",
        Rule::DanglingReference => "what is shown is in the message",
        Rule::NotShown => "what is in the message is shown",
    }
}

/// What to try next, where there is something to try: by reason first, then by category.
pub fn hint(reason: &str, category: Category) -> Option<&'static str> {
    match reason {
        "UNKNOWN_DEVICE" => Some("see `mmsfit devices` for the names"),
        "UNKNOWN_CARRIER" | "MISSING_CARRIER" => Some("see `mmsfit carriers` for the names"),
        "CARRIER_FILE" => Some("repair the file, or leave its directory out of the configuration"),
        "CONFIG" => Some("`mmsfit check-config` tells what is in force"),
        "INPUT_UNREADABLE" => Some("check the path and its permissions"),
        "REQUEST_TOO_LARGE" => Some("the limit is in `mmsfit check-config`"),
        "OUTPUT_UNWRITABLE" => Some("check that the directory exists and may be written"),
        "BARE_NEEDS_ONE_MEDIUM" | "NOT_A_MEDIUM" => {
            Some("give one media file, or leave out --bare")
        }
        "ONE_MESSAGE_AT_A_TIME" => Some("use `mmsfit batch run` for many messages"),
        "OUTPUT_IS_INPUT" => Some("name another file after -o"),
        "NOT_A_PROFILE" => Some("--device takes a name, a UAProf document or its URL"),
        "BINARY_PROFILE" => Some("fetch the profile as XML, or name the device"),
        "MALFORMED_PROFILE" => Some("leave out --strict to have it repaired"),
        "NOT_MESSAGE_OR_MEDIUM" => Some("give an MMS PDU, a MIME message or media files"),
        "MESSAGE_BARE_SOAP" => Some("leave it in the form that it came in"),
        "MESSAGE_TRUNCATED" | "MESSAGE_MALFORMED" => Some("ask the sender for it again"),
        "MESSAGE_FORM_CANNOT_HOLD" => Some("ask for the other form with --output-form"),
        "INFECTED" => Some("do not send it again: a virus scanner found something in it"),
        "SCAN_TOO_LARGE" => Some("`scan.max_bytes` and clamd's StreamMaxLength bound a part"),
        "MEDIA_POISON" => Some("do not send it again: report it"),
        "NOTHING_TO_SHOW" => Some("the carrier's policy `empty` refuses such messages"),
        "MEDIA_UNUSABLE" => Some("`mmsfit devices NAME` tells what a device takes"),
        "SAMPLES" => Some("give a folder of messages or media files"),
        "MEDIA_MALFORMED" => Some("open the file elsewhere: it is damaged or cut short"),
        "ADAPTATION_NOT_ALLOWED" => Some("the sender, device or carrier forbids changes"),
        "OVER_MEMORY" => Some("raise --memory"),
        "BATCH_BUSY" => Some("wait for the other run, or choose another OUT"),
        "MIX" => Some("examples/mixes/everyday.toml has every key"),
        "UNREACHABLE" => Some(
            "is it running? --target says where a service is (`mmsfit serve`), --nats where a queue is (`nats-server -js`)",
        ),
        "JOB_UNKNOWN" => Some("`mmsfit batch submit` makes one"),
        "JOB_TAKEN" => Some("choose another --job"),
        "JOB_CANCELLED" => Some("choose another --job, or `mmsfit batch cancel --forget` first"),
        "WORKER_DIFFERS" => Some("give all the same version, --config and documents"),
        "BATCH_LAYOUT" => Some("see `mmsfit batch run --help`"),
        _ => match category {
            Category::Caller => Some("see `mmsfit help`"),
            Category::Input => Some("`mmsfit inspect FILE` tells what a file is"),
            Category::Unsupported => Some("`mmsfit devices NAME` tells what the device takes"),
            Category::TooLarge => Some("the limits are in `mmsfit check-config`"),
            Category::CannotFit => Some("raise the limit, or send fewer parts"),
            Category::NotAllowed => Some("`mmsfit plan` tells what would have to be changed"),
            Category::Busy | Category::Unavailable => Some("try again later"),
            Category::Deadline => Some("try again with more time or less effort"),
            Category::Cancelled => None,
            Category::Internal => Some("run again with -v and report what it says"),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_follow_the_sentence() {
        let with = Reason::new(ReasonCode::OverImageLimit, "4032x3024 > 640x480");
        assert_eq!(reason(&with), "larger than the image size allowed (4032x3024 > 640x480)");
        assert_eq!(reason(&ReasonCode::Fits.into()), reason_code(ReasonCode::Fits));
    }

    #[test]
    fn hints_know_reasons_before_categories() {
        assert_eq!(hint("OVER_MEMORY", Category::TooLarge), Some("raise --memory"));
        assert_eq!(hint("X", Category::Cancelled), None);
    }
}
