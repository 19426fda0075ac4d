//! One item from bytes to row.

use std::{
    fs, io,
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
};

use bytes::Bytes as Buffer;

use crate::{
    model::{MediaType, Stop},
    service::{ServiceError, request::AdaptResponse},
};

use super::{
    digest,
    engine::Engine,
    gate::Gate,
    intake::{Intake, Taken},
    item::Item,
    journal::{Journal, Record},
    names::Names,
    options::OnCannotFit,
    outcome::{self, Output},
    rows::{PathText, Row, Status},
    same::{Claim, Same},
    state::STATE_DIR,
    write,
};

/// What all items of a run share.
pub struct Job<'a> {
    pub engine: &'a dyn Engine,
    pub intake: Intake<'a>,
    pub on_cannot_fit: OnCannotFit,
    pub output: &'a Path,
    pub unfinished: &'a Path,
    pub journal: &'a Journal,
    pub names: &'a Names,
    pub same: Same,
    pub working: Gate,
    pub stop: Stop,
}

/// An input whose content is known by its digest.
struct Input<'a> {
    taken: Taken<'a>,
    sha256: String,
}

impl Input<'_> {
    /// The same for the same content and options: then the result is the same, too.
    fn content_key(&self) -> u128 {
        let fingerprint = &self.taken.prepared.fingerprint;
        digest::wide(format!("{} {fingerprint}", self.sha256).as_bytes())
    }

    /// What the journal calls it: rows for different devices or limits are different.
    fn key(&self) -> String {
        let asked = self.taken.item.asked.key();
        let path = self.taken.row.path.key();
        // No path contains a NUL.
        if asked.is_empty() {
            path
        } else {
            format!("{path}\0{}", digest::sha256(asked.as_bytes()))
        }
    }
}

/// A row, and where the journal notes its result.
struct Noted {
    row: Row,
    at: Option<u64>,
}

impl From<Row> for Noted {
    fn from(row: Row) -> Self {
        Self { row, at: None }
    }
}

impl Job<'_> {
    /// The row of one item. Whatever it holds, there is one.
    pub fn run(&self, item: &Item) -> Row {
        // A panic is our bug and costs this item alone.
        let work = AssertUnwindSafe(|| match self.intake.take(item) {
            Ok(taken) => self.file(taken),
            Err(row) => *row,
        });
        catch_unwind(work).unwrap_or_else(|_| {
            let why = "the program failed on this file: our bug";
            Row::of(item).without(Status::Failed, "INTERNAL", why)
        })
    }

    fn file(&self, taken: Taken<'_>) -> Row {
        let input = Input { sha256: digest::sha256(&taken.data), taken };
        if let Some(row) = self.done_before(&input) {
            return row;
        }
        let turn = match self.same.claim(input.content_key()) {
            Claim::First(turn) => Some(turn),
            Claim::Known(at) => match self.copy(&input, at) {
                Some(row) => return row,
                None => None,
            },
        };
        let noted = self.adapt(&input).unwrap_or_else(|error| self.refused(&input, &error));
        // What was kept is no result of the engine's.
        let result = noted.at.filter(|_| noted.row.status != Status::Kept);
        if let (Some(turn), Some(at)) = (turn, result) {
            turn.done(at);
        }
        noted.row
    }

    /// The result of another input with the same content, if it is still as it was written.
    fn copy(&self, input: &Input<'_>, at: u64) -> Option<Row> {
        let first = self.journal.at(at)?;
        let file = self.output.join(first.row.output.as_ref()?.path()?);
        let bytes = Buffer::from(fs::read(file).ok()?);
        if digest::sha256(&bytes) != first.output_sha256 {
            return None;
        }
        let status = first.row.status;
        let medium = first.output_type.as_deref().map(MediaType::fold);
        let same_as = Some(first.row.path);
        let row = Row { same_as, report: first.row.report, ..input.taken.row.clone() };
        Some(self.publish(input, row, Output { status, bytes, medium }).row)
    }

    /// The engine's result, in its place.
    ///
    /// # Errors
    /// The engine's refusal.
    fn adapt(&self, input: &Input<'_>) -> Result<Noted, ServiceError> {
        let request = input.taken.request();
        let memory = self.engine.foresee(request.clone(), &self.stop)?.memory;
        let Some(_work) = self.working.enter(memory) else {
            let most = self.working.capacity();
            let why = format!("adapting would take {memory} of memory, {most} are allowed");
            return Ok(input.taken.row.clone().without(Status::Failed, "OVER_MEMORY", why).into());
        };
        let response = self.engine.adapt(request, &self.stop)?;
        Ok(self.keep(input, response))
    }

    /// The row of what has no result, or of the original in its place.
    fn refused(&self, input: &Input<'_>, error: &ServiceError) -> Noted {
        let row = outcome::refusal(input.taken.row.clone(), error);
        match self.on_cannot_fit {
            _ if row.status != Status::Refused => row.into(),
            OnCannotFit::Fail => row.into(),
            OnCannotFit::Drop => Row { status: Status::Dropped, ..row }.into(),
            OnCannotFit::Keep => {
                let bytes = input.taken.data.clone();
                self.publish(input, row, Output { status: Status::Kept, bytes, medium: None })
            }
        }
    }

    /// The row of an item whose content, options and result are as noted.
    fn done_before(&self, input: &Input<'_>) -> Option<Row> {
        let Taken { item, row, data, prepared, .. } = &input.taken;
        let record = self.journal.find(&input.key())?;
        let same = record.size == data.len() as u64
            && record.sha256 == input.sha256
            && record.options == prepared.fingerprint;
        let unwanted = record.row.status == Status::Kept && self.on_cannot_fit != OnCannotFit::Keep;
        if !same || unwanted {
            return None;
        }
        // The tree may have got files since that make the name another one.
        let medium = record.output_type.as_deref().map(MediaType::fold);
        let target = self.names.output(&item.named, medium.as_ref());
        if record.row.output.as_ref() != Some(&PathText::new(&target)) {
            return None;
        }
        let file = self.output.join(&target);
        let length = fs::metadata(&file).ok().filter(fs::Metadata::is_file)?.len();
        if record.row.bytes_after != Some(length)
            || digest::of_file(&file).ok()? != record.output_sha256
        {
            return None;
        }
        let was = Some(record.row.status);
        Some(Row { status: Status::Skipped, was, line: row.line, ..record.row })
    }

    fn keep(&self, input: &Input<'_>, response: AdaptResponse) -> Noted {
        match outcome::of_response(input.taken.row.clone(), response) {
            Ok((row, output)) => self.publish(input, row, output),
            Err(row) => (*row).into(),
        }
    }

    /// Writes the result and notes it, in this order: a note is never ahead of its result.
    fn publish(&self, input: &Input<'_>, row: Row, output: Output) -> Noted {
        let target = self.names.output(&input.taken.item.named, output.medium.as_ref());
        // Inputs named like our state folder would land in it.
        if target.starts_with(STATE_DIR) {
            let why = format!("the output keeps {STATE_DIR} for its own state");
            return row.without(Status::Failed, "OUTPUT_NAME_RESERVED", why).into();
        }
        if let Err(error) = self.write(&target, &output.bytes) {
            return row.without(Status::Failed, "OUTPUT_UNWRITABLE", error.to_string()).into();
        }
        let row = Row {
            status: output.status,
            bytes_after: Some(output.bytes.len() as u64),
            output: Some(PathText::new(&target)),
            ..row
        };
        let at = self.journal.note(&Record {
            key: input.key(),
            size: row.bytes_before,
            sha256: input.sha256.clone(),
            options: input.taken.prepared.fingerprint.clone(),
            output_sha256: digest::sha256(&output.bytes),
            output_type: output.medium.map(|medium| medium.as_str().to_owned()),
            row: row.clone(),
        });
        Noted { row, at }
    }

    fn write(&self, target: &Path, bytes: &[u8]) -> io::Result<()> {
        let path: PathBuf = self.output.join(target);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent)?;
        }
        write::whole_via(self.unfinished, &path, bytes)
    }
}
