//! User-Agent rules: ordered regular expressions, the first that matches wins.

use std::path::{Path, PathBuf};

use regex::bytes::{Regex, RegexBuilder};
use serde::Deserialize;
use toml::Spanned;

use crate::{config::ConfigError, profile::nearest};

/// Bytes of a User-Agent that are looked at.
const MAX_AGENT: usize = 512;
/// Compiled size of one pattern, in bytes.
const MAX_PATTERN: usize = 1 << 20;

/// One rule.
#[derive(Clone, Debug)]
pub(super) struct AgentRule {
    pub(super) name: String,
    pub(super) device: String,
    /// Where it was read, for errors.
    pub(super) file: PathBuf,
    pattern: Regex,
}

impl AgentRule {
    pub(super) fn matches(&self, user_agent: &str) -> bool {
        let bytes = user_agent.as_bytes();
        self.pattern.is_match(bytes.get(..MAX_AGENT).unwrap_or(bytes))
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    rules: Vec<Rule>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Rule {
    name: String,
    pattern: Spanned<String>,
    device: String,
}

/// Reads a file of rules.
pub(super) fn parse(path: &Path, text: &str) -> Result<Vec<AgentRule>, ConfigError> {
    let error = |offset: usize, message: String, suggestions: Vec<String>| ConfigError::Syntax {
        path: path.to_path_buf(),
        line: nearest::line(text, offset),
        message,
        suggestions,
    };
    let file: File = toml::from_str(text).map_err(|e| {
        let suggestions = nearest::misspelt(e.message());
        error(e.span().map_or(0, |span| span.start), e.message().to_owned(), suggestions)
    })?;
    let compile = |rule: Rule| {
        // Bytes, not characters: case folding of ASCII alone, and no table of all scripts.
        let pattern = RegexBuilder::new(rule.pattern.get_ref())
            .unicode(false)
            .case_insensitive(true)
            .size_limit(MAX_PATTERN)
            .build()
            .map_err(|e| {
                let last = e.to_string().lines().last().unwrap_or("").trim().to_owned();
                error(rule.pattern.span().start, format!("pattern: {last}"), Vec::new())
            })?;
        let file = path.to_path_buf();
        Ok(AgentRule { name: rule.name, device: rule.device.to_ascii_lowercase(), file, pattern })
    };
    file.rules.into_iter().map(compile).collect()
}
