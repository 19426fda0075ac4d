//! Profile-diffs: RDF fragments that state what differs from the document a device refers to.

use super::{error::ProfileError, uaprof, uaprof::Profile};

/// Reads a diff. The header form `1;<?xml …>` (a sequence number before the fragment) is taken
/// as well as the bare fragment.
///
/// # Errors
/// As [`uaprof::parse`].
pub(super) fn parse(bytes: &[u8]) -> Result<Profile, ProfileError> {
    let trimmed = bytes.trim_ascii_start();
    let digits = trimmed.iter().take_while(|b| b.is_ascii_digit()).count();
    let body = match trimmed.get(digits) {
        Some(b';') if (1..=3).contains(&digits) => trimmed.get(digits + 1..).unwrap_or(trimmed),
        _ => bytes,
    };
    uaprof::parse(body.trim_ascii_start())
}

/// All diffs as one statement, over `base`, the document that they differ from.
///
/// The attributes of MMS are Locked in the schema: of several *documents* the first binds, lest a
/// gateway changes what the device said. A diff is the device's own correction of the document it
/// names (a lens attached, a limit set by the user), so here its value wins, and of several diffs
/// the last, which is the newest. CcppAccept and CcppAccept-Charset are Append: diffs add to the
/// document, but count only where no MMS list decides.
pub(super) fn merge(diffs: &[Profile], base: Option<&Profile>) -> Profile {
    let mut all = Profile::default();
    for diff in diffs {
        let set = |target: &mut String, value: &String| {
            if !value.is_empty() {
                target.clone_from(value);
            }
        };
        set(&mut all.vendor, &diff.vendor);
        set(&mut all.model, &diff.model);
        set(&mut all.platform, &diff.platform);
        all.max_message_bytes = diff.max_message_bytes.or(all.max_message_bytes);
        all.max_image = diff.max_image.or(all.max_image);
        all.screen = diff.screen.or(all.screen);
        all.bits_per_pixel = diff.bits_per_pixel.or(all.bits_per_pixel);
        all.suppress_adaptation = diff.suppress_adaptation.or(all.suppress_adaptation);
        all.mms_version = diff.mms_version.clone().or(all.mms_version);
        all.video_byte_rate = diff.video_byte_rate.or(all.video_byte_rate);
        for (target, value) in [
            (&mut all.mms_accept, &diff.mms_accept),
            (&mut all.mms_charsets, &diff.mms_charsets),
            (&mut all.content_classes, &diff.content_classes),
            (&mut all.streams, &diff.streams),
        ] {
            if !value.is_empty() {
                target.clone_from(value);
            }
        }
        append(&mut all.browser_accept, &diff.browser_accept);
        append(&mut all.browser_charsets, &diff.browser_charsets);
    }
    if let Some(base) = base {
        let over =
            |own: &mut Vec<String>, own_mms: &[String], mms: &[String], browser: &[String]| {
                if own_mms.is_empty() && !mms.is_empty() {
                    own.clear();
                } else if !own.is_empty() {
                    let added = std::mem::replace(own, browser.to_vec());
                    append(own, &added);
                }
            };
        over(&mut all.browser_accept, &all.mms_accept, &base.mms_accept, &base.browser_accept);
        over(
            &mut all.browser_charsets,
            &all.mms_charsets,
            &base.mms_charsets,
            &base.browser_charsets,
        );
    }
    all
}

fn append(list: &mut Vec<String>, more: &[String]) {
    for item in more {
        if !list.iter().any(|known| known.eq_ignore_ascii_case(item)) {
            list.push(item.clone());
        }
    }
}
