//! The object store: keys below a prefix, in a bucket or a directory.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
};

use bytes::Bytes as Buffer;
use futures_util::TryStreamExt as _;
use object_store::{
    Error, ObjectStore, ObjectStoreExt as _, PutMode, PutOptions, local::LocalFileSystem,
    path::Path as Key,
};

use crate::model::Bytes;

use super::{
    super::{state::STATE_DIR, write},
    error::ClusterError,
    remote,
};

/// Where objects are.
#[derive(Clone)]
pub struct Store {
    store: Arc<dyn ObjectStore>,
    prefix: Key,
    /// Where it is a directory.
    root: Option<PathBuf>,
    /// There: files on their way, of this process alone.
    unfinished: Option<PathBuf>,
}

/// An object that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Object {
    /// Its key, relative to the store's prefix.
    pub key: String,
    /// Its size.
    pub size: Bytes,
}

/// What came of reading an object.
pub enum Read {
    /// The whole of it.
    Whole(Buffer),
    /// There is none, or it may not be read: trying again does not help.
    Unreadable(String),
}

impl Store {
    /// `file:///a/directory`, or `s3://`, `gs://`, `az://` with what is in the environment: see [`remote`].
    /// `make`: a directory is made where there is none.
    ///
    /// # Errors
    /// The URL names no store, or none that can be opened.
    pub fn open(url: &str, make: bool) -> Result<Self, ClusterError> {
        let wrong = |why: &str| ClusterError::Layout(format!("{url}: {why}"));
        if let Some(path) = url.strip_prefix("file://") {
            if !path.starts_with('/') {
                return Err(wrong("a directory is written file:///with/its/whole/path"));
            }
            if make {
                fs::create_dir_all(path).map_err(|error| wrong(&error.to_string()))?;
            }
            let store = LocalFileSystem::new_with_prefix(path).map_err(ClusterError::store)?;
            let root = Some(PathBuf::from(path));
            let store = Arc::new(store);
            return Ok(Self { store, prefix: Key::default(), root, unfinished: None });
        }
        let (store, prefix) = remote::open(url).map_err(|why| wrong(&why))?;
        Ok(Self { store, prefix, root: None, unfinished: None })
    }

    /// The same for a process that writes: in a directory, what it leaves unfinished when it is
    /// killed lies apart from results.
    ///
    /// # Errors
    /// The directory's.
    pub fn writing_as(mut self, name: &str) -> Result<Self, ClusterError> {
        if let Some(root) = &self.root {
            let unfinished = root.join(STATE_DIR).join(name);
            fs::create_dir_all(&unfinished).map_err(ClusterError::store)?;
            self.unfinished = Some(unfinished);
        }
        Ok(self)
    }

    /// Nothing more is written.
    pub fn close(&self) {
        if let Some(unfinished) = &self.unfinished {
            let _ = fs::remove_dir_all(unfinished);
        }
    }

    fn whole(&self, key: &str) -> Result<Key, String> {
        let prefix = self.prefix.as_ref();
        let whole = if prefix.is_empty() { key.to_owned() } else { format!("{prefix}/{key}") };
        Key::parse(whole).map_err(|error| error.to_string())
    }

    /// All objects, in no order.
    ///
    /// # Errors
    /// The store's.
    pub async fn list(&self) -> Result<Vec<Object>, ClusterError> {
        let prefix = Some(&self.prefix).filter(|prefix| !prefix.as_ref().is_empty());
        let mut listing = self.store.list(prefix);
        let mut found = Vec::new();
        while let Some(meta) = listing.try_next().await.map_err(ClusterError::store)? {
            let key = meta.location.as_ref();
            let below = key.strip_prefix(self.prefix.as_ref()).unwrap_or(key);
            let key = below.trim_start_matches('/').to_owned();
            found.push(Object { key, size: Bytes::new(meta.size) });
        }
        Ok(found)
    }

    /// The size of an object, without its body.
    ///
    /// # Errors
    /// The store's, where trying again may help.
    pub async fn size(&self, key: &str) -> Result<Result<Bytes, String>, ClusterError> {
        let key = match self.whole(key) {
            Ok(key) => key,
            Err(why) => return Ok(Err(why)),
        };
        match self.store.head(&key).await {
            Ok(meta) => Ok(Ok(Bytes::new(meta.size))),
            Err(error) => lasting(error).map(Err),
        }
    }

    /// An object that has `size`; what has another by now is not read.
    ///
    /// # Errors
    /// The store's, where trying again may help.
    pub async fn read(&self, key: &str, size: Bytes) -> Result<Read, ClusterError> {
        let key = match self.whole(key) {
            Ok(key) => key,
            Err(why) => return Ok(Read::Unreadable(why)),
        };
        let got = match self.store.get(&key).await {
            Ok(got) => got,
            Err(error) => return lasting(error).map(Read::Unreadable),
        };
        if got.meta.size > size.get() {
            return Ok(Read::Unreadable("the object grew while it was read".to_owned()));
        }
        match got.bytes().await {
            Ok(bytes) => Ok(Read::Whole(bytes)),
            Err(error) => lasting(error).map(Read::Unreadable),
        }
    }

    /// Writes an object whole. One that has these bytes already, of whoever did the item before, is
    /// left; another one is replaced.
    ///
    /// # Errors
    /// In words, where the key cannot be one; the store's, where trying again may help.
    pub async fn write(
        &self,
        key: &str,
        bytes: &Buffer,
    ) -> Result<Result<(), String>, ClusterError> {
        let key = match self.whole(key) {
            Ok(key) => key,
            Err(why) => return Ok(Err(why)),
        };
        if let (Some(root), Some(unfinished)) = (&self.root, &self.unfinished) {
            let path = root.join(key.as_ref());
            return to_file(unfinished, &path, bytes).map(Ok).map_err(ClusterError::store);
        }
        let put = |mode: PutMode| {
            let options = PutOptions { mode, ..PutOptions::default() };
            self.store.put_opts(&key, bytes.clone().into(), options)
        };
        match put(PutMode::Create).await {
            Ok(_) => return Ok(Ok(())),
            Err(Error::AlreadyExists { .. }) => {
                let there = self.store.head(&key).await.map_err(ClusterError::store)?;
                if there.size == bytes.len() as u64 {
                    let there = self.store.get(&key).await.map_err(ClusterError::store)?;
                    if there.bytes().await.map_err(ClusterError::store)? == *bytes {
                        return Ok(Ok(()));
                    }
                }
            }
            // A store without conditions: the bytes are the same whoever writes them.
            Err(Error::NotImplemented { .. } | Error::NotSupported { .. }) => {}
            Err(error) => return lasting(error).map(Err),
        }
        match put(PutMode::Overwrite).await {
            Ok(_) => Ok(Ok(())),
            Err(error) => lasting(error).map(Err),
        }
    }
}

/// The rule of [`Store::write`] in a directory.
fn to_file(unfinished: &Path, path: &Path, bytes: &[u8]) -> io::Result<()> {
    let size = fs::metadata(path).ok().filter(fs::Metadata::is_file).map(|there| there.len());
    if size == Some(bytes.len() as u64) && fs::read(path)? == bytes {
        return Ok(());
    }
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent)?;
    }
    write::whole_via(unfinished, path, bytes)
}

/// An error that will be the same next time, in words.
fn lasting(error: Error) -> Result<String, ClusterError> {
    match error {
        Error::NotFound { .. } => Ok("there is no such object".to_owned()),
        Error::InvalidPath { source } => Ok(source.to_string()),
        error => Err(ClusterError::store(error)),
    }
}
