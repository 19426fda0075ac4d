//! A linear, tolerant scan for tags: no grammar, no recursion, no backtracking.

use std::{collections::HashMap, ops::Range};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Open,
    Close,
    Empty,
}

/// Attributes of one tag that are kept: real ones have a handful.
const MAX_ATTRIBUTES: usize = 32;

#[derive(Debug)]
pub(super) struct Tag {
    pub kind: Kind,
    /// Local name, lower case.
    pub name: String,
    pub range: Range<usize>,
    /// Where the local name lies.
    pub word: Range<usize>,
    /// Where the value of `src` lies.
    pub src: Option<Range<usize>>,
    /// Attributes by local name, lower case, with where their values lie.
    pub attributes: Vec<(String, Range<usize>)>,
}

/// All tags in order; comments, CDATA, processing instructions and declarations are skipped.
pub(super) fn scan(data: &[u8]) -> Vec<Tag> {
    let mut tags = Vec::new();
    let mut at = 0;
    while let Some(open) = find(data, b"<", at) {
        let rest = &data[open..];
        let skip: Option<&[u8]> = if rest.starts_with(b"<!--") {
            Some(b"-->")
        } else if rest.starts_with(b"<![CDATA[") {
            Some(b"]]>")
        } else if rest.starts_with(b"<?") || rest.starts_with(b"<!") {
            Some(b">")
        } else {
            None
        };
        if let Some(end) = skip {
            // Without an end, the rest of the document belongs to it.
            at = find(data, end, open + 2).map_or(data.len(), |found| found + end.len());
            continue;
        }
        match tag(data, open) {
            Some(found) => {
                at = found.range.end;
                tags.push(found);
            }
            None => at = open + 1,
        }
    }
    tags
}

fn find(data: &[u8], needle: &[u8], from: usize) -> Option<usize> {
    let rest = data.get(from..)?;
    let first = *needle.first()?;
    let mut at = 0;
    while let Some(step) = rest[at..].iter().position(|&b| b == first) {
        at += step;
        if rest[at..].starts_with(needle) {
            return Some(from + at);
        }
        at += 1;
    }
    None
}

fn tag(data: &[u8], open: usize) -> Option<Tag> {
    let mut at = open + 1;
    let close = data.get(at) == Some(&b'/');
    at += usize::from(close);
    if !data.get(at).is_some_and(|b| b.is_ascii_alphabetic() || *b == b'_') {
        return None;
    }
    let name = word(data, &mut at);
    let prefix = name.iter().rposition(|&b| b == b':').map_or(0, |colon| colon + 1);
    let mut tag = Tag {
        kind: if close { Kind::Close } else { Kind::Open },
        name: local(&name),
        word: at - name.len() + prefix..at,
        range: open..data.len(),
        src: None,
        attributes: Vec::new(),
    };
    loop {
        match *data.get(at)? {
            b'>' => {
                tag.range.end = at + 1;
                return Some(tag);
            }
            // Markup that begins inside a tag: the tag was never closed.
            b'<' => {
                tag.range.end = at;
                return Some(tag);
            }
            b'/' => {
                if data.get(at + 1) == Some(&b'>') && !close {
                    tag.kind = Kind::Empty;
                }
                at += 1;
            }
            b if b.is_ascii_whitespace() => at += 1,
            _ => {
                let before = at;
                let attribute = word(data, &mut at);
                if at == before {
                    at += 1; // A stray `=` or quote.
                    continue;
                }
                if let Some(value) = value(data, &mut at) {
                    let name = local(&attribute);
                    if tag.src.is_none() && name == "src" {
                        tag.src = Some(value.clone());
                    }
                    if tag.attributes.len() < MAX_ATTRIBUTES {
                        tag.attributes.push((name, value));
                    }
                }
            }
        }
    }
}

/// A name: up to whitespace or markup.
fn word(data: &[u8], at: &mut usize) -> Vec<u8> {
    let rest = &data[*at..];
    let end = rest
        .iter()
        .position(|b| b.is_ascii_whitespace() || b"=/><\"'".contains(b))
        .unwrap_or(rest.len());
    *at += end;
    rest[..end].to_vec()
}

fn local(name: &[u8]) -> String {
    let start = name.iter().rposition(|&b| b == b':').map_or(0, |colon| colon + 1);
    String::from_utf8_lossy(&name[start..]).to_ascii_lowercase()
}

/// `= value`, quoted or not; the range of the value alone.
fn value(data: &[u8], at: &mut usize) -> Option<Range<usize>> {
    let space =
        |from: usize| data[from..].iter().take_while(|b| b.is_ascii_whitespace()).count() + from;
    let equals = space(*at);
    if data.get(equals) != Some(&b'=') {
        return None;
    }
    let start = space(equals + 1);
    match data.get(start) {
        Some(&quote @ (b'"' | b'\'')) => {
            let end = find(data, &[quote], start + 1);
            // A quote that is never closed ends at the tag's end.
            let stop = end.or_else(|| find(data, b">", start + 1)).unwrap_or(data.len());
            *at = if end.is_some() { stop + 1 } else { stop };
            Some(start + 1..stop)
        }
        _ => {
            let rest = &data[start..];
            let mut end = rest
                .iter()
                .position(|b| b.is_ascii_whitespace() || *b == b'>')
                .unwrap_or(rest.len());
            if rest.get(end) == Some(&b'>') && end > 0 && rest[end - 1] == b'/' {
                end -= 1;
            }
            *at = start + end;
            Some(start..start + end)
        }
    }
}

/// For each open tag the index of its close tag; tags never closed have none. Linear: a close
/// tag pops what it closes, and one that closes nothing is told by a count of open names.
pub(super) fn matching(tags: &[Tag]) -> Vec<Option<usize>> {
    let mut ends = vec![None; tags.len()];
    let mut stack: Vec<usize> = Vec::new();
    let mut open: HashMap<&str, usize> = HashMap::new();
    for (at, tag) in tags.iter().enumerate() {
        match tag.kind {
            Kind::Empty => {}
            Kind::Open => {
                stack.push(at);
                *open.entry(&tag.name).or_default() += 1;
            }
            Kind::Close => {
                if open.get(tag.name.as_str()).is_none_or(|&count| count == 0) {
                    continue;
                }
                while let Some(top) = stack.pop() {
                    if let Some(count) = open.get_mut(tags[top].name.as_str()) {
                        *count -= 1;
                    }
                    if tags[top].name == tag.name {
                        ends[top] = Some(at);
                        break;
                    }
                }
            }
        }
    }
    ends
}
