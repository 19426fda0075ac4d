//! Names of results: a function of the tree and of the result's type, never of which file finishes
//! first.

use std::{
    collections::{HashMap, HashSet},
    ffi::{OsStr, OsString},
    path::{Path, PathBuf},
};

use sha2::{Digest as _, Sha256};

use crate::model::MediaType;

/// The names of a tree.
pub struct Names {
    /// Every path, letters folded: some file systems do not tell `A` from `a`.
    taken: HashSet<OsString>,
    /// How many paths share one when their extension is cut; whole names count as such too.
    stems: HashMap<OsString, u32>,
}

fn folded(path: &Path) -> OsString {
    path.as_os_str().to_ascii_lowercase()
}

/// `path` with `.extension` put behind its whole name.
fn appended(path: &Path, extension: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".");
    name.push(extension);
    PathBuf::from(name)
}

impl Names {
    /// From all paths of the tree.
    pub fn new<'a>(paths: impl Iterator<Item = &'a Path>) -> Self {
        let mut taken = HashSet::new();
        let mut stems: HashMap<OsString, u32> = HashMap::new();
        for path in paths {
            let whole = folded(path);
            let stem = folded(&path.with_extension(""));
            if stem != whole {
                *stems.entry(stem).or_default() += 1;
            }
            *stems.entry(whole.clone()).or_default() += 1;
            taken.insert(whole);
        }
        Self { taken, stems }
    }

    /// Where the result of `path` goes. `medium`: the type of a medium that comes out alone;
    /// messages keep their names.
    ///
    /// In this order: its own name, if the extension says the type already; the name with the
    /// type's extension, if no other file could want that; the whole name and the extension; the
    /// same with a digest of the path.
    pub fn output(&self, path: &Path, medium: Option<&MediaType>) -> PathBuf {
        let Some(extension) = medium.and_then(MediaType::extension) else {
            return path.to_owned();
        };
        let says_so = path.extension().and_then(OsStr::to_str).is_some_and(|own| {
            medium.is_some_and(|medium| extension_type(own).as_ref() == Some(medium))
        });
        if says_so {
            return path.to_owned();
        }
        let stem = path.with_extension("");
        let alone = self.stems.get(&folded(&stem)).is_none_or(|n| *n <= 1);
        let replaced = appended(&stem, extension);
        if alone && !self.taken.contains(&folded(&replaced)) {
            return replaced;
        }
        let whole = appended(path, extension);
        if !self.taken.contains(&folded(&whole)) {
            return whole;
        }
        let digest = Sha256::digest(path.as_os_str().as_encoded_bytes());
        let short: String = digest.iter().take(4).map(|b| format!("{b:02x}")).collect();
        appended(path, &format!("{short}.{extension}"))
    }
}

/// The media type of a file-name extension.
pub fn extension_type(extension: &str) -> Option<MediaType> {
    let name = match extension.to_ascii_lowercase().as_str() {
        "jpg" | "jpeg" | "jpe" | "jfif" => "image/jpeg",
        "png" | "apng" => "image/png",
        "gif" => "image/gif",
        "wbmp" | "wbm" => "image/vnd.wap.wbmp",
        "bmp" | "dib" => "image/bmp",
        "tif" | "tiff" => "image/tiff",
        "webp" => "image/webp",
        "heic" | "heif" => "image/heic",
        "avif" => "image/avif",
        "amr" => "audio/amr",
        "awb" => "audio/amr-wb",
        "aac" => "audio/aac",
        "m4a" => "audio/mp4",
        "mp3" => "audio/mpeg",
        "wav" => "audio/wav",
        "ogg" | "oga" | "opus" => "audio/ogg",
        "mid" | "midi" => "audio/midi",
        "imy" => "audio/imelody",
        "3gp" => "video/3gpp",
        "3g2" => "video/3gpp2",
        "mp4" | "m4v" => "video/mp4",
        "mov" => "video/quicktime",
        _ => return None,
    };
    Some(MediaType::fold(name))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn names(paths: &[&str]) -> Names {
        Names::new(paths.iter().map(Path::new))
    }

    #[test]
    fn extensions_follow_the_type() {
        let names = names(&["d/a.png", "d/b.JPEG", "d/m.mms", "c", "wrong.jpg"]);
        for (path, medium, want) in [
            ("d/a.png", Some(MediaType::JPEG), "d/a.jpg"),
            ("d/a.png", Some(MediaType::PNG), "d/a.png"),
            ("d/b.JPEG", Some(MediaType::JPEG), "d/b.JPEG"),
            ("d/m.mms", None, "d/m.mms"),
            ("c", Some(MediaType::GIF), "c.gif"),
            ("wrong.jpg", Some(MediaType::PNG), "wrong.png"),
        ] {
            assert_eq!(names.output(Path::new(path), medium.as_ref()), Path::new(want), "{path}");
        }
    }

    #[test]
    fn collisions_get_the_old_extension_too() {
        let names =
            names(&["a.png", "a.jpg", "b.bmp", "B.PNG", "x", "x.gif", "k.png", "k.png.jpg"]);
        let jpeg = Some(MediaType::JPEG);
        for (path, want) in [
            ("a.png", "a.png.jpg"),
            ("a.jpg", "a.jpg"),
            ("b.bmp", "b.bmp.jpg"),
            ("B.PNG", "B.PNG.jpg"),
            ("x.gif", "x.gif.jpg"),
        ] {
            assert_eq!(names.output(Path::new(path), jpeg.as_ref()), Path::new(want), "{path}");
        }
        let k = names.output(Path::new("k.png"), jpeg.as_ref());
        assert_ne!(k, Path::new("k.png.jpg"));
    }

    proptest! {
        #[test]
        fn no_two_files_get_one_name(
            paths in proptest::collection::btree_set("[ab](\\.(png|jpg|gif)){0,3}", 1..20),
            types in proptest::collection::vec(0..3usize, 20),
        ) {
            let paths: Vec<&str> = paths.iter().map(String::as_str).collect();
            let names = names(&paths);
            let kinds = [MediaType::JPEG, MediaType::PNG, MediaType::GIF];
            let mut seen = HashMap::new();
            for (path, kind) in paths.iter().zip(types) {
                let out = names.output(Path::new(path), Some(&kinds[kind]));
                if let Some(other) = seen.insert(out.clone(), path) {
                    prop_assert!(false, "{path} and {other} both become {}", out.display());
                }
            }
        }
    }
}
