//! `mmsfit devices` and `mmsfit carriers`.

use serde_json::json;

use crate::{
    model::Sourced,
    profile::{DeviceDescription, Resolution},
    service::{
        Service,
        request::{LimitsRequest, ResolveRequest},
    },
};

use super::{
    Failure,
    args::{CarriersArgs, DevicesArgs},
    json as to_json,
    safe::safe,
    table::{Align, Cell, Table},
    term::{Screen, Tone},
    words,
};

/// All devices, or one with its capabilities.
pub fn devices(service: &Service, args: &DevicesArgs, screen: &Screen) -> Result<u8, Failure> {
    if let Some(name) = &args.name {
        let device =
            DeviceDescription { device_id: Some(name.clone()), ..DeviceDescription::default() };
        let resolution = service.resolve(ResolveRequest { device, carrier: None })?;
        let text = if args.json {
            let value = json!({
                "deviceId": name,
                "capabilities": to_json::value(&resolution.capabilities)?,
                "repairs": to_json::value(&resolution.repairs)?,
            });
            format!("{value}\n")
        } else {
            capabilities(&resolution, screen)
        };
        screen.out(&text)?;
        return Ok(0);
    }
    let devices = service.devices();
    if args.json {
        let devices: Vec<_> = devices
            .iter()
            .map(|device| {
                json!({
                    "id": device.id,
                    "vendor": device.vendor,
                    "model": device.model,
                    "maxMessageBytes": device.max_message_bytes,
                    "maxImage": device.max_image,
                    "embedded": device.embedded,
                })
            })
            .collect();
        screen.out(&format!("{}\n", json!({ "devices": devices })))?;
        return Ok(0);
    }
    let mut table = Table::new(&[
        ("name", Align::Left),
        ("vendor", Align::Left),
        ("model", Align::Left),
        ("message", Align::Right),
        ("image", Align::Right),
        ("from", Align::Left),
    ]);
    for device in &devices {
        table.row(vec![
            Cell::toned(&device.id, Tone::Strong),
            device.vendor.as_str().into(),
            device.model.as_str().into(),
            device.max_message_bytes.to_string().into(),
            words::dimensions(device.max_image).into(),
            if device.embedded { "built in" } else { "your directory" }.into(),
        ]);
    }
    screen.out(&table.render(screen.width(), screen.paint(true)))?;
    Ok(0)
}

/// Capabilities with where each comes from, and what was repaired.
pub fn capabilities(resolution: &Resolution, screen: &Screen) -> String {
    let caps = &resolution.capabilities;
    let mut table =
        Table::new(&[("capability", Align::Left), ("value", Align::Left), ("from", Align::Left)]);
    let mut row = |name: &str, value: String, from: String| {
        table.row(vec![name.into(), value.into(), Cell::toned(from, Tone::Faint)]);
    };
    fn from<T>(sourced: &Sourced<T>) -> String {
        words::provenance(&sourced.provenance)
    }
    row("largest message", caps.max_message_bytes.value.to_string(), from(&caps.max_message_bytes));
    row("largest image", words::dimensions(caps.max_image.value), from(&caps.max_image));
    if let Some(screen) = &caps.screen {
        row("screen", words::dimensions(screen.value), from(screen));
    }
    row("bits per pixel", caps.bits_per_pixel.value.to_string(), from(&caps.bits_per_pixel));
    row("charsets", caps.charsets.value.join(", "), from(&caps.charsets));
    if !caps.content_classes.is_empty() {
        row("content classes", caps.content_classes.join(", "), String::new());
    }
    if !caps.mms_version.is_empty() {
        row("MMS version", caps.mms_version.clone(), String::new());
    }
    for (name, flag) in [
        ("refuses adaptation", &caps.suppress_adaptation),
        ("shows 4:4:4 JPEG", &caps.jpeg_full_chroma),
        ("shows progressive JPEG", &caps.jpeg_progressive),
    ] {
        row(name, if flag.value { "yes" } else { "no" }.to_owned(), from(flag));
    }
    let video: Vec<String> = caps
        .video
        .iter()
        .map(|v| {
            let (name, rate) = (v.codec.name(), v.max_frame_rate);
            format!("{name} {} at {rate} fps", words::dimensions(v.max_dimensions))
        })
        .collect();
    let none = |list: String| if list.is_empty() { "none".to_owned() } else { list };
    row("video", none(video.join(", ")), from(&caps.video));
    let audio: Vec<&str> = caps.audio.iter().map(|codec| codec.name()).collect();
    row("audio", none(audio.join(", ")), from(&caps.audio));
    let types = caps.accept.spellings();
    table.noted(
        vec![
            "takes".into(),
            format!("{} types", types.len()).into(),
            Cell::toned(from(&caps.accept), Tone::Faint),
        ],
        vec![types.join(", ")],
    );
    let paint = screen.paint(true);
    let title = format!("{} {}", caps.vendor, caps.model);
    let mut out = String::new();
    if !title.trim().is_empty() {
        out.push_str(&format!("{}\n\n", paint.tone(Tone::Strong, &safe(title.trim()))));
    }
    out.push_str(&table.render(screen.width(), paint));
    if !resolution.repairs.is_empty() {
        let mut table =
            Table::new(&[("repaired", Align::Left), ("where", Align::Left), ("was", Align::Left)]);
        for repair in &resolution.repairs {
            table.row(vec![
                Cell::toned(words::repair(repair.code), Tone::Changed),
                repair.attribute.as_str().into(),
                repair.raw.as_str().into(),
            ]);
        }
        out.push('\n');
        out.push_str(&table.render(screen.width(), paint));
    }
    out
}

/// The form of carrier files, as a JSON Schema.
const CARRIER_SCHEMA: &str = include_str!("../../profiles/carrier.schema.json");

/// All carriers, or one with its limits.
pub fn carriers(service: &Service, args: &CarriersArgs, screen: &Screen) -> Result<u8, Failure> {
    if args.schema {
        screen.out(CARRIER_SCHEMA)?;
        return Ok(0);
    }
    let Some(name) = &args.name else { return all_carriers(service, args.json, screen) };
    let found = service.lookup_limits(LimitsRequest {
        carrier: name.clone(),
        sender: args.sender,
        interface: args.interface,
    })?;
    if args.json {
        let limits: Result<Vec<_>, Failure> = found
            .limits
            .iter()
            .map(|row| {
                Ok(json!({
                    "interface": row.interface,
                    "senderType": row.sender,
                    "limit": to_json::value(&row.limit)?,
                    "binds": row.binds,
                    "source": row.source,
                    "date": row.date,
                    "validFrom": row.from.map(|day| day.to_string()),
                    "validUntil": row.until.map(|day| day.to_string()),
                }))
            })
            .collect();
        let value = json!({
            "carrier": found.carrier,
            "title": found.title,
            "limits": limits?,
            "image": found.image,
            "policy": found.policy,
        });
        screen.out(&format!("{value}\n"))?;
        return Ok(0);
    }
    let mut table = Table::new(&[
        ("interface", Align::Left),
        ("sender", Align::Left),
        ("limit", Align::Right),
        ("", Align::Left),
        ("counting", Align::Left),
        ("date", Align::Left),
    ]);
    for row in &found.limits {
        let cells = vec![
            row.interface.to_string().into(),
            row.sender.map_or_else(|| "any".to_owned(), |sender| sender.to_string()).into(),
            row.limit.bytes.to_string().into(),
            if row.binds { "binds" } else { "" }.into(),
            words::counting(row.counting).into(),
            row.date.as_str().into(),
        ];
        let mut notes = vec![row.source.clone()];
        notes.extend(row.from.map(|day| format!("from {day}")));
        notes.extend(row.until.map(|day| format!("until {day}")));
        table.noted(cells, notes);
    }
    let paint = screen.paint(true);
    let mut out = format!(
        "{} ({})\n\n{}",
        paint.tone(Tone::Strong, &safe(&found.title)),
        safe(&found.carrier),
        table.render(screen.width(), paint)
    );
    if let Some(image) = &found.image {
        out.push_str(&format!("\nlargest image {}\n", words::dimensions(image.bounds)));
    }
    for (key, value) in &found.policy {
        out.push_str(&format!("policy: {key} = {}\n", safe(value)));
    }
    screen.out(&out)?;
    Ok(0)
}

fn all_carriers(service: &Service, as_json: bool, screen: &Screen) -> Result<u8, Failure> {
    let carriers = service.carriers();
    if as_json {
        let carriers: Vec<_> = carriers
            .iter()
            .map(|carrier| {
                json!({
                    "name": carrier.name,
                    "title": carrier.title,
                    "country": carrier.country,
                    "mccMnc": carrier.mcc_mnc,
                })
            })
            .collect();
        screen.out(&format!("{}\n", json!({ "carriers": carriers })))?;
        return Ok(0);
    }
    let mut table = Table::new(&[
        ("name", Align::Left),
        ("title", Align::Left),
        ("country", Align::Left),
        ("limits", Align::Left),
        ("MCC-MNC", Align::Left),
    ]);
    for carrier in &carriers {
        let least = carrier.limits.iter().map(|limit| limit.bytes).min();
        let most = carrier.limits.iter().map(|limit| limit.bytes).max();
        let range = match (least, most) {
            (Some(least), Some(most)) if least == most => least.to_string(),
            (Some(least), Some(most)) => format!("{least} to {most}"),
            _ => String::new(),
        };
        table.row(vec![
            Cell::toned(&carrier.name, Tone::Strong),
            carrier.title.as_str().into(),
            carrier.country.as_str().into(),
            range.into(),
            Cell::toned(carrier.mcc_mnc.join(" "), Tone::Faint),
        ]);
    }
    screen.out(&table.render(screen.width(), screen.paint(true)))?;
    Ok(0)
}
