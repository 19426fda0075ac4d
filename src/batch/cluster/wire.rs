//! What stands in the queue: small JSON objects, never a body.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::{
    super::{
        asked::Asked,
        digest,
        item::{Found, Item},
        options::OnCannotFit,
        rows::{PathText, Row},
    },
    naming::Naming,
    wanted::Wanted,
};

/// A job, as its submitter left it for the workers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct JobRecord {
    /// The URL of what is read.
    pub input: String,
    /// The URL of what is written.
    pub output: String,
    /// What is asked for of items that ask for nothing themselves.
    pub wanted: Wanted,
    /// As for a run of one machine.
    pub on_cannot_fit: Policy,
    /// Of version, options, documents and configuration: equal where results are.
    pub fingerprint: String,
    /// Of all items in their order.
    pub items: String,
    /// How many there are.
    pub total: u64,
    /// All of them are in the queue, or were.
    pub complete: bool,
    /// What waited was taken out.
    pub cancelled: bool,
}

impl JobRecord {
    /// Whether both are one submission, however far it went.
    pub fn is_same(&self, other: &Self) -> bool {
        let state = |record: &Self| Self { complete: true, cancelled: false, ..record.clone() };
        state(self) == state(other)
    }
}

/// [`OnCannotFit`] in JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Policy {
    /// Refused.
    Fail,
    /// The original is the result.
    Keep,
    /// No result.
    Drop,
}

impl From<OnCannotFit> for Policy {
    fn from(what: OnCannotFit) -> Self {
        match what {
            OnCannotFit::Fail => Self::Fail,
            OnCannotFit::Keep => Self::Keep,
            OnCannotFit::Drop => Self::Drop,
        }
    }
}

/// One item.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ItemMessage {
    /// Its place among all, from 0.
    pub number: u64,
    /// Its key, relative to the input.
    #[serde(flatten)]
    pub path: PathText,
    /// What its result's name is made of, where that is not the key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub named: Option<PathText>,
    /// The line of the list that names it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<u64>,
    /// What that line asks for.
    #[serde(default, skip_serializing_if = "Asked::is_empty")]
    pub asked: Asked,
    /// Why that line cannot be used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bad: Option<String>,
    /// What its result's name must not be.
    #[serde(default)]
    pub naming: Naming,
}

impl ItemMessage {
    /// Of an item.
    pub fn new(number: u64, item: &Item, naming: Naming) -> Self {
        let path = PathText::new(&item.path);
        let named = PathText::new(&item.named);
        let bad = match &item.found {
            Found::Bad(why) => Some(why.clone()),
            Found::Tree(_) | Found::Stored(..) | Found::Listed => None,
        };
        Self {
            number,
            named: (named != path).then_some(named),
            path,
            line: item.line,
            asked: item.asked.clone(),
            bad,
            naming,
        }
    }

    /// The same for the same key and parameters: what is published twice is there once.
    pub fn id(&self) -> String {
        let line = self.line.map_or_else(String::new, |line| line.to_string());
        let text = format!("{}\0{}\0{line}", self.path.key(), self.asked.key());
        format!("{:032x}", digest::wide(text.as_bytes()))
    }

    /// What the name of the result is made of.
    pub fn named(&self) -> Option<PathBuf> {
        self.named.as_ref().unwrap_or(&self.path).path()
    }

    /// A row that says nothing yet but which item it is about.
    pub fn row(&self) -> Row {
        let (line, asked) = (self.line, self.asked.clone());
        Row { path: self.path.clone(), line, asked, ..Row::bare(std::path::Path::new("")) }
    }
}

/// What became of an item.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RowMessage {
    /// The item's place.
    pub number: u64,
    /// Who did it.
    pub worker: String,
    /// As in the report of one machine.
    pub row: Row,
}

/// An item that is not tried again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PoisonMessage {
    /// The item.
    pub item: ItemMessage,
    /// A stable reason.
    pub reason: String,
    /// For people.
    pub message: String,
    /// How often it was begun.
    pub deliveries: i64,
}

/// What a worker says of itself every few seconds.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Beat {
    /// Items it may work on at once.
    pub jobs: u64,
    /// Items in work.
    pub in_work: u64,
    /// Items it brought to a row.
    pub finished: u64,
}

/// The header of a row that says its status; the same word as in the row.
pub const STATUS: &str = "Mmsfit-Status";
/// The header of a row that says its reason, where there is one.
pub const REASON: &str = "Mmsfit-Reason";
/// The header of the row of an item in quarantine.
pub const QUARANTINED: &str = "Mmsfit-Quarantined";

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn an_item_is_small_and_its_own() {
        let item = Item::in_tree(Path::new("a/b.jpg"), 1);
        let message = ItemMessage::new(7, &item, Naming::default());
        let text = serde_json::to_string(&message).unwrap();
        assert_eq!(text, r#"{"number":7,"path":"a/b.jpg","naming":{}}"#);
        assert_eq!(serde_json::from_str::<ItemMessage>(&text).unwrap(), message);
        // The place is no part of what it is.
        assert_eq!(ItemMessage { number: 8, ..message.clone() }.id(), message.id());
        let asked = Asked { carrier: Some("us-verizon".into()), ..Asked::default() };
        assert_ne!(ItemMessage { asked, ..message.clone() }.id(), message.id());
        assert_ne!(ItemMessage { line: Some(1), ..message.clone() }.id(), message.id());
    }
}
