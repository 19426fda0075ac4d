//! What was done to a message and to each of its parts, and why.

use serde::Serialize;

use super::{Bytes, Capabilities, ContentClass, MediaInfo, Provenance, Reason, WireLimit};

/// A part of a message: its position in the message as it came, from 0. Nested multiparts count
/// their leaves in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct PartId(pub u32);

impl PartId {
    /// As an index.
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// What is done to a part (DESIGN §2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
pub enum Action {
    /// Passes bit for bit.
    #[serde(rename = "ACTION_KEEP")]
    Keep,
    /// Re-encoded in the same medium.
    #[serde(rename = "ACTION_TRANSCODE")]
    Transcode,
    /// Replaced by another medium or a notice.
    #[serde(rename = "ACTION_REPLACE")]
    Replace,
    /// Left out.
    #[serde(rename = "ACTION_DROP")]
    Drop,
}

/// What became of the whole message (the conformance document's adaptation classes).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub enum Outcome {
    /// Not one byte changed.
    #[serde(rename = "OUTCOME_UNCHANGED")]
    Unchanged,
    /// Same media: format, size or quality changed.
    #[serde(rename = "OUTCOME_MINOR")]
    Minor,
    /// A medium was lost or changed.
    #[serde(rename = "OUTCOME_MAJOR")]
    Major,
}

/// What was done to one part.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PartReport {
    /// Which part.
    #[serde(rename = "partIndex")]
    pub id: PartId,
    /// Its Content-ID without brackets; empty if it has none.
    pub content_id: String,
    /// Its name as it went out; empty if it has none.
    pub name: String,
    /// What was done.
    pub action: Action,
    /// Why, the deciding reason first.
    pub reasons: Vec<Reason>,
    /// The medium as it came.
    pub before: MediaInfo,
    /// The medium as it goes; `None` if dropped.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<MediaInfo>,
    /// The media bytes that the plan allowed it; `None` where it was not limited.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub budget_bytes: Option<Bytes>,
    /// Full or capped encodes tried.
    pub encodes: u32,
    /// Estimate of SSIMULACRA2 against the original within the device's bounds, where there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quality_estimate: Option<f32>,
    /// CPU time spent on the part, in milliseconds.
    pub cpu_ms: f64,
}

/// A warning: something the caller should know that is not the reason of a single action.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Warning {
    /// A stable code in `SCREAMING_SNAKE_CASE`.
    pub code: String,
    /// For people.
    pub message: String,
}

/// What was done to a message.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// What became of it.
    pub outcome: Outcome,
    /// The limit that binds the most, if any applies.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<WireLimit>,
    /// Wire bytes before, by the binding limit's counting.
    pub wire_bytes_before: Bytes,
    /// Wire bytes after, by the same counting.
    pub wire_bytes_after: Bytes,
    /// The content class of the message as it came; none where it is in no class.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content_class_before: Option<ContentClass>,
    /// The content class of the message as it goes out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content_class_after: Option<ContentClass>,
    /// One entry a part, in the order of the message as it came.
    pub parts: Vec<PartReport>,
    /// Warnings.
    pub warnings: Vec<Warning>,
    /// The capabilities used, where the caller asked for them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub capabilities: Option<Capabilities>,
    /// Who it was for and what it took; none in a report of the engine alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account: Option<Account>,
}

/// The facts about a call that billing and complaints need.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Account {
    /// The version that did it.
    pub engine_version: String,
    /// Vendor and model, where they are known.
    pub device: String,
    /// Which description of the device decided what it takes, and by which rule.
    pub device_rule: Provenance,
    /// The carrier's name; empty where there is none.
    pub carrier: String,
    /// The message's own identifier, as its headers state it; empty where they do not.
    pub message_id: String,
    /// The transaction's identifier.
    pub transaction_id: String,
    /// CPU time of the whole, workers included, in milliseconds. Not all of it belongs to a part.
    pub cpu_ms: f64,
    /// Wall-clock time from the start of the work to its end, in milliseconds.
    pub wall_ms: f64,
    /// Time spent waiting in the queue, in milliseconds.
    pub queue_ms: f64,
    /// The parts were encoded for another call that asked the same: their CPU time was paid there.
    pub reused: bool,
}
