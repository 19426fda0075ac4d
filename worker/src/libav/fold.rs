//! Two channels to one, without losing what is in opposite phase in them.
//!
//! One side wired the wrong way round is heard well on two loudspeakers and cancels to silence in
//! their sum. Where the difference is by far stronger than the sum, the right side is turned over.

/// Moments that are judged at a time: a quarter of a second.
const PER_SECOND: u32 = 4;
/// The difference has this many times the energy of the sum before a side is turned over, and the
/// other way round before it is turned back: wide stereo stays far below (8 dB are a correlation
/// of -0.73).
const CLEARLY: f64 = 6.3;
/// Samples over which a side is turned, so that it does not click: as a share of a moment.
const TURN: usize = 16;

/// Folds a stream of samples.
pub(super) struct Fold {
    /// Interleaved, not yet folded.
    pending: Vec<i16>,
    /// Samples of a moment.
    moment: usize,
    /// What the right side counts: 1 or -1.
    side: f32,
}

impl Fold {
    /// For samples at `rate`.
    pub fn new(rate: u32) -> Self {
        let moment = (rate / PER_SECOND).max(1) as usize;
        Self { pending: Vec::new(), moment, side: 1.0 }
    }

    /// Where samples of two channels go.
    pub fn pending(&mut self) -> &mut Vec<i16> {
        &mut self.pending
    }

    /// Folds all whole moments into `out`; at the `end` what is left, too.
    pub fn fold(&mut self, end: bool, out: &mut Vec<i16>) {
        let pending = std::mem::take(&mut self.pending);
        let mut rest = pending.as_slice();
        while rest.len() >= self.moment * 2 || end && rest.len() >= 2 {
            let (now, after) = rest.split_at(rest.len().min(self.moment * 2));
            self.one(now, out);
            rest = after;
        }
        self.pending = rest.to_vec();
    }

    fn one(&mut self, moment: &[i16], out: &mut Vec<i16>) {
        let pairs = || moment.chunks_exact(2).map(|pair| (f32::from(pair[0]), f32::from(pair[1])));
        let energy = |side: f32| -> f64 {
            pairs().map(|(left, right)| f64::from(left + side * right).powi(2)).sum()
        };
        let before = self.side;
        if energy(-before) > energy(before) * CLEARLY {
            self.side = -before;
        }
        // The first moment has nothing to turn from.
        let turn = if out.is_empty() { 0 } else { self.moment / TURN };
        for (n, (left, right)) in pairs().enumerate() {
            let done = if n < turn { n as f32 / turn as f32 } else { 1.0 };
            let side = before + (self.side - before) * done;
            out.push(((left + side * right) / 2.0).round() as i16);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATE: u32 = 8000;

    fn folded(seconds: usize, pair: impl Fn(usize, f64) -> (f64, f64)) -> Vec<i16> {
        let mut fold = Fold::new(RATE);
        let mut out = Vec::new();
        for n in 0..seconds * RATE as usize {
            let tone =
                (n as f64 * 440.0 / f64::from(RATE) * std::f64::consts::TAU).sin() * 10_000.0;
            let (left, right) = pair(n, tone);
            fold.pending().extend([left as i16, right as i16]);
            fold.fold(false, &mut out);
        }
        fold.fold(true, &mut out);
        assert_eq!(out.len(), seconds * RATE as usize);
        out
    }

    fn loudness(samples: &[i16]) -> f64 {
        let sum: f64 = samples.iter().map(|s| f64::from(*s).powi(2)).sum();
        (sum / samples.len() as f64).sqrt()
    }

    #[test]
    fn opposite_sides_do_not_cancel() {
        let tone = loudness(&folded(1, |_, s| (s, s)));
        assert!((tone - 7071.0).abs() < 20.0, "{tone}");
        assert!((loudness(&folded(1, |_, s| (s, -s))) - tone).abs() < 20.0);
        // Not quite as loud, and from the middle on.
        assert!(loudness(&folded(1, |_, s| (s, -0.7 * s))) > tone * 0.8);
        let half = folded(4, |n, s| if n < 2 * RATE as usize { (s, s) } else { (s, -s) });
        assert!(loudness(&half[..16_000]) > tone * 0.95);
        assert!(loudness(&half[16_000..]) > tone * 0.9);
    }

    #[test]
    fn what_is_not_opposite_is_the_sum() {
        let left = folded(1, |_, s| (s, 0.0));
        assert!((loudness(&left) - 3535.0).abs() < 20.0);
        // A silent start does not decide, and sides that have nothing in common stay as they are.
        let late = folded(2, |n, s| if n < 8000 { (0.0, 0.0) } else { (s, s) });
        assert!(loudness(&late[8000..]) > 7000.0);
        assert!(folded(1, |_, _| (0.0, 0.0)).iter().all(|s| *s == 0));
    }
}
