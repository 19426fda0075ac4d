//! One thing to adapt, wherever it was named.

use std::path::PathBuf;

use super::{
    archive::{self, Place},
    asked::Asked,
    walk::{Entry, EntryKind},
};

/// One thing to adapt.
#[derive(Debug)]
pub struct Item {
    /// Relative to the input's root.
    pub path: PathBuf,
    /// What the name of the result is made of: mostly the path.
    pub named: PathBuf,
    /// How far it is known.
    pub found: Found,
    /// The line of the list that names it.
    pub line: Option<u64>,
    /// What that line asks for.
    pub asked: Asked,
}

/// How far an item is known.
#[derive(Debug)]
pub enum Found {
    /// A walk found it.
    Tree(EntryKind),
    /// An archive has it, there.
    Stored(EntryKind, Place),
    /// A list names it: nobody has looked.
    Listed,
    /// A line of a list or an entry of an archive that cannot be used, and why.
    Bad(String),
}

impl Item {
    /// A line that cannot be used, with the path as far as there is one.
    pub fn bad(path: PathBuf, why: String, line: Option<u64>) -> Self {
        let named = path.clone();
        Self { path, named, found: Found::Bad(why), line, asked: Asked::default() }
    }

    /// Whether nothing can be said of it but why.
    pub fn is_bad(&self) -> bool {
        matches!(self.found, Found::Bad(_))
    }

    /// A file of `size` bytes, as a walk finds it.
    #[cfg(test)]
    pub fn in_tree(path: &std::path::Path, size: u64) -> Self {
        let kind = EntryKind::File(crate::model::Bytes::new(size));
        Self::from(&Entry { path: path.to_owned(), kind })
    }
}

impl From<&Entry> for Item {
    fn from(entry: &Entry) -> Self {
        Self {
            path: entry.path.clone(),
            named: entry.path.clone(),
            found: Found::Tree(entry.kind.clone()),
            line: None,
            asked: Asked::default(),
        }
    }
}

impl From<&archive::Entry> for Item {
    fn from(entry: &archive::Entry) -> Self {
        let path = entry.path.clone();
        match &entry.kind {
            Err(why) => Self::bad(path, (*why).to_owned(), None),
            Ok(kind) => Self {
                named: path.clone(),
                path,
                found: Found::Stored(kind.clone(), entry.place),
                line: None,
                asked: Asked::default(),
            },
        }
    }
}
