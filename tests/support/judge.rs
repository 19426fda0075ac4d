//! What must hold of any answer, whatever came in.

use std::collections::BTreeSet;

use mmsfit::{
    message::{Message, Part},
    text,
};

/// References of the presentation that no part answers to.
pub fn dangling(message: &Message) -> BTreeSet<String> {
    let Some(smil) = message.presentation() else { return BTreeSet::new() };
    let text = String::from_utf8_lossy(&message.parts()[smil.index()].data).into_owned();
    let pattern = regex::Regex::new(r#"\ssrc\s*=\s*["']([^"']*)["']"#).unwrap();
    let known = |reference: &str| {
        let bare = reference.strip_prefix("cid:").unwrap_or(reference);
        let bare = bare.trim_matches(['<', '>']);
        message.parts().iter().any(|part| {
            [&part.content_id, &part.content_location, &part.name]
                .into_iter()
                .flatten()
                .any(|label| label.eq_ignore_ascii_case(bare))
        })
    };
    pattern
        .captures_iter(&text)
        .map(|found| found[1].to_owned())
        .filter(|reference| !reference.is_empty() && !known(reference))
        .collect()
}

/// The words of the parts that are wanted, in whatever charset they travel.
pub fn texts(message: &Message, wanted: impl Fn(&Part) -> bool) -> Vec<String> {
    let words = |part: &Part| text::read(&part.data, part.charset.as_deref()).text;
    message.parts().iter().filter(|part| wanted(part)).map(words).collect()
}
