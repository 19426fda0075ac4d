//! The folder in the output that holds what a run notes for itself, and who may use it.

use std::{
    fs::{self, File, TryLockError},
    path::{Path, PathBuf},
};

use super::{cleanup, error::BatchError, options::Options, select::Shard};

/// The folder in the output that holds journal, lock and unfinished files.
pub const STATE_DIR: &str = ".mmsfit";

/// The root of the input, resolved: a directory, or a file that is taken for an archive.
///
/// # Errors
/// A list names files of what is no directory, or the system's.
pub fn input_root(options: &Options) -> Result<PathBuf, BatchError> {
    let unreadable = |error| BatchError::Input { path: options.input.clone(), error };
    let input = options.input.canonicalize().map_err(unreadable)?;
    if options.manifest.is_some() && !input.is_dir() {
        return Err(BatchError::Layout(format!(
            "{} is a file: a list names files of a directory",
            options.input.display()
        )));
    }
    Ok(input)
}

/// Both roots, resolved, the output made; refuses layouts in which results could land on inputs.
///
/// # Errors
/// Such a layout, or the system's.
pub fn roots(options: &Options) -> Result<(PathBuf, PathBuf), BatchError> {
    let input = input_root(options)?;
    let unwritable = |error| BatchError::Output { path: options.output.clone(), error };
    fs::create_dir_all(&options.output).map_err(unwritable)?;
    let output = options.output.canonicalize().map_err(unwritable)?;
    if input.starts_with(&output) {
        return Err(BatchError::Layout(format!(
            "{} lies in the output {}: results could overwrite what is read",
            options.input.display(),
            options.output.display()
        )));
    }
    Ok((input, output))
}

/// What a run has to itself as long as this lives.
pub struct State {
    /// Journal and report.
    pub dir: PathBuf,
    /// Files on their way, on the same file system as the results; empty at first.
    pub unfinished: PathBuf,
    /// The system lets go of them however the process ends.
    _locks: Vec<File>,
}

impl State {
    /// That of a whole run, which shares the output with no other, or of a shard, which shares it
    /// with other shards. What a killed run left unfinished is removed.
    ///
    /// # Errors
    /// Another run is there, or the system's.
    pub fn open(output: &Path, shard: Option<Shard>) -> Result<Self, BatchError> {
        let base = output.join(STATE_DIR);
        let (dir, locks) = match shard {
            None => {
                let lock = lock(&base, output, File::try_lock)?;
                (base, vec![lock])
            }
            Some(shard) => {
                let dir = base.join(shard.folder());
                let shared = lock(&base, output, File::try_lock_shared)?;
                let own = lock(&dir, output, File::try_lock)?;
                (dir, vec![shared, own])
            }
        };
        let unfinished = cleanup::fresh_dir(&dir)
            .map_err(|error| BatchError::Output { path: dir.clone(), error })?;
        Ok(Self { dir, unfinished, _locks: locks })
    }
}

fn lock(
    dir: &Path,
    output: &Path,
    how: impl FnOnce(&File) -> Result<(), TryLockError>,
) -> Result<File, BatchError> {
    let unwritable = |error| BatchError::Output { path: dir.to_owned(), error };
    fs::create_dir_all(dir).map_err(unwritable)?;
    let file = File::options()
        .create(true)
        .truncate(false)
        .read(true)
        .write(true)
        .open(dir.join("lock"))
        .map_err(unwritable)?;
    match how(&file) {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(BatchError::Busy(output.to_owned())),
        Err(TryLockError::Error(error)) => Err(unwritable(error)),
    }
}
