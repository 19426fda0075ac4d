//! Requests from the wire: every field is checked, every violation named.

use std::time::Duration;

use super::{
    enums::{form, stated},
    violations::BadRequest,
};
use crate::{
    grpc::v1,
    message::PartData,
    model::{Bytes, Dimensions},
    profile::{AcceptHeaders, DeviceDescription, InlineCapabilities},
    service::many::{MAX_RECIPIENTS, Recipient},
    service::request::{
        AdaptRequest, Content, LimitOverrides, LimitsRequest, ResolveRequest, Scanned,
    },
};

/// Bytes of a request_id.
const MAX_REQUEST_ID: usize = 256;

impl TryFrom<v1::AdaptRequest> for AdaptRequest {
    type Error = BadRequest;

    fn try_from(request: v1::AdaptRequest) -> Result<Self, BadRequest> {
        use v1::adapt_request::Content as Stated;

        let mut bad = BadRequest::default();
        if request.request_id.len() > MAX_REQUEST_ID {
            bad.add("request_id", format!("is longer than {MAX_REQUEST_ID} bytes"));
        }
        refuse_controls(&request.request_id, "request_id", &mut bad);

        let content = match request.content {
            None => {
                bad.add("content", "is missing: set one of mms_pdu, mime, message");
                None
            }
            Some(Stated::MmsPdu(bytes)) if bytes.is_empty() => {
                bad.add("mms_pdu", "is empty");
                None
            }
            Some(Stated::Mime(bytes)) if bytes.is_empty() => {
                bad.add("mime", "is empty");
                None
            }
            Some(Stated::MmsPdu(bytes)) => Some(Content::MmsPdu(bytes)),
            Some(Stated::Mime(bytes)) => Some(Content::Mime(bytes)),
            Some(Stated::Message(message)) => bad.nest("message", message.try_into()),
        };
        let device = bad.nest("device", request.device.unwrap_or_default().try_into());
        let limits = bad.nest("limits", request.limits.unwrap_or_default().try_into());
        let sender = stated(request.sender_type, "sender_type", &mut bad);
        let interface = stated(request.interface, "interface", &mut bad);
        let effort = stated(request.effort, "effort", &mut bad);
        let report_level = stated(request.report_level, "report_level", &mut bad);
        let output_form = form(request.output_form, "output_form", &mut bad);

        let complete = content.zip(device).zip(limits);
        bad.finish(complete.map(|((content, device), limits)| Self {
            request_id: request.request_id,
            client: String::new(),
            content,
            device,
            carrier: non_empty(request.carrier),
            sender,
            interface,
            limits,
            effort: effort.unwrap_or_default(),
            report_level: report_level.unwrap_or_default(),
            output_form,
            reduced_from: None,
            queued: Duration::ZERO,
            scanned: Scanned::default(),
        }))
    }
}

impl TryFrom<v1::PlanRequest> for AdaptRequest {
    type Error = BadRequest;

    fn try_from(plan: v1::PlanRequest) -> Result<Self, BadRequest> {
        wrapped(plan.request)
    }
}

impl TryFrom<v1::AdaptStreamRequest> for AdaptRequest {
    type Error = BadRequest;

    fn try_from(item: v1::AdaptStreamRequest) -> Result<Self, BadRequest> {
        wrapped(item.request)
    }
}

impl TryFrom<v1::AdaptManyRequest> for (AdaptRequest, Vec<Recipient>) {
    type Error = BadRequest;

    fn try_from(many: v1::AdaptManyRequest) -> Result<Self, BadRequest> {
        let mut bad = BadRequest::default();
        if many.request.is_none() {
            bad.add("request", "is missing");
        }
        let request = bad.nest("request", many.request.unwrap_or_default().try_into());
        if many.recipients.is_empty() || many.recipients.len() > MAX_RECIPIENTS {
            bad.add("recipients", format!("must be 1 to {MAX_RECIPIENTS}"));
            return bad.finish(None);
        }
        let recipients: Vec<Option<Recipient>> = (0..)
            .zip(many.recipients)
            .map(|(i, recipient): (usize, v1::Recipient)| {
                let field = format!("recipients[{i}]");
                if recipient.recipient_id.len() > MAX_REQUEST_ID {
                    let longer = format!("is longer than {MAX_REQUEST_ID} bytes");
                    bad.add(format!("{field}.recipient_id"), longer);
                }
                let name = format!("{field}.recipient_id");
                refuse_controls(&recipient.recipient_id, &name, &mut bad);
                let device = recipient.device.unwrap_or_default().try_into();
                let device = bad.nest(&format!("{field}.device"), device)?;
                let carrier = non_empty(recipient.carrier);
                Some(Recipient { id: recipient.recipient_id, device, carrier })
            })
            .collect();
        let recipients: Option<Vec<Recipient>> = recipients.into_iter().collect();
        bad.finish(request.zip(recipients))
    }
}

/// The adaptation that stands in a field `request`.
fn wrapped(request: Option<v1::AdaptRequest>) -> Result<AdaptRequest, BadRequest> {
    let request = request.ok_or_else(|| BadRequest::of("request", "is missing"))?;
    let mut bad = BadRequest::default();
    let value = bad.nest("request", request.try_into());
    bad.finish(value)
}

impl TryFrom<v1::Message> for Content {
    type Error = BadRequest;

    fn try_from(message: v1::Message) -> Result<Self, BadRequest> {
        let mut bad = BadRequest::default();
        for (i, header) in message.headers.iter().enumerate() {
            // RFC 5322 §3.6.8, ftext.
            let valid = |b: u8| b.is_ascii_graphic() && b != b':';
            if header.name.is_empty() || !header.name.bytes().all(valid) {
                bad.add(format!("headers[{i}].name"), "must be printable ASCII without colon");
            }
            if header.value.contains(['\r', '\n', '\0']) {
                bad.add(format!("headers[{i}].value"), "holds a line break or NUL");
            }
        }
        if message.parts.is_empty() {
            bad.add("parts", "is empty");
        }
        for (i, part) in message.parts.iter().enumerate() {
            for (name, text) in [
                ("content_type", &part.content_type),
                ("content_id", &part.content_id),
                ("content_location", &part.content_location),
                ("name", &part.name),
            ] {
                refuse_controls(text, &format!("parts[{i}].{name}"), &mut bad);
            }
        }
        bad.finish(Some(Self::Parts {
            headers: message.headers.into_iter().map(|h| (h.name, h.value)).collect(),
            parts: message.parts.into_iter().map(Into::into).collect(),
        }))
    }
}

impl From<v1::Part> for PartData {
    fn from(part: v1::Part) -> Self {
        Self {
            content_type: part.content_type,
            content_id: part.content_id,
            content_location: part.content_location,
            name: part.name,
            data: part.data,
        }
    }
}

impl TryFrom<v1::LimitOverrides> for LimitOverrides {
    type Error = BadRequest;

    fn try_from(limits: v1::LimitOverrides) -> Result<Self, BadRequest> {
        let mut bad = BadRequest::default();
        let mut bound = |value: Option<u32>, field| at_least_one(value, field, &mut bad);
        let value = Self {
            max_message_bytes: bound(limits.max_message_bytes, "max_message_bytes")
                .map(|n| Bytes::new(n.into())),
            max_image_width: bound(limits.max_image_width, "max_image_width"),
            max_image_height: bound(limits.max_image_height, "max_image_height"),
            image_turns: false,
            replace: limits.replace,
            client_max_bytes: None,
        };
        bad.finish(Some(value))
    }
}

impl TryFrom<v1::DeviceDescription> for DeviceDescription {
    type Error = BadRequest;

    fn try_from(device: v1::DeviceDescription) -> Result<Self, BadRequest> {
        let mut bad = BadRequest::default();
        let inline = device
            .capabilities
            .and_then(|stated| bad.nest("capabilities", InlineCapabilities::try_from(stated)));
        let accept = device.accept.unwrap_or_default();
        bad.finish(Some(Self {
            inline,
            uaprof_xml: (!device.uaprof_xml.is_empty()).then_some(device.uaprof_xml),
            profile_diffs: device.profile_diffs,
            device_id: non_empty(device.device_id),
            uaprof_url: non_empty(device.uaprof_url),
            user_agent: non_empty(device.user_agent),
            accept: AcceptHeaders { accept: accept.accept, accept_charset: accept.accept_charset },
            strict: device.strict,
            fetched: Vec::new(),
        }))
    }
}

impl TryFrom<v1::InlineCapabilities> for InlineCapabilities {
    type Error = BadRequest;

    fn try_from(stated: v1::InlineCapabilities) -> Result<Self, BadRequest> {
        let mut bad = BadRequest::default();
        let max_message_bytes =
            at_least_one(stated.max_message_bytes, "max_message_bytes", &mut bad);
        let max_image = dimensions(stated.max_image, "max_image", &mut bad);
        let screen = dimensions(stated.screen, "screen", &mut bad);
        let bits_per_pixel = at_least_one(stated.bits_per_pixel, "bits_per_pixel", &mut bad)
            .and_then(|bits| {
                let bits = u8::try_from(bits).ok();
                if bits.is_none() {
                    bad.add("bits_per_pixel", "is more than 255");
                }
                bits
            });
        bad.finish(Some(Self {
            max_message_bytes: max_message_bytes.map(|n| Bytes::new(n.into())),
            max_image,
            screen,
            bits_per_pixel,
            accept: stated.accept,
            charsets: stated.charsets,
            suppress_adaptation: stated.suppress_adaptation,
            jpeg_full_chroma: stated.jpeg_full_chroma,
            jpeg_progressive: stated.jpeg_progressive,
        }))
    }
}

impl TryFrom<v1::ResolveRequest> for ResolveRequest {
    type Error = BadRequest;

    fn try_from(request: v1::ResolveRequest) -> Result<Self, BadRequest> {
        let mut bad = BadRequest::default();
        let device = bad.nest("device", request.device.unwrap_or_default().try_into());
        let carrier = non_empty(request.carrier);
        bad.finish(device.map(|device| Self { device, carrier }))
    }
}

impl TryFrom<v1::LookupLimitsRequest> for LimitsRequest {
    type Error = BadRequest;

    fn try_from(request: v1::LookupLimitsRequest) -> Result<Self, BadRequest> {
        let mut bad = BadRequest::default();
        if request.carrier.is_empty() {
            bad.add("carrier", "is missing");
        }
        let sender = stated(request.sender_type, "sender_type", &mut bad);
        let interface = stated(request.interface, "interface", &mut bad);
        bad.finish(Some(Self { carrier: request.carrier, sender, interface }))
    }
}

fn non_empty(text: String) -> Option<String> {
    (!text.is_empty()).then_some(text)
}

fn at_least_one(value: Option<u32>, field: &str, bad: &mut BadRequest) -> Option<u32> {
    if value == Some(0) {
        bad.add(field, "must be at least 1");
    }
    value
}

fn dimensions(
    stated: Option<v1::Dimensions>,
    field: &str,
    bad: &mut BadRequest,
) -> Option<Dimensions> {
    let stated = stated?;
    let dimensions = Dimensions::new(stated.width, stated.height);
    if dimensions.is_none() {
        bad.add(field, "must have a width and a height of at least 1");
    }
    dimensions
}

/// Names that end up in headers or logs must not start a line of their own.
fn refuse_controls(text: &str, field: &str, bad: &mut BadRequest) {
    if text.chars().any(char::is_control) {
        bad.add(field, "holds a control character");
    }
}
