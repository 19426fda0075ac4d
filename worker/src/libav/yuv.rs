//! Small frames as they are kept: 8-bit 4:2:0.

use mmsfit::model::Dimensions;

use super::tracks::Turn;

/// A small frame: the planes of Y, Cb and Cr without padding. Both sides are even.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Yuv {
    pub dimensions: Dimensions,
    pub planes: [Vec<u8>; 3],
}

impl Yuv {
    /// All of one colour.
    pub fn flat(dimensions: Dimensions, color: [u8; 3]) -> Self {
        let luma = dimensions.pixels() as usize;
        let planes = [vec![color[0]; luma], vec![color[1]; luma / 4], vec![color[2]; luma / 4]];
        Self { dimensions, planes }
    }

    /// Width and height of a plane.
    pub fn size(&self, plane: usize) -> (usize, usize) {
        let (w, h) = (self.dimensions.width() as usize, self.dimensions.height() as usize);
        if plane == 0 { (w, h) } else { (w / 2, h / 2) }
    }

    /// Turned upright.
    pub fn turned(self, turn: Turn) -> Self {
        if turn == Turn::default() {
            return self;
        }
        let swap = turn.swaps();
        let dimensions = if swap { self.dimensions.transposed() } else { self.dimensions };
        let planes = std::array::from_fn(|n| {
            let (w, h) = self.size(n);
            turn_plane(&self.planes[n], w, h, turn)
        });
        Self { dimensions, planes }
    }

    /// In the middle of a black frame.
    pub fn within(self, dimensions: Dimensions) -> Self {
        if self.dimensions == dimensions {
            return self;
        }
        let mut out = Self::flat(dimensions, [16, 128, 128]);
        for n in 0..3 {
            let ((w, h), (to_w, to_h)) = (self.size(n), out.size(n));
            // At even places, so that colours stay on their pixels.
            let place = |outer: usize, inner: usize| {
                if n == 0 { (outer - inner) / 4 * 2 } else { (outer - inner) / 2 }
            };
            let (x, y) = (place(to_w, w), place(to_h, h));
            for row in 0..h {
                let at = (y + row) * to_w + x;
                out.planes[n][at..at + w].copy_from_slice(&self.planes[n][row * w..(row + 1) * w]);
            }
        }
        out
    }
}

fn turn_plane(from: &[u8], w: usize, h: usize, turn: Turn) -> Vec<u8> {
    let (to_w, to_h) = if turn.swaps() { (h, w) } else { (w, h) };
    let mut out = Vec::with_capacity(from.len());
    for y in 0..to_h {
        for x in 0..to_w {
            let (sx, sy) = match turn.quarters {
                0 => (x, y),
                1 => (y, h - 1 - x),
                2 => (w - 1 - x, h - 1 - y),
                _ => (w - 1 - y, x),
            };
            let sx = if turn.mirrored { w - 1 - sx } else { sx };
            out.push(from[sy * w + sx]);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn planes_are_turned() {
        let plane = [1, 2, 3, 4, 5, 6];
        let turned = |quarters, mirrored| turn_plane(&plane, 3, 2, Turn { mirrored, quarters });
        assert_eq!(turned(1, false), [4, 1, 5, 2, 6, 3]);
        assert_eq!(turned(2, false), [6, 5, 4, 3, 2, 1]);
        assert_eq!(turned(3, false), [3, 6, 2, 5, 1, 4]);
        assert_eq!(turned(0, true), [3, 2, 1, 6, 5, 4]);
    }
}
