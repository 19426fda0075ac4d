//! What was called before, to be called again at the same times.

use std::{fs, path::Path, time::Duration};

use serde::Deserialize;

use super::mix::Prepared;
use crate::model::{Bytes, nearest};

/// Of a file: more is no trace of a day.
const LARGEST: u64 = 1 << 30;
/// In seconds.
const DAY: f64 = 86_400.0;

/// Calls in the order in which they are due.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trace(Vec<Due>);

/// One call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Due {
    /// When, since the beginning.
    pub at: Duration,
    /// Which kind of the mix; none: by the shares.
    pub kind: Option<usize>,
}

/// Why there is none.
#[derive(Debug, thiserror::Error)]
pub enum TraceError {
    /// The file cannot be read.
    #[error("cannot read {path}: {error}")]
    Read {
        /// Which.
        path: String,
        /// The system's words.
        error: std::io::Error,
    },
    /// It has no calls, or far too many.
    #[error("{path}: {what}")]
    Size {
        /// Which.
        path: String,
        /// How.
        what: String,
    },
    /// A line that is none.
    #[error("{path}:{line}: {what}")]
    Line {
        /// Which.
        path: String,
        /// From 1.
        line: usize,
        /// What is wrong.
        what: String,
    },
}

/// A line of JSON.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    at: f64,
    #[serde(default)]
    kind: String,
}

impl Trace {
    /// Reads a trace: a line for a call, `seconds,kind` or `{"at": seconds, "kind": "…"}`; the kind, a
    /// name of the mix, may be missing. A first line of names (`at,kind`) is passed over.
    ///
    /// # Errors
    /// What is wrong with the file.
    pub fn read(path: &Path, kinds: &[Prepared]) -> Result<Self, TraceError> {
        let name = || path.display().to_string();
        let failed = |error| TraceError::Read { path: name(), error };
        let length = fs::metadata(path).map_err(failed)?.len();
        if length > LARGEST {
            let what = format!("is larger than {}", Bytes::new(LARGEST));
            return Err(TraceError::Size { path: name(), what });
        }
        let text = fs::read_to_string(path).map_err(failed)?;
        Self::parse(&text, &name(), kinds)
    }

    fn parse(text: &str, path: &str, kinds: &[Prepared]) -> Result<Self, TraceError> {
        let mut calls = Vec::new();
        for (number, line) in text.trim_start_matches('\u{feff}').lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || number == 0 && line.starts_with("at") {
                continue;
            }
            let due = due(line, kinds).map_err(|what| TraceError::Line {
                path: path.to_owned(),
                line: number + 1,
                what,
            })?;
            calls.push(due);
        }
        if calls.is_empty() {
            let what = "has no calls".to_owned();
            return Err(TraceError::Size { path: path.to_owned(), what });
        }
        // As services log when they are done, the lines of calls are not in their order.
        calls.sort_by_key(|due| due.at);
        Ok(Self(calls))
    }

    /// In order.
    pub fn calls(&self) -> &[Due] {
        &self.0
    }

    /// How long it takes until the last call is due.
    pub fn time(&self) -> Duration {
        self.0.last().map_or(Duration::ZERO, |due| due.at)
    }
}

fn due(line: &str, kinds: &[Prepared]) -> Result<Due, String> {
    let (at, kind) = if line.starts_with('{') {
        let line: Line = serde_json::from_str(line).map_err(|error| error.to_string())?;
        (line.at, line.kind)
    } else {
        let (at, kind) = line.split_once(',').unwrap_or((line, ""));
        let at = at.trim().parse().map_err(|_| format!("{at:?} is no number of seconds"))?;
        (at, kind.trim().trim_matches('"').to_owned())
    };
    if !(0.0..=DAY).contains(&at) {
        return Err(format!("{at} is not between 0 and {DAY} seconds"));
    }
    let found = kinds.iter().position(|known| known.name == kind);
    if !kind.is_empty() && found.is_none() {
        let names = kinds.iter().map(|kind| kind.name.as_str());
        let near = nearest::hint(&nearest::nearest(&kind, names));
        return Err(format!("{kind:?} is no name of the mix{near}"));
    }
    Ok(Due { at: Duration::from_secs_f64(at), kind: found })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capacity::load::mix::Mix;

    fn parse(text: &str) -> Result<Trace, TraceError> {
        let mix = "[[messages]]\nsample = \"text\"\nshare = 1\n\
                   [[messages]]\nname = \"note\"\nsample = \"voice\"\nshare = 1";
        let mix: Mix = toml::from_str(mix).unwrap();
        Trace::parse(text, "trace", &mix.prepare(Path::new(".")).unwrap())
    }

    #[test]
    fn both_forms_are_read() {
        let wanted = [(0, None), (250, Some(1)), (1_500, Some(0))];
        for text in [
            "at,kind\n0\n1.5,text\n0.25,note\n",
            "0,\r\n1.5, \"text\"\r\n\r\n0.25,note",
            "{\"at\":1.5,\"kind\":\"text\"}\n{\"at\":0.25,\"kind\":\"note\"}\n{\"at\":0}",
        ] {
            let trace = parse(text).unwrap();
            let read: Vec<_> =
                trace.calls().iter().map(|due| (due.at.as_millis(), due.kind)).collect();
            assert_eq!(read, wanted, "{text}");
            assert_eq!(trace.time(), Duration::from_millis(1_500));
        }
    }

    #[test]
    fn what_is_wrong_is_told_with_its_line() {
        for (text, word) in [
            ("", "no calls"),
            ("at,kind\n", "no calls"),
            ("0\nsoon", "trace:2: \"soon\" is no number"),
            ("0\n-1", "trace:2: -1 is not between"),
            ("nan", "trace:1"),
            ("1e99", "trace:1"),
            ("0,txt", "did you mean `text`"),
            ("{\"at\":1", "trace:1"),
            ("{\"at\":1,\"size\":3}", "size"),
        ] {
            let error = parse(text).expect_err(text).to_string();
            assert!(error.contains(word), "{text}: {error}");
        }
    }
}
