//! Lists of media types and charsets: trimmed, folded to lower case, parameters cut; what they
//! leave out and how that is filled.

use super::repairs::Repairs;
use crate::model::{AcceptList, MediaKind, MediaType, RepairCode};

/// Still formats that every class from image-basic on takes (mms-conformance.md §1): baseline
/// JPEG, GIF87a/89a, WBMP.
pub(super) const CORE_IMAGES: [&str; 3] = ["image/jpeg", "image/gif", "image/vnd.wap.wbmp"];

/// Items kept of one list; the longest real one has fewer than 200.
const MAX_ITEMS: usize = 1_000;

/// Tokens looked at in one list, repeated ones among them: bounds the work on hostile lists.
const MAX_TOKENS: usize = 4 * MAX_ITEMS;

/// The media types in the items of a list attribute or a header.
pub(super) fn types<S: AsRef<str>>(
    items: &[S],
    attribute: &str,
    repairs: &mut Repairs,
) -> Vec<String> {
    let mut list: Vec<String> = Vec::new();
    let mut left = MAX_TOKENS;
    for item in items {
        let item = item.as_ref();
        let before = left;
        let essences = item.split(',').map(|piece| piece.split(';').next().unwrap_or(""));
        for token in essences.flat_map(str::split_whitespace) {
            if left == 0 || list.len() >= MAX_ITEMS {
                repairs.add(RepairCode::CapReached, attribute, token);
                return list;
            }
            left -= 1;
            let lower = token.to_ascii_lowercase();
            if lower != *item {
                repairs.add(RepairCode::ItemForm, attribute, item);
            }
            if !is_type(&lower) {
                repairs.add(RepairCode::UnknownValue, attribute, token);
            } else if !list.contains(&lower) {
                list.push(lower);
            }
        }
        match before - left {
            0 => repairs.add(RepairCode::ItemForm, attribute, item),
            1 => {}
            _ => repairs.add(RepairCode::ListShape, attribute, item),
        }
    }
    list
}

/// `type/subtype` of token characters (RFC 2045 §5.1), wildcards included.
fn is_type(text: &str) -> bool {
    let token = |part: &str| {
        !part.is_empty()
            && part.bytes().all(|b| b.is_ascii_graphic() && !b"()<>@,;:\\\"/[]?=".contains(&b))
    };
    text.split_once('/').is_some_and(|(top, sub)| token(top) && token(sub))
}

/// The charsets in the items of a list attribute or a header, `*` being UTF-8.
pub(super) fn charsets<S: AsRef<str>>(
    items: &[S],
    attribute: &str,
    repairs: &mut Repairs,
) -> Vec<String> {
    let mut list: Vec<String> = Vec::new();
    let mut left = MAX_TOKENS;
    for item in items {
        let item = item.as_ref();
        let mut tokens = 0;
        for token in item.split([',', ' ', '\t', '\r', '\n']) {
            let name = token.split(';').next().unwrap_or("").trim();
            if name.is_empty() {
                continue;
            }
            if left == 0 || list.len() >= MAX_ITEMS {
                repairs.add(RepairCode::CapReached, attribute, name);
                return list;
            }
            left -= 1;
            tokens += 1;
            let sound = name.len() <= 40
                && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_:.+*".contains(&b));
            if name.len() != item.len() {
                repairs.add(RepairCode::ItemForm, attribute, item);
            }
            if !sound {
                repairs.add(RepairCode::UnknownValue, attribute, name);
                continue;
            }
            let name = if name == "*" { "UTF-8" } else { name };
            if !list.iter().any(|known| known.eq_ignore_ascii_case(name)) {
                list.push(name.to_owned());
            }
        }
        if tokens == 0 {
            repairs.add(RepairCode::ItemForm, attribute, item);
        }
    }
    list
}

/// HTTP Accept values: items with `q=0` are refusals, and `*/*` says nothing of an MMS.
pub(super) fn header_items(values: &[String]) -> Vec<&str> {
    values
        .iter()
        .flat_map(|value| value.split(','))
        .filter(|item| !refused(item) && item.split(';').next().map(str::trim) != Some("*/*"))
        .map(str::trim)
        .filter(|item| !item.is_empty())
        .take(MAX_ITEMS)
        .collect()
}

fn refused(item: &str) -> bool {
    item.split(';').skip(1).any(|parameter| {
        parameter.split_once('=').is_some_and(|(name, value)| {
            name.trim().eq_ignore_ascii_case("q") && value.trim().parse() == Ok(0.0_f32)
        })
    })
}

/// Whether any item is a picture type or a wildcard that covers one.
pub(super) fn has_images(types: &[String]) -> bool {
    types.iter().any(|item| item == "*/*" || MediaType::fold(item).kind() == MediaKind::Image)
}

/// A list of types, completed where it names no picture at all. `more` is asked for picture types
/// first (the browser's list), then the core formats are added. `text_only` says that the device
/// claims the text class alone, and means it.
pub(super) fn complete(
    listed: Vec<String>,
    more: &[String],
    text_only: bool,
    attribute: &str,
    repairs: &mut Repairs,
) -> (AcceptList, String) {
    if listed.is_empty() || has_images(&listed) || text_only {
        return (AcceptList::from_spellings(listed), attribute.to_owned());
    }
    let images: Vec<String> = more
        .iter()
        .filter(|item| MediaType::fold(item).kind() == MediaKind::Image)
        .cloned()
        .collect();
    repairs.add(RepairCode::FellBack, attribute, "no picture type in the list");
    let (images, rule) = if images.is_empty() {
        (CORE_IMAGES.map(str::to_owned).to_vec(), "core-image-types")
    } else {
        (images, "browser-image-types")
    };
    let all = listed.into_iter().chain(images);
    (AcceptList::from_spellings(all), format!("{attribute} + rule:{rule}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items_are_cut_to_types() {
        let mut repairs = Repairs::default();
        let items = [
            "image/jpeg",
            " Image/GIF\n",
            "",
            "video/H263-2000; profile=0",
            "audio/*",
            "image/png,image/bmp",
            "jpeg",
        ];
        let list = types(&items, "MmsCcppAccept", &mut repairs);
        assert_eq!(
            list,
            ["image/jpeg", "image/gif", "video/h263-2000", "audio/*", "image/png", "image/bmp"]
        );
        let codes: Vec<RepairCode> = repairs.into_vec().iter().map(|r| r.code).collect();
        assert_eq!(codes, [RepairCode::ItemForm, RepairCode::ListShape, RepairCode::UnknownValue]);
    }

    #[test]
    fn charsets_keep_their_spelling() {
        let mut repairs = Repairs::default();
        let list = charsets(&["UTF-8", "utf-8", " US-ASCII ", "*;q=0.1"], "x", &mut repairs);
        assert_eq!(list, ["UTF-8", "US-ASCII"]);
    }

    #[test]
    fn headers_lose_wildcards_and_refusals() {
        let values = ["image/jpeg, image/webp;q=0, */*;q=0.5".to_owned(), "text/plain".to_owned()];
        assert_eq!(header_items(&values), ["image/jpeg", "text/plain"]);
    }

    #[test]
    fn lists_without_pictures_are_completed_visibly() {
        let list = || vec!["text/plain".to_owned()];
        let mut repairs = Repairs::default();
        let (kept, rule) = complete(list(), &[], true, "A", &mut repairs);
        assert_eq!((kept.spellings().len(), rule.as_str()), (1, "A"));
        let (core, rule) = complete(list(), &[], false, "A", &mut repairs);
        assert!(core.accepts(&MediaType::JPEG) && rule.contains("core-image-types"));
        let (more, rule) = complete(list(), &["image/png".into()], false, "A", &mut repairs);
        assert!(more.accepts(&MediaType::PNG) && !more.accepts(&MediaType::JPEG));
        assert!(rule.contains("browser"));
        assert_eq!(repairs.into_vec().len(), 1);
    }
}
