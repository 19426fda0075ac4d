//! Reports, limits and capabilities for the wire. Their JSON is the model's (tests/suite/words.rs).

use super::{count, enums::number};
use crate::{
    grpc::v1,
    model::{
        AcceptList, Account, AudioCodec, Bytes, Capabilities, Dimensions, ImageLimit, Limits,
        MediaInfo, PartReport, Provenance, Reason, Repair, Report, Sourced, VideoSupport, Warning,
        WireLimit,
    },
};

impl From<Report> for v1::Report {
    fn from(report: Report) -> Self {
        Self {
            outcome: number(report.outcome),
            limit: report.limit.map(Into::into),
            wire_bytes_before: count(report.wire_bytes_before),
            wire_bytes_after: count(report.wire_bytes_after),
            parts: report.parts.into_iter().map(Into::into).collect(),
            warnings: report.warnings.into_iter().map(Into::into).collect(),
            capabilities: report.capabilities.map(Into::into),
            content_class_before: report.content_class_before.map(number),
            content_class_after: report.content_class_after.map(number),
            account: report.account.map(Into::into),
        }
    }
}

impl From<Account> for v1::Account {
    fn from(account: Account) -> Self {
        Self {
            engine_version: account.engine_version,
            device: account.device,
            device_rule: Some(account.device_rule.into()),
            carrier: account.carrier,
            message_id: account.message_id,
            transaction_id: account.transaction_id,
            cpu_ms: account.cpu_ms,
            wall_ms: account.wall_ms,
            queue_ms: account.queue_ms,
            reused: account.reused,
        }
    }
}

impl From<PartReport> for v1::PartReport {
    fn from(part: PartReport) -> Self {
        Self {
            part_index: part.id.0,
            content_id: part.content_id,
            name: part.name,
            action: number(part.action),
            reasons: part.reasons.into_iter().map(Into::into).collect(),
            before: Some(part.before.into()),
            after: part.after.map(Into::into),
            budget_bytes: part.budget_bytes.map(count),
            encodes: part.encodes,
            quality_estimate: part.quality_estimate,
            cpu_ms: part.cpu_ms,
        }
    }
}

impl From<Reason> for v1::Reason {
    fn from(reason: Reason) -> Self {
        Self { code: number(reason.code), detail: reason.detail }
    }
}

impl From<Warning> for v1::Warning {
    fn from(warning: Warning) -> Self {
        Self { code: warning.code, message: warning.message }
    }
}

impl From<MediaInfo> for v1::MediaInfo {
    fn from(info: MediaInfo) -> Self {
        Self {
            kind: number(info.kind),
            media_type: info.media_type.as_str().to_owned(),
            codec: info.codec,
            bytes: count(info.bytes),
            dimensions: info.dimensions.map(Into::into),
            frames: info.frames,
            duration_ms: info.duration.get(),
            bitrate: info.bitrate.get(),
            video: info.video.map(|track| v1::VideoTrack {
                codec: track.codec,
                profile: track.profile,
                frame_rate: track.frame_rate,
                bitrate: track.bitrate.get(),
            }),
            audio: info.audio.map(|track| v1::AudioTrack {
                codec: track.codec,
                profile: track.profile,
                sample_rate: track.sample_rate.get(),
                channels: track.channels,
                bitrate: track.bitrate.get(),
            }),
        }
    }
}

impl From<Dimensions> for v1::Dimensions {
    fn from(dimensions: Dimensions) -> Self {
        Self { width: dimensions.width(), height: dimensions.height() }
    }
}

impl From<WireLimit> for v1::WireLimit {
    fn from(limit: WireLimit) -> Self {
        Self {
            bytes: count(limit.bytes),
            counting: number(limit.counting),
            source: number(limit.source),
        }
    }
}

impl From<ImageLimit> for v1::ImageLimit {
    fn from(limit: ImageLimit) -> Self {
        Self { bounds: Some(limit.bounds.into()), source: number(limit.source) }
    }
}

impl From<Limits> for v1::Limits {
    fn from(limits: Limits) -> Self {
        Self {
            wire: limits.wire.into_iter().map(Into::into).collect(),
            image: limits.image.map(Into::into),
        }
    }
}

impl From<Provenance> for v1::Provenance {
    fn from(provenance: Provenance) -> Self {
        Self {
            source: number(provenance.source),
            document: provenance.document,
            attribute: provenance.attribute,
        }
    }
}

impl From<Capabilities> for v1::Capabilities {
    fn from(device: Capabilities) -> Self {
        Self {
            vendor: device.vendor,
            model: device.model,
            max_message_bytes: Some(device.max_message_bytes.into()),
            max_image: Some(device.max_image.into()),
            screen: device.screen.map(Into::into),
            bits_per_pixel: Some(device.bits_per_pixel.into()),
            accept: Some(device.accept.into()),
            charsets: Some(device.charsets.into()),
            content_classes: device.content_classes,
            mms_version: device.mms_version,
            suppress_adaptation: Some(device.suppress_adaptation.into()),
            jpeg_full_chroma: Some(device.jpeg_full_chroma.into()),
            jpeg_progressive: Some(device.jpeg_progressive.into()),
            video: Some(device.video.into()),
            audio: Some(device.audio.into()),
        }
    }
}

impl From<VideoSupport> for v1::VideoSupport {
    fn from(support: VideoSupport) -> Self {
        Self {
            codec: support.codec.name().into(),
            max_dimensions: Some(support.max_dimensions.into()),
            max_frame_rate: support.max_frame_rate,
            max_bitrate: support.max_bitrate.get(),
        }
    }
}

/// One message for each kind of value.
macro_rules! sourced {
    ($($from:ty => $to:ident, $value:ident => $convert:expr;)+) => {$(
        impl From<Sourced<$from>> for v1::$to {
            fn from(sourced: Sourced<$from>) -> Self {
                let $value = sourced.value;
                Self { value: $convert, provenance: Some(sourced.provenance.into()) }
            }
        }
    )+};
}

sourced! {
    Bytes => SourcedNumber, bytes => count(bytes);
    u8 => SourcedNumber, number => number.into();
    bool => SourcedBool, yes => yes;
    Dimensions => SourcedDimensions, dimensions => Some(dimensions.into());
    AcceptList => SourcedStrings, list => list.spellings().to_vec();
    Vec<String> => SourcedStrings, list => list;
    Vec<AudioCodec> => SourcedStrings, list => list.iter().map(|c| c.name().into()).collect();
    Vec<VideoSupport> => SourcedVideo, list => list.into_iter().map(Into::into).collect();
}

impl From<Repair> for v1::Repair {
    fn from(repair: Repair) -> Self {
        Self { code: number(repair.code), attribute: repair.attribute, raw: repair.raw }
    }
}
