//! Made-up drawings: letters with soft edges on flat grounds, as screens show them and scanners see
//! them. The same pixels everywhere.

use image::{DynamicImage, GrayImage, Rgb, RgbImage, Rgba, RgbaImage, imageops};

/// Strokes of a letter on a grid of 4 by 6: no alphabet, but as dense as one.
const LETTERS: [&[(u32, u32, u32, u32)]; 8] = [
    &[(0, 0, 1, 6), (0, 0, 4, 1), (3, 0, 1, 6), (0, 3, 4, 1)],
    &[(0, 0, 1, 6), (0, 5, 4, 1)],
    &[(0, 0, 4, 1), (1, 0, 1, 6)],
    &[(0, 2, 4, 1), (0, 2, 1, 4), (3, 2, 1, 4), (0, 5, 4, 1)],
    &[(0, 2, 1, 4), (0, 2, 3, 1), (3, 3, 1, 3)],
    &[(1, 0, 1, 6), (0, 1, 3, 1)],
    &[(0, 2, 1, 4), (1, 4, 1, 1), (2, 3, 1, 1), (3, 2, 1, 4)],
    &[(0, 2, 4, 1), (0, 2, 1, 2), (0, 3, 4, 1), (3, 3, 1, 3), (0, 5, 4, 1)],
];

fn dice(seed: &mut u32) -> u32 {
    *seed ^= *seed << 13;
    *seed ^= *seed >> 17;
    *seed ^= *seed << 5;
    *seed
}

/// A line of text of `height` pixels a letter into an image of one channel, 255 where there is ink.
fn line(ink: &mut GrayImage, (left, top): (u32, u32), height: u32, letters: u32, seed: &mut u32) {
    let cell = height / 6;
    for n in 0..letters {
        let roll = dice(seed);
        if roll.is_multiple_of(6) {
            continue;
        }
        let x0 = left + n * cell * 5;
        for (x, y, w, h) in LETTERS[roll as usize / 7 % LETTERS.len()] {
            for dy in 0..h * cell {
                for dx in 0..w * cell {
                    let (px, py) = (x0 + x * cell + dx, top + y * cell + dy);
                    if px < ink.width() && py < ink.height() {
                        ink.put_pixel(px, py, image::Luma([255]));
                    }
                }
            }
        }
    }
}

/// Ink of many lines at three times the size, and then made smaller: letters with soft edges.
fn text(width: u32, height: u32, letter: u32, seed: u32) -> GrayImage {
    let mut seed = seed;
    let mut ink = GrayImage::new(width * 3, height * 3);
    let mut top = letter * 2;
    while top + letter * 3 < height * 3 {
        let letters = 12 + dice(&mut seed) % 20;
        line(&mut ink, (letter * 2, top), letter * 3, letters, &mut seed);
        top += letter * 5;
    }
    imageops::resize(&ink, width, height, imageops::FilterType::Triangle)
}

/// A conversation on a phone: bubbles of two colours, text in them, a bar above.
pub fn screenshot(width: u32, height: u32) -> RgbImage {
    let ink = text(width, height, height / 60, 7);
    RgbImage::from_fn(width, height, |x, y| {
        let row = y * 24 / height;
        let (ground, letters) = match row {
            0 => ([0, 120, 215], [255, 255, 255]),
            n if n % 3 == 1 => ([255, 255, 255], [20, 20, 24]),
            n if n % 3 == 2 && x > width / 4 => ([200, 230, 255], [20, 20, 24]),
            _ => ([240, 242, 245], [90, 90, 96]),
        };
        let share = u32::from(ink.get_pixel(x, y)[0]);
        let mix =
            |a: u8, b: u8| ((u32::from(a) * (255 - share) + u32::from(b) * share) / 255) as u8;
        Rgb([0, 1, 2].map(|n| mix(ground[n], letters[n])))
    })
}

/// A page of text as a scanner at 300 dpi sees it: black or white.
pub fn page(width: u32, height: u32) -> GrayImage {
    let ink = text(width, height, height / 100, 11);
    GrayImage::from_fn(width, height, |x, y| {
        image::Luma([if ink.get_pixel(x, y)[0] > 127 { 0 } else { 255 }])
    })
}

/// A sign on a slope of colours.
pub fn gradient(side: u32) -> RgbImage {
    let ink = text(side, side / 2, side / 12, 13);
    RgbImage::from_fn(side, side, |x, y| {
        let (dx, dy) = (f64::from(x) - f64::from(side) / 2.0, f64::from(y) - f64::from(side) / 2.0);
        if (dx * dx + dy * dy).sqrt() < f64::from(side) * 0.4 {
            let within = y > side / 4 && y < side * 3 / 4;
            let dark = within && ink.get_pixel(x, y - side / 4)[0] > 127;
            return Rgb(if dark { [20, 20, 90] } else { [250, 250, 240] });
        }
        Rgb([(x * 255 / side) as u8, 80, (y * 255 / side) as u8])
    })
}

/// A sticker: letters on a disc, nothing around it.
pub fn sticker(side: u32) -> RgbaImage {
    let ink = text(side, side / 2, side / 10, 17);
    RgbaImage::from_fn(side, side, |x, y| {
        let (dx, dy) = (f64::from(x) - f64::from(side) / 2.0, f64::from(y) - f64::from(side) / 2.0);
        let edge = f64::from(side) * 0.45 - (dx * dx + dy * dy).sqrt();
        let alpha = (edge * 128.0 + 128.0).clamp(0.0, 255.0) as u8;
        let within = y > side / 4 && y < side * 3 / 4;
        let light = within && ink.get_pixel(x, y - side / 4)[0] > 127;
        Rgba(if light { [255, 255, 255, alpha] } else { [20, 160, 90, alpha] })
    })
}

/// As a PNG.
pub fn png(image: impl Into<DynamicImage>) -> Vec<u8> {
    let mut out = std::io::Cursor::new(Vec::new());
    image.into().write_to(&mut out, image::ImageFormat::Png).expect("it encodes");
    out.into_inner()
}
