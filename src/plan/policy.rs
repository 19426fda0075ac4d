//! What may be done to a message at all.

use std::sync::Arc;

use crate::model::{
    Adaptation, Ceilings, Empty, Floors, Ladder, Ladders, Language, LeaveOut, MediaKind, Rgb,
    Sanitize, Step, Trim, Weights, Yielding,
};

/// What policy says, beyond limits.
#[derive(Clone, Debug, PartialEq)]
pub struct Policy {
    /// Colour put behind transparent pixels where the format has none. Default: white.
    pub background: Rgb,
    /// How much may be changed: nothing, where the originator or the device forbids it. Default:
    /// everything.
    pub adaptation: Adaptation,
    /// Whether sounds and clips may be cut shorter. Default: never.
    pub trim: Trim,
    /// What may be hidden in media that pass. Default: they pass bit for bit.
    pub sanitize: Sanitize,
    /// What may become of parts that cannot be shown. Default: whatever loses the least.
    pub ladders: Ladders,
    /// Which kind of media gives way first. Default: what is the largest.
    pub yielding: Yielding,
    /// Whether media may be given up to keep a limit. Default: never.
    pub leave_out: LeaveOut,
    /// What happens where nothing of the message can be shown. Default: notices.
    pub empty: Empty,
    /// What is not worth sending any more.
    pub floors: Floors,
    /// What is of no use any more.
    pub ceilings: Ceilings,
    /// How much each kind of media counts.
    pub weights: Weights,
    /// Whether a line of text can stand for a part at all: not for the only file there is.
    pub notices: bool,
    /// The language of notices. Default: English.
    pub language: Language,
    /// The sentence of notices, with `{type}`, `{name}` and `{size}`; `None`: our own.
    pub sentence: Option<Arc<str>>,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            background: [255; 3],
            adaptation: Adaptation::Major,
            trim: Trim::Never,
            sanitize: Sanitize::Off,
            ladders: Ladders::default(),
            yielding: Yielding::default(),
            leave_out: LeaveOut::Never,
            empty: Empty::Notice,
            floors: Floors::default(),
            ceilings: Ceilings::default(),
            weights: Weights::default(),
            notices: true,
            language: Language::English,
            sentence: None,
        }
    }
}

impl Policy {
    /// Nothing may be changed.
    pub fn forbids_all(&self) -> bool {
        self.adaptation == Adaptation::Never
    }

    /// The ladder of a kind of media.
    pub fn ladder(&self, kind: MediaKind) -> Ladder {
        self.ladders.of(kind)
    }

    /// Whether a step may be taken for a part of this kind.
    pub fn allows(&self, kind: MediaKind, step: Step) -> bool {
        let minor = step == Step::Format;
        let adaptation = if minor { Adaptation::Minor } else { Adaptation::Major };
        self.adaptation >= adaptation && self.ladder(kind).has(step)
    }

    /// Whether a notice stands for a part of this kind that is left out.
    pub fn notices(&self, kind: MediaKind) -> bool {
        self.notices && self.allows(kind, Step::Notice)
    }
}
