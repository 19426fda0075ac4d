//! What needs to be measured once: everything that is not ours.

use std::{
    collections::{BTreeMap, hash_map::DefaultHasher},
    hash::{Hash, Hasher},
    path::{Path, PathBuf},
};

use crate::{Outcome, cases::Case, photos::Photo};

pub struct Cache {
    path: PathBuf,
    known: BTreeMap<String, Option<Outcome>>,
}

impl Cache {
    /// Empty where the file is not there, or is none.
    pub fn open(path: &Path) -> Self {
        let known = std::fs::read(path).ok().and_then(|text| serde_json::from_slice(&text).ok());
        Self { path: path.to_owned(), known: known.unwrap_or_default() }
    }

    pub fn maybe(
        &mut self,
        photo: &Photo,
        case: &Case,
        way: &str,
        make: impl FnOnce() -> Option<Outcome>,
    ) -> Option<Outcome> {
        let mut hash = DefaultHasher::new();
        photo.file.hash(&mut hash);
        let key = format!("{:016x} {way} {}", hash.finish(), case.name());
        *self.known.entry(key).or_insert_with(make)
    }

    pub fn of(
        &mut self,
        photo: &Photo,
        case: &Case,
        way: &str,
        make: impl FnOnce() -> Option<Outcome>,
    ) -> Result<Outcome, String> {
        self.maybe(photo, case, way, make).ok_or_else(|| format!("{}: {way} failed", photo.name))
    }

    pub fn save(&self) -> Result<(), String> {
        if let Some(folder) = self.path.parent() {
            let _ = std::fs::create_dir_all(folder);
        }
        let text = serde_json::to_vec(&self.known).map_err(|error| error.to_string())?;
        std::fs::write(&self.path, text)
            .map_err(|error| format!("{}: {error}", self.path.display()))
    }
}
