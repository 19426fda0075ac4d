//! Lanes without a quality knob: a fixed ladder of steps, each giving up a little more.
//!
//! Each step has a rough relative size; a [`Curve`] over it, calibrated by the encodes seen so
//! far, tells which step to try next. The mildest step that fits wins.

use super::{Attempt, Observation, Proposal, Situation, curve::Curve};
use crate::model::{Bytes, Dimensions, ImageCoding};

/// A result that fills this share of its budget is full: the next milder step is rarely within
/// reach. The steps of animations are closer.
const FULL: f64 = 0.92;
const MOVING_FULL: f64 = 0.95;

/// One step of a path.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Step {
    /// Output dimensions.
    pub dimensions: Dimensions,
    /// Output coding.
    pub coding: ImageCoding,
    /// Size relative to the first step, roughly; falls from step to step.
    pub factor: f64,
}

/// A path from the mildest step to the harshest.
#[derive(Clone, Debug)]
pub struct PathLane {
    steps: Vec<Step>,
    seen: Vec<Option<Observation>>,
    curve: Curve,
    /// Which share of its mildest step is as good as images are at the reference quality.
    reference: f64,
    /// A result that fills this share of the budget counts as full.
    full: f64,
}

/// A lossless coding is far above it: a third of its bytes buys a JPEG that is alike.
const STILL_REFERENCE: f64 = 1.0 / 3.0;
/// An animation has no such other way: with less than this it begins to lose frames, and then all
/// but one.
const MOVING_REFERENCE: f64 = 0.6;

impl PathLane {
    /// Steps whose factor does not fall are left out.
    pub fn new(steps: Vec<Step>) -> Self {
        let mut falling: Vec<Step> = Vec::with_capacity(steps.len());
        for step in steps {
            if falling.last().is_none_or(|last| step.factor < last.factor * 0.999) {
                falling.push(step);
            }
        }
        let seen = vec![None; falling.len()];
        let curve = Curve::new(1.0);
        Self { steps: falling, seen, curve, reference: STILL_REFERENCE, full: FULL }
    }

    /// The same for animations.
    pub fn moving(self) -> Self {
        Self { reference: MOVING_REFERENCE, full: MOVING_FULL, ..self }
    }

    /// The mildest step that is known to fit, and its size.
    fn fitting(&self, budget: u64) -> Option<(usize, u64)> {
        self.seen.iter().enumerate().find_map(|(i, seen)| match seen {
            Some(Observation::Size(size) | Observation::Measured(size)) if size.get() <= budget => {
                Some((i, size.get()))
            }
            _ => None,
        })
    }

    /// The same, as a recipe.
    pub fn fitting_attempt(&self, budget: u64) -> Option<(Dimensions, ImageCoding)> {
        let step = self.steps.get(self.fitting(budget)?.0)?;
        Some((step.dimensions, step.coding))
    }

    /// The first step above which none can fit.
    fn first_open(&self, budget: u64) -> usize {
        let over = self.seen.iter().rposition(|seen| match seen {
            Some(
                Observation::Size(size) | Observation::Measured(size) | Observation::AtLeast(size),
            ) => size.get() > budget,
            None => false,
        });
        over.map_or(0, |i| i + 1)
    }

    pub fn propose(&self, now: Situation) -> Proposal {
        let fitting = self.fitting(now.budget);
        let low = self.first_open(now.budget);
        let high = fitting.map_or(self.steps.len(), |(i, _)| i);
        let full = fitting.is_some_and(|(_, size)| size as f64 >= now.budget as f64 * self.full);
        if low >= high || full {
            return match fitting {
                None => Proposal::Dead,
                Some((_, size)) if now.best == Some(size) => Proposal::Satisfied,
                // It fits now that the budget has grown, but its bytes were discarded.
                Some((index, _)) => self.attempt(index, now),
            };
        }
        let wanted = match (low.checked_sub(1), fitting) {
            (Some(over), Some((index, size))) => self.between(over, index, size, now),
            (Some(over), None) => self.beyond(over, now),
            (None, _) => low,
        };
        // Out of patience and nothing fits yet: take big steps towards the end.
        let hurry = now.tries_left == 0 && now.best.is_none();
        let wanted = if hurry { wanted.max(low + (high - low) / 2) } else { wanted };
        self.attempt(wanted.clamp(low, high - 1), now)
    }

    /// The mildest step with at most this factor.
    fn at(&self, factor: f64) -> usize {
        self.steps.iter().position(|r| r.factor <= factor).unwrap_or(self.steps.len() - 1)
    }

    /// Below a step that is over, in proportion.
    fn beyond(&self, over: usize, now: Situation) -> usize {
        let size = match self.seen[over] {
            Some(Observation::Size(size) | Observation::Measured(size)) => size.get() as f64,
            // Cut off: somewhat more.
            Some(Observation::AtLeast(size)) => size.get() as f64 * 1.15,
            None => return over + 1,
        };
        self.at(self.steps[over].factor * self.aim(now) as f64 / size.max(1.0))
    }

    /// Between a step that is over and one that fits, where a straight line in logarithms meets
    /// the aim.
    fn between(&self, over: usize, fits: usize, fits_size: u64, now: Situation) -> usize {
        let over_size = match self.seen[over] {
            Some(
                Observation::Size(size) | Observation::Measured(size) | Observation::AtLeast(size),
            ) => size.get(),
            None => return (over + fits).div_ceil(2),
        };
        let (big, small) = ((over_size.max(1) as f64).ln(), (fits_size.max(1) as f64).ln());
        let aim = (self.aim(now) as f64).ln();
        let share = ((aim - small) / (big - small).max(1e-9)).clamp(0.0, 1.0);
        let (from, to) = (self.steps[fits].factor.ln(), self.steps[over].factor.ln());
        self.at((from + (to - from) * share).exp())
    }

    fn attempt(&self, index: usize, now: Situation) -> Proposal {
        let step = self.steps[index];
        // The last step is measured whole: its size is what a refusal reports.
        let cap = if index + 1 == self.steps.len() {
            Bytes::new(u64::MAX)
        } else {
            Bytes::new(now.budget.saturating_mul(3))
        };
        Proposal::Attempt(Attempt { dimensions: step.dimensions, coding: step.coding, cap })
    }

    fn aim(&self, now: Situation) -> u64 {
        let share = if now.tries_left <= 1 && now.best.is_none() { 0.85 } else { 0.96 };
        ((now.budget as f64 * share) as u64).max(1)
    }

    pub fn learn(&mut self, attempt: &Attempt, seen: Observation) {
        let found = self
            .steps
            .iter()
            .position(|r| r.dimensions == attempt.dimensions && r.coding == attempt.coding);
        let Some(index) = found else { return };
        if self.seen[index].is_none_or(|old| matches!(old, Observation::AtLeast(_))) {
            let factor = self.steps[index].factor;
            match seen {
                Observation::Size(size) | Observation::Measured(size) => {
                    self.curve.measured(factor, size.get());
                }
                Observation::AtLeast(size) => self.curve.at_least(factor, size.get()),
            }
            self.seen[index] = Some(seen);
        }
    }

    /// The last step.
    pub fn harshest(&self) -> Option<(Dimensions, ImageCoding)> {
        self.steps.last().map(|step| (step.dimensions, step.coding))
    }

    /// Bytes at the quality at which images are compared.
    pub fn demand(&self) -> Option<f64> {
        Some(self.curve.predict(self.steps.first()?.factor)? * self.reference)
    }
}
