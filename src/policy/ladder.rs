//! Ladders: the order of fallbacks for each kind of media.

use std::fmt;

use crate::model::MediaKind;

/// One fallback for a part that cannot go as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fallback {
    /// The same medium: another format, fewer bytes.
    Format,
    /// An animation becomes a video.
    Video,
    /// A video becomes an animation.
    Animation,
    /// A video becomes an image, an animation its first frame.
    Still,
    /// A video becomes its audio alone.
    Audio,
    /// The image inside a vCard is left out.
    Photo,
    /// It is replaced by a notice, a line of text.
    Notice,
    /// It is left out.
    Drop,
}

impl Fallback {
    const ALL: [(Self, &'static str); 8] = [
        (Self::Format, "format"),
        (Self::Video, "video"),
        (Self::Animation, "animation"),
        (Self::Still, "still"),
        (Self::Audio, "audio"),
        (Self::Photo, "photo"),
        (Self::Notice, "notice"),
        (Self::Drop, "drop"),
    ];

    /// The name in policy files.
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(step, _)| *step == self).map_or("", |(_, name)| name)
    }
}

/// Steps in the order in which they are tried: the first that is possible is taken. A part that
/// none of them can help is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ladder([Option<Fallback>; LONGEST]);

const LONGEST: usize = 6;

impl Ladder {
    /// What images may become, with all steps in the order that loses the least.
    pub const IMAGE: Self =
        Self::new(&[Fallback::Format, Fallback::Video, Fallback::Still, Fallback::Drop]);
    /// Likewise videos.
    pub const VIDEO: Self = Self::new(&[
        Fallback::Format,
        Fallback::Animation,
        Fallback::Still,
        Fallback::Audio,
        Fallback::Drop,
    ]);
    /// Likewise audio.
    pub const AUDIO: Self = Self::new(&[Fallback::Format, Fallback::Drop]);
    /// Likewise everything that no codec reads.
    pub const OTHER: Self = Self::new(&[Fallback::Drop]);
    /// Likewise vCards.
    pub const CARD: Self = Self::new(&[Fallback::Photo]);

    const fn new(steps: &[Fallback]) -> Self {
        let mut ladder = [None; LONGEST];
        let mut at = 0;
        while at < steps.len() {
            ladder[at] = Some(steps[at]);
            at += 1;
        }
        Self(ladder)
    }

    /// Reads `format, still, drop`; only steps of `all`, or a notice before the end, each once.
    ///
    /// # Errors
    /// What is wrong, for people.
    pub fn parse(text: &str, all: Self) -> Result<Self, String> {
        let known: Vec<Fallback> = all.with_notice().steps().collect();
        let mut steps: Vec<Fallback> = Vec::new();
        for word in text.split(',').map(str::trim).filter(|word| !word.is_empty()) {
            let step = known.iter().find(|step| step.name() == word);
            let names = || known.iter().map(|step| step.name()).collect::<Vec<_>>().join(", ");
            let step = *step.ok_or_else(|| format!("`{word}` is not one of {}", names()))?;
            if steps.contains(&step) {
                return Err(format!("`{word}` is listed twice"));
            }
            steps.push(step);
        }
        let end = steps.iter().position(|step| matches!(step, Fallback::Drop));
        if end.is_some_and(|at| at + 1 < steps.len()) {
            return Err("nothing can follow `drop`".to_owned());
        }
        Ok(Self::new(&steps))
    }

    /// The steps in order.
    pub fn steps(self) -> impl Iterator<Item = Fallback> {
        self.0.into_iter().flatten()
    }

    /// Whether a step is on it.
    pub fn has(self, step: Fallback) -> bool {
        self.steps().any(|own| own == step)
    }

    /// Whether `first` is tried before `second`; `second` may be missing from the ladder.
    pub fn prefers(self, first: Fallback, second: Fallback) -> bool {
        self.steps().find(|step| *step == first || *step == second) == Some(first)
    }

    /// With a notice before things are dropped. vCards stay as they are.
    #[must_use]
    pub fn with_notice(self) -> Self {
        if self.has(Fallback::Notice) || !self.has(Fallback::Drop) {
            return self;
        }
        let before = self.steps().filter(|step| *step != Fallback::Drop);
        let steps: Vec<Fallback> = before.chain([Fallback::Notice, Fallback::Drop]).collect();
        Self::new(&steps)
    }
}

impl fmt::Display for Ladder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.steps().map(Fallback::name).collect();
        f.pad(&names.join(", "))
    }
}

/// The ladders of a policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ladders {
    /// Of images.
    pub image: Ladder,
    /// Of videos.
    pub video: Ladder,
    /// Of audio.
    pub audio: Ladder,
    /// Of vCards.
    pub card: Ladder,
    /// Of everything that no codec reads.
    pub other: Ladder,
}

impl Default for Ladders {
    fn default() -> Self {
        Self {
            image: Ladder::IMAGE,
            video: Ladder::VIDEO,
            audio: Ladder::AUDIO,
            card: Ladder::CARD,
            other: Ladder::OTHER,
        }
    }
}

impl Ladders {
    /// The ladder of a kind of media.
    pub fn of(&self, kind: MediaKind) -> Ladder {
        match kind {
            MediaKind::Image => self.image,
            MediaKind::Video => self.video,
            MediaKind::Audio => self.audio,
            MediaKind::Text => self.card,
            // Nobody misses what is not visible itself: presentations go without a notice.
            MediaKind::Presentation => Ladder::OTHER,
            MediaKind::Drm | MediaKind::Other => self.other,
        }
    }
}

/// The kinds of media that shrink first when a message is over its limit; kinds that are not
/// named follow.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ShrinkOrder([Option<MediaKind>; 3]);

impl ShrinkOrder {
    const KINDS: [(MediaKind, &'static str); 3] =
        [(MediaKind::Image, "image"), (MediaKind::Audio, "audio"), (MediaKind::Video, "video")];

    /// Reads `video, audio, image`.
    ///
    /// # Errors
    /// What is wrong, for people.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut list = Self::default();
        let words = text.split(',').map(str::trim).filter(|word| !word.is_empty());
        for (at, word) in words.enumerate() {
            let kind = Self::KINDS.iter().find(|(_, name)| *name == word).map(|(kind, _)| *kind);
            let kind = kind.ok_or_else(|| format!("`{word}` is not image, audio or video"))?;
            if list.0.contains(&Some(kind)) {
                return Err(format!("`{word}` is listed twice"));
            }
            list.0[at] = Some(kind);
        }
        Ok(list)
    }

    /// Lower ranks shrink first.
    pub fn rank(self, kind: MediaKind) -> usize {
        self.0.iter().position(|own| *own == Some(kind)).unwrap_or(self.0.len())
    }
}

impl fmt::Display for ShrinkOrder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = |kind: &MediaKind| Self::KINDS.iter().find(|(own, _)| own == kind);
        let names: Vec<&str> = self.0.iter().flatten().filter_map(name).map(|(_, n)| *n).collect();
        f.pad(&names.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ladders_are_read_and_told() {
        let ladder = Ladder::parse("format, still, notice", Ladder::VIDEO).unwrap();
        assert_eq!(ladder.to_string(), "format, still, notice");
        assert!(ladder.prefers(Fallback::Still, Fallback::Animation));
        assert!(!ladder.has(Fallback::Drop));
        assert_eq!(Ladder::VIDEO.with_notice().steps().count(), LONGEST);
        assert_eq!(Ladder::CARD.with_notice(), Ladder::CARD);
        assert_eq!(Ladder::parse("", Ladder::CARD).unwrap().steps().count(), 0);
        for (text, wrong) in [
            ("format, audio", "`audio` is not one of format, video, still, notice, drop"),
            ("drop, format", "nothing can follow"),
            ("format, format", "twice"),
        ] {
            let error = Ladder::parse(text, Ladder::IMAGE).unwrap_err();
            assert!(error.contains(wrong), "{error}");
        }
    }

    #[test]
    fn kinds_give_way_in_their_order() {
        let order = ShrinkOrder::parse("video,image").unwrap();
        let ranks = [MediaKind::Video, MediaKind::Image, MediaKind::Audio].map(|k| order.rank(k));
        assert_eq!(ranks, [0, 1, 3]);
        assert_eq!(order.to_string(), "video, image");
        assert!(ShrinkOrder::parse("text").is_err() && ShrinkOrder::parse("audio,audio").is_err());
    }
}
