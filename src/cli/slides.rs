//! A message around plain media files: parts with names, and a slide show that presents them.

use std::collections::HashSet;

use bytes::Bytes as Buffer;

use crate::{
    message::PartData,
    model::{MediaKind, MediaType},
};

/// Parts of a message that shows `media` in order, the presentation first.
pub fn message(media: Vec<(String, MediaType, Buffer)>) -> Vec<PartData> {
    let mut taken = HashSet::from(["slides.smil".to_owned()]);
    let mut parts: Vec<PartData> = Vec::with_capacity(media.len() + 1);
    let mut shown = Vec::with_capacity(media.len());
    for (name, medium, data) in media {
        let name = unique(&portable(&name, &medium), &mut taken);
        shown.push((name.clone(), medium.kind()));
        let content_type = match medium.kind() {
            // Files are judged as text only if they are UTF-8.
            MediaKind::Text => format!("{medium}; charset=utf-8"),
            _ => medium.to_string(),
        };
        parts.push(PartData {
            content_type,
            content_id: name.clone(),
            content_location: name.clone(),
            name,
            data,
        });
    }
    let own = shown.iter().any(|(_, kind)| *kind == MediaKind::Presentation);
    if !own {
        let smil = PartData {
            content_type: MediaType::SMIL.to_string(),
            content_id: "slides".to_owned(),
            content_location: "slides.smil".to_owned(),
            name: "slides.smil".to_owned(),
            data: smil(&shown).into(),
        };
        parts.insert(0, smil);
    }
    parts
}

/// Letters, digits, `.`, `-`, `_`: what every handset takes in a Content-Location.
fn portable(name: &str, medium: &MediaType) -> String {
    let cleaned: String = name
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() || ".-_".contains(c) { c } else { '_' })
        .collect();
    let cleaned = cleaned.trim_matches('.');
    let (stem, extension) = match cleaned.rsplit_once('.') {
        Some((stem, extension)) if !stem.is_empty() => (stem, extension.to_owned()),
        _ => (cleaned, medium.extension().unwrap_or("bin").to_owned()),
    };
    // Some handsets cut longer names at 40 characters and then miss the reference.
    let stem: String = stem.chars().take(30).collect();
    let extension: String = extension.chars().take(8).collect();
    format!("{}.{extension}", if stem.is_empty() { "part" } else { &stem })
}

/// `name`, or `name-2` and so on.
fn unique(name: &str, taken: &mut HashSet<String>) -> String {
    let (stem, extension) = name.rsplit_once('.').unwrap_or((name, "bin"));
    let mut candidate = name.to_owned();
    let mut number = 2u32;
    while !taken.insert(candidate.to_ascii_lowercase()) {
        candidate = format!("{stem}-{number}.{extension}");
        number += 1;
    }
    candidate
}

/// Seconds that a slide stays: long enough to read a caption.
const SLIDE_SECONDS: u32 = 5;

/// OMA-TS-MMS-CONF §8.1: one slide holds at most one image or video, one text, one audio file. A
/// medium goes on the last slide if that has none of its kind yet.
fn smil(shown: &[(String, MediaKind)]) -> String {
    #[derive(Default)]
    struct Slide<'a> {
        seen: Option<(&'static str, &'a str)>,
        text: Option<&'a str>,
        audio: Option<&'a str>,
    }
    let mut slides: Vec<Slide<'_>> = Vec::new();
    for (name, kind) in shown {
        let place = |slides: &mut Vec<Slide<'_>>, free: fn(&Slide<'_>) -> bool| {
            if !slides.last().is_some_and(free) {
                slides.push(Slide::default());
            }
        };
        match kind {
            MediaKind::Image | MediaKind::Video => {
                // A video brings its own audio.
                if *kind == MediaKind::Video {
                    place(&mut slides, |slide| slide.seen.is_none() && slide.audio.is_none());
                } else {
                    place(&mut slides, |slide| slide.seen.is_none());
                }
                let tag = if *kind == MediaKind::Video { "video" } else { "img" };
                if let Some(slide) = slides.last_mut() {
                    slide.seen = Some((tag, name));
                }
            }
            MediaKind::Text if name.ends_with(".vcf") || name.ends_with(".vcs") => {}
            MediaKind::Text => {
                place(&mut slides, |slide| slide.text.is_none());
                if let Some(slide) = slides.last_mut() {
                    slide.text = Some(name);
                }
            }
            MediaKind::Audio => {
                place(&mut slides, |slide| {
                    slide.audio.is_none() && slide.seen.is_none_or(|(tag, _)| tag == "img")
                });
                if let Some(slide) = slides.last_mut() {
                    slide.audio = Some(name);
                }
            }
            // Carried along, not presented.
            MediaKind::Presentation | MediaKind::Drm | MediaKind::Other => {}
        }
    }
    let mut out = String::from(
        "<smil><head><layout><root-layout/>\
         <region id=\"Image\" left=\"0\" top=\"0\" width=\"100%\" height=\"70%\" fit=\"meet\"/>\
         <region id=\"Text\" left=\"0\" top=\"70%\" width=\"100%\" height=\"30%\" fit=\"scroll\"/>\
         </layout></head><body>",
    );
    // Names hold no character that XML gives a meaning to (see `portable`).
    for slide in slides {
        out.push_str(&format!("<par dur=\"{SLIDE_SECONDS}000ms\">"));
        if let Some((tag, name)) = slide.seen {
            out.push_str(&format!("<{tag} src=\"{name}\" region=\"Image\"/>"));
        }
        if let Some(name) = slide.text {
            out.push_str(&format!("<text src=\"{name}\" region=\"Text\"/>"));
        }
        if let Some(name) = slide.audio {
            out.push_str(&format!("<audio src=\"{name}\"/>"));
        }
        out.push_str("</par>");
    }
    out.push_str("</body></smil>");
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn medium(name: &str, essence: &str) -> (String, MediaType, Buffer) {
        (name.to_owned(), MediaType::fold(essence), Buffer::from_static(b"x"))
    }

    #[test]
    fn slides_hold_one_of_a_kind() {
        let parts = message(vec![
            medium("a.jpg", "image/jpeg"),
            medium("hello.txt", "text/plain"),
            medium("b.jpg", "image/jpeg"),
            medium("s.amr", "audio/amr"),
            medium("me.vcf", "text/x-vcard"),
        ]);
        assert_eq!(parts.len(), 6);
        let smil = std::str::from_utf8(&parts[0].data).unwrap();
        assert_eq!(smil.matches("<par ").count(), 2, "{smil}");
        assert!(smil.contains("<img src=\"a.jpg\" region=\"Image\"/><text src=\"hello.txt\""));
        assert!(smil.contains("<img src=\"b.jpg\" region=\"Image\"/><audio src=\"s.amr\"/>"));
        assert!(!smil.contains("me.vcf"));
        assert_eq!(parts[2].content_type, "text/plain; charset=utf-8");
    }

    #[test]
    fn names_become_portable_and_unique() {
        let parts = message(vec![
            medium("Föto \"1\"<&>.jpg", "image/jpeg"),
            medium("x/写真.jpg", "image/jpeg"),
            medium("", "image/png"),
            medium("part.png", "image/png"),
            medium("slides.smil", "image/png"),
        ]);
        let names: Vec<_> = parts.iter().map(|p| p.name.as_str()).collect();
        assert_eq!(
            names,
            [
                "slides.smil",
                "F_to__1____.jpg",
                "x___.jpg",
                "part.png",
                "part-2.png",
                "slides-2.smil"
            ]
        );
    }

    #[test]
    fn a_presentation_of_the_users_own_stays_the_only_one() {
        let parts =
            message(vec![medium("mine.smil", "application/smil"), medium("a.jpg", "image/jpeg")]);
        assert_eq!(parts.len(), 2);
    }
}
