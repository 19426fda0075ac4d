//! Where items come from.

use std::path::Path;

use super::{
    error::BatchError,
    item::Item,
    manifest::Manifest,
    walk::{self, Entry},
};

/// Where items come from, in an order of its own.
pub enum Source {
    /// The files of a tree.
    Tree(Vec<Entry>),
    /// The rows of a list.
    List(Manifest),
}

impl Source {
    /// The tree below `input`, without `output`.
    ///
    /// # Errors
    /// The tree cannot be listed.
    pub fn tree(input: &Path, output: &Path) -> Result<Self, BatchError> {
        let unreadable = |error| BatchError::Input { path: input.to_owned(), error };
        Ok(Self::Tree(walk::walk(input, output).map_err(unreadable)?))
    }

    /// How many items there are.
    pub fn count(&self) -> usize {
        match self {
            Self::Tree(entries) => entries.len(),
            Self::List(manifest) => manifest.count(),
        }
    }

    /// All items, from the first on.
    pub fn items(&self) -> Box<dyn Iterator<Item = Item> + Send + '_> {
        match self {
            Self::Tree(entries) => Box::new(entries.iter().map(Item::from)),
            Self::List(manifest) => Box::new(manifest.items()),
        }
    }
}
