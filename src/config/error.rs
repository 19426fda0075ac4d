//! Why a configuration cannot be used: always with the file, and the line or key at fault.

use std::path::PathBuf;

use crate::model::{Category, Fault, nearest};

/// Why a configuration cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// A file or directory cannot be read.
    #[error("{}: {message}", .path.display())]
    Read {
        /// Which.
        path: PathBuf,
        /// What the system says.
        message: String,
    },
    /// A file is not TOML, or holds unknown keys.
    #[error("{}:{line}: {message}{}", .path.display(), nearest::hint(.suggestions))]
    Syntax {
        /// Which file.
        path: PathBuf,
        /// Line, from 1.
        line: usize,
        /// What is wrong.
        message: String,
        /// Known keys similar to a misspelt one.
        suggestions: Vec<String>,
    },
    /// An invalid value.
    #[error("{place}: {key}: {message}")]
    Value {
        /// File and line, or the environment variable.
        place: String,
        /// The key.
        key: String,
        /// What is wrong.
        message: String,
    },
    /// A device document, a rule or a carrier in an operator's directory.
    #[error("{}: {message}", .path.display())]
    Document {
        /// Which file.
        path: PathBuf,
        /// What is wrong, with the line where there is one.
        message: String,
    },
}

impl Fault for ConfigError {
    fn category(&self) -> Category {
        Category::Caller
    }

    fn reason(&self) -> &'static str {
        "CONFIG"
    }
}
