//! From what a request says to what the engine needs: device, carrier, limits.

use std::time::{SystemTime, UNIX_EPOCH};

use crate::{
    config::Store,
    message::{Form, Message},
    model::{
        Capabilities, Counting, Day, Dimensions, ImageLimit, Interface, LimitSource, Limits,
        SenderType, Source, WireLimit,
    },
    profile::{self, DeviceDescription, Resolution, carrier::Carrier},
    service::{
        ServiceError,
        request::{Content, LimitOverrides, LimitsRequest, LimitsResponse, RouteLimit},
    },
};

/// Parses content.
pub(super) fn message(
    content: Content,
    limits: &crate::message::ParseLimits,
) -> Result<Message, ServiceError> {
    let _parsing = tracing::info_span!("parse").entered();
    match content {
        Content::MmsPdu(bytes) => Message::parse_pdu(bytes, limits),
        Content::Mime(bytes) => {
            Message::parse_mime(bytes, limits).map(|message| message.received(now()))
        }
        Content::Parts { headers, parts } => Message::from_parts(headers, parts, limits),
        Content::Bare { data, name } => {
            Ok(Message::bare(data, (!name.is_empty()).then_some(name.as_str())))
        }
    }
    .map_err(|error| ServiceError { part: error.part(), ..ServiceError::from_fault(&error) })
}

/// The carrier by name or MCC-MNC.
pub(super) fn carrier<'a>(
    store: &'a Store,
    name: Option<&str>,
) -> Result<Option<&'a Carrier>, ServiceError> {
    let Some(name) = name.filter(|n| !n.is_empty()) else { return Ok(None) };
    let found = store.carrier(name);
    found.map(Some).ok_or_else(|| {
        let near = store.suggest_carriers(name);
        let hint = if near.is_empty() {
            String::new()
        } else {
            format!("; did you mean `{}`?", near.join("` or `"))
        };
        ServiceError::caller(
            "UNKNOWN_CARRIER",
            "carrier",
            format!("unknown carrier `{name}`{hint}"),
        )
    })
}

/// The device's capabilities.
pub(super) fn device(
    store: &Store,
    device: &DeviceDescription,
    carrier: Option<&Carrier>,
) -> Result<Resolution, ServiceError> {
    let default = carrier.and_then(|c| c.default_device.as_deref());
    profile::resolve(device, default, store).map_err(|error| {
        let field = match &error {
            profile::ProfileError::UnknownDevice { .. } => "device.device_id",
            _ => "device.uaprof_xml",
        };
        ServiceError { field: Some(field.to_owned()), ..ServiceError::from_fault(&error) }
    })
}

/// The route of a message, and the day.
#[derive(Clone, Copy, Debug)]
pub(super) struct Route {
    pub interface: Interface,
    pub sender: Option<SenderType>,
    pub on: Day,
}

/// The sender where it is not stated: what goes to a handset was sent by a person, while between
/// operators and from applications it may be anyone, and the strictest row holds.
fn sender_of(interface: Interface, stated: Option<SenderType>) -> Option<SenderType> {
    stated.or((interface == Interface::Mm1).then_some(SenderType::Person))
}

/// The day, UTC: rows of carriers hold from one and until another.
pub(super) fn today() -> Day {
    Day::of_unix(now())
}

fn now() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    now.map_or(0, |since| since.as_secs())
}

/// All limits that apply. A value that was not stated (a built-in default) yields to any that
/// was.
pub(super) fn limits(
    capabilities: &Capabilities,
    carrier: Option<&Carrier>,
    overrides: &LimitOverrides,
    route: Route,
) -> Limits {
    Limits {
        wire: wire_limits(capabilities, carrier, overrides, route),
        image: Some(image_limit(capabilities, carrier, overrides)),
    }
}

fn wire_limits(
    capabilities: &Capabilities,
    carrier: Option<&Carrier>,
    overrides: &LimitOverrides,
    route: Route,
) -> Vec<WireLimit> {
    let request = overrides.max_message_bytes.map(|bytes| WireLimit {
        bytes,
        counting: Counting::Interface,
        source: LimitSource::Request,
    });
    let client = overrides.client_max_bytes.map(|bytes| WireLimit {
        bytes,
        counting: Counting::Interface,
        source: LimitSource::Client,
    });
    let replaced = request.is_some() && overrides.replace;
    let mut wire: Vec<WireLimit> = request.into_iter().chain(client).collect();
    if replaced {
        return wire;
    }
    if let Some(carrier) = carrier {
        let sender = sender_of(route.interface, route.sender);
        let rows = carrier.limits_for(route.interface, sender, route.on);
        wire.extend(rows.into_iter().map(|(_, limit)| limit));
    }
    let device = &capabilities.max_message_bytes;
    let stated = device.provenance.source != Source::Default;
    if stated || wire.is_empty() {
        wire.push(WireLimit {
            bytes: device.value,
            counting: Counting::Interface,
            source: if stated { LimitSource::Device } else { LimitSource::Default },
        });
    }
    wire
}

fn image_limit(
    capabilities: &Capabilities,
    carrier: Option<&Carrier>,
    overrides: &LimitOverrides,
) -> ImageLimit {
    let device = &capabilities.max_image;
    let stated = device.provenance.source != Source::Default;
    let source = if stated { LimitSource::Device } else { LimitSource::Default };
    let mut limit = ImageLimit::turning(device.value, source);
    if let Some(bounds) = carrier.and_then(|c| c.max_image) {
        limit = tightened(limit, bounds, LimitSource::Carrier);
    }
    let (width, height) = (overrides.max_image_width, overrides.max_image_height);
    if width.is_some() || height.is_some() {
        let replaces = overrides.replace || limit.source == LimitSource::Default;
        // A side that is not stated is not limited by the request.
        let side = |asked: Option<u32>| asked.unwrap_or(u32::MAX);
        let asked = Dimensions::at_least_one(side(width), side(height));
        limit = match (overrides.image_turns, replaces) {
            (true, true) => ImageLimit::turning(asked, LimitSource::Request),
            (true, false) => tightened(limit, asked, LimitSource::Request),
            (false, true) => ImageLimit::literal(asked, LimitSource::Request),
            (false, false) => limit.and_literal(asked, LimitSource::Request),
        };
    }
    limit
}

/// The smaller of two bounds, side by side after turning one to the other.
fn tightened(limit: ImageLimit, other: Dimensions, source: LimitSource) -> ImageLimit {
    if limit.source == LimitSource::Default {
        return ImageLimit::turning(other, source);
    }
    let bounds = limit.bounds.cut_to(other.turned_to(limit.bounds));
    if bounds == limit.bounds { limit } else { ImageLimit::turning(bounds, source) }
}

/// The limits of a route, for people who plan.
pub(super) fn lookup(
    store: &Store,
    request: &LimitsRequest,
) -> Result<LimitsResponse, ServiceError> {
    let carrier = carrier(store, Some(&request.carrier))?.ok_or_else(|| {
        ServiceError::caller("MISSING_CARRIER", "carrier", "name a carrier or an MCC-MNC")
    })?;
    let on = today();
    let interfaces = match request.interface {
        Some(one) => vec![one],
        None => vec![Interface::Mm1, Interface::Mm4, Interface::Mm7],
    };
    let limits = interfaces
        .into_iter()
        .flat_map(|interface| {
            let rows = carrier.limits_for(interface, sender_of(interface, request.sender), on);
            let room = |limit: &WireLimit| limit.room_for_media(interface);
            let least = rows.iter().map(|(_, limit)| room(limit)).min();
            rows.into_iter().map(move |(row, limit)| RouteLimit {
                interface,
                binds: Some(limit.room_for_media(interface)) == least,
                sender: row.sender,
                limit,
                counting: limit.counting,
                source: row.source.clone(),
                date: row.date.clone(),
                from: row.from,
                until: row.until,
            })
        })
        .collect();
    Ok(LimitsResponse {
        carrier: carrier.name.clone(),
        title: carrier.title.clone(),
        limits,
        image: carrier.max_image.map(|bounds| ImageLimit::turning(bounds, LimitSource::Carrier)),
        policy: carrier.settings.stated.clone(),
    })
}

/// The message in the form asked for, as it travels over `interface`. A PDU without parts has no
/// other form than its own.
pub(super) fn content(
    message: &Message,
    form: Form,
    interface: Interface,
) -> Result<Content, ServiceError> {
    let fault = |error| ServiceError::from_fault(&error);
    let own = message.form();
    Ok(match form {
        Form::Mime if own == Form::MmsPdu && message.parts().is_empty() => {
            Content::MmsPdu(message.serialize(own).map_err(fault)?)
        }
        // What comes as MIME keeps its codings; what becomes MIME is coded as it was counted.
        Form::Mime if own != Form::Mime && interface == Interface::Mm7 => {
            Content::Mime(message.serialize_for(Counting::Interface, interface).map_err(fault)?)
        }
        Form::MmsPdu => Content::MmsPdu(message.serialize(form).map_err(fault)?),
        Form::Mime => Content::Mime(message.serialize(form).map_err(fault)?),
        Form::Parts => {
            let (headers, parts) = message.to_parts();
            Content::Parts { headers, parts }
        }
        Form::Bare => {
            let name = message.parts().first().and_then(|p| p.name.clone()).unwrap_or_default();
            Content::Bare { data: message.serialize(form).map_err(fault)?, name }
        }
    })
}

/// The interface over which a form travels by nature.
pub(super) fn interface_of(form: Form, message: &Message) -> Interface {
    match form {
        Form::MmsPdu => Interface::Mm1,
        Form::Mime if message.form() != Form::Mime => Interface::Mm4,
        Form::Mime | Form::Parts | Form::Bare => message.default_interface(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{model::Bytes, profile::InlineCapabilities};

    fn resolve(inline: Option<InlineCapabilities>) -> Capabilities {
        let described = DeviceDescription { inline, ..DeviceDescription::default() };
        device(&Store::embedded(), &described, None).unwrap().capabilities
    }

    fn stated() -> Capabilities {
        resolve(Some(InlineCapabilities {
            max_message_bytes: Some(Bytes::new(100_000)),
            max_image: Dimensions::new(640, 480),
            ..InlineCapabilities::default()
        }))
    }

    const ON: Day = Day { year: 2026, month: 11, day: 25 };
    const ROUTE: Route = Route { interface: Interface::Mm1, sender: None, on: ON };

    #[test]
    fn defaults_yield_to_what_somebody_stated() {
        let nothing = resolve(None);
        let alone = limits(&nothing, None, &LimitOverrides::default(), ROUTE);
        assert_eq!(alone.wire[0].source, LimitSource::Default);
        let overrides = LimitOverrides {
            max_message_bytes: Some(Bytes::new(600_000)),
            max_image_width: Some(1600),
            ..LimitOverrides::default()
        };
        let asked = limits(&nothing, None, &overrides, ROUTE);
        assert_eq!(asked.wire.len(), 1);
        assert_eq!(asked.wire[0].bytes.get(), 600_000);
        assert_eq!(asked.image.unwrap().bounds.width(), 1600);
    }

    #[test]
    fn overrides_only_tighten_unless_they_replace() {
        let wider = LimitOverrides {
            max_message_bytes: Some(Bytes::new(600_000)),
            max_image_width: Some(1600),
            max_image_height: Some(100),
            image_turns: false,
            replace: false,
            client_max_bytes: None,
        };
        let got = limits(&stated(), None, &wider, ROUTE);
        assert_eq!(got.wire.iter().map(|l| l.bytes.get()).min(), Some(100_000));
        assert_eq!(got.image.unwrap().bounds, Dimensions::new(640, 100).unwrap());
        let got = limits(&stated(), None, &LimitOverrides { replace: true, ..wider }, ROUTE);
        assert_eq!(got.wire.len(), 1);
        assert_eq!(got.wire[0].bytes.get(), 600_000);
        assert_eq!(got.image.unwrap().bounds, Dimensions::new(1600, 100).unwrap());
        // What the operator lets a client have is replaced by nothing the client says.
        let own = LimitOverrides { client_max_bytes: Some(Bytes::new(90_000)), ..wider };
        for replace in [false, true] {
            let got = limits(&stated(), None, &LimitOverrides { replace, ..own }, ROUTE);
            let least = got.wire.iter().min_by_key(|limit| limit.bytes).map(|l| l.source);
            assert_eq!(least, Some(LimitSource::Client), "{replace}");
        }
    }

    #[test]
    fn what_a_request_asks_for_does_not_turn() {
        let of = |overrides: &LimitOverrides, image: &str| {
            let limit = limits(&stated(), None, overrides, ROUTE).image.unwrap();
            limit.of(image.parse().unwrap()).to_string()
        };
        let narrow = LimitOverrides { max_image_width: Some(100), ..LimitOverrides::default() };
        // The device's bounds turn, and the width stays a width.
        assert_eq!(of(&narrow, "400x300"), "100x480");
        assert_eq!(of(&narrow, "300x400"), "100x640");
        let low = LimitOverrides { max_image_height: Some(100), ..LimitOverrides::default() };
        assert_eq!(of(&low, "300x400"), "480x100");
        let both =
            LimitOverrides { max_image_width: Some(320), max_image_height: Some(240), ..low };
        assert_eq!(of(&both, "300x400"), "320x240");
        let turning = LimitOverrides { image_turns: true, ..both };
        assert_eq!(of(&turning, "300x400"), "240x320");
        let alone = LimitOverrides { replace: true, ..narrow };
        assert_eq!(of(&alone, "300x400"), format!("100x{}", u32::MAX));
        let limit = limits(&stated(), None, &both, ROUTE).image.unwrap();
        assert_eq!(
            (limit.bounds.to_string().as_str(), limit.source),
            ("320x240", LimitSource::Request)
        );
    }

    #[test]
    fn an_unknown_carrier_is_the_callers_fault_with_a_hint() {
        let error = carrier(&Store::embedded(), Some("us-verizn")).unwrap_err();
        assert_eq!(error.reason, "UNKNOWN_CARRIER");
        assert!(error.message.contains("us-verizon"), "{}", error.message);
    }
}
