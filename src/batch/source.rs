//! Where items come from.

use std::path::Path;

use super::{
    archive::Archive,
    error::BatchError,
    item::Item,
    manifest::Manifest,
    walk::{self, Entry},
};

/// Where items come from, in an order of its own.
pub enum Source {
    /// The files of a tree.
    Tree(Vec<Entry>),
    /// The entries of an archive.
    Archive(Archive),
    /// The rows of a list.
    List(Manifest),
}

impl Source {
    /// The tree below `input` without `output`, or the archive that `input` is.
    ///
    /// # Errors
    /// The tree cannot be listed; the file is no archive, or none that can be read.
    pub fn open(input: &Path, output: &Path) -> Result<Self, BatchError> {
        if input.is_dir() {
            let unreadable = |error| BatchError::Input { path: input.to_owned(), error };
            return Ok(Self::Tree(walk::walk(input, output).map_err(unreadable)?));
        }
        Archive::open(input)?.map(Self::Archive).ok_or_else(|| {
            let why = "is neither a directory nor a tar or zip file; use `mmsfit adapt` for a single file";
            BatchError::Layout(format!("{} {why}", input.display()))
        })
    }

    /// The archive, where it is one.
    pub fn archive(&self) -> Option<&Archive> {
        match self {
            Self::Archive(archive) => Some(archive),
            Self::Tree(_) | Self::List(_) => None,
        }
    }

    /// How many items there are.
    pub fn count(&self) -> usize {
        match self {
            Self::Tree(entries) => entries.len(),
            Self::Archive(archive) => archive.entries().len(),
            Self::List(manifest) => manifest.count(),
        }
    }

    /// All items, from the first on.
    pub fn items(&self) -> Box<dyn Iterator<Item = Item> + Send + '_> {
        match self {
            Self::Tree(entries) => Box::new(entries.iter().map(Item::from)),
            Self::Archive(archive) => Box::new(archive.entries().iter().map(Item::from)),
            Self::List(manifest) => Box::new(manifest.items()),
        }
    }
}
