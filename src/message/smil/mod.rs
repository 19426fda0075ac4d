//! References of a presentation: found and rewritten in its bytes, with the least change.
//!
//! Not an XML parser: real SMIL is HTML-ish, wrongly labelled and cut short. A linear scan finds
//! tags and their attributes; what it does not understand stays as it is.

use std::{borrow::Cow, collections::HashMap, ops::Range};

mod clock;
mod escape;
mod layout;
mod lint;
mod retold;
mod scan;
mod timing;

pub(super) use self::{escape::unescape, lint::lint};
use self::{
    escape::{attribute, percent_decode, percent_encode},
    retold::Retold,
    scan::{Kind, Tag, matching, scan},
};
use super::{PlayTime, PresentationUpdate, leaf::Leaf};
use crate::model::Dimensions;

/// What becomes of one part's references.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum RefChange {
    /// They stay.
    Keep,
    /// Its labels change, old to new, and the element that shows it, where the medium is another
    /// (`video` to `img`). Content-ID stays.
    Relabel(Vec<(String, String)>, Option<&'static str>),
    /// It goes, and the elements that refer to it.
    Remove,
}

/// By what a reference was resolved.
enum Found {
    Id(usize),
    Label(usize),
}

/// Finds the part that a `src` means (mms-pdu.md §7 #16).
pub(super) struct Index {
    ids: HashMap<String, usize>,
    labels: HashMap<String, usize>,
    ids_folded: HashMap<String, usize>,
    labels_folded: HashMap<String, usize>,
}

impl Index {
    pub fn new<'a>(leaves: impl Iterator<Item = &'a Leaf>) -> Self {
        let mut index = Self {
            ids: HashMap::new(),
            labels: HashMap::new(),
            ids_folded: HashMap::new(),
            labels_folded: HashMap::new(),
        };
        let leaves: Vec<&Leaf> = leaves.collect();
        for (at, leaf) in leaves.iter().enumerate() {
            if let Some(id) = &leaf.part.content_id {
                index.ids.entry(id.clone()).or_insert(at);
                index.ids_folded.entry(id.to_lowercase()).or_insert(at);
            }
        }
        // Content-Location first, for all parts, then `name`, then `filename`.
        type Pick = fn(&Leaf) -> Option<&String>;
        let picks: [Pick; 4] = [
            |leaf| leaf.part.content_location.as_ref(),
            |leaf| leaf.name.as_ref(),
            |leaf| leaf.filename.as_ref(),
            |leaf| leaf.part.name.as_ref(),
        ];
        for pick in picks {
            for (at, leaf) in leaves.iter().enumerate() {
                if let Some(label) = pick(leaf) {
                    index.labels.entry(label.clone()).or_insert(at);
                    index.labels_folded.entry(label.to_lowercase()).or_insert(at);
                    // `./x.jpg` and `x.jpg` are one file, `x%20y.jpg` and `x y.jpg` one name.
                    for spelling in spellings(label) {
                        index.labels_folded.entry(spelling.to_lowercase()).or_insert(at);
                    }
                }
            }
        }
        index
    }

    /// The part that `src` refers to, if any.
    pub fn resolve(&self, src: &str) -> Option<usize> {
        match self.find(src)? {
            Found::Id(at) | Found::Label(at) => Some(at),
        }
    }

    fn find(&self, src: &str) -> Option<Found> {
        let (cid, bare) = strip_cid(src);
        let keys = spellings(bare);
        let id = |map: &HashMap<String, usize>, key: &str| map.get(key).copied().map(Found::Id);
        let label =
            |map: &HashMap<String, usize>, key: &str| map.get(key).copied().map(Found::Label);
        let exact = keys.iter().find_map(|key| {
            let (by_id, by_label) = (id(&self.ids, key), label(&self.labels, key));
            if cid { by_id.or(by_label) } else { by_label.or(by_id) }
        });
        exact.or_else(|| {
            keys.iter().find_map(|key| {
                let key = key.to_lowercase();
                let by_id = id(&self.ids_folded, &key);
                let by_label = label(&self.labels_folded, &key);
                if cid { by_id.or(by_label) } else { by_label.or(by_id) }
            })
        })
    }
}

/// The presentation with references repaired and shown as `showing` says; `None` where not one byte
/// changes.
pub(super) fn rewrite(
    data: &[u8],
    index: &Index,
    ref_changes: &[RefChange],
    showing: &PresentationUpdate,
) -> Option<Vec<u8>> {
    if ref_changes.iter().all(|ref_change| *ref_change == RefChange::Keep)
        && *showing == PresentationUpdate::default()
    {
        return None;
    }
    let text = readable(data);
    let changed = rewrite_bytes(&text, index, ref_changes, showing)?;
    let Some(encoding) = utf16(data) else { return Some(changed) };
    let text = String::from_utf8_lossy(&changed);
    let big = encoding == encoding_rs::UTF_16BE;
    let octets = |unit: u16| if big { unit.to_be_bytes() } else { unit.to_le_bytes() };
    Some(text.encode_utf16().flat_map(octets).collect())
}

/// The size of a presentation's layout, where it is stated in pixels.
pub(super) fn layout_size(data: &[u8]) -> Option<Dimensions> {
    let text = readable(data);
    layout::size(&text, &scan(&text))
}

/// Of each part, when a presentation shows it first: itself before all, what it does not show last.
pub(super) fn ranks(presentation: usize, leaves: &[&Leaf]) -> Vec<usize> {
    let text = readable(&leaves[presentation].part.data);
    let index = Index::new(leaves.iter().copied());
    let mut ranks = vec![usize::MAX; leaves.len()];
    ranks[presentation] = 0;
    for (at, tag) in scan(&text).iter().enumerate().filter(|(_, tag)| tag.kind != Kind::Close) {
        let part = tag.src.as_ref().and_then(|src| index.resolve(&value(&text, src)));
        if let Some(part) = part.filter(|part| ranks[*part] == usize::MAX) {
            ranks[part] = at + 1;
        }
    }
    ranks
}

/// A presentation as ASCII octets, whatever it was written in.
fn readable(data: &[u8]) -> Cow<'_, [u8]> {
    match utf16(data) {
        Some(encoding) => {
            let text = encoding.decode_without_bom_handling(data).0;
            Cow::Owned(text.into_owned().into_bytes())
        }
        None => Cow::Borrowed(data),
    }
}

/// The value of an attribute, its entities resolved.
fn value(data: &[u8], range: &Range<usize>) -> String {
    unescape(&super::octets::lossy(&data[range.clone()])).trim().to_owned()
}

/// UTF-16 by its mark or by the zero octets of ASCII in it.
fn utf16(data: &[u8]) -> Option<&'static encoding_rs::Encoding> {
    match data {
        [0xFE, 0xFF, ..] | [0, b'<', ..] => Some(encoding_rs::UTF_16BE),
        [0xFF, 0xFE, ..] | [b'<', 0, ..] => Some(encoding_rs::UTF_16LE),
        _ => None,
    }
}

fn rewrite_bytes(
    data: &[u8],
    index: &Index,
    ref_changes: &[RefChange],
    showing: &PresentationUpdate,
) -> Option<Vec<u8>> {
    let tags = scan(data);
    let ends = matching(&tags);
    let (mut changes, removed, shown) = references(data, &tags, &ends, index, ref_changes, showing);
    if !shown.is_empty() {
        changes.extend(timing::changes(data, &tags, &ends, &shown));
    }
    if let Some(screen) = showing.screen {
        changes.extend(layout::changes(data, &tags, screen));
    }
    if changes.is_empty() && removed.is_empty() {
        return None;
    }
    Some(spliced(data, changes, removed))
}

/// New bytes for ranges of a document.
type Changes = Vec<(Range<usize>, Vec<u8>)>;

/// What follows from the ref_changes of parts: new values and names, elements that go, and which tag
/// shows what plays.
fn references(
    data: &[u8],
    tags: &[Tag],
    ends: &[Option<usize>],
    index: &Index,
    ref_changes: &[RefChange],
    showing: &PresentationUpdate,
) -> (Changes, Vec<Range<usize>>, HashMap<usize, PlayTime>) {
    let mut changes: Changes = Vec::new();
    let played: HashMap<usize, PlayTime> =
        showing.played.iter().map(|played| (played.part.index(), *played)).collect();
    let mut shown = HashMap::new();
    // Media elements that stay and that go, counted up to each tag: containers by difference.
    let mut staying = vec![0u32; tags.len() + 1];
    let mut going = vec![0u32; tags.len() + 1];
    let mut removed: Vec<Range<usize>> = Vec::new();
    let mut retold: Vec<Retold> = Vec::new();
    for (at, tag) in tags.iter().enumerate() {
        staying[at + 1] = staying[at];
        going[at + 1] = going[at];
        let Some(src) = tag.src.clone().filter(|_| tag.kind != Kind::Close) else { continue };
        let value = unescape(&super::octets::lossy(&data[src.clone()])).into_owned();
        let found = index.find(value.trim());
        let part = match found {
            Some(Found::Id(part) | Found::Label(part)) => Some(part),
            None => None,
        };
        if let Some(played) = part.and_then(|part| played.get(&part)) {
            shown.insert(at, *played);
        }
        let ref_change = part.and_then(|part| ref_changes.get(part)).unwrap_or(&RefChange::Keep);
        match (ref_change, &found) {
            (RefChange::Remove, _) => {
                going[at + 1] += 1;
                let end = ends[at].map_or(tag.range.end, |close| tags[close].range.end);
                removed.push(tag.range.start..end);
                continue;
            }
            (RefChange::Relabel(map, Some("text")), Some(found))
                if shows_other(&tag.name, "text") =>
            {
                let fresh = match found {
                    Found::Label(_) => new_value(&value, map),
                    Found::Id(_) => None,
                };
                let renamed = fresh.is_some();
                let src = attribute(fresh.as_deref().unwrap_or(value.trim()));
                retold.push(Retold { at, src, renamed });
            }
            (RefChange::Relabel(map, element), Some(found)) => {
                if let Some(element) = element.filter(|fresh| shows_other(&tag.name, fresh)) {
                    changes.push((tag.word.clone(), element.into()));
                    if let Some(close) = ends[at] {
                        changes.push((tags[close].word.clone(), element.into()));
                    }
                }
                if let (Found::Label(_), Some(fresh)) = (found, new_value(&value, map)) {
                    changes.push((src, attribute(&fresh)));
                }
            }
            _ => {}
        }
        staying[at + 1] += 1;
    }
    for (at, tag) in tags.iter().enumerate() {
        let container = matches!(tag.name.as_str(), "par" | "seq" | "excl" | "switch" | "a");
        if let (true, Kind::Open, Some(close)) = (container, tag.kind, ends[at])
            && staying[close] == staying[at + 1]
            && going[close] > going[at + 1]
        {
            removed.push(tag.range.start..tags[close].range.end);
        }
    }
    let (told, moved) = retold::edits(data, tags, ends, &retold, &removed);
    changes.extend(told);
    removed.extend(moved);
    (changes, removed, shown)
}

/// The document with `changes`, except inside of what is `removed`.
fn spliced(data: &[u8], changes: Changes, mut removed: Vec<Range<usize>>) -> Vec<u8> {
    removed.sort_by_key(|range| (range.start, std::cmp::Reverse(range.end)));
    let mut edits: Changes = Vec::new();
    let mut covered = 0;
    for range in removed {
        if range.end > covered {
            let start = range.start.max(covered);
            covered = range.end;
            edits.push((start..range.end, Vec::new()));
        }
    }
    edits.extend(changes);
    edits.sort_by_key(|(range, _)| (range.start, std::cmp::Reverse(range.end)));
    let mut out = Vec::with_capacity(data.len());
    let mut at = 0;
    for (range, fresh) in edits {
        if range.start < at {
            continue; // Inside an element that goes.
        }
        out.extend(&data[at..range.start]);
        out.extend(fresh);
        at = range.end;
    }
    out.extend(&data[at..]);
    out
}

/// Whether an element shows one medium, and another than `fresh` does. `ref` shows all.
fn shows_other(name: &str, fresh: &str) -> bool {
    matches!(name, "text" | "textstream" | "img" | "animation" | "audio" | "video")
        && name != fresh
        && (name, fresh) != ("animation", "img")
        && (name, fresh) != ("textstream", "text")
}

/// The new value of a `src` whose label changes, in the dress of the old: `cid:` and percent
/// escapes stay where they were.
fn new_value(value: &str, map: &[(String, String)]) -> Option<String> {
    let trimmed = value.trim();
    let (_, bare) = strip_cid(trimmed);
    let prefix = &trimmed[..trimmed.len() - bare.len()];
    let decoded = percent_decode(bare);
    let keys = spellings(bare);
    let same = |old: &str| keys.iter().any(|key| old == key);
    let alike = |old: &str| {
        let of_old = spellings(old);
        let alike =
            |key: &String| of_old.iter().any(|old| old.to_lowercase() == key.to_lowercase());
        keys.iter().any(alike)
    };
    let (_, fresh) =
        map.iter().find(|(old, _)| same(old)).or_else(|| map.iter().find(|(old, _)| alike(old)))?;
    let escaped = decoded != bare || fresh.contains('%') && !bare.contains('%');
    Some(format!("{prefix}{}", if escaped { percent_encode(fresh) } else { fresh.clone() }))
}

/// A reference or label as it stands, and as it may be meant: without brackets, escapes, and the
/// folder that it is in anyway.
fn spellings(bare: &str) -> Vec<String> {
    let decoded = percent_decode(bare);
    let here = |text: &str| {
        let mut text = text.trim();
        while let Some(rest) = text.strip_prefix("./") {
            text = rest;
        }
        text.to_owned()
    };
    let inner = |text: &str| super::leaf::bare_id(text).to_owned();
    vec![bare.to_owned(), inner(bare), decoded.clone(), inner(&decoded), here(bare), here(&decoded)]
}

/// Splits off a leading `cid:`.
fn strip_cid(src: &str) -> (bool, &str) {
    match src.get(..4) {
        Some(scheme) if scheme.eq_ignore_ascii_case("cid:") => (true, &src[4..]),
        _ => (false, src),
    }
}

#[cfg(test)]
mod tests;
