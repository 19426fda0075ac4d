//! Landing on a byte count: what a first pass took tells what every frame of the second may take.
//! Pure: bits in, quantisers out.

/// How bits follow the quantiser.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Law {
    /// Bits in proportion to `q^-a`: the uniform quantisers of H.263 and MPEG-4.
    Power {
        /// The exponent.
        a: f64,
    },
    /// Half the bits for every `step` more: the logarithmic ones of H.264.
    Halving {
        /// Six in theory (a step of the quantiser doubles every six).
        step: f64,
    },
}

impl Law {
    /// The quantiser that gives `factor` times the bits that `from` gives.
    fn moved(self, from: f64, factor: f64) -> f64 {
        match self {
            Self::Power { a } => from * factor.powf(-1.0 / a),
            Self::Halving { step } => from - step * factor.log2(),
        }
    }

    /// The law through two runs, each as quantiser and bits; this one where they tell nothing.
    pub fn through(self, one: (f64, f64), other: (f64, f64)) -> Self {
        let bits = (other.1 / one.1).log2();
        let found = match self {
            Self::Power { .. } => Self::Power { a: -bits / (other.0 / one.0).log2() },
            Self::Halving { .. } => Self::Halving { step: -(other.0 - one.0) / bits },
        };
        match found {
            Self::Power { a } if (0.5..=2.5).contains(&a) => found,
            Self::Halving { step } if (2.5..=12.0).contains(&step) => found,
            _ => self,
        }
    }

    /// The bits at `to`, where `from` gives one.
    fn bits(self, from: f64, to: f64) -> f64 {
        match self {
            Self::Power { a } => (to / from).powf(-a),
            Self::Halving { step } => ((from - to) / step).exp2(),
        }
    }
}

/// The plan of a second pass, corrected by what it really takes.
#[derive(Clone, Debug)]
pub(super) struct Controller {
    law: Law,
    /// Bits of every frame in the first pass, and its quantiser.
    first: Vec<f64>,
    at: f64,
    /// Sums of `first` from every frame to the end.
    rest: Vec<f64>,
    /// Frames of more bits than these are key frames.
    key: f64,
    target: f64,
    /// What the second pass takes, for what the first one predicts: settings differ.
    gain: f64,
    seen: f64,
    predicted: f64,
    spent: f64,
    /// Quantisers given out, oldest first; those before `observed` are known.
    given: Vec<f64>,
    observed: usize,
    bounds: (f64, f64),
    most_change: f64,
    steady: bool,
}

impl Controller {
    /// `first`: bits of each frame at quantiser `at`. `gain`: what a frame is expected to take in
    /// the second pass where the first predicts one. `target`: bits for all.
    pub fn new(
        law: Law,
        first: Vec<f64>,
        at: f64,
        gain: f64,
        target: f64,
        bounds: (f64, f64),
    ) -> Self {
        let mut rest = vec![0.0; first.len() + 1];
        for n in (0..first.len()).rev() {
            rest[n] = rest[n + 1] + first[n];
        }
        // Where first and second pass weigh frames, those that stand alone follow another law
        // than those that lean on others, and are most of a short video: what they take tells
        // nothing of the rest.
        let mean = rest.get(1).copied().unwrap_or(0.0) / (first.len().max(2) - 1) as f64;
        let key = match law {
            Law::Power { .. } => f64::INFINITY,
            Law::Halving { .. } => 4.0 * mean,
        };
        // A factor, a difference: what is not seen from one frame to the next.
        let most_change = match law {
            Law::Power { .. } => 1.15,
            Law::Halving { .. } => 0.3,
        };
        Self {
            law,
            first,
            at,
            rest,
            key,
            target,
            gain,
            seen: 0.0,
            predicted: 0.0,
            spent: 0.0,
            given: Vec::new(),
            observed: 0,
            bounds,
            most_change,
            steady: false,
        }
    }

    /// The same quantiser for all: where there are too few frames to learn from.
    pub fn steady(mut self, steady: bool) -> Self {
        self.steady = steady;
        self
    }

    /// The quantiser of the first frame that has not come back, and of those behind it until told
    /// otherwise: for an encoder that looks ahead, and codes a frame as it stands when another is
    /// sent.
    pub fn steer(&mut self) -> f64 {
        self.given.truncate(self.observed.max(usize::from(self.steady)));
        self.next()
    }

    /// The quantiser of the next frame.
    pub fn next(&mut self) -> f64 {
        if let Some(first) = self.given.first().copied().filter(|_| self.steady) {
            self.given.push(first);
            return first;
        }
        let n = self.given.len().min(self.first.len());
        // Given out, but not come back yet.
        let flying: f64 = (self.observed..n).map(|i| self.expected(i, self.given[i])).sum();
        let left = (self.target - self.spent - flying).max(1.0);
        let needed = (self.rest[n] * self.gain).max(1.0);
        let mut wanted = self.law.moved(self.at, left / needed);
        if let Some(before) = self.given.last() {
            wanted = match self.law {
                Law::Power { .. } => {
                    wanted.clamp(before / self.most_change, before * self.most_change)
                }
                Law::Halving { .. } => {
                    wanted.clamp(before - self.most_change, before + self.most_change)
                }
            };
        }
        let wanted = wanted.clamp(self.bounds.0, self.bounds.1);
        self.given.push(wanted);
        wanted
    }

    fn expected(&self, n: usize, quantiser: f64) -> f64 {
        self.first.get(n).copied().unwrap_or(0.0) * self.gain * self.law.bits(self.at, quantiser)
    }

    /// What every frame would have taken at the first pass's quantiser, by what it took at its own:
    /// a better first pass for another second one.
    pub fn learnt(&self, took: &[f64], law: Law) -> Vec<f64> {
        let at = |(n, bits): (usize, &f64)| {
            let given = self.given.get(n).or(self.given.last()).copied().unwrap_or(self.at);
            bits / law.bits(self.at, given)
        };
        took.iter().enumerate().map(at).collect()
    }

    /// The quantiser of all frames, on the average.
    pub fn mean(&self) -> f64 {
        self.given.iter().sum::<f64>() / self.given.len().max(1) as f64
    }

    /// Whether another run could come nearer: the quantisers were not all at their end.
    pub fn could_do_better(&self, over: bool) -> bool {
        let end = if over { self.bounds.1 } else { self.bounds.0 };
        self.given.iter().any(|given| (given - end).abs() > 1e-9)
    }

    /// What the next frame that comes back took.
    pub fn observe(&mut self, bits: f64) {
        let n = self.observed;
        let given = self.given.get(n).or(self.given.last());
        if let (Some(first), Some(given)) = (self.first.get(n), given)
            && *first < self.key
        {
            self.predicted += first * self.law.bits(self.at, *given);
            self.seen += bits;
            // The first guess counts as much as a sixteenth of the whole.
            let weight = self.rest[0] / 16.0 * self.law.bits(self.at, *given);
            self.gain = (self.seen + self.gain * weight) / (self.predicted + weight).max(1.0);
        }
        self.spent += bits;
        self.observed += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A codec whose frames come back `delay` later and whose law is not quite ours.
    fn run(law: Law, truth: Law, gain: f64, at: f64, target: f64, delay: usize) -> (f64, Vec<f64>) {
        let frame = |n: usize| {
            let noise = 1.0 + 0.4 * ((n * 7919 % 97) as f64 / 97.0 - 0.5);
            (if n.is_multiple_of(75) { 9000.0 } else { 1500.0 })
                * noise
                * if n > 90 { 1.8 } else { 1.0 }
        };
        let first: Vec<f64> = (0..150).map(frame).collect();
        let mut control = Controller::new(law, first.clone(), at, 1.0, target, (1.0, 51.0));
        let (mut total, mut given) = (0.0, Vec::new());
        for n in 0..150 + delay {
            if n < 150 {
                given.push(control.next());
            }
            if n >= delay {
                let bits = first[n - delay] * gain * truth.bits(at, given[n - delay]);
                total += bits;
                control.observe(bits);
            }
        }
        (total / target, given)
    }

    #[test]
    fn it_lands_with_wrong_laws_and_late_news() {
        let power = Law::Power { a: 1.1 };
        let halving = Law::Halving { step: 6.0 };
        for (law, truth, gain, at, target, delay) in [
            (power, power, 1.0, 8.0, 300_000.0, 0),
            (power, Law::Power { a: 0.8 }, 1.2, 8.0, 200_000.0, 0),
            (power, Law::Power { a: 1.3 }, 0.9, 8.0, 500_000.0, 0),
            (halving, halving, 0.8, 26.0, 200_000.0, 20),
            (halving, Law::Halving { step: 7.0 }, 0.85, 26.0, 150_000.0, 20),
            (halving, Law::Halving { step: 5.2 }, 1.1, 26.0, 400_000.0, 10),
        ] {
            let (fill, given) = run(law, truth, gain, at, target, delay);
            assert!((0.96..=1.015).contains(&fill), "{law:?} {truth:?}: {fill}");
            let last = given.len() - 1;
            assert!((given[last] / given[last / 2] - 1.0).abs() < 0.5, "steady: {given:?}");
        }
    }

    /// An encoder that holds frames back codes each as it is steered when it comes out; the last
    /// ones come out together.
    #[test]
    fn it_steers_an_encoder_that_looks_ahead() {
        let law = Law::Halving { step: 6.0 };
        let truth = Law::Halving { step: 5.5 };
        let (count, ahead, target) = (150, 16, 200_000.0);
        let first: Vec<f64> = (0..count).map(|n| 1500.0 + f64::from(n % 7) * 90.0).collect();
        let mut control = Controller::new(law, first.clone(), 26.0, 0.95, target, (8.0, 51.0));
        let (mut given, mut total, mut out) = (Vec::new(), 0.0, 0);
        for sent in 0..count + ahead {
            if sent < count {
                given.push(control.steer());
            }
            if sent >= ahead {
                let quantiser = given[given.len() - 1];
                let bits = first[out] * 0.8 * truth.bits(26.0, quantiser);
                total += bits;
                control.observe(bits);
                out += 1;
            }
        }
        assert!((0.98..=1.02).contains(&(total / target)), "{}", total / target);
        let largest = given.windows(2).map(|w| (w[1] - w[0]).abs()).fold(0.0, f64::max);
        assert!(largest <= 0.31, "unseen from one to the next: {largest}");
    }

    #[test]
    fn a_law_goes_through_two_runs() {
        let law = Law::Halving { step: 6.0 };
        assert_eq!(law.through((20.0, 2.0), (24.0, 1.0)), Law::Halving { step: 4.0 });
        assert_eq!(law.through((20.0, 2.0), (20.1, 2.0)), law, "they tell nothing");
        let power = Law::Power { a: 1.1 };
        assert_eq!(power.through((4.0, 4.0), (8.0, 2.0)), Law::Power { a: 1.0 });
    }

    #[test]
    fn what_cannot_be_met_is_the_coarsest() {
        let (_, given) = run(Law::Power { a: 1.0 }, Law::Power { a: 1.0 }, 1.0, 8.0, 10.0, 0);
        assert_eq!(given.last(), Some(&51.0));
    }
}
