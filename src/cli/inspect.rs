//! `mmsfit inspect`: what is in a file, judged by content.

use bytes::Bytes as Buffer;
use serde_json::{Value, json};

use crate::{
    message::{PartData, Violation},
    model::{Bytes, Dimensions, PartReport, Stop},
    profile::{DeviceDescription, InlineCapabilities},
    service::{
        Service,
        detect::{self, Kind},
        request::{AdaptRequest, Content, LimitOverrides, ResolveRequest},
    },
};

use super::{
    Failure,
    args::InspectArgs,
    json as to_json, lists, report, request,
    safe::safe,
    table::{Align, Table},
    term::{Screen, Tone},
    words,
};

/// Tells of every file; the exit code is that of the worst.
pub fn run(service: &Service, args: &InspectArgs, screen: &Screen) -> Result<u8, Failure> {
    let mut worst = 0;
    for (index, path) in args.files.iter().enumerate() {
        let title = request::title(path);
        let looked = request::read_file(path, service.config().max_request_bytes)
            .and_then(|data| look(service, &title, data, args, screen));
        match looked {
            Ok(text) => {
                let gap = if index > 0 && !args.json { "\n" } else { "" };
                screen.out(&format!("{gap}{text}"))?;
            }
            Err(failure) => {
                let failure = failure.about(&title);
                worst = worst.max(failure.exit_code());
                screen.tell_failure(&failure, args.json, true);
            }
        }
    }
    Ok(worst)
}

fn look(
    service: &Service,
    title: &str,
    data: Buffer,
    args: &InspectArgs,
    screen: &Screen,
) -> Result<String, Failure> {
    let as_json = args.json;
    let kind = detect::kind(&data);
    let bytes = Bytes::of(&data);
    let head = || json!({ "file": title, "kind": kind.in_words(), "bytes": bytes });
    let line = || {
        let paint = screen.paint(true);
        format!("{}: {}, {bytes}\n", paint.tone(Tone::Strong, &safe(title)), kind.in_words())
    };
    let content = match kind {
        Kind::Pdu => Content::MmsPdu(data),
        Kind::Mime => Content::Mime(data),
        Kind::Medium(_) if kind.is_playable() => Content::Bare { data, name: title.to_owned() },
        // Text is known by its declared type, which a file does not have.
        Kind::Medium(ref medium) => Content::Parts {
            headers: Vec::new(),
            parts: vec![PartData {
                content_type: medium.to_string(),
                name: title.to_owned(),
                data,
                ..PartData::default()
            }],
        },
        Kind::Profile => {
            let device = DeviceDescription { uaprof_xml: Some(data), ..Default::default() };
            let resolution = service.resolve(ResolveRequest { device, carrier: None })?;
            if as_json {
                let mut value = head();
                put(&mut value, "capabilities", to_json::value(&resolution.capabilities)?);
                put(&mut value, "repairs", to_json::value(&resolution.repairs)?);
                return Ok(format!("{value}\n"));
            }
            return Ok(format!("{}{}", line(), lists::capabilities(&resolution, screen)));
        }
        Kind::Empty | Kind::Unknown => {
            return Err(Failure::input("NOT_MESSAGE_OR_MEDIUM", kind.in_words()));
        }
    };
    let violations = if args.lint { lint(service, &content) } else { None };
    let parts = service.plan(as_it_is(content), &Stop::never())?.report.parts;
    if as_json {
        let mut value = head();
        let parts: Result<Vec<Value>, Failure> = parts.iter().map(part).collect();
        put(&mut value, "parts", Value::Array(parts?));
        if args.lint {
            put(&mut value, "violations", to_json::value(&violations)?);
        }
        return Ok(format!("{value}\n"));
    }
    let mut table = Table::new(&[
        ("#", Align::Right),
        ("part", Align::Left),
        ("kind", Align::Left),
        ("type", Align::Left),
        ("size", Align::Right),
        ("pixels", Align::Left),
        ("frames", Align::Right),
        ("coding", Align::Left),
    ]);
    for part in &parts {
        let info = &part.before;
        let frames = if info.animated() { info.frames.to_string() } else { String::new() };
        table.row(vec![
            (u64::from(part.id.0) + 1).to_string().into(),
            report::label(part).into(),
            words::kind(info.kind).into(),
            info.media_type.as_str().into(),
            info.bytes.to_string().into(),
            info.dimensions.map(words::dimensions).unwrap_or_default().into(),
            frames.into(),
            info.codec.as_str().into(),
        ]);
    }
    let mut text = format!("{}{}", line(), table.render(screen.width(), screen.paint(true)));
    if args.lint {
        text.push_str(&told(violations.as_deref(), screen));
    }
    Ok(text)
}

/// Where the presentation of a message breaks the rules; `None` where there is none.
fn lint(service: &Service, content: &Content) -> Option<Vec<Violation>> {
    // What cannot be read is told by the plan.
    service.parse(content.clone()).ok()?.lint()
}

fn told(violations: Option<&[Violation]>, screen: &Screen) -> String {
    let paint = screen.paint(true);
    let Some(violations) = violations else {
        return format!("{}\n", paint.tone(Tone::Faint, "there is no presentation"));
    };
    if violations.is_empty() {
        return format!("{}\n", paint.tone(Tone::Good, "the presentation keeps the rules"));
    }
    let line = |found: &Violation| {
        let place = if found.line > 0 { format!("line {}: ", found.line) } else { String::new() };
        let text = format!("{place}{} ({})", safe(&found.detail), words::rule(found.rule));
        format!("{}\n", paint.tone(Tone::Changed, &text))
    };
    violations.iter().map(line).collect()
}

fn put(object: &mut Value, key: &str, value: Value) {
    if let Value::Object(map) = object {
        map.insert(key.to_owned(), value);
    }
}

fn part(part: &PartReport) -> Result<Value, Failure> {
    Ok(json!({
        "partIndex": part.id,
        "contentId": part.content_id,
        "name": part.name,
        "info": to_json::value(&part.before)?,
    }))
}

/// A request under which everything may stay as it is: the plan then tells what is there.
fn as_it_is(content: Content) -> AdaptRequest {
    const ANY: u32 = 1 << 20;
    let everything = InlineCapabilities {
        max_message_bytes: Some(Bytes::new(1 << 40)),
        max_image: Dimensions::new(ANY, ANY),
        accept: vec!["*/*".to_owned()],
        ..InlineCapabilities::default()
    };
    let mut request = AdaptRequest::new(content);
    request.device.inline = Some(everything);
    request.limits = LimitOverrides {
        max_message_bytes: Some(Bytes::new(1 << 40)),
        max_image_width: Some(ANY),
        max_image_height: Some(ANY),
        image_turns: true,
        replace: true,
        client_max_bytes: None,
    };
    request
}
