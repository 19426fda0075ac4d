//! What lanes are asked, and what they answer.

use crate::model::{Bytes, Dimensions, ImageCoding};

/// One attempt, as lanes propose it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Attempt {
    pub dimensions: Dimensions,
    pub coding: ImageCoding,
    pub cap: Bytes,
}

/// What a lane says when asked for its next attempt.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Proposal {
    Attempt(Attempt),
    /// What does this look like?
    Judge(Attempt),
    /// The best of those judged, and its size.
    Take(Attempt, u64),
    /// Which looks best at the bytes of the first? Its approximate bytes are given.
    Compare(f64, Vec<(Dimensions, ImageCoding)>),
    /// The lane has its result; going on would not improve it.
    Satisfied,
    /// The lane cannot meet the budget.
    Dead,
}

/// What lanes need to know of the search around them.
#[derive(Clone, Copy, Debug)]
pub(super) struct Situation {
    /// Output must not be larger than this.
    pub budget: u64,
    /// Encodes left before patience ends; 0 when only a first fit is still wanted.
    pub tries_left: u32,
    /// Good enough: this share of the budget.
    pub accept: f64,
    /// Size of the best result so far, whose bytes are in hand.
    pub best: Option<u64>,
    /// Its recipe.
    pub kept: Option<(Dimensions, ImageCoding)>,
}
