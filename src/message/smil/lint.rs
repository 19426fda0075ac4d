//! What a presentation does that MMS SMIL does not allow.

use std::{collections::HashSet, ops::Range};

use super::{
    Index, clock,
    scan::{Kind, Tag, matching, scan},
};
use crate::{
    message::{Leaf, Rule, Violation},
    model::MediaKind,
};

/// Violations that are told; a document of nothing else tells no more after so many.
const MAX_TOLD: usize = 100;
const MEDIA: [&str; 7] = ["text", "textstream", "img", "animation", "audio", "video", "ref"];
/// Elements of MMS SMIL, the media apart.
const OTHERS: [&str; 8] =
    ["smil", "head", "body", "layout", "root-layout", "region", "par", "meta"];

struct Linter<'a> {
    data: &'a [u8],
    found: Vec<Violation>,
}

impl Linter<'_> {
    fn tell(&mut self, rule: Rule, at: usize, detail: impl Into<String>) {
        if self.found.len() < MAX_TOLD {
            let line =
                1 + self.data[..at.min(self.data.len())].iter().filter(|b| **b == b'\n').count();
            self.found.push(Violation { rule, line, detail: detail.into() });
        }
    }

    fn value(&self, range: &Range<usize>) -> String {
        super::value(self.data, range)
    }

    fn attribute(&self, tag: &Tag, name: &str) -> Option<String> {
        let found = tag.attributes.iter().find(|(known, _)| known == name);
        found.map(|(_, range)| self.value(range))
    }
}

/// All violations of a presentation, in order; what is about parts comes last.
pub(in crate::message) fn lint(presentation: &Leaf, leaves: &[&Leaf]) -> Vec<Violation> {
    let data = super::readable(&presentation.part.data);
    let tags = scan(&data);
    let ends = matching(&tags);
    let index = Index::new(leaves.iter().copied());
    let mut linter = Linter { data: &data, found: Vec::new() };
    let regions: HashSet<String> = tags
        .iter()
        .filter(|tag| tag.name == "region" && tag.kind != Kind::Close)
        .filter_map(|tag| linter.attribute(tag, "id"))
        .collect();
    let mut shown = vec![false; leaves.len()];
    let mut slide: Option<Slide> = None;
    let mut open: Vec<usize> = Vec::new();
    // How many of the open ones are slides.
    let mut slides = 0u32;
    for (at, tag) in tags.iter().enumerate() {
        if tag.kind == Kind::Close {
            let closes = open.last().is_some_and(|top| ends[*top] == Some(at));
            if !closes {
                let detail = format!("</{}> closes nothing", tag.name);
                linter.tell(Rule::NotWellFormed, tag.range.start, detail);
                continue;
            }
            // All that is open has its end, so that what closes is what was opened last.
            open.pop();
            if tag.name == "par" {
                slides = slides.saturating_sub(1);
                if slides == 0 {
                    finish(slide.take(), &mut linter);
                }
            }
            continue;
        }
        let parent = open.last().map_or("", |top| tags[*top].name.as_str());
        element(tag, parent, &mut linter);
        match tag.name.as_str() {
            "region" => region(tag, &mut linter),
            "par" if slide.is_none() => {
                let opened = Slide { at: tag.range.start, ..Slide::default() };
                // `<par/>` is over at once.
                match tag.kind {
                    Kind::Empty => finish(Some(opened), &mut linter),
                    _ => slide = Some(opened),
                }
            }
            name if MEDIA.contains(&name) => {
                if let Some(part) = medium(tag, &index, &regions, &mut linter) {
                    shown[part] = true;
                }
                if let Some(slide) = &mut slide {
                    slide.add(name);
                }
            }
            _ => {}
        }
        if tag.kind == Kind::Open {
            match ends[at] {
                Some(_) => {
                    open.push(at);
                    slides += u32::from(tag.name == "par");
                }
                None => {
                    let detail = format!("<{}> is never closed", tag.name);
                    linter.tell(Rule::NotWellFormed, tag.range.start, detail);
                }
            }
        }
    }
    finish(slide, &mut linter);
    for (leaf, _) in leaves.iter().zip(&shown).filter(|(leaf, shown)| !**shown && showable(leaf)) {
        let name = leaf.part.name.as_ref().or(leaf.part.content_id.as_ref());
        let detail = format!("{} is on no slide", name.map_or("a part", String::as_str));
        linter.found.push(Violation { rule: Rule::NotShown, line: 0, detail });
    }
    linter.found
}

/// Parts that a slide should show.
fn showable(leaf: &Leaf) -> bool {
    let kind = leaf.part.declared.kind();
    let media = [MediaKind::Image, MediaKind::Audio, MediaKind::Video].contains(&kind);
    !leaf.envelope
        && (media || leaf.part.declared.as_str() == "text/plain")
        && !leaf.is_presentation()
}

/// Where elements may stand.
fn element(tag: &Tag, parent: &str, linter: &mut Linter<'_>) {
    let name = tag.name.as_str();
    if !MEDIA.contains(&name) && !OTHERS.contains(&name) {
        let detail = format!("<{name}> is not of MMS SMIL");
        return linter.tell(Rule::UnknownElement, tag.range.start, detail);
    }
    let wanted: &[&str] = match name {
        "smil" => &[""],
        "head" | "body" => &["smil"],
        "layout" | "meta" => &["head"],
        "root-layout" | "region" => &["layout"],
        "par" => &["body"],
        _ => &["par"],
    };
    if !wanted.contains(&parent) {
        let inside = if parent.is_empty() { "nothing".to_owned() } else { format!("<{parent}>") };
        let detail = format!("<{name}> stands in {inside}");
        linter.tell(Rule::Misplaced, tag.range.start, detail);
    }
    let duration = linter.attribute(tag, "dur");
    if let Some(value) = duration.filter(|value| clock::parse(value).is_none()) {
        linter.tell(Rule::Duration, tag.range.start, format!("dur=\"{value}\" is no time"));
    } else if name == "par" && linter.attribute(tag, "dur").is_none() {
        linter.tell(Rule::Duration, tag.range.start, "a slide without a duration");
    }
}

fn region(tag: &Tag, linter: &mut Linter<'_>) {
    const KNOWN: [&str; 6] = ["id", "left", "top", "width", "height", "fit"];
    for (name, range) in tag.attributes.iter().filter(|(name, _)| !KNOWN.contains(&name.as_str())) {
        linter.tell(Rule::RegionAttribute, range.start, format!("a region has no {name}"));
    }
    match linter.attribute(tag, "id") {
        Some(id) if ["Image", "Text"].contains(&id.as_str()) => {}
        Some(id) => {
            let detail = format!("the region `{id}` is neither Image nor Text");
            linter.tell(Rule::RegionName, tag.range.start, detail);
        }
        None => linter.tell(Rule::RegionName, tag.range.start, "a region without an id"),
    }
}

/// The part that a medium shows.
fn medium(
    tag: &Tag,
    index: &Index,
    regions: &HashSet<String>,
    linter: &mut Linter<'_>,
) -> Option<usize> {
    if let Some(region) = linter.attribute(tag, "region").filter(|name| !regions.contains(name)) {
        linter.tell(Rule::RegionMissing, tag.range.start, format!("there is no region `{region}`"));
    }
    let source = tag.src.as_ref().map(|range| linter.value(range)).unwrap_or_default();
    let part = index.resolve(&source);
    if part.is_none() {
        let detail = format!("<{}> shows `{source}`, which is not there", tag.name);
        linter.tell(Rule::DanglingReference, tag.range.start, detail);
    }
    part
}

/// What one slide holds.
#[derive(Default)]
struct Slide {
    at: usize,
    texts: u32,
    images: u32,
    videos: u32,
    audio: u32,
    others: u32,
}

impl Slide {
    fn add(&mut self, name: &str) {
        match name {
            "text" | "textstream" => self.texts += 1,
            "img" | "animation" => self.images += 1,
            "video" => self.videos += 1,
            "audio" => self.audio += 1,
            _ => self.others += 1,
        }
    }
}

fn finish(slide: Option<Slide>, linter: &mut Linter<'_>) {
    let Some(slide) = slide else { return };
    let all = slide.texts + slide.images + slide.videos + slide.audio + slide.others;
    if all == 0 {
        linter.tell(Rule::EmptySlide, slide.at, "nothing is on this slide");
    }
    let crowded = slide.texts > 1
        || slide.images + slide.videos > 1
        || slide.audio > 1
        || slide.audio > 0 && slide.videos > 0;
    if crowded {
        let detail = format!(
            "{} texts, {} images, {} videos, {} audio files on one slide",
            slide.texts, slide.images, slide.videos, slide.audio
        );
        linter.tell(Rule::CrowdedSlide, slide.at, detail);
    }
}
