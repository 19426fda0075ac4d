//! Drawings, screenshots and scans: palettes of the whole image, judged by what they look like;
//! then fewer colours and a smaller scale, and a JPEG where that looks better.
//!
//! Measured 2026-11-29 by `cargo bench --bench drawings`, SSIMULACRA2 against the image within the
//! bounds and bytes: a chat of 900×1600 takes 284 kB without loss, 98 kB with 128 colours (90.3),
//! 58 kB with 16 (82.6), 41 kB with 16 at 0.7 of its size (61), and a JPEG of 60 kB has 50. A page
//! with a photo on it is the other way round: 152 kB with 128 colours have 68, a JPEG of 115 kB 78.

use super::{Attempt, ImageTask, Judgement, Observation, Proposal, Situation, jpeg::JpegLane};
use super::{path::PathLane, steps};
use crate::model::{Bytes, Dimensions, ImageCoding, ImageFormat};

/// Colours of the palettes that are tried, until one is good enough.
const COLORS: [u16; 3] = [64, 128, 256];
/// The same of a scan in few grays.
const GRAYS: [u16; 4] = [4, 8, 16, 32];

/// SSIMULACRA2 from which no difference is visible: no more bytes are spent.
const ENOUGH: f32 = 90.0;
/// From here on a drawing does not grow beyond its own bytes to look better, and no JPEG is tried.
const GOOD: f32 = 85.0;
/// The same of ink on paper: a page in four grays has 60 to 75, takes two thirds of the bytes of one
/// in eight, and could not be told from one in sixteen (2026-11-27, by eye).
const LEGIBLE: f32 = 70.0;
/// What looks so with the smallest palette has shades that no palette holds: photos, gradients.
const SHADED: f32 = 75.0;
/// Transparency is not worth an image that looks worse.
const POOR: f32 = 50.0;
/// Bits a pixel of a lossless image that are fewer than what a JPEG of this look takes.
const PLAIN: f64 = 1.0;

/// What a judged encode gave.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Judged {
    dimensions: Dimensions,
    coding: ImageCoding,
    /// Bytes, or a lower bound where there is no score.
    size: u64,
    score: Option<f32>,
}

impl Judged {
    fn is(&self, dimensions: Dimensions, coding: ImageCoding) -> bool {
        (self.dimensions, self.coding) == (dimensions, coding)
    }
}

/// The lane of one drawing.
#[derive(Clone, Debug)]
pub struct DrawingLane {
    largest: Dimensions,
    /// Bytes of the original.
    own: u64,
    /// It can be lossless: no more colours than a palette holds, at its own size.
    exact: bool,
    transparent: bool,
    /// Few grays: ink.
    ink: bool,
    colors: Vec<u16>,
    judged: Vec<Judged>,
    smaller: PathLane,
    jpeg: Option<JpegLane>,
    /// Nothing can be judged any more: the results so far have to do.
    blind: bool,
    /// What the JPEG lane saw.
    photos: Vec<(Attempt, u64)>,
}

const LOSSLESS: ImageCoding = ImageCoding::Png { colors: None, dither: false };

impl DrawingLane {
    pub fn new(task: &ImageTask) -> Self {
        let ink = task.is_line_art();
        let ladder: &[u16] = if ink { &GRAYS } else { &COLORS };
        let distinct = task.facts.distinct_colors.unwrap_or(u16::MAX);
        let exact = distinct <= 256 && task.largest() == task.source;
        let fewer = |n: &u16| !exact || *n < distinct;
        let jpeg = task.formats.contains(&ImageFormat::Jpeg).then(|| JpegLane::new(task));
        Self {
            largest: task.largest(),
            own: task.own.get(),
            exact,
            transparent: task.facts.transparent,
            ink,
            colors: ladder.iter().copied().filter(fewer).collect(),
            judged: Vec::new(),
            smaller: PathLane::new(steps::smaller_drawings(task)),
            jpeg,
            blind: false,
            photos: Vec::new(),
        }
    }

    /// What is known of it: that it is over the budget, or all.
    fn found(&self, dimensions: Dimensions, coding: ImageCoding, budget: u64) -> Option<&Judged> {
        let known = |judged: &&Judged| judged.score.is_some() || judged.size > budget;
        self.judged.iter().find(|judged| judged.is(dimensions, coding)).filter(known)
    }

    /// The look from which no more bytes are spent.
    fn enough(&self) -> f32 {
        if self.ink { GOOD } else { ENOUGH }
    }

    /// The look that is good for its kind.
    fn good(&self) -> f32 {
        if self.ink { LEGIBLE } else { GOOD }
    }

    /// A lossless image that no JPEG can match.
    fn is_plain(&self, judged: &Judged) -> bool {
        judged.size as f64 * 8.0 <= self.largest.pixels() as f64 * PLAIN
            || self.transparent
            || self.jpeg.is_none()
    }

    /// The best of what was judged and fits: good enough with the fewest bytes; else as good as its
    /// own bytes allow; else as good as may be.
    fn choice(&self, budget: u64) -> Option<(Judged, f32)> {
        let fits = self.judged.iter().filter(|judged| judged.size <= budget);
        let all: Vec<_> = fits.filter_map(|judged| Some((*judged, judged.score?))).collect();
        // Lossless and expensive: a good palette at half of its bytes will do as well.
        let cheaper = |judged: &Judged| {
            let other = |(j, score): &(Judged, f32)| *score >= GOOD && j.size * 2 <= judged.size;
            judged.coding == LOSSLESS && !self.is_plain(judged) && all.iter().any(other)
        };
        let all: Vec<_> = all.iter().filter(|(judged, _)| !cheaper(judged)).copied().collect();
        let of = |test: &dyn Fn(&Judged, f32) -> bool| {
            all.iter().filter(|(judged, score)| test(judged, *score)).copied().collect::<Vec<_>>()
        };
        let least = |some: Vec<(Judged, f32)>| some.into_iter().min_by_key(|(j, _)| j.size);
        let best = |some: Vec<(Judged, f32)>| some.into_iter().max_by(|a, b| a.1.total_cmp(&b.1));
        least(of(&|judged, score| score >= self.enough() && judged.size <= self.own))
            .or_else(|| best(of(&|judged, score| score >= self.good() && judged.size <= self.own)))
            .or_else(|| least(of(&|_, score| score >= self.good())))
            .or_else(|| best(all.clone()))
    }

    /// The next palette that may still be better, at full size.
    fn next_palette(&self, budget: u64) -> Option<ImageCoding> {
        for colors in &self.colors {
            let coding = ImageCoding::Png { colors: Some(*colors), dither: false };
            let Some(judged) = self.found(self.largest, coding, budget) else {
                return Some(coding);
            };
            let ends = judged.score.is_none_or(|score| {
                let large = judged.size >= self.own && score >= self.good();
                score >= self.enough() || score < SHADED && !self.ink || large
            });
            if judged.size > budget || ends {
                break;
            }
        }
        None
    }

    /// Whether the smallest palette shows that there are shades which none holds.
    fn shaded(&self, budget: u64) -> bool {
        let first =
            self.colors.first().map(|n| ImageCoding::Png { colors: Some(*n), dither: false });
        let judged = first.and_then(|coding| self.found(self.largest, coding, budget));
        judged.and_then(|judged| judged.score).is_some_and(|score| score < SHADED && !self.ink)
    }

    pub fn propose(&self, now: Situation) -> Proposal {
        if self.blind {
            let choice = self.choice(now.budget);
            return choice.map_or(Proposal::Dead, |choice| self.take(choice.0, now));
        }
        if let Some(proposal) = self.whole(now).or_else(|| self.scaled(now)) {
            return proposal;
        }
        let choice = self.choice(now.budget);
        let enough = choice
            .is_some_and(|choice| self.is_good(&choice) || self.transparent && choice.1 >= POOR);
        match (&self.jpeg, choice) {
            (Some(jpeg), _) if !enough => self.contest(jpeg, now),
            (_, Some(choice)) => self.take(choice.0, now),
            (_, None) => Proposal::Dead,
        }
    }

    /// As large as the device shows it: palettes, and without loss where there are shades.
    fn whole(&self, now: Situation) -> Option<Proposal> {
        let judge = |coding| Some(self.judge(self.largest, coding, now));
        if self.exact {
            let known = self.found(self.largest, LOSSLESS, now.budget);
            let Some(known) = known else { return judge(LOSSLESS) };
            if known.size <= now.budget {
                return Some(self.take(*known, now));
            }
        }
        if let Some(coding) = self.next_palette(now.budget) {
            return judge(coding);
        }
        if let Some(choice) = self.choice(now.budget).filter(|choice| self.is_good(choice)) {
            return Some(self.take(choice.0, now));
        }
        if self.shaded(now.budget) {
            let known = self.found(self.largest, LOSSLESS, now.budget);
            let Some(known) = known else { return judge(LOSSLESS) };
            if known.size <= now.budget && self.is_plain(known) {
                return Some(self.take(*known, now));
            }
            // Dithering hides the steps of shades at the cost of many bytes: a last resort.
            let dots = ImageCoding::Png { colors: Some(256), dither: true };
            if self.transparent && self.found(self.largest, dots, now.budget).is_none() {
                return judge(dots);
            }
        }
        None
    }

    /// Where no palette fits at full size: fewer colours, and then fewer pixels.
    fn scaled(&self, now: Situation) -> Option<Proposal> {
        if self.choice(now.budget).is_some() {
            return None;
        }
        match self.smaller.propose(Situation { best: None, ..now }) {
            Proposal::Dead => None,
            Proposal::Attempt(attempt) => {
                let Attempt { dimensions, coding, .. } = attempt;
                // The JPEG search has ended and asks for its result again: judge its looks.
                let ended = self.smaller.fitting_attempt(now.budget) == Some((dimensions, coding));
                Some(if ended {
                    self.judge(dimensions, coding, now)
                } else {
                    Proposal::Attempt(attempt)
                })
            }
            other => Some(other),
        }
    }

    fn judge(&self, dimensions: Dimensions, coding: ImageCoding, now: Situation) -> Proposal {
        // What is over need not be looked at.
        Proposal::Judge(Attempt { dimensions, coding, cap: Bytes::new(now.budget) })
    }

    /// A lossless result that is not cheap is not good enough: a JPEG may be, for fewer bytes.
    fn is_good(&self, (judged, score): &(Judged, f32)) -> bool {
        *score >= self.good() && (judged.coding != LOSSLESS || self.is_plain(judged))
    }

    /// The best JPEG, and then what looks better.
    fn contest(&self, jpeg: &JpegLane, now: Situation) -> Proposal {
        let fitting = self.photos.iter().filter(|(_, size)| *size <= now.budget);
        let best = fitting.max_by_key(|(_, size)| *size);
        let done = best.is_some() && now.tries_left == 0;
        let asked = Situation { best: best.map(|(_, size)| *size), ..now };
        let proposal = if done { Proposal::Satisfied } else { jpeg.propose(asked) };
        match (proposal, best, self.choice(now.budget)) {
            (Proposal::Satisfied | Proposal::Dead, Some((attempt, _)), _)
                if self.found(attempt.dimensions, attempt.coding, now.budget).is_none() =>
            {
                Proposal::Judge(Attempt { cap: Bytes::new(u64::MAX), ..*attempt })
            }
            (Proposal::Satisfied | Proposal::Dead, _, Some(choice)) => self.take(choice.0, now),
            (other, ..) => other,
        }
    }

    fn take(&self, judged: Judged, now: Situation) -> Proposal {
        if now.kept == Some((judged.dimensions, judged.coding)) {
            return Proposal::Satisfied;
        }
        let Judged { dimensions, coding, size, .. } = judged;
        Proposal::Take(Attempt { dimensions, coding, cap: Bytes::new(u64::MAX) }, size)
    }

    /// Takes note of an encode or a measurement.
    pub fn learn(&mut self, attempt: &Attempt, seen: Observation) -> Observation {
        if let (ImageCoding::Jpeg { .. }, Some(jpeg)) = (attempt.coding, &mut self.jpeg) {
            let seen = jpeg.learn(attempt, seen);
            if let Observation::Size(size) | Observation::Measured(size) = seen {
                self.photos.push((*attempt, size.get()));
            }
            return seen;
        }
        self.smaller.learn(attempt, seen);
        seen
    }

    /// Tells what the best JPEG really takes.
    pub fn correct(&mut self, attempt: &Attempt, actual: Bytes) {
        if let (ImageCoding::Jpeg { .. }, Some(jpeg)) = (attempt.coding, &mut self.jpeg) {
            jpeg.correct(attempt, actual);
            let same = |seen: &Attempt| {
                (seen.dimensions, seen.coding) == (attempt.dimensions, attempt.coding)
            };
            for (_, size) in self.photos.iter_mut().filter(|(seen, _)| same(seen)) {
                *size = actual.get();
            }
        }
    }

    /// Takes note of a judgement.
    pub fn judged(&mut self, attempt: &Attempt, judgement: Option<Judgement>) {
        let Some(judgement) = judgement else {
            self.blind = true;
            return;
        };
        let (size, score) = match judgement {
            Judgement::Size(size, score) => (size, Some(score)),
            Judgement::AtLeast(size) => {
                let over = Bytes::new(attempt.cap.get().saturating_add(1));
                (size.max(over), None)
            }
        };
        self.correct(attempt, size);
        let Attempt { dimensions, coding, .. } = *attempt;
        self.judged.retain(|judged| !judged.is(dimensions, coding));
        self.judged.push(Judged { dimensions, coding, size: size.get(), score });
    }

    /// The smallest of its kinds.
    pub fn harshest(&self) -> Vec<(Dimensions, ImageCoding)> {
        let jpeg = self.jpeg.as_ref().map(JpegLane::harshest);
        self.smaller.harshest().into_iter().chain(jpeg).collect()
    }

    /// Bytes at a fair look: the smallest palette that was judged.
    pub fn demand(&self) -> Option<f64> {
        let sizes = self.judged.iter().filter(|judged| judged.score.is_some());
        sizes.map(|judged| judged.size as f64).reduce(f64::min).or_else(|| self.smaller.demand())
    }
}
