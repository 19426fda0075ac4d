//! Whether the files of a configuration have changed: by their times, lengths and numbers, which a
//! file that is moved in place (and the links of a mounted secret) change as much as one that is edited.

use std::{
    collections::BTreeSet,
    fs,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
};

use super::Config;

/// A directory with more entries than this is no directory of devices or carriers.
const MOST_ENTRIES: usize = 10_000;

/// What the files of a configuration look like from outside. Two that are equal were read the same.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stamp(BTreeSet<(PathBuf, Look)>);

/// One file: seconds and nanoseconds of its last change, its length, its number; `None`: not there.
type Look = Option<(i64, i64, u64, u64)>;

impl Stamp {
    /// Looks at `file`, and at all that it names: devices, carriers, certificates, clients, the worker.
    /// What cannot be looked at counts as not there.
    pub fn of(file: Option<&Path>, config: &Config) -> Self {
        let server = &config.server;
        let tls = server
            .tls
            .iter()
            .flat_map(|tls| [Some(&tls.certificate), Some(&tls.key), tls.client_ca.as_ref()]);
        let files = tls.chain([server.clients_file.as_ref()]).flatten().map(PathBuf::as_path);
        let worker = config.worker.found();
        let mut looks: BTreeSet<_> = files.chain(file).chain(worker.as_deref()).map(look).collect();
        for folder in config.devices_dirs.iter().chain(&config.carriers_dirs) {
            looks.insert(look(folder));
            let entries = fs::read_dir(folder).into_iter().flatten().flatten();
            looks.extend(entries.take(MOST_ENTRIES).map(|entry| look(&entry.path())));
        }
        Self(looks)
    }
}

fn look(path: &Path) -> (PathBuf, Look) {
    let found = fs::metadata(path).ok();
    let found = found.map(|meta| (meta.mtime(), meta.mtime_nsec(), meta.len(), meta.ino()));
    (path.to_path_buf(), found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_file_that_is_read_counts() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        fs::create_dir(path("carriers")).unwrap();
        let mut config = Config { carriers_dirs: vec![path("carriers")], ..Config::default() };
        config.server.clients_file = Some(path("clients.toml"));
        config.worker.program = Some(path("mmsfit-worker"));
        let now = || Stamp::of(Some(&path("mmsfit.toml")), &config);
        let mut last = now();
        let mut changes = |what: &str| {
            let stamp = now();
            assert_ne!(stamp, last, "{what}");
            assert_eq!(stamp, now(), "{what}: looked at twice");
            last = stamp;
        };
        fs::write(path("mmsfit.toml"), "").unwrap();
        changes("a file that was not there");
        fs::write(path("clients.toml"), "a").unwrap();
        changes("the clients");
        fs::write(path("mmsfit-worker"), "a").unwrap();
        changes("the worker");
        fs::write(path("carriers/one.toml"), "a").unwrap();
        changes("a new carrier");
        fs::write(path("carriers/one.toml"), "ab").unwrap();
        changes("another length");
        fs::write(path("next"), "ba").unwrap();
        fs::rename(path("next"), path("carriers/one.toml")).unwrap();
        changes("moved in place");
        fs::remove_file(path("carriers/one.toml")).unwrap();
        changes("gone");
    }
}
