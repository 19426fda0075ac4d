//! Layouts on a smaller screen: lengths in pixels shrink together, percentages stay.

use std::ops::Range;

use super::scan::{Kind, Tag};
use crate::model::Dimensions;

/// A length in pixels.
struct Length {
    range: Range<usize>,
    pixels: u32,
    /// What follows the number: `px` or nothing.
    unit: String,
}

/// Layouts beyond this many pixels a side are none.
const MAX_SIDE: u32 = 1 << 20;

/// The size of the layout, where it is stated in pixels: that of the root, else what its regions
/// reach to.
pub(super) fn size(data: &[u8], tags: &[Tag]) -> Option<Dimensions> {
    let side = |tag: &Tag, name: &str| length(data, tag, name).map_or(0, |length| length.pixels);
    let named = |name: &'static str| tags.iter().filter(move |tag| is(tag, name));
    let root = named("root-layout").fold((0, 0), |(width, height): (u32, u32), tag| {
        (width.max(side(tag, "width")), height.max(side(tag, "height")))
    });
    let reach = named("region").fold((0, 0), |(width, height): (u32, u32), tag| {
        let right = side(tag, "left") + side(tag, "width");
        (width.max(right), height.max(side(tag, "top") + side(tag, "height")))
    });
    let width = if root.0 > 0 { root.0 } else { reach.0 };
    let height = if root.1 > 0 { root.1 } else { reach.1 };
    // What is stated on one side alone binds on that side alone.
    (width > 0 || height > 0).then(|| Dimensions::at_least_one(width, height))
}

/// Changes that bring a layout into `screen`; none where it does not exceed it.
pub(super) fn changes(
    data: &[u8],
    tags: &[Tag],
    screen: Dimensions,
) -> Vec<(Range<usize>, Vec<u8>)> {
    let Some(size) = size(data, tags).filter(|size| !size.within(screen)) else {
        return Vec::new();
    };
    let ratio = |have: u32, most: u32| f64::from(most) / f64::from(have.max(1));
    let scale =
        ratio(size.width(), screen.width()).min(ratio(size.height(), screen.height())).min(1.0);
    let tags = tags.iter().filter(|tag| is(tag, "root-layout") || is(tag, "region"));
    let lengths = tags.flat_map(|tag| {
        let names = ["left", "top", "right", "bottom", "width", "height"];
        names.into_iter().filter_map(|name| length(data, tag, name))
    });
    lengths
        .filter(|length| length.pixels > 0)
        .map(|Length { range, pixels, unit }| {
            let fresh = ((f64::from(pixels) * scale) as u32).max(1);
            (range, format!("{fresh}{unit}").into_bytes())
        })
        .collect()
}

fn is(tag: &Tag, name: &str) -> bool {
    tag.name == name && tag.kind != Kind::Close
}

fn length(data: &[u8], tag: &Tag, name: &str) -> Option<Length> {
    let (_, range) = tag.attributes.iter().find(|(known, _)| known == name)?;
    let text = std::str::from_utf8(&data[range.clone()]).ok()?;
    let trimmed = text.trim();
    let digits = trimmed.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = trimmed.split_at(digits);
    let pixels = number.parse().ok().filter(|n| *n <= MAX_SIDE)?;
    let pixel = unit.is_empty() || unit.eq_ignore_ascii_case("px");
    pixel.then(|| Length { range: range.clone(), pixels, unit: unit.to_owned() })
}
