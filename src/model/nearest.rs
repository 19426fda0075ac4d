//! The names nearest to a misspelt one, for error texts.

/// Up to three of `names` that are near `word`, the nearest first.
pub(crate) fn nearest<'a>(word: &str, names: impl IntoIterator<Item = &'a str>) -> Vec<String> {
    // Long junk is not a misspelling, and the distance costs its length squared.
    if word.is_empty() || word.len() > 64 {
        return Vec::new();
    }
    let plain = |text: &str| -> String {
        text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
    };
    let wanted = plain(word);
    let length = wanted.chars().count();
    let mut found: Vec<(usize, &str)> = names
        .into_iter()
        .filter_map(|name| {
            let candidate = plain(name);
            let part = length >= 3 && candidate.contains(&wanted);
            let distance = if part { 1 } else { strsim::levenshtein(&wanted, &candidate) };
            (distance <= length.div_ceil(3).clamp(1, 4)).then_some((distance, name))
        })
        .collect();
    found.sort_unstable();
    found.into_iter().take(3).map(|(_, name)| name.to_owned()).collect()
}

/// For serde's "unknown field `x`, expected one of `a`, `b`": the keys near `x`.
pub(crate) fn misspelt(message: &str) -> Vec<String> {
    if !message.starts_with("unknown field") {
        return Vec::new();
    }
    let mut quoted = message.split('`').skip(1).step_by(2);
    let Some(word) = quoted.next() else { return Vec::new() };
    nearest(word, quoted)
}

/// The end of an error text: the names that may be meant, or nothing.
pub(crate) fn hint(names: &[String]) -> String {
    match names {
        [] => String::new(),
        names => format!("; did you mean `{}`?", names.join("` or `")),
    }
}

/// The line, from 1, of a byte offset.
pub(crate) fn line(text: &str, offset: usize) -> usize {
    let before = text.as_bytes().get(..offset.min(text.len())).unwrap_or(&[]);
    1 + before.iter().filter(|b| **b == b'\n').count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_names_come_first() {
        let names = ["apple-iphone-15", "nokia-7650", "nokia-6230"];
        assert_eq!(nearest("Nokia 7660", names), ["nokia-7650", "nokia-6230"]);
        assert_eq!(nearest("iphone15", names), ["apple-iphone-15"]);
        assert!(nearest("zzz", names).is_empty());
        assert!(nearest(&"n".repeat(5_000), names).is_empty());
    }
}
