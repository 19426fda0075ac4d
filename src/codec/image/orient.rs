//! Turning stored pixels upright (EXIF 2.32 §4.6.4, tag 0x0112).

use super::raster::{Overhang, Raster};
use crate::model::Orientation;

/// `raster` as a person should see it.
pub(super) fn upright(raster: Raster, orientation: Orientation) -> Raster {
    if orientation.is_normal() {
        return raster;
    }
    match raster.layout().channels() {
        1 => turn::<1>(raster, orientation),
        3 => turn::<3>(raster, orientation),
        _ => turn::<4>(raster, orientation),
    }
}

fn turn<const N: usize>(raster: Raster, orientation: Orientation) -> Raster {
    let (from, layout) = (raster.dimensions(), raster.layout());
    let to = if orientation.swaps_sides() { from.transposed() } else { from };
    let (w, h) = (from.width() as usize, from.height() as usize);
    let (source, rest) = raster.pixels().as_chunks::<N>();
    debug_assert!(rest.is_empty());
    // The stored pixel of the upright place (x, y) is at `origin + x * dx + y * dy`.
    let (w_i, h_i) = (w as isize, h as isize);
    let (origin, dx, dy) = match orientation.exif() {
        2 => (w_i - 1, -1, w_i),
        3 => (w_i * h_i - 1, -1, -w_i),
        4 => (w_i * (h_i - 1), 1, -w_i),
        5 => (0, w_i, 1),
        6 => (w_i * (h_i - 1), -w_i, 1),
        7 => (w_i * h_i - 1, -w_i, -1),
        8 => (w_i - 1, w_i, -1),
        _ => (0, 1, w_i),
    };
    let mut pixels = Vec::with_capacity(source.len() * N);
    for y in 0..to.height() as isize {
        let row = origin + y * dy;
        for x in 0..to.width() as isize {
            pixels.extend_from_slice(&source[(row + x * dx) as usize]);
        }
    }
    let overhang = turned(raster.overhang(), orientation);
    Raster::new(to, layout, pixels).map_or(raster, |upright| upright.reaching(overhang))
}

fn turned(stored: Overhang, orientation: Orientation) -> Overhang {
    let Overhang { left, top, right, bottom } = stored;
    // Left, top, right and bottom of what is upright.
    let [left, top, right, bottom] = match orientation.exif() {
        2 => [right, top, left, bottom],
        3 => [right, bottom, left, top],
        4 => [left, bottom, right, top],
        5 => [top, left, bottom, right],
        6 => [bottom, left, top, right],
        7 => [bottom, right, top, left],
        8 => [top, right, bottom, left],
        _ => [left, top, right, bottom],
    };
    Overhang { left, top, right, bottom }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{codec::image::raster::Layout, model::Dimensions};

    /// An upright F-like image of 2x3, stored in each of the eight ways (the figure in
    /// EXIF 2.32 §4.6.4), comes out the same.
    #[test]
    fn all_eight_come_out_upright() {
        let upright_pixels = b"abcdef"; // ab / cd / ef
        for (exif, w, stored) in [
            (1, 2, b"abcdef"),
            (2, 2, b"badcfe"),
            (3, 2, b"fedcba"),
            (4, 2, b"efcdab"),
            (5, 3, b"acebdf"),
            (6, 3, b"bdface"),
            (7, 3, b"fdbeca"),
            (8, 3, b"ecafdb"),
        ] {
            let dimensions = Dimensions::new(w, 6 / w).unwrap();
            let raster = Raster::new(dimensions, Layout::Gray, stored.to_vec()).unwrap();
            let out = upright(raster, Orientation::from_exif(exif));
            assert_eq!(out.pixels(), upright_pixels, "orientation {exif}");
            assert_eq!(out.dimensions(), Dimensions::new(2, 3).unwrap());
        }
    }
}
