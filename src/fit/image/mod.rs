//! The search for one image by lanes. A lane is one coding family (JPEG, palettes, drawings)
//! searched on its own, with its own knobs.
//!
//! Everything is measured on the image at hand: no table predicts a size from file size and
//! quality factor.

mod attempt;
mod curve;
mod drawing;
mod jpeg;
mod lane;
mod path;
mod patience;
mod steps;
mod task;

#[cfg(test)]
mod tests;

pub use task::ImageTask;

use self::attempt::{Attempt, Proposal, Situation};
use self::lane::Lane;
use self::patience::{ENCODE, HARD_LIMIT, MEASUREMENT, MOST_ENCODES, MOST_JUDGEMENTS, Patience};
use super::{Judgement, Observation, SearchStep, Verdict};
use crate::model::{Bytes, Dimensions, ImageCoding, ImageRecipe, Recipe, Rgb};

/// The best result so far.
#[derive(Clone, Copy, Debug)]
struct Best {
    size: u64,
    lane: usize,
    attempt: Attempt,
}

/// The search for one image.
#[derive(Clone, Debug)]
pub struct ImageSearch {
    lanes: Vec<Lane>,
    lane: usize,
    background: Rgb,
    patience: Patience,
    ceiling: u64,
    budget: u64,
    /// A drawing coded without loss: no JPEG is made of it only to stay below its own size.
    drawing: bool,
    /// Thirds of encodes spent.
    spent: u32,
    /// Whole encodes, whatever their size.
    encodes: u32,
    pending: Option<Attempt>,
    /// What is being judged, and how often that was done.
    looked_at: Option<Attempt>,
    judgements: u32,
    /// The size that everything is compared at.
    largest: Dimensions,
    /// What is being compared, for about this many bytes.
    compared: Option<(f64, Vec<(Dimensions, ImageCoding)>)>,
    best: Option<Best>,
    /// The best of those that were encoded: what is left where a better one, only measured, turns
    /// out to be over.
    settled: Option<Best>,
    smallest: Option<u64>,
    finished: bool,
}

impl ImageSearch {
    /// A search for `task` within `budget` media bytes.
    pub fn new(task: &ImageTask, budget: Bytes) -> Self {
        let ceiling = task.ceiling.map_or(u64::MAX, Bytes::get).max(1);
        Self {
            lanes: lane::lanes(task),
            lane: 0,
            background: task.background,
            patience: Patience::of(task.effort, task.animate),
            ceiling,
            budget: budget.get().min(ceiling),
            drawing: task.is_drawing(),
            spent: 0,
            encodes: 0,
            pending: None,
            looked_at: None,
            judgements: 0,
            largest: task.largest(),
            compared: None,
            best: None,
            settled: None,
            smallest: None,
            finished: false,
        }
    }

    /// Changes the budget between two steps; what was learnt stays. A best result that no longer
    /// fits is discarded.
    pub fn set_budget(&mut self, budget: Bytes) {
        let budget = budget.get().min(self.ceiling);
        if budget == self.budget {
            return;
        }
        if budget > self.budget {
            // More is possible: half the patience again.
            self.spent = self.spent.min(self.patience.tries * ENCODE / 2);
        }
        self.budget = budget;
        self.finished = false;
        self.settled = self.settled.filter(|settled| settled.size <= budget);
        if self.best.is_some_and(|best| best.size > budget) {
            self.best = None;
        }
        // With more room an earlier, better lane may come within reach again: lanes remember
        // what they saw and end at once where nothing has changed.
        if self.best.is_none() {
            self.lane = 0;
        }
    }

    /// The original's size no longer caps the result. What was learnt stays; `frugal` goes on
    /// behind the first lane, whose bytes are the most.
    pub fn lift_ceiling(&mut self, budget: Bytes, frugal: bool) {
        self.ceiling = u64::MAX;
        self.budget = budget.get();
        self.finished = false;
        (self.best, self.settled) = (None, None);
        self.lane = usize::from(frugal && self.lanes.len() > 1);
    }

    /// Encodes observed so far, measurements counted as thirds; rounded up.
    pub fn tries(&self) -> u32 {
        self.spent.div_ceil(ENCODE)
    }

    /// Whether more bytes could not improve the result.
    pub fn saturated(&self) -> bool {
        self.best.is_some_and(|best| {
            matches!(
                self.lanes[best.lane].propose(Situation {
                    budget: best.size.saturating_mul(64),
                    tries_left: 8,
                    accept: 1.0,
                    best: Some(best.size),
                    kept: Some((best.attempt.dimensions, best.attempt.coding)),
                }),
                Proposal::Satisfied
            )
        })
    }

    /// Bytes that this image takes at the reference quality, as far as is known: the measure
    /// by which images share a budget so that all come out alike.
    pub fn demand(&self) -> Option<f64> {
        self.lanes.get(self.lane).and_then(Lane::demand)
    }

    /// The harshest recipe of every lane: the smallest of their outputs is the smallest that can
    /// be reached.
    pub fn harshest(task: &ImageTask) -> Vec<Recipe> {
        lane::lanes(task)
            .iter()
            .flat_map(|lane| match lane {
                Lane::Jpeg(lane) => vec![lane.harshest()],
                Lane::Path(lane) => lane.harshest().into_iter().collect(),
                Lane::Drawing(lane) => lane.harshest(),
            })
            .map(|(dimensions, coding)| {
                Recipe::Image(ImageRecipe { dimensions, coding, background: task.background })
            })
            .collect()
    }

    /// What to do next.
    pub fn step(&mut self) -> SearchStep {
        if self.finished {
            return self.end();
        }
        loop {
            let Some(lane) = self.lanes.get(self.lane) else {
                self.finished = true;
                return self.end();
            };
            let own_size_binds = self.drawing && self.budget == self.ceiling;
            if own_size_binds && self.lane > 0 && matches!(lane, Lane::Jpeg(_)) {
                self.lane = self.lanes.len();
                continue;
            }
            let allowed = self.patience.tries * ENCODE;
            // What is to be judged is ended by its lane.
            let judged = matches!(lane, Lane::Drawing(_));
            let out_of_patience = self.spent >= allowed && self.best.is_some() && !judged;
            if out_of_patience || self.judgements >= MOST_JUDGEMENTS || self.spent >= HARD_LIMIT {
                self.finished = true;
                return self.end();
            }
            let proposal = lane.propose(Situation {
                budget: self.budget,
                tries_left: allowed.saturating_sub(self.spent).div_ceil(ENCODE),
                accept: self.patience.accept,
                best: self.best.map(|best| best.size),
                kept: self.best.map(|best| (best.attempt.dimensions, best.attempt.coding)),
            });
            match proposal {
                Proposal::Attempt(attempt) => {
                    self.pending = Some(attempt);
                    let recipe = self.recipe(attempt);
                    return SearchStep::Try { recipe, cap: attempt.cap };
                }
                Proposal::Judge(attempt) => {
                    self.looked_at = Some(attempt);
                    let recipe = self.recipe(attempt);
                    return SearchStep::Judge { recipe, largest: self.largest, cap: attempt.cap };
                }
                Proposal::Take(attempt, size) => {
                    self.best = Some(Best { size, lane: self.lane, attempt });
                    self.settled = self.best;
                    return SearchStep::Take { recipe: self.recipe(attempt) };
                }
                Proposal::Compare(aim, settings) => {
                    let background = self.background;
                    let recipes = settings
                        .iter()
                        .map(|&(dimensions, coding)| {
                            Recipe::Image(ImageRecipe { dimensions, coding, background })
                        })
                        .collect();
                    self.compared = Some((aim, settings));
                    return SearchStep::Compare { recipes };
                }
                Proposal::Satisfied => {
                    self.finished = true;
                    return self.end();
                }
                Proposal::Dead => self.lane += 1,
            }
        }
    }

    fn recipe(&self, attempt: Attempt) -> Recipe {
        let Attempt { dimensions, coding, .. } = attempt;
        Recipe::Image(ImageRecipe { dimensions, coding, background: self.background })
    }

    /// Tells what came of what was to be judged.
    pub fn judged(&mut self, judgement: Option<Judgement>) {
        let Some(attempt) = self.looked_at.take() else { return };
        self.judgements += 1;
        if let Some(Judgement::Size(size, _)) = judgement {
            self.encodes += 1;
            self.smallest = Some(self.smallest.map_or(size.get(), |s| s.min(size.get())));
            // It was only measured before.
            let over = |best: &Best| best.attempt == attempt && size.get() > self.budget;
            self.best = self.best.filter(|best| !over(best));
        }
        if let Some(Lane::Drawing(lane)) = self.lanes.get_mut(self.lane) {
            lane.judged(&attempt, judgement);
        }
    }

    fn end(&self) -> SearchStep {
        if self.best.is_some() {
            SearchStep::Done
        } else {
            SearchStep::Exhausted { smallest: Bytes::new(self.smallest.unwrap_or(0)) }
        }
    }

    /// Tells which of the recipes compared looks best.
    pub fn choose(&mut self, best: Option<usize>) {
        let Some((aim, settings)) = self.compared.take() else { return };
        if let Some(Lane::Jpeg(lane)) = self.lanes.get_mut(self.lane) {
            lane.decide(aim, best.and_then(|best| settings.get(best)).copied());
        }
    }

    /// Tells what the last proposed encode gave.
    pub fn observe(&mut self, seen: Observation) -> Verdict {
        let Some(attempt) = self.pending.take() else { return Verdict::Discard };
        self.encodes += u32::from(!matches!(seen, Observation::Measured(_)));
        self.spent += match seen {
            Observation::Size(_) | Observation::AtLeast(_) => ENCODE,
            Observation::Measured(_) => MEASUREMENT,
        };
        let size = match self.lanes[self.lane].learn(&attempt, seen) {
            Observation::Size(size) | Observation::Measured(size) => size.get(),
            Observation::AtLeast(_) => return Verdict::Discard,
        };
        self.smallest = Some(self.smallest.map_or(size, |s| s.min(size)));
        // Within one lane more bytes are better quality; a later lane only ever starts when no
        // earlier one could fit.
        if size <= self.budget && self.best.is_none_or(|best| size > best.size) {
            self.best = Some(Best { size, lane: self.lane, attempt });
            Verdict::Keep
        } else {
            Verdict::Discard
        }
    }

    /// The size of the best result that was encoded after having been measured.
    pub fn settled(&self) -> Option<Bytes> {
        self.settled.map(|best| Bytes::new(best.size))
    }

    /// Whether nothing more will be tried.
    pub fn is_finished(&self) -> bool {
        self.finished
    }

    /// The session cannot encode what was proposed: the next lane follows.
    pub fn refuse(&mut self) {
        self.pending = None;
        self.lane += 1;
    }

    /// The best result cannot be used after all, and so nothing of this search can.
    pub fn reject(&mut self) {
        (self.best, self.settled) = (None, None);
        self.lane = self.lanes.len();
        self.finished = true;
    }

    /// Tells what the best result, so far only measured, really takes. If that is over the
    /// budget, or too far below it, the search goes on, as long as it has patience: now it knows
    /// how far its measure is off.
    pub fn settle(&mut self, actual: Bytes) -> Verdict {
        let Some(best) = self.best else { return Verdict::Discard };
        self.spent += ENCODE - MEASUREMENT;
        self.encodes += 1;
        self.lanes[best.lane].correct(&best.attempt, actual);
        if actual.get() <= self.budget {
            self.best = Some(Best { size: actual.get(), ..best });
            self.settled = self.best;
            let full = actual.get() as f64 >= self.budget as f64 * self.patience.accept;
            let many = self.encodes >= MOST_ENCODES;
            self.finished = full || many || self.spent >= self.patience.tries * ENCODE;
            Verdict::Keep
        } else {
            self.best = self.settled;
            self.finished = false;
            Verdict::Discard
        }
    }
}
