//! Media that became texts: a slide shows one text at most (MMS SMIL, OMA-MMS-CONF clause 8.2), so
//! that a text beside another goes to a slide of its own, and one alone to where texts are shown.

use std::ops::Range;

use super::{
    Changes,
    scan::{Kind, Tag},
};

/// How long a slide of its own is shown: phones show slides of stills so long where senders state
/// nothing.
const SHOWN: &str = "5000ms";

/// An element that shows a text from now on.
pub(super) struct Retold {
    /// Its tag.
    pub at: usize,
    /// What it refers to, as it is to be written.
    pub src: Vec<u8>,
    /// Whether that is another name than before.
    pub renamed: bool,
}

/// The edits: what changes, and what goes from where it stood. `gone` are elements that go anyway.
pub(super) fn edits(
    data: &[u8],
    tags: &[Tag],
    ends: &[Option<usize>],
    retold: &[Retold],
    gone: &[Range<usize>],
) -> (Changes, Vec<Range<usize>>) {
    let (mut changes, mut moved): (Changes, Vec<Range<usize>>) = Default::default();
    let region = text_region(data, tags);
    // Slides that have a text now, by their tag.
    let mut full: Vec<usize> = Vec::new();
    for text in retold {
        let tag = &tags[text.at];
        let slide = slide_of(tags, ends, text.at);
        let crowded = slide.is_some_and(|(par, close)| {
            full.contains(&par) || has_text(&tags[par + 1..close], gone)
        });
        match slide.filter(|_| crowded) {
            Some((_, close)) => {
                let end = ends[text.at].map_or(tag.range.end, |own| tags[own].range.end);
                moved.push(tag.range.start..end);
                let after = tags[close].range.end;
                changes.push((after..after, own_slide(&text.src, region.as_deref())));
            }
            None => {
                full.extend(slide.map(|(par, _)| par));
                changes.push((tag.word.clone(), b"text".to_vec()));
                if let Some(close) = ends[text.at] {
                    changes.push((tags[close].word.clone(), b"text".to_vec()));
                }
                let src = tag.src.clone().filter(|_| text.renamed);
                changes.extend(src.map(|src| (src, text.src.clone())));
                let stated = tag.attributes.iter().find(|(name, _)| name == "region");
                if let (Some((_, range)), Some(region)) = (stated, &region) {
                    changes.push((range.clone(), region.clone()));
                }
            }
        }
    }
    (changes, moved)
}

/// The slide around a tag: its tag, and the one that closes it.
fn slide_of(tags: &[Tag], ends: &[Option<usize>], at: usize) -> Option<(usize, usize)> {
    (0..at).rev().find_map(|par| {
        let close = ends[par].filter(|close| *close > at)?;
        (tags[par].name == "par").then_some((par, close))
    })
}

fn has_text(tags: &[Tag], gone: &[Range<usize>]) -> bool {
    tags.iter().any(|tag| {
        let stays = !gone.iter().any(|range| range.contains(&tag.range.start));
        is_text(tag) && tag.kind != Kind::Close && stays
    })
}

fn is_text(tag: &Tag) -> bool {
    matches!(tag.name.as_str(), "text" | "textstream")
}

/// The name of the region for texts, as it is written: the one of that name, or where others are.
fn text_region(data: &[u8], tags: &[Tag]) -> Option<Vec<u8>> {
    let value = |tag: &Tag, name: &str| {
        let found = tag.attributes.iter().find(|(known, _)| known == name);
        found.map(|(_, range)| data[range.clone()].to_vec())
    };
    let regions = tags.iter().filter(|tag| tag.name == "region");
    let named = regions
        .filter_map(|tag| value(tag, "id"))
        .find(|id| id.trim_ascii().eq_ignore_ascii_case(b"text"));
    named.or_else(|| tags.iter().filter(|tag| is_text(tag)).find_map(|tag| value(tag, "region")))
}

fn own_slide(src: &[u8], region: Option<&[u8]>) -> Vec<u8> {
    let mut out = format!("<par dur=\"{SHOWN}\"><text src=\"").into_bytes();
    out.extend(src);
    out.extend(b"\"");
    if let Some(region) = region {
        out.extend(b" region=\"");
        out.extend(region);
        out.extend(b"\"");
    }
    out.extend(b"/></par>");
    out
}
