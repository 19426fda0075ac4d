//! A directory of documents by the URL they are published at, laid out as `wget -x` writes it:
//! `http://host/a/b.xml?q` is `host/a/b.xml?q`. Nothing is ever fetched.

use std::path::{Path, PathBuf};

use crate::{
    config::{ConfigError, read_bytes},
    profile::comparable_url,
};

/// The largest document that is read; the parser takes no more.
const MAX_DOCUMENT: u64 = 1 << 20;

/// The directory.
#[derive(Clone, Debug)]
pub(super) struct Mirror {
    /// Canonical: links resolved.
    root: PathBuf,
}

impl Mirror {
    /// # Errors
    /// No such directory.
    pub(super) fn open(dir: &Path) -> Result<Self, ConfigError> {
        let error = |message: String| ConfigError::Read { path: dir.to_path_buf(), message };
        let root = dir.canonicalize().map_err(|e| error(e.to_string()))?;
        if root.is_dir() { Ok(Self { root }) } else { Err(error("is not a directory".to_owned())) }
    }

    /// The document of a URL. Neither dots nor links lead out of the directory.
    pub(super) fn read(&self, url: &str) -> Option<Vec<u8>> {
        let path = self.root.join(relative(url)?).canonicalize().ok()?;
        if !path.starts_with(&self.root) || !path.is_file() {
            return None;
        }
        read_bytes(&path, MAX_DOCUMENT).ok()
    }
}

/// The path of a URL below the directory.
fn relative(url: &str) -> Option<PathBuf> {
    let url = comparable_url(url);
    if url.len() > 1_024 {
        return None;
    }
    let mut path = PathBuf::new();
    let (location, query) = url.split_once('?').map_or((&*url, None), |(l, q)| (l, Some(q)));
    let mut segments: Vec<String> =
        location.split('/').filter(|segment| !segment.is_empty()).map(str::to_owned).collect();
    if location.ends_with('/') {
        segments.push("index.html".to_owned());
    }
    if let (Some(query), Some(last)) = (query, segments.last_mut()) {
        last.push('?');
        last.push_str(query);
    }
    if segments.len() < 2 {
        return None;
    }
    for segment in segments {
        let valid = segment != "."
            && segment != ".."
            && segment.len() <= 255
            && !segment.chars().any(|c| c.is_control() || matches!(c, '/' | '\\'));
        if !valid {
            return None;
        }
        path.push(segment);
    }
    Some(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_map_below_the_directory_or_not_at_all() {
        let some = |text: &str| Some(PathBuf::from(text));
        assert_eq!(
            relative("http://Nds.Example/a/N7650r100.xml"),
            some("nds.example/a/N7650r100.xml")
        );
        assert_eq!(relative("https://h.example:443/a?x=1"), some("h.example/a?x=1"));
        for url in ["http://h.example/", "http://h.example"] {
            assert_eq!(relative(url), some("h.example/index.html"));
        }
        for url in [
            "http://../etc/passwd",
            "http://h/../../etc",
            "http://h/a\\..\\b",
            "http://h/a?../../../etc/passwd",
            "",
            "http://h/\0",
        ] {
            assert_eq!(relative(url), None, "{url}");
        }
    }

    #[test]
    fn documents_are_found_and_links_out_are_not() {
        let dir = tempfile::tempdir().unwrap();
        let outside = tempfile::NamedTempFile::new().unwrap();
        let host = dir.path().join("h.example");
        std::fs::create_dir(&host).unwrap();
        std::fs::write(host.join("a.xml"), "<x/>").unwrap();
        let mirror = Mirror::open(dir.path()).unwrap();
        assert_eq!(mirror.read("http://h.example/a.xml").as_deref(), Some(&b"<x/>"[..]));
        assert_eq!(mirror.read("http://h.example/b.xml"), None);
        #[cfg(unix)]
        {
            std::os::unix::fs::symlink(outside.path(), host.join("link.xml")).unwrap();
            assert_eq!(mirror.read("http://h.example/link.xml"), None);
        }
        assert!(Mirror::open(outside.path()).is_err());
    }
}
