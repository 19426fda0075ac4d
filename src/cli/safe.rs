//! Text from outside, made fit to be shown.

/// `text` fit for a terminal: control characters and direction overrides, which could move the
/// cursor or forge lines, are replaced.
pub fn safe(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            '\t' => ' ',
            '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => '\u{fffd}',
            c if c.is_control() => '\u{fffd}',
            c => c,
        })
        .collect()
}
