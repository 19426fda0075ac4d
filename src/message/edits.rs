//! From the caller's edits to what changes in each leaf, the same for every form.

use bytes::Bytes as Buffer;

use super::{
    Edit, MessageError, PresentationUpdate,
    leaf::Leaf,
    names::{self, Taken},
    smil::{self, Index, RefChange},
};
use crate::model::{MediaKind, MediaType, PartId};

/// What changes in one leaf.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Change {
    /// The content type to declare.
    pub content_type: Option<String>,
    /// The new data.
    pub data: Option<Buffer>,
    /// Whether the data is new media, not the same presentation with references repaired.
    pub replaced: bool,
    /// Names that change, old to new.
    pub names: Vec<(String, String)>,
    /// The element of a presentation that shows it now, where the medium is another.
    pub element: Option<&'static str>,
    /// Whether it goes.
    pub gone: bool,
}

impl Change {
    pub fn is_none(&self) -> bool {
        *self == Self::default()
    }

    /// What `old` becomes, if it changes.
    pub fn rename(&self, old: &str) -> Option<&str> {
        self.names.iter().find(|(from, _)| from == old).map(|(_, to)| to.as_str())
    }

    /// The leaf as it is after this change.
    pub fn apply(&self, leaf: &Leaf) -> Leaf {
        let mut leaf = leaf.clone();
        if let Some(data) = &self.data {
            leaf.part.data = data.clone();
        }
        leaf.fresh |= self.replaced;
        for label in [
            &mut leaf.part.content_location,
            &mut leaf.part.name,
            &mut leaf.name,
            &mut leaf.filename,
        ] {
            if let Some(old) = label
                && let Some(new) = self.rename(old)
            {
                *label = Some(new.to_owned());
            }
        }
        leaf
    }
}

/// `edits` as changes: names follow types, presentations follow names, what the SOAP envelope
/// refers to stays there.
///
/// # Errors
/// A wrong number of edits, or an edit of the envelope.
pub(super) fn changes(
    leaves: &[&Leaf],
    edits: &[Edit],
    showing: &PresentationUpdate,
) -> Result<Vec<Change>, MessageError> {
    if leaves.len() != edits.len() {
        return Err(MessageError::EditCount { expected: leaves.len(), got: edits.len() });
    }
    let mut taken = Taken::default();
    for (leaf, edit) in leaves.iter().zip(edits) {
        if *edit != Edit::Drop {
            leaf.labels().for_each(|label| taken.add(label));
        }
    }
    let referred = envelope_references(leaves);
    let mut changes = Vec::with_capacity(edits.len());
    for (at, (leaf, edit)) in leaves.iter().zip(edits).enumerate() {
        if leaf.envelope && *edit != Edit::Keep {
            return Err(MessageError::Untouchable { part: PartId(at as u32) });
        }
        changes.push(match edit {
            Edit::Keep => Change::default(),
            Edit::Redeclare { content_type } => {
                let other = MediaType::fold(content_type) != leaf.part.declared;
                Change {
                    names: if other {
                        new_names(leaf, content_type, &mut taken)
                    } else {
                        Vec::new()
                    },
                    content_type: Some(clean(content_type)),
                    element: new_element(&leaf.part.declared, content_type),
                    ..Change::default()
                }
            }
            Edit::Replace { content_type, data } => Change {
                names: new_names(leaf, content_type, &mut taken),
                content_type: Some(clean(content_type)),
                data: Some(data.clone()),
                element: new_element(&leaf.part.declared, content_type),
                replaced: true,
                gone: false,
            },
            // Its Content-ID must keep resolving: an empty text takes its place.
            Edit::Drop if referred.contains(&at) => Change {
                content_type: Some("text/plain".into()),
                data: Some(Buffer::new()),
                replaced: true,
                names: new_names(leaf, "text/plain", &mut taken),
                element: new_element(&leaf.part.declared, "text/plain"),
                gone: false,
            },
            Edit::Drop => Change { gone: true, ..Change::default() },
        });
    }
    mend_presentations(leaves, &mut changes, showing);
    Ok(changes)
}

/// A content type without control characters: it goes into headers.
fn clean(content_type: &str) -> String {
    content_type.chars().filter(|c| !c.is_control()).collect::<String>().trim().to_owned()
}

/// The media element (SMIL 2.0 clause 7.3) of the new type, where the old one has another.
fn new_element(old: &MediaType, content_type: &str) -> Option<&'static str> {
    let element = |kind| match kind {
        MediaKind::Image => Some("img"),
        MediaKind::Audio => Some("audio"),
        MediaKind::Video => Some("video"),
        MediaKind::Text => Some("text"),
        MediaKind::Presentation | MediaKind::Drm | MediaKind::Other => None,
    };
    let (before, after) = (old.kind(), MediaType::fold(content_type).kind());
    if before == after { None } else { element(after) }
}

/// The names that change with the type; one old name gets one new name.
fn new_names(leaf: &Leaf, content_type: &str, taken: &mut Taken) -> Vec<(String, String)> {
    let media = MediaType::fold(content_type);
    let mut list: Vec<(String, String)> = Vec::new();
    for label in leaf.labels() {
        if list.iter().any(|(old, _)| old == label) {
            continue;
        }
        if let Some(new) = names::renamed(label, &media) {
            // Two spellings of one name (`x.png`, `dir/x.png`) may share the new one.
            let new = match list.iter().find(|(_, known)| *known == new) {
                Some((_, known)) => known.clone(),
                None => taken.claim(new),
            };
            list.push((label.clone(), new));
        }
    }
    list
}

/// Presentations follow the names and the parts that go.
pub(super) fn mend_presentations(
    leaves: &[&Leaf],
    changes: &mut [Change],
    showing: &PresentationUpdate,
) {
    let ref_changes: Vec<RefChange> = changes
        .iter()
        .map(|change| match change {
            Change { gone: true, .. } => RefChange::Remove,
            Change { names, element, .. } if !names.is_empty() || element.is_some() => {
                RefChange::Relabel(names.clone(), *element)
            }
            _ => RefChange::Keep,
        })
        .collect();
    if ref_changes.iter().all(|ref_change| *ref_change == RefChange::Keep)
        && *showing == PresentationUpdate::default()
    {
        return;
    }
    let index = Index::new(leaves.iter().copied());
    for (leaf, change) in leaves.iter().zip(changes) {
        if change.gone || !leaf.is_presentation() {
            continue;
        }
        let data = change.data.as_ref().unwrap_or(&leaf.part.data);
        if let Some(mended) = smil::rewrite(data, &index, &ref_changes, showing) {
            change.data = Some(mended.into());
        }
    }
}

/// The leaves that the SOAP envelope's `href="cid:..."` name.
fn envelope_references(leaves: &[&Leaf]) -> Vec<usize> {
    let Some(envelope) = leaves.iter().find(|leaf| leaf.envelope) else { return Vec::new() };
    let text = super::octets::lossy(&envelope.part.data);
    let index = Index::new(leaves.iter().copied());
    super::soap::attributes(&text, "href").filter_map(|href| index.resolve(&href)).collect()
}
