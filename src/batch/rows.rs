//! The report: a JSON object for each file, in the order of the tree. Rows wait on disk until
//! the end, so that a million of them take no memory.

use std::{
    ffi::OsString,
    fs::File,
    io,
    os::unix::{ffi::OsStringExt as _, fs::FileExt as _},
    path::{Path, PathBuf},
    sync::Mutex,
};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{asked::Asked, item::Item};

/// What became of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Status {
    /// Adapted.
    Done,
    /// Passed bit for bit.
    Unchanged,
    /// Done by an earlier run.
    Skipped,
    /// Neither message nor medium: not copied.
    Unsupported,
    /// Cannot be made to fit, or must not be changed.
    Refused,
    /// The same, and the result is the original, as was asked.
    Kept,
    /// The same, and left out, as was asked.
    Dropped,
    /// Failed.
    Failed,
}

/// One line of the report.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Row {
    /// The input, relative to its root.
    #[serde(flatten)]
    pub path: PathText,
    /// The line of the manifest that names it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<u64>,
    /// What that line asks for.
    #[serde(default, skip_serializing_if = "Asked::is_empty")]
    pub asked: Asked,
    /// What became of it.
    pub status: Status,
    /// For [`Status::Skipped`]: what became of it in the earlier run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub was: Option<Status>,
    /// A stable reason, where there is no result.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// For people, where there is no result.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// Bytes of the input.
    pub bytes_before: u64,
    /// Bytes of the result.
    pub bytes_after: Option<u64>,
    /// The result, relative to its root.
    pub output: Option<PathText>,
    /// The input with the same content whose result this one is; the report is that one's, too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub same_as: Option<PathText>,
    /// CPU time of the adaptation, in milliseconds.
    pub cpu_ms: f64,
    /// The engine's report.
    pub report: Option<Value>,
}

impl Row {
    /// A row that says nothing yet but which item it is about.
    pub fn of(item: &Item) -> Self {
        let asked = item.asked.clone();
        Self { line: item.line, asked, ..Self::bare(&item.path) }
    }

    /// The same of a path alone.
    pub fn bare(path: &Path) -> Self {
        Self {
            path: PathText::new(path),
            line: None,
            asked: Asked::default(),
            status: Status::Failed,
            was: None,
            reason: None,
            message: None,
            bytes_before: 0,
            bytes_after: None,
            output: None,
            same_as: None,
            cpu_ms: 0.0,
            report: None,
        }
    }

    /// No result, and why.
    pub fn without(mut self, status: Status, reason: &str, message: impl Into<String>) -> Self {
        self.status = status;
        self.reason = Some(reason.to_owned());
        self.message = Some(message.into());
        self
    }
}

/// A path in JSON without loss: as text, and where it is not UTF-8 also as hexadecimal bytes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PathText {
    path: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    path_hex: Option<String>,
}

impl PathText {
    /// From a path.
    pub fn new(path: &Path) -> Self {
        match path.to_str() {
            Some(text) => Self { path: text.to_owned(), path_hex: None },
            None => {
                let bytes = path.as_os_str().as_encoded_bytes();
                let hex = bytes.iter().map(|b| format!("{b:02x}")).collect();
                Self { path: path.to_string_lossy().into_owned(), path_hex: Some(hex) }
            }
        }
    }

    /// The path again; `None` if the hexadecimal form is none.
    pub fn path(&self) -> Option<PathBuf> {
        let Some(hex) = &self.path_hex else { return Some(PathBuf::from(&self.path)) };
        let digits = hex.as_bytes().chunks(2);
        let bytes: Option<Vec<u8>> = digits
            .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok())
            .collect();
        Some(PathBuf::from(OsString::from_vec(bytes?)))
    }

    /// The bytes as hexadecimal, where they are not UTF-8.
    pub fn hex(&self) -> Option<&str> {
        self.path_hex.as_deref()
    }

    /// For people; different paths may look the same.
    pub fn text(&self) -> &str {
        &self.path
    }

    /// Different for different paths: no path contains the NUL that marks the hexadecimal form.
    pub fn key(&self) -> String {
        match &self.path_hex {
            Some(hex) => format!("\0{hex}"),
            None => self.path.clone(),
        }
    }
}

/// Rows on their way to the report.
pub struct Rows(Mutex<Pending>);

struct Pending {
    file: File,
    end: u64,
    /// Where each row is, by its place in the tree; length 0: not there.
    places: Vec<(u64, usize)>,
}

impl Rows {
    /// For `count` rows that wait in a new file.
    ///
    /// # Errors
    /// The system's.
    pub fn create(path: &Path, count: usize) -> io::Result<Self> {
        let file = File::options().create_new(true).read(true).write(true).open(path)?;
        Ok(Self(Mutex::new(Pending { file, end: 0, places: vec![(0, 0); count] })))
    }

    /// Puts the row of the file at `index`.
    ///
    /// # Errors
    /// The system's.
    pub fn put(&self, index: usize, row: &Row) -> io::Result<()> {
        let mut line = serde_json::to_vec(row)?;
        line.push(b'\n');
        let mut pending = self.0.lock().unwrap_or_else(|e| e.into_inner());
        let at = pending.end;
        pending.file.write_all_at(&line, at)?;
        pending.end = at + line.len() as u64;
        if let Some(place) = pending.places.get_mut(index) {
            *place = (at, line.len());
        }
        Ok(())
    }

    /// Shows all rows in the order of the tree, each with its place there and its line of JSON.
    ///
    /// # Errors
    /// The system's, or that of `see`.
    pub fn each(self, mut see: impl FnMut(usize, &Row, &[u8]) -> io::Result<()>) -> io::Result<()> {
        let pending = self.0.into_inner().unwrap_or_else(|e| e.into_inner());
        let mut line = Vec::new();
        for (place, &(at, length)) in pending.places.iter().enumerate() {
            if length > 0 {
                line.resize(length, 0);
                pending.file.read_exact_at(&mut line, at)?;
                see(place, &serde_json::from_slice(&line)?, &line)?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::{ffi::OsStr, os::unix::ffi::OsStrExt as _};

    use super::*;

    #[test]
    fn names_that_are_no_text_stay_apart() {
        let one = PathText::new(Path::new(OsStr::from_bytes(b"a\xff")));
        let two = PathText::new(Path::new(OsStr::from_bytes(b"a\xfe")));
        assert_eq!(one.text(), two.text());
        assert_ne!(one.key(), two.key());
        assert_eq!(one.path().unwrap().as_os_str().as_bytes(), b"a\xff");
        assert_eq!(PathText::new(Path::new("a")).path().unwrap(), Path::new("a"));
        let row = Row { path: one.clone(), ..Row::bare(Path::new("x")) };
        let back: Row = serde_json::from_str(&serde_json::to_string(&row).unwrap()).unwrap();
        assert_eq!(back.path, one);
    }
}
