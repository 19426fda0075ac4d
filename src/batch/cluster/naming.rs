//! What the names of a tree mean for one of its items: enough to name its result elsewhere, once
//! its type is known.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::model::MediaType;

use super::super::names::{self, Names};

/// The extensions that results can get.
const EXTENSIONS: [&str; 22] = [
    "jpg", "png", "gif", "wbmp", "bmp", "tif", "webp", "heic", "avif", "amr", "awb", "aac", "m4a",
    "mp3", "wav", "ogg", "mid", "imy", "3gp", "3g2", "mp4", "mov",
];

/// What is taken around one name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Naming {
    /// Another item has the same name but for its extension.
    #[serde(skip_serializing_if = "is_false")]
    shared: bool,
    /// Extensions with which the name, its own one cut, is that of another item.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    replaced: Vec<String>,
    /// The same of the whole name.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    appended: Vec<String>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes references")]
fn is_false(value: &bool) -> bool {
    !*value
}

impl Naming {
    /// Of an item of a tree.
    pub fn of(names: &Names, path: &Path) -> Self {
        let stem = path.with_extension("");
        let taken = |base: &Path| {
            let taken = EXTENSIONS.iter().filter(|e| names.is_taken(&names::appended(base, e)));
            taken.map(|extension| (*extension).to_owned()).collect()
        };
        Self { shared: names.is_shared(&stem), replaced: taken(&stem), appended: taken(path) }
    }

    /// Where its result goes: as [`Names::output`] has it.
    pub fn output(&self, path: &Path, medium: Option<&MediaType>) -> PathBuf {
        let has = |list: &[String], extension: &str| list.iter().any(|taken| taken == extension);
        names::choose(
            path,
            medium,
            &names::Around {
                alone: |_: &Path| !self.shared,
                replaced: |_: &Path, extension: &str| has(&self.replaced, extension),
                appended: |_: &Path, extension: &str| has(&self.appended, extension),
            },
        )
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{super::super::names::Census, *};

    proptest! {
        #[test]
        fn names_are_those_of_one_machine(
            paths in proptest::collection::btree_set("[aB](\\.(png|jpg|gif|mms)){0,3}", 1..20),
        ) {
            let mut census = Census::of_about(paths.len());
            paths.iter().for_each(|path| census.add(Path::new(path)));
            let names = census.names();
            for path in &paths {
                let path = Path::new(path);
                let text = serde_json::to_string(&Naming::of(&names, path)).unwrap();
                let naming: Naming = serde_json::from_str(&text).unwrap();
                for medium in [MediaType::JPEG, MediaType::PNG, MediaType::GIF] {
                    prop_assert_eq!(
                        naming.output(path, Some(&medium)),
                        names.output(path, Some(&medium))
                    );
                }
                prop_assert_eq!(naming.output(path, None), names.output(path, None));
            }
        }
    }

    #[test]
    fn every_extension_of_a_type_is_looked_up() {
        for extension in EXTENSIONS {
            let medium = names::extension_type(extension).unwrap();
            assert_eq!(medium.extension(), Some(extension));
        }
    }
}
