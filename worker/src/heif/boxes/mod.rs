//! The boxes of a HEIF file (ISO/IEC 14496-12, 23008-12), as far as it takes to tell what its
//! primary image needs. Phones write more and more beside that image: gain maps, depth, tone
//! maps. A library of a few years ago refuses the whole file for one reference that it does not
//! expect; a copy without them it reads.
//!
//! Nothing in the copy changes its place, so that offsets stay right.

mod grid;

use std::collections::{BTreeMap, BTreeSet};

pub(super) use self::grid::{Grid, Turn};

/// Items that libheif makes an image of.
const IMAGES: [&[u8; 4]; 5] = [b"hvc1", b"av01", b"grid", b"iden", b"iovl"];

/// The auxiliary images that are transparency, of MIAF, HEVC and AVIF.
const ALPHA: [&[u8]; 2] =
    [b"urn:mpeg:mpegB:cicp:systems:auxiliary:alpha", b"urn:mpeg:hevc:2015:auxid:1"];

/// Where a box lies in the file.
#[derive(Clone, Copy)]
struct Span {
    kind: [u8; 4],
    start: usize,
    body: usize,
    end: usize,
}

fn number(bytes: &[u8], at: usize, length: usize) -> Option<u64> {
    let field = bytes.get(at..at.checked_add(length)?)?;
    Some(field.iter().fold(0, |sum, byte| sum << 8 | u64::from(*byte)))
}

fn small(bytes: &[u8], at: usize, length: usize) -> Option<u32> {
    u32::try_from(number(bytes, at, length)?).ok()
}

fn kind_at(bytes: &[u8], at: usize) -> Option<[u8; 4]> {
    bytes.get(at..)?.first_chunk().copied()
}

/// The box that begins at `at` and lies before `end`.
fn span(bytes: &[u8], at: usize, end: usize) -> Option<Span> {
    let kind = kind_at(bytes.get(..end)?, at.checked_add(4)?)?;
    let (size, header) = match number(bytes, at, 4)? {
        0 => ((end - at) as u64, 8),
        1 => (number(bytes, at + 8, 8)?, 16),
        size => (size, 8),
    };
    let stop = at.checked_add(usize::try_from(size).ok()?)?;
    (size >= header && stop <= end).then_some(Span {
        kind,
        start: at,
        body: at + header as usize,
        end: stop,
    })
}

/// The boxes from `at` to `end`; up to the first that is none.
fn spans(bytes: &[u8], mut at: usize, end: usize) -> impl Iterator<Item = Span> {
    std::iter::from_fn(move || {
        let found = span(bytes, at, end)?;
        at = found.end;
        Some(found)
    })
}

fn child(bytes: &[u8], parent: Span, skip: usize, kind: &[u8; 4]) -> Option<Span> {
    spans(bytes, parent.body.checked_add(skip)?, parent.end).find(|found| found.kind == *kind)
}

struct Item {
    kind: [u8; 4],
    /// Where its entry begins, behind the header.
    entry: usize,
    /// Where its type is written.
    at: usize,
}

struct Reference {
    kind: [u8; 4],
    from: u32,
    to: Vec<u32>,
}

/// What a file says of its items.
pub(super) struct Survey<'a> {
    bytes: &'a [u8],
    meta: Span,
    pitm: Span,
    primary: u32,
    items: BTreeMap<u32, Item>,
    /// The box of references, and the width of an item's number in it.
    iref: Option<(Span, usize)>,
    references: Vec<Reference>,
    properties: BTreeMap<u32, Vec<Span>>,
}

impl<'a> Survey<'a> {
    /// Reads the headers; `None` where they do not hold together.
    pub fn of(bytes: &'a [u8]) -> Option<Self> {
        let meta = spans(bytes, 0, bytes.len()).find(|found| found.kind == *b"meta")?;
        let within = |kind| child(bytes, meta, 4, kind);
        let pitm = within(b"pitm")?;
        let wide = |span: Span| Some(if *bytes.get(span.body)? == 0 { 2 } else { 4 });
        let primary = small(bytes, pitm.body + 4, wide(pitm)?)?;
        let items = items(bytes, within(b"iinf")?)?;
        let iref = match within(b"iref") {
            Some(iref) => Some((iref, wide(iref)?)),
            None => None,
        };
        let references =
            iref.map_or(Some(Vec::new()), |(iref, width)| references(bytes, iref, width))?;
        let properties =
            within(b"iprp").and_then(|iprp| properties(bytes, iprp)).unwrap_or_default();
        Some(Self { bytes, meta, pitm, primary, items, iref, references, properties })
    }

    fn kind(&self, item: u32) -> Option<[u8; 4]> {
        self.items.get(&item).map(|item| item.kind)
    }

    /// The image to show. A tone map is made of a base image and a gain map: the base is what
    /// a screen without more brightness shows.
    fn shown(&self) -> u32 {
        if self.kind(self.primary) != Some(*b"tmap") {
            return self.primary;
        }
        let base = self.references.iter().find(|r| r.kind == *b"dimg" && r.from == self.primary);
        base.and_then(|found| found.to.first().copied()).unwrap_or(self.primary)
    }

    /// The type of the image to show, where it is one that no version of ours decodes.
    pub fn unknown_type(&self) -> Option<String> {
        let kind = self.kind(self.shown())?;
        (!IMAGES.contains(&&kind)).then(|| kind.escape_ascii().to_string())
    }

    fn properties(&self, item: u32) -> &[Span] {
        self.properties.get(&item).map_or(&[], Vec::as_slice)
    }

    fn is_alpha(&self, item: u32) -> bool {
        self.properties(item).iter().any(|property| is_alpha(self.bytes, *property))
    }

    /// The references without which the image cannot be shown as it should be, and all items
    /// that they join.
    fn needed(&self) -> (BTreeSet<u32>, Vec<Reference>) {
        let mut made_of: BTreeMap<u32, &Reference> = BTreeMap::new();
        for found in self.references.iter().filter(|r| r.kind == *b"dimg") {
            made_of.entry(found.from).or_insert(found);
        }
        let shown = self.shown();
        let mut kept = Vec::new();
        let mut open = vec![shown];
        let alpha = self
            .references
            .iter()
            .find(|r| r.kind == *b"auxl" && r.to.contains(&shown) && self.is_alpha(r.from));
        if let Some(alpha) = alpha {
            kept.push(Reference { kind: *b"auxl", from: alpha.from, to: vec![shown] });
            open.push(alpha.from);
        }
        let mut needed = BTreeSet::new();
        while let Some(item) = open.pop() {
            if !needed.insert(item) {
                continue;
            }
            if let Some(found) = made_of.get(&item) {
                open.extend(&found.to);
                kept.push(Reference { kind: found.kind, from: item, to: found.to.clone() });
            }
        }
        // Metadata goes with it: one reference of one target is what every library knows.
        let about = |r: &&Reference| r.kind == *b"cdsc" && r.to == [shown];
        for found in self.references.iter().filter(about) {
            needed.insert(found.from);
            kept.push(Reference { kind: found.kind, from: found.from, to: vec![shown] });
        }
        (needed, kept)
    }

    /// A copy of the file in which there is nothing but the image to show and what it needs.
    pub fn reduced(&self) -> Option<Vec<u8>> {
        let (shown, (needed, mut kept)) = (self.shown(), self.needed());
        let mut out = self.bytes.to_vec();
        for (_, item) in self.items.iter().filter(|(id, _)| !needed.contains(id)) {
            out.get_mut(item.at..item.at + 4)?.copy_from_slice(b"free");
        }
        let width = if self.bytes.get(self.pitm.body) == Some(&0) { 2 } else { 4 };
        put(&mut out, self.pitm.body + 4, shown, width)?;
        for group in spans(self.bytes, self.meta.body + 4, self.meta.end) {
            if group.kind == *b"grpl" {
                out.get_mut(group.start + 4..group.start + 8)?.copy_from_slice(b"free");
            }
        }
        if let Some((iref, width)) = self.iref {
            // A gap that is too small for a box of its own: transparency is what can be missed.
            if write_references(&mut out, iref, width, &kept).is_none() {
                kept.retain(|r| r.kind == *b"dimg");
                write_references(&mut out, iref, width, &kept)?;
            }
        }
        Some(out)
    }
}

fn put(out: &mut [u8], at: usize, value: u32, width: usize) -> Option<()> {
    if width == 2 && value > 0xffff {
        return None;
    }
    let value = value.to_be_bytes();
    out.get_mut(at..at.checked_add(width)?)?.copy_from_slice(&value[4 - width..]);
    Some(())
}

/// Writes a shorter box of references over the one in place, and a free box behind it.
fn write_references(out: &mut [u8], iref: Span, width: usize, kept: &[Reference]) -> Option<()> {
    let mut body = Vec::new();
    for found in kept {
        let size = 8 + width + 2 + found.to.len() * width;
        body.extend(u32::try_from(size).ok()?.to_be_bytes());
        body.extend(found.kind);
        body.extend(&found.from.to_be_bytes()[4 - width..]);
        body.extend(u16::try_from(found.to.len()).ok()?.to_be_bytes());
        for to in &found.to {
            body.extend(&to.to_be_bytes()[4 - width..]);
        }
    }
    let from = iref.body + 4;
    let behind = from + body.len();
    let gap = iref.end.checked_sub(behind)?;
    if (1..8).contains(&gap) {
        return None;
    }
    out.get_mut(from..behind)?.copy_from_slice(&body);
    // The size of a header of 16 bytes stands behind the type.
    let size = (behind - iref.start) as u64;
    if iref.body - iref.start == 16 {
        out.get_mut(iref.start + 8..iref.body)?.copy_from_slice(&size.to_be_bytes());
    } else {
        put(out, iref.start, u32::try_from(size).ok()?, 4)?;
    }
    if gap > 0 {
        put(out, behind, u32::try_from(gap).ok()?, 4)?;
        out.get_mut(behind + 4..behind + 8)?.copy_from_slice(b"free");
    }
    Some(())
}

fn items(bytes: &[u8], iinf: Span) -> Option<BTreeMap<u32, Item>> {
    let skip = if *bytes.get(iinf.body)? == 0 { 6 } else { 8 };
    let mut items = BTreeMap::new();
    for entry in spans(bytes, iinf.body + skip, iinf.end).filter(|e| e.kind == *b"infe") {
        let width = match bytes.get(entry.body)? {
            2 => 2,
            3 => 4,
            // Older entries have no type: none of them is an image.
            _ => continue,
        };
        let at = entry.body + 4 + width + 2;
        if at + 4 <= entry.end {
            let kind = kind_at(bytes, at)?;
            items
                .insert(small(bytes, entry.body + 4, width)?, Item { kind, entry: entry.body, at });
        }
    }
    Some(items)
}

fn references(bytes: &[u8], iref: Span, width: usize) -> Option<Vec<Reference>> {
    let mut found = Vec::new();
    for entry in spans(bytes, iref.body + 4, iref.end) {
        let from = small(bytes, entry.body, width)?;
        let count = small(bytes, entry.body + width, 2)? as usize;
        let first = entry.body + width + 2;
        if first + count * width > entry.end {
            return None;
        }
        let to = (0..count).map(|n| small(bytes, first + n * width, width));
        found.push(Reference { kind: entry.kind, from, to: to.collect::<Option<_>>()? });
    }
    Some(found)
}

/// Whether a property makes an item transparency.
fn is_alpha(bytes: &[u8], property: Span) -> bool {
    let name = property.body.checked_add(4).and_then(|at| bytes.get(at..property.end));
    let name = name.and_then(|name| name.split(|byte| *byte == 0).next());
    property.kind == *b"auxC" && name.is_some_and(|name| ALPHA.contains(&name))
}

/// The properties of the items, in the order in which they are to be applied.
fn properties(bytes: &[u8], iprp: Span) -> Option<BTreeMap<u32, Vec<Span>>> {
    let ipco = child(bytes, iprp, 0, b"ipco")?;
    let properties: Vec<Span> = spans(bytes, ipco.body, ipco.end).collect();
    let mut items: BTreeMap<u32, Vec<Span>> = BTreeMap::new();
    for ipma in spans(bytes, iprp.body, iprp.end).filter(|found| found.kind == *b"ipma") {
        let (version, flags) = (*bytes.get(ipma.body)?, *bytes.get(ipma.body + 3)?);
        let (width, long) = (if version == 0 { 2 } else { 4 }, flags & 1 == 1);
        let mut at = ipma.body + 8;
        for _ in 0..small(bytes, ipma.body + 4, 4)? {
            let item = small(bytes, at, width)?;
            let count = small(bytes, at + width, 1)?;
            at += width + 1;
            for _ in 0..count {
                let index = small(bytes, at, if long { 2 } else { 1 })?;
                at += if long { 2 } else { 1 };
                let index = index & if long { 0x7fff } else { 0x7f };
                let property = (index as usize).checked_sub(1).and_then(|n| properties.get(n));
                items.entry(item).or_default().extend(property.copied());
            }
            if at > ipma.end {
                return None;
            }
        }
    }
    Some(items)
}

/// Images in the longest sequence of a file: 0 where there is none.
pub(super) fn sequence(bytes: &[u8]) -> u32 {
    let moov = spans(bytes, 0, bytes.len()).find(|found| found.kind == *b"moov");
    let tracks = moov.into_iter().flat_map(|moov| spans(bytes, moov.body, moov.end));
    let samples = tracks.filter(|found| found.kind == *b"trak").filter_map(|trak| {
        let mdia = child(bytes, trak, 0, b"mdia")?;
        // Tracks of transparency and audio have as many samples, or more.
        let handler = kind_at(bytes, child(bytes, mdia, 0, b"hdlr")?.body + 8)?;
        if ![*b"pict", *b"vide"].contains(&handler) {
            return None;
        }
        let stbl = child(bytes, child(bytes, mdia, 0, b"minf")?, 0, b"stbl")?;
        let sizes = child(bytes, stbl, 0, b"stsz").or_else(|| child(bytes, stbl, 0, b"stz2"))?;
        small(bytes, sizes.body + 8, 4)
    });
    // An image has a byte at least.
    let most = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
    samples.max().unwrap_or(0).min(most)
}

#[cfg(test)]
mod tests;
