//! Which leaves are versions of one content.

use super::{leaf::Leaf, types::Alternative};
use crate::model::{MediaKind, MediaType};

/// The shape of a message as far as it matters here.
pub(super) enum Shape<'a> {
    Leaf(&'a Leaf),
    Multi(MediaType, Vec<Shape<'a>>),
}

/// The place of each leaf in a choice, in order.
pub(super) fn of(shape: &Shape<'_>) -> Vec<Option<Alternative>> {
    let (mut places, mut groups) = (Vec::new(), 0);
    walk(shape, None, &mut groups, &mut places);
    places
}

fn walk(
    shape: &Shape<'_>,
    place: Option<Alternative>,
    groups: &mut u32,
    places: &mut Vec<Option<Alternative>>,
) {
    match shape {
        Shape::Leaf(_) => places.push(place),
        Shape::Multi(kind, children) => {
            let choice = place.is_none() && is_choice(kind, children);
            let group = *groups;
            *groups += u32::from(choice);
            for (version, child) in (0..).zip(children) {
                let own = choice.then_some(Alternative { group, version });
                walk(child, place.or(own), groups, places);
            }
        }
    }
}

fn is_choice(kind: &MediaType, children: &[Shape<'_>]) -> bool {
    let named = ["multipart/alternative", "application/vnd.wap.multipart.alternative"];
    let text = |child: &Shape<'_>| first(child).is_some_and(is_text);
    named.contains(&kind.as_str()) && children.len() > 1 && children.iter().all(text)
}

fn first<'a>(shape: &Shape<'a>) -> Option<&'a Leaf> {
    match shape {
        Shape::Leaf(leaf) => Some(leaf),
        Shape::Multi(_, children) => first(children.first()?),
    }
}

fn is_text(leaf: &Leaf) -> bool {
    leaf.part.declared.kind() == MediaKind::Text && !leaf.envelope && !leaf.part.opaque
}
