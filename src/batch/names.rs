//! Names of results: a function of the tree and of the result's type, never of which file finishes
//! first.

use std::{
    ffi::OsStr,
    path::{Path, PathBuf},
};

use crate::model::MediaType;

use super::digest;

/// Every path of a tree, as digests: a million paths are 24 MB. Were two ever to share one, a result
/// would have a longer name than it needs, no more.
pub struct Census(Vec<Path3>);

/// A path as it is; with letters folded, as some file systems do not tell `A` from `a`; and that
/// without its extension.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Path3 {
    exact: u64,
    whole: u64,
    stem: u64,
}

/// The names of a tree.
pub struct Names {
    /// Every path, letters folded, sorted.
    taken: Vec<u64>,
    /// What several paths share when their extension is cut, sorted; whole names count as such too.
    shared: Vec<u64>,
}

fn folded(path: &Path) -> u64 {
    digest::of(path.as_os_str().to_ascii_lowercase().as_encoded_bytes())
}

/// `path` with `.extension` put behind its whole name.
pub fn appended(path: &Path, extension: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".");
    name.push(extension);
    PathBuf::from(name)
}

impl Census {
    /// For about `count` paths.
    pub fn of_about(count: usize) -> Self {
        Self(Vec::with_capacity(count))
    }

    /// One more path; the same one again changes nothing.
    pub fn add(&mut self, path: &Path) {
        let exact = digest::of(path.as_os_str().as_encoded_bytes());
        self.0.push(Path3 { exact, whole: folded(path), stem: folded(&path.with_extension("")) });
    }

    /// The names, from all paths.
    pub fn names(self) -> Names {
        let mut paths = self.0;
        paths.sort_unstable();
        paths.dedup();
        let mut taken: Vec<u64> = paths.iter().map(|path| path.whole).collect();
        let mut all = Vec::with_capacity(2 * paths.len());
        all.extend_from_slice(&taken);
        all.extend(paths.iter().filter(|path| path.stem != path.whole).map(|path| path.stem));
        drop(paths);
        all.sort_unstable();
        let same = |pair: &[u64]| matches!(pair, [a, b] if a == b);
        let mut shared: Vec<u64> = all
            .windows(2)
            .filter(|pair| same(pair))
            .filter_map(|pair| pair.first().copied())
            .collect();
        shared.dedup();
        taken.sort_unstable();
        Names { taken, shared }
    }
}

impl Names {
    /// Whether an item has this path, letters folded.
    pub fn is_taken(&self, path: &Path) -> bool {
        self.taken.binary_search(&folded(path)).is_ok()
    }

    /// Whether several items come to this path, letters folded, as they are or without extension.
    pub fn is_shared(&self, stem: &Path) -> bool {
        self.shared.binary_search(&folded(stem)).is_ok()
    }

    /// Where the result of `path` goes. `medium`: the type of a medium that comes out alone;
    /// messages keep their names.
    ///
    /// In this order: its own name, if the extension says the type already; the name with the
    /// type's extension, if no other file could want that; the whole name and the extension; the
    /// same with a digest of the path.
    pub fn output(&self, path: &Path, medium: Option<&MediaType>) -> PathBuf {
        let taken = |base: &Path, extension: &str| self.is_taken(&appended(base, extension));
        let alone = |stem: &Path| !self.is_shared(stem);
        choose(path, medium, &Around { alone, replaced: taken, appended: taken })
    }
}

/// What other items there are around a name.
pub struct Around<A, R, W> {
    /// Whether no other item comes to this name when extensions are cut.
    pub alone: A,
    /// Whether the name, its extension cut, is another item's with this extension.
    pub replaced: R,
    /// The same of the whole name.
    pub appended: W,
}

/// The rule of [`Names::output`].
pub fn choose(
    path: &Path,
    medium: Option<&MediaType>,
    around: &Around<
        impl Fn(&Path) -> bool,
        impl Fn(&Path, &str) -> bool,
        impl Fn(&Path, &str) -> bool,
    >,
) -> PathBuf {
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
    if (around.alone)(&stem) && !(around.replaced)(&stem, extension) {
        return appended(&stem, extension);
    }
    if !(around.appended)(path, extension) {
        return appended(path, extension);
    }
    let short = digest::short(path.as_os_str().as_encoded_bytes());
    appended(path, &format!("{short}.{extension}"))
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
    use std::collections::HashMap;

    use proptest::prelude::*;

    use super::*;

    fn names(paths: &[&str]) -> Names {
        let mut census = Census::of_about(paths.len());
        paths.iter().for_each(|path| census.add(Path::new(path)));
        census.names()
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

    #[test]
    fn a_path_named_twice_is_one() {
        let names = names(&["a.png", "a.png"]);
        let jpeg = Some(MediaType::JPEG);
        assert_eq!(names.output(Path::new("a.png"), jpeg.as_ref()), Path::new("a.jpg"));
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
