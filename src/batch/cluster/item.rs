//! One item from key to row, on a thread that may take its time.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    path::Path,
};

use bytes::Bytes as Buffer;
use tokio::runtime::Handle;

use crate::model::{Bytes, Category, Stop};

use super::{
    super::{
        engine::Engine,
        gate::Gate,
        intake,
        outcome::{self, Output},
        requests::Requests,
        rows::{PathText, Row, Status},
        state::STATE_DIR,
    },
    error::ClusterError,
    store::{Read, Store},
    wire::{ItemMessage, Policy},
};

/// What all items of a worker share.
pub struct Desk<'a> {
    pub engine: &'a dyn Engine,
    pub requests: Requests<'a>,
    pub on_cannot_fit: Policy,
    pub input: Store,
    pub output: Store,
    pub reading: Gate,
    pub working: Gate,
    pub stop: Stop,
    pub queue: Handle,
}

/// What came of an item.
#[derive(Debug)]
pub enum Verdict {
    /// A row, whatever it says.
    Row(Box<Row>),
    /// It is not the item's fault: another try may do better.
    Again {
        /// A stable reason.
        reason: &'static str,
        /// For people.
        message: String,
    },
}

impl From<Row> for Verdict {
    fn from(row: Row) -> Self {
        Self::Row(Box::new(row))
    }
}

impl From<ClusterError> for Verdict {
    fn from(error: ClusterError) -> Self {
        Self::Again { reason: "STORE_UNAVAILABLE", message: error.to_string() }
    }
}

impl Desk<'_> {
    /// Does an item: its result is in the store before this returns.
    pub fn run(&self, item: &ItemMessage) -> Verdict {
        let work = AssertUnwindSafe(|| self.item(item).unwrap_or_else(|verdict| verdict));
        catch_unwind(work).unwrap_or_else(|_| Verdict::Again {
            reason: "INTERNAL",
            message: "the program failed on this item: our bug".to_owned(),
        })
    }

    /// Both ways out are verdicts; the second one is short.
    fn item(&self, item: &ItemMessage) -> Result<Verdict, Verdict> {
        let mut row = item.row();
        let failed = |row: &Row, reason: &str, why: String| -> Verdict {
            row.clone().without(Status::Failed, reason, why).into()
        };
        if let Some(why) = &item.bad {
            return Err(failed(&row, "MANIFEST_ROW", why.clone()));
        }
        let key = item.path.text();
        let unreadable = |row: &Row, why| failed(row, "INPUT_UNREADABLE", why);
        let size = self.queue.block_on(self.input.size(key))?;
        let size = size.map_err(|why| unreadable(&row, why))?;
        let prepared = self.requests.of(&item.asked);
        let prepared = prepared.map_err(|why| failed(&row, "MANIFEST_ROW", why))?;
        row.bytes_before = size.get();
        let _read = self.reading.enter(size).ok_or_else(|| {
            let most = self.reading.capacity();
            let why = format!("{size} are more than the {most} that reading may take");
            failed(&row, "OVER_MEMORY", why)
        })?;
        let data = match self.queue.block_on(self.input.read(key, size))? {
            Read::Whole(data) => data,
            Read::Unreadable(why) => return Err(unreadable(&row, why)),
        };
        row.bytes_before = data.len() as u64;
        let kind = intake::adaptable(&data).map_err(|why| {
            Verdict::from(row.clone().without(Status::Unsupported, "NOT_MESSAGE_OR_MEDIUM", why))
        })?;
        let request = intake::request(&kind, &data, Path::new(key), &prepared.request);
        let adapted = self.engine.foresee(request.clone(), &self.stop).and_then(|foreseen| {
            let Some(_work) = self.working.enter(foreseen.memory) else {
                return Ok(Err(foreseen.memory));
            };
            self.engine.adapt(request, &self.stop).map(Ok)
        });
        match adapted {
            Ok(Ok(response)) => match outcome::of_response(row, response) {
                Ok((row, output)) => Ok(self.publish(item, row, &output)?),
                Err(row) => Ok((*row).into()),
            },
            Ok(Err(memory)) => Err(self.over_memory(row, memory)),
            Err(error) if ours(error.category) => {
                Err(Verdict::Again { reason: error.reason, message: error.to_string() })
            }
            Err(error) => {
                let row = outcome::refusal(row, &error);
                Ok(self.refused(item, row, &data)?)
            }
        }
    }

    fn over_memory(&self, row: Row, memory: Bytes) -> Verdict {
        let most = self.working.capacity();
        let why = format!("adapting would take {memory} of memory, {most} are allowed");
        row.without(Status::Failed, "OVER_MEMORY", why).into()
    }

    fn refused(
        &self,
        item: &ItemMessage,
        row: Row,
        data: &Buffer,
    ) -> Result<Verdict, ClusterError> {
        match self.on_cannot_fit {
            _ if row.status != Status::Refused => Ok(row.into()),
            Policy::Fail => Ok(row.into()),
            Policy::Drop => Ok(Row { status: Status::Dropped, ..row }.into()),
            Policy::Keep => {
                let output = Output { status: Status::Kept, bytes: data.clone(), medium: None };
                self.publish(item, row, &output)
            }
        }
    }

    /// Writes the result under its name.
    fn publish(
        &self,
        item: &ItemMessage,
        row: Row,
        output: &Output,
    ) -> Result<Verdict, ClusterError> {
        let unwritable = |row: Row, reason: &str, why: String| -> Result<Verdict, ClusterError> {
            Ok(row.without(Status::Failed, reason, why).into())
        };
        let Some(named) = item.named() else {
            return unwritable(row, "OUTPUT_UNWRITABLE", "the name is no path".to_owned());
        };
        let target = item.naming.output(&named, output.medium.as_ref());
        if target.starts_with(STATE_DIR) {
            let why = format!("the output keeps {STATE_DIR} for its own state");
            return unwritable(row, "OUTPUT_NAME_RESERVED", why);
        }
        let Some(key) = target.to_str() else {
            return unwritable(row, "OUTPUT_UNWRITABLE", "the name is not UTF-8".to_owned());
        };
        if let Err(why) = self.queue.block_on(self.output.write(key, &output.bytes))? {
            return unwritable(row, "OUTPUT_UNWRITABLE", why);
        }
        Ok(Row {
            status: output.status,
            bytes_after: Some(output.bytes.len() as u64),
            output: Some(PathText::new(&target)),
            ..row
        }
        .into())
    }
}

/// Whether an error says nothing of the item.
fn ours(category: Category) -> bool {
    match category {
        Category::Busy
        | Category::Unavailable
        | Category::Deadline
        | Category::Cancelled
        | Category::Internal => true,
        Category::Caller
        | Category::Input
        | Category::Unsupported
        | Category::TooLarge
        | Category::CannotFit
        | Category::NotAllowed => false,
    }
}
