//! What may be done to a message at all.

use std::sync::Arc;

use super::{
    floors::{Ceilings, Floors, Weights},
    ladder::{Fallback, Ladder, Ladders, ShrinkOrder},
    preference::{Language, Sanitize, Trim},
    settings::{Adaptation, Empty, LanguageChoice, LeaveOut, PolicySettings},
};
use crate::model::{MediaKind, Rgb};

/// The policy for one message, limits apart.
#[derive(Clone, Debug, PartialEq)]
pub struct Policy {
    /// Colour put behind transparent pixels where the format has none. Default: white.
    pub background: Rgb,
    /// How much may be changed: nothing, where the originator or the device forbids it. Default:
    /// everything.
    pub adaptation: Adaptation,
    /// Whether audio and video may be cut shorter. Default: never.
    pub trim: Trim,
    /// What may be hidden in media that pass. Default: they pass bit for bit.
    pub sanitize: Sanitize,
    /// What may become of parts that cannot be shown. Default: the fallback that loses the least.
    pub ladders: Ladders,
    /// Which kind of media shrinks first. Default: the largest part.
    pub shrink_order: ShrinkOrder,
    /// Whether whole media may be dropped to keep a limit. Default: never.
    pub leave_out: LeaveOut,
    /// What happens when nothing of the message can be shown. Default: notices.
    pub empty: Empty,
    /// Below this, a medium is not worth sending.
    pub floors: Floors,
    /// Quality beyond this is not worth its bytes.
    pub ceilings: Ceilings,
    /// How much each kind of media counts.
    pub weights: Weights,
    /// Whether a notice can replace a part at all: not where the part is a bare file.
    pub notices: bool,
    /// The language of notices. Default: English.
    pub language: Language,
    /// The sentence of notices, with `{type}`, `{name}` and `{size}`; `None`: our own.
    pub sentence: Option<Arc<str>>,
}

impl Default for Policy {
    fn default() -> Self {
        Self::of(&PolicySettings::default(), None)
    }
}

impl Policy {
    /// The policy that settings give for a subscriber of this country (ISO 3166-1), where known.
    pub fn of(settings: &PolicySettings, country: Option<&str>) -> Self {
        let language = match settings.language.unwrap_or_default() {
            LanguageChoice::Fixed(language) => language,
            LanguageChoice::Auto => country.map_or(Language::English, Language::of_country),
        };
        Self {
            background: settings.background.map_or([255; 3], |color| color.0),
            adaptation: settings.adaptation.unwrap_or_default(),
            trim: settings.trim.unwrap_or_default(),
            sanitize: settings.sanitize.unwrap_or_default(),
            ladders: settings.ladders(),
            shrink_order: settings.shrink_order.unwrap_or_default(),
            leave_out: settings.leave_out.unwrap_or_default(),
            empty: settings.empty.unwrap_or_default(),
            floors: settings.floors(),
            ceilings: settings.ceilings(),
            weights: settings.weights(),
            notices: true,
            language,
            sentence: settings.sentence(language).map(Into::into),
        }
    }

    /// For a bare file: it has no notice and is not left out.
    #[must_use]
    pub fn of_bare(self) -> Self {
        Self { leave_out: LeaveOut::Never, notices: false, ..self }
    }

    /// For messages whose originator or device forbids any change.
    #[must_use]
    pub fn forbidding(self) -> Self {
        Self { adaptation: Adaptation::Never, ..self }
    }

    /// Nothing may be changed.
    pub fn forbids_all(&self) -> bool {
        self.adaptation == Adaptation::Never
    }

    /// The ladder of a kind of media.
    pub fn ladder(&self, kind: MediaKind) -> Ladder {
        self.ladders.of(kind)
    }

    /// Whether a step may be taken for a part of this kind.
    pub fn allows(&self, kind: MediaKind, step: Fallback) -> bool {
        let minor = step == Fallback::Format;
        let adaptation = if minor { Adaptation::Minor } else { Adaptation::Major };
        self.adaptation >= adaptation && self.ladder(kind).has(step)
    }

    /// Whether a notice replaces a part of this kind that is left out.
    pub fn notices(&self, kind: MediaKind) -> bool {
        self.notices && self.allows(kind, Fallback::Notice)
    }
}
