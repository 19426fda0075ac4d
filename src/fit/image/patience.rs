//! How long a search goes on, by effort.

use crate::model::Effort;

/// How far an effort goes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Patience {
    /// Encodes, as long as one of them fits. A mere measurement counts a third.
    pub tries: u32,
    /// A result that fills this share of its budget is good enough.
    pub accept: f64,
}

impl Patience {
    /// An animation has three things to reduce, and only encodes measure it.
    pub fn of(effort: Effort, animate: bool) -> Self {
        let patience = Self::of_still(effort);
        if animate { Self { tries: patience.tries + 2, ..patience } } else { patience }
    }

    fn of_still(effort: Effort) -> Self {
        match effort {
            Effort::Fast => Self { tries: 2, accept: 0.95 },
            Effort::Balanced => Self { tries: 4, accept: 0.985 },
            Effort::Best => Self { tries: 6, accept: 0.992 },
        }
    }
}

/// What an encode and a measurement count, in thirds of an encode.
pub(super) const ENCODE: u32 = 3;
pub(super) const MEASUREMENT: u32 = 1;

/// After this many encodes a result that fits is not made any fuller.
pub(super) const MOST_ENCODES: u32 = 3;

/// Thirds of encodes after which the search gives up even though nothing fits: the harshest
/// recipe of every lane has been tried long before.
pub(super) const HARD_LIMIT: u32 = 72;

/// Encodes that are looked at, at most: a few palettes, and a JPEG for every budget.
pub(super) const MOST_JUDGEMENTS: u32 = 24;
