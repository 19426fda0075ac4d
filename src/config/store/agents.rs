//! Rules for User-Agents and for the URLs of device documents: ordered regular expressions, the
//! first that matches wins.

use std::path::{Path, PathBuf};

use regex::bytes::{Regex, RegexBuilder};
use serde::Deserialize;
use toml::Spanned;

use crate::{config::ConfigError, model::nearest};

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

/// What a URL tells of a device without being fetched.
#[derive(Clone, Debug)]
pub(super) enum UrlMeans {
    /// This document.
    Device(String),
    /// The first group is the model; with this word before it, it is looked up as a User-Agent.
    Agent(String),
}

/// One rule for URLs.
#[derive(Clone, Debug)]
pub(super) struct UrlRule {
    pub(super) name: String,
    pub(super) means: UrlMeans,
    pub(super) file: PathBuf,
    pattern: Regex,
}

impl UrlRule {
    /// What `url`, in comparable form, tells: nothing where it does not match.
    pub(super) fn read(&self, url: &str) -> Option<UrlMeans> {
        let bytes = url.as_bytes();
        let found = self.pattern.captures(bytes.get(..MAX_AGENT).unwrap_or(bytes))?;
        Some(match &self.means {
            UrlMeans::Device(id) => UrlMeans::Device(id.clone()),
            UrlMeans::Agent(word) => {
                let model = String::from_utf8_lossy(found.get(1)?.as_bytes());
                UrlMeans::Agent(format!("{word}{}", model.replace("%20", " ").replace('+', " ")))
            }
        })
    }
}

/// The rules of one file, or of several.
#[derive(Clone, Debug, Default)]
pub(super) struct Rules {
    pub(super) agents: Vec<AgentRule>,
    pub(super) urls: Vec<UrlRule>,
}

impl Rules {
    /// Puts `first` before these.
    pub(super) fn prepend(&mut self, mut first: Self) {
        first.agents.append(&mut self.agents);
        first.urls.append(&mut self.urls);
        *self = first;
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    rules: Vec<Rule>,
    #[serde(default)]
    urls: Vec<Url>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Url {
    name: String,
    pattern: Spanned<String>,
    device: Option<String>,
    agent: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Rule {
    name: String,
    pattern: Spanned<String>,
    device: String,
}

/// Reads a file of rules.
pub(super) fn parse(path: &Path, text: &str) -> Result<Rules, ConfigError> {
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
    let compile = |pattern: &Spanned<String>| {
        // Bytes, not characters: case folding of ASCII alone, and no table of all scripts.
        RegexBuilder::new(pattern.get_ref())
            .unicode(false)
            .case_insensitive(true)
            .size_limit(MAX_PATTERN)
            .build()
            .map_err(|e| {
                let last = e.to_string().lines().last().unwrap_or("").trim().to_owned();
                error(pattern.span().start, format!("pattern: {last}"), Vec::new())
            })
    };
    let file_of = || path.to_path_buf();
    let agent = |rule: Rule| {
        let pattern = compile(&rule.pattern)?;
        let device = rule.device.to_ascii_lowercase();
        Ok(AgentRule { name: rule.name, device, file: file_of(), pattern })
    };
    let url = |rule: Url| {
        let pattern = compile(&rule.pattern)?;
        let at = rule.pattern.span().start;
        let means = match (rule.device, rule.agent) {
            (Some(device), None) => UrlMeans::Device(device.to_ascii_lowercase()),
            (None, Some(_)) if pattern.captures_len() < 2 => {
                let message = "pattern: no group for the model".to_owned();
                return Err(error(at, message, Vec::new()));
            }
            (None, Some(word)) => UrlMeans::Agent(word),
            _ => return Err(error(at, "either `device` or `agent`".to_owned(), Vec::new())),
        };
        Ok(UrlRule { name: rule.name, means, file: file_of(), pattern })
    };
    Ok(Rules {
        agents: file.rules.into_iter().map(agent).collect::<Result<_, ConfigError>>()?,
        urls: file.urls.into_iter().map(url).collect::<Result<_, ConfigError>>()?,
    })
}
