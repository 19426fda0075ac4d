//! Constants of ITU-T T.81.

use crate::model::{Chroma, Quality};

/// Zig-zag order, figure A.6: the natural index of each position.
pub const ZIGZAG: [u8; 64] = [
    0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25, 18, 11, 4, 5, 12, 19, 26, 33, 40, 48, 41, 34, 27, 20,
    13, 6, 7, 14, 21, 28, 35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51, 58, 59,
    52, 45, 38, 31, 39, 46, 53, 60, 61, 54, 47, 55, 62, 63,
];

/// Where the transform leaves the coefficient of each place in zig-zag order: transposed.
pub const TRANSPOSED: [u8; 64] = {
    let mut out = [0; 64];
    let mut k = 0;
    while k < 64 {
        out[k] = ZIGZAG[k] % 8 * 8 + ZIGZAG[k] / 8;
        k += 1;
    }
    out
};

/// The inverse: the place in zig-zag order of each transposed coefficient.
pub const POSITION: [u8; 64] = {
    let mut out = [0; 64];
    let mut k = 0;
    while k < 64 {
        out[TRANSPOSED[k] as usize] = k as u8;
        k += 1;
    }
    out
};

// Steps at 100 % in eighths, natural order. Not those of Annex K, which are from 1986 and know
// nothing of the metric: radial shapes, climbed to on 11 photos at 15 to 100 kB (2026-11-26).
// Mean SSIMULACRA2 at equal bytes, 640×480, nearest rounding:
//             Annex K   these   with trellis (and MozJPEG 4:2:0, jpegli 4:4:4 beside them)
//    100 kB   88.7      90.3    90.5  (86.6, 89.2)
//     30 kB   68.7      72.9    73.8  (71.8, 68.7)

/// Luma: 1 + 5.5 r^1.1, r = 1 at the seventh frequency.
#[rustfmt::skip]
const LUMA: [u16; 64] = [
    96, 158, 229, 304, 381, 461, 542, 624,
    158, 189, 249, 319, 394, 471, 551, 633,
    229, 249, 295, 355, 423, 497, 574, 653,
    304, 319, 355, 406, 467, 535, 608, 683,
    381, 394, 423, 467, 522, 584, 651, 723,
    461, 471, 497, 535, 584, 640, 703, 770,
    542, 551, 574, 608, 651, 703, 761, 824,
    624, 633, 653, 683, 723, 770, 824, 884,
];

/// Chroma in half the samples each way: every coefficient of it is four times as rare.
#[rustfmt::skip]
const CHROMA_QUARTER: [u16; 64] = [
    62, 146, 179, 242, 340, 475, 651, 869,
    146, 157, 193, 258, 358, 496, 674, 895,
    179, 193, 233, 303, 407, 549, 731, 955,
    242, 258, 303, 378, 488, 635, 822, 1051,
    340, 358, 407, 488, 604, 757, 950, 1185,
    475, 496, 549, 635, 757, 916, 1116, 1357,
    651, 674, 731, 822, 950, 1116, 1322, 1570,
    869, 895, 955, 1051, 1185, 1357, 1570, 1826,
];

/// Chroma in all samples: its high frequencies hardly show, and go first.
#[rustfmt::skip]
const CHROMA_FULL: [u16; 64] = [
    146, 446, 701, 1073, 1548, 2119, 2781, 3528,
    446, 543, 790, 1158, 1632, 2202, 2864, 3612,
    701, 790, 1022, 1377, 1842, 2406, 3063, 3807,
    1073, 1158, 1377, 1719, 2171, 2725, 3373, 4110,
    1548, 1632, 1842, 2171, 2611, 3153, 3790, 4518,
    2119, 2202, 2406, 2725, 3153, 3682, 4309, 5026,
    2781, 2864, 3063, 3373, 3790, 4309, 4923, 5630,
    3528, 3612, 3807, 4110, 4518, 5026, 5630, 6325,
];

/// Tables of Y, Cb and Cr in zig-zag order, eight-bit as baseline needs. The scale is that of
/// libjpeg (`jpeg_quality_scaling`) in tenths of a quality step: luma's low frequencies come out
/// about as they do there.
pub fn tables(quality: Quality, chroma: Chroma) -> [[u8; 64]; 3] {
    let colors = match chroma {
        Chroma::Quarter => &CHROMA_QUARTER,
        Chroma::Full => &CHROMA_FULL,
    };
    [&LUMA, colors, colors].map(|base| at(base, quality))
}

fn at(base: &[u16; 64], quality: Quality) -> [u8; 64] {
    if quality == Quality::MAX {
        return [1; 64];
    }
    let percent = quality.table_percent();
    std::array::from_fn(|k| {
        let base = f64::from(base[usize::from(ZIGZAG[k])]) / 8.0;
        ((base * percent + 50.0) / 100.0).clamp(1.0, 255.0) as u8
    })
}
