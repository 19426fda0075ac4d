//! The environment by key, so that tests need none.

use std::collections::HashMap;

/// Environment variables by name.
pub trait Env {
    /// The value of `key`, if it is set and is text.
    fn get(&self, key: &str) -> Option<String>;
}

/// The environment of this process.
#[derive(Clone, Copy, Debug, Default)]
pub struct ProcessEnv;

impl Env for ProcessEnv {
    fn get(&self, key: &str) -> Option<String> {
        std::env::var(key).ok()
    }
}

impl Env for HashMap<String, String> {
    fn get(&self, key: &str) -> Option<String> {
        Self::get(self, key).cloned()
    }
}
