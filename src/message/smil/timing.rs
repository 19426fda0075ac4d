//! Slides in step with what they play: a slide that lasted as long as a video that was cut is cut
//! with it, and one that a video or audio file held on the screen stays there without it.

use std::{collections::HashMap, ops::Range};

use super::{
    clock::{self, Clock},
    scan::{Kind, Tag},
};
use crate::{
    message::{NewDuration, PlayTime},
    model::Millis,
};

/// A slide lasts "as long as" its medium up to this much longer: senders round up to seconds, and
/// some add a little.
const TIED_SHARE: u32 = 20;
const TIED_MS: u32 = 1_000;
/// Times that differ by less than this are one: files state them in frames.
const SAME: Millis = Millis::new(250);
/// How long a still is shown that stands for a video: long enough to look at, not longer than one
/// looks. (Phones show slides of stills for 5 s where senders state nothing.)
const STILL_MS: (u32, u32) = (5_000, 10_000);

/// What the media of one slide did and do.
#[derive(Default)]
struct Slide {
    /// The tag that opens it.
    at: usize,
    /// The longest of those whose time changed, before.
    before: u32,
    /// The longest of all that still play.
    after: u32,
    changed: bool,
    /// Something plays no longer.
    lost: bool,
    /// Of something it is not decided yet.
    open: bool,
}

impl Slide {
    fn add(&mut self, played: PlayTime) {
        match played.after {
            NewDuration::Plays(after) => self.after = self.after.max(after.get()),
            NewDuration::Still => self.lost = true,
            NewDuration::Open => (self.lost, self.open) = (true, true),
        }
        if changed(played) {
            self.changed = true;
            self.before = self.before.max(played.before.get());
        }
    }

    /// What its duration, if it states one, becomes.
    fn duration(&self, stated: Option<u32>) -> Option<u32> {
        if !self.changed {
            return None;
        }
        let Some(stated) = stated else {
            // It lasted as long as its media; nothing of them is left to hold it.
            let bare = self.lost && self.after == 0;
            return bare.then(|| self.before.clamp(STILL_MS.0, STILL_MS.1));
        };
        if self.open {
            return None;
        }
        let still = if self.lost { stated.min(STILL_MS.1) } else { 0 };
        let fresh = self.after.max(still);
        (tied(stated, self.before) && shorter(fresh, stated)).then_some(fresh)
    }
}

fn changed(played: PlayTime) -> bool {
    match played.after {
        NewDuration::Plays(after) => after.abs_diff(played.before) > SAME,
        NewDuration::Still | NewDuration::Open => true,
    }
}

fn tied(stated: u32, media: u32) -> bool {
    stated <= media.saturating_add(media / TIED_SHARE).saturating_add(TIED_MS)
}

/// Shorter by what can be written: whole seconds.
fn shorter(fresh: u32, stated: u32) -> bool {
    fresh > 0 && fresh.div_ceil(1000) < stated.div_ceil(1000)
}

/// Changes of durations. `shown`: for each tag what it shows, where that plays.
pub(super) fn changes(
    data: &[u8],
    tags: &[Tag],
    ends: &[Option<usize>],
    shown: &HashMap<usize, PlayTime>,
) -> Vec<(Range<usize>, Vec<u8>)> {
    let mut list = Vec::new();
    let mut open: Vec<(Slide, usize)> = Vec::new();
    for (at, tag) in tags.iter().enumerate() {
        if open.last().is_some_and(|(_, end)| *end == at)
            && let Some((slide, _)) = open.pop()
        {
            slide_change(data, &tags[slide.at], &slide, &mut list);
        }
        if let (Kind::Open, "par", Some(end)) = (tag.kind, tag.name.as_str(), ends[at]) {
            open.push((Slide { at, ..Slide::default() }, end));
        }
        let Some(played) = shown.get(&at) else { continue };
        if let Some((slide, _)) = open.last_mut() {
            slide.add(*played);
        }
        if let NewDuration::Plays(after) = played.after
            && changed(*played)
        {
            for name in ["dur", "end"] {
                let Some((range, text)) = stated(data, tag, name) else { continue };
                let Some(Clock::Ms(ms)) = clock::parse(&text) else { continue };
                if tied(ms, played.before.get()) && shorter(after.get(), ms) {
                    write(&mut list, range, &text, after.get());
                }
            }
        }
    }
    list
}

fn slide_change(data: &[u8], tag: &Tag, slide: &Slide, list: &mut Vec<(Range<usize>, Vec<u8>)>) {
    match stated(data, tag, "dur") {
        Some((range, text)) => {
            let Some(Clock::Ms(ms)) = clock::parse(&text) else { return };
            if let Some(fresh) = slide.duration(Some(ms)) {
                write(list, range, &text, fresh);
            }
        }
        None => {
            if let Some(fresh) = slide.duration(None) {
                let attribute = format!(" dur=\"{}s\"", fresh.div_ceil(1000));
                list.push((tag.word.end..tag.word.end, attribute.into()));
            }
        }
    }
}

/// Never longer than it was: the size of the message was reckoned with the old time.
fn write(list: &mut Vec<(Range<usize>, Vec<u8>)>, range: Range<usize>, old: &str, ms: u32) {
    let fresh = clock::respell(old, ms);
    if fresh.len() <= range.len() {
        list.push((range, fresh.into()));
    }
}

fn stated(data: &[u8], tag: &Tag, name: &str) -> Option<(Range<usize>, String)> {
    let (_, range) = tag.attributes.iter().find(|(known, _)| known == name)?;
    Some((range.clone(), super::value(data, range)))
}
