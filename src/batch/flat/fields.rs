//! The columns: their names, and where in a row and in the engine's report their values stand.

use std::borrow::Cow;

use serde_json::Value;

use crate::batch::rows::{PathText, Row, Status};

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Text,
    Int,
    Real,
    Flag,
}

/// A value, or none.
#[derive(Debug, PartialEq)]
pub enum Cell<'a> {
    None,
    Text(Cow<'a, str>),
    Int(i64),
    Real(f64),
    Flag(bool),
}

/// A row of the table.
pub struct Line<'a> {
    number: usize,
    row: &'a Row,
    parts: usize,
    /// Its place among the item's rows.
    place: usize,
    part: Option<&'a Value>,
}

impl<'a> Line<'a> {
    /// The rows of an item.
    pub fn of(number: usize, row: &'a Row) -> impl Iterator<Item = Self> {
        let parts = row.report.as_ref().and_then(|report| report.get("parts")?.as_array());
        let parts = parts.map(Vec::as_slice).unwrap_or_default();
        (0..parts.len().max(1)).map(move |place| Self {
            number,
            row,
            parts: parts.len(),
            place,
            part: parts.get(place),
        })
    }
}

/// A column.
pub struct Field {
    pub name: &'static str,
    pub kind: Kind,
    from: From,
}

/// Where a value stands.
enum From {
    /// In the row.
    Item(fn(&Row) -> Cell<'_>),
    /// In the table.
    Place(fn(&Line<'_>) -> Cell<'static>),
    /// In the engine's report, by JSON pointer (RFC 6901).
    Report(&'static str),
    /// In what it says of the part.
    Part(&'static str),
    /// The codes of a list in the report, or of one of the part.
    ReportCodes(&'static str),
    PartCodes(&'static str),
    /// The codes of such a list that have something to say, with what they say.
    ReportWords(&'static str, &'static str),
    PartWords(&'static str, &'static str),
}

impl Field {
    /// Its value.
    pub fn cell<'a>(&self, line: &Line<'a>) -> Cell<'a> {
        let report = line.row.report.as_ref();
        let value = |of: Option<&'a Value>, at| of.and_then(|of| of.pointer(at));
        match self.from {
            From::Item(of) => of(line.row),
            From::Place(of) => of(line),
            From::Report(at) => self.of_json(value(report, at)),
            From::Part(at) => self.of_json(value(line.part, at)),
            From::ReportCodes(at) => codes(value(report, at)),
            From::PartCodes(at) => codes(value(line.part, at)),
            From::ReportWords(at, word) => words(value(report, at), word),
            From::PartWords(at, word) => words(value(line.part, at), word),
        }
    }

    fn of_json<'a>(&self, value: Option<&'a Value>) -> Cell<'a> {
        let Some(value) = value else { return Cell::None };
        match self.kind {
            Kind::Text => text(value.as_str()),
            Kind::Int => value.as_i64().map_or(Cell::None, Cell::Int),
            Kind::Real => value.as_f64().map_or(Cell::None, Cell::Real),
            Kind::Flag => value.as_bool().map_or(Cell::None, Cell::Flag),
        }
    }
}

/// What is empty is not there.
fn text(text: Option<&str>) -> Cell<'_> {
    text.filter(|text| !text.is_empty()).map_or(Cell::None, |text| Cell::Text(text.into()))
}

fn int(number: u64) -> Cell<'static> {
    i64::try_from(number).map_or(Cell::None, Cell::Int)
}

fn path(path: Option<&PathText>) -> Cell<'_> {
    text(path.map(PathText::text))
}

/// As in the report of JSON lines.
fn status(status: Status) -> Cell<'static> {
    match serde_json::to_value(status) {
        Ok(Value::String(name)) => Cell::Text(name.into()),
        _ => Cell::None,
    }
}

fn listed(list: Option<&Value>) -> impl Iterator<Item = (&Value, &str)> {
    let list = list.and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    list.iter().filter_map(|one| Some((one, one.get("code")?.as_str()?)))
}

fn codes(list: Option<&Value>) -> Cell<'_> {
    joined(listed(list).map(|(_, code)| code.to_owned()), ", ")
}

fn words<'a>(list: Option<&'a Value>, word: &str) -> Cell<'a> {
    let said = listed(list).filter_map(|(one, code)| {
        let said = one.get(word)?.as_str().filter(|said| !said.is_empty())?;
        Some(format!("{code}: {said}"))
    });
    joined(said, "; ")
}

fn joined(texts: impl Iterator<Item = String>, between: &str) -> Cell<'static> {
    let texts: Vec<String> = texts.collect();
    if texts.is_empty() { Cell::None } else { Cell::Text(texts.join(between).into()) }
}

const fn item(name: &'static str, kind: Kind, of: fn(&Row) -> Cell<'_>) -> Field {
    Field { name, kind, from: From::Item(of) }
}

const fn place(name: &'static str, kind: Kind, of: fn(&Line<'_>) -> Cell<'static>) -> Field {
    Field { name, kind, from: From::Place(of) }
}

const fn report(name: &'static str, kind: Kind, at: &'static str) -> Field {
    Field { name, kind, from: From::Report(at) }
}

const fn part(name: &'static str, kind: Kind, at: &'static str) -> Field {
    Field { name, kind, from: From::Part(at) }
}

const fn list(name: &'static str, from: From) -> Field {
    Field { name, kind: Kind::Text, from }
}

use Kind::{Flag, Int, Real, Text};

/// All columns, in their order.
pub const FIELDS: &[Field] = &[
    place("item", Int, |line| int(line.number as u64)),
    place("first", Flag, |line| Cell::Flag(line.place == 0)),
    item("path", Text, |row| Cell::Text(row.path.text().into())),
    item("path_hex", Text, |row| text(row.path.hex())),
    item("line", Int, |row| row.line.map_or(Cell::None, int)),
    item("asked_device", Text, |row| text(row.asked.device.as_deref())),
    item("asked_carrier", Text, |row| text(row.asked.carrier.as_deref())),
    item("asked_sender", Text, |row| text(row.asked.sender.as_deref())),
    item("asked_user_agent", Text, |row| text(row.asked.user_agent.as_deref())),
    item("asked_max_bytes", Text, |row| text(row.asked.max_bytes.as_deref())),
    item("asked_max_image", Text, |row| text(row.asked.max_image.as_deref())),
    item("status", Text, |row| status(row.status)),
    item("was", Text, |row| row.was.map_or(Cell::None, status)),
    item("reason", Text, |row| text(row.reason.as_deref())),
    item("message", Text, |row| text(row.message.as_deref())),
    item("bytes_before", Int, |row| int(row.bytes_before)),
    item("bytes_after", Int, |row| row.bytes_after.map_or(Cell::None, int)),
    item("cpu_ms", Real, |row| Cell::Real(row.cpu_ms)),
    item("output", Text, |row| path(row.output.as_ref())),
    item("output_hex", Text, |row| text(row.output.as_ref().and_then(PathText::hex))),
    item("same_as", Text, |row| path(row.same_as.as_ref())),
    item("same_as_hex", Text, |row| text(row.same_as.as_ref().and_then(PathText::hex))),
    report("outcome", Text, "/outcome"),
    report("limit_bytes", Int, "/limit/bytes"),
    report("limit_counting", Text, "/limit/counting"),
    report("limit_source", Text, "/limit/source"),
    report("wire_bytes_before", Int, "/wireBytesBefore"),
    report("wire_bytes_after", Int, "/wireBytesAfter"),
    report("content_class_before", Text, "/contentClassBefore"),
    report("content_class_after", Text, "/contentClassAfter"),
    list("warnings", From::ReportCodes("/warnings")),
    list("warning_messages", From::ReportWords("/warnings", "message")),
    report("device", Text, "/account/device"),
    report("carrier", Text, "/account/carrier"),
    report("message_id", Text, "/account/messageId"),
    report("transaction_id", Text, "/account/transactionId"),
    report("engine_version", Text, "/account/engineVersion"),
    report("engine_cpu_ms", Real, "/account/cpuMs"),
    report("wall_ms", Real, "/account/wallMs"),
    report("queue_ms", Real, "/account/queueMs"),
    place("parts", Int, |line| int(line.parts as u64)),
    part("part_index", Int, "/partIndex"),
    part("part_content_id", Text, "/contentId"),
    part("part_name", Text, "/name"),
    part("part_action", Text, "/action"),
    list("part_reasons", From::PartCodes("/reasons")),
    list("part_reason_details", From::PartWords("/reasons", "detail")),
    part("part_budget_bytes", Int, "/budgetBytes"),
    part("part_encodes", Int, "/encodes"),
    part("part_quality_estimate", Real, "/qualityEstimate"),
    part("part_cpu_ms", Real, "/cpuMs"),
    part("part_kind_before", Text, "/before/kind"),
    part("part_type_before", Text, "/before/mediaType"),
    part("part_codec_before", Text, "/before/codec"),
    part("part_bytes_before", Int, "/before/bytes"),
    part("part_width_before", Int, "/before/dimensions/width"),
    part("part_height_before", Int, "/before/dimensions/height"),
    part("part_frames_before", Int, "/before/frames"),
    part("part_duration_ms_before", Int, "/before/durationMs"),
    part("part_bitrate_before", Int, "/before/bitrate"),
    part("part_video_codec_before", Text, "/before/video/codec"),
    part("part_frame_rate_before", Real, "/before/video/frameRate"),
    part("part_audio_codec_before", Text, "/before/audio/codec"),
    part("part_sample_rate_before", Int, "/before/audio/sampleRate"),
    part("part_channels_before", Int, "/before/audio/channels"),
    part("part_kind_after", Text, "/after/kind"),
    part("part_type_after", Text, "/after/mediaType"),
    part("part_codec_after", Text, "/after/codec"),
    part("part_bytes_after", Int, "/after/bytes"),
    part("part_width_after", Int, "/after/dimensions/width"),
    part("part_height_after", Int, "/after/dimensions/height"),
    part("part_frames_after", Int, "/after/frames"),
    part("part_duration_ms_after", Int, "/after/durationMs"),
    part("part_bitrate_after", Int, "/after/bitrate"),
    part("part_video_codec_after", Text, "/after/video/codec"),
    part("part_frame_rate_after", Real, "/after/video/frameRate"),
    part("part_audio_codec_after", Text, "/after/audio/codec"),
    part("part_sample_rate_after", Int, "/after/audio/sampleRate"),
    part("part_channels_after", Int, "/after/audio/channels"),
];
