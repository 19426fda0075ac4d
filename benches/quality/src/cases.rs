//! What a photo is fitted to.

use crate::photos::Photo;

/// Bounds, and a limit in bytes.
#[derive(Clone, Copy, Debug)]
pub struct Case {
    pub bounds: (u32, u32),
    pub limit: u64,
}

impl Case {
    /// The size of a photo within the bounds, which turn with it.
    pub fn size(&self, photo: &Photo) -> (u32, u32) {
        let (w, h) = photo.rgb.dimensions();
        let (bw, bh) = if (w >= h) == (self.bounds.0 >= self.bounds.1) {
            self.bounds
        } else {
            (self.bounds.1, self.bounds.0)
        };
        if w <= bw && h <= bh {
            return (w, h);
        }
        let scale = (f64::from(bw) / f64::from(w)).min(f64::from(bh) / f64::from(h));
        let side = |n: u32| ((f64::from(n) * scale).round() as u32).max(1);
        (side(w).min(bw), side(h).min(bh))
    }

    pub fn name(&self) -> String {
        format!("{}×{} ≤ {} kB", self.bounds.0, self.bounds.1, self.limit / 1000)
    }
}

const fn case(width: u32, height: u32, kilobytes: u64) -> Case {
    Case { bounds: (width, height), limit: kilobytes * 1000 }
}

/// The six of the promises, and what their curves need.
pub const CASES: [Case; 9] = [
    case(640, 480, 100),
    case(640, 480, 60),
    case(640, 480, 30),
    case(640, 480, 15),
    case(640, 480, 8),
    case(160, 120, 30),
    case(1600, 1200, 600),
    case(1600, 1200, 300),
    case(1600, 1200, 150),
];

/// The places of the six.
pub const PROMISED: [usize; 6] = [0, 2, 3, 5, 7, 6];
