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
            let valid = name.len() <= 40
                && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_:.+*".contains(&b));
            if name.len() != item.len() {
                repairs.add(RepairCode::ItemForm, attribute, item);
            }
            if !valid {
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

/// HTTP Accept values: items with `q=0` are refusals.
pub(super) fn header_items(values: &[String]) -> Vec<&str> {
    values
        .iter()
        .flat_map(|value| value.split(','))
        .filter(|item| !refused(item))
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

/// The essences of the items with `q=0`.
fn header_refusals(values: &[String]) -> Vec<String> {
    let items = values.iter().flat_map(|value| value.split(','));
    let essence = |item: &str| item.split(';').next().unwrap_or("").trim().to_ascii_lowercase();
    items.filter(|item| refused(item)).map(essence).take(MAX_ITEMS).collect()
}

/// The types of an Accept header. Its wildcards are habit (Android's MMS client sends `*/*` and the
/// types of the transport): each stands for what `default` lists, the types of the carrier's
/// default device, save what the header refuses. `None` where it says nothing of media beyond that.
pub(super) fn of_header(
    values: &[String],
    default: &[String],
    repairs: &mut Repairs,
) -> Option<(Vec<String>, &'static str)> {
    let items: Vec<&str> = header_items(values)
        .into_iter()
        // Java's clients write `*` for all.
        .map(|item| if item.split(';').next().map(str::trim) == Some("*") { "*/*" } else { item })
        .collect();
    let mut listed = types(&items, "Accept", repairs);
    let wild: Vec<String> =
        listed.iter().filter_map(|item| item.strip_suffix("/*").map(str::to_owned)).collect();
    listed.retain(|item| !item.ends_with("/*"));
    // Neither the transport nor a web page says what messages may hold.
    if wild.iter().all(|top| top == "*") && !listed.iter().any(|item| is_medium(item)) {
        if !listed.is_empty() {
            repairs.add(RepairCode::FellBack, "Accept", "names no media");
        }
        return None;
    }
    if wild.is_empty() {
        return Some((listed, "Accept"));
    }
    let refusals = header_refusals(values);
    for item in default {
        let folded = MediaType::fold(item);
        let top = folded.top_level();
        let covered = wild.iter().any(|wild| wild == "*" || wild == top);
        let refused = refusals.iter().any(|no| {
            no.strip_suffix("/*").is_some_and(|no| no == top) || MediaType::fold(no) == folded
        });
        if covered && !refused && !listed.contains(item) {
            listed.push(item.clone());
        }
    }
    Some((listed, "Accept + rule:wildcard-as-default"))
}

fn is_medium(item: &str) -> bool {
    ["image/", "audio/", "video/"].iter().any(|top| item.starts_with(top))
}

/// Whether any item is an image type or a wildcard that covers one.
pub(super) fn has_images(types: &[String]) -> bool {
    types.iter().any(|item| item == "*/*" || MediaType::fold(item).kind() == MediaKind::Image)
}

/// A list of types, completed where it names no image at all. `more` is asked for image types
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
    repairs.add(RepairCode::FellBack, attribute, "no image type in the list");
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
    fn issue_17_15_wildcards_of_headers_stand_for_the_default() {
        let default = ["image/jpeg", "audio/amr", "audio/x-wav", "video/mp4"].map(str::to_owned);
        let of = |value: &str| {
            let found = of_header(&[value.to_owned()], &default, &mut Repairs::default());
            found.map(|(list, _)| list.join(" "))
        };
        let is = |text: &str| Some(text.to_owned());
        // Nothing of media: what comes after decides.
        assert_eq!(of("*/*, application/vnd.wap.mms-message, application/vnd.wap.sic"), None);
        assert_eq!(of("application/vnd.wap.mms-message"), None);
        assert_eq!(of("text/html, *; q=.2, */*; q=.2"), None);
        assert_eq!(of("*/*"), None);
        assert_eq!(of(""), None);
        // A list is a list.
        assert_eq!(of("image/png, video/*;q=0"), is("image/png"));
        // Beside a list, the wildcard adds the default.
        let all = "image/jpeg audio/amr audio/x-wav video/mp4";
        assert_eq!(of("image/webp, */*;q=0.8"), is(&format!("image/webp {all}")));
        assert_eq!(of("image/png, audio/*"), is("image/png audio/amr audio/x-wav"));
        assert_eq!(of("image/*, audio/*;q=0"), is("image/jpeg"));
        assert_eq!(
            of("*/*, image/gif, audio/wav;q=0, video/*;q=0.0"),
            is("image/gif image/jpeg audio/amr")
        );
    }

    #[test]
    fn lists_without_images_are_completed_visibly() {
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
