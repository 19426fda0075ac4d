//! What lanes are asked, and what they answer.

use super::{Observation, drawing::DrawingLane, jpeg::JpegLane, path::PathLane};
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
    /// Which looks best at the bytes of the first, which are about so many?
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

/// One way of coding, with its own knobs.
#[derive(Clone, Debug)]
pub(super) enum Lane {
    Jpeg(JpegLane),
    Path(PathLane),
    Drawing(Box<DrawingLane>),
}

impl Lane {
    pub fn propose(&self, situation: Situation) -> Proposal {
        match self {
            Self::Jpeg(lane) => lane.propose(situation),
            Self::Path(lane) => lane.propose(situation),
            Self::Drawing(lane) => lane.propose(situation),
        }
    }

    /// Takes note of an observation, and tells what it means.
    pub fn learn(&mut self, attempt: &Attempt, seen: Observation) -> Observation {
        match self {
            Self::Jpeg(lane) => lane.learn(attempt, seen),
            Self::Path(lane) => {
                lane.learn(attempt, seen);
                seen
            }
            Self::Drawing(lane) => lane.learn(attempt, seen),
        }
    }

    pub fn correct(&mut self, attempt: &Attempt, actual: Bytes) {
        match self {
            Self::Jpeg(lane) => lane.correct(attempt, actual),
            Self::Path(lane) => lane.learn(attempt, Observation::Size(actual)),
            Self::Drawing(lane) => lane.correct(attempt, actual),
        }
    }

    pub fn demand(&self) -> Option<f64> {
        match self {
            Self::Jpeg(lane) => lane.demand(),
            Self::Path(lane) => lane.demand(),
            Self::Drawing(lane) => lane.demand(),
        }
    }
}
