//! Structured parts and bare files: the forms without a syntax of their own.

use super::{
    PartData,
    edits::Change,
    header,
    leaf::{Handles, Leaf},
};
use crate::model::{MediaKind, MediaType};

/// A leaf of structured data.
pub(super) fn leaf(part: PartData) -> Leaf {
    let (_, params) = header::split_params(&part.content_type);
    let param = |name: &str| params.iter().find(|(known, _)| known == name).map(|(_, v)| v.clone());
    let name = if part.name.is_empty() { param("name") } else { Some(part.name) };
    let handles = Handles {
        charset: param("charset"),
        content_id: Some(part.content_id),
        content_location: Some(part.content_location),
        name,
        content_type: part.content_type,
        ..Handles::default()
    };
    Leaf::new(handles, part.data)
}

/// A leaf as structured data. A content type that is not our own form's loses the parameters
/// that have fields of their own.
pub(super) fn data(leaf: &Leaf, own: bool) -> PartData {
    let content_type = if own {
        leaf.content_type.clone()
    } else {
        let (main, mut params) = header::split_params(&leaf.content_type);
        params.retain(|(name, _)| !matches!(name.as_str(), "name" | "filename" | "boundary"));
        typed(&main, &params)
    };
    PartData {
        content_type,
        content_id: leaf.part.content_id.clone().unwrap_or_default(),
        content_location: leaf.part.content_location.clone().unwrap_or_default(),
        name: leaf.name.clone().or_else(|| leaf.filename.clone()).unwrap_or_default(),
        data: leaf.part.data.clone(),
    }
}

fn typed(main: &str, params: &[(String, String)]) -> String {
    let mut text = main.to_owned();
    for (name, value) in params {
        text.push_str("; ");
        header::push_param(&mut text, name, value);
    }
    text
}

/// The leaves after `changes`.
pub(super) fn apply(leaves: &[Leaf], changes: &[Change]) -> Vec<Leaf> {
    leaves
        .iter()
        .zip(changes)
        .filter(|(_, change)| !change.gone)
        .map(|(old, change)| {
            let fresh = change.apply(old);
            let Some(content_type) = &change.content_type else { return fresh };
            let mut part = data(&fresh, true);
            part.content_type = retyped(&old.content_type, content_type, change);
            let mut view = leaf(part);
            view.fresh = fresh.fresh;
            view
        })
        .collect()
}

/// The new type with the old one's parameters, as far as they still hold.
fn retyped(old: &str, fresh: &str, change: &Change) -> String {
    let (main, mut params) = header::split_params(fresh);
    let text = MediaType::fold(&main).top_level() == "text";
    for (name, value) in header::split_params(old).1 {
        let keep = name != "charset" || text;
        if keep && !params.iter().any(|(known, _)| *known == name) {
            let value = change.rename(&value).map_or(value.clone(), str::to_owned);
            params.push((name, value));
        }
    }
    typed(&main, &params)
}

/// Whether headers say X-Mms-Adaptation-Allowed: No (MM4 spells it X-Mms-Adaptations too).
pub(super) fn forbids_adaptation(headers: &[(String, String)]) -> bool {
    headers.iter().any(|(name, value)| {
        matches!(
            name.to_ascii_lowercase().as_str(),
            "x-mms-adaptation-allowed" | "x-mms-adaptations"
        ) && matches!(value.trim().to_ascii_lowercase().as_str(), "no" | "false" | "0")
    })
}

/// The only leaf, or the only one that is neither presentation nor text.
pub(super) fn only_medium<'a>(leaves: &[&'a Leaf]) -> Option<&'a Leaf> {
    if let [only] = leaves {
        return Some(only);
    }
    let mut media = leaves.iter().filter(|leaf| {
        let kind = leaf.part.declared.kind();
        !leaf.envelope
            && !leaf.is_presentation()
            && !matches!(kind, MediaKind::Text | MediaKind::Presentation)
    });
    match (media.next(), media.next()) {
        (Some(only), None) => Some(only),
        _ => None,
    }
}
