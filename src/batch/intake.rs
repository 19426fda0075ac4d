//! From an item to the bytes of a message or medium, or to the row that says why there are none.

use std::{
    fs::File,
    io::{self, Read as _},
    path::Path,
    sync::Arc,
};

use bytes::Bytes as Buffer;

use crate::{
    model::Bytes,
    service::{
        detect::{self, Kind},
        request::{AdaptRequest, Content},
    },
};

use super::{
    archive::Archive,
    gate::{Gate, Pass},
    item::{Found, Item},
    requests::{Prepared, Requests},
    rows::{Row, Status},
    walk::EntryKind,
};

/// What all items of a run come in through.
pub struct Intake<'a> {
    pub input: &'a Path,
    pub output: &'a Path,
    /// Where the input is one.
    pub archive: Option<&'a Archive>,
    pub requests: Requests<'a>,
    pub reading: Gate,
}

/// An item that was read.
pub struct Taken<'a> {
    pub item: &'a Item,
    pub row: Row,
    pub data: Buffer,
    pub kind: Kind,
    pub prepared: Arc<Prepared>,
    /// Held as long as the bytes are.
    pub _read: Pass<'a>,
}

impl Taken<'_> {
    /// The request, with the content.
    pub fn request(&self) -> AdaptRequest {
        request(&self.kind, &self.data, &self.item.path, &self.prepared.request)
    }
}

/// The request of a file, with the content.
pub fn request(kind: &Kind, data: &Buffer, path: &Path, prepared: &AdaptRequest) -> AdaptRequest {
    let data = data.clone();
    let name = path.file_name().map(|n| n.to_string_lossy().into_owned());
    AdaptRequest {
        content: match kind {
            Kind::Pdu => Content::MmsPdu(data),
            Kind::Mime => Content::Mime(data),
            _ => Content::Bare { data, name: name.unwrap_or_default() },
        },
        request_id: path.to_string_lossy().into_owned(),
        ..prepared.clone()
    }
}

/// Why an item is not taken.
struct No(Status, &'static str, String);

impl No {
    fn bad(why: impl Into<String>) -> Self {
        Self(Status::Failed, "MANIFEST_ROW", why.into())
    }

    fn entry(why: impl Into<String>) -> Self {
        Self(Status::Failed, "ARCHIVE_ENTRY", why.into())
    }

    fn other(why: String) -> Self {
        Self(Status::Unsupported, "NOT_MESSAGE_OR_MEDIUM", why)
    }

    fn unreadable(why: impl Into<String>) -> Self {
        Self(Status::Failed, "INPUT_UNREADABLE", why.into())
    }
}

impl Intake<'_> {
    /// Reads an item and tells what it is.
    ///
    /// # Errors
    /// The row of an item that is no message or medium, or cannot be read.
    pub fn take<'a>(&'a self, item: &'a Item) -> Result<Taken<'a>, Box<Row>> {
        let mut row = Row::of(item);
        let read = |row: &mut Row| {
            let size = self.size(item)?;
            let prepared = self.requests.of(&item.asked).map_err(No::bad)?;
            row.bytes_before = size.get();
            let (data, pass) = self.load(item, size)?;
            row.bytes_before = data.len() as u64;
            let kind = adaptable(&data).map_err(No::other)?;
            Ok((prepared, data, pass, kind))
        };
        match read(&mut row) {
            Ok((prepared, data, _read, kind)) => {
                Ok(Taken { item, row, data, kind, prepared, _read })
            }
            Err(No(status, reason, why)) => Err(Box::new(row.without(status, reason, why))),
        }
    }

    /// The size of the file that an item is.
    fn size(&self, item: &Item) -> Result<Bytes, No> {
        let other = |reason, why: &str| Err(No(Status::Unsupported, reason, why.to_owned()));
        let kind = match &item.found {
            Found::Tree(kind) | Found::Stored(kind, _) => kind.clone(),
            Found::Bad(why) if item.line.is_none() => return Err(No::entry(why.as_str())),
            Found::Bad(why) => return Err(No::bad(why.as_str())),
            Found::Listed => self.look(&item.path).map_err(No::bad)?,
        };
        match kind {
            EntryKind::File(size) => Ok(size),
            EntryKind::LinkedDirectory => {
                other("LINKED_DIRECTORY", "a link to a directory is not followed")
            }
            EntryKind::Special => other("NOT_A_FILE", "not a regular file"),
            EntryKind::Unreadable(why) => Err(No::unreadable(why)),
        }
    }

    fn load(&self, item: &Item, size: Bytes) -> Result<(Buffer, Pass<'_>), No> {
        let Some(pass) = self.reading.enter(size) else {
            let most = self.reading.capacity();
            let why = format!("{size} are more than the {most} that reading may take");
            return Err(No(Status::Failed, "OVER_MEMORY", why));
        };
        let data = match (&item.found, self.archive) {
            (Found::Stored(_, place), Some(archive)) => archive.read(*place, size),
            _ => read(&self.input.join(&item.path), size),
        };
        Ok((data.map_err(|error| No::unreadable(error.to_string()))?, pass))
    }

    /// What is at a path that a list names. Wherever its links lead, it must lie in the input and
    /// not in the output.
    ///
    /// # Errors
    /// In words.
    fn look(&self, path: &Path) -> Result<EntryKind, String> {
        let real = match self.input.join(path).canonicalize() {
            Ok(real) => real,
            Err(error) => return Ok(EntryKind::Unreadable(error.to_string())),
        };
        if !real.starts_with(self.input) {
            return Err("a link leads out of the input".to_owned());
        }
        if real.starts_with(self.output) {
            return Err("the path lies in the output".to_owned());
        }
        Ok(match real.metadata() {
            Ok(meta) if meta.is_file() => EntryKind::File(Bytes::new(meta.len())),
            Ok(_) => EntryKind::Special,
            Err(error) => EntryKind::Unreadable(error.to_string()),
        })
    }
}

/// The whole file, which was `expected` long when it was looked at. One that grew since is refused:
/// its memory was not asked for.
fn read(path: &Path, expected: Bytes) -> io::Result<Buffer> {
    let mut data = Vec::with_capacity(expected.as_usize());
    File::open(path)?.take(expected.get().saturating_add(1)).read_to_end(&mut data)?;
    if data.len() as u64 > expected.get() {
        return Err(io::Error::other("the file grew while it was read"));
    }
    Ok(data.into())
}

/// What a file is, if it can be adapted.
///
/// # Errors
/// In words, if it cannot.
pub fn adaptable(data: &[u8]) -> Result<Kind, String> {
    let kind = detect::kind(data);
    if matches!(kind, Kind::Pdu | Kind::Mime) || kind.is_playable() {
        return Ok(kind);
    }
    Err(format!("{} is neither message nor medium", kind.in_words()))
}
