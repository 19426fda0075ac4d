//! Size as a function of one knob, learnt from the encodes of the image at hand.
//!
//! Both axes are logarithmic: over the ranges that matter, `ln size` is close to a straight line
//! in `ln knob` (quantiser scale, area), so a secant through two measured points predicts well,
//! and a prior slope predicts from one.

/// Measured points of one curve, and lower bounds from encodes that were cut off.
#[derive(Clone, Debug)]
pub struct Curve {
    /// `(ln knob, ln size)` of finished encodes, sorted by knob.
    points: Vec<(f64, f64)>,
    /// `(ln knob, ln size)` where the size is at least this.
    bounds: Vec<(f64, f64)>,
    /// d ln size / d ln knob assumed until two points are known.
    prior_slope: f64,
}

impl Curve {
    /// A curve without points.
    pub fn new(prior_slope: f64) -> Self {
        Self { points: Vec::new(), bounds: Vec::new(), prior_slope }
    }

    /// Records a finished encode.
    pub fn measured(&mut self, knob: f64, size: u64) {
        self.points.push((knob.ln(), (size.max(1) as f64).ln()));
        self.points.sort_by(|a, b| a.0.total_cmp(&b.0));
    }

    /// Records an encode that was cut off at `size`.
    pub fn at_least(&mut self, knob: f64, size: u64) {
        self.bounds.push((knob.ln(), (size.max(1) as f64).ln()));
    }

    /// All sizes were estimates, and are this many times what was thought.
    pub fn rescale(&mut self, ratio: f64) {
        let shift = ratio.ln();
        self.points.iter_mut().for_each(|point| point.1 += shift);
    }

    /// The knob at which the size should be `target`; `None` without any point.
    pub fn solve(&self, target: u64) -> Option<f64> {
        let goal = (target.max(1) as f64).ln();
        let (anchor, slope) = match self.points.as_slice() {
            // Only a lower bound: the true point lies higher; assume 15 % more.
            [] => {
                let bound = self.bounds.last()?;
                ((bound.0, bound.1 + 0.14), self.prior_slope)
            }
            [only] => (*only, self.prior_slope),
            many => {
                let (a, b) = nearest_pair(many, goal);
                let slope = (b.1 - a.1) / (b.0 - a.0);
                let near = if (a.1 - goal).abs() < (b.1 - goal).abs() { a } else { b };
                // Noise can flatten a short secant or turn it around; no real curve is far from
                // its prior.
                let ratio = slope / self.prior_slope;
                let sane = ratio.is_finite() && ratio > 0.0;
                let ratio = if sane { ratio.clamp(0.45, 2.2) } else { 1.0 };
                (near, self.prior_slope * ratio)
            }
        };
        Some((anchor.0 + (goal - anchor.1) / slope).exp())
    }

    /// The size expected at `knob`; `None` without any point.
    pub fn predict(&self, knob: f64) -> Option<f64> {
        let at = knob.ln();
        let nearest = self
            .points
            .iter()
            .chain(&self.bounds)
            .min_by(|a, b| (a.0 - at).abs().total_cmp(&(b.0 - at).abs()))?;
        let slope = match self.points.as_slice() {
            [first, .., last] if last.0 > first.0 => (last.1 - first.1) / (last.0 - first.0),
            _ => self.prior_slope,
        };
        let slope = if slope * self.prior_slope > 0.0 { slope } else { self.prior_slope };
        Some((nearest.1 + (at - nearest.0) * slope).exp())
    }
}

/// The two points that enclose `goal`, or the two nearest to it.
fn nearest_pair(points: &[(f64, f64)], goal: f64) -> ((f64, f64), (f64, f64)) {
    let mut pairs: Vec<_> = points.windows(2).map(|w| (w[0], w[1])).collect();
    pairs.sort_by(|a, b| {
        let gap = |p: &((f64, f64), (f64, f64))| {
            let (low, high) = (p.0.1.min(p.1.1), p.0.1.max(p.1.1));
            if goal < low {
                low - goal
            } else if goal > high {
                goal - high
            } else {
                0.0
            }
        };
        gap(a).total_cmp(&gap(b))
    });
    pairs[0]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_power_law_is_solved_from_two_points() {
        let size = |knob: f64| (50_000.0 * knob.powf(-0.6)) as u64;
        let mut curve = Curve::new(-0.75);
        assert_eq!(curve.solve(1000), None);
        curve.measured(20.0, size(20.0));
        let first = curve.solve(size(40.0)).unwrap();
        assert!((20.0..60.0).contains(&first), "the prior points the right way: {first}");
        curve.measured(first, size(first));
        let second = curve.solve(size(40.0)).unwrap();
        assert!((second - 40.0).abs() < 0.5, "{second}");
        assert!((curve.predict(40.0).unwrap() - size(40.0) as f64).abs() < 50.0);
    }

    #[test]
    fn a_lower_bound_alone_still_points_down() {
        let mut curve = Curve::new(-0.75);
        curve.at_least(10.0, 100_000);
        assert!(curve.solve(50_000).unwrap() > 20.0);
    }
}
