//! The `[policy]` table of configuration and carrier files: the same keys in both.

use toml::de::{DeTable, DeValue};

use super::settings::{PolicySettings, SettingError};
use crate::model::nearest;

/// An error in a `[policy]` table, and its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PolicyError {
    /// Byte offset in the file.
    pub offset: usize,
    /// The key from `policy.` on.
    pub key: String,
    /// For people.
    pub message: String,
    /// Known keys similar to an unknown one.
    pub suggestions: Vec<String>,
}

/// Nesting of tables: `policy.ladder.image` is the deepest.
const MAX_DEPTH: usize = 3;

/// The settings of a file's `[policy]` table; none where it has no such table.
pub(crate) fn settings(text: &str) -> Result<PolicySettings, PolicyError> {
    let mut settings = PolicySettings::default();
    // A file that is not TOML was already reported.
    let Ok(file) = DeTable::parse(text) else { return Ok(settings) };
    if let Some(table) = file.get_ref().get("policy") {
        walk("", table.get_ref(), table.span().start, 0, &mut settings)?;
    }
    Ok(settings)
}

fn walk(
    key: &str,
    value: &DeValue<'_>,
    offset: usize,
    depth: usize,
    settings: &mut PolicySettings,
) -> Result<(), PolicyError> {
    let error = |message: String, suggestions| PolicyError {
        offset,
        key: format!("policy.{key}"),
        message,
        suggestions,
    };
    if let DeValue::Table(table) = value {
        if depth == MAX_DEPTH {
            return Err(unknown(key, &error));
        }
        for (name, value) in table {
            let inner = match key {
                "" => name.get_ref().to_string(),
                _ => format!("{key}.{}", name.get_ref()),
            };
            walk(&inner, value.get_ref(), value.span().start, depth + 1, settings)?;
        }
        return Ok(());
    }
    let text = written(value).ok_or_else(|| error("is not a policy value".to_owned(), vec![]))?;
    settings.set(key, text.trim()).map_err(|wrong| match wrong {
        SettingError::UnknownKey => unknown(key, &error),
        SettingError::Value(message) => error(format!("{message}: `{text}`"), Vec::new()),
    })
}

fn unknown(key: &str, error: &dyn Fn(String, Vec<String>) -> PolicyError) -> PolicyError {
    let near = nearest::nearest(key, PolicySettings::KEYS.iter().copied());
    error("there is no such key".to_owned(), near)
}

/// A value as text; lists with commas.
fn written(value: &DeValue<'_>) -> Option<String> {
    match value {
        DeValue::String(text) => Some(text.to_string()),
        DeValue::Integer(number) => Some(number.to_string()),
        DeValue::Float(number) => Some(number.to_string()),
        DeValue::Boolean(flag) => Some(flag.to_string()),
        DeValue::Array(items) => {
            let items: Option<Vec<String>> = items
                .iter()
                .map(|item| match item.get_ref() {
                    DeValue::Array(_) | DeValue::Table(_) => None,
                    item => written(item),
                })
                .collect();
            items.map(|items| items.join(", "))
        }
        DeValue::Datetime(_) | DeValue::Table(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::Trim;

    #[test]
    fn tables_are_read_with_their_places() {
        let text = "a = 1\n[policy]\ntrim = 'allow'\nfloor.image_side = 96\n\
            weight = { video = 0.5 }\n[policy.ladder]\nvideo = ['format', 'still']\n";
        let found = settings(text).unwrap();
        assert_eq!(found.trim, Some(Trim::Allow));
        assert_eq!((found.image_side, found.video_weight), (Some(96), Some(0.5)));
        assert_eq!(found.ladders().video.to_string(), "format, still");
        assert_eq!(settings("[other]\nx = 1").unwrap(), PolicySettings::default());
    }

    #[test]
    fn mistakes_are_told_with_key_and_place() {
        for (text, key, message) in [
            ("[policy]\ntrimm = 'allow'", "policy.trimm", "no such key"),
            ("[policy]\ntrim = 'x'", "policy.trim", "is not one of"),
            ("[policy.ladder]\nvidoe = []", "policy.ladder.vidoe", "no such key"),
            ("[policy]\ntrim = 2026-01-01", "policy.trim", "not a policy value"),
            ("[policy]\na.b.c.d = 1", "policy.a.b.c", "no such key"),
            ("[policy]\ntrim = [['x']]", "policy.trim", "not a policy value"),
        ] {
            let error = settings(text).unwrap_err();
            assert_eq!(error.key, key);
            assert!(error.message.contains(message), "{}", error.message);
            assert!(error.offset > 8, "{}", error.offset);
        }
        let error = settings("[policy.ladder]\nvidoe = []").unwrap_err();
        assert_eq!(error.suggestions.first().map(String::as_str), Some("ladder.video"));
    }
}
