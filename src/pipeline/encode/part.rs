//! One part while it is encoded.

use std::time::Duration;

use bytes::Bytes as Buffer;

use crate::{
    codec::{CodecError, Session, Verified},
    fit::{Search, Task},
    model::{Bytes, ImageRecipe, PartId, Recipe},
};

/// The best result of a part so far.
#[derive(Clone, Debug, Default)]
pub(super) enum Best {
    /// Nothing fitted yet.
    #[default]
    None,
    /// Its size is known, its bytes are not written yet.
    Measured { recipe: Recipe, size: Bytes },
    /// Ready to go out.
    Encoded { recipe: Recipe, data: Buffer },
}

impl Best {
    pub fn is_none(&self) -> bool {
        matches!(self, Self::None)
    }

    pub fn recipe(&self) -> Option<&Recipe> {
        match self {
            Self::None => None,
            Self::Measured { recipe, .. } | Self::Encoded { recipe, .. } => Some(recipe),
        }
    }

    /// In bytes, encoded or measured; 0 for none.
    pub fn size(&self) -> Bytes {
        match self {
            Self::None => Bytes::ZERO,
            Self::Measured { size, .. } => *size,
            Self::Encoded { data, .. } => Bytes::of(data),
        }
    }

    /// The recipe and the bytes of what is ready to go out.
    pub fn encoded(&self) -> Option<(&Recipe, &Buffer)> {
        match self {
            Self::Encoded { recipe, data } => Some((recipe, data)),
            Self::None | Self::Measured { .. } => None,
        }
    }
}

/// One part being encoded.
pub(super) struct PartEncoding {
    pub id: PartId,
    pub session: Box<dyn Session>,
    pub task: Task,
    pub search: Search,
    pub budget: Bytes,
    pub best: Best,
    /// The last that was encoded after having been measured.
    pub spare: Option<(Recipe, Buffer)>,
    pub encodes: u32,
    pub cpu: Duration,
    /// The original would do but for its size: it caps the result whatever happens.
    pub keeps_ceiling: bool,
    /// The deadline came; the best so far is the answer.
    pub cut_short: bool,
    /// It was opened after the deadline, from what was available at once.
    pub late: bool,
    pub failed: Option<CodecError>,
    /// What the session said it does not do.
    pub refused: Option<CodecError>,
    /// Why a result was discarded for the next fallback, for people.
    pub fallback_reason: Option<String>,
    /// An animation that became a video, and why.
    pub converted: Option<String>,
    /// What the result holds, once that was checked.
    pub verified: Option<Verified>,
    /// How much it counts beside the others, by policy.
    pub weight: f64,
}

impl PartEncoding {
    /// Nothing tried, nothing to spend.
    pub fn new(id: PartId, session: Box<dyn Session>, task: Task, acceptable: bool) -> Self {
        Self {
            id,
            session,
            search: Search::new(&task, Bytes::ZERO),
            task,
            budget: Bytes::ZERO,
            best: Best::None,
            spare: None,
            encodes: 0,
            cpu: Duration::ZERO,
            keeps_ceiling: acceptable,
            cut_short: false,
            late: false,
            failed: None,
            refused: None,
            fallback_reason: None,
            converted: None,
            verified: None,
            weight: 1.0,
        }
    }

    /// The recipe in hand, if it is an image, scaled or not.
    pub fn image_recipe(&self) -> Option<&ImageRecipe> {
        self.best.recipe().and_then(Recipe::image)
    }

    /// Gives it another budget, in media bytes. A best result that no longer fits is discarded.
    pub fn set_budget(&mut self, budget: Bytes) {
        self.budget = budget;
        self.search.set_budget(budget);
        if self.best.size() > budget {
            self.best = Best::None;
        }
    }

    /// Bytes at the quality at which parts are compared, measured as far as is known.
    pub fn demand(&self) -> f64 {
        self.search.demand().unwrap_or_else(|| self.task.guess())
    }
}

/// What became of one part.
#[derive(Clone)]
pub(in crate::pipeline) enum PartOutcome {
    /// Not one byte of it changed.
    Kept,
    /// Its new bytes or its new label were known before anything was encoded.
    Rewritten,
    /// It went through a codec.
    Encoded(Box<EncodedPart>),
    /// It is left out, or replaced by a notice. `cpu`: the time spent on it for nothing.
    Dropped { cpu: Duration },
}

impl PartOutcome {
    /// What was encoded.
    pub fn encoded(&self) -> Option<&EncodedPart> {
        match self {
            Self::Encoded(part) => Some(part),
            Self::Kept | Self::Rewritten | Self::Dropped { .. } => None,
        }
    }
}

/// The result of a part that was encoded.
#[derive(Clone)]
pub(in crate::pipeline) struct EncodedPart {
    pub recipe: Recipe,
    pub data: Buffer,
    /// What it holds, decoded and checked.
    pub verified: Verified,
    pub budget: Bytes,
    pub encodes: u32,
    pub cpu: Duration,
    pub task: Task,
    pub cut_short: bool,
    /// An animation that became a video, and why.
    pub converted: Option<String>,
    /// Why another result was discarded for this one, where it was not its size.
    pub fallback_reason: Option<String>,
}
