//! One file from bytes to row.

use std::{
    fs::{self, File},
    io::{self, Read as _},
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
};

use bytes::Bytes as Buffer;
use sha2::{Digest as _, Sha256};

use crate::{
    model::{Bytes, Category, MediaType, Outcome, Stop},
    service::{
        ServiceError,
        request::{AdaptRequest, AdaptResponse, Content},
    },
};

use super::{
    Engine, Row, STATE_DIR, Status,
    detect::{self, Kind},
    gate::Gate,
    journal::{Journal, Record},
    names::Names,
    rows::PathText,
    walk::{Entry, EntryKind},
    write,
};

/// What all files of a run share.
pub struct Job<'a> {
    pub engine: &'a dyn Engine,
    pub request: &'a AdaptRequest,
    pub fingerprint: String,
    pub input: &'a Path,
    pub output: &'a Path,
    pub unfinished: &'a Path,
    pub journal: &'a Journal,
    pub names: &'a Names,
    pub reading: Gate,
    pub working: Gate,
    pub stop: Stop,
}

/// Changes whenever a result could: version, options, documents.
pub fn fingerprint(engine: &dyn Engine, request: &AdaptRequest) -> String {
    let mut options = request.clone();
    options.content = Content::Bare { data: Buffer::new(), name: String::new() };
    options.request_id.clear();
    let text =
        format!("{} {options:?} {}", env!("CARGO_PKG_VERSION"), engine.circumstances(&options));
    sha256(text.as_bytes())
}

fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|b| format!("{b:02x}")).collect()
}

impl Job<'_> {
    /// The row of one file. Whatever the file holds, there is one.
    pub fn run(&self, entry: &Entry) -> Row {
        let row = Row::bare(&entry.path);
        let size = match &entry.kind {
            EntryKind::File(size) => *size,
            EntryKind::LinkedDirectory => {
                let why = "a link to a directory is not followed";
                return row.without(Status::Unsupported, "LINKED_DIRECTORY", why);
            }
            EntryKind::Special => {
                return row.without(Status::Unsupported, "NOT_A_FILE", "not a regular file");
            }
            EntryKind::Unreadable(why) => {
                return row.without(Status::Failed, "INPUT_UNREADABLE", why.as_str());
            }
        };
        let row = Row { bytes_before: size.get(), ..row };
        // A panic is our bug and costs this file alone.
        let work = AssertUnwindSafe(|| self.file(entry, size, row.clone()));
        catch_unwind(work).unwrap_or_else(|_| {
            row.without(Status::Failed, "INTERNAL", "the program failed on this file: our bug")
        })
    }

    fn file(&self, entry: &Entry, size: Bytes, row: Row) -> Row {
        let Some(_read) = self.reading.enter(size) else {
            let most = self.reading.capacity();
            let why = format!("{size} are more than the {most} that reading may take");
            return row.without(Status::Failed, "OVER_MEMORY", why);
        };
        let data = match read(&self.input.join(&entry.path), size) {
            Ok(data) => data,
            Err(error) => {
                return row.without(Status::Failed, "INPUT_UNREADABLE", error.to_string());
            }
        };
        let row = Row { bytes_before: data.len() as u64, ..row };
        let kind = detect::kind(&data);
        if !matches!(kind, Kind::Pdu | Kind::Mime) && !kind.is_playable() {
            let why = format!("{} is neither message nor medium", kind.in_words());
            return row.without(Status::Unsupported, "NOT_MESSAGE_OR_MEDIUM", why);
        }
        let digest = sha256(&data);
        if let Some(row) = self.done_before(&entry.path, &data, &digest) {
            return row;
        }
        let name = entry.path.file_name().map(|n| n.to_string_lossy().into_owned());
        let request = AdaptRequest {
            content: match kind {
                Kind::Pdu => Content::MmsPdu(data.clone()),
                Kind::Mime => Content::Mime(data.clone()),
                _ => Content::Bare { data: data.clone(), name: name.unwrap_or_default() },
            },
            request_id: row.path.text().to_owned(),
            ..self.request.clone()
        };
        let price = match self.engine.price(request.clone(), &self.stop) {
            Ok(price) => price,
            Err(error) => return refusal(row, &error),
        };
        let Some(_work) = self.working.enter(price) else {
            let most = self.working.capacity();
            let why = format!("adapting would take {price} of memory, {most} are allowed");
            return row.without(Status::Failed, "OVER_MEMORY", why);
        };
        match self.engine.adapt(request, &self.stop) {
            Ok(response) => self.keep(entry, row, digest, response),
            Err(error) => refusal(row, &error),
        }
    }

    /// The row of a file whose content, options and result are as noted.
    fn done_before(&self, path: &Path, data: &[u8], digest: &str) -> Option<Row> {
        let record = self.journal.find(&PathText::new(path).key())?;
        let same = record.size == data.len() as u64
            && record.sha256 == digest
            && record.options == self.fingerprint;
        if !same {
            return None;
        }
        // The tree may have got files since that make the name another one.
        let medium = record.output_type.as_deref().map(MediaType::fold);
        let target = self.names.output(path, medium.as_ref());
        if record.row.output.as_ref() != Some(&PathText::new(&target)) {
            return None;
        }
        let file = self.output.join(&target);
        let length = fs::metadata(&file).ok().filter(fs::Metadata::is_file)?.len();
        if record.row.bytes_after != Some(length) || hash_file(&file).ok()? != record.output_sha256
        {
            return None;
        }
        let was = Some(record.row.status);
        Some(Row { status: Status::Skipped, was, ..record.row })
    }

    /// Writes the result and notes it, in this order: a note is never ahead of its result.
    fn keep(&self, entry: &Entry, row: Row, digest: String, response: AdaptResponse) -> Row {
        let report = response.report;
        let (bytes, medium) = match response.content {
            Content::MmsPdu(bytes) | Content::Mime(bytes) => (bytes, None),
            Content::Bare { data, .. } => {
                let after = report.parts.first().and_then(|part| part.after.as_ref());
                (data, after.map(|info| info.media_type.clone()))
            }
            Content::Parts { .. } => {
                let why = "the engine answered in a form that has no file";
                return row.without(Status::Failed, "INTERNAL", why);
            }
        };
        let target = self.names.output(&entry.path, medium.as_ref());
        // Inputs named like our state folder would land in it.
        if target.starts_with(STATE_DIR) {
            let why = format!("the output keeps {STATE_DIR} for its own state");
            return row.without(Status::Failed, "OUTPUT_NAME_RESERVED", why);
        }
        if let Err(error) = self.write(&target, &bytes) {
            return row.without(Status::Failed, "OUTPUT_UNWRITABLE", error.to_string());
        }
        let status = match report.outcome {
            Outcome::Unchanged => Status::Unchanged,
            Outcome::Minor | Outcome::Major => Status::Done,
        };
        let row = Row {
            status,
            bytes_after: Some(bytes.len() as u64),
            output: Some(PathText::new(&target)),
            cpu_ms: report.parts.iter().map(|part| part.cpu_ms).sum(),
            report: serde_json::to_value(&report).ok(),
            ..row
        };
        self.journal.note(&Record {
            key: row.path.key(),
            size: row.bytes_before,
            sha256: digest,
            options: self.fingerprint.clone(),
            output_sha256: sha256(&bytes),
            output_type: medium.map(|medium| medium.as_str().to_owned()),
            row: row.clone(),
        });
        row
    }

    fn write(&self, target: &Path, bytes: &[u8]) -> io::Result<()> {
        let path: PathBuf = self.output.join(target);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent)?;
        }
        write::whole_via(self.unfinished, &path, bytes)
    }
}

/// A typed refusal as a row.
fn refusal(row: Row, error: &ServiceError) -> Row {
    let status = match error.category {
        Category::CannotFit | Category::NotAllowed => Status::Refused,
        Category::Caller
        | Category::Input
        | Category::Unsupported
        | Category::TooLarge
        | Category::Busy
        | Category::Unavailable
        | Category::Deadline
        | Category::Cancelled
        | Category::Internal => Status::Failed,
    };
    let message = match error.part {
        Some(part) => format!("part {}: {error}", u64::from(part.0) + 1),
        None => error.to_string(),
    };
    row.without(status, error.reason, message)
}

/// The whole file, which was `expected` long when the tree was walked. One that grew since is
/// refused: its memory was not asked for.
fn read(path: &Path, expected: Bytes) -> io::Result<Buffer> {
    let mut data = Vec::with_capacity(expected.as_usize());
    File::open(path)?.take(expected.get().saturating_add(1)).read_to_end(&mut data)?;
    if data.len() as u64 > expected.get() {
        return Err(io::Error::other("the file grew while it was read"));
    }
    Ok(data.into())
}

fn hash_file(path: &Path) -> io::Result<String> {
    let mut file = File::open(path)?;
    let mut hasher = Sha256::new();
    let mut block = [0; 64 << 10];
    loop {
        match file.read(&mut block)? {
            0 => break,
            n => hasher.update(block.get(..n).unwrap_or_default()),
        }
    }
    Ok(hasher.finalize().iter().map(|b| format!("{b:02x}")).collect())
}
