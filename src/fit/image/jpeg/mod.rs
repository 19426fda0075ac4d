//! JPEG: scale × quality × chroma.
//!
//! A curve of size over the quantiser scale is kept for each (scale, chroma) tried. The first
//! guess comes from bytes per pixel; from the second encode on, everything is measured.

mod contest;

use self::contest::Contest;
use super::{Attempt, ImageTask, Observation, Proposal, Situation, curve::Curve};
use crate::model::{Bytes, Chroma, Dimensions, Effort, ImageCoding, Quality};

// Measured 2026-11-26, 11 photos, SSIMULACRA2 at the bounds (means
// at the best quality that fits, which is in brackets):
//               limit   4:2:0         4:4:4         4:2:0 at .8 / .6 / .5 of the size   best of all
//   640×480   100 kB    87.6 (q 96)   90.4 (q 96)                                       90.4
//              60 kB    83.7 (q 93)   85.1 (q 92)   77.6  67.8                          85.3
//              30 kB    73.8 (q 78)   73.1 (q 77)   71.2  64.9                          74.1
//              15 kB    56.7 (q 49)   52.7 (q 44)   56.3  54.8  53.9                    57.7
//               8 kB    30.7 (q 25)   15.8 (q 21)   33.7  35.6  37.4                    37.8
//   1600×1200 300 kB    85.1 (q 92)   85.6 (q 92)   80.2  72.8                          85.9
//             600 kB    89.5 (q 97)   91.3 (q 97)                                       91.4

/// From this quality on, full chroma is worth its bytes: photos without strong colours cross over
/// at 4:4:4 qualities of 88 to 95, and lose a point and a half at most before; the others at 80,
/// and lose twice as much after.
const FULL_CHROMA_FROM: f64 = 86.0;
/// Leaving a choice of chroma once made needs this much more, so that it does not flip.
const CHROMA_INERTIA: f64 = 3.0;
/// Below this quality a smaller image at [`SCALED_QUALITY`] looks better than a big one.
const SCALE_BELOW: f64 = 33.0;
/// The quality that a reduced scale aims for: the best scale of most photos lies at 55 to 80.
const SCALED_QUALITY: f64 = 64.0;
/// So near to the highest quality (in hundredths) the next try is that quality at once.
const NEARLY: u16 = 70;
/// Bytes of a typical photo at quantiser scale 1 %, per pixel, 4:2:0: the prior of the first
/// guess only.
const PRIOR_BYTES_PER_PIXEL: f64 = 1.5;
/// d ln bytes / d ln quantiser scale of a typical photo: the prior until two points are known.
const PRIOR_SLOPE: f64 = -0.74;
/// How much larger 4:4:4 is at equal quality: the prior until both were tried.
const FULL_CHROMA_COST: f64 = 1.05;
/// d ln bytes / d ln linear scale at equal quality: the prior.
const SCALE_EXPONENT: f64 = 1.65;
/// The quality at which images that share a budget are compared, with each other and with audio
/// and video: 0.15 bytes a pixel of a typical photo.
const REFERENCE: f64 = 84.0;
/// JFIF header and tables: bytes that no quality setting removes.
const FIXED_BYTES: f64 = 620.0;

/// Where a curve was measured.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Setting {
    dimensions: Dimensions,
    chroma: Chroma,
}

/// The JPEG lane of a search.
#[derive(Clone, Debug)]
pub struct JpegLane {
    largest: Dimensions,
    full_chroma: bool,
    gray: bool,
    /// Bits are weighed against error: every effort but the least has the time.
    trellis: bool,
    /// No output has a shorter longest side than this, unless the source has.
    floor_side: u32,
    /// The lowest quality ever used.
    lowest: f64,
    /// The highest useful quality, in hundredths.
    highest: u16,
    curves: Vec<(Setting, Curve)>,
    /// Every encode: setting, quality, what came of it.
    seen: Vec<(Setting, Quality, Observation)>,
    /// What an encode took over what was estimated for it.
    bias: Vec<(Setting, f64)>,
    contest: Contest,
}

impl JpegLane {
    pub fn new(task: &ImageTask) -> Self {
        let top = task.ceilings.image_quality_at(task.largest());
        Self {
            largest: task.largest(),
            full_chroma: task.full_chroma && !task.facts.gray,
            gray: task.facts.gray,
            trellis: task.effort != Effort::Fast,
            floor_side: task.floors.image_side,
            lowest: f64::from(task.floors.image_quality),
            // A floor above the ceiling wins: the policy states it.
            highest: Quality::new(top.max(task.floors.image_quality).min(100) as u8).hundredths(),
            curves: Vec::new(),
            seen: Vec::new(),
            bias: Vec::new(),
            contest: if task.effort == Effort::Best { Contest::Wanted } else { Contest::Never },
        }
    }

    fn curve(&self, setting: Setting) -> Option<&Curve> {
        self.curves.iter().find(|(s, _)| *s == setting).map(|(_, c)| c)
    }

    /// The quality at which `setting` should take `target` bytes, by what is known: its own
    /// curve, else that of another setting moved over by the priors, else the prior alone.
    fn quality_for(&self, setting: Setting, target: f64) -> f64 {
        let percent = match self.curve(setting) {
            Some(curve) => curve.solve(net(target)).unwrap_or(100.0),
            None => match self.curves.last() {
                Some((other, curve)) => {
                    let moved = net(target) as f64 / self.ratio(setting, *other);
                    curve.solve((moved as u64).max(1)).unwrap_or(100.0)
                }
                None => {
                    let per_pixel = net(target) as f64 / self.prior_pixels(setting);
                    (per_pixel / PRIOR_BYTES_PER_PIXEL).powf(1.0 / PRIOR_SLOPE)
                }
            },
        };
        quality_of(percent)
    }

    /// Expected size of setting `a` over that of `b` at equal quality.
    fn ratio(&self, a: Setting, b: Setting) -> f64 {
        let linear = (a.dimensions.pixels() as f64 / b.dimensions.pixels() as f64).sqrt();
        linear.powf(SCALE_EXPONENT) * self.chroma_cost(a) / self.chroma_cost(b)
    }

    fn chroma_cost(&self, setting: Setting) -> f64 {
        if setting.chroma == Chroma::Full && !self.gray { FULL_CHROMA_COST } else { 1.0 }
    }

    fn prior_pixels(&self, setting: Setting) -> f64 {
        setting.dimensions.pixels() as f64 * self.chroma_cost(setting)
    }

    /// Scale and chroma for a budget.
    fn choose(&self, target: f64) -> Setting {
        if let Some(winner) = self.contest.winner(target) {
            return winner;
        }
        let last = self.seen.last().map(|(setting, ..)| *setting);
        let at = |dimensions, chroma| Setting { dimensions, chroma };
        let size = match last {
            // A reduced scale stays unless the budget has outgrown it.
            Some(setting) if setting.dimensions != self.largest => {
                let quality = self.quality_for(at(setting.dimensions, Chroma::Quarter), target);
                if (SCALE_BELOW..85.0).contains(&quality) {
                    setting.dimensions
                } else {
                    self.scale(target)
                }
            }
            _ => self.scale(target),
        };
        if !self.full_chroma {
            return at(size, Chroma::Quarter);
        }
        let threshold = match last {
            Some(Setting { chroma: Chroma::Full, .. }) => FULL_CHROMA_FROM - CHROMA_INERTIA,
            Some(_) => FULL_CHROMA_FROM + CHROMA_INERTIA / 2.0,
            None => FULL_CHROMA_FROM,
        };
        let full = at(size, Chroma::Full);
        if self.quality_for(full, target) >= threshold { full } else { at(size, Chroma::Quarter) }
    }

    /// The scale at which the target allows a fair quality.
    fn scale(&self, target: f64) -> Dimensions {
        let whole = Setting { dimensions: self.largest, chroma: Chroma::Quarter };
        if self.quality_for(whole, target) >= SCALE_BELOW {
            return self.largest;
        }
        // Nothing measured yet: first see how the image really behaves.
        if self.curves.is_empty() && self.quality_for(whole, target * 2.0) >= SCALE_BELOW {
            return self.largest;
        }
        let floor = self.floor_scale();
        let mut z: f64 = 1.0;
        while z > floor {
            z = (z * 0.94).max(floor);
            let dimensions = self.largest.scaled(z);
            let setting = Setting { dimensions, chroma: Chroma::Quarter };
            if self.quality_for(setting, target) >= SCALED_QUALITY {
                return dimensions;
            }
        }
        self.largest.scaled(floor)
    }

    pub fn propose(&self, now: Situation) -> Proposal {
        let budget = now.budget as f64;
        // An encode that fits and fills is enough.
        if now.best.is_some_and(|best| best as f64 >= budget * now.accept) {
            return Proposal::Satisfied;
        }
        let aim = if now.tries_left <= 1 && now.best.is_none() {
            // The last regular try has to fit; after it, aim lower each time.
            let over = |seen: &Observation| match seen {
                Observation::Size(size) | Observation::AtLeast(size) => size.get() > now.budget,
                Observation::Measured(_) => false,
            };
            let misses = self.seen.iter().filter(|(.., seen)| over(seen)).count() as i32;
            budget * 0.94 * 0.88_f64.powi((misses - 2).max(0))
        } else {
            budget * (0.5 + 0.5 * now.accept.min(1.0))
        };
        let setting = self.choose(aim);
        let (fits, over) = self.bracket(setting, now.budget);
        if let Some(contest) = self.contest(setting, aim) {
            return contest;
        }
        // What was too small or too large for the estimate of it may be known better by now.
        if let Some((quality, size)) = fits
            && size as f64 >= budget * now.accept
            && now.best.is_none_or(|best| best < size)
        {
            return self.attempt(setting, quality, now);
        }
        let mut hundredths = (self.quality_for(setting, aim) * 100.0)
            .floor()
            .clamp(self.lowest * 100.0, f64::from(self.highest))
            as u16;
        let low = fits.map_or(self.lowest as u16 * 100 - 1, |(q, _)| q.hundredths());
        let high = over.map_or(self.highest + 1, |q| q.hundredths().min(self.highest + 1));
        if high <= low + 1 {
            return match (fits, now.best) {
                (Some((_, size)), Some(best)) if size <= best => Proposal::Satisfied,
                (Some((quality, _)), _) => self.attempt(setting, quality, now),
                (None, Some(_)) => Proposal::Satisfied,
                (None, None) => Proposal::Dead,
            };
        }
        // Near the top a step more costs little: go there at once.
        if hundredths + NEARLY >= self.highest && over.is_none() {
            hundredths = self.highest;
        }
        // Strictly inside the bracket, and not hugging its lower end: a step that gains nothing
        // is a wasted encode.
        hundredths = hundredths.clamp(low + 1, high - 1);
        if now.best.is_some() && fits.is_some() && hundredths <= low + 1 && high - low > 40 {
            hundredths = low + (high - low) / 3;
        }
        // At the floor of size and quality, with nothing that fits: one last look.
        if setting.dimensions == self.floor() && now.best.is_none() && now.tries_left == 0 {
            hundredths = (self.lowest * 100.0) as u16;
        }
        self.attempt(setting, Quality::from_hundredths(hundredths), now)
    }

    fn floor(&self) -> Dimensions {
        self.largest.scaled(self.floor_scale())
    }

    fn floor_scale(&self) -> f64 {
        (f64::from(self.floor_side) / f64::from(self.largest.longest())).min(1.0)
    }

    fn attempt(&self, setting: Setting, quality: Quality, now: Situation) -> Proposal {
        let known = self.seen.iter().any(|(s, q, seen)| {
            *s == setting
                && *q == quality
                && matches!(seen, Observation::Size(n) | Observation::Measured(n) if n.get() > now.budget)
        });
        if known {
            return if now.best.is_some() { Proposal::Satisfied } else { Proposal::Dead };
        }
        let at_floor = setting.dimensions == self.floor();
        // While tries are left, an exact size above the budget is worth more than a bound.
        let cap = match (now.tries_left, at_floor) {
            (_, true) => u64::MAX,
            (0 | 1, _) => now.budget,
            _ => now.budget.saturating_mul(2),
        };
        Proposal::Attempt(Attempt {
            dimensions: setting.dimensions,
            coding: ImageCoding::Jpeg { quality, chroma: setting.chroma, trellis: self.trellis },
            cap: Bytes::new(cap),
        })
    }

    /// The best quality known to fit with its size, and the lowest known not to.
    fn bracket(&self, setting: Setting, budget: u64) -> (Option<(Quality, u64)>, Option<Quality>) {
        let mut fits: Option<(Quality, u64)> = None;
        let mut over: Option<Quality> = None;
        for (_, quality, seen) in self.seen.iter().filter(|(s, ..)| *s == setting) {
            match seen {
                Observation::Size(size) | Observation::Measured(size) if size.get() <= budget => {
                    if fits.is_none_or(|(q, _)| *quality > q) {
                        fits = Some((*quality, size.get()));
                    }
                }
                Observation::Size(size)
                | Observation::Measured(size)
                | Observation::AtLeast(size) => {
                    if size.get() > budget && over.is_none_or(|q| *quality < q) {
                        over = Some(*quality);
                    }
                }
            }
        }
        // Size is not strictly monotone in quality: what fits counts more.
        if let (Some((q, _)), Some(o)) = (fits, over)
            && o <= q
        {
            over = None;
        }
        (fits, over)
    }

    /// Takes note, and tells what it means: an estimate is corrected by what is known of others.
    pub fn learn(&mut self, attempt: &Attempt, seen: Observation) -> Observation {
        let ImageCoding::Jpeg { quality, chroma, .. } = attempt.coding else { return seen };
        let setting = Setting { dimensions: attempt.dimensions, chroma };
        let seen = match seen {
            Observation::Measured(size) => Observation::Measured(times(size, self.bias(setting))),
            other => other,
        };
        if !self.curves.iter().any(|(s, _)| *s == setting) {
            self.curves.push((setting, Curve::new(PRIOR_SLOPE)));
        }
        if let Some((_, curve)) = self.curves.iter_mut().find(|(s, _)| *s == setting) {
            let percent = quality.table_percent();
            match seen {
                Observation::Size(size) | Observation::Measured(size) => {
                    curve.measured(percent, net(size.get() as f64));
                }
                Observation::AtLeast(size) => curve.at_least(percent, net(size.get() as f64)),
            }
        }
        self.seen.push((setting, quality, seen));
        seen
    }

    /// The rows that are sampled are the same for all settings, so that one tells of another.
    fn bias(&self, setting: Setting) -> f64 {
        let own = self.bias.iter().find(|(s, _)| *s == setting);
        own.or(self.bias.last()).map_or(1.0, |(_, bias)| *bias)
    }

    /// Tells what an encode took whose size was only estimated: the other estimates at this
    /// setting are off by the same share.
    pub fn correct(&mut self, attempt: &Attempt, actual: Bytes) {
        let ImageCoding::Jpeg { quality, chroma, .. } = attempt.coding else { return };
        let setting = Setting { dimensions: attempt.dimensions, chroma };
        let estimated = self.seen.iter().find_map(|entry| match entry {
            (s, q, Observation::Measured(size)) if (*s, *q) == (setting, quality) => Some(*size),
            _ => None,
        });
        let Some(estimated) = estimated else { return };
        let ratio = actual.get() as f64 / estimated.get().max(1) as f64;
        for (_, q, seen) in self.seen.iter_mut().filter(|entry| entry.0 == setting) {
            match seen {
                Observation::Measured(_) if *q == quality => *seen = Observation::Size(actual),
                Observation::Measured(size) => *seen = Observation::Measured(times(*size, ratio)),
                Observation::Size(_) | Observation::AtLeast(_) => {}
            }
        }
        if let Some((_, curve)) = self.curves.iter_mut().find(|(s, _)| *s == setting) {
            curve.rescale(ratio);
        }
        match self.bias.iter_mut().find(|(s, _)| *s == setting) {
            Some((_, bias)) => *bias *= ratio,
            None => {
                let before = self.bias(setting);
                self.bias.push((setting, before * ratio));
            }
        }
    }

    /// The smallest dimensions at the lowest quality.
    pub fn harshest(&self) -> (Dimensions, ImageCoding) {
        let quality = Quality::from_hundredths((self.lowest * 100.0) as u16);
        let coding = ImageCoding::Jpeg { quality, chroma: Chroma::Quarter, trellis: self.trellis };
        (self.floor(), coding)
    }

    /// Bytes at the reference quality and full size.
    pub fn demand(&self) -> Option<f64> {
        let (setting, curve) = self.curves.last()?;
        let whole = Setting { dimensions: self.largest, chroma: Chroma::Quarter };
        let percent = Quality::new(REFERENCE as u8).table_percent();
        Some(curve.predict(percent)? * self.ratio(whole, *setting) + FIXED_BYTES)
    }
}

fn times(size: Bytes, ratio: f64) -> Bytes {
    Bytes::new((size.get() as f64 * ratio) as u64)
}

/// Bytes that quality can change.
fn net(size: f64) -> u64 {
    (size - FIXED_BYTES).max(64.0) as u64
}

fn quality_of(percent: f64) -> f64 {
    if percent > 100.0 { 5000.0 / percent } else { (200.0 - percent) / 2.0 }
}
