//! Changing a PDU: entries that change are rewritten, all others and all headers stay.

use bytes::Bytes as Buffer;

use super::{Body, Entry, EntryBody, HeadField, Multi, Pdu, TypeValue, entry, headers};
use crate::{
    message::{
        edits::Change,
        leaf::{Leaf, bare_id},
        showing,
        wsp::{self, ContentType, Param},
    },
    model::{ContentClass, MediaType},
};

impl Pdu {
    /// The PDU after `changes`, one for each leaf.
    pub fn apply(&self, changes: &[Change]) -> Self {
        let mut pdu = self.clone();
        match &self.body {
            Body::None => return pdu,
            Body::Whole(leaf, wire) => {
                let empty = Change {
                    content_type: Some("text/plain".into()),
                    data: Some(Buffer::new()),
                    replaced: true,
                    ..Change::default()
                };
                // Where the only body goes, an empty text is what is left of it.
                let change = match changes.first() {
                    Some(change) if change.gone => &empty,
                    Some(change) if !change.is_none() => change,
                    _ => return pdu,
                };
                if let Some(value) = &self.content_type {
                    pdu.content_type = Some(typed(entry::retyped(&value.parsed, change)));
                }
                let wire = change.data.clone().unwrap_or_else(|| wire.clone());
                let handles = pdu.content_type.as_ref().map(|v| entry::handles(&v.parsed));
                let mut view = Leaf::new(handles.unwrap_or_default(), wire.clone());
                view.fresh = leaf.fresh || change.replaced;
                pdu.body = Body::Whole(Box::new(view), wire);
            }
            Body::Multi(multi) => {
                let mut rest = changes.iter();
                let Some(fresh) = multi.changed(&mut rest) else { return pdu };
                if let Some(value) = &self.content_type
                    && let Some(parsed) = rooted(&value.parsed, multi, &fresh, changes)
                {
                    pdu.content_type = Some(typed(parsed));
                }
                pdu.body = Body::Multi(fresh);
            }
        }
        pdu.state_size();
        pdu
    }

    /// Sorts the parts by rank where the presentation stands; the leaves' old indices in their new
    /// order.
    pub fn reorder(&mut self, ranks: &[usize]) -> Vec<usize> {
        match &mut self.body {
            Body::Multi(multi) => multi.reorder(0, ranks),
            Body::None | Body::Whole(..) => (0..ranks.len()).collect(),
        }
    }

    /// With this class in X-Mms-Content-Class, where it has one; `None` where it has none.
    pub fn classed(&self, class: ContentClass) -> Option<Self> {
        let mut pdu = self.clone();
        let has = |field: &HeadField| field.code == Some(headers::CONTENT_CLASS);
        let at = pdu.fields.iter().position(has)?;
        pdu.splice(at, &[class.code()]);
        Some(pdu.settled())
    }

    /// With its length in X-Mms-Message-Size in the fewest octets, where it has that.
    pub fn settled(&self) -> Self {
        let mut pdu = self.clone();
        // A longer number makes a longer message: up from the shortest.
        for octets in 1..=4 {
            pdu.put_size(octets);
            if pdu.wire_len() < 1 << (8 * octets) {
                break;
            }
        }
        pdu
    }

    /// Writes the PDU's length into X-Mms-Message-Size, where it has one: always four octets, so
    /// that the size does not depend on the number.
    fn state_size(&mut self) {
        self.put_size(4);
    }

    fn put_size(&mut self, octets: usize) {
        let sizes: Vec<usize> = (0..self.fields.len())
            .filter(|&at| self.fields[at].code == Some(headers::MESSAGE_SIZE))
            .collect();
        for &at in &sizes {
            self.splice(at, &[&[octets as u8][..], &vec![0; octets]].concat());
        }
        let total = u32::try_from(self.wire_len()).unwrap_or(u32::MAX).to_be_bytes();
        for &at in &sizes {
            self.splice(at, &[&[octets as u8], &total[4 - octets..]].concat());
        }
    }

    fn splice(&mut self, at: usize, value: &[u8]) {
        let range = self.fields[at].value.clone();
        let head = [&self.head[..range.start], value, &self.head[range.end..]].concat();
        self.head = head.into();
        for field in &mut self.fields {
            if field.value.start > range.start {
                let length = field.value.len();
                let start = field.value.start - range.len() + value.len();
                field.value = start..start + length;
            }
        }
        self.fields[at].value = range.start..range.start + value.len();
    }
}

fn typed(parsed: ContentType) -> TypeValue {
    let mut raw = Vec::new();
    parsed.put(&mut raw);
    TypeValue { raw: raw.into(), parsed }
}

/// The multipart's content type, where the root went or changed its type; else none.
fn rooted(
    old: &ContentType,
    before: &Multi,
    after: &Multi,
    changes: &[Change],
) -> Option<ContentType> {
    let start = old.param("start").map(|id| bare_id(id).to_owned());
    let stated = start.and_then(|id| {
        before.entries.iter().position(|entry| entry.id().as_deref() == Some(id.as_str()))
    });
    let root = stated.unwrap_or(0);
    // Which change is the root's: leaves of the entries in front of it come first.
    let mut leaves = Vec::new();
    let first = before.entries.iter().take(root).fold(0, |sum, entry| sum + entry.leaf_count());
    before.entries.get(root)?.leaves(&mut leaves);
    let own = changes.get(first..first + leaves.len())?;
    let mut fresh = old.clone();
    let type_param = |fresh: &mut ContentType, value: &str| {
        if let Some(param) = fresh.params.iter_mut().find(|param| param.name == "type") {
            *param = Param { name: "type".into(), value: value.to_owned(), raw: None };
        }
    };
    if !leaves.is_empty() && own.iter().all(|change| change.gone) {
        fresh.params.retain(|param| param.name != "start");
        match after.entries.first() {
            // Without its presentation nothing is related any more (mms-conformance.md §2).
            Some(_) if leaves.iter().any(|leaf| leaf.is_presentation()) => {
                fresh.params.retain(|param| param.name != "type");
                fresh.media = "application/vnd.wap.multipart.mixed".into();
            }
            Some(entry) => {
                let (content_type, _) = entry::content_type(&entry.header);
                type_param(&mut fresh, &content_type.media);
            }
            None => fresh.params.retain(|param| param.name != "type"),
        }
    } else if let ([leaf], [Change { content_type: Some(new), .. }]) = (&leaves[..], own) {
        let new = MediaType::fold(new);
        let stated = old.param("type").map(MediaType::fold)?;
        if stated != leaf.part.declared || stated == new {
            return None;
        }
        type_param(&mut fresh, new.as_str());
    }
    (fresh != *old).then_some(fresh)
}

impl Multi {
    fn reorder(&mut self, first: usize, ranks: &[usize]) -> Vec<usize> {
        let inner = |entry: &mut Entry, first| match &mut entry.body {
            EntryBody::Multi(multi) => {
                let order = multi.reorder(first, ranks);
                if !order.is_sorted() {
                    entry.raw = None;
                }
                Some(order)
            }
            EntryBody::Leaf(..) => None,
        };
        showing::sort(&mut self.entries, Entry::leaf_count, inner, first, ranks)
    }

    /// The multipart after its share of the changes; none where nothing changes.
    fn changed<'a>(&self, changes: &mut impl Iterator<Item = &'a Change>) -> Option<Self> {
        let mut entries = Vec::with_capacity(self.entries.len());
        let mut touched = false;
        for entry in &self.entries {
            match &entry.body {
                EntryBody::Leaf(leaf, wire) => match changes.next() {
                    Some(change) if change.gone => touched = true,
                    Some(change) if !change.is_none() => {
                        touched = true;
                        entries.push(changed_leaf(entry, leaf, wire, change));
                    }
                    _ => entries.push(entry.clone()),
                },
                EntryBody::Multi(multi) => match multi.changed(changes) {
                    None => entries.push(entry.clone()),
                    Some(fresh) => {
                        touched = true;
                        // A multipart that lost all its parts goes.
                        if !fresh.entries.is_empty() {
                            entries.push(Entry {
                                raw: None,
                                header: entry.header.clone(),
                                body: EntryBody::Multi(fresh),
                            });
                        }
                    }
                },
            }
        }
        if !touched {
            return None;
        }
        let count = if entries.len() == self.entries.len() {
            self.count.clone()
        } else {
            let mut count = Vec::new();
            wsp::put_uintvar(&mut count, entries.len());
            count.into()
        };
        Some(Self { count, entries, tail: self.tail.clone() })
    }
}

impl Entry {
    fn leaves<'a>(&'a self, list: &mut Vec<&'a Leaf>) {
        match &self.body {
            EntryBody::Leaf(leaf, _) => list.push(leaf),
            EntryBody::Multi(multi) => multi.leaves(list),
        }
    }

    fn leaf_count(&self) -> usize {
        let mut list = Vec::new();
        self.leaves(&mut list);
        list.len()
    }

    fn id(&self) -> Option<String> {
        entry::view(&self.header, &Buffer::new()).part.content_id
    }
}

fn changed_leaf(entry: &Entry, leaf: &Leaf, wire: &Buffer, change: &Change) -> Entry {
    let header = entry::changed(&entry.header, change);
    let wire = change.data.clone().unwrap_or_else(|| wire.clone());
    let mut view = entry::view(&header, &wire);
    view.fresh = leaf.fresh || change.replaced;
    Entry { raw: None, header, body: EntryBody::Leaf(Box::new(view), wire) }
}
